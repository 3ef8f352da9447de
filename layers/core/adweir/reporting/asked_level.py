"""A level that a question is answered for: who may answer for each day, and who did."""

from __future__ import annotations

from dataclasses import dataclass, field

from adweir.model.metrics import Level
from adweir.reporting.levels import Answering


@dataclass(slots=True)
class AskedLevel:
    """A level that is asked for: who may answer for each day, and who did."""

    level: Level
    days: dict[str, Answering] = field(default_factory=dict)
    taken: dict[str, Level] = field(default_factory=dict)
    _noted: tuple[str, ...] = ()
    _noted_level: Level | None = None

    def may(self, level: Level) -> list[str]:
        """The days for which a level may still answer."""
        return [
            day
            for day, answering in self.days.items()
            if level in answering.levels and self.taken.get(day, level) is level
        ]

    def is_last(self, day: str, level: Level) -> bool:
        """Whether no finer level answers for a day, whatever rows this one has."""
        return self.days[day].levels[-1] is level

    def take(self, days: tuple[str, ...], level: Level) -> None:
        """Note that a level has rows of these days."""
        if days is not self._noted or level is not self._noted_level:  # most rows have the days of the one before
            self.taken.update(dict.fromkeys(days, level))
            self._noted, self._noted_level = days, level

    def answered_by(self, day: str) -> Level | None:
        """Who answered, once every level was read."""
        answering = self.days.get(day)
        return None if answering is None else self.taken.get(day) or answering.levels[-1]
