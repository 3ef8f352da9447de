"""Rates of ads that few people saw, judged by what is known of ads like them: empirical Bayes.

The rates of a group of ads are taken for draws of one beta distribution. Its mean is the group's rate over all trials,
its strength (how many trials it counts as) follows from how far the ads' rates lie apart beyond what chance alone does:
the moment estimate of Kleinman (JASA 1973). Intervals are Wilson's (JASA 1927), of which 90 in 100 hold the rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

_Z = 1.6448536269514722
"""Of the normal distribution, 90 % lie within so many deviations."""
LEAST_ADS = 3
"""A group of fewer says nothing about how far rates lie apart."""


class Tries(NamedTuple):
    """So many hits of so many trials; no more hits than trials count."""

    hits: float
    trials: float


class RatePrior(NamedTuple):
    """What is known of a group's rates: it counts as `strength` trials with the rate `mean`, and as none where the ads
    have nothing in common."""

    mean: float
    strength: float


class Judged(NamedTuple):
    """A rate with the interval in which it lies."""

    rate: float
    low: float
    high: float


def prior_of(group: Sequence[Tries]) -> RatePrior | None:
    """What a group's ads say of each other; None of fewer than `LEAST_ADS` with trials.

    Where their rates lie no farther apart than by chance, all are taken for one, which is as sure as all their trials.
    """
    known = [(min(hits, trials), trials) for hits, trials in group if trials > 0]
    if len(known) < LEAST_ADS:
        return None
    whole = sum(trials for _, trials in known)
    mean = sum(hits for hits, _ in known) / whole
    by_chance = mean * (1 - mean)
    apart = sum(trials * (hits / trials - mean) ** 2 for hits, trials in known) - (len(known) - 1) * by_chance
    variance = apart / (whole - sum(trials * trials for _, trials in known) / whole)
    if by_chance <= 0 or variance <= 0:
        return RatePrior(mean, whole)
    return RatePrior(mean, min(max(by_chance / variance - 1, 0.0), whole))


def judged(ad: Tries, prior: RatePrior | None) -> Judged | None:
    """An ad's rate, drawn towards its group's as far as its own trials are few; None where nothing is known of it."""
    mean, strength = prior or (0.0, 0.0)
    trials = ad.trials + strength
    if trials <= 0:
        return None
    hits = min(ad.hits, ad.trials) + mean * strength
    return Judged(hits / trials, *wilson(Tries(hits, trials)))


def wilson(tries: Tries) -> tuple[float, float]:
    """The interval in which a rate lies that was so often tried (more than never)."""
    hits, trials = tries
    rate, spread = hits / trials, _Z * _Z / trials
    middle = (rate + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(rate * (1 - rate) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def percentile(rate: float, group: Sequence[float]) -> float:
    """How many of 100 of a group's rates (some) are lower; the same rate counts half."""
    below = sum(each < rate for each in group) + sum(each == rate for each in group) / 2
    return 100 * below / len(group)
