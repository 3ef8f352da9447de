"""The accumulator of a pull: exact, last wins, small."""

from __future__ import annotations

import tracemalloc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.metrics import MetricRow
from adweir.store.metrics.brought import Parents, PullRows

ROWS = st.builds(
    MetricRow,
    st.sampled_from(["a", "b", "ü~1"]),
    st.sampled_from(["2026-11-01", "2026-11-02"]),
    *[st.none() | st.integers(-(2**70), 2**70) | st.just(-(2**63))] * 5,
    hour=st.integers(-1, 23),
)


@given(st.lists(ROWS))
def test_it_holds_exactly_the_last_row_of_each_key(given_rows: list[MetricRow]) -> None:
    # given rows with repeated keys and numbers of any size
    rows, model = PullRows(), dict[tuple[str, str], object]()
    for row in given_rows:
        key = (row.entity_id, row.day if row.hour < 0 else f"{row.day}T{row.hour:02d}")
        assert rows.has(row.entity_id, row.day, row.hour) == (key in model)
        assert rows.add(row) == (key not in model)
        model[key] = row.slot
    # then each key has its last numbers
    assert {(entity, key): slot for entity, key, slot in rows} == model
    assert len(rows) == len(model)
    assert rows.entities() == sorted({entity for entity, _ in model})
    assert {key[:10] for _, key in model} == rows.days()
    assert rows.slots("a") == {key: slot for (entity, key), slot in model.items() if entity == "a"}


@given(st.lists(ROWS))
def test_an_offer_keeps_the_first_row_of_each_key_and_tells_duplicates_from_conflicts(
    given_rows: list[MetricRow],
) -> None:
    rows, model = PullRows(), dict[tuple[str, str, int], object]()
    for row in given_rows:
        key = (row.entity_id, row.day, row.hour)
        known = key in model
        first = model.setdefault(key, row.slot)
        assert rows.offer(row) is (True if not known else None if first == row.slot else False)
    assert len(rows) == len(model)
    assert Counter(slot for _, _, slot in rows) == Counter(model.values())


def test_quarantined_keys_are_remembered_by_day() -> None:
    rows = PullRows()
    rows.quarantined("a", "2026-11-01")
    assert rows.holes("2026-11-01") == {"a"}
    assert rows.holes("2026-11-02") == frozenset()
    assert rows.days() == {"2026-11-01"}
    assert rows.parents("a") == Parents("", "", "")
    assert rows.slots("a") == {}


@pytest.mark.parametrize("conversions", [10**7, None])
def test_a_stored_entity_day_takes_at_most_400_bytes(conversions: int | None) -> None:
    # given 28 days of 500 ads, twice
    rows = PullRows()
    tracemalloc.start()
    for day in [*range(1, 29)] * 2:
        for ad in range(500):
            group = f"23851000{ad // 10:010}"
            rows.add(
                MetricRow(
                    f"{group}~23852000{ad:010}",
                    f"2026-11-{day:02}",
                    10**6 + ad,
                    10**4,
                    conversions,
                    10**9,
                    10**10,
                    group,
                    group,
                )
            )
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / len(rows) <= 400
