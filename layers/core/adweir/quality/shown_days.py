"""An ad account's scored days as people see them: each level beside the one above it, and where the scores go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from adweir.model import limits
from adweir.model.datasets import Gap
from adweir.model.errors import Unprocessable
from adweir.quality.bills import shown_bill
from adweir.quality.reconcile import WORDS, in_units
from adweir.quality.trend import trend

if TYPE_CHECKING:
    from adweir.store.findings.day_scores import DayScores


def shown_days(scores: DayScores, profile_key: str, first: date, last: date, gaps: Iterable[Gap]) -> dict[str, Any]:
    """`days` (the oldest first), their `trend`, and the `bills` of their months. `gaps`: what the ad account's levels
    may lawfully lack. Raises Unprocessable for too many days, or none."""
    if not 0 <= (last - first).days <= limits.MAX_SCORED_DAYS:
        message = f"end is before start, or more than {limits.MAX_SCORED_DAYS} days behind it"
        raise Unprocessable(message, [{"field": "start", "message": message}])
    found = scores.days(profile_key, first.isoformat(), last.isoformat())
    bills = scores.bills(profile_key, first.isoformat()[:7], last.isoformat()[:7])
    says = dict(WORDS) | {gap.reason: gap.says for gap in gaps}
    return {
        "days": [_shown(day, says) for day in found],
        "trend": trend(found),
        "bills": [shown_bill(bill) for bill in bills],
    }


def _shown(day: Mapping[str, Any], says: Mapping[str, str]) -> dict[str, Any]:
    compared = [in_units(entry) for entry in day["reconciliation"]]
    for entry in compared:
        entry["why"] = [{**cause, "says": says.get(cause["reason"], cause["reason"])} for cause in entry["why"]]
    return {**day, "reconciliation": compared}
