"""Metric rows, levels and the ratios derived from sums."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from adweir.model.money import from_micros
from adweir.model.platforms import Platform

METRICS = ("impressions", "clicks", "conversions", "spend", "revenue")
"""The order of the five integers in a slot. Impressions and clicks are counts, the others millionths."""

Slot = tuple[int, int, int, int, int]


class Level(StrEnum):
    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    AD_GROUP = "ad_group"
    AD = "ad"
    KEYWORD = "keyword"


class Grain(StrEnum):
    DAY = "day"
    HOUR = "hour"


class Source(StrEnum):
    """Where numbers came from; sources never share an item. Readers prefer pull, then file, stream, push."""

    PULL = "pull"
    FILE = "file"
    STREAM = "stream"
    PUSH = "push"


class Series(NamedTuple):
    """The metrics of one profile at one level and grain."""

    platform: Platform
    profile_id: str
    level: Level
    grain: Grain


SOURCE_ORDER = (Source.PULL, Source.FILE, Source.STREAM, Source.PUSH)


class MetricRow(msgspec.Struct, gc=False):
    """One entity's normalized numbers of one day (or hour).

    What all rows of a pull share (platform, profile, level, grain, source, as_of) is in its `Pull`. `day` is the
    profile's local date as `YYYY-MM-DD`; `hour` is local, one of `times.SLOT_HOURS`, or -1 for a whole day. An ad's
    `entity_id` is `ad_group_id~ad_id`. Conversions, spend and revenue are integer millionths, spend and revenue in
    `currency`. `line` is the row's 1-based position in its page or file, for quarantine.
    """

    entity_id: str
    day: str
    impressions: int
    clicks: int
    conversions: int
    spend: int
    revenue: int
    campaign_id: str = ""
    ad_group_id: str = ""
    hour: int = -1
    currency: str = ""
    ad_product: str = ""
    line: int = 0

    @property
    def slot(self) -> Slot:
        return (self.impressions, self.clicks, self.conversions, self.spend, self.revenue)


class BadRow(NamedTuple):
    """A row that cannot be stored: its position, the source text, and each fault as {"field","rule","message"}.

    `entity_id`/`day` are given when the key could be read: then the slot counts as brought and keeps its old value.
    A bad row without a key makes the pull incomplete.
    """

    line: int
    raw: Any
    errors: list[dict[str, Any]]
    entity_id: str = ""
    day: str = ""


def _ratio(numerator: Decimal, denominator: Decimal) -> Decimal | None:
    return None if not denominator else round(numerator / denominator, 6)


def derive(impressions: int, clicks: int, conversions: int, spend: int, revenue: int) -> dict[str, Decimal | None]:
    """Sums (counts and millionths) → ctr, cvr, cpa, cpc, cpm, roas, acos, rounded to six decimals.

    Ratios come from sums only; a zero denominator gives None.
    """
    imp, clk = Decimal(impressions), Decimal(clicks)
    conv, cost, rev = from_micros(conversions), from_micros(spend), from_micros(revenue)
    return {
        "ctr": _ratio(clk, imp),
        "cvr": _ratio(conv, clk),
        "cpa": _ratio(cost, conv),
        "cpc": _ratio(cost, clk),
        "cpm": _ratio(cost * 1000, imp),
        "roas": _ratio(rev, cost),
        "acos": _ratio(cost, rev),
    }
