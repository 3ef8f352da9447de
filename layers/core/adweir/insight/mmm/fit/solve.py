"""The most likely parameters: Levenberg-Marquardt steps for a batch of starts or of KPIs at once."""

from __future__ import annotations

import numpy as np

from adweir.insight.mmm.fit.frame import Floats
from adweir.insight.mmm.fit.surface import Surface

_FARTHEST = 8.0
"""From the prior's mean, in units of the parameters: far beyond what the prior thinks possible."""
_LONGEST = 1.5


def climbed(surface: Surface, starts: Floats, steps: int, target: Floats | None = None) -> tuple[Floats, Floats]:
    """From (D, N) up to `steps` steps; returns (D, N) and the log density (N,)."""
    here = starts.copy()
    local = surface.local(here, target, precise=True)
    caution = np.full(here.shape[1], 1e-2)
    center = surface.media.prior[0][:, None]
    unit = np.eye(len(here))
    for _ in range(steps):
        scale = local.precision * unit
        moves = np.linalg.solve(local.precision + caution[:, None, None] * scale, local.gradient.T[:, :, None])[
            :, :, 0
        ].T
        moves = np.clip(moves, -_LONGEST, _LONGEST)
        there = np.clip(here + moves, center - _FARTHEST, center + _FARTHEST)
        next_local = surface.local(there, target, precise=True)
        better = next_local.density > local.density
        here = np.where(better, there, here)
        caution = np.clip(np.where(better, caution / 5, caution * 6), 1e-6, 1e6)
        gained = np.where(better, next_local.density - local.density, 0)
        local = type(local)(
            np.where(better, next_local.density, local.density),
            np.where(better, next_local.gradient, local.gradient),
            np.where(better[:, None, None], next_local.precision, local.precision),
        )
        if better.any() and gained.max() < 1e-3:
            break
    return here, local.density
