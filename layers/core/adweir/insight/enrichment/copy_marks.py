"""Marks of an ad's copy that its tone is judged by: what VADER makes of it, whom it addresses, how it looks.

VADER (Hutto and Gilbert, ICWSM 2014) was made for social media. Words that ads use otherwise have the meaning here that
they have there (sentiment.toml), and a bad word that is taken away (`say goodbye to stains`) is a good one. But the
words alone do not tell a product's title from praise, nor a warning from a promise; how the copy is made does.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.insight.enrichment.text import AdCopy

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"[\w'-]+")
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_YOU = re.compile(r"\b(?:you|yours?|you're|you'll|you've)\b", re.IGNORECASE)
_WE = re.compile(r"\b(?:we|our|us|my|I|let's)\b")
_LISTED = re.compile(r"[|;,]| [-] ")
"""What parts a title that lists: `Brand | Model, Size`."""
_CLEAR_WORD = 0.5
"""From this valence on, of 4, a word of the lexicon is good or bad by itself."""


class Tone(StrEnum):
    """How copy argues, beside its polarity."""

    URGENCY = "urgency"
    PROBLEM_SOLUTION = "problem_solution"
    SOCIAL_PROOF = "social_proof"
    OFFER = "offer"
    QUESTION = "question"


class CopyMarks(NamedTuple):
    """Numbers about an ad's copy. The first three are VADER's compound score, from -1 to 1."""

    whole: float
    last_sentence: float
    last_two: float
    you: float
    we: float
    exclamation: float
    emoji: float
    digits: float
    title_case: float
    listed: float
    invitations: float
    offer: float
    urgency: float
    social_proof: float
    losses: float
    asks_first: float
    problem: float
    bad_words: float
    good_words: float
    sentences: float
    word_length: float
    commas: float


class _Lists(NamedTuple):
    """What sentiment.toml has."""

    tones: dict[Tone, re.Pattern[str]]
    rewritten: list[tuple[re.Pattern[str], str]]
    taken_away: re.Pattern[str]
    losses: re.Pattern[str]
    invitations: frozenset[str]


def marks_of(text: AdCopy) -> CopyMarks:
    """The marks of an ad's headline and description."""
    lists, lexicon, copy = _lists(), _analyzer().lexicon, text.copy
    said, spoken = _SENTENCE.split(copy), _WORD.findall(copy) or [""]
    headline = re.findall(r"[A-Za-z][\w'-]*", text.headline) or ["a"]
    first = [(re.findall(r"[A-Za-z']+", sentence) or [""])[0].lower() for sentence in said]
    tones, valences = tones_of(text), [lexicon.get(word.lower(), 0.0) for word in spoken]
    return CopyMarks(
        whole=_compound(copy),
        last_sentence=_compound(said[-1]),
        last_two=_compound(" ".join(said[-2:])),
        you=min(len(_YOU.findall(copy)), 4),
        we=min(len(_WE.findall(copy)), 3),
        exclamation=min(copy.count("!"), 2),
        emoji=bool(_EMOJI.search(copy)),
        digits=_share(any(sign.isdigit() for sign in word) for word in spoken),
        title_case=_share(word[0].isupper() for word in headline),
        listed=min(len(_LISTED.findall(text.headline)), 3),
        invitations=min(sum(word in lists.invitations for word in first), 3),
        offer=Tone.OFFER in tones,
        urgency=Tone.URGENCY in tones,
        social_proof=Tone.SOCIAL_PROOF in tones,
        losses=min(len(lists.losses.findall(copy)), 4),
        asks_first="?" in text.headline,
        problem=Tone.PROBLEM_SOLUTION in tones,
        bad_words=min(sum(valence < -_CLEAR_WORD for valence in valences), 4),
        good_words=min(sum(valence > _CLEAR_WORD for valence in valences), 5),
        sentences=min(len(said), 6),
        word_length=sum(map(len, spoken)) / len(spoken),
        commas=copy.count(",") / len(spoken),
    )


def tones_of(text: AdCopy) -> list[Tone]:
    """How an ad argues."""
    return [tone for tone, pattern in _lists().tones.items() if pattern.search(text.copy)]


def _share(found: Iterable[bool]) -> float:
    every = list(found)
    return sum(every) / len(every)


def _compound(copy: str) -> float:
    lists = _lists()
    for pattern, meant in lists.rewritten:
        copy = pattern.sub(meant, copy)
    return float(_analyzer().polarity_scores(lists.taken_away.sub(_turned, copy))["compound"])


def _turned(found: re.Match[str]) -> str:
    """What is left where something bad is taken away: good news. What is not bad stays as it is."""
    lexicon = _analyzer().lexicon
    taken = _WORD.findall(found["what"].lower())
    if any(lexicon.get(word, 0.0) < 0 for word in taken):
        return " ".join(["relief,", *(word for word in taken if lexicon.get(word, 0.0) >= 0)])
    return found[0]


@cache
def _lists() -> _Lists:
    found = _sentiment()
    patterns = found["patterns"]
    between = r"(?:(?:the|your|all|any|those|these|that|from|of|for|on|up|to)\s){0,4}"
    away = rf"\b(?:{'|'.join(patterns['taken_away'])})\s+{between}(?P<what>(?:[\w'-]{{1,30}}[\s,]{{0,2}}){{1,3}})"
    return _Lists(
        tones={Tone(name): re.compile("|".join(any_of), re.IGNORECASE) for name, any_of in found["tones"].items()},
        rewritten=[(re.compile(said, re.IGNORECASE), meant) for said, meant in found["rewritten"].items()],
        taken_away=re.compile(away, re.IGNORECASE),
        losses=re.compile(rf"\b(?:{'|'.join(patterns['losses'])})\b", re.IGNORECASE),
        invitations=frozenset(patterns["invitations"]),
    )


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415  its lexicon takes 5 ms

    analyzer = SentimentIntensityAnalyzer()
    analyzer.lexicon.update(_sentiment()["words"])
    return analyzer


@cache
def _sentiment() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("sentiment.toml").read_text(encoding="utf-8"))
