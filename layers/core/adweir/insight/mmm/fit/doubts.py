"""What the data cannot tell, in words. A warning is about a fit that nothing in its intervals would give away.

Tests are score tests against the settled model: is there something left in the residuals that a column explains which
should explain nothing, such as the spend of the weeks to come?
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adweir.insight.mmm.fit.baseline import WHOLE_YEAR
from adweir.insight.mmm.fit.frame import Floats, MixFrame
from adweir.insight.mmm.fit.settle import Settled
from adweir.insight.mmm.fit.shapes import AskedShapes
from adweir.insight.mmm.fit.surface import Noise, Surface
from adweir.model.errors import BadInput

_ROWS_PER_VARIABLE = 10
_LEAST_VARIATION = 0.1
_COLLINEAR = 0.95
"""Of a channel's spend, that the other channels' explains: its effect's variance is twenty times what it could be."""
_LEAST_OWN = 0.1
"""Of the variance of a channel's spend, that the baseline's columns do not explain."""
_TOGETHER = 0.12
"""Median correlation of the channels' spend, season and trend taken out. Independent budgets have 0.03 at most."""
_FEWEST_TOGETHER = 3
_FOLLOWS = 3.3
"""Standard deviations, one-sided, of what the KPI seems to know of a channel's coming spend."""
_REMEMBERS, _UNLIKELY = 0.3, 3.0
"""Autocorrelation of the residuals, and in standard deviations of what independent ones have by chance."""
_WANDERS = 0.33
"""Standard deviation of the trend's wandering, beside that of what all channels bring."""
_LEAST_RUN = 0.02
"""Of the usual spend: logs end there."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """Warnings about the fit as a whole, and by channel."""

    general: tuple[str, ...]
    of_channel: Mapping[str, tuple[str, ...]]


def doubts_of(frame: MixFrame, found: Settled, asked: AskedShapes) -> Doubts:
    """All warnings, most general first."""
    moves, own = _surprises(frame, found.surface)
    by_channel = defaultdict[str, list[str]](list)
    for channel, said in (
        *_variation(frame),
        *_told_apart(frame, moves),
        *_seasonal(frame, own),
        *_follows(frame, found, moves),
        *_shaped(frame, asked),
    ):
        by_channel[channel].append(said)
    general = (*_rows(frame), *_together(frame, moves), *_lasting(frame, found), *_curved(frame, asked))
    return Doubts(general, {channel: tuple(said) for channel, said in by_channel.items()})


def implausible(share: float) -> Iterator[str]:
    """What cannot be, whatever the intervals say. `share`: of the KPI, that all channels bring."""
    if share > 1:
        much = f"{100 * share:.0f} % of the KPI, more than there was"
        said = f"the channels would have brought {much}: the fit overstates them"
        yield f"{said}. Give it a KPI that also counts what came without advertising, or an experiment"


def explained(frame: MixFrame, errors: Floats) -> float:
    """R2 of a fit, by what it is off in each row (R,), in the KPI's units.

    Raises BadInput where that is below 0: who explains less than the mean has no estimate of a channel.
    """
    r2 = 1 - float((errors**2).sum() / ((frame.kpi - frame.kpi.mean()) ** 2).sum())
    if r2 >= 0:
        return r2
    geo, at = divmod(int(np.argmax(np.abs(errors))), len(frame.dates))
    sold = float(frame.kpi[geo, at])
    said = (
        f"a fit would be farther from it than its mean is (R2 {r2:.2f}), so it would say nothing of the channels;"
        f" farthest off is {frame.where(geo, at)}: {sold:,.10g}, and {sold - errors[geo * len(frame.dates) + at]:,.6g}"
        " would be fitted. Correct the row if it is wrong, or give what happened there as a control"
    )
    raise BadInput.listing("this cannot be fitted", [{"field": "kpi", "message": said}])


def _rows(frame: MixFrame) -> Iterator[str]:
    variables = len(frame.channels) + len(frame.control_names)
    if frame.kpi.size < _ROWS_PER_VARIABLE * variables:
        yield f"too few rows: {frame.kpi.size} for {variables} channels and controls; ten for each are the least"


def _variation(frame: MixFrame) -> Iterator[tuple[str, str]]:
    for channel, values in zip(frame.channels, frame.acting, strict=True):
        moved = float(np.mean(values.std(axis=1) / np.maximum(values.mean(axis=1), 1e-300)))
        if moved < _LEAST_VARIATION:
            yield channel, f"its spend hardly varies (by {moved:.0%}): what it brings looks like the baseline"


def _told_apart(frame: MixFrame, moves: Floats) -> Iterator[tuple[str, str]]:
    """Channels whose spend the others' explains nearly whole, season and trend taken out."""
    if len(moves) == 1:
        return
    correlation = np.asarray(np.corrcoef(moves))
    inflated = np.diag(np.linalg.inv(correlation + 1e-9 * np.eye(len(moves))))
    for place, channel in enumerate(frame.channels):
        others = np.where(np.arange(len(moves)) == place, 0.0, np.abs(correlation[place]))
        partner = int(np.argmax(others))
        if 1 - 1 / inflated[place] > _COLLINEAR:
            said = f"collinear: it rises and falls with {frame.channels[partner]} (correlation {others[partner]:.2f})"
            yield channel, f"{said}, so what each brings cannot be told apart"


