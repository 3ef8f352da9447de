"""Names by pattern, and landing pages taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.errors import BadInput
from adweir.model.naming import NamePattern, PageParts, landing_page
from support.bounds import at_the_bound


@pytest.mark.parametrize(
    ("pattern", "name", "parts"),
    [
        ("{market}_{channel}", "DE_search", {"market": "DE", "channel": "search"}),
        ("{market}_{channel}", "DE_search_brand", None),  # one piece too many: no part may swallow it
        ("{market}_{channel}", "DE", None),
        ("{market}_{channel}", "_search", None),
        ("{market}_{channel}", "DE_ ", None),
        ("{market}_{rest*}", "DE_search_brand", {"market": "DE", "rest": "search_brand"}),
        ("{market} | {channel}", "DE | paid social ", {"market": "DE", "channel": "paid social"}),
        ("{a}-{b}_{c}", "x-y_z", {"a": "x", "b": "y", "c": "z"}),
        ("{a}-{b}_{c}", "x-y-w_z", None),
        ("{a}-{b}_{c}", "x_v-y_z", None),
        ("[{market}] {name*}", "[DE] Spring [2026]", {"market": "DE", "name": "Spring [2026]"}),
        ("[{market}]", "[DE]", {"market": "DE"}),
        ("[{market}]", "[", None),
        ("[{market}]", "DE", None),
        ("{all}", "Ünïcode", {"all": "Ünïcode"}),
        ("{all}", "", None),
    ],
)
def test_a_name_is_read_by_its_pattern_or_not_at_all(pattern: str, name: str, parts: dict[str, str] | None) -> None:
    assert NamePattern(pattern).read(name) == parts


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "at least one part"),
        ("Spring", "at least one part"),
        ("{market}{channel}", "at least one character"),
        ("{market}_{market}", "a name of its own"),
        ("{Market}", "at least one part"),
        ("{market}_{Channel}", "small letters"),
        ("{market}_{channel", "small letters"),
        ("{rest*}_{market}", "only the last"),
        ("x" * 201, "at most 200"),
    ],
)
def test_a_pattern_that_cannot_be_read_says_why(pattern: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        NamePattern(pattern)


@given(st.lists(st.text(st.characters(exclude_characters="_ ", exclude_categories=["Z", "C"]), min_size=1), min_size=3))
def test_given_parts_joined_by_a_pattern_when_read_then_they_come_back(parts: list[str]) -> None:
    first, second, *rest = parts
    read = NamePattern("{a}_{b}_{c*}").read("_".join(parts))
    assert read == {"a": first, "b": second, "c": "_".join(rest)}


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://Shop.Example.com", PageParts("shop.example.com", "/", {})),
        (
            "https://shop.example.com:8443/a/b?utm_source=meta&UTM_Medium=paid%20social&utm_source=x&id=7#top",
            PageParts("shop.example.com", "/a/b", {"source": "meta", "medium": "paid social"}),
        ),
        ("http://user:secret@shop.example.com/?utm_campaign=", PageParts("shop.example.com", "/", {})),
        ("https://shop.example.com/?utm_campaign={{campaign.name}}", PageParts(
            "shop.example.com", "/", {"campaign": "{{campaign.name}}"}
        )),
        (" https://bücher.example/x ", PageParts("bücher.example", "/x", {})),
    ],
)  # fmt: skip
def test_a_landing_page_is_taken_apart(url: str, page: PageParts) -> None:
    assert landing_page(url) == page


@pytest.mark.parametrize(
    "url",
    ["", "shop.example.com", "/dp/B0", "fb://page/1", "mailto:a@example.com", "https://", "https://[::1/", "{lpurl}",
     "https://{{host}}/x"],
)  # fmt: skip
def test_what_is_no_landing_page_is_none(url: str) -> None:
    assert landing_page(url) is None


@given(st.text())
def test_given_any_text_when_read_as_a_url_or_a_name_then_nothing_is_raised(text: str) -> None:
    assert landing_page(f"https://{text}") is None or text
    parts = NamePattern("{a}_{b}").read(text)
    assert parts is None or text.count("_") == 1


@at_the_bound("MAX_URL_PARAMETERS")
def test_the_parameters_of_a_landing_page(size: int, fits: bool) -> None:
    url = "https://shop.example.com/?" + "&".join(f"utm_p{number}=x" for number in range(size))
    assert (landing_page(url) is not None) == fits
