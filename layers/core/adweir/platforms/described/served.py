"""What a spec serves, as its ad accounts remember it: which datasets, and how far back."""

from __future__ import annotations

from adweir.platforms.described.language import Spec


def served(spec: Spec) -> dict[str, dict[str, int | bool | None]]:
    """By dataset, the fields of `platforms.base.DatasetSpec` that hold for the ad accounts of this spec."""
    found: dict[str, dict[str, int | bool | None]] = {}
    for dataset, described in spec.datasets.items():
        days = described.window
        found[str(dataset)] = (
            {}
            if dataset.grain is None
            else {
                "max_window_days": days.max_days,
                "lookback_days": days.lookback_days,
                "settles_after_days": max(days.settles_after_days, days.lookback_days),
                "retention_days": days.retention_days,
                "sums_to_parent": described.sums_to_parent,
            }
        )
    return found
