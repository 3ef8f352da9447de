"""A report's rows before they are written: who they are about, and the day's numbers that they sum."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import NamedTuple

from sandbox.platforms.amazon_ads.report_types import LEVELS, ReportType
from sandbox.platforms.amazon_ads.spelling import asin_of
from sandbox.world import Numbers, World, WorldAd, WorldAdGroup, WorldCampaign, WorldKeyword, WorldProfile
from sandbox.world.draw import mix
from sandbox.world.numbers import add, split
from sandbox.world.world import KEYWORD_WEIGHTS, Moment

SAME, DOUBLE, NEW = 1, 2, 4
"""Purchases of an ad on a day: of the advertised product, of two units each, by customers new to the brand."""

_PLACEMENTS = {
    "sp": {"Top of Search on-Amazon": 5, "Detail Page on-Amazon": 3, "Other on-Amazon": 2, "Off Amazon": 1},
    "sb": {"Top of Search on-Amazon": 6, "Other Placements": 4},
}
"""The values of placementClassification, as clients have received them, and each one's part of the traffic."""
_BUSINESS_WEIGHTS = [9, 1]


class Cell(NamedTuple):
    """An ad's numbers of one day, or the part of them that a keyword, a placement or a search term has."""

    ad: WorldAd
    day: date
    numbers: Numbers

    @property
    def flags(self) -> int:
        """The same for all parts of an ad's day, so that parts of purchases sum as the purchases do."""
        luck = mix(self.ad.seed, 940_000 + self.day.toordinal())
        return (SAME if luck % 3 else 0) | (DOUBLE if luck % 5 == 0 else 0) | (NEW if luck % 4 == 0 else 0)


class Place(NamedTuple):
    """Who a row is about; what its report does not tell apart is None. `label`: placement, search term or ASIN."""

    campaign: WorldCampaign
    group: WorldAdGroup | None = None
    ad: WorldAd | None = None
    keyword: WorldKeyword | None = None
    label: str = ""
    promoted: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal places."""
        parts = (self.campaign, self.group, self.ad, self.keyword)
        return (*(part.id if part else "" for part in parts), self.label, self.promoted)


class ReportLine:
    """One row: a place on a day (None: in the whole window), and the cells that it sums."""

    def __init__(self, profile: WorldProfile, place: Place, day: date | None) -> None:
        self.profile = profile
        self.place = place
        self.day = day
        self.cells: list[Cell] = []
        self._sums: dict[int, Numbers] = {}

    def of(self, flags: int) -> Numbers:
        """The sum of the cells that have all these flags."""
        if flags not in self._sums:
            found = [cell.numbers for cell in self.cells if cell.flags & flags == flags]
            self._sums[flags] = found[0] if len(found) == 1 else add(found)
        return self._sums[flags]

    @cached_property
    def all(self) -> Numbers:
        """The sum of all cells."""
        return self.of(0)

    @cached_property
    def video(self) -> Numbers:
        """The sum of the cells whose ads are videos."""
        return add([cell.numbers for cell in self.cells if "video" in cell.ad.creative])


class Question(NamedTuple):
    """What rows are asked for. `business`: only Amazon Business' part of the traffic."""

    kind: ReportType
    groups: list[str]
    start: date
    end: date
    daily: bool
    business: bool

    @property
    def level(self) -> str:
        """The finest level of what the report is grouped by."""
        return max((self.kind.groupings[group].level for group in self.groups), key=LEVELS.index)

    @property
    def splits(self) -> set[str]:
        """What divides the rows further."""
        return {self.kind.groupings[group].split for group in self.groups} - {""}


def lines(world: World, profile: WorldProfile, question: Question, moment: Moment) -> list[ReportLine]:
    """The lines with activity, in the order of days.

    Campaigns without ad groups of their own (isMultiAdGroupsEnabled false) are missing from Brands reports (source:
    the note on each page of Brands report types). A search term has a line only when it had a click (source: the
    report types' page "Search term reports"), so search terms need not sum to their keyword.
    """
    found: dict[tuple[object, ...], ReportLine] = {}
    for place, cell in _placed(world, profile, question, moment):
        day = cell.day if question.daily else None
        line = found.get((day, *place.key))
        if line is None:
            line = found[day, *place.key] = ReportLine(profile, place, day)
        line.cells.append(cell)
    if question.level == "term":
        return [line for line in found.values() if line.all.clicks]
    if question.level == "purchase":
        return [line for line in found.values() if line.all.halves[30] or line.all.views[14]]
    return [line for line in found.values() if not line.all.is_zero]


