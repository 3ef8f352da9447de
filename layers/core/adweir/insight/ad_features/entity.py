"""What is known of an ad account or an ad at a moment, and the feature row that it makes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np

from adweir.insight.ad_features.slopes import Slope, slopes
from adweir.insight.ad_features.windows import RATIOS, Days, is_delivery, share_of, summed, variation
from adweir.model.feature_columns import COLUMNS, LONG, SHORT, SLOPES
from adweir.model.metrics import METRICS
from adweir.model.times import DAY

ACCOUNT, AD = "account", "ad"
Row = dict[str, Any]
"""Column → value: money a Decimal, days and moments ISO texts."""
_FORM = 1
"""Of what is made of the same input. A greater one makes every row anew."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the rows of an ad account have in common, and of it as a whole. `days` end on `through`, the newest last."""

    platform_name: str
    client_account_id: str
    account_id: str
    currency: str
    through: date
    settled: frozenset[date]
    quality: float | None
    seasonality: float | None
    days: Days


@dataclass(frozen=True, slots=True)
class FeatureEntity:
    """What a row is made of. `days` end on `through`, the newest last. `first_delivery` and `launch_known` are those of
    `launched`; `start` is the day that the platform says. `daily_budget` in millionths, and what was spent of it in the
    short window: sum and days."""

    level: str
    entity_id: str
    days: Days
    campaign_id: str | None = None
    ad_group_id: str | None = None
    ad_id: str | None = None
    first_delivery: str | None = None
    launch_known: bool | None = None
    start: str = ""
    daily_budget: int | None = None
    budget_spent: tuple[int, int] = (0, 0)

    def hashed(self, facts: AccountFacts) -> str:
        """A hash of all that the row is made of, but the moment."""
        of_entity = [getattr(self, each.name) for each in fields(self)]
        whole = facts.days[-LONG:] if self.level == AD else ()
        known = [facts.through - (LONG - 1 - place) * DAY in facts.settled for place in range(LONG)]
        about = (facts.platform_name, facts.client_account_id, facts.account_id, facts.currency, facts.through)
        text = repr((_FORM, *about, known, facts.quality, facts.seasonality, of_entity, whole))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def rows(entities: Sequence[tuple[FeatureEntity, str]], facts: AccountFacts, as_of: str) -> Iterator[Row]:
    """The row of each entity, with its hash."""
    by_name = _slopes([entity for entity, _ in entities])
    for place, (entity, hashed) in enumerate(entities):
        found = {name: by_name[name][place] for name in SLOPES}
        made = {**_keys(entity, facts, as_of, hashed), **_numbers(entity.days, facts), **_slope_cells(found)}
        made |= {"seasonality_index": facts.seasonality, **_launch(entity, facts.through), **_relative(entity, facts)}
        yield {name: made[name] for name in COLUMNS}


def _keys(entity: FeatureEntity, facts: AccountFacts, as_of: str, hashed: str) -> Row:
    return {
        "level": entity.level,
        "platform_name": facts.platform_name,
        "client_account_id": facts.client_account_id,
        "account_id": facts.account_id,
        "entity_id": entity.entity_id,
        "campaign_id": entity.campaign_id,
        "ad_group_id": entity.ad_group_id,
        "ad_id": entity.ad_id,
        "currency": facts.currency,
        "as_of": as_of,
        "through": facts.through.isoformat(),
        "input_hash": hashed,
    }


def _numbers(days: Days, facts: AccountFacts) -> Row:
    found: Row = {}
    for window in (SHORT, LONG):
        sums = summed(days[-window:])
        found |= {f"known_days_{window}": sums.known_days, f"delivery_days_{window}": sums.delivery_days}
        for name in METRICS:
            found |= {f"{name}_{window}": sums.total(name), f"{name}_mean_{window}": sums.mean(name)}
        found |= {f"{name}_{window}": sums.ratio(name) for name in RATIOS}
    known = [facts.through - ago * DAY for ago, slot in enumerate(reversed(days[-LONG:])) if slot is not None]
    settled = sum(day in facts.settled for day in known) / len(known) if known else None
    return found | {f"settled_share_{LONG}": settled, f"quality_{LONG}": facts.quality}


def _slopes(entities: Sequence[FeatureEntity]) -> Mapping[str, list[Slope]]:
    """By ratio. That of a ratio with spend above is the negative one of its reciprocal: what spend brought on a day may
    be 0, what was spent hardly."""
    numbers = np.full((len(entities), LONG, len(METRICS)), np.nan)
    for place, entity in enumerate(entities):
        for day, slot in enumerate(entity.days[-LONG:]):
            if slot is not None:
                numbers[place, day] = [np.nan if each is None else each for each in slot]
    impressions, clicks, conversions, spend, revenue = np.moveaxis(numbers, 2, 0)
    return {
        "ctr": slopes(clicks, impressions),
        "cvr": slopes(conversions / 1e6, clicks),
        "acos": [each.negative() for each in slopes(revenue / 1e6, spend / 1e6)],
        "cpc": [each.negative() for each in slopes(clicks, spend / 1e6)],
    }


def _slope_cells(found: Mapping[str, Slope]) -> Row:
    cells: Row = {}
    for name, each in found.items():
        of = f"{name}_slope_{LONG}"
        cells |= {of: each.slope, f"{of}_low": each.low, f"{of}_high": each.high, f"{of}_days": each.days}
    return cells


def _launch(entity: FeatureEntity, through: date) -> Row:
    delivered, first = _delivered(entity.days[-LONG:]), entity.first_delivery
    return {
        "first_delivery": first,
        "launch_known": entity.launch_known,
        "days_since_launch": None if first is None else (through - date.fromisoformat(first)).days,
        "days_since_start": _since(entity.start, through),
        "days_since_delivery": delivered[0] if delivered else None,
    }


def launched(days: Days, through: date, before: Row | None) -> dict[str, Any]:
    """The first day with delivery of days that end on `through`, and whether it is known to be the first of all; those
    of an earlier row where that says an earlier day."""
    names = ("first_delivery", "launch_known")
    known = {name: None if before is None else before[name] for name in names}
    delivered = _delivered(days)
    if not delivered:
        return known
    first = (through - delivered[-1] * DAY).isoformat()
    if known["first_delivery"] is not None and known["first_delivery"] <= first:
        return known
    earlier = days[: len(days) - 1 - delivered[-1]][-LONG:]
    return dict(zip(names, (first, len(earlier) == LONG and None not in earlier), strict=True))


def _delivered(days: Days) -> list[int]:
    """How many days ago something was delivered, the latest first."""
    return [ago for ago, slot in enumerate(reversed(days)) if slot is not None and is_delivery(slot)]


def _since(start: str, through: date) -> int | None:
    try:
        passed = (through - date.fromisoformat(start[:10])).days
    except ValueError:  # the platform says none, or no day
        return None
    return passed if passed >= 0 else None


def _relative(entity: FeatureEntity, facts: AccountFacts) -> Row:
    long = entity.days[-LONG:]
    share = share_of(long, facts.days[-LONG:], "spend") if entity.level == AD else None
    spent, days = entity.budget_spent
    use = spent / (entity.daily_budget * days) if entity.daily_budget and days else None
    cells: Row = {f"{name}_cv_{LONG}": variation(long, name) for name in ("spend", "conversions")}
    return {f"spend_share_{LONG}": share, f"budget_use_{SHORT}": use, **cells}
