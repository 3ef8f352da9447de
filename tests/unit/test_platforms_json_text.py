"""JSON text that decoders refuse, taken apart by its brackets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.platforms.json_text import elements, loose, member

TEXT = st.text(alphabet='a"\\[]{},: \u00e9', max_size=6)
VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=6
)


@given(st.lists(VALUE, max_size=5), st.sampled_from([None, 1]))
def test_the_elements_of_an_array_are_those_of_a_parser(values: list[Any], indent: int | None) -> None:
    assert [json.loads(text) for text in elements(json.dumps(values, indent=indent).encode())] == values


@given(st.dictionaries(st.sampled_from(["data", "paging", "a"]), VALUE), st.sampled_from([None, 1]))
def test_a_member_of_an_object_is_that_of_a_parser(found: dict[str, Any], indent: int | None) -> None:
    text = member(json.dumps(found, indent=indent).encode(), b"data")
    assert ("data" in found, json.loads(text) if text else None) == (text is not None, found.get("data"))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'["data",1]', b'{"a":{"data":1}}', b'{"a":"data"}', b'{"data":[1', b'"data"']
)
def test_what_has_no_such_member_or_ends_within_it_has_none(text: bytes) -> None:
    assert member(text, b"data") is None


@pytest.mark.parametrize("text", [b"", b"{}", b'"x"', b"[", b"[[]", b"[]]", b"[{}{}]", b'[{} "a"]', b"[1,]", b"[,1]"])
def test_what_is_not_an_array_has_no_elements(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"array|comma|missing"):
        list(elements(text))


def test_for_people_numbers_stay_text_and_what_is_not_unicode_is_replaced() -> None:
    text = rb'{"a":NaN,"b":1E99999999999999999999,"c":"\ud800","d":' + b"9" * 5000 + b',"e":"\xed\xa0\x80"}'
    found = loose(text)
    assert (found["a"], found["b"], found["c"], len(found["d"])) == ("NaN", "1E99999999999999999999", "\ufffd", 5000)
    assert set(found["e"]) == {"\ufffd"}
    for unreadable in (b"[" * 100_000, b"{", b"[" * 5_000 + b"]" * 5_000):
        with pytest.raises(ValueError):  # noqa: PT011  json's message or ours
            loose(unreadable)
