"""The tidy layer: one row per ad and day, in the column names of Fivetran's ad_reporting.

PyMC-Marketing reads these columns unchanged, and dbt users know them. What the ads leave of their account is a row of
its own per day, without ids and with the name `unattributed`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TextIO

from adweir.insight.parquet import CsvLines
from adweir.model.entities import Profile
from adweir.model.money import to_units
from adweir.reporting.formats import FORMULA
from adweir.reporting.reading import ReadRow
from adweir.reporting.totals import UNATTRIBUTED

COLUMNS: Mapping[str, str] = {
    "source_relation": "VARCHAR",
    "date_day": "DATE",
    "platform": "VARCHAR",
    "account_id": "VARCHAR",
    "account_name": "VARCHAR",
    "campaign_id": "VARCHAR",
    "campaign_name": "VARCHAR",
    "ad_group_id": "VARCHAR",
    "ad_group_name": "VARCHAR",
    "ad_id": "VARCHAR",
    "ad_name": "VARCHAR",
    "clicks": "BIGINT",
    "impressions": "BIGINT",
    "spend": "DECIMAL(24,6)",
    "conversions": "DECIMAL(24,6)",
    "conversions_value": "DECIMAL(24,6)",
    "currency": "VARCHAR",
}
"""Column → Parquet type. Money and fractional conversions are exact; `currency` is ours."""


_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a profile's objects by id; an id without a name has an empty one."""

    campaigns: Mapping[str, str]
    ad_groups: Mapping[str, str]
    ads: Mapping[str, str]


def tidy_row(read: ReadRow, profile: Profile, names: Names) -> tuple[str, ...]:
    """An ad's day → a row in the order of `COLUMNS`, as text. `account_id` is the platform's ad account."""
    row = read.row
    ad_id = read.own_id
    unnamed = UNATTRIBUTED if read.is_rest else ""
    impressions, clicks, conversions, spend, revenue = row.slot
    return (
        row.source,
        row.day,
        profile.platform,
        profile.profile_id,
        profile.name,
        row.campaign_id,
        names.campaigns.get(row.campaign_id, unnamed),
        row.ad_group_id,
        names.ad_groups.get(row.ad_group_id, unnamed),
        ad_id,
        names.ads.get(ad_id, unnamed),
        *map(_text, (clicks, impressions, to_units(spend), to_units(conversions), to_units(revenue))),
        row.currency or profile.currency,
    )


def _text(number: int | Decimal | None) -> str:
    """An unknown number is an empty field."""
    return "" if number is None else str(number)


class TidyWriter:
    """Writes tidy rows as CSV, counting them."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(CsvLines(file))
        self._writer.writerow(COLUMNS)
        self.count = 0
        self.has_formulas = False

    def write(self, row: tuple[str, ...]) -> None:
        self._writer.writerow(row)
        self.count += 1
        self.has_formulas = self.has_formulas or any(map(_is_formula, row))


def guard(source: TextIO, target: TextIO) -> None:
    """Copy a tidy CSV so that a spreadsheet runs none of its texts: an apostrophe stands before those."""
    writer = csv.writer(CsvLines(target))
    for row in csv.reader(source):
        writer.writerow([f"'{text}" if _is_formula(text) else text for text in row])


def _is_formula(text: str) -> bool:
    return text.startswith(FORMULA) and not _NUMBER.fullmatch(text)
