"""Topics and tone of ads, beside what people said of them who never saw the models: tests/samples/labelled_ads.

Every ad of these files is made up, and was labelled by the hand that wrote it, which knew the names of topics and
polarities alone. The words of topics were completed and the tone was fitted with `first` and `second` at hand; `judge`
was opened to judge. Prints how often the first topic, one of the three, and the polarity are right; the gates are those
of `judge`: 80 % and 75 %. Then how much longer than an ad's copy repeated to the same length the longest of texts takes
that patterns are slow with: at most 16 times (VADER looks through all words for each negation; a pattern that is tried
anew from each letter took 130 times). Last line: one JSON object.

    python bench/enrichment.py [--fit]

`--fit` writes the tone's weights (tone.toml) anew and prints how right they are on ads that a fold left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from adweir.insight.enrichment import tone  # noqa: E402
from adweir.insight.enrichment.copy_marks import CopyMarks, marks_of  # noqa: E402
from adweir.insight.enrichment.enriching import EnrichmentKind, enrichment_of  # noqa: E402
from adweir.insight.enrichment.text import AdCopy  # noqa: E402
from adweir.insight.enrichment.topics import topics_of  # noqa: E402
from adweir.model import limits  # noqa: E402

Floats = NDArray[np.float64]
Ads = Sequence[dict[str, Any]]
LABELLED = ROOT / "tests" / "samples" / "labelled_ads"
FITTED, JUDGE = ("first", "second"), "judge"
TOPICS, POLARITY, LONGER = 0.80, 0.75, 16
REPEATED = ("1", "1,", "9.9", "w.", "w-", "1-", "w'", "a", "@", "#a ", "$1 ", "why? ", "stop ", "stop the ", "-free")
"""What begins many patterns and completes none."""
_RIDGE, _STEPS, _FOLDS, _SHUFFLES = 0.03, 400, 5, 10
_HEAD = "# Written by `python bench/enrichment.py --fit`: weights for negative, neutral, positive.\n"


def labelled(name: str) -> list[dict[str, Any]]:
    """The ads of a file: what they say, `topic` and `polarity`."""
    found: list[dict[str, Any]] = json.loads((LABELLED / f"{name}.json").read_text(encoding="utf-8"))
    return found


def design(ads: Ads) -> tuple[Floats, NDArray[np.int64]]:
    """The marks of ads, and the number of each one's polarity."""
    marks = np.array([marks_of(AdCopy.of(ad)) for ad in ads], dtype=float)
    return marks, np.array([tone.POLARITIES.index(ad["polarity"]) for ad in ads])


def fitted(marks: Floats, polarity: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Means, deviations and weights (the bias first) of a multinomial logistic regression with a ridge."""
    mean, deviation = marks.mean(axis=0), marks.std(axis=0) + 1e-9
    scaled = np.c_[np.ones(len(marks)), (marks - mean) / deviation]
    weights, right = np.zeros((scaled.shape[1], len(tone.POLARITIES))), np.eye(len(tone.POLARITIES))[polarity]
    for _ in range(_STEPS):
        powers = np.exp(scaled @ weights - (scaled @ weights).max(axis=1, keepdims=True))
        slope = scaled.T @ (powers / powers.sum(axis=1, keepdims=True) - right) / len(marks)
        slope[1:] += _RIDGE * weights[1:]
        weights -= slope
    return mean, deviation, weights


def left_out(marks: Floats, polarity: NDArray[np.int64]) -> float:
    """How often ads are judged right that the fit has not seen."""
    hits = 0
    for seed in range(_SHUFFLES):
        order = np.random.default_rng(seed).permutation(len(polarity))
        for fold in range(_FOLDS):
            out = order[fold::_FOLDS]
            seen = np.setdiff1d(order, out)
            mean, deviation, weights = fitted(marks[seen], polarity[seen])
            scaled = np.c_[np.ones(len(out)), (marks[out] - mean) / deviation]
            hits += int((np.argmax(scaled @ weights, axis=1) == polarity[out]).sum())
    return hits / len(polarity) / _SHUFFLES


def write(mean: Floats, deviation: Floats, weights: Floats) -> None:
    """Have the tone judge by these weights from its next start."""
    lines = [_HEAD, f"bias = {_shown(weights[0])}\n\n[marks]\n"]
    for name, one_mean, one_deviation, each in zip(CopyMarks._fields, mean, deviation, weights[1:], strict=True):
        lines.append(
            f"{name} = {{ mean = {one_mean:.4f}, deviation = {one_deviation:.4f}, weights = {_shown(each)} }}\n"
        )
    Path(tone.__file__).with_name("tone.toml").write_text("".join(lines), encoding="utf-8")


def _shown(weights: Floats) -> str:
    return f"[{', '.join(f'{each:.4f}' for each in weights)}]"


def judged(ads: Ads) -> dict[str, float]:
    """The shares of ads whose first topic, one of whose three topics, and whose polarity is right; and the time."""
    texts = [AdCopy.of(ad) for ad in ads]
    begun = time.perf_counter()
    topics, tones = [topics_of(text) for text in texts], [tone.tone_of(text) for text in texts]
    seconds = time.perf_counter() - begun
    of = list(zip(ads, topics, tones, strict=True))
    return {
        "ads": len(ads),
        "first_topic": sum(ad["topic"] == found[0].topic for ad, found, _ in of) / len(ads),
        "topic": sum(any(ad["topic"] == each.topic for each in found) for ad, found, _ in of) / len(ads),
        "polarity": sum(ad["polarity"] == told.polarity for ad, _, told in of) / len(ads),
        "microseconds": round(seconds / len(ads) * 1e6),
    }


def longest(ads: Ads) -> tuple[float, str]:
    """How many times as long as ads' copy a text of one repeated piece takes, and the piece."""
    usual = _seconds(" ".join(ad["description"] for ad in ads))
    return max((_seconds(f"stop {piece * limits.MAX_ENRICHED_TEXT}") / usual, piece) for piece in REPEATED)


def _seconds(text: str) -> float:
    begun = time.perf_counter()
    enrichment_of({"headline": text, "description": text}, set(EnrichmentKind))
    return time.perf_counter() - begun


def main() -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="fit the tone anew, do not judge")
    if parser.parse_args().fit:
        marks, polarity = design([ad for name in FITTED for ad in labelled(name)])
        write(*fitted(marks, polarity))
        print(f"of {len(polarity)} ads, left out by a fold: {left_out(marks, polarity):.1%} right")
        return 0
    found = {name: judged(labelled(name)) for name in (*FITTED, JUDGE)}
    print(f"{'':10}{'ads':>6}{'first topic':>14}{'in three':>11}{'polarity':>11}{'us per ad':>12}")
    for name, each in found.items():
        shares = f"{each['first_topic']:>14.0%}{each['topic']:>11.0%}{each['polarity']:>11.0%}"
        print(f"{name:10}{each['ads']:>6}{shares}{each['microseconds']:>12}")
    times, piece = longest(labelled(JUDGE))
    print(f"\n{limits.MAX_ENRICHED_TEXT} characters of {piece!r}: {times:.1f} times as long as of ads' copy")
    good = found[JUDGE]["topic"] >= TOPICS and found[JUDGE]["polarity"] >= POLARITY and times <= LONGER
    print(json.dumps({"bench": "enrichment", **found[JUDGE], "longest": round(times, 1), "ok": good}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
