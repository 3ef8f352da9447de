"""How alarms are held against planted events. The rules were written before the first detector was measured.

1. The first four cycles do not count: a detector may learn there. Nothing is planted in them; alarms in them are false,
   and told beside.
2. An event is found when a row of its own is alarmed. What counts are spikes and drops of at least five standard
   deviations, and zeros, which are drops of more.
3. An alarmed row outside every event is a false alarm, each row for itself: the row after a spike, too. So a detector
   that an event has led astray pays for it, and a cool-down pays off.
4. Faint events (three to five deviations) and level shifts are neither: whoever alarms there is not wrong, whoever does
   not has missed nothing. For a shift that holds for as many rows after its end, for the way back is a change, too.
   Their recall is told beside.
5. Precision is found / (found + false alarms), recall found / counted events, both over all series of a group together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.worlds.series import Planted, Series

LEARNING_CYCLES = 4


def counts(event: Planted) -> bool:
    """Whether missing the event is a miss."""
    return event.kind != "shift" and not event.is_faint


@dataclass
class Tally:
    """Alarms and events of some series, added up."""

    series: int = 0
    years: float = 0.0
    learning_years: float = 0.0
    """In the first four cycles."""
    false: int = 0
    false_learning: int = 0
    events: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    def add(self, series: Series, alarmed: Sequence[bool]) -> None:
        """Hold a series' alarms, one per row, against what was planted in it. ValueError: rows are missing."""
        if len(alarmed) != len(series.values):
            raise ValueError(f"{series.name}: {len(alarmed)} answers for {len(series.values)} rows")
        start = LEARNING_CYCLES * series.cycle
        neutral = set(range(start))
        for event in series.planted:
            rows = range(event.first, event.last + 1)
            kind = event.kind if counts(event) or event.kind == "shift" else f"faint_{event.kind}"
            self.events[kind] += 1
            self.found[kind] += int(any(alarmed[row] for row in rows))
            neutral.update(rows)
            if event.kind == "shift":
                neutral.update(range(event.last + 1, 2 * event.last - event.first + 2))
        self.false += sum(bool(alarm) and row not in neutral for row, alarm in enumerate(alarmed))
        self.false_learning += sum(map(bool, alarmed[:start]))
        self.series += 1
        self.learning_years += series.years * start / len(alarmed)
        self.years += series.years * (len(alarmed) - start) / len(alarmed)

    def __add__(self, more: Tally) -> Tally:
        return Tally(
            self.series + more.series, self.years + more.years, self.learning_years + more.learning_years,
            self.false + more.false, self.false_learning + more.false_learning,
            self.events + more.events, self.found + more.found,
        )  # fmt: skip

    def figures(self) -> dict[str, float]:
        """Recall, also by kind, precision, F1; false alarms per series and year, apart in the first four cycles."""
        kinds = ("spike", "drop", "zero")
        planted, found = (sum(counter[kind] for kind in kinds) for counter in (self.events, self.found))
        recall = found / planted if planted else 0.0
        precision = found / (found + self.false) if found + self.false else 0.0
        both = recall + precision
        by_kind = {f"recall_{kind}": round(self.found[kind] / many, 3) for kind, many in sorted(self.events.items())}
        return {
            "recall": round(recall, 4), "precision": round(precision, 4),
            "f1": round(2 * recall * precision / both, 4) if both else 0.0,
            "false_per_series_year": round(self.false / self.years, 3),
            "false_while_learning_per_series_year": round(self.false_learning / self.learning_years, 3), **by_kind,
        }  # fmt: skip
