"""Coverage as answers show it: what was pulled, when, what is missing and how final it is.

"Not pulled" and "no data" differ: a day whose slices are all there and that has no rows is a day without data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.reporting.reading import DayCoverage


@dataclass(slots=True)
class _CoveredDay:
    """One day of all profiles."""

    pulled_at: str | None = None
    missing: list[dict[str, str]] = field(default_factory=list)
    unnamed: int = 0
    settled: bool = True
    live: bool = False


class CoverageDays:
    """The coverage of an answer, by day over its profiles."""

    def __init__(self) -> None:
        self._days: dict[date, _CoveredDay] = {}
        self._named = 0

    def add(self, profile: Profile, found: Mapping[date, DayCoverage]) -> None:
        """Add a profile's days."""
        for day, one in found.items():
            whole = self._days.setdefault(day, _CoveredDay())
            if one.pulled_at:
                whole.pulled_at = min(whole.pulled_at or one.pulled_at, one.pulled_at)
            whole.settled = whole.settled and one.settled
            whole.live = whole.live or one.live
            for slice_ in one.missing:
                if self._named < limits.MAX_MISSING_SLICES_NAMED:
                    named = {"platform": str(profile.platform), "profile_id": profile.profile_id, "slice": slice_}
                    whole.missing.append(named)
                    self._named += 1
                else:
                    whole.unnamed += 1

    def answer(self) -> list[dict[str, Any]]:
        """One entry per day. `pulled_at`: the oldest of the profiles' newest pulls; None where nothing was pulled.

        `missing_more` counts the missing slices that are not named.
        """
        return [
            {
                "date": day.isoformat(),
                "pulled_at": one.pulled_at,
                "missing": one.missing,
                "settled": one.settled,
                "live": one.live,
                **({"missing_more": one.unnamed} if one.unnamed else {}),
            }
            for day, one in sorted(self._days.items())
        ]
