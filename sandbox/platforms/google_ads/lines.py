"""A query's rows before they are written: who they are about, when, and the numbers that they sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from sandbox.platforms.google_ads.actions import GoogleAction, action_label, actions_of
from sandbox.platforms.google_ads.periods import day_values
from sandbox.platforms.google_ads.places import (
    GooglePlace,
    Label,
    PlaceShare,
    by_keyword,
    by_region,
    parts,
)
from sandbox.platforms.google_ads.views import AD, GROUP, VIEWS, level_of, narrowed
from sandbox.world import Numbers, Reading, World, WorldProfile
from sandbox.world.counting import CONVERSION
from sandbox.world.numbers import ZERO, add
from sandbox.world.world import Moment, WorldRow

NETWORKS: Mapping[str, Mapping[str, int]] = {
    "SEARCH": {"SEARCH": 8, "SEARCH_PARTNERS": 2},
    "SHOPPING": {"SEARCH": 9, "SEARCH_PARTNERS": 1},
    "DISPLAY": {"CONTENT": 1},
    "VIDEO": {"YOUTUBE": 7, "CONTENT": 2, "GOOGLE_TV": 1},
    "DEMAND_GEN": {"YOUTUBE": 5, "DISCOVER": 3, "GMAIL": 2},
    "PERFORMANCE_MAX": {"SEARCH": 4, "CONTENT": 2, "YOUTUBE": 2, "DISCOVER": 1, "GMAIL": 1, "MAPS": 1},
    "MULTI_CHANNEL": {"SEARCH": 3, "CONTENT": 3, "YOUTUBE": 2},
    "SMART": {"SEARCH": 6, "MAPS": 2, "CONTENT": 1},
    "LOCAL_SERVICES": {"SEARCH": 1},
}
"""Where a channel's ads stand (common.AdNetworkType), with parts of the traffic."""
DEVICES: Mapping[str, int] = {"MOBILE": 60, "DESKTOP": 30, "TABLET": 8, "OTHER": 2}
SCREENS: Mapping[str, int] = {"MOBILE": 50, "DESKTOP": 20, "TABLET": 8, "CONNECTED_TV": 22}
"""Videos are seen on televisions too."""
DAY_SEGMENTS = ("date", "week", "month", "quarter", "year", "day_of_week", "month_of_year")
ACTION_SEGMENTS = ("conversion_action", "conversion_action_name", "conversion_action_category")
KEYWORD_SEGMENTS = (
    "keyword.info.text",
    "keyword.info.match_type",
    "keyword.ad_group_criterion",
    "search_term_match_type",
)
SEGMENTS = frozenset(
    {*DAY_SEGMENTS, *ACTION_SEGMENTS, *KEYWORD_SEGMENTS, "hour", "device", "ad_network_type", "geo_target_region"}
)
"""The segments of v26 that the world has something for."""


@dataclass(frozen=True)
class WantedLines:
    """What rows are asked for. `segments`: without the word. `resources`: whose attributes a row has. `late`: metrics
    by the day of the conversion are asked for; `early`: others are.
    """

    view: str
    segments: tuple[str, ...]
    resources: frozenset[str]
    start: date
    end: date
    early: bool = True
    late: bool = False


class GoogleLine:
    """One row: a place, its segments, and the numbers on both clocks. `minor_micros`: the currency's, as a profile has
    it. `action`: the conversion action that it counts.
    """

    def __init__(
        self,
        minor_micros: int,
        place: GooglePlace,
        segments: Mapping[str, Any] | None = None,
        action: GoogleAction | None = None,
    ) -> None:
        self.minor_micros, self.place, self.segments, self.action = minor_micros, place, segments or {}, action
        self.early: list[Numbers] = []
        self.late: list[Numbers] = []
        self.clicks: Counter[str] = Counter()
        """By channel, on the day of the click."""

    def take(self, channel: str, numbers: Numbers, *, late: bool) -> None:
        """Add a part."""
        (self.late if late else self.early).append(numbers)
        if not late:
            self.clicks[channel] += numbers.clicks

    @cached_property
    def n(self) -> Numbers:
        """The numbers on the day of the click or view."""
        return _sum(self.early)

    @cached_property
    def by_conversion(self) -> Numbers:
        """The conversions that took place on the day."""
        return _sum(self.late)


def _sum(numbers: list[Numbers]) -> Numbers:
    return (numbers[0] if len(numbers) == 1 else add(numbers)) if numbers else ZERO


