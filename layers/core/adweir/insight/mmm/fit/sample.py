"""Draws from the posterior: Hamiltonian Monte Carlo, many chains as one batch, in coordinates of the curvature.

Neal, "MCMC using Hamiltonian dynamics" (2011). The coordinates make the density nearly round, so few steps suffice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adweir.insight.mmm.fit.frame import Floats
from adweir.insight.mmm.fit.surface import Surface

CHAINS = 16
_WARM = 25
_QUARTER_TURN = np.pi / 2
_WANTED = 0.8
_FARTHEST = 20.0
"""From the most likely parameters, in their logs: where no draw is, and exponentials are still numbers. A trajectory
that gets there is refused.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """(D, N) draws; `accepted`: the share of proposals; `rhat`: the worst of the parameters' (1: the chains agree)."""

    vectors: Floats
    accepted: float
    rhat: float


def drawn(surface: Surface, mode: Floats, rounds: int, seed: np.random.Generator) -> Draws:
    """`rounds` draws of each chain, from (D,) the most likely vector."""
    size = len(mode)
    curvature = surface.local(mode[:, None], precise=True).precision[0]
    turn = np.linalg.inv(np.linalg.cholesky(curvature)).T
    here = mode[:, None] + 0.7 * turn @ seed.normal(size=(size, CHAINS))
    local = surface.local(here)
    pace, kept, accepted = min(0.7, 1.2 * size**-0.25), [], []
    for at in range(_WARM + rounds):
        stride = pace * seed.uniform(0.8, 1.2)
        push = seed.normal(size=(size, CHAINS))
        energy = local.density - 0.5 * (push**2).sum(axis=0)
        there, now, thrust = here, local, push
        for _ in range(max(1, round(_QUARTER_TURN * seed.uniform(0.5, 1.5) / stride))):
            thrust = thrust + 0.5 * stride * turn.T @ now.gradient
            there = np.clip(there + stride * turn @ thrust, mode[:, None] - _FARTHEST, mode[:, None] + _FARTHEST)
            now = surface.local(there)
            thrust = thrust + 0.5 * stride * turn.T @ now.gradient
        gain = now.density - 0.5 * (thrust**2).sum(axis=0) - energy
        chance = np.exp(np.minimum(0, np.nan_to_num(gain, nan=-np.inf)))
        takes = seed.uniform(size=CHAINS) < chance
        here = np.where(takes, there, here)
        local = type(local)(
            np.where(takes, now.density, local.density), np.where(takes, now.gradient, local.gradient), now.precision
        )
        if at < _WARM:
            pace = float(np.clip(pace * np.exp(0.3 * (chance.mean() - _WANTED)), 0.02, 1.2))
        else:
            kept.append(here)
            accepted.append(chance.mean())
    chains = np.array(kept)
    return Draws(chains.transpose(1, 0, 2).reshape(size, -1), float(np.mean(accepted)), _rhat(chains))


def _rhat(chains: Floats) -> float:
    """Gelman and Rubin's ratio for (rounds, D, chains), each chain's halves apart."""
    half = len(chains) // 2
    parts = np.concatenate([chains[:half], chains[half : 2 * half]], axis=2)
    within = parts.var(axis=0, ddof=1).mean(axis=1)
    between = parts.mean(axis=0).var(axis=1, ddof=1)
    return float(np.sqrt(((half - 1) / half * within + between) / np.maximum(within, 1e-300)).max())
