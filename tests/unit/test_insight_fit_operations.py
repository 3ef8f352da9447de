"""What a fit does, counted: each bootstrap estimates adstock and saturation anew, and each draw moves them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pytest

from adweir.insight.mmm.fit import bootstrap
from adweir.insight.mmm.fit.bootstrap import REFITS, refitted
from adweir.insight.mmm.fit.estimate import fit
from adweir.insight.mmm.fit.frame import Floats, MixFrame
from adweir.insight.mmm.fit.kernels import Family
from adweir.insight.mmm.fit.media import HALF, SIZE, THETA
from adweir.insight.mmm.fit.solve import climbed
from adweir.insight.mmm.fit.surface import Surface

PERIODS = 80
CHANNELS = ("search", "video")


def world() -> MixFrame:
    draws = np.random.default_rng(3)
    spend = np.exp(draws.normal(2, 0.6, (2, PERIODS)))
    stock = np.array([np.convolve(each, 0.5 ** np.arange(20))[:PERIODS] for each in spend])
    sold = 300 + (120 * stock / (stock + 18)).sum(axis=0) + draws.normal(0, 4, PERIODS)
    days = tuple(date(2024, 1, 1) + timedelta(days=7 * week) for week in range(PERIODS))
    return MixFrame(days, sold[None], CHANNELS, spend[:, None, :])


@dataclass
class Refits:
    """What the bootstrap asked for, and what it got."""

    surfaces: list[Surface] = field(default_factory=list)
    modes: list[Floats] = field(default_factory=list)
    targets: list[Floats] = field(default_factory=list)
    found: list[Floats] = field(default_factory=list)
    evaluations: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def refits() -> Refits:
    """Those of one fit, a list entry per family."""
    seen = Refits()

    def climbs(surface: Surface, starts: Floats, steps: int, target: Floats | None = None) -> tuple[Floats, Floats]:
        assert target is not None
        before = surface.evaluations
        answer = climbed(surface, starts, steps, target)
        seen.surfaces.append(surface)
        seen.modes.append(starts)
        seen.targets.append(target)
        seen.found.append(answer[0])
        seen.evaluations.append(surface.evaluations - before)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "climbed", climbs)
        fit(world())
    return seen


def test_each_family_is_refitted_to_as_many_kpis_as_it_says(refits: Refits) -> None:
    assert {each.media.family for each in refits.surfaces} == set(Family)
    for targets, evaluations in zip(refits.targets, refits.evaluations, strict=True):
        assert len(np.unique(targets, axis=1).T) == REFITS
        assert evaluations >= 3 * REFITS


def test_each_refit_has_an_adstock_and_a_saturation_of_its_own(refits: Refits) -> None:
    for surface, found in zip(refits.surfaces, refits.found, strict=True):
        full = surface.media.slots(found)
        for which in (SIZE, THETA, HALF):
            assert all(len(np.unique(full[which, channel])) == REFITS for channel in range(len(CHANNELS)))


def test_each_refit_explains_its_kpi_better_than_the_fit_with_only_its_sizes_estimated_anew(refits: Refits) -> None:
    gained = []
    for surface, mode, targets, found in zip(refits.surfaces, refits.modes, refits.targets, refits.found, strict=True):
        sizes = np.array([which == SIZE for _, which in surface.media.free])
        held = np.where(sizes[:, None], found, mode)
        gained.append(surface.local(found, targets).density - surface.local(held, targets).density)

    assert (np.concatenate(gained) > 0).mean() > 0.9


def test_a_bootstrap_begins_where_the_fit_ended_and_ends_elsewhere(refits: Refits) -> None:
    surface, mode = refits.surfaces[0], refits.modes[0]

    again = refitted(surface, mode[:, :1], np.random.default_rng(1))

    assert again.shape == (len(surface.media.free), REFITS)
    assert (np.abs(again - mode[:, :1]).max(axis=0) > 1e-3).all()
