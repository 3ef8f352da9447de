"""Regret of what `learn` knows of arms, beside naive updates, on simulated campaigns whose best arm is known.

Six arms convert 1 to 2.5 % of their clicks, 1,500 clicks a day for 90 days; on day 25 an arm comes that is a quarter
better than the best. Conversions come late: 35 % on the click's day, 62 % by day 3, 82 % by day 7, 95 % by day 14. Each
morning every policy distributes the day's clicks by the probability of each arm to be the best, as it knows it then.
Regret is what its clicks bring less than those of the best arm would have, as a part of that.

`adweir` is the product's own code (`insight.agents`), with a curve of delays that it measured from 60 days of another
campaign. `naive` counts each click as a trial at once; `doubled` is naive, adds up what it is sent, and is sent a tenth
of the days twice. `uniform` learns nothing. Worlds are drawn here, by numpy, and know nothing of the product.

    python bench/learn.py [--runs 120]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from adweir.insight.agents.delays import KnownLag, curve_of
from adweir.insight.agents.update import ArmDay, DelayCurve, evidence, posterior, prior_of
from adweir.model.money import MICRO

DAYS, CLICKS, ARMS, NEW_ARM_DAY = 90, 1500, 6, 25
_SETTLED, _HISTORY = 30, 60
_BY_DAY = ((0, 0.35), (3, 0.62), (7, 0.82), (14, 0.95), (30, 1.0))
_WEEKLY_DRIFT = 0.08
"""Deviation of the logarithm of a rate's change from one week to the next, in the drifting worlds."""
WITHIN = {"stationary": 5.0, "drifting": 7.0}
"""Percent that the product's regret may be, on average of all runs."""
Policy = Callable[["Seen"], "np.ndarray"]


def _known_by_day() -> np.ndarray:
    """The share of conversions that has come so many days after the click."""
    days, shares = zip(*_BY_DAY, strict=True)
    return np.interp(np.arange(_SETTLED + 1), days, shares)


KNOWN = _known_by_day()
ARRIVING = np.diff(KNOWN, prepend=0.0)


class Seen:
    """What a policy sees in the morning of a day: clicks by day and arm, and the conversions that have come by then."""

    def __init__(self, clicks: np.ndarray, conversions: np.ndarray, day: int, arms: int, rng: np.random.Generator):
        self.clicks, self.conversions, self.day, self.arms, self.rng = clicks, conversions, day, arms, rng


