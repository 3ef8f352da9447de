"""Metric rows, levels and the ratios derived from sums."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, cast

import msgspec

from adweir.model.money import from_micros
from adweir.model.platforms import Platform

METRICS = ("impressions", "clicks", "conversions", "spend", "revenue")
"""The order of the five integers in a slot. Impressions and clicks are counts, the others millionths."""

Slot = tuple[int | None, int | None, int | None, int | None, int | None]
"""Numbers in the order of `METRICS`. None is unknown: the source does not report that metric, which is not zero."""

NO_NUMBERS: Slot = (None, None, None, None, None)


Deltas = tuple[Decimal, Decimal, Decimal, Decimal, Decimal]
"""Stored minus sent, in the order and units of a slot: rounding leaves parts of a millionth."""


class Level(StrEnum):
    """What rows are about. After `KEYWORD` come the series that belong to no ad platform: no total of ads sums them."""

    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    AD_GROUP = "ad_group"
    AD = "ad"
    KEYWORD = "keyword"
    ORDER = "order"
    DEAL = "deal"
    LEAD = "lead"
    WEB = "web"
    KPI = "kpi"
    CONTROL = "control"
    ARM = "arm"


AD_LEVELS = (Level.ACCOUNT, Level.CAMPAIGN, Level.AD_GROUP, Level.AD, Level.KEYWORD)
"""The levels of an ad account's objects."""
IN_GROUP = (Level.AD, Level.KEYWORD)
"""Of these, the levels whose entity ids begin with that of the ad group, and `~`."""
SERIES_LEVELS = frozenset(Level) - frozenset(AD_LEVELS)
"""The levels of the account's own profile that no total of ads sums. Their numbers may be negative."""


def own_id(entity_id: str) -> str:
    """The id of an ad or a keyword without that of its group, which comes before the first ~ where there is one."""
    group, mark, own = entity_id.partition("~")
    return own if mark else group


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
    """The metrics of one profile at one level and grain. A breakdown of the level is a series of its own."""

    platform: Platform
    profile_id: str
    level: Level
    grain: Grain
    breakdown: str = ""


SOURCE_ORDER = (Source.PULL, Source.FILE, Source.STREAM, Source.PUSH)


class Mark(StrEnum):
    """What is special about a stored number.

    KEPT: the newest pull no longer brings it, and the account total still contains it (or has not decided yet). HELD:
    the newest pull's row was quarantined, so this is the older number behind it. OVERRIDDEN: a preferred source
    answers for this entity and day; readers yield such rows only on request.
    """

    NONE = ""
    KEPT = "kept"
    HELD = "held"
    OVERRIDDEN = "overridden"


class MetricRow(msgspec.Struct, gc=False):
    """One entity's normalized numbers of one day (or hour).

    What all rows of a pull share (platform, profile, level, grain, source, as_of) is in its `Pull`. `day` is the
    profile's local date as `YYYY-MM-DD`; `hour` is local, one of `times.SLOT_HOURS`, or -1 for a whole day. An ad's
    `entity_id` is `ad_group_id~ad_id`; of a breakdown it is followed by `~` and the value. Conversions, spend and
    revenue are integer millionths, spend and revenue in `currency`. A number that the source does not report is None,
    never 0. `line` is the row's 1-based position in its page or file, for quarantine. `rounding` says what rounding to
    millionths added to the numbers where the platform sent more decimals (`money.rounded`), None: nothing.
    """

    entity_id: str
    day: str
    impressions: int | None
    clicks: int | None
    conversions: int | None
    spend: int | None
    revenue: int | None
    campaign_id: str = ""
    ad_group_id: str = ""
    hour: int = -1
    currency: str = ""
    ad_product: str = ""
    line: int = 0
    rounding: Deltas | None = None

    @property
    def slot(self) -> Slot:
        return (self.impressions, self.clicks, self.conversions, self.spend, self.revenue)


class BadRow(NamedTuple):
    """A row that cannot be stored: its position, the source text, and each fault as {"field","rule","message"}.

    `entity_id`/`day` are given when the key could be read: then the slot counts as brought and keeps its old value.
    A bad row without a key makes the pull incomplete. `slot` has the numbers that could be read, for reconciliation;
    `campaign_id` and `ad_group_id`, where they could be read, say which later pulls answer for the entity.
    """

    line: int
    raw: Any
    errors: list[dict[str, Any]]
    entity_id: str = ""
    day: str = ""
    slot: Slot = NO_NUMBERS
    campaign_id: str = ""
    ad_group_id: str = ""


def plus(one: Slot, other: Slot) -> Slot:
    """The sum of two slots. An unknown number is left out; of two unknown ones the sum is unknown."""
    return cast("Slot", tuple(b if a is None else a if b is None else a + b for a, b in zip(one, other, strict=True)))


def ratio(numerator: Decimal | None, denominator: Decimal | None) -> Decimal | None:
    """Rounded to six decimals; None of an unknown number or a zero denominator."""
    return None if numerator is None or not denominator else round(numerator / denominator, 6)


def derive(slot: Slot) -> dict[str, Decimal | None]:
    """Sums (counts and millionths) → ctr, cvr, cpa, cpc, cpm, roas, acos, rounded to six decimals.

    Ratios come from sums only; a zero denominator or an unknown number gives None.
    """
    imp, clk = (None if count is None else Decimal(count) for count in slot[:2])
    conv, cost, rev = (None if micros is None else from_micros(micros) for micros in slot[2:])
    return {
        "ctr": ratio(clk, imp),
        "cvr": ratio(conv, clk),
        "cpa": ratio(cost, conv),
        "cpc": ratio(cost, clk),
        "cpm": ratio(None if cost is None else cost * 1000, imp),
        "roas": ratio(rev, cost),
        "acos": ratio(cost, rev),
    }
