"""The tables of docs/data-types.md, which columns each data type has: `python -m ops.data_type_table` writes them.

`adweir.model.data_types` is their source; nobody writes them by hand. A test says when they are not current.
"""

from __future__ import annotations

from pathlib import Path

from adweir.model.data_types import DATA_TYPES, DataType, StoredAs
from ops.between_marks import replaced

PAGE = Path(__file__).parents[1] / "docs/data-types.md"
BEGIN, END = "<!-- data types: python -m ops.data_type_table writes this -->\n", "<!-- end of data types -->\n"
_HEADINGS = {
    StoredAs.SERIES: "Your own figures",
    StoredAs.ADS: "Numbers of ads",
    StoredAs.REFERENCE: "Reference data",
    StoredAs.OBJECTS: "Objects",
    StoredAs.BILLS: "Bills",
}


def tables() -> str:
    """A heading per way of storing, below it a table per data type. Types that differ in their time alone share one."""
    parts = []
    for stored_as, heading in _HEADINGS.items():
        parts.append(f"## {heading}\n")
        parts += [_table(each) for each in DATA_TYPES.values() if each.stored_as is stored_as and not _is_hourly(each)]
    return "\n".join(parts)


def is_current(page: str) -> bool:
    """Whether a page has the tables as they would be written."""
    return written(page) == page


def written(page: str) -> str:
    """The page with its tables. Raises ValueError for one without its two marks."""
    return replaced(page, BEGIN, tables(), END)


def _is_hourly(data_type: DataType) -> bool:
    return data_type.name.endswith("_hourly")


def _table(data_type: DataType) -> str:
    names = f"`{data_type.name}`"
    hourly = f"{data_type.name}_hourly"
    notes = [f"{data_type.about[0].upper()}{data_type.about[1:]}."]
    if hourly in DATA_TYPES:
        notes.append(f"`{hourly}` has the same columns and `hour`, which is required.")
    if data_type.one_of:
        notes.append(f"A row needs one of {', '.join(f'`{name}`' for name in data_type.one_of)}.")
    if data_type.key:
        notes.append(f"Rows are told apart by {', '.join(f'`{name}`' for name in data_type.key)}.")
    if data_type.personal:
        notes.append("Files of it hold personal data.")
    lines = [
        f"| `{column.name}` | {column.kind} | {'required; ' if column.required else ''}{column.about} |"
        for column in data_type.columns
    ]
    return "\n".join([f"### {names}\n", *notes, "", "| column | | |", "| --- | --- | --- |", *lines, ""])


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
