"""`adweir.enrich`: ads with what models say of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import adweir
from adweir.insight.enrichment.text import AdCopy
from adweir.model import limits
from adweir.model.errors import BadInput, Unprocessable
from support.bounds import at_the_bound

AD = {"ad_id": "1", "headline": "Merino sweaters, 20% off", "description": "You'll love them!", "cta": "Shop Now"}


def enrichment(ad: dict[str, Any], **how: Any) -> dict[str, Any]:
    (found,) = adweir.enrich([ad], **how)
    return found["enrichment"]  # type: ignore[no-any-return]


def test_an_ad_has_what_was_asked_for_and_stays_as_it_was() -> None:
    given = dict(AD)
    (found,) = adweir.enrich([given])

    assert {name: value for name, value in found.items() if name != "enrichment"} == AD == given
    said = found["enrichment"]
    assert said["sentiment"]["polarity"] == "positive"
    assert said["topics"]["topics"][0]["topic"] == "Clothing and Accessories"
    assert [each["text"] for each in said["entities"]["entities"]] == ["20% off"]
    assert {said[kind]["provider"] for kind in ("sentiment", "topics", "entities")} == {"local"}


def test_one_kind_alone_is_added_where_it_alone_is_asked_for() -> None:
    assert set(enrichment(AD, with_="topics")) == {"content_hash", "topics"}
    assert set(enrichment(AD, with_=["entities", "sentiment"])) == {"content_hash", "entities", "sentiment"}


@pytest.mark.parametrize(
    "ad", [{}, {"headline": None, "description": ""}, {"headline": 7}, {"cta": "Shop Now"}, {"headline": "\u2014 ?!"}]
)
def test_an_ad_without_words_has_nothing_said_of_it(ad: dict[str, Any]) -> None:
    found = enrichment(ad)
    assert (found["sentiment"], found["topics"], found["entities"]) == (None, None, None)


def test_ads_that_say_the_same_have_the_same_hash_whatever_their_typesetting() -> None:
    one, same, other = ({"headline": text} for text in ("Don't wait", "Don\u2019t  wait", "Do wait"))
    assert enrichment(one)["content_hash"] == enrichment(same)["content_hash"] != enrichment(other)["content_hash"]


def test_what_moves_from_one_part_to_the_next_is_another_ad() -> None:
    one, other = {"headline": "a b", "description": "c"}, {"headline": "a", "description": "b c"}
    assert enrichment(one)["content_hash"] != enrichment(other)["content_hash"]


def test_ads_are_read_one_after_the_other() -> None:
    def endless() -> Iterator[dict[str, Any]]:
        while True:
            yield AD

    assert next(adweir.enrich(endless()))["ad_id"] == "1"


def test_what_nobody_can_add_is_named_before_the_first_ad() -> None:
    with pytest.raises(Unprocessable, match="'colour' is not one of sentiment, topics, entities"):
        adweir.enrich([], with_=["colour"])


def test_names_are_looked_for_in_each_ad_even_where_they_can_be_read_once() -> None:
    found = adweir.enrich([AD, AD], with_="entities", names=(name for name in ["Merino"]))
    assert [[each["text"] for each in ad["enrichment"]["entities"]["entities"]] for ad in found] == [
        ["Merino", "20% off"],
        ["Merino", "20% off"],
    ]


def test_one_name_is_one_and_not_its_letters() -> None:
    (found,) = adweir.enrich([{"headline": "A Merino"}], with_="entities", names="Merino")
    assert [each["text"] for each in found["enrichment"]["entities"]["entities"]] == ["Merino"]


def test_a_name_that_is_no_text_is_named_before_the_first_ad() -> None:
    with pytest.raises(Unprocessable, match="7 is no text"):
        adweir.enrich([], names=["Merino", 7])  # type: ignore[list-item]


def test_what_is_no_ad_is_named_by_its_place() -> None:
    with pytest.raises(BadInput, match="ad 1 is no dict but str"):
        list(adweir.enrich([AD, "Merino"]))  # type: ignore[list-item]


@at_the_bound("MAX_ENRICHED_TEXT", as_if=10)
def test_so_much_of_a_part_is_read(size: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ENRICHED_TEXT", 10)
    assert (AdCopy.of({"headline": "x" * size}).headline == "x" * size) == fits