def _seasonal(frame: MixFrame, own: Floats) -> Iterator[tuple[str, str]]:
    for channel, share in zip(frame.channels, own, strict=True):
        if share < _LEAST_OWN:
            yield channel, f"collinear with season, trend or a control: {share:.0%} of its spend's movement is its own"


def _surprises(frame: MixFrame, surface: Surface) -> tuple[Floats, Floats]:
    """(C, R): log spend without level, trend, year, week and controls, in its own deviations; 0 where a channel did not
    run. (C,): how much of its variance that is.
    """
    columns = surface.base.columns
    held = surface.base.precision(Noise().walk, 1e3)
    found, own = [], []
    for values in frame.acting.reshape(len(frame.channels), -1):
        runs = values > 0
        usual = values[runs].mean()
        logs = np.log(np.maximum(values, _LEAST_RUN * usual) / usual)
        part = columns[runs]
        level = np.linalg.solve(part.T @ part + held, part.T @ logs[runs])
        left = np.where(runs, logs - columns @ level, 0.0)
        own.append(float(left[runs].var()) / max(_within(logs, runs, len(frame.geos)), 1e-12))
        found.append(left / max(float(left.std()), 1e-9))
    return np.array(found), np.array(own)


def _within(logs: Floats, runs: NDArray[np.bool_], geos: int) -> float:
    """The variance of the values that run, each about its geo's mean: that geos differ in size is no movement."""
    blocks, there = logs.reshape(geos, -1), runs.reshape(geos, -1)
    return float(
        np.concatenate([each[on] - each[on].mean() for each, on in zip(blocks, there, strict=True) if on.any()]).var()
    )


def _together(frame: MixFrame, moves: Floats) -> Iterator[str]:
    """Budgets that are set by demand rise together. What is left after season and trend should not."""
    if len(frame.channels) < _FEWEST_TOGETHER:
        return
    pairs = np.asarray(np.corrcoef(moves))[np.triu_indices(len(moves), 1)]
    if float(np.median(pairs)) > _TOGETHER:
        yield (
            f"possible hidden driver: the channels' spend rises and falls together (correlation {np.median(pairs):.2f}"
            " beyond season and trend); where budgets follow demand, what advertising brings is overstated: give demand"
            " as a control, or an experiment"
        )


