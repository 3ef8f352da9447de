"""What is watched of an ad account: for each account, campaign, ad and arm its metrics, each as a series of its own.

Numbers of a day come as a slot (`model.metrics.METRICS`); amounts become floats of the currency's unit here, for
scores alone: what is stored and shown of them is rounded to six decimals.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from adweir.insight.anomalies.detector import check, learn
from adweir.insight.anomalies.rates import RateState, check_rate, learn_rate
from adweir.insight.anomalies.settings import (
    DAY_SECONDS,
    AnomalySeverity,
    ScoreBasis,
    Scored,
    SeriesSettings,
    severity_of,
)
from adweir.insight.anomalies.state import SeriesState
from adweir.model.errors import BadInput
from adweir.model.metrics import Level, Slot

SERIES = ("spend", "impressions", "clicks", "conversions", "revenue", "cpc", "cpm")
RATES = ("ctr", "cvr")
WATCHED = (*SERIES, *RATES)
"""Every metric that is watched. Which of them say the same of one cause is decided in `incidents`."""
QUIET_DAYS = 7
"""Days without any delivery after which nothing more is expected of an entity; its next delivery is a launch."""
_LEAST: Mapping[str, float] = {
    "impressions": 100,
    "clicks": 20,
    "conversions": 5,
    "ctr": 1000,
    "cvr": 100,
}
"""The least volume of a day: of a rate its trials. Amounts have `WatchSettings.min_spend`."""
_RECURRING_DAYS = 180
"""For which what comes again and again is remembered."""
_LEAST_CLICKS, _LEAST_IMPRESSIONS = 20, 1000
"""From which a cost per click, and per thousand impressions, is a number to be compared."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What an anomaly has to reach. `min_effect`: the least change, as a share of what was expected. `min_spend`: what
    the entity has to spend on a day, or was expected to, in the ad account's currency. `min_share`: what of a day's
    spend of the whole ad account has to be at risk for an incident. `threshold`: deviations; None: the detector's own.
    """

    min_effect: float = 0.2
    min_spend: float = 1.0
    min_share: float = 0.1
    threshold: float | None = None

    @lru_cache(maxsize=256)  # noqa: B019 - of equal settings, which are few: a day asks for each metric of each entity
    def of(self, metric: str) -> SeriesSettings:
        """How a metric is scored."""
        least = self.min_spend if metric in {"spend", "revenue"} else _LEAST.get(metric, 0.0)
        return replace(
            SeriesSettings.daily(self.threshold),
            min_effect=self.min_effect,
            min_volume=least,
            recurring_for=_RECURRING_DAYS * DAY_SECONDS,
            recurring_longer=1,
        )


class WatchedEntity(NamedTuple):
    """An account, campaign, ad or arm. `parents`: those that it is part of, the nearest first."""

    level: Level
    id: str
    parents: tuple[tuple[Level, str], ...] = ()

    @property
    def key(self) -> tuple[Level, str]:
        return self.level, self.id


class Found(NamedTuple):
    """A metric of an entity that left its expected range on a day."""

    entity: WatchedEntity
    metric: str
    day: date
    scored: Scored
    at_risk: float = 0.0

    @property
    def sign(self) -> int:
        return 1 if self.scored.z > 0 else -1

    @property
    def mark(self) -> tuple[str, int]:
        """What findings of one cause have in common."""
        return self.metric, self.sign

    @property
    def severity(self) -> AnomalySeverity:
        return severity_of(self.scored.z)


class EntityDay(NamedTuple):
    """What a day of an entity came to: all scores by metric, and how many of them were compared with anything.

    `risked`: the spend that was at risk on the days just before, in a run of days with findings.
    """

    scores: dict[str, Scored]
    risked: float = 0.0

    @property
    def tests(self) -> int:
        return sum(each.basis is not ScoreBasis.NONE for each in self.scores.values())

    @property
    def spend(self) -> float:
        """What was spent, or was expected to be where that is more."""
        spend = self.scores.get("spend")
        return max(spend.value, spend.expected or 0.0) if spend else 0.0

    def at_risk(self, metric: str) -> float:
        """The spend that a metric's change is about: the change itself, else the share of the spend that changed."""
        scored = self.scores[metric]
        usual = scored.expected or 0.0
        change = abs(scored.value - usual)
        if metric == "spend":
            return change
        return self.spend * (min(change / usual, 1.0) if usual > 0 else 1.0)

    @property
    def beyond(self) -> dict[str, Scored]:
        return {metric: each for metric, each in self.scores.items() if each.anomaly}


