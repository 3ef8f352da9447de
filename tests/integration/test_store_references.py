"""Reference data: kept as written, the newest file wins row by row, in whatever order files are loaded."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from adweir.model.platforms import Platform
from adweir.model.series_ids import series_id
from adweir.model.times import Window
from adweir.store.catalog.references import ReferenceRow
from adweir.store.catalog.store import Catalog
from support.clock import FrozenClock

T1, T2, T3 = (f"2026-11-2{n}T00:00:00.000000Z" for n in range(3))
BANK = Platform("bank")


@pytest.fixture
def catalog(tables: None, clock: FrozenClock) -> Catalog:
    return Catalog(clock)


def rate(day: str, value: str, source: Platform = BANK) -> ReferenceRow:
    return ReferenceRow(source, f"date={day}", {"date": day, "rate": value})


def stored(catalog: Catalog, source: str = "") -> dict[str, str]:
    return {f"{row.source} {row.key}": row.cells["rate"] for row in catalog.references("acc", "rates", source)}


def test_rows_come_back_as_they_were_written(catalog: Catalog) -> None:
    exact = "1.084500000000000000000001"
    assert catalog.put_references("acc", "rates", [rate("2026-11-01", exact)], T1) == (1, 0, 0)
    assert stored(catalog) == {"bank date=2026-11-01": exact}
    assert list(catalog.references("other", "rates")) == []
    assert list(catalog.references("acc", "population")) == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_file_wins_row_by_row(catalog: Catalog, order: tuple[int, ...]) -> None:
    files = [
        ([rate("2026-11-01", "1"), rate("2026-11-02", "1")], T1),
        ([rate("2026-11-02", "2"), rate("2026-11-03", "2")], T2),
        ([rate("2026-11-03", "3")], T2),
    ]
    for n in order:
        catalog.put_references("acc", "rates", *files[n])
        catalog.put_references("acc", "rates", *files[n])
    assert stored(catalog) == {f"bank date=2026-11-0{n}": str(n) for n in (1, 2, 3)}


def test_sources_do_not_replace_each_other_s_rows(catalog: Catalog) -> None:
    catalog.put_references("acc", "rates", [rate("2026-11-01", "1")], T1)
    catalog.put_references("acc", "rates", [rate("2026-11-01", "2", Platform("bank_b"))], T2)
    assert stored(catalog) == {"bank date=2026-11-01": "1", "bank_b date=2026-11-01": "2"}
    assert stored(catalog, "bank") == {"bank date=2026-11-01": "1"}


def test_the_rows_of_some_days_are_read_without_the_others(catalog: Catalog) -> None:
    # given two sources, one of which has two pairs of currencies, and a day that somebody removed
    days = [f"2026-11-{day:02}" for day in range(1, 6)]
    for source, quotes in ((BANK, ("USD", "USN")), (Platform("bank_b"), ("USD",)), (Platform("bank2"), ("USD",))):
        said = [{"base": "EUR", "quote": quote, "date": day} for quote in quotes for day in days]
        catalog.put_references("acc", "rates", [ReferenceRow(source, series_id(one), one) for one in said], T1)
    pair = {"base": "EUR", "quote": "USD"}
    third = ReferenceRow(BANK, series_id({**pair, "date": days[2]}), {})
    assert catalog.remove_reference("acc", "rates", third, T2)

    found = list(catalog.reference_days("acc", "rates", "bank", pair, Window(date(2026, 11, 2), date(2026, 11, 4))))

    assert [row.cells for row in found] == [{**pair, "date": day} for day in (days[1], days[3])]
    assert list(catalog.reference_sources("acc", "rates")) == ["bank", "bank2", "bank_b"]
    assert list(catalog.reference_sources("acc", "population")) == []


def test_what_a_file_changed_is_counted_and_a_repetition_says_the_same(catalog: Catalog) -> None:
    first = [rate(f"2026-11-{day:02}", "1") for day in range(1, 31)]
    assert catalog.put_references("acc", "rates", first, T1) == (30, 0, 0)
    later = [rate("2026-11-01", "2"), rate("2026-11-02", "1"), rate("2026-12-01", "1")]
    assert catalog.put_references("acc", "rates", later, T2) == (1, 1, 1)
    assert catalog.put_references("acc", "rates", later, T2) == (0, 2, 1)
    assert catalog.put_references("acc", "rates", later, T1) == (0, 0, 3)


def test_more_rows_than_one_request_takes_are_all_stored(catalog: Catalog) -> None:
    many = [rate(f"{year}-{month:02}-01", str(month)) for year in range(2000, 2010) for month in range(1, 13)]
    assert catalog.put_references("acc", "rates", many, T3) == (120, 0, 0)
    assert len(stored(catalog)) == 120


def test_a_row_that_somebody_else_writes_at_this_moment_is_decided_again(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a newer file's loader that is quicker between reading and writing, then its rows stay."""
    together = catalog._put_together

    def late(puts: object) -> bool:
        monkeypatch.setattr(catalog, "_put_together", together)
        catalog.put_references("acc", "rates", [rate("2026-11-01", "new")], T2)
        return together(puts)  # type: ignore[arg-type]

    monkeypatch.setattr(catalog, "_put_together", late)
    rows = [rate("2026-11-01", "old"), rate("2026-11-02", "old")]
    assert catalog.put_references("acc", "rates", rows, T1) == (1, 0, 1)
    assert stored(catalog) == {"bank date=2026-11-01": "new", "bank date=2026-11-02": "old"}


def test_a_removed_row_stays_removed_until_a_newer_file_brings_it(catalog: Catalog) -> None:
    # given a row that somebody removed
    row = rate("2026-11-01", "1")
    catalog.put_references("acc", "rates", [row, rate("2026-11-02", "1")], T1)
    assert catalog.remove_reference("acc", "rates", row, T2)
    # when it is removed once more, and the file that brought it is loaded again
    assert not catalog.remove_reference("acc", "rates", row, T2)
    assert catalog.put_references("acc", "rates", [row], T1) == (0, 0, 1)
    # then it is not there; a newer file brings it back
    assert stored(catalog) == {"bank date=2026-11-02": "1"}
    assert catalog.put_references("acc", "rates", [row], T3) == (1, 0, 0)
    assert stored(catalog) == {"bank date=2026-11-01": "1", "bank date=2026-11-02": "1"}


def test_a_row_that_a_newer_file_brought_is_not_removed_by_who_saw_the_old_one(catalog: Catalog) -> None:
    row = rate("2026-11-01", "1")
    catalog.put_references("acc", "rates", [row], T3)
    assert not catalog.remove_reference("acc", "rates", row, T2)
    assert stored(catalog) == {"bank date=2026-11-01": "1"}
