"""Compares what is stored with what the platforms report, to the millionth: ad by ad, and every level with the totals.

A platform's total of an account and day includes what its ad rows no longer show: deleted ads, campaigns without ads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from adweir.model.money import MICRO
from ops.client import Api
from ops.demo.world import WorldDoors, known_as


class Figures(NamedTuple):
    """What was measured. Conversions in millionths; spend and revenue in millionths of the currency's unit."""

    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    spend: int = 0
    revenue: int = 0

    @property
    def roas(self) -> Decimal | None:
        """Revenue per unit of spend; None without spend."""
        return Decimal(self.revenue) / self.spend if self.spend else None


def total(rows: Iterable[Figures]) -> Figures:
    """The sums of some numbers."""
    return Figures(*(sum(column) for column in zip(*rows, strict=True)))


def numbers(row: dict[str, Any]) -> Figures:
    """A record of the API → counts and millionths."""
    conversions, spend, revenue = (int(Decimal(str(row[name])) * MICRO) for name in ("conversions", "spend", "revenue"))
    return Figures(row["impressions"], row["clicks"], conversions, spend, revenue)


def _true(row: dict[str, Any]) -> Figures:
    """A row of the platforms' truth → counts and millionths."""
    conversions, spend, revenue = (row[f"{name}_micros"] for name in ("conversions", "spend", "revenue"))
    return Figures(row["impressions"], row["clicks"], conversions, spend, revenue)


def _add(levels: dict[str, dict[str, Figures]], level: str, row: dict[str, Any]) -> None:
    days = levels.setdefault(level, {})
    days[row["date"]] = total([days.get(row["date"], Figures()), numbers(row)])


class Difference(NamedTuple):
    """An ad or a whole level, its day, and its numbers on both sides."""

    name: str
    day: str
    stored: Figures | None
    truth: Figures | None


Rows = Mapping[tuple[str, str], Figures]
"""Numbers by ad and day."""


@dataclass(slots=True)
class Compared:
    """One ad account (profile): numbers by ad and day, as stored and as its platform reports them.

    `levels` are the stored sums of each level by day, `account` the platform's own totals. `kept` counts the rows that
    the platform no longer shows though its totals contain them.
    """

    platform: str
    profile_id: str
    name: str
    currency: str
    stored: dict[tuple[str, str], Figures] = field(default_factory=dict)
    truth: dict[tuple[str, str], Figures] = field(default_factory=dict)
    campaign_of: dict[str, str] = field(default_factory=dict)
    campaign_names: dict[str, str] = field(default_factory=dict)
    score: float | None = None
    levels: dict[str, dict[str, Figures]] = field(default_factory=dict)
    account: dict[str, Figures] = field(default_factory=dict)
    kept: int = 0

    @property
    def differences(self) -> list[Difference]:
        """The ads and days, and the levels and days, whose numbers differ, or that only one side has."""
        rows = _differences(self.stored, self.truth)
        for level, days in self.levels.items():
            rows += _differences(_named(level, days), _named(level, self.account))
        return sorted(rows)

    @property
    def total(self) -> Figures:
        return total(self.stored.values())

    def by_day(self) -> dict[str, Figures]:
        """Stored sums by date, oldest first."""
        return self._sums(lambda _ad, day: day)

    def by_campaign(self) -> dict[str, Figures]:
        """Stored sums by campaign id, largest spend first."""
        sums = self._sums(lambda ad, _day: self.campaign_of[ad])
        return dict(sorted(sums.items(), key=lambda item: (-item[1].spend, item[0])))

    def _sums(self, group: Callable[[str, str], str]) -> dict[str, Figures]:
        groups: dict[str, list[Figures]] = defaultdict(list)
        for (ad, day), row in self.stored.items():
            groups[group(ad, day)].append(row)
        return {name: total(rows) for name, rows in sorted(groups.items())}


def _named(level: str, days: Mapping[str, Figures]) -> dict[tuple[str, str], Figures]:
    return {(f"all of level {level}", day): row for day, row in days.items() if any(row)}


def _differences(
    stored: Mapping[tuple[str, str], Figures], truth: Mapping[tuple[str, str], Figures]
) -> list[Difference]:
    keys = stored.keys() | truth.keys()
    return [Difference(*key, stored.get(key), truth.get(key)) for key in keys if stored.get(key) != truth.get(key)]


def compare(
    api: Api,
    world: WorldDoors,
    profile: Mapping[str, Any],
    days: int,
    before: Rows | None = None,
    deleted: Collection[str] = (),
) -> Compared:
    """Read a profile's stored rows of the last `days` through the API, and what its platform reports for them now.

    The platform says nothing of `deleted` ads: theirs have to be as they were `before`.
    """
    about = {"platform": profile["platform"], "profile_id": profile["profile_id"]}
    found = Compared(**about, name=profile["name"], currency=profile["currency"])
    start, yesterday = world.day(days).isoformat(), world.day(1).isoformat()
    span = {"start": start, "end": yesterday}
    truth = world.get("truth", **known_as(profile), **span)["rows"]
    found.truth = {(row["entity_id"], row["date"]): _true(row) for row in truth if row["ad_id"] not in deleted}
    found.truth |= {
        key: row for key, row in (before or {}).items() if key[1] >= start and key[0].rpartition("~")[2] in deleted
    }
    totals = world.get("truth", **known_as(profile), **span, level="account")["rows"]
    found.account = {row["date"]: _true(row) for row in totals}
    asked = {"profile_id": profile["profile_id"], "date_range": span}
    for row in api.records("ad_performance", asked):
        _add(found.levels, "ad", row)
        if row["ad_id"] is None:  # what the ads leave of the account's total
            continue
        ad = f"{row['ad_group_id']}~{row['ad_id']}"
        found.stored[ad, row["date"]] = numbers(row)
        found.campaign_of[ad] = row["campaign_id"]
        found.kept += bool(row.get("kept"))
    for level in ("ad_group", "campaign"):
        for row in api.records(f"{level}_performance", asked):
            _add(found.levels, level, row)
    for row in api.records("account_performance", asked):
        _add(found.levels, "account", {name.removeprefix("daily_"): value for name, value in row.items()})
    for campaign in api.records("campaigns", {"profile_id": profile["profile_id"]}):
        found.campaign_names[campaign["campaign_id"]] = campaign["name"]
    quality = api.get("/api/v1/quality", **about)
    scores = [report["score"] for report in quality["reports"] if report["score"] is not None]
    found.score = min(scores, default=None)
    return found
