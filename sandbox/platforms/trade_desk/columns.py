"""What stands in the columns of MyReports files.

Source of the names: files that clients of MyReports read. Costs differ on purpose: the advertiser's cost is what is
spent, media, partner and The Trade Desk's own cost are other amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.platforms.trade_desk.conversions import (
    MODELS,
    PURCHASE,
    SIGN_UP,
    PixelCount,
    column,
    counted,
    tag_id,
    tags,
)
from sandbox.platforms.trade_desk.entities import money
from sandbox.platforms.trade_desk.population import partner_of
from sandbox.world import Numbers, WorldAd, WorldAdGroup, WorldCampaign, WorldProfile
from sandbox.world.mix import USD_PER_MILLE
from sandbox.world.numbers import dust

COST = "Advertiser Cost (Adv Currency)"
_MODEL = MODELS[SIGN_UP]


@dataclass(slots=True)
class DeskLine:
    """A row before it is written: who it is about, its labels by column, and its numbers."""

    profile: WorldProfile
    campaign: WorldCampaign | None
    group: WorldAdGroup | None
    ad: WorldAd | None
    day: date
    labels: Mapping[str, str]
    numbers: Numbers
    swap: Mapping[str, Any] | None = None
    _counts: dict[int, PixelCount] = field(default_factory=dict)
    """By numbered column: nine cells of a row ask for each, some of them twice."""

    def converted(self, number: int) -> PixelCount:
        """What the numbered column's pixel counted."""
        found = self._counts.get(number)
        if found is None:
            found = self._counts[number] = counted(self.numbers, column(number, self.day, self.swap))
        return found


Cell = str | int | Decimal | date
Value = Callable[[DeskLine], Cell]
Columns = dict[str, Value]


def _usd(line: DeskLine, minor: int) -> Decimal:
    return money(line.profile, minor) * USD_PER_MILLE[line.profile.currency] / 1000


def _in_partners(line: DeskLine, minor: int) -> Decimal:
    rate = Decimal(USD_PER_MILLE[line.profile.currency]) / USD_PER_MILLE[partner_of(line.profile.id).currency]
    return round(money(line.profile, minor) * rate, 6)


def _cost(line: DeskLine) -> Decimal:
    extra = dust(line.profile, line.ad) if line.ad else 0
    return money(line.profile, line.numbers.spend) + extra


def who(level: str) -> Columns:
    """The columns that say who a row is about, down to a level."""
    columns: Columns = {
        "Date": lambda line: line.day,
        "Partner ID": lambda line: partner_of(line.profile.id).id,
        "Partner": lambda line: partner_of(line.profile.id).name,
        "Advertiser ID": lambda line: line.profile.id,
        "Advertiser": lambda line: line.profile.name,
    }
    if level in ("campaign", "ad_group", "ad"):
        columns["Campaign ID"] = lambda line: line.campaign.id if line.campaign else ""
        columns["Campaign"] = lambda line: line.campaign.name if line.campaign else ""
    if level in ("ad_group", "ad"):
        columns["Ad Group ID"] = lambda line: line.group.id if line.group else ""
        columns["Ad Group"] = lambda line: line.group.name if line.group else ""
    if level == "ad":
        columns["Creative ID"] = lambda line: line.ad.id if line.ad else ""
        columns["Creative"] = lambda line: line.ad.name if line.ad else ""
        columns["Ad Format"] = lambda line: "Video" if line.ad and line.ad.creative["type"] == "video" else "300x250"
    return columns


def label(name: str) -> Value:
    """The label of a column that splits rows."""
    return lambda line: line.labels[name]


