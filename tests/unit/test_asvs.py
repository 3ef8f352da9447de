"""docs/asvs.md has every rule of the standard's levels 1 and 2 once, and names tests that exist."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from support.documents import code, names_of_tests, rows

PAGE = "asvs.md"
APPLY, OTHERS = "Rules that apply", "Rules that do not apply, or are not met"
RULES = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4,
    "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5,
    "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
    "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3,
    "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4,
    "17.3": 2,
}  # fmt: skip
"""Section → how many of its rules are of level 1 or 2: in 5.0.0 those stand first in each section."""


def rules(cell: str) -> Iterator[str]:
    """`1.2.6-1.2.8, 1.3.1` → each rule."""
    for part in cell.split(", "):
        first, _, last = part.partition("-")
        section, _, number = first.rpartition(".")
        yield from (f"{section}.{each}" for each in range(int(number), int((last or first).rpartition(".")[2]) + 1))


def test_every_rule_of_level_2_is_there_once() -> None:
    found = Counter(rule for heading in (APPLY, OTHERS) for cells in rows(PAGE, heading) for rule in rules(cells[0]))

    assert found == Counter(f"{section}.{number + 1}" for section, many in RULES.items() for number in range(many))
    assert found.total() == 253


def test_each_rule_that_applies_says_how_and_names_tests_that_exist_or_why_there_is_none() -> None:
    for rule, how, shown in rows(PAGE, APPLY):
        assert how, rule
        assert bool(code(shown)) != bool(re.fullmatch(r"none: [a-z' ]+", shown)), rule
        assert set(code(shown)) - names_of_tests() == set(), rule


def test_each_other_rule_has_its_reason() -> None:
    assert all(len(why.split()) > 2 or why.startswith("No") for _, why in rows(PAGE, OTHERS))
