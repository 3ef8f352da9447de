"""How much of a day's conversions is known so many days after it, by platform.

It is measured from the account's own restatements (`reporting.restatement`): of settled days, the conversions that were
known after a lag as a part of those that are final. The ad accounts of a platform are measured together. Where too few
of its days were seen from the first day after them on, a table stands in, and is marked as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from adweir.insight.agents.update import DelayCurve
from adweir.model.money import MICRO

FEWEST_DAYS, FEWEST_CONVERSIONS = 7, 30
"""Settled days, and conversions of them, that a lag has to be measured by."""
_LEAST, _MOST = Decimal("0.01"), Decimal(2)
"""Bounds of a share: some platforms take conversions back."""
_TABLE = ((1, "0.35"), (4, "0.62"), (8, "0.82"), (15, "0.95"), (31, "1"))
"""Lag → share, where nothing was measured: that of a simulation (bench/learn.py), not of any platform."""
_DIGITS = 6


class KnownLag(NamedTuple):
    """What was known so many days after `days` settled days, and what was final; in millionths of conversions."""

    after: int
    days: int
    known: int
    final: int


def curve_of(measured: Iterable[Sequence[KnownLag]]) -> DelayCurve:
    """The curve of a platform from its ad accounts, each with a `KnownLag` per lag from 1 on; the table where they say
    too little.

    The curve ends with the longest lag of any of them. An ad account whose days settle sooner counts as it was then.
    """
    accounts = [known for known in measured if known]
    lags = range(1, max((len(known) for known in accounts), default=0) + 1)
    found = [_together(lag, accounts) for lag in lags]
    enough = all(each.days >= FEWEST_DAYS and each.final >= FEWEST_CONVERSIONS * MICRO for each in found)
    if not (found and enough):
        return FALLBACK
    shares = (round(Decimal(each.known) / each.final, _DIGITS) for each in found)
    return DelayCurve(tuple(min(max(share, _LEAST), _MOST) for share in shares), measured=True)


def _together(lag: int, accounts: Iterable[Sequence[KnownLag]]) -> KnownLag:
    at = [known[min(lag, len(known)) - 1] for known in accounts]
    return KnownLag(lag, *(sum(column) for column in zip(*(each[1:] for each in at), strict=True)))


def _table() -> DelayCurve:
    """The table, by straight lines between its lags."""
    shares = []
    for (first, low), (last, high) in pairwise(_TABLE):
        step = (Decimal(high) - Decimal(low)) / (last - first)
        shares += [round(Decimal(low) + step * passed, _DIGITS) for passed in range(last - first)]
    return DelayCurve((*shares, Decimal(1)), measured=False)


FALLBACK = _table()
