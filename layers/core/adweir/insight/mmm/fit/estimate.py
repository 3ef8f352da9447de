"""A media-mix model from end to end: `fit` takes a frame and says what each channel brought, how sure that is, and what
the data cannot tell. docs/mmm.md explains the method and names its sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from adweir.insight.mmm.fit.answers import Sampled, channel_effects
from adweir.insight.mmm.fit.baseline import baseline
from adweir.insight.mmm.fit.bootstrap import refitted
from adweir.insight.mmm.fit.budget import reallocated
from adweir.insight.mmm.fit.doubts import doubts_of, explained, implausible
from adweir.insight.mmm.fit.experiments import anchors_of
from adweir.insight.mmm.fit.frame import Floats, MixFrame
from adweir.insight.mmm.fit.geos import by_place, nothing_of
from adweir.insight.mmm.fit.kernels import Family
from adweir.insight.mmm.fit.media import Shapes, SpentBefore, heads_of, media_of
from adweir.insight.mmm.fit.outcome import LEVEL, MODEL_VERSION, MixOutcome, rounded
from adweir.insight.mmm.fit.sample import CHAINS, drawn
from adweir.insight.mmm.fit.settle import BaselineForm, Ground, Settled, settled, weighed
from adweir.insight.mmm.fit.shapes import AskedShapes, curved_ones, late_ones
from adweir.insight.mmm.fit.validate import Held, held_out

_RULED_OUT = 8.0
"""Log density by which a family explains the past worse: odds of 1 to 3,000. With its most likely parameters, and with
all that are possible: one of two families may have found the looser baseline.
"""
_POSSIBLE = 4.6
"""Log density by which an S of all channels may explain the past worse than the curves that are fitted and still be
possible: odds of 1 to 100, from which on evidence is decisive (Jeffreys 1961).
"""
_WORK = 60_000_000
"""Rows times channels times lags times draws that sampling a family may cost: some ten seconds."""
_FEWEST_ROUNDS, _ROUNDS_AT_BEST = 60, 300
_STARTS = 4
_CLEARLY_NOTHING = 1.0
"""Log density by which the rows have to be more likely if nothing ran before them: odds of 3, as most tables are cut
out of the middle.
"""


class _Formed(NamedTuple):
    """The families with the shapes that the data ask for, and an S of all channels where that may be as well."""

    asked: AskedShapes
    families: dict[Family, Settled]
    possible: Settled | None


class _Chosen(NamedTuple):
    """A family's fit, and how it predicts what it has not seen."""

    found: Settled
    held: Held
    error: float


def fit(frame: MixFrame) -> MixOutcome:
    """Fit a frame. The same frame gives the same outcome, and channels and controls may come in any order.

    Raises BadInput when the frame cannot be fitted, or its fit would be farther off than the KPI's mean is.
    """
    ordered = _ordered(frame.checked())
    hashed = ordered.hashed()
    ordered, silent = _spoken(ordered)
    seed = np.random.default_rng(int(hashed, 16))
    ground, first = _ground(ordered, seed)
    formed = _shaped(ordered, ground, first)
    families = {family: _held(each) for family, each in formed.families.items()}
    kept = _kept(families)
    chosen = min(kept, key=lambda family: kept[family].error)
    heads = np.repeat(heads_of(ordered), ordered.kpi.shape[1])
    explained(ordered, _left(families[chosen].found) * heads)
    sampled = {family.value: _sampled(each.found, heads, seed) for family, each in kept.items()}
    if formed.possible:
        sampled[f"{formed.possible.surface.media.family}_s"] = _sampled(formed.possible, heads, seed)
    doubts = doubts_of(ordered, families[chosen].found, formed.asked)
    effects = channel_effects(ordered, sampled, chosen, doubts)
    effects = [
        replace(effect, geos=place.geos, periods=place.periods)
        for effect, place in zip(effects, by_place(ordered, sampled, chosen), strict=True)
    ]
    named = {effect.channel: effect for effect in [*effects, *(nothing_of(name, ordered) for name in silent)]}
    about = _about(ordered, families, sampled, chosen, hashed) | {"never_ran": silent}
    return MixOutcome(
        channels=tuple(named[name] for name in frame.channels),
        fit=about,
        warnings=(*implausible(about["share_of_media"]), *doubts.general),
        reallocation=reallocated(ordered, sampled, chosen),
    )


