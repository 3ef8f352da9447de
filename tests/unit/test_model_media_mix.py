"""What a client says of its media-mix datasets: the rules of its channels, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from adweir.insight.mmm.channels import CampaignFacts, Channels, is_like
from adweir.model.media_mix import ChannelRule, MediaMix
from support.bounds import at_the_bound, refuses

AMAZON = [{"channel": f"amazon_{word}", "platform": "amazon_ads", "ad_product": [word]} for word in ("sp", "sb", "sd")]


def channels(*rules: dict[str, Any]) -> Channels:
    return Channels(MediaMix.model_validate({"channels": rules}).channels)


def test_campaigns_are_told_apart_by_product_objective_and_name_and_the_first_rule_counts() -> None:
    found = channels(
        *AMAZON,
        {"channel": "search_generic", "platform": "google_ads", "name": ["*non-brand*", "*generic*"]},
        {"channel": "search_brand", "platform": "google_ads", "objective": ["SEARCH"], "name": ["*brand*"]},
    )
    assert found.of(CampaignFacts("amazon_ads", "SP", name="Brand")) == "amazon_sp"
    assert found.of(CampaignFacts("google_ads", objective="search", name="US | Non-Brand | Shoes")) == "search_generic"
    assert found.of(CampaignFacts("google_ads", objective="search", name="US | Brand")) == "search_brand"
    assert found.of(CampaignFacts("google_ads", objective="display", name="US | Brand")) == "google_ads"
    assert found.of(CampaignFacts("amazon_ads")) == "amazon_ads"
    assert found.names(["amazon_ads"]) == ["amazon_ads", "amazon_sb", "amazon_sd", "amazon_sp"]
    assert not found.are_platforms
    assert channels().are_platforms
    assert channels().of(CampaignFacts("meta_ads", name="x")) == "meta_ads"


@pytest.mark.parametrize(
    ("text", "pattern", "fits"),
    [
        ("Brand", "brand", True),
        ("US Brand", "brand", False),
        ("US Brand 1", "*brand*", True),
        ("US Brand", "us*brand", True),
        ("US Brand x", "us*brand", False),
        ("abc", "ab*bc", False),
        ("abbc", "ab*bc", True),
        ("a-b-c", "a*b*c", True),
        ("anything", "*", True),
        ("", "*", True),
        ("a", "a**", True),
    ],
)
def test_a_star_is_any_text(text: str, pattern: str, fits: bool) -> None:
    assert is_like(text, pattern) is fits


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"channel": "Search Brand", "platform": "x1"}, "pattern"),
        ({"channel": "search"}, "a rule says which campaigns"),
        ({"channel": "conversions", "platform": "x1"}, "the name of another column"),
        ({"channel": "organic_search", "platform": "x1"}, "the name of another column"),
        ({"channel": "search", "platform": "x1", "colour": "red"}, "Extra inputs"),
        ({"channel": "search", "name": [""]}, "at least 1 character"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_its_reason(rule: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        MediaMix.model_validate({"channels": [rule]})


def test_a_kpi_of_ones_own_names_a_series() -> None:
    with pytest.raises(ValidationError, match="names a series"):
        MediaMix.model_validate({"kpi": {}})
    kpi = MediaMix.model_validate({"kpi": {"conversions": "shop/orders"}}).kpi
    assert kpi is not None
    assert (kpi.conversions, kpi.revenue) == ("shop/orders", "")


@at_the_bound("MAX_CHANNEL_RULES")
def test_so_many_rules(size: int, fits: bool) -> None:
    with refuses(ValidationError, fits=fits):
        MediaMix(channels=tuple(ChannelRule(channel=f"c{number}", platform="x1") for number in range(size)))


@at_the_bound("MAX_CHANNEL_WORDS")
def test_so_many_words_of_a_rule(size: int, fits: bool) -> None:
    with refuses(ValidationError, fits=fits):
        ChannelRule(channel="c", name=tuple(f"*{number}" for number in range(size)))
