"""Pages that are read by column end as if each row was read alone and examined by all rules, faults included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.columns import MetricColumns
from adweir.model.metrics import METRICS, MetricRow
from adweir.platforms import REGISTRY
from adweir.platforms.amazon_ads import rows as amazon_rows
from adweir.platforms.connector import RowBatch
from adweir.platforms.json_array import read_array
from adweir.platforms.meta import normalize as meta_normalize
from adweir.quality.row_rules import CURRENCY
from adweir.quality.rules import ID, WARNINGS, RowLoop
from support.faulty_pages import amazon_case, meta_case, outcome


def suspects(loop: RowLoop, columns: MetricColumns) -> set[int]:
    """What the rules say of each row alone."""
    found = set()
    for place, row in enumerate(columns):
        broken = {rule for rule, _ in loop._errors(row)} - {ID, CURRENCY}  # the loop looks at these itself
        if broken or any(warning.breaks(row.slot) for warning in WARNINGS):
            found.add(place)
    return found


@contextmanager
def one_by_one() -> Iterator[None]:
    """Without columns: each row is converted by itself, and taken by itself."""
    with (
        mock.patch.object(meta_normalize._RowReader, "columns", return_value=None),
        mock.patch.object(amazon_rows._ReportReader, "columns", return_value=None),
        mock.patch.object(RowLoop, "_suspects", suspects),
        mock.patch.object(RowLoop, "_known", return_value=False),
    ):
        yield


NUMBERS = st.none() | st.integers(-2, 3) | st.sampled_from([2**50 - 1, 2**50, 2**63, 10**6])
GOOD = st.sampled_from([(100, 5, 0, 9, 0), (10, 5, None, 9, None), (100, 5, 10**6, 2**50 - 1, 7)])
ROUNDING = (Decimal(0), Decimal(0), Decimal(0), Decimal("0.5"), Decimal(0))


@st.composite
def some_rows(draw: st.DrawFn) -> list[MetricRow]:
    """Rows of a batch: many batches without a fault."""
    faulty = draw(st.booleans())
    numbers: st.SearchStrategy[tuple[Any, ...]] = st.tuples(*[NUMBERS] * 5) if faulty else GOOD
    spaces = ["c", " c", ""] if draw(st.booleans()) else ["c", "d"]
    count = draw(st.integers(0, 6))
    return [
        MetricRow(
            draw(st.sampled_from(["a", "b", "c", "é", *([" c", "~"] if faulty else [])])),
            draw(st.sampled_from(["2026-11-01", "2026-11-02", *(["2026-11-03"] if faulty else [])])),
            **dict(zip(METRICS, draw(numbers), strict=True)),
            campaign_id=draw(st.sampled_from(spaces)),
            hour=draw(st.sampled_from([-1, 5])) if faulty else -1,
            currency=draw(st.sampled_from(["USD", "usd"])) if faulty else "USD",
            line=line,
            rounding=draw(st.sampled_from([None, None, ROUNDING])),
        )
        for line in range(1, count + 1)
    ]


def of_rows(batches: list[list[MetricRow]]) -> dict[str, object]:
    """The outcome of a pull whose normalizer yields these rows."""
    case = meta_case(Random(1))
    normalizer = mock.Mock()
    normalizer.metric_batches = lambda page, _context: [RowBatch(deepcopy(batches[page.number - 1]), [])]
    with mock.patch.object(REGISTRY, "normalizer", return_value=normalizer):
        return outcome(case._replace(bodies=[b""] * len(batches)))


@given(st.lists(some_rows(), max_size=3))
def test_rows_of_any_numbers_end_alike_together_and_one_by_one(batches: list[list[MetricRow]]) -> None:
    with one_by_one():
        expected = of_rows(batches)
    assert of_rows(batches) == expected


@given(some_rows())
def test_columns_are_the_same_rows(rows: list[MetricRow]) -> None:
    columns = MetricColumns.of(rows)
    assert list(columns) == rows
    assert [columns[place] for place in range(-len(rows), len(rows))] == rows * 2
    assert columns[1:] == rows[1:]
    assert MetricColumns.of(columns) is columns


@given(st.randoms(use_true_random=True))
@settings(max_examples=300)
def test_a_page_of_metas_ends_alike_by_column_and_by_row(rng: Random) -> None:
    case = meta_case(rng)
    with one_by_one():
        expected = outcome(case)
    assert outcome(case) == expected


@given(st.randoms(use_true_random=True))
@settings(max_examples=300)
def test_a_report_of_amazons_ends_alike_by_column_and_by_row(rng: Random) -> None:
    case = amazon_case(rng)
    pieces = partial(read_array, chunk=rng.choice((400, 4000)))
    with mock.patch.object(amazon_rows, "read_array", pieces):
        with one_by_one():
            expected = outcome(case)
        assert outcome(case) == expected