def _ordered(frame: MixFrame) -> MixFrame:
    """With channels and controls by name."""
    channels = sorted(range(len(frame.channels)), key=lambda place: frame.channels[place])
    controls = sorted(range(len(frame.control_names)), key=lambda place: frame.control_names[place])
    return replace(
        frame,
        channels=tuple(frame.channels[place] for place in channels),
        spend=frame.spend[channels],
        media=None if frame.media is None else frame.media[channels],
        control_names=tuple(frame.control_names[place] for place in controls),
        controls=frame.held[controls],
    )


def _spoken(frame: MixFrame) -> tuple[MixFrame, list[str]]:
    """The frame without channels that never ran, and those."""
    ran = [place for place, values in enumerate(frame.acting) if values.any()]
    fewer = replace(
        frame,
        channels=tuple(frame.channels[place] for place in ran),
        spend=frame.spend[ran],
        media=None if frame.media is None else frame.media[ran],
    )
    return fewer, [name for name in frame.channels if name not in fewer.channels]


def _ground(frame: MixFrame, seed: np.random.Generator) -> tuple[Ground, Settled]:
    """What does not depend on the family: the KPI, the baseline and the form of it, and what ran before the first row,
    as they explain the rows best. That nothing ran is only believed where that is clear.
    """
    kpi = (frame.kpi / heads_of(frame)[:, None]).reshape(-1)
    columns, away = baseline(frame), None
    tried: dict[SpentBefore, tuple[Ground, Settled]] = {}
    for before in SpentBefore:
        media = media_of(frame, Family.HILL, before)
        ground = Ground(kpi, columns, len(frame.geos), anchors_of(frame, media))
        if away is None:
            away = 0.5 * seed.normal(size=(len(media.free), _STARTS))
            away[:, 0] = 0
        found = [settled(ground, media, media.start() + away[: len(media.free)], form) for form in BaselineForm]
        tried[before] = ground, _likeliest(found)
    gained = weighed(tried[SpentBefore.NOTHING][1]) - weighed(tried[SpentBefore.UNKNOWN][1])
    return tried[SpentBefore.NOTHING if gained > _CLEARLY_NOTHING else SpentBefore.UNKNOWN]


def _likeliest(forms: Sequence[Settled]) -> Settled:
    """By what Student's t says of the rows, but for a form that is ruled out with baseline and media integrated out: it
    may have found the looser trend. Not so where rows lie far out, for one such row would decide that alone.
    """
    left = list(forms)
    if not any((each.surface.rows.trust < 1).any() for each in forms):
        left = [each for each in forms if weighed(each) > max(map(weighed, forms)) - _RULED_OUT]
    return max(left, key=lambda each: each.likely)


def _shaped(frame: MixFrame, ground: Ground, first: Settled) -> _Formed:
    """What the data ask for. Of few rows and channels a concave curve and an S often explain the past alike."""
    late = late_ones(first)
    plain = late.surface.media.shapes
    concave = {family: _family(frame, ground, late, family, plain) for family in Family}
    every = replace(plain, curved=frozenset(range(len(frame.channels))))
    tried = {plain: concave, every: _curved(frame, ground, concave, every)}
    for asked in curved_ones(list(concave.values())):
        if asked.shapes not in tried:
            tried[asked.shapes] = _curved(frame, ground, concave, asked.shapes)
        if not asked.on_trial or _best(tried[asked.shapes]) > _best(concave):
            break
    found, likeliest = tried[asked.shapes], max(tried[every].values(), key=weighed)
    possible = asked.shapes != every and weighed(likeliest) > _best(found) - _POSSIBLE
    return _Formed(asked, found, likeliest if possible else None)