@dataclass(slots=True)
class EntityState:
    """The states of an entity's metrics, up to the day `through` ("": none). `active`: its last day with a row.

    `parents`: those of `WatchedEntity`, by level and id.
    """

    through: str = ""
    active: str = ""
    parents: tuple[tuple[str, str], ...] = ()
    risked: float = 0.0
    series: dict[str, SeriesState] = field(default_factory=dict)
    rates: dict[str, RateState] = field(default_factory=dict)

    def to_json(self) -> str:
        """Compact text, exact, with a sum by which `from_json` knows damage."""
        body = {
            "through": self.through,
            "active": self.active,
            "parents": self.parents,
            "risked": self.risked,
            "series": {name: state.to_json() for name, state in self.series.items()},
            "rates": {name: state.to_json() for name, state in self.rates.items()},
        }
        return _compact(body | {"sum": _sum_of(body)})

    @classmethod
    def from_json(cls, text: str) -> EntityState:
        """Raises BadInput for what is no state of this form, or was changed by somebody else: learn it anew then."""
        try:
            body = json.loads(text)
            if body.pop("sum") != _sum_of(body):
                raise BadInput("this is no state of an entity as it was stored: it was damaged")
            series = {name: SeriesState.from_json(each) for name, each in body["series"].items()}
            rates = {name: RateState.from_json(each) for name, each in body["rates"].items()}
            parents = tuple((str(level), str(name)) for level, name in body["parents"])
            return cls(str(body["through"]), str(body["active"]), parents, float(body["risked"]), series, rates)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise BadInput(f"this is no state of an entity: {error}") from None

    def mark(self, expected: Mapping[str, int]) -> None:
        """Raise the thresholds of metrics of which so many anomalies were said to be expected."""
        for name, state in self.series.items():
            state.expected = expected.get(name, 0)
        for name, rate in self.rates.items():
            rate.expected = expected.get(name, 0)

    def learn(self, day: date, slot: Slot | None, settings: WatchSettings, expected: Mapping[str, int]) -> EntityDay:
        """Score a day and remember it. `slot` is None where there was no delivery, which is a true zero."""
        if slot is not None and self._is_launch(day):
            self.series, self.rates = {}, {}
        self.through = day.isoformat()
        if slot is None and not self.is_awaited(day):
            return EntityDay({})
        if slot is not None:
            self.active = self.through
        at = day.toordinal() * DAY_SECONDS
        numbers = numbers_of(slot or _NOTHING)
        found: dict[str, Scored] = {}
        for metric, value in numbers.series.items():
            state = self.series.setdefault(metric, SeriesState())
            state.expected = expected.get(metric, 0)
            found[metric] = learn(state, settings.of(metric), at, value)
        for metric, (hits, trials) in numbers.rates.items():
            rate = self.rates.setdefault(metric, RateState())
            rate.expected = expected.get(metric, 0)
            found[metric] = learn_rate(rate, settings.of(metric), at, hits, trials)
        scored = EntityDay(_worth(found, settings), self.risked)
        beyond = [scored.at_risk(metric) for metric in scored.beyond]
        self.risked = self.risked + max(beyond) if beyond else 0.0
        return scored

    def check(self, day: date, slot: Slot, settings: WatchSettings) -> EntityDay:
        """Score a day that may be weeks ahead of what was learned, without remembering it."""
        at, numbers = day.toordinal() * DAY_SECONDS, numbers_of(slot)
        found: dict[str, Scored] = {}
        for metric, value in numbers.series.items():
            ahead = replace(settings.of(metric), ahead=True)
            found[metric] = check(self.series.get(metric) or SeriesState(), ahead, at, value)
        for metric, (hits, trials) in numbers.rates.items():
            found[metric] = check_rate(self.rates.get(metric) or RateState(), settings.of(metric), at, hits, trials)
        return EntityDay(found)

    def _is_launch(self, day: date) -> bool:
        return bool(self.active) and (day - date.fromisoformat(self.active)).days > QUIET_DAYS

    def is_awaited(self, day: date) -> bool:
        """Whether no delivery on a day is a number: it was there within a week."""
        return bool(self.active) and (day - date.fromisoformat(self.active)).days <= QUIET_DAYS


