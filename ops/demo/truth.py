"""Compares what is stored with what the platforms report: each ad's daily numbers, to the millionth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from adweir.model.money import MICRO
from ops.client import Api
from ops.demo.world import WorldDoors


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


@dataclass(slots=True)
class Compared:
    """One ad account (profile): numbers by ad and day, as stored and as its platform reports them."""

    platform: str
    profile_id: str
    name: str
    currency: str
    stored: dict[tuple[str, str], Figures] = field(default_factory=dict)
    truth: dict[tuple[str, str], Figures] = field(default_factory=dict)
    campaign_of: dict[str, str] = field(default_factory=dict)
    campaign_names: dict[str, str] = field(default_factory=dict)
    score: float | None = None

    @property
    def differences(self) -> list[tuple[str, str]]:
        """The ads and days whose numbers differ, or that only one side has."""
        keys = self.stored.keys() | self.truth.keys()
        return sorted(key for key in keys if self.stored.get(key) != self.truth.get(key))

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


def compare(api: Api, world: WorldDoors, profile: dict[str, Any]) -> Compared:
    """Read a profile's stored rows through the API, and what its platform reports for the same days now."""
    about = {"platform": profile["platform"], "profile_id": profile["profile_id"]}
    found = Compared(**about, name=profile["name"], currency=profile["currency"])
    yesterday = (datetime.now(ZoneInfo(profile["timezone"])).date() - timedelta(days=1)).isoformat()
    truth = world.get("truth", **about)["rows"]
    for row in truth:
        if row["date"] <= yesterday:
            found.truth[row["entity_id"], row["date"]] = Figures(
                row["impressions"],
                row["clicks"],
                row["conversions_micros"],
                row["spend_micros"],
                row["revenue_micros"],
            )
    span = {"start": min(row["date"] for row in truth), "end": yesterday}
    for row in api.records("ad_performance", {"profile_id": profile["profile_id"], "date_range": span}):
        if row["ad_id"] is None:  # what the ads leave of the account
            continue
        ad = f"{row['ad_group_id']}~{row['ad_id']}"
        found.stored[ad, row["date"]] = numbers(row)
        found.campaign_of[ad] = row["campaign_id"]
    for campaign in api.records("campaigns", {"profile_id": profile["profile_id"]}):
        found.campaign_names[campaign["campaign_id"]] = campaign["name"]
    quality = api.get("/api/v1/quality", **about)
    scores = [report["score"] for report in quality["reports"] if report["score"] is not None]
    found.score = min(scores, default=None)
    return found