def _curved(
    frame: MixFrame, ground: Ground, concave: Mapping[Family, Settled], shapes: Shapes
) -> dict[Family, Settled]:
    return {family: _family(frame, ground, found, family, shapes) for family, found in concave.items()}


def _best(families: Mapping[Family, Settled]) -> float:
    return max(weighed(each) for each in families.values())


def _family(frame: MixFrame, ground: Ground, first: Settled, family: Family, shapes: Shapes) -> Settled:
    media = media_of(frame, family, first.surface.media.before, shapes)
    own = ground._replace(anchors=anchors_of(frame, media))
    full = first.surface.media.slots(first.mode)
    start = np.array([full[which, channel] for channel, which in media.free])
    return settled(own, media, np.concatenate([start, media.start()], axis=1), first.form)


def _held(found: Settled) -> _Chosen:
    held = held_out(found)
    return _Chosen(found, held, float(np.sqrt(np.mean(held.errors**2))))


def _kept(families: Mapping[Family, _Chosen]) -> dict[Family, _Chosen]:
    """Without families that the past rules out."""
    likely = {family: np.array([each.found.likely, weighed(each.found)]) for family, each in families.items()}
    best = np.max(list(likely.values()), axis=0)
    return {family: each for family, each in families.items() if (best - likely[family]).min() < _RULED_OUT}


def _sampled(found: Settled, heads: Floats, seed: np.random.Generator) -> Sampled:
    """Draws of a model, spread so that they are at least as wide as the bootstrap's refits."""
    media = found.surface.media
    cost = media.past.size * CHAINS
    rounds = int(np.clip(_WORK * 8 / cost, _FEWEST_ROUNDS, _ROUNDS_AT_BEST))
    draws = drawn(found.surface, found.mode[:, 0], rounds, seed)
    return Sampled(media, draws, refitted(found.surface, found.mode, seed), heads)


def _about(
    frame: MixFrame,
    families: Mapping[Family, _Chosen],
    sampled: Mapping[str, Sampled],
    chosen: Family,
    hashed: str,
) -> dict[str, Any]:
    best = families[chosen]
    surface = best.found.surface
    heads = np.repeat(heads_of(frame), frame.kpi.shape[1])
    errors = _left(best.found) * heads
    spread = float(np.ptp(frame.kpi))
    return {
        "n_obs": errors.size,
        "r2": rounded(explained(frame, errors)),
        "nrmse": rounded(float(np.sqrt(np.mean(errors**2))) / spread),
        "cv_nrmse": rounded(best.error / spread * float(heads.mean())),
        "interval": LEVEL,
        "family": chosen.value,
        "families": {
            family.value: {
                "cv_nrmse": rounded(each.error / spread),
                "log_density": rounded(each.found.likely),
                "in_interval": family in sampled,
            }
            for family, each in families.items()
        },
        "baseline": best.found.form.value,
        "before": surface.media.before.value,
        "s_shaped": _s_shaped(surface.media.shapes, possible=len(sampled.keys() - families.keys()) > 0),
        "autocorrelation": surface.noise.memory,
        "share_of_media": rounded(_media_share(frame, sampled[chosen])),
        "periods": len(frame.dates),
        "days_per_period": frame.step,
        "first": frame.dates[0].isoformat(),
        "last": frame.dates[-1].isoformat(),
        "draws": sampled[chosen].draws.vectors.shape[1],
        "refits": sampled[chosen].refits.shape[1],
        "rhat": rounded(sampled[chosen].draws.rhat),
        "input_hash": hashed,
        "model_version": MODEL_VERSION,
    }


def _s_shaped(shapes: Shapes, *, possible: bool) -> str:
    if shapes.curved:
        return "fitted"
    return "possible" if possible else "unlikely"


def _left(found: Settled) -> Floats:
    """(R,): residuals in the KPI's units, per head."""
    rows = found.surface.rows
    apart = found.surface.apart(found.surface.media.bring(found.mode).total)
    return np.asarray(apart * rows.trust / rows.weights)


def _media_share(frame: MixFrame, sampled: Sampled) -> float:
    middle = np.median(sampled.totals.sum(axis=0))
    return float(middle / frame.kpi.sum())
