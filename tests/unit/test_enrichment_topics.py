"""Topics of ads, by the words that name what is advertised."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.enrichment import topics
from adweir.insight.enrichment.text import AdCopy, singular, words
from adweir.insight.enrichment.topics import UNKNOWN, topics_of

LISTED = tomllib.loads(Path(topics.__file__).with_name("topics.toml").read_text())["topic"]


def best(headline: str, description: str = "") -> str:
    return topics_of(AdCopy(headline, description))[0].topic


def test_what_is_sold_is_the_topic() -> None:
    assert best("Merino sweaters, 20 % off") == "Clothing and Accessories"
    assert best("Term life insurance", "Get a quote in five minutes") == "Finance and Insurance"


def test_a_phrase_is_not_its_words() -> None:
    assert best("Solid oak coffee table") == "Durable Goods"
    assert best("Single-origin coffee") == "Consumer Packaged Goods"


def test_the_headline_says_more_of_what_is_sold_than_the_description() -> None:
    assert best("Merino sweater", "As warm as your coffee") == "Clothing and Accessories"


@pytest.mark.parametrize("text", ["", "Something wonderful is coming", "Do it now"])
def test_where_no_word_tells_the_topic_is_unknown(text: str) -> None:
    (found,) = topics_of(AdCopy(text))
    assert (found.topic, found.topic_id) == (UNKNOWN, None)


def test_a_word_of_one_topic_makes_surer_than_one_of_several() -> None:
    (sure, *_), (unsure, *_) = topics_of(AdCopy("Mortgage and refinance")), topics_of(AdCopy("Saving"))
    assert sure.confidence > unsure.confidence


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_has_one_to_three_topics_of_falling_confidence(headline: str, description: str) -> None:
    found = topics_of(AdCopy.of({"headline": headline, "description": description}))

    assert 1 <= len(found) <= 3
    shares = [each.confidence for each in found]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share <= 1 for share in shares)
    assert sum(shares) <= 1.001


def test_each_seed_is_in_the_singular_and_once_in_its_topic() -> None:
    for topic in LISTED:
        seeds = [tuple(words(seed)) for kind in ("strong", "plain", "weak") for seed in topic.get(kind, ())]
        assert len(set(seeds)) == len(seeds), topic["name"]
        assert all(seeds), topic["name"]


def test_ids_and_names_are_the_taxonomy_s() -> None:
    """A few of the tiers that are easily mistaken (Ad Product Taxonomy 2.0, 44 in the first tier)."""
    ids = {topic["name"]: topic["id"] for topic in LISTED}
    assert len(ids) == len(set(ids.values())) == len(LISTED)
    assert {ids["Culture and Fine Arts"], ids["Retail"], ids["Fitness Activities"]} == {1008, 1494, 1510}
    assert ids["Personal/Consumer Telcom"] == 1467


@pytest.mark.parametrize(
    ("plural", "one"),
    [("shoes", "shoe"), ("dresses", "dress"), ("watches", "watch"), ("batteries", "battery"), ("gas", "gas"),
     ("glass", "glass"), ("series", "series"), ("men's", "men"), ("tennis", "tennis"), ("apparel", "apparel")],
)  # fmt: skip
def test_a_plural_is_its_singular(plural: str, one: str) -> None:
    assert singular(plural) == one
