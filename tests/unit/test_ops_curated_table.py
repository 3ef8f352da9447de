"""The dictionary of docs/data-model.md is that of the tables."""

from __future__ import annotations

import pytest

from adweir.insight.curated.layout import tables
from ops.curated_table import ABOUT, BEGIN, END, PAGE, is_current, written


def test_the_dictionary_of_curated_is_current() -> None:
    """If this fails: `python -m ops.curated_table` writes it."""
    assert is_current(PAGE.read_text())


def test_each_column_is_described_and_no_other() -> None:
    for name, about in ABOUT.items():
        assert set(about) == set(tables(())[name].columns)


def test_a_page_that_lacks_a_column_is_not_current() -> None:
    assert not is_current(PAGE.read_text().replace("| `settled` | boolean |", "| `settled` | double |"))


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="the page has no"):
        written(f"{END}{BEGIN}")