def lines(world: World, profile: WorldProfile, wanted: WantedLines, moment: Moment) -> list[GoogleLine]:
    """The lines with activity, in the order of days."""
    found: dict[tuple[object, ...], GoogleLine] = {}
    view, level = VIEWS[wanted.view], level_of(wanted.view, set(wanted.resources))
    shown = {id(ad) for _, _, ad in profile.ads()}
    hourly = "hour" in wanted.segments
    clocks = [Reading(hourly=hourly)] * wanted.early + [Reading(clock=CONVERSION, hourly=hourly)] * wanted.late
    for reading in clocks:
        late = reading.clock == CONVERSION
        for row in world.days(profile, wanted.start, wanted.end, moment=moment, reading=reading):
            assert row.group is not None  # noqa: S101 - the world's days are those of ads
            if level >= GROUP and row.group.hidden and not wanted.view.startswith("asset_group"):
                continue
            if level >= AD and id(row.ad) not in shown:
                continue
            for place, segments, action, numbers in _divided(profile, wanted, row):
                kept = narrowed(place, level, keyed=view.keyed)
                key = (*kept.key, *segments.values())
                line = found.get(key)
                if line is None:
                    line = found[key] = GoogleLine(profile.minor_micros, kept, segments, action)
                line.take(row.campaign.product if row.campaign else "", numbers, late=late)
    return list(found.values())


Divided = Iterator[tuple[GooglePlace, dict[str, Any], GoogleAction | None, Numbers]]


def _divided(profile: WorldProfile, wanted: WantedLines, row: WorldRow) -> Divided:
    """An ad's row over the view's places, and over what the segments tell apart."""
    when = day_values(row.day, wanted.segments)
    if "hour" in wanted.segments:
        when["hour"] = row.hour
    whole = GooglePlace(row.campaign, row.group, row.ad)
    shares = list(VIEWS[wanted.view].divide(profile, whole, row.numbers))
    if not set(KEYWORD_SEGMENTS).isdisjoint(wanted.segments):
        shares = [part for share in shares for part in _by_keyword(profile, share)]
    for segment, split_by in _SPLITS.items():
        if segment in wanted.segments:
            shares = [part for share in shares for part in split_by(profile, share)]
    counted: tuple[GoogleAction | None, ...] = (None,)
    by_action = wanted.view == "conversion_action"
    if (by_action or not set(ACTION_SEGMENTS).isdisjoint(wanted.segments)) and row.ad is not None:
        counted = actions_of(profile, row.ad)
    for place, numbers in shares:
        label = dict(place.label)
        found = {name: label.pop(f"segments.{name}") for name in _SPLITS if f"segments.{name}" in label}
        own = {name: value for name, value in found.items() if name in wanted.segments}
        own |= _of_keyword(profile, wanted, place)
        for action in counted:
            about = {} if action is None else _of_action(profile, wanted, action)
            named = action_label(profile, action) if by_action and action else tuple(label.items())
            yield place._replace(label=named), when | own | about, action, numbers


def _labelled(share: PlaceShare, segment: str, weights: Mapping[str, int]) -> list[PlaceShare]:
    more: dict[Label, int] = {
        (*share.place.label, (f"segments.{segment}", value or None)): weight for value, weight in weights.items()
    }
    return [part for part in parts(share.place, share.numbers, more) if not part.numbers.is_zero]


def _by_device(_profile: WorldProfile, share: PlaceShare) -> list[PlaceShare]:
    channel = share.place.campaign.product if share.place.campaign else ""
    return _labelled(share, "device", SCREENS if channel in ("VIDEO", "DEMAND_GEN") else DEVICES)


def _by_network(_profile: WorldProfile, share: PlaceShare) -> list[PlaceShare]:
    channel = share.place.campaign.product if share.place.campaign else ""
    return _labelled(share, "ad_network_type", NETWORKS.get(channel, {"MIXED": 1}))


_SPLITS = {"geo_target_region": by_region, "device": _by_device, "ad_network_type": _by_network}
"""Regions come first, so that they are what the world says whatever else is asked for."""


def _by_keyword(profile: WorldProfile, share: PlaceShare) -> list[PlaceShare]:
    """The keywords that matched; what has none is in no row (Google Ads API, Segmentation: keyword segments)."""
    return [share] if share.place.keyword else list(by_keyword(profile, *share))


def _of_keyword(profile: WorldProfile, wanted: WantedLines, place: GooglePlace) -> dict[str, Any]:
    """Segments that name the keyword which matched."""
    keyword = place.keyword
    if keyword is None:
        return {}
    values = {
        "search_term_match_type": keyword.match_type,
        "keyword.info.text": keyword.text,
        "keyword.info.match_type": keyword.match_type,
        "keyword.ad_group_criterion": f"customers/{profile.id}/adGroupCriteria/{keyword.id}",
    }
    return {name: value for name, value in values.items() if name in wanted.segments}


def _of_action(profile: WorldProfile, wanted: WantedLines, action: GoogleAction) -> dict[str, Any]:
    values = {
        "conversion_action": f"customers/{profile.id}/conversionActions/{action.id}",
        "conversion_action_name": action.name,
        "conversion_action_category": action.category,
    }
    return {name: value for name, value in values.items() if name in wanted.segments}
