"""Which arm of a campaign is best, by draws from what is known of each.

The draws of an arm are its own: they follow from the seed and its id, whatever the other arms are and in whatever order
they come.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import sqrt
from typing import NamedTuple

from adweir.insight.agents.update import Posterior

DRAWS = 4096
"""A power of 2: parts of it are exact decimals."""
FLOOR = Decimal("0.01")
"""Of the budget that each arm keeps before the shares are made to add up to 1."""
_MICRO = Decimal("0.000001")


class Chance(NamedTuple):
    """Of an arm: the probability that its rate is the highest, the share of the budget that it is suggested to have,
    and the probability that its rate is below the mean of all arms."""

    p_best: Decimal
    allocation: Decimal
    risk: Decimal


def chances(arms: Mapping[str, Posterior], seed: str) -> dict[str, Chance]:
    """By arm. The same arms and seed give the same; the probabilities to be the best add up to 1. Of an arm alone the
    risk is its deviation as a part of its mean.

    Arms share the draws in which none is higher: of a client that sold nothing, with many clicks, most rates are less
    than a float can tell from 0.
    """
    if len(arms) == 1:
        ((arm_id, only),) = arms.items()
        return {arm_id: Chance(Decimal(1), Decimal(1), _alone(only))}
    names = sorted(arms)
    best, below, ties = dict.fromkeys(names, 0), dict.fromkeys(names, 0), 0
    for drawn in zip(*(_draws(arms[name], f"{seed}/{name}") for name in names), strict=True):
        most = max(drawn)
        highest = [name for name, rate in zip(names, drawn, strict=True) if rate == most]
        best[highest[ties % len(highest)]] += 1
        ties += len(highest) > 1
        mean = sum(drawn) / len(drawn)
        for name, rate in zip(names, drawn, strict=True):
            below[name] += rate < mean
    p_best = {name: Decimal(best[name]) / DRAWS for name in names}
    shares = allocation(p_best)
    return {name: Chance(p_best[name], shares[name], _share(below[name])) for name in names}


def allocation(p_best: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Shares of a budget that add up to 1: each arm's probability to be the best, at least 1 % before they are made to
    add up. What rounding leaves is the greatest share's."""
    floored = {name: max(each, FLOOR) for name, each in sorted(p_best.items())}
    total = sum(floored.values())
    shares = {name: (each / total).quantize(_MICRO) for name, each in floored.items()}
    if shares:
        greatest = max(shares, key=lambda name: shares[name])
        shares[greatest] += 1 - sum(shares.values())
    return shares


def _draws(of: Posterior, seed: str) -> Iterator[float]:
    made = random.Random(hashlib.sha256(seed.encode()).digest())  # noqa: S311 - a simulation
    alpha, beta = float(of.alpha), float(of.beta)
    return (made.betavariate(alpha, beta) for _ in range(DRAWS))


def _share(count: int) -> Decimal:
    return (Decimal(count) / DRAWS).quantize(_MICRO)


def _alone(only: Posterior) -> Decimal:
    return Decimal(min(1.0, sqrt(float(only.variance)) / float(only.mean))).quantize(_MICRO)
