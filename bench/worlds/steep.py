"""Weeks of two channels, each with a response in the form of an S: the rows say little of its form.

    KPI = 300 + 20 cos(week / 8.3) + Σ most * hill(acting, 8, slope) + noise     most: 120 and 90; noise: 6

Spend is log-normal about 7.4 and independent from week to week, so most weeks lie where the S is steep; adstock is
geometric (0.3), and begins with the table.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from bench.worlds.media import WEEKLY, Floats, MediaWorld, adstock, hill

WEEKS = 130
HALF = 8.0
CARRY = 0.3
MOST = {"search": 120.0, "social": 90.0}


def steep_world(seed: int, slope: float) -> MediaWorld:
    """The world of a seed and a slope of Hill's curve; equal arguments make equal worlds."""
    draws = np.random.default_rng(seed)
    spend = np.exp(draws.normal(2, 0.5, (len(MOST), WEEKS)))
    columns: dict[str, Floats] = {name: np.round(values, 4) for name, values in zip(MOST, spend, strict=True)}
    brought = {
        name: most * hill((1 - CARRY) * adstock(columns[name], CARRY), HALF, slope) for name, most in MOST.items()
    }
    first = date(2022, 1, 3)
    return MediaWorld(
        name=f"steep-{slope:g}-{seed}", kind="steep", cadence=WEEKLY,
        dates=[first + timedelta(days=7 * week) for week in range(WEEKS)], channels=tuple(MOST), controls=(),
        columns=columns, base=300 + 20 * np.cos(np.arange(WEEKS) / 8.3), noise=draws.normal(0, 6, WEEKS),
        brought=brought, facts={"slope": slope},
    )  # fmt: skip
