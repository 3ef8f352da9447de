"""Reference data: each cell is checked by its column's kind, and kept as it is written."""

from __future__ import annotations

import pytest

from adweir.model.data_types import DATA_TYPES
from adweir.platforms.files.lines import LineFault, Record
from adweir.platforms.files.reference_rows import KeyedCells, keyed_cells

RATE = {"date": "2026-11-01", "base": "eur", "quote": "USD", "rate": "1.0845"}
TEST = {"test_id": "t1", "start_date": "2026-10-01", "end_date": "2026-10-28", "incremental_conversions": "-12.5"}


def read(data_type: str, **cell: str) -> KeyedCells:
    return keyed_cells(Record(2, "", cell), DATA_TYPES[data_type])


def test_a_row_is_kept_as_it_is_written_under_its_key() -> None:
    assert read("rates", **RATE) == KeyedCells("base=EUR~quote=USD~date=2026-11-01", {**RATE, "base": "EUR"})
    exact = "0.00000000123456789012345678901234567890"
    assert read("rates", **RATE | {"rate": exact}).cells["rate"] == exact
    people = read("population", geo="DE/BY", population="13176426", age_band="", year="2024")
    assert people == KeyedCells("geo=DE/BY~year=2024", {"geo": "DE/BY", "population": "13176426", "year": "2024"})
    assert read("lift_tests", **TEST).cells == TEST


@pytest.mark.parametrize(
    ("data_type", "cell", "field"),
    [
        ("rates", RATE | {"rate": "0"}, "rate"),
        ("rates", RATE | {"rate": "-1"}, "rate"),
        ("rates", RATE | {"rate": "nan"}, "rate"),
        ("rates", RATE | {"rate": ""}, "rate"),
        ("rates", RATE | {"base": "euro"}, "base"),
        ("rates", RATE | {"date": "1.11.2026"}, "date"),
        ("population", {"geo": "DE", "population": "1.5"}, "population"),
        ("population", {"geo": "DE\x00", "population": "1"}, "geo"),
        ("benchmarks", {"industry": "retail", "metric": "ctr", "value": "1,2"}, "value"),
        ("lift_tests", TEST | {"end_date": "2026-09-30"}, "end_date"),
        ("lift_tests", TEST | {"incremental_conversions": ""}, ""),
        ("lift_tests", TEST | {"test_id": "a#b"}, "test_id"),
        (
            "lift_tests",
            TEST | {"incremental_conversions_lower": "2", "incremental_conversions_upper": "1"},
            "incremental_conversions_upper",
        ),
        ("lift_tests", TEST | {"incremental_conversions_lower": "-12.4"}, "incremental_conversions"),
        ("lift_tests", TEST | {"incremental_conversions_upper": "-12.6"}, "incremental_conversions_upper"),
        ("lift_tests", TEST | {"confidence": "90"}, "confidence"),
        ("lift_tests", TEST | {"confidence": "0"}, "confidence"),
        ("lift_tests", TEST | {"spend": "-0.01"}, "spend"),
    ],
)
def test_what_cannot_be_kept_is_told_by_its_column(data_type: str, cell: dict[str, str], field: str) -> None:
    with pytest.raises(LineFault) as fault:
        read(data_type, **cell)
    assert fault.value.field == field
