"""How fresh an answer is, in a few words: what its coverage says day by day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def freshness(coverage: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The coverage of an answer (`reporting.coverage`, one entry per day) in six fields.

    `as_of`: the newest `pulled_at` of its days, of which each has that of the ad account that was pulled longest ago.
    `complete_through`: the last day up to which nothing of the range is missing. `provisional_from`: the first day that
    was pulled and may still change.
    """
    pulled = [day["pulled_at"] for day in coverage if day["pulled_at"]]
    missing = [day["date"] for day in coverage if day["missing"] or day.get("missing_more")]
    complete = [day["date"] for day in coverage if not missing or day["date"] < missing[0]]
    provisional = [day["date"] for day in coverage if day["pulled_at"] and not day["settled"]]
    return {
        "as_of": max(pulled, default=None),
        "complete_through": complete[-1] if complete else None,
        "provisional_from": provisional[0] if provisional else None,
        "days": len(coverage),
        "days_missing": len(missing),
        "days_provisional": len(provisional),
    }
