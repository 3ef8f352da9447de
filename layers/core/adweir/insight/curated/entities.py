"""The table `entities`: ad accounts, what platforms list of them, cross-platform campaigns with arms and bindings."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adweir.insight.curated.layout import ARMS, BINDINGS, CROSS_CAMPAIGNS, CuratedTable
from adweir.insight.curated.queries import shown
from adweir.insight.parquet import CsvLines, copy_out, csv_table
from adweir.model.campaigns import Arm, Campaign
from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.money import to_units
from adweir.reporting.ads import status_on

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_Row = Mapping[str, Any]
_ITEM = (
    *("id", "name", "status_raw", "campaign_id", "ad_group_id", "ad_product", "objective", "kind", "budget_type"),
    *("start_date", "end_date", "text", "match_type", "headline", "description", "cta", "image_url", "video_url"),
    *("landing_page_url", "quality_score", "as_of"),
)
"""Fields of objects that are columns."""


def account_row(profile: Profile) -> _Row:
    """An ad account."""
    return {
        **_of(profile),
        "id": profile.shown_id,
        "name": profile.name,
        "status": profile.status.value,
        "status_raw": profile.status_raw,
        "kind": profile.kind,
        "currency": profile.currency,
        "timezone": profile.timezone,
        "country": profile.country,
    }


def object_rows(items: Iterable[PlatformObject], profile: Profile, dataset: Dataset, today: str) -> Iterator[_Row]:
    """What a platform lists of an ad account. `today` is the profile's, ISO."""
    for item in items:
        row = {name: getattr(item, name, None) for name in _ITEM}
        for name in ("budget", "bid"):
            row[name] = _amount(getattr(item, name, None))
        row["ad_id"] = item.id if dataset is Dataset.ADS else None
        row["status"] = status_on(today, item.status, item.end_date).value
        yield {**_of(profile), **row, "currency": profile.currency}


def campaign_rows(campaigns: Sequence[Campaign]) -> dict[str, list[_Row]]:
    """A client's cross-platform campaigns, by dataset; amounts in the campaign's currency."""
    found: dict[str, list[_Row]] = {CROSS_CAMPAIGNS: [], ARMS: [], BINDINGS: []}
    for campaign in campaigns:
        of = {"client_account_id": campaign.account_id, "cross_campaign_id": campaign.campaign_id}
        found[CROSS_CAMPAIGNS].append(
            {
                **of,
                "id": campaign.campaign_id,
                "name": campaign.name,
                "status": campaign.status,
                "budget": _amount(campaign.budget),
                "currency": campaign.currency,
                "start_date": campaign.start_date,
                "end_date": campaign.end_date,
                "as_of": campaign.updated_at,
            }
        )
        found[ARMS] += [_arm_row(arm, {**of, "currency": campaign.currency}) for arm in campaign.arms]
        found[BINDINGS] += _binding_rows(campaign, of)
    return found


def _arm_row(arm: Arm, of: _Row) -> _Row:
    return {
        **of,
        "platform_name": arm.platform,
        "id": arm.arm_id,
        "arm_id": arm.arm_id,
        "name": arm.name,
        "status": arm.status,
        "channel": arm.channel,
        "creative": arm.creative,
        "bid": _amount(arm.bid),
        "as_of": arm.updated_at,
    }


def _binding_rows(campaign: Campaign, of: _Row) -> Iterator[_Row]:
    for claim in campaign.claims:
        bound = claim.binding
        yield {
            **of,
            "platform_name": bound.platform,
            "account_id": bound.profile_id,
            "id": bound.entity_id,
            "arm_id": claim.arm_id,
            "level": bound.level.value,
            "campaign_id": bound.campaign_id,
            "ad_group_id": bound.ad_group_id,
            "ad_id": bound.ad_id,
        }


def staged(rows: Iterable[_Row], client_name: str, columns: Iterable[str], target: Path) -> str:
    """Write rows as CSV with these columns; a short text that differs where they do, "" without any."""
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(CsvLines(file), list(columns), extrasaction="ignore")
        writer.writeheader()
        for count, row in enumerate(rows, 1):  # noqa: B007  it is asked for afterwards
            writer.writerow({**row, "client_name": client_name})
    if not count:
        return ""
    with target.open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()[:16]


def parquet_of(connection: DuckDBPyConnection, table: CuratedTable, source: Path) -> Path:
    """What `staged` wrote, as a file of the table. A day that is none is null."""
    target = source.with_suffix(".parquet")
    copy_out(connection, shown(table, parsed_table(table, source)), target)
    return target


def parsed_table(table: CuratedTable, source: Path) -> str:
    """A CSV file of a table's columns as SQL names a table. A day or a moment that is none is null."""
    parsed = ("DATE", "TIMESTAMP")
    types = {name: "VARCHAR" if kind in parsed else kind for name, kind in table.columns.items()}
    read = ", ".join(f"TRY_CAST({n} AS {kind}) AS {n}" for n, kind in table.columns.items() if kind in parsed)
    return f"(SELECT * REPLACE ({read}) FROM {csv_table(source, types)})"  # noqa: S608  columns and path are ours


def _of(profile: Profile) -> dict[str, Any]:
    return {
        "platform_name": profile.platform,
        "client_account_id": profile.account_id,
        "account_id": profile.shown_id,
        "account_name": profile.name,
    }


def _amount(micros: int | None) -> str | None:
    amount = to_units(micros)
    return None if amount is None else f"{amount:f}"