TRAFFIC: Columns = {
    "Impressions": lambda line: line.numbers.impressions,
    "Clicks": lambda line: line.numbers.clicks,
    "Bids": lambda line: line.numbers.impressions * 4,
    "Unique Users": lambda line: line.numbers.impressions * 3 // 4,
    "Frequency": lambda _: Decimal("1.33"),
}
"""Unique users and frequency do not add up over rows."""
COSTS: Columns = {
    "Advertiser Currency Code": lambda line: line.profile.currency,
    "Partner Currency Code": lambda line: partner_of(line.profile.id).currency,
    COST: _cost,
    "Advertiser Cost (Partner Currency)": lambda line: _in_partners(line, line.numbers.spend),
    "Advertiser Cost (USD)": lambda line: _usd(line, line.numbers.spend),
    "Media Cost (Adv Currency)": lambda line: money(line.profile, line.numbers.spend * 6 // 10),
    "TTD Cost (Adv Currency)": lambda line: money(line.profile, line.numbers.spend * 7 // 10),
    "Partner Cost (Adv Currency)": lambda line: money(line.profile, line.numbers.spend * 8 // 10),
}
VIDEO: Columns = {
    name: lambda line, share=share: _watched(line, share)  # type: ignore[misc]
    for name, share in {
        "Player Starts": 90, "Player 25% Complete": 70, "Player 50% Complete": 55, "Player 75% Complete": 42,
        "Player Completed Views": 35,
    }.items()
}  # fmt: skip


def _watched(line: DeskLine, share: int) -> int:
    video = line.ad is not None and line.ad.creative["type"] == "video"
    return line.numbers.impressions * share // 100 if video else 0


def numbered(most: int = 5) -> Columns:
    """The numbered conversion columns `NN - …` of the first reporting columns."""
    columns: Columns = {}
    for number in range(1, most + 1):
        columns |= {f"{number:02d} - {name}": value for name, value in _kinds(number)}
    return columns


def _kinds(number: int) -> Iterator[tuple[str, Value]]:
    """The kinds of a column's conversions; only clicks and views are disjoint, the other kinds count them again."""
    yield "Click Conversion", lambda line: line.converted(number).clicks
    yield "Click Conversion Revenue", lambda line: money(line.profile, line.converted(number).click_revenue)
    yield "View Through Conversion", lambda line: line.converted(number).views
    yield "View Through Conversion Revenue", lambda line: money(line.profile, line.converted(number).view_revenue)
    yield "Total Click + View Conversions", lambda line: line.converted(number).clicks + line.converted(number).views
    yield "Conversion Touch", lambda line: 3 * line.converted(number).clicks + 2 * line.converted(number).views
    yield (
        "Conversion Touch Revenue",
        lambda line: money(line.profile, 3 * line.converted(number).click_revenue),
    )
    yield (
        "Time Weighted Decay Conversion",
        lambda line: Decimal(7 * line.converted(number).clicks + 4 * line.converted(number).views) / 10,
    )
    yield (
        "Time Weighted Decay Conversion Revenue",
        lambda line: money(line.profile, line.converted(number).click_revenue * 7 // 10),
    )


def by_pixel(profiles: list[WorldProfile], *, older: bool) -> Columns:
    """Columns named by pixel, of every advertiser in the file; a row has zeros in other advertisers' columns.

    The older names have no id: pixels of two advertisers with one name share a column.
    """
    columns: Columns = {}
    for profile in profiles:
        for tag, name in tags(profile).items():
            start = f"{name} [{_MODEL}]" if older else f"{name} - {tag} - {_MODEL}"
            for kind in ("Click Conversion", "View Through Conversion", "Total Click + View Conversions"):
                columns[f"{start} - {kind}"] = _pixel(name if older else tag, kind)
    return columns


def _pixel(name_or_tag: str, kind: str) -> Value:
    def value(line: DeskLine) -> int:
        own = {tag_id(line.profile, what): what for what in (PURCHASE, SIGN_UP)}
        own |= {name: own[tag] for tag, name in tags(line.profile).items()}
        found = counted(line.numbers, own.get(name_or_tag, ""))
        of_kind = {"Click Conversion": found.clicks, "View Through Conversion": found.views}
        return of_kind.get(kind, found.clicks + found.views)

    return value
