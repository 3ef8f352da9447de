"""The headers that proposals of mappings are judged by are whole, and the judge tells right from wrong."""

from __future__ import annotations

import csv
import re

import pytest

from adweir.model.data_types import DATA_TYPES
from support.mapping_headers import Answer, JudgedHeader, judged_headers, score

HEADERS = {header.name: header for header in judged_headers()}
_EACH = pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
_ADDRESS = re.compile(r"[\w.+-]+@([\w.-]+)")


def _sure(header: JudgedHeader) -> dict[str, Answer]:
    """A right answer per column."""
    return {column: next(iter(answers - {None}), None) for column, answers in header.accepted.items()}


def test_there_are_at_least_ten_headers_in_several_languages() -> None:
    assert len(HEADERS) >= 10
    assert {"en", "de", "fr", "es"} <= {header.language for header in HEADERS.values()}
    assert all(header.tool and header.seen_in for header in HEADERS.values())


@_EACH
def test_a_sample_has_exactly_the_judged_columns_and_whole_rows(header: JudgedHeader) -> None:
    lines = header.sample.read_text(encoding="utf-8").splitlines()[header.header_line - 1 :]
    delimiter = ";" if ";" in lines[0] else ","
    names, *rows = csv.reader(lines, delimiter=delimiter)
    assert names == list(header.accepted)
    assert len(rows) >= 3
    assert {len(row) for row in rows} == {len(names)}


@_EACH
def test_a_sample_has_addresses_of_nobody(header: JudgedHeader) -> None:
    assert set(_ADDRESS.findall(header.sample.read_text(encoding="utf-8"))) <= {"example.com"}


@_EACH
def test_every_field_is_one_of_its_data_types(header: JudgedHeader) -> None:
    known = {name for data_type in header.data_types for name in DATA_TYPES[data_type].names}
    ranges = {"range_start", "range_end"}  # of the language of mappings: a row about several days is refused
    said = {answer for answers in header.accepted.values() for answer in answers if answer is not None}
    assert said <= known | ranges
    assert DATA_TYPES[next(iter(header.data_types))].required


@_EACH
def test_no_two_columns_have_to_be_the_same_field(header: JudgedHeader) -> None:
    fields = [
        field for column in header.stored for field in header.accepted[column] if len(header.accepted[column]) == 1
    ]
    assert len(fields) == len(set(fields))


def test_given_right_proposals_then_every_column_is_right() -> None:
    found = score({name: _sure(header) for name, header in HEADERS.items()})
    assert (found.of_all, found.of_stored) == (1, 1)


def test_given_a_proposal_that_stores_nothing_then_only_what_need_not_be_stored_is_right() -> None:
    found = score({name: {} for name in HEADERS})
    assert found.right == found.columns - found.stored
    assert found.of_stored == 0


def test_given_a_proposal_with_one_field_for_another_then_two_columns_are_wrong() -> None:
    header = HEADERS["criteo_statistics"]
    swapped = _sure(header) | {"Displays": "clicks", "Clicks": "impressions"}
    assert header.wrong(swapped) == {"Displays": "clicks", "Clicks": "impressions"}


def test_given_a_name_of_a_person_is_proposed_to_be_stored_then_it_is_wrong() -> None:
    header = HEADERS["etsy_sold_orders"]
    assert header.wrong(_sure(header) | {"Full Name": "channel"}) == {"Full Name": "channel"}


def test_given_no_proposal_for_a_header_then_all_of_it_is_wrong() -> None:
    found = score({name: _sure(header) for name, header in HEADERS.items() if name != "stripe_payments"})
    assert found.columns - found.right == len(HEADERS["stripe_payments"].accepted)
