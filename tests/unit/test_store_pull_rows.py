"""The accumulator of a pull: exact, the first row of a key wins, small."""

from __future__ import annotations

import tracemalloc

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
def test_it_holds_exactly_the_first_row_of_each_key_and_tells_duplicates_from_conflicts(
    rows_read: list[MetricRow],
) -> None:
    # given rows with repeated keys and numbers of any size
    rows, model = PullRows(), dict[tuple[str, str], object]()
    for row in rows_read:
        key = (row.entity_id, row.day if row.hour < 0 else f"{row.day}T{row.hour:02d}")
        known = key in model
        assert rows.has(row.entity_id, row.day, row.hour) == known
        first = model.setdefault(key, row.slot)
        assert rows.offer(row) is (True if not known else None if first == row.slot else False)
    # then each key has its first numbers
    assert {(entity, key): slot for entity, key, slot in rows} == model
    assert len(rows) == len(model)
    assert rows.entities() == sorted({entity for entity, _ in model})
    assert {key[:10] for _, key in model} == rows.days()
    for entity in ("a", "b"):
        assert rows.slots(entity) == {key: slot for (of, key), slot in model.items() if of == entity}


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
            rows.offer(
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
