"""When numbers are final. The only place that decides it."""

from __future__ import annotations

from datetime import date

_BETWEEN_PULLS = 7
"""Days between two runs of the weekly workflow, which pulls everything that a platform may still restate."""


def is_settled(day: date, today: date, pulled_on: date, settles_after_days: int) -> bool:
    """Whether a day's stored numbers are final.

    The platform does not restate the day any more (it is older than `settles_after_days`), and the stored numbers were
    pulled when the day was over, by its last regular pull or a later one. All dates are local to the profile.
    """
    is_old = (today - day).days > settles_after_days
    return is_old and (pulled_on - day).days >= max(settles_after_days - _BETWEEN_PULLS, 1)
