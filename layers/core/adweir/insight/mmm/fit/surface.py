"""How well parameters of the media explain the KPI, with the baseline and the noise's size integrated out.

Given the media, the baseline is a linear model with a normal prior, so its posterior is known in closed form. What is
left is a sum of squares Q of the media's parameters, and the log density -f/2 log Q + log prior, with f degrees of
freedom. Rows are weighted (a baseline that multiplies has noise in proportion to it), and first-order autocorrelation
is taken out before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from adweir.insight.mmm.fit.baseline import Baseline
from adweir.insight.mmm.fit.frame import Floats
from adweir.insight.mmm.fit.media import ActingMedia, Shapes


@dataclass(frozen=True, slots=True)
class Noise:
    """What is assumed of baseline and residuals. `walk` and `season` are in units of the noise."""

    walk: float = 0.3
    season: float = 10.0
    memory: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class KpiRows:
    """The KPI, geo by geo: weights * (kpi - media) + offset = trust * columns @ coefficients + noise, all (R,).

    `trust`: what a row counts, 1 for one as usual. `geos`: how many blocks there are.
    """

    kpi: Floats
    weights: Floats
    offset: Floats
    trust: Floats
    geos: int

    def whitened(self, values: Floats, memory: float) -> Floats:
        """(R, ...) without autocorrelation."""
        if memory == 0:
            return values
        blocks = values.reshape(self.geos, -1, *values.shape[1:])
        found = blocks.copy()
        found[:, 1:] -= memory * blocks[:, :-1]
        found[:, 0] *= np.sqrt(1 - memory**2)
        return found.reshape(values.shape)

    def returned(self, values: Floats, memory: float) -> Floats:
        """The transposed operation."""
        if memory == 0:
            return values
        blocks = values.reshape(self.geos, -1, *values.shape[1:])
        found = blocks.copy()
        found[:, 0] *= np.sqrt(1 - memory**2)
        found[:, :-1] -= memory * blocks[:, 1:]
        return found.reshape(values.shape)


@dataclass(frozen=True, slots=True)
class Local:
    """A batch's log density (N,), gradient (D, N), and Gauss-Newton precision (N, D, D) where it was asked for."""

    density: Floats
    gradient: Floats
    precision: Floats


class Anchor(Protocol):
    """A known sum of what a channel brings: the log density of an experiment, for a batch."""

    def shaped(self, shapes: Shapes) -> Anchor:
        """The same for media of other shapes."""

    def local(self, vectors: Floats) -> Local:
        """Its part of the density."""


@dataclass(eq=False)
class Surface:
    """The log density of the media's parameters."""

    media: ActingMedia
    base: Baseline
    rows: KpiRows
    noise: Noise
    anchors: Sequence[Anchor] = ()
    evaluations: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        columns = self.whiten(self.base.columns * self.rows.trust[:, None])
        self.prior = self.base.precision(self.noise.walk, self.noise.season)
        self.inner = columns.T @ columns + self.prior
        self.factor = np.linalg.inv(np.linalg.cholesky(self.inner))
        self.plane = columns @ self.factor.T
        self.target = self.whiten(self.rows.kpi * self.rows.weights + self.rows.offset)
        self.freedom = len(self.target) - self.base.flat

    def whiten(self, values: Floats) -> Floats:
        return self.rows.whitened(values, self.noise.memory)

    def residuals(self, total: Floats, target: Floats | None = None) -> Floats:
        """(R, N): what neither media nor baseline explain, of whitened rows."""
        weights = self.rows.weights[:, None]
        held = self.target[:, None] if target is None else target
        return np.asarray(held - self.whiten(weights * total))

    def apart(self, total: Floats) -> Floats:
        """(R,): residuals of rows as they are, not whitened nor weighted by trust, for media of one vector (R, 1)."""
        raw = self.rows.weights * (self.rows.kpi - total[:, 0]) + self.rows.offset
        return np.asarray(raw / self.rows.trust - self.base.columns @ self.level(total)[:, 0])

    def projected(self, values: Floats) -> Floats:
        """Without what the baseline takes, its prior considered."""
        return np.asarray(values - self.plane @ (self.plane.T @ values))

    def local(self, vectors: Floats, target: Floats | None = None, *, precise: bool = False) -> Local:
        """The density at a batch. `target` (R, N): other KPIs, a column per vector, as a bootstrap has them."""
        self.evaluations += vectors.shape[1]
        brought = self.media.bring(vectors)
        residuals = self.residuals(brought.total, target)
        left = self.projected(residuals)
        squares = np.maximum((residuals * left).sum(axis=0), 1e-300)
        mean, precision = self.media.prior
        away = vectors - mean[:, None]
        pulled = precision @ away
        density = -0.5 * self.freedom * np.log(squares) - 0.5 * (away * pulled).sum(axis=0)
        back = self.rows.returned(left, self.noise.memory) * self.rows.weights[:, None]
        rate = self.freedom / squares
        gradient = rate * np.einsum("drn,rn->dn", brought.steps, back) - pulled
        curvature = self._curvature(brought.steps, rate) + precision if precise else np.zeros(0)
        for anchor in self.anchors:
            more = anchor.local(vectors)
            density, gradient = density + more.density, gradient + more.gradient
            if precise:
                curvature = curvature + more.precision
        return Local(density, gradient, curvature)

    def _curvature(self, steps: Floats, rate: Floats) -> Floats:
        found = np.empty((steps.shape[2], len(steps), len(steps)))
        turned = np.empty((steps.shape[2], *steps.shape[:2]))
        for place, step in enumerate(steps):  # one at a time: it stays in the processor's cache
            np.multiply(step.T, self.rows.weights, out=turned[:, place])
        for place, weighted in enumerate(turned):
            jacobian = self.whiten(np.ascontiguousarray(weighted.T))
            onto = self.plane.T @ jacobian
            found[place] = (jacobian.T @ jacobian - onto.T @ onto) * rate[place]
        return found

    def level(self, total: Floats) -> Floats:
        """(P, N): the baseline's coefficients for media that bring `total` (R, N)."""
        return np.asarray(self.factor.T @ (self.plane.T @ self.residuals(total)))

    def evidence(self, total: Floats) -> float:
        """The log of how likely the rows are given the media (R, 1), the baseline's coefficients integrated out."""
        residuals = self.residuals(total)
        squares = float((residuals * self.projected(residuals)).sum())
        _, inner = np.linalg.slogdet(self.inner)
        _, prior = np.linalg.slogdet(self.prior)
        start = 0.5 * self.rows.geos * np.log(1 - self.noise.memory**2)
        scale = float(np.log(self.rows.weights).sum())
        return float(start + scale + 0.5 * (prior - inner) - 0.5 * self.freedom * np.log(squares))
