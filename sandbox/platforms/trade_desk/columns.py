"""What stands in the columns of MyReports files.

Source of the names: files that clients of MyReports read. Costs differ on purpose: the advertiser's cost is what is
spent, media, partner and The Trade Desk's own cost are other amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
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
from sandbox.platforms.trade_desk.entities import amount, money
from sandbox.platforms.trade_desk.population import partner_of
from sandbox.world import Numbers, WorldAd, WorldAdGroup, WorldCampaign, WorldProfile
from sandbox.world.mix import USD_PER_MILLE
from sandbox.world.numbers import dust

COST = "Advertiser Cost (Adv Currency)"
_MODEL = MODELS[SIGN_UP]
_MOST_COUNTS = 4096
"""Counts of pixels whose cells are kept."""


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
    _converted: dict[int, tuple[Cell, ...]] = field(default_factory=dict)
    """By numbered column: nine cells of a row ask for each."""

    def converted(self, number: int) -> tuple[Cell, ...]:
        """What the numbered column's pixel counted, as the cells of `_KINDS`."""
        found = self._converted.get(number)
        if found is None:
            count = counted(self.numbers, column(number, self.day, self.swap))
            found = self._converted[number] = _cells_of(self.profile.currency, count)
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
        for place, kind in enumerate(_KINDS):
            columns[f"{number:02d} - {kind}"] = _kind(number, place)
    return columns


_KINDS = (
    "Click Conversion",
    "Click Conversion Revenue",
    "View Through Conversion",
    "View Through Conversion Revenue",
    "Total Click + View Conversions",
    "Conversion Touch",
    "Conversion Touch Revenue",
    "Time Weighted Decay Conversion",
    "Time Weighted Decay Conversion Revenue",
)
"""The kinds of a column's conversions; only clicks and views are disjoint, the other kinds count them again."""


def _kind(number: int, place: int) -> Value:
    return lambda line: line.converted(number)[place]


@lru_cache(_MOST_COUNTS)
def _cells_of(currency: str, found: PixelCount) -> tuple[Cell, ...]:
    """The cells of `_KINDS`. Most rows have no conversion: what says so is made once."""
    return (
        found.clicks,
        amount(currency, found.click_revenue),
        found.views,
        amount(currency, found.view_revenue),
        found.clicks + found.views,
        3 * found.clicks + 2 * found.views,
        amount(currency, 3 * found.click_revenue),
        Decimal(7 * found.clicks + 4 * found.views) / 10,
        amount(currency, found.click_revenue * 7 // 10),
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
