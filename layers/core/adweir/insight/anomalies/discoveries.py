"""What of a run's findings stands when all its tests are weighed together."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

FALSE_SHARE = 0.01
"""Of the findings that stay, this share may be false, on average."""
_STRETCH = 1.8


def p_value(z: float) -> float:
    """How often noise alone is this far off, on either side.

    Residuals of advertising metrics have heavy tails: two in a thousand values are beyond 4 deviations, where a normal
    distribution has six in a hundred thousand. Student's t with four degrees of freedom, stretched, fits what was
    measured between 3 and 5 deviations (docs/anomalies.md).
    """
    t = abs(z) * _STRETCH
    share = t * t / (4 + t * t)
    return max(0.0, 1 - 1.5 * sqrt(share) * (1 - share / 3))


def discoveries(zs: Sequence[float], tests: int, false_share: float = FALSE_SHARE) -> list[bool]:
    """Which findings stay (Benjamini and Hochberg 1995): a bool for each of `zs`, in their order.

    `tests` is how many values the run scored, those without a finding included: the more were looked at, the further
    off a finding has to be. `zs` are of the findings only, or of all.
    """
    ordered = sorted(range(len(zs)), key=lambda i: -abs(zs[i]))
    tests = max(tests, len(zs))
    last = 0
    for rank, i in enumerate(ordered, 1):
        if p_value(zs[i]) <= false_share * rank / tests:
            last = rank
    kept = set(ordered[:last])
    return [i in kept for i in range(len(zs))]
