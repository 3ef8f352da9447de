"""Scores a ratio by its counts: clicks of impressions, conversions of clicks.

A series of ratios has no z of its own: 1 of 10 and 1,000 of 10,000 are not equally sure. So the count is compared with
the binomial that the history predicts, widened by how much more the days really vary.
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, fields
from math import sqrt

from adweir.insight.anomalies.judging import bounded, judged
from adweir.insight.anomalies.settings import Note, ScoreBasis, Scored, SeriesSettings
from adweir.model.errors import BadInput

RATE_FORM = 1
_LEAST_EXPECTED = 5.0
"""Successes that have to be expected: below it a binomial is too lopsided for a z."""
_RUN_Z = 2.0
_CLIP = 3.0
_MEMORY = 0.97
"""What a day leaves of the days before it: about a month counts."""
_WIDTH_RATE = 0.05
_TINY = 1e-12


@dataclass(slots=True)
class RateState:
    """A rate up to its newest value, which waits in `pending` as (at, hits, trials)."""

    form: int = RATE_FORM
    seen: int = 0
    hits: float = 0.0
    trials: float = 0.0
    width: float = 1.0
    side: int = 0
    run: int = 0
    run_hits: float = 0.0
    run_trials: float = 0.0
    pending: tuple[int, float, float] | None = None
    pending_alarm: bool = False
    alarmed: int | None = None
    expected: int = 0

    def to_json(self) -> str:
        return json.dumps(astuple(self), separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> RateState:
        """Raises BadInput for what is no state of this form: learn the rate anew then."""
        try:
            values = json.loads(text)
            found = cls(**dict(zip(_NAMES, values, strict=True)))
        except (TypeError, ValueError) as error:
            raise BadInput(f"this is no state of a rate: {error}") from None
        if found.form != RATE_FORM:
            raise BadInput(f"the state of a rate has form {str(found.form)[:20]}, not {RATE_FORM}: learn it anew")
        if found.pending is not None:
            at, hits, trials = found.pending
            found.pending = (at, hits, trials)
        return found

    def copy(self) -> RateState:
        return RateState.from_json(self.to_json())


def learn_rate(state: RateState, settings: SeriesSettings, at: int, hits: float, trials: float) -> Scored:
    """Score `hits` of `trials` and remember them; the rules for `at` are those of `detector.learn`.

    The score's `value` and `expected` are rates; `value` is 0 where there were no trials.
    """
    if state.pending is not None and at != state.pending[0]:
        if at < state.pending[0]:
            return _score(state, settings, at, hits, trials)._replace(note=Note.LATE)
        _commit(state, settings, *state.pending)
    scored = _score(state, settings, at, hits, trials)
    state.pending, state.pending_alarm = (at, hits, trials), scored.anomaly
    return scored


def check_rate(state: RateState, settings: SeriesSettings, at: int, hits: float, trials: float) -> Scored:
    """Score a rate as `learn_rate` would, without remembering it."""
    return learn_rate(state.copy(), settings, at, hits, trials)


def _score(state: RateState, settings: SeriesSettings, at: int, hits: float, trials: float) -> Scored:
    value = hits / trials if trials > 0 else 0.0
    if state.seen < settings.min_values or state.trials <= 0:
        return Scored(at, value, threshold=settings.threshold, note=Note.INSUFFICIENT_HISTORY)
    rate = state.hits / state.trials
    if trials * rate < _LEAST_EXPECTED:
        return Scored(at, value, rate, threshold=settings.threshold, note=Note.LOW_VOLUME)
    z = bounded((value - rate) / sqrt(max(state.width * _variance(state, rate, trials), _TINY)))
    found = Scored(at, value, rate, z, basis=ScoreBasis.ROBUST)
    return judged(found, settings, state.alarmed, state.expected, trials)


def _variance(state: RateState, rate: float, trials: float) -> float:
    """Of a rate in `trials`, the history's own uncertainty with it. A rate above one is of counts, not of shares."""
    return rate * max(1 - rate, 0.1) * (1 / trials + 1 / state.trials)


def _commit(state: RateState, settings: SeriesSettings, at: int, hits: float, trials: float) -> None:
    if state.pending_alarm:
        state.alarmed = at
    if trials <= 0:
        return
    if state.seen >= 1 and state.hits > 0:
        hits = _tamed(state, settings, hits, trials)
    state.hits = state.hits * _MEMORY + hits
    state.trials = state.trials * _MEMORY + trials
    state.seen += 1


def _tamed(state: RateState, settings: SeriesSettings, hits: float, trials: float) -> float:
    """The hits as far as they are learned. Five values on one side make a new rate, of those values alone."""
    rate = state.hits / state.trials
    single = _variance(state, rate, trials)
    z = (hits / trials - rate) / sqrt(max(state.width * single, _TINY))
    if abs(z) < _RUN_Z:
        state.run = 0
    else:
        side = 1 if z > 0 else -1
        if side != state.side or not state.run:
            state.side, state.run, state.run_hits, state.run_trials = side, 0, 0.0, 0.0
        state.run += 1
        state.run_hits += hits
        state.run_trials += trials
    if state.run >= settings.shift_after:
        state.hits, state.trials, state.run = state.run_hits - hits, state.run_trials - trials, 0
        state.hits, state.trials = state.hits / _MEMORY, state.trials / _MEMORY
        return hits
    kept = min(max(z, -_CLIP), _CLIP)
    state.width += _WIDTH_RATE * (kept * kept * state.width - state.width)
    state.width = max(state.width, 1.0)
    return trials * (rate + kept * sqrt(max(state.width * single, _TINY)))


_NAMES = [each.name for each in fields(RateState)]