def _follows(frame: MixFrame, found: Settled, moves: Floats) -> Iterator[tuple[str, str]]:
    """Advertising to come brings nothing today. A KPI that seems to know of it moves the spend, or with it."""
    ahead = 1 if frame.step == 7 else 7
    for channel, moved in zip(frame.channels, moves, strict=True):
        coming = _coming(moved.reshape(len(frame.geos), -1), ahead).reshape(-1)
        if left_over(found, coming) > _FOLLOWS:
            said = "possible hidden driver: the KPI moves before its spend does, so its spend may follow demand"
            yield channel, f"{said}, and what it brings may be overstated"


def _coming(moves: Floats, ahead: int) -> Floats:
    """The mean of the next week's, or for weeks the next one's; 0 at the end."""
    sums = np.zeros_like(moves)
    for step in range(1, ahead + 1):
        sums[:, :-step] += moves[:, step:]
    return np.asarray(sums / ahead)


def left_over(found: Settled, column: Floats) -> float:
    """What a further column (R,) explains of the residuals, in standard deviations, with its sign."""
    surface = found.surface
    brought = surface.media.bring(found.mode)
    left = surface.projected(surface.residuals(brought.total))[:, 0]
    variance = float(surface.residuals(brought.total)[:, 0] @ left) / surface.freedom
    steps = surface.whiten(np.ascontiguousarray((brought.steps[:, :, 0] * surface.rows.weights).T))
    own = surface.projected(steps)
    _, prior = surface.media.prior
    curvature = steps.T @ own / variance + prior
    signal = surface.projected(surface.whiten(column * surface.rows.trust)[:, None])[:, 0]
    across = steps.T @ signal / variance
    taken = np.linalg.solve(curvature, across)
    raw = float(surface.whiten(column * surface.rows.trust) @ signal) / variance
    spread = raw - float(across @ taken)
    return float(
        (signal - own @ taken) @ surface.residuals(brought.total)[:, 0] / variance / np.sqrt(max(spread, 1e-9))
    )


def _shaped(frame: MixFrame, asked: AskedShapes) -> Iterator[tuple[str, str]]:
    for place in sorted(asked.unfitted):
        said = "its response looks S-shaped, for which there are too few rows: a concave curve is fitted"
        yield frame.channels[place], f"{said}, which may overstate what it brings"


def _curved(frame: MixFrame, asked: AskedShapes) -> Iterator[str]:
    if asked.guessed:
        yield (
            f"responses look S-shaped, and {frame.kpi.size} rows are too few to tell each channel's from the others':"
            " how little a small spend brings is a guess"
        )


def _lasting(frame: MixFrame, found: Settled) -> Iterator[str]:
    """What lasts and is in no column, whether the trend takes it or the residuals: where budgets follow it, it looks
    like an effect of theirs. In less than a year nobody knows the season's form: there the trend takes that, too.
    """
    surface = found.surface
    has_season = len(frame.dates) * frame.step >= WHOLE_YEAR
    total = surface.media.bring(found.mode).total
    memory, wander = surface.noise.memory, _wander(surface, total)
    unlikely = _UNLIKELY / np.sqrt(len(surface.rows.kpi))
    share = float(wander.std() / max(float(total.std()), 1e-300))
    if memory >= max(_REMEMBERS, unlikely):
        moved = f"residuals are autocorrelated ({memory:.2f})"
    elif has_season and share > _WANDERS:
        moved = f"beyond season and controls the KPI wanders by {share:.0%} of what all channels move it"
    else:
        return
    yield (
        f"possible hidden driver: {moved}, so something that lasts moves it and is not in the data; where budgets"
        " follow that, what advertising brings is overstated: give it as a control, or an experiment"
    )


def _wander(surface: Surface, total: Floats) -> Floats:
    """(R,): what the trend adds to its straight line, in the KPI's units."""
    walks = np.diag(surface.base.walk) > 0
    level = surface.level(total)[walks, 0]
    return np.asarray(surface.base.columns[:, walks] @ level * surface.rows.trust / surface.rows.weights)