def _placed(world: World, profile: WorldProfile, question: Question, moment: Moment) -> Iterator[tuple[Place, Cell]]:
    """Every cell with the place to which it belongs."""
    divide = _DIVISIONS[question.level]
    shown = {id(ad) for _, _, ad in profile.ads()}
    for row in world.days(profile, question.start, question.end, moment=moment):
        campaign, group, ad = row.campaign, row.group, row.ad
        assert campaign is not None and group is not None and ad is not None  # noqa: S101, PT018 - a day is an ad's
        if campaign.product != question.kind.product or (campaign.product == "sb" and not campaign.objective):
            continue
        if question.level == "ad" and id(ad) not in shown:
            continue
        numbers = split(row.numbers, _BUSINESS_WEIGHTS)[1] if question.business else row.numbers
        for place, cell in divide(Place(campaign, group), Cell(ad, row.day, numbers)):
            if "placement" in question.splits:
                yield from _parted(place, cell, _PLACEMENTS[campaign.product])
            elif "matched" in question.splits:
                yield from _parted(place, cell, _matched(ad))
            else:
                yield place, cell


def _parted(place: Place, cell: Cell, weights: dict[str, int]) -> Iterator[tuple[Place, Cell]]:
    """The cell over labels; the part of an empty label is no row."""
    for label, part in zip(weights, split(cell.numbers, list(weights.values())), strict=True):
        if label:
            yield place._replace(label=label), cell._replace(numbers=part)


def _matched(ad: WorldAd) -> dict[str, int]:
    """The products on whose pages a display ad stood; what it had elsewhere matches no product."""
    return {asin_of("matched", ad.seed, 1): 5, asin_of("matched", ad.seed, 2): 3, "": 2}


Divided = Iterator[tuple[Place, Cell]]


def _by_campaign(place: Place, cell: Cell) -> Divided:
    yield Place(place.campaign), cell


def _by_group(place: Place, cell: Cell) -> Divided:
    yield place, cell


def _by_ad(place: Place, cell: Cell) -> Divided:
    yield place._replace(ad=cell.ad), cell


def _by_target(place: Place, cell: Cell) -> Divided:
    keywords = place.group.keywords if place.group else ()
    if keywords:
        parts = split(cell.numbers, list(KEYWORD_WEIGHTS[: len(keywords)]))
        for keyword, part in zip(keywords, parts, strict=True):
            yield place._replace(keyword=keyword), cell._replace(numbers=part)


def _by_term(place: Place, cell: Cell) -> Divided:
    """A keyword's cell over what shoppers typed; on a product page they typed nothing, which Amazon writes as `*`."""
    for place_of_target, part in _by_target(place, cell):
        keyword = place_of_target.keyword
        assert keyword is not None  # noqa: S101 - a target's place has one
        if keyword.match_type.startswith("TARGETING"):
            weights = {"*": 6, asin_of("searched", int(keyword.id)).lower(): 4}
        else:
            weights = {keyword.text: 6, f"best {keyword.text}": 3, f"{keyword.text} sale": 1}
        yield from _parted(place_of_target, part, weights)


def _by_purchase(place: Place, cell: Cell) -> Divided:
    """What was bought: Brands reports name every product, the others those that were not the advertised one."""
    halo = asin_of("bought", cell.ad.seed)
    if place.campaign.product == "sb":
        promoted = bool(cell.flags & SAME)
        yield place._replace(label=cell.ad.creative["asin"] if promoted else halo, promoted=promoted), cell
    elif not cell.flags & SAME:
        at_ad = place._replace(ad=cell.ad, label=halo)
        yield from [(at_ad, cell)] if place.campaign.product == "sd" else _by_target(at_ad, cell)


_DIVISIONS = {
    "campaign": _by_campaign,
    "ad_group": _by_group,
    "ad": _by_ad,
    "target": _by_target,
    "term": _by_term,
    "purchase": _by_purchase,
}
