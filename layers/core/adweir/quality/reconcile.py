"""Levels compared with the level above, and with the platform's own account total: what differs, and why.

A finer level may lawfully have less than the one above: spend without ads, deleted objects, rows that were refused. A
cause explains a difference only as far as it brings the two closer together; what no cause explains is a fault of
somebody's. Where a cause may explain any amount, as of deleted objects, numbers that are missing say nothing: they are
neither right nor wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from adweir.model.datasets import Gap
from adweir.model.metrics import METRICS, Level, Mark, Slot, plus
from adweir.model.money import MICRO, to_units
from adweir.reporting.totals import NOTHING
from adweir.store.metrics.store import Adjustment, StoredRow

TOLERANCE = Decimal("0.01")
"""The share of the platform's number that may be missing or too much."""
_LEAST = (1, 1, MICRO // 100, MICRO // 100, MICRO // 100)
"""A difference that is none: one impression or click, a hundredth of a conversion or of money's unit."""
_COUNTS = 2
"""The first two metrics are counts, the others millionths."""
QUARANTINED, CLEANED, KEPT = "quarantined", "cleaned", "kept"
WORDS: Mapping[str, str] = {
    QUARANTINED: "rows that were refused, less the older numbers that stand in their place",
    CLEANED: "numbers that were rounded, and repeated rows that were left out",
    KEPT: "rows that the newest pull no longer brought and that the account's total still has",
}
"""Causes that concern any platform; others are the gaps of its datasets."""


@dataclass(slots=True)
class LevelDay:
    """What is stored of a level on a day: the sum of its `rows`, and of those that are `kept` or `held`.

    `unknown`: places of metrics that some row does not have. `of_gap`: reason of a gap → the sum of its campaigns.
    """

    rows: int = 0
    total: Slot = NOTHING
    kept: Slot = NOTHING
    held: Slot = NOTHING
    unknown: set[int] = field(default_factory=set)
    currencies: set[str] = field(default_factory=set)
    of_gap: dict[str, Slot] = field(default_factory=dict)
    refused: Slot = NOTHING
    cleaned: list[Decimal] = field(default_factory=lambda: [Decimal(0)] * len(METRICS))

    def add(self, row: StoredRow, gaps: Iterable[str]) -> None:
        """Count a stored row; `gaps` are the reasons whose campaigns it belongs to."""
        self.rows += 1
        self.total = plus(self.total, row.slot)
        self.currencies.add(row.currency)
        if None in row.slot:
            self.unknown.update(place for place, number in enumerate(row.slot) if number is None)
        if row.mark is Mark.KEPT:
            self.kept = plus(self.kept, row.slot)
        elif row.mark is Mark.HELD:
            self.held = plus(self.held, row.slot)
        for reason in gaps:
            self.of_gap[reason] = plus(self.of_gap.get(reason, NOTHING), row.slot)

    def adjust(self, adjustment: Adjustment) -> None:
        """Count what was refused of the day's rows, and what was changed in them."""
        self.refused = plus(self.refused, adjustment.quarantined)
        self.cleaned = [one + other for one, other in zip(self.cleaned, adjustment.cleaned, strict=True)]


class GapCause(NamedTuple):
    """A part of a difference.

    `is_ours`: what we did not store, so that it is no lawful gap. `is_any`: nobody can say how much the cause explains,
    so it is taken for all that is left.
    """

    reason: str
    amount: int
    is_ours: bool
    is_any: bool


class Reconciled(NamedTuple):
    """A metric of a level on a day beside that of the level above it, in counts or millionths."""

    level: Level
    above: Level
    metric: str
    theirs: int
    ours: int
    causes: tuple[GapCause, ...]

    @property
    def difference(self) -> int:
        """What ours lacks of theirs; negative where it has more."""
        return self.theirs - self.ours

    @property
    def unexplained(self) -> int:
        """What no cause explains."""
        return self.difference - sum(cause.amount for cause in self.causes)

    @property
    def adds_up(self) -> bool:
        """Whether all but a tolerance is explained."""
        return self._fits(self.unexplained)

    @property
    def is_right(self) -> bool:
        """The same, where what we did not store explains nothing."""
        return self._fits(self.unexplained + sum(cause.amount for cause in self.causes if cause.is_ours))

    @property
    def passes(self) -> bool:
        """Whether the numbers are in order: right beside a total, beside another level explained."""
        return self.is_right if self.above is Level.ACCOUNT else self.adds_up

    @property
    def is_open(self) -> bool:
        """Whether it fits only by a cause that would explain any loss."""
        return self.adds_up and not self._fits(sum(cause.amount for cause in self.causes if cause.is_any))

    def shown(self) -> dict[str, Any]:
        """As it is kept: numbers in counts and millionths."""
        why = [{"reason": cause.reason, "amount": cause.amount} for cause in self.causes]
        head = {"level": self.level.value, "above": self.above.value, "metric": self.metric}
        numbers = {"platform": self.theirs, "ours": self.ours, "difference": self.difference}
        return head | numbers | {"why": why, "unexplained": self.unexplained}

    def _fits(self, rest: int) -> bool:
        most = max(TOLERANCE * abs(self.theirs), Decimal(_LEAST[METRICS.index(self.metric)]))
        return abs(rest) <= most


def reconcile(pair: tuple[Level, Level], ours: LevelDay, theirs: LevelDay, gaps: Iterable[Gap]) -> Iterator[Reconciled]:
    """Compare a level (the first of the pair) with the one above it, metric by metric.

    A metric that somebody does not know is not compared, nor is money in several currencies.
    """
    known = [place for place in range(len(METRICS)) if place not in ours.unknown | theirs.unknown]
    if len(ours.currencies | theirs.currencies) > 1:
        known = [place for place in known if METRICS[place] not in {"spend", "revenue"}]
    lawful = tuple(gaps)
    for place in known:
        platform, stored = theirs.total[place] or 0, ours.total[place] or 0
        causes = tuple(_causes(platform - stored, place, (ours, theirs), lawful))
        yield Reconciled(*pair, METRICS[place], platform, stored, causes)


def _causes(rest: int, place: int, days: tuple[LevelDay, LevelDay], gaps: tuple[Gap, ...]) -> Iterator[GapCause]:
    """The causes of a difference, each with as much of it as it can explain."""
    ours, theirs = days
    candidates = [
        (QUARANTINED, (ours.refused[place] or 0) - (ours.held[place] or 0)),
        (CLEANED, -round(ours.cleaned[place])),
        (KEPT, -(ours.kept[place] or 0)),
    ]
    for gap in gaps:
        above, here = (day.of_gap.get(gap.reason, NOTHING)[place] or 0 for day in (theirs, ours))
        candidates.append((gap.reason, above - here if gap.objectives else max(rest, 0)))
    any_amount = {gap.reason for gap in gaps if not gap.objectives}
    for reason, amount in candidates:
        part = min(max(amount, 0), rest) if rest > 0 else max(min(amount, 0), rest)
        if part:
            yield GapCause(reason, part, reason == QUARANTINED, reason in any_amount)
            rest -= part


def judged(compared: Iterable[Reconciled]) -> Iterator[Reconciled]:
    """Those that say anything of the numbers.

    A level that lacks what nobody can know is judged only by what is too much in it, or was refused.
    """
    every = list(compared)
    is_open = {(each.level, each.above) for each in every if each.is_open}
    return (each for each in every if (each.level, each.above) not in is_open or not each.passes)


def in_units(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A kept comparison as answers show it: conversions and money in their units, exact."""
    if METRICS.index(entry["metric"]) < _COUNTS:
        return dict(entry)
    numbers = {name: to_units(entry[name]) for name in ("platform", "ours", "difference", "unexplained")}
    return {**entry, **numbers, "why": [{**each, "amount": to_units(each["amount"])} for each in entry["why"]]}