def _compact(body: Mapping[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"))


def _sum_of(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(_compact(body).encode()).hexdigest()[:16]


class DayNumbers(NamedTuple):
    """A day's values by metric, of rates as (hits, trials); what is unknown is left out."""

    series: dict[str, float]
    rates: dict[str, tuple[float, float]]


def numbers_of(slot: Slot) -> DayNumbers:
    """What is watched of a slot."""
    impressions, clicks = slot[:2]
    conversions, spend, revenue = (None if value is None else value / _MILLION for value in slot[2:])
    known = {
        "spend": spend,
        "impressions": impressions,
        "clicks": clicks,
        "conversions": conversions,
        "revenue": revenue,
        "cpc": spend / clicks if spend is not None and clicks and clicks >= _LEAST_CLICKS else None,
        "cpm": 1000 * spend / impressions
        if spend is not None and impressions and impressions >= _LEAST_IMPRESSIONS
        else None,
    }
    rates: dict[str, tuple[float, float]] = {}
    if clicks is not None and impressions:
        rates["ctr"] = float(clicks), float(impressions)
    if conversions is not None and clicks:
        rates["cvr"] = conversions, float(clicks)
    return DayNumbers({name: float(value) for name, value in known.items() if value is not None}, rates)


def _worth(found: dict[str, Scored], settings: WatchSettings) -> dict[str, Scored]:
    """The scores, without anomalies of an entity that spends too little for anybody to look."""
    conversions, revenue = found.get("conversions"), found.get("revenue")
    if conversions and revenue and max(conversions.value, conversions.expected or 0.0) < _LEAST["conversions"]:
        found["revenue"] = revenue._replace(anomaly=False)
    spend = found.get("spend")
    if spend is None or max(spend.value, spend.expected or 0.0) >= settings.min_spend:
        return found
    return {metric: each._replace(anomaly=False) for metric, each in found.items()}


def found_in(days: Iterable[tuple[WatchedEntity, EntityDay]], day: date) -> list[Found]:
    """What of a day's scores is beyond its threshold."""
    return [
        Found(entity, metric, day, each, scores.risked + scores.at_risk(metric))
        for entity, scores in days
        for metric, each in sorted(scores.beyond.items())
    ]


def shown(value: float | None) -> str | None:
    """A number as it is stored and shown."""
    return None if value is None else f"{value:.6f}".rstrip("0").rstrip(".")


def as_facts(found: Found) -> dict[str, Any]:
    """A finding as an incident keeps it."""
    scored = found.scored
    return {
        "metric": found.metric,
        "date": found.day.isoformat(),
        "value": shown(scored.value),
        "expected": shown(scored.expected),
        "z": shown(scored.z),
        "threshold": shown(scored.threshold),
        "basis": scored.basis.value,
        "severity": found.severity.value,
    }


_NOTHING: Slot = (0, 0, 0, 0, 0)
_MILLION = 1_000_000
