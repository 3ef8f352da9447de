"""Moments that a question can name: what was known at one, and what has changed since another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adweir.model.errors import Unprocessable
from adweir.model.times import iso, parse_instant

_FIRST_YEAR = 1970
"""Days and years before a moment are counted, which Python's calendar does not have before its first."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When a question is answered, as of which moment, and since when changes are listed."""

    answered_at: datetime
    as_known_at: datetime | None = None
    changed_since: datetime | None = None

    @property
    def now(self) -> datetime:
        """The moment that the answer is of."""
        return self.as_known_at or self.answered_at

    @property
    def notes(self) -> dict[str, str]:
        """What an answer of a past moment says: names, statuses and options are always those of when it was made."""
        if self.as_known_at is None:
            return {}
        return {"as_known_at": iso(self.as_known_at), "names_as_of": iso(self.answered_at)}


def parse_moments(as_known_at: str | None, changed_since: str | None, now: datetime) -> Moments:
    """ISO 8601 times with an offset → moments. Raises Unprocessable for one without, and an `as_known_at` in the future
    or before 1970."""
    moments = Moments(now, _parse("as_known_at", as_known_at), _parse("changed_since", changed_since))
    if moments.now > now:
        raise _refused("as_known_at", "is in the future")
    if moments.now.year < _FIRST_YEAR:
        raise _refused("as_known_at", f"is before {_FIRST_YEAR}, when nothing was known")
    if moments.changed_since and moments.changed_since > moments.now:
        raise _refused("changed_since", "is after the moment that the answer is of")
    return moments


def _parse(field: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise _refused(field, "is not a time like 2026-11-20T06:00:00+01:00, with an offset") from None


def _refused(field: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field} {message}", [{"field": field, "message": message}])


@dataclass(frozen=True, slots=True)
class StoppedClock:
    """The clock of a question that is answered as of a moment."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()
