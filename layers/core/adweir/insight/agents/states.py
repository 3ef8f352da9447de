"""The states of a campaign's arms, made of their days."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.insight.agents.chances import DRAWS, FLOOR, Chance, chances
from adweir.insight.agents.delays import FALLBACK
from adweir.insight.agents.update import (
    DISCOUNT,
    PRIOR_TRIALS,
    TRIALS_KEPT,
    DelayCurve,
    Evidence,
    Posterior,
    Prior,
    evidence,
    posterior,
)
from adweir.model import limits
from adweir.model.metrics import Slot, plus
from adweir.model.money import MICRO
from adweir.reporting.totals import NOTHING
from adweir.store.findings.agents import AgentState

if TYPE_CHECKING:
    from adweir.insight.agents.sources import ClientDays, Days, DeliveredDay
    from adweir.model.campaigns import Arm, Campaign

_FORM = 2
"""Of what is made of the same days. A greater one has every state made anew."""
_RUNS = frozenset({"pending", "active"})
"""What an arm is said to be that may be given a part of the budget."""
_DIGITS, _FINE_DIGITS = 6, 12
_TOLD_LAGS = (1, 3, 7, 14, 28)
"""Days after which a state says what part of the conversions is known."""
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class CampaignInput:
    """What a campaign's states are made of. `as_of`: when the days were read."""

    def __init__(
        self, campaign: Campaign, days: ClientDays, curves: Mapping[str, DelayCurve], prior: Prior, as_of: str
    ) -> None:
        self.campaign = campaign
        self.curves = curves
        self.prior = prior._replace(mean=round(prior.mean, _FINE_DIGITS))
        self.as_of = as_of
        self.through = days.through
        self._days = days

    def days(self, arm: Arm) -> list[DeliveredDay]:
        """An arm's, in order."""
        return sorted(self._days.arms.get(arm.arm_id, ()))

    def contexts(self, arm: Arm) -> dict[str, dict[str, Days]]:
        """The same by breakdown and value, and by weekday; of an arm without days nothing."""
        found = {
            name: {value: sorted(days) for value, days in sorted(values.items())}
            for name, values in sorted(self._days.contexts.get(arm.arm_id, {}).items())
        }
        by_weekday: dict[str, Days] = defaultdict(list)
        for each in self.days(arm):
            by_weekday[_WEEKDAYS[date.fromisoformat(each.day).weekday()]].append(each)
        weekdays = {name: by_weekday[name] for name in _WEEKDAYS if name in by_weekday}
        return ({"weekday": weekdays} if weekdays else {}) | found

    def curve(self, platform: str) -> DelayCurve:
        """How late a platform's conversions come."""
        return self.curves.get(platform, FALLBACK)

    def evidence(self, arm: Arm, days: Days) -> Evidence:
        """What days of an arm say; all of them are of its platform."""
        learned = (each.learned for each in days)
        return evidence((each for each in learned if each), self.curve(str(arm.platform)))

    @cached_property
    def hashed(self) -> str:
        """Of all of it but when it was read: the same input has the same."""
        arms = []
        for arm in self.campaign.arms:
            curve, contexts = self.curve(str(arm.platform)), self._days.contexts.get(arm.arm_id, {})
            split = {name: {value: sorted(days) for value, days in each.items()} for name, each in contexts.items()}
            about = [arm.arm_id, str(arm.platform), arm.status in _RUNS, [str(each) for each in curve.shares]]
            arms.append([*about, curve.measured, self.days(arm), split])
        rules = [_FORM, str(DISCOUNT), PRIOR_TRIALS, TRIALS_KEPT, DRAWS, str(FLOOR)]
        prior = [str(self.prior.mean), self.prior.trials, self.prior.of_account]
        text = json.dumps([rules, self.campaign.account_id, self.through, prior, sorted(arms)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]


class _Learned(NamedTuple):
    """What the days of an arm come to."""

    arm: Arm
    days: Days
    found: Evidence
    known: Posterior


def campaign_states(given: CampaignInput, before: Mapping[str, AgentState], run_id: str, at: str) -> list[AgentState]:
    """The states of all arms of a campaign, those that are there with the same input left out.

    `before`: the states that are stored; `at`: when these are.
    """
    learned = []
    for arm in given.campaign.arms:
        days = given.days(arm)
        found = given.evidence(arm, days)
        learned.append(_Learned(arm, days, found, posterior(found, given.prior)))
    running = {each.arm.arm_id: each.known for each in learned if each.arm.status in _RUNS}
    drawn = chances(running, f"{given.campaign.account_id}/{given.through}") if running else {}
    states = []
    for each in learned:
        was = before.get(each.arm.arm_id)
        if was is None or was.input_hash != given.hashed:
            version = was.version + 1 if was else 1
            about = {"input_hash": given.hashed, "run_id": run_id, "version": version, "last_updated": at}
            states.append(_state(given, each, drawn.get(each.arm.arm_id), about))
    return states


def _state(given: CampaignInput, one: _Learned, chance: Chance | None, about: Mapping[str, Any]) -> AgentState:
    arm, curve = one.arm, given.curve(str(one.arm.platform))
    prior = {"mean": _text(given.prior.mean, _FINE_DIGITS), "trials": given.prior.trials}
    return AgentState(
        campaign_id=given.campaign.campaign_id,
        arm_id=arm.arm_id,
        account_id=given.campaign.account_id,
        platform=str(arm.platform),
        as_of=given.as_of,
        through=given.through,
        alpha=_text(one.known.alpha),
        beta=_text(one.known.beta),
        reward_mean=_text(one.known.mean, _FINE_DIGITS),
        reward_variance=_text(one.known.variance, _FINE_DIGITS),
        risk_score=_text(chance.risk) if chance else None,
        p_best=f"{chance.p_best:f}" if chance else None,
        allocation=_text(chance.allocation) if chance else None,
        beyond_clicks=_units(one.found.beyond),
        effective_trials=_text(one.found.trials),
        prior=prior | {"source": "account" if given.prior.of_account else "default"},
        delay={"measured": curve.measured, "known": {str(lag): _text(curve.known(lag)) for lag in _TOLD_LAGS}},
        contextual_state=_contextual(given, one),
        **_sums(one.days),
        **about,
    )


def _sums(days: Days) -> dict[str, Any]:
    """The plain sums of an arm's days."""
    total: Slot = NOTHING
    spending: dict[str, int] = defaultdict(int)
    for each in days:
        total = plus(total, each.slot)
        if each.slot[3] is not None:
            spending[each.currency] += each.slot[3]
    dates = sorted({each.day for each in days})
    amounts = {currency: _units(amount) for currency, amount in sorted(spending.items())}
    currency = next(iter(amounts)) if len(amounts) == 1 else None
    return {
        "trials": total[1] or 0,
        "rewards": _units(total[2] or 0),
        "impressions": total[0] or 0,
        "spending": amounts[currency] if currency is not None else None,
        "currency": currency,
        "spending_by_currency": amounts,
        "days": len(dates),
        "unknown_days": len({each.day for each in days if not each.is_known}),
        "first": dates[0] if dates else None,
        "last": dates[-1] if dates else None,
    }


def _contextual(given: CampaignInput, one: _Learned) -> dict[str, Any] | None:
    """By dimension and value what is known there. Its prior is what is known of the arm as a whole."""
    own = Prior(one.known.mean)
    found = {}
    for dimension, values in given.contexts(one.arm).items():
        most = sorted(values, key=lambda value: (-sum(each.slot[1] or 0 for each in values[value]), value))
        kept = [value for value in values if value in most[: limits.MAX_CONTEXT_VALUES]]
        found[dimension] = {value: _in_context(given, one.arm, values[value], own) for value in kept}
    return {"as_of": given.as_of, **found} if found else None


def _in_context(given: CampaignInput, arm: Arm, days: Days, prior: Prior) -> dict[str, Any]:
    known, sums = posterior(given.evidence(arm, days), prior), _sums(days)
    numbers = {"alpha": _text(known.alpha), "beta": _text(known.beta), "reward_mean": _text(known.mean, _FINE_DIGITS)}
    return numbers | {"trials": sums["trials"], "rewards": sums["rewards"]}


def _text(number: Decimal, digits: int = _DIGITS) -> str:
    return f"{round(number, digits):f}"


def _units(micros: int) -> str:
    return f"{Decimal(micros) / MICRO:f}"
