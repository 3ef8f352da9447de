"""An arm's conversion rate as a Beta distribution, from its days.

It is computed anew from all days each time, and nothing is added to what was there before: so the order in which days
came, deliveries that came twice and restatements leave no trace. All sums are of integers; what is multiplied is exact
to 28 digits, in an order that depends on the numbers alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import NamedTuple

from adweir.model.money import MICRO

DISCOUNT = Decimal("0.99")
"""Of a day's weight that is left a day later: what was 69 days ago counts half."""
PRIOR_TRIALS = 50
"""Clicks that the prior counts as."""
PRIOR_MEAN = Decimal("0.02")
"""The conversion rate of an account of which nothing is known."""
TRIALS_KEPT = 20_000
"""Clicks that an arm's days count as at most, so that a rate that has changed is still learned."""
_CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN)


class ArmDay(NamedTuple):
    """A day of an arm in an ad account.

    `age`: days between it and the newest day that may be learned, which is 0. `lag`: days after it that it was last
    pulled, at least 1. `conversions` are in millionths.
    """

    age: int
    lag: int
    clicks: int
    conversions: int


class DelayCurve(NamedTuple):
    """The share of a day's final conversions that is known so many days after it, from the first day on.

    `measured`: whether it was seen in the account's own pulls; else it is a table.
    """

    shares: tuple[Decimal, ...]
    measured: bool

    def known(self, lag: int) -> Decimal:
        """The share that is known after a lag; after the last one of the curve it stays."""
        return self.shares[min(max(lag, 1), len(self.shares)) - 1]


class Evidence(NamedTuple):
    """What days say: `successes` of `trials`, weighted by age. A click counts as the part of a trial whose conversions
    can be known yet. `beyond`: conversions (millionths) of days that had more of them than clicks, which are left
    out."""

    successes: Decimal = Decimal(0)
    trials: Decimal = Decimal(0)
    beyond: int = 0

    def plus(self, other: Evidence) -> Evidence:
        """Both together."""
        with localcontext(_CONTEXT):
            successes, trials = self.successes + other.successes, self.trials + other.trials
            return Evidence(successes, trials, self.beyond + other.beyond)


class Prior(NamedTuple):
    """A conversion rate, and how many trials it counts as. `of_account`: whether the account's own days say so."""

    mean: Decimal
    trials: int = PRIOR_TRIALS
    of_account: bool = False


class Posterior(NamedTuple):
    """Beta(alpha, beta)."""

    alpha: Decimal
    beta: Decimal

    @property
    def mean(self) -> Decimal:
        """The expected conversion rate."""
        with localcontext(_CONTEXT):
            return self.alpha / (self.alpha + self.beta)

    @property
    def variance(self) -> Decimal:
        """How uncertain the rate is: the variance of the distribution, not that of a single click."""
        with localcontext(_CONTEXT):
            total = self.alpha + self.beta
            return self.alpha * self.beta / (total * total * (total + 1))


def evidence(days: Iterable[ArmDay], curve: DelayCurve, discount: Decimal = DISCOUNT) -> Evidence:
    """What days of one platform say, in any order.

    A day's conversions count up to its clicks: what is beyond is attributed to views, and is no success of a click.
    Days of negative numbers, as rests of a platform's own totals may be, count as 0.
    """
    sums: dict[tuple[int, int], list[int]] = {}
    beyond = 0
    for day in days:
        clicks = max(day.clicks, 0)
        counted = min(max(day.conversions, 0), clicks * MICRO)
        beyond += max(day.conversions, 0) - counted
        found = sums.setdefault((day.age, day.lag), [0, 0])
        found[0] += clicks
        found[1] += counted
    with localcontext(_CONTEXT):
        return _weighted(sums, curve, discount)._replace(beyond=beyond)


def _weighted(sums: Mapping[tuple[int, int], Sequence[int]], curve: DelayCurve, discount: Decimal) -> Evidence:
    successes = trials = Decimal(0)
    for (age, lag), (clicks, conversions) in sorted(sums.items()):
        weight = discount**age
        successes += weight * conversions
        trials += weight * clicks * curve.known(lag)
    successes /= MICRO
    return Evidence(successes, max(trials, successes))


def prior_of(account: Evidence) -> Prior:
    """The prior of an account's arms: the rate of all that it has, drawn towards 2 % while it has little."""
    with localcontext(_CONTEXT):
        mean = (account.successes + PRIOR_MEAN * PRIOR_TRIALS) / (account.trials + PRIOR_TRIALS)
    return Prior(mean, of_account=bool(account.trials))


def posterior(found: Evidence, prior: Prior) -> Posterior:
    """What is known of a rate after the evidence."""
    with localcontext(_CONTEXT):
        kept = min(Decimal(1), TRIALS_KEPT / max(found.trials, Decimal(1)))
        successes, trials = found.successes * kept, found.trials * kept
        first = prior.mean * prior.trials
        return Posterior(first + successes, prior.trials - first + trials - successes)
