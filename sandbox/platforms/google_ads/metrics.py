"""Metrics of a line: counts, micros, doubles; None where Google has nothing to say.

A metric that is selected is there even when it is zero; a ratio without a denominator, and what the world has nothing
for, is absent. Money in `…_micros` is in micros of the account's currency, averages of cost are doubles in micros,
values of conversions are doubles in units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.platforms.google_ads.actions import NEWSLETTER
from sandbox.platforms.google_ads.lines import GoogleLine
from sandbox.world import Numbers
from sandbox.world.draw import mix

_WINDOW, _VIEW_WINDOW = 30, 1
_VIDEO = ("VIDEO", "DEMAND_GEN")
_ON_SEARCH = ("SEARCH", "SHOPPING", "PERFORMANCE_MAX")

Metric = Callable[[GoogleLine], Any]


def _cost(line: GoogleLine) -> int:
    return line.n.spend * line.minor_micros


def _channel(line: GoogleLine) -> str:
    return line.place.campaign.product if line.place.campaign else ""


def _conversions(line: GoogleLine, n: Numbers) -> float:
    """Those of primary actions."""
    return 0.0 if line.action and not line.action.primary else n.conversions(_WINDOW) / 2


def _value(line: GoogleLine, n: Numbers) -> float:
    if line.action and not line.action.primary:
        return 0.0
    return n.value(_WINDOW) * line.minor_micros / 1_000_000


def _all(line: GoogleLine, n: Numbers) -> float:
    """Those of every action: who buys within a day takes the newsletter too. It has no value."""
    primary, secondary = n.conversions(_WINDOW), n.halves[1]
    if line.action is None:
        return (primary + secondary) / 2
    return (secondary if line.action == NEWSLETTER else primary) / 2


def _views(line: GoogleLine) -> int:
    """Views of videos, three a click, so that they sum as clicks do."""
    return sum(line.clicks[channel] for channel in _VIDEO) * 3


def _interactions(line: GoogleLine) -> int:
    """Clicks; in Video campaigns views count too."""
    return line.n.clicks + line.clicks["VIDEO"] * 3


def _ratio(top: Metric, bottom: Metric) -> Metric:
    def value(line: GoogleLine) -> float | None:
        divisor = bottom(line)
        return top(line) / divisor if divisor else None

    return value


def _quality(line: GoogleLine) -> int | None:
    return quality_score(line.place.keyword.id) if line.place.keyword else None


def quality_score(keyword_id: str) -> int | None:
    """A keyword's, from 1 to 10; one in nine has too little data."""
    luck = mix(int(keyword_id.partition("~")[2]), int(keyword_id.partition("~")[0]))
    return None if luck % 9 == 0 else 1 + luck % 10


def _share(per_mille: int) -> Metric:
    """An impression share, of search alone; never summed."""
    return lambda line: per_mille / 1000 if _channel(line) in _ON_SEARCH and line.n.impressions else None


def _of(pick: Callable[[Numbers], int]) -> Metric:
    return lambda line: pick(line.n)


_impressions, _clicks = _of(lambda n: n.impressions), _of(lambda n: n.clicks)


def _early(count: Callable[[GoogleLine, Numbers], float]) -> Metric:
    return lambda line: count(line, line.n)


def _late(count: Callable[[GoogleLine, Numbers], float]) -> Metric:
    return lambda line: count(line, line.by_conversion)


def _events(line: GoogleLine) -> list[str]:
    return ["CLICK", "VIDEO_VIEW"] if line.clicks["VIDEO"] else ["CLICK"]


LATE: Mapping[str, Metric] = {
    "conversions_by_conversion_date": _late(_conversions),
    "conversions_value_by_conversion_date": _late(_value),
    "all_conversions_by_conversion_date": _late(_all),
    "all_conversions_value_by_conversion_date": _late(_value),
    "value_per_conversions_by_conversion_date": _ratio(_late(_value), _late(_conversions)),
    "value_per_all_conversions_by_conversion_date": _ratio(_late(_value), _late(_all)),
    "cross_device_conversions_by_conversion_date": lambda _line: 0.0,
}
"""By the day of the conversion."""
METRICS: Mapping[str, Metric] = {
    "impressions": _impressions,
    "clicks": _clicks,
    "interactions": _interactions,
    "interaction_event_types": _events,
    "cost_micros": _cost,
    "conversions": _early(_conversions),
    "conversions_value": _early(_value),
    "all_conversions": _early(_all),
    "all_conversions_value": _early(_value),
    "view_through_conversions": lambda line: line.n.views[_VIEW_WINDOW] // 2,
    "cross_device_conversions": lambda _line: 0.0,
    "engagements": lambda line: line.clicks["DEMAND_GEN"],
    "phone_calls": lambda _line: 0,
    "phone_impressions": lambda _line: 0,
    "video_trueview_views": _views,
    "video_trueview_view_rate": _ratio(_views, _impressions),
    "trueview_average_cpv": _ratio(_cost, _views),
    "video_quartile_p25_rate": lambda line: 0.42 if _views(line) else None,
    "video_quartile_p50_rate": lambda line: 0.31 if _views(line) else None,
    "video_quartile_p75_rate": lambda line: 0.22 if _views(line) else None,
    "video_quartile_p100_rate": lambda line: 0.17 if _views(line) else None,
    "ctr": _ratio(_clicks, _impressions),
    "average_cpc": _ratio(_cost, _clicks),
    "average_cpm": _ratio(lambda line: _cost(line) * 1000, _impressions),
    "average_cost": _ratio(_cost, _interactions),
    "interaction_rate": _ratio(_interactions, _impressions),
    "cost_per_conversion": _ratio(_cost, _early(_conversions)),
    "cost_per_all_conversions": _ratio(_cost, _early(_all)),
    "value_per_conversion": _ratio(_early(_value), _early(_conversions)),
    "value_per_all_conversions": _ratio(_early(_value), _early(_all)),
    "conversions_from_interactions_rate": _ratio(_early(_conversions), _interactions),
    "all_conversions_from_interactions_rate": _ratio(_early(_all), _interactions),
    "conversions_value_per_cost": _ratio(lambda line: _value(line, line.n) * 1_000_000, _cost),
    "all_conversions_value_per_cost": _ratio(lambda line: _value(line, line.n) * 1_000_000, _cost),
    "search_impression_share": _share(610),
    "search_budget_lost_impression_share": _share(140),
    "search_rank_lost_impression_share": _share(250),
    "search_top_impression_share": _share(480),
    "search_absolute_top_impression_share": _share(99),
    "top_impression_percentage": _share(720),
    "absolute_top_impression_percentage": _share(330),
    "historical_quality_score": _quality,
    **LATE,
}
"""The metrics of v26 that the world has something for."""
BY_ACTION = frozenset({*LATE, "cross_device_conversions"}) | {
    "conversions", "conversions_value", "all_conversions", "all_conversions_value", "value_per_conversion",
    "value_per_all_conversions",
}  # fmt: skip
"""Metrics that segments of conversion actions go with (Google Ads API, Segmentation: conversion segments)."""
NOT_BY_HOUR = frozenset(LATE) | {name for name in METRICS if "all_conversions" in name} | {
    "view_through_conversions", "cross_device_conversions",
}  # fmt: skip
"""Metrics that are not there by the hour (singer-io/tap-google-ads, exclusions of segments.hour)."""
