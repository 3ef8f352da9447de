"""Block bootstrap of the residuals: every KPI that is made anew has adstock and saturation estimated anew.

Blocks keep what is left of autocorrelation (Künsch 1989), so the spread of the refits says how far an answer depends on
the noise without believing the noise's model.
"""

from __future__ import annotations

import numpy as np

from adweir.insight.mmm.fit.frame import Floats
from adweir.insight.mmm.fit.solve import climbed
from adweir.insight.mmm.fit.surface import Surface

REFITS = 48
_BLOCK = {1: 28, 7: 8}
_CLIMBS = 6


def refitted(surface: Surface, mode: Floats, seed: np.random.Generator) -> Floats:
    """(D, REFITS): the most likely vectors for KPIs with the residuals' blocks drawn again."""
    rows = surface.rows
    total = surface.media.bring(mode).total
    whole = rows.kpi * rows.weights + rows.offset
    noise = surface.apart(total) * rows.trust
    used = float(np.trace(np.linalg.solve(surface.inner, surface.inner - surface.prior))) + len(mode)
    noise *= np.sqrt(len(noise) / max(len(noise) - used, 0.25 * len(noise)))
    drawn = _blocks(noise.reshape(rows.geos, -1), _BLOCK[surface.media.step], seed)
    targets = surface.whiten((whole - surface.apart(total) * rows.trust)[:, None] + drawn)
    found, _ = climbed(surface, np.repeat(mode, REFITS, axis=1), _CLIMBS, targets)
    return found


def _blocks(noise: Floats, size: int, seed: np.random.Generator) -> Floats:
    """(R, REFITS): rows of blocks that begin anywhere and go round; all geos take the same, for shocks are shared."""
    periods = noise.shape[1]
    starts = seed.integers(0, periods, (-(-periods // size), REFITS))
    places = (starts[:, None, :] + np.arange(size)[None, :, None]).reshape(-1, REFITS)[:periods] % periods
    return np.asarray(noise[:, places].reshape(-1, REFITS) - noise.mean())
