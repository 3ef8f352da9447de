"""The tone of ads' copy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.enrichment.copy_marks import CopyMarks, Tone, marks_of
from adweir.insight.enrichment.text import AdCopy
from adweir.insight.enrichment.tone import POLARITIES, chances_of, tone_of
from bench.enrichment import JUDGE, POLARITY, TOPICS, judged, labelled


def polarity(headline: str, description: str = "") -> str:
    return tone_of(AdCopy(headline, description)).polarity


def whole(text: str) -> float:
    return marks_of(AdCopy(text)).whole


def test_what_others_labelled_is_found_as_often_as_is_promised() -> None:
    """Given a hundred ads of a hand that never saw the models (bench/enrichment.py)."""
    found = judged(labelled(JUDGE))

    assert found["topic"] >= TOPICS
    assert found["polarity"] >= POLARITY


def test_copy_that_promises_is_positive_and_a_list_of_facts_is_neutral() -> None:
    assert polarity("Sleep better tonight!", "You'll love our softest sheets yet. Free returns.") == "positive"
    assert (
        polarity("Weirwell Desk Lamp, LED, 12 W, Black, 45 cm", "Input 230 V. Cable 1.8 m. 2-year warranty.")
        == "neutral"
    )


def test_copy_that_leaves_the_reader_with_a_loss_is_negative() -> None:
    assert polarity("Nobody will warn you before it fails", "Every day you wait, the damage costs more.") == "negative"


@pytest.mark.parametrize(
    ("meant", "otherwise"),
    [
        ("Say goodbye to ugly stains", "Ugly stains"),
        ("Don't miss the spring sale", "Miss the spring sale"),
        ("Killer deals on denim", "A killer on the loose"),
        ("Cancel anytime", "We cancel, and fail you"),
        ("A risk-free month", "A risky month"),
    ],
)
def test_words_mean_what_ads_mean_by_them(meant: str, otherwise: str) -> None:
    assert whole(meant) >= 0 > whole(otherwise) or whole(meant) > whole(otherwise) + 0.2


@pytest.mark.parametrize(
    ("text", "tone"),
    [
        ("Today only: the whole shop", Tone.URGENCY),
        ("Tired of slow software?", Tone.PROBLEM_SOLUTION),
        ("Trusted by 3,000 teams", Tone.SOCIAL_PROOF),
        ("20% off everything", Tone.OFFER),
        ("Ready for winter?", Tone.QUESTION),
    ],
)
def test_how_copy_argues_is_told(text: str, tone: Tone) -> None:
    assert tone in tone_of(AdCopy(text)).tones


def test_plain_copy_argues_in_no_way() -> None:
    assert tone_of(AdCopy("Open Monday to Friday, 9 to 5")).tones == []


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_has_a_tone(headline: str, description: str) -> None:
    found = tone_of(AdCopy.of({"headline": headline, "description": description}))

    assert found.polarity in POLARITIES
    assert 1 / 3 - 0.001 <= found.confidence <= 1
    assert -1 <= found.score <= 1


def test_chances_add_up_to_one_however_far_the_marks_lie() -> None:
    far = CopyMarks(*(1e6 for _ in CopyMarks._fields))
    assert sum(chances_of(far)) == pytest.approx(1)
