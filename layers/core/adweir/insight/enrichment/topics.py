"""What an ad is about: topics of the IAB Ad Product Taxonomy, by the words that name what is advertised.

A topic's score is the sum of the weights of its seeds (topics.toml) in the ad, each once and only as the longest phrase
that fits: in `coffee table` there is no coffee. A seed of several topics counts for each with less. The confidence of a
topic is its share of all scores and of a constant, so a single weak word gives little of it.
"""

from __future__ import annotations

import math
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from adweir.insight.enrichment.text import AdCopy, words

MODEL = "adweir-topics-1"
UNKNOWN = "unknown"
_WEIGHTS: Final = {"strong": 3.0, "plain": 1.5, "weak": 0.5}
_IN_HEADLINE = 1.5
"""How much more a seed in the headline weighs: it says what is sold, the description why."""
_DOUBT = 2.0
_LEAST_SCORE = 1.5
_TOPICS = 3
_Phrase = tuple[str, ...]


class TopicFound(NamedTuple):
    """A topic of an ad: its id in the taxonomy, its name, and how sure that is, from 0 to 1."""

    topic_id: int | None
    topic: str
    confidence: float


class _Seeds(NamedTuple):
    """`by_first`: a first word → phrases that begin with it, the longest first; `weights`: phrase → topic → weight."""

    names: dict[int, str]
    by_first: dict[str, list[_Phrase]]
    weights: dict[_Phrase, dict[int, float]]


def topics_of(text: AdCopy) -> list[TopicFound]:
    """At most three topics, the surest first; `unknown` alone where no word tells."""
    seeds, scores = _seeds(), defaultdict[int, float](float)
    counted: set[_Phrase] = set()
    for part, share in ((text.headline, _IN_HEADLINE), (text.description, 1.0)):
        for phrase in _phrases(words(part), seeds):
            if phrase not in counted:
                counted.add(phrase)
                for topic_id, weight in seeds.weights[phrase].items():
                    scores[topic_id] += weight * share
    found = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:_TOPICS]
    total = sum(scores.values()) + _DOUBT
    if not found or found[0][1] < _LEAST_SCORE:
        return [TopicFound(None, UNKNOWN, round(1 - sum(scores.values()) / total, 3))]
    return [TopicFound(topic_id, seeds.names[topic_id], round(score / total, 3)) for topic_id, score in found]


def _phrases(said: list[str], seeds: _Seeds) -> list[_Phrase]:
    """The seeds in a text, from left to right; what one has taken is of no other."""
    found, at = list[_Phrase](), 0
    while at < len(said):
        fits = (phrase for phrase in seeds.by_first.get(said[at], ()) if tuple(said[at : at + len(phrase)]) == phrase)
        phrase = next(fits, None)
        found += [phrase] if phrase else []
        at += len(phrase) if phrase else 1
    return found


@cache
def _seeds() -> _Seeds:
    listed = tomllib.loads(Path(__file__).with_name("topics.toml").read_text(encoding="utf-8"))["topic"]
    weights: dict[_Phrase, dict[int, float]] = defaultdict(dict)
    for topic in listed:
        for kind, weight in _WEIGHTS.items():
            for seed in topic.get(kind, ()):
                weights[tuple(words(seed))][topic["id"]] = weight
    by_first: dict[str, list[_Phrase]] = defaultdict(list)
    for phrase in sorted(weights, key=lambda each: (-len(each), each)):
        by_first[phrase[0]].append(phrase)
    shared = {
        phrase: {topic_id: weight / math.sqrt(len(found)) for topic_id, weight in found.items()}
        for phrase, found in weights.items()
    }
    return _Seeds({topic["id"]: topic["name"] for topic in listed}, by_first, shared)
