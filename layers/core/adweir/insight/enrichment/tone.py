"""The tone of an ad's copy: positive, neutral or negative, by a logistic regression on its marks.

It is the tone of the copy and not what customers feel. Positive copy praises, invites or promises; neutral copy states
facts; negative copy works with a loss and leaves the reader there. The weights (tone.toml) are fitted by
`bench/enrichment.py` to ads that others wrote and labelled, and are judged there on ads of a third hand.
"""

from __future__ import annotations

import math
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from adweir.insight.enrichment.copy_marks import CopyMarks, Tone, marks_of, tones_of
from adweir.insight.enrichment.text import AdCopy

MODEL = "adweir-tone-1 (vader 3.3.2)"
POLARITIES = ("negative", "neutral", "positive")


class ToneFound(NamedTuple):
    """`confidence` is the polarity's probability; `score` that of positive without that of negative, from -1 to 1."""

    polarity: str
    confidence: float
    score: float
    tones: list[Tone]


class ToneWeights(NamedTuple):
    """Of a mark: what to take off and to divide by, and its weight for each of `POLARITIES`."""

    mean: float
    deviation: float
    weights: tuple[float, ...]


def tone_of(text: AdCopy) -> ToneFound:
    """The tone of an ad's headline and description."""
    chances = chances_of(marks_of(text))
    best = max(range(len(POLARITIES)), key=chances.__getitem__)
    return ToneFound(POLARITIES[best], round(chances[best], 3), round(chances[-1] - chances[0], 3), tones_of(text))


def chances_of(marks: CopyMarks) -> list[float]:
    """The probability of each of `POLARITIES`."""
    bias, weights = _fitted()
    logits = list(bias)
    for name, value in marks._asdict().items():
        mean, deviation, each = weights[name]
        for at, weight in enumerate(each):
            logits[at] += weight * (value - mean) / deviation
    powers = [math.exp(logit - max(logits)) for logit in logits]
    return [power / sum(powers) for power in powers]


@cache
def _fitted() -> tuple[tuple[float, ...], dict[str, ToneWeights]]:
    found = tomllib.loads(Path(__file__).with_name("tone.toml").read_text(encoding="utf-8"))
    marks = {
        name: ToneWeights(each["mean"], each["deviation"], tuple(each["weights"]))
        for name, each in found["marks"].items()
    }
    return tuple(found["bias"]), marks