class World:
    """A campaign's true rates, by day and arm. The last arm comes later."""

    def __init__(self, rng: np.random.Generator, *, drifts: bool) -> None:
        first = rng.uniform(0.01, 0.025, ARMS)
        rates = np.append(first, first.max() * 1.25)
        weeks = rng.normal(0, _WEEKLY_DRIFT if drifts else 0.0, (DAYS // 7 + 1, ARMS + 1))
        self.rates = np.minimum(rates * np.exp(np.cumsum(weeks, axis=0))[np.arange(DAYS) // 7], 0.2)

    def arms(self, day: int) -> int:
        """How many there are on a day."""
        return ARMS + (day >= NEW_ARM_DAY)


def regret(world: World, policy: Policy, rng: np.random.Generator) -> float:
    """What a policy loses, in percent of what the best arm of each day would have brought."""
    clicks = np.zeros((DAYS, ARMS + 1), dtype=np.int64)
    came = np.zeros((DAYS, DAYS + _SETTLED + 1, ARMS + 1), dtype=np.int64)  # click's day, day of arrival, arm
    brought = best = 0.0
    for day in range(DAYS):
        arms = world.arms(day)
        known = came[:day, :day].sum(axis=1)  # what came until yesterday
        clicks[day, :arms] = rng.multinomial(CLICKS, policy(Seen(clicks[:day], known, day, arms, rng)))
        for arm in range(arms):
            sales = rng.binomial(clicks[day, arm], world.rates[day, arm])
            came[day, day : day + _SETTLED + 1, arm] = rng.multinomial(sales, ARRIVING)
        brought += float(clicks[day] @ world.rates[day])
        best += CLICKS * float(world.rates[day, :arms].max())
    return 100 * (1 - brought / best)


def thompson(alphas: Sequence[float], betas: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    """The probability of each arm to be the best."""
    draws = rng.beta(alphas, betas, (CLICKS, len(alphas)))
    return np.bincount(draws.argmax(axis=1), minlength=len(alphas)) / CLICKS


def by_adweir(curve: DelayCurve) -> Policy:
    """The product: its update and its prior. The account is the campaign."""

    def policy(seen: Seen) -> np.ndarray:
        last = seen.day - 1
        found = []
        for arm in range(seen.arms):
            days = [
                ArmDay(last - day, seen.day - day, int(seen.clicks[day, arm]), int(seen.conversions[day, arm]) * MICRO)
                for day in range(seen.day)
            ]
            found.append(evidence(days, curve))
        account = found[0]
        for each in found[1:]:
            account = account.plus(each)
        known = [posterior(each, prior_of(account)) for each in found]
        return thompson([float(each.alpha) for each in known], [float(each.beta) for each in known], seen.rng)

    return policy


def naive(seen: Seen, times: np.ndarray | None = None) -> np.ndarray:
    """All clicks are trials at once. `times`: how often each day is counted."""
    weights = np.ones((seen.day, 1), dtype=np.int64) if times is None else times[: seen.day, None]
    won = (weights * seen.conversions).sum(axis=0)[: seen.arms]
    tried = (weights * seen.clicks).sum(axis=0)[: seen.arms]
    return thompson(1 + won, 1 + tried - won, seen.rng)


def doubled(rng: np.random.Generator) -> Policy:
    """Naive, and a tenth of the days counts twice."""
    times = 1 + (rng.random(DAYS) < 0.1)
    return lambda seen: naive(seen, times)


def uniform(seen: Seen) -> np.ndarray:
    """Every arm the same."""
    return np.full(seen.arms, 1 / seen.arms)


def measured_curve(rng: np.random.Generator) -> DelayCurve:
    """What the product measures of another campaign's settled days: what was known after a lag, and what is final."""
    sales = rng.binomial(CLICKS, 0.0175, _HISTORY)
    came = np.array([rng.multinomial(each, ARRIVING) for each in sales]).cumsum(axis=1).sum(axis=0)
    final = int(came[-1]) * MICRO
    return curve_of([[KnownLag(lag, _HISTORY, int(came[lag - 1]) * MICRO, final) for lag in range(1, _SETTLED + 2)]])


def simulated(runs: int, *, drifts: bool) -> dict[str, dict[str, float]]:
    """Mean regret of each policy and its standard error, all on the same worlds."""
    found: dict[str, list[float]] = {}
    for run in range(runs):
        world = World(np.random.default_rng([20_261_124, run, drifts]), drifts=drifts)
        own = np.random.default_rng([1, run])
        policies: dict[str, Policy] = {
            "uniform": uniform,
            "naive": naive,
            "doubled": doubled(own),
            "adweir": by_adweir(measured_curve(own)),
        }
        for name, policy in policies.items():
            found.setdefault(name, []).append(regret(world, policy, np.random.default_rng([2, run])))
    return {
        name: {"regret": round(float(np.mean(each)), 2), "error": round(float(np.std(each) / np.sqrt(len(each))), 2)}
        for name, each in found.items()
    }


def main() -> int:
    """Print the figures, then one JSON object; 0 where the product loses little, and less than naive updates."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=120, help="campaigns of each kind")
    given = parser.parse_args()
    begin = time.process_time()
    worlds: dict[str, Any] = {
        name: simulated(given.runs, drifts=drifts) for name, drifts in (("stationary", False), ("drifting", True))
    }
    is_good = True
    for name, found in worlds.items():
        for policy, each in found.items():
            print(f"{name:11} {policy:8} {each['regret']:5.2f} % ± {each['error']:.2f}")
        ours, theirs = found["adweir"]["regret"], found["naive"]["regret"]
        is_good &= ours <= min(theirs, WITHIN[name])
        print(f"{name:11} adweir loses {Decimal(ours / theirs):.2f} of what naive updates lose")
    seconds = round(time.process_time() - begin, 1)
    print(json.dumps({"bench": "learn", "runs": given.runs, **worlds, "cpu_seconds": seconds}))
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
