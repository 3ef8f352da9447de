"""The file that `adweir apply` reads, as text: what words become, on which line they stand, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.apply.text import parsed, written
from support.bounds import at_the_bound

TAGGED = "has a tag (! and a word), which is not read: put a text that begins with ! into quotes"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1e5", "1e5"),
        ("2026-11-01", "2026-11-01"),
        ("<<", "<<"),
        ("=", "="),
        ("+1", "+1"),
        ("'7'", "7"),
        ("!!str 7", "7"),
        ("7", 7),
        ("-7", -7),
        ("0.50", 0.5),
        ("1042017731000000000000", 1042017731000000000000),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
    ],
)
def test_words_are_read_as_people_mean_them(text: str, value: Any) -> None:
    found = parsed(f"a: {text}\n".encode())

    assert found.faults == []
    assert (found.value["a"], type(found.value["a"])) == (value, type(value))


@given(VALUES)
@settings(max_examples=150)
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    found = parsed(written({"a": value}).encode())

    assert found.faults == []
    assert found.value == {"a": value}
    assert json.dumps(found.value) == json.dumps({"a": value}), "a number stays a number, a text a text"


def test_each_value_has_its_line() -> None:
    found = parsed(b"a:\n  - x: 1\n    y:\n      2\n  - {z: 3}\n")

    assert found.lines[("a",)] == 1
    assert found.lines["a", 0, "x"] == 2
    assert found.lines["a", 0, "y"] == 3, "that of the name"
    assert found.lines["a", 1, "z"] == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3: a: is there twice: line 1 has it, too"),
        (
            b"a:\n  b: !!python/name:os.x y\n",
            f"line 2: a.b: {TAGGED}",
        ),
        (b"a: !secret x\n", f"line 1: a: {TAGGED}"),
        (b"a: !!int many\n", f"line 1: a: {TAGGED}"),
        (b"? [1]\n: 2\n", "line 1: has a key that is no text"),
        (b"a: 1\n---\nb: 2\n", "line 2: is not YAML: but found another document"),
        (b"a: *EAAB-secret\n", "line 1: is not YAML: found undefined alias"),
        (b"a: [1\nb: 2\n", "line 2: is not YAML: did not find expected ',' or ']'"),
        (b"a: &x [*x]\n", "line 1: a.0: stands within itself"),
        (b"a: \xff\n", "line 1: is not UTF-8"),
        (b"a: \x00\n", "line 1: is not YAML: it has a character that no text has"),
        (b"[" * 3000 + b"]" * 3000, "line 1: is nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: bytes, said: str) -> None:
    assert [fault.text for fault in parsed(text).faults] == [said]


def test_a_byte_order_mark_and_windows_lines_are_read() -> None:
    assert parsed(b"\xef\xbb\xbfa: 1\r\nb: x\r\n").value == {"a": 1, "b": "x"}


@at_the_bound("MAX_APPLIED_VALUES", as_if=1000)
def test_aliases_do_not_grow_without_end(size: int, *, fits: bool) -> None:
    # given a list of as many values, of which an alias repeats half
    half = size // 2 - 2
    rest = size - 3 - 2 * half
    text = f"a: &x [{', '.join('1' * half)}]\nb: *x\n" + "".join(f"c{number}: 1\n" for number in range(rest))

    found = parsed(text.encode())

    assert [fault.message for fault in found.faults] == ([] if fits else ["is one of more than 1,000 values"])


@at_the_bound("MAX_APPLIED_BYTES", as_if=100)
def test_a_file_has_a_size(size: int, *, fits: bool) -> None:
    found = parsed(b"a: 1 #" + b"x" * (size - 6))

    assert [fault.message for fault in found.faults] == ([] if fits else ["the file has more than 100 bytes"])
