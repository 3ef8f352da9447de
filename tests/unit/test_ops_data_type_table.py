"""The tables of data types in the docs: made of the code, and current."""

from __future__ import annotations

import pytest

from adweir.model.data_types import DATA_TYPES
from ops.data_type_table import BEGIN, END, PAGE, is_current, written


def test_the_tables_in_the_docs_are_current() -> None:
    """If this fails: `python -m ops.data_type_table` writes them."""
    assert is_current(PAGE.read_text())


def test_given_the_page_when_read_then_every_data_type_and_column_is_on_it() -> None:
    page = PAGE.read_text()
    assert [name for name in DATA_TYPES if f"`{name}`" not in page] == []
    assert [
        column.name for each in DATA_TYPES.values() for column in each.columns if f"| `{column.name}` |" not in page
    ] == []
    assert not is_current(page.replace("required; the order;", "the order;"))


@pytest.mark.parametrize("mark", [BEGIN, END])
def test_a_page_without_its_marks_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="data types"):
        written(PAGE.read_text().replace(mark, ""))
