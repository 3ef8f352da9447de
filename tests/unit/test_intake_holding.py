"""What several parts of an object leave in quarantine is one entry."""

from __future__ import annotations

from adweir.intake.load.holding import HeldBack
from support.bounds import at_the_bound


def test_the_refused_rows_of_all_parts_are_counted_named_and_kept() -> None:
    one = HeldBack(3, {"bound": 2, "id": 1}, ({"line": 1},), ("quarantine/a",))
    other = HeldBack(2, {"bound": 2}, ({"line": 9},), ("quarantine/b",))

    found = HeldBack().plus(one).plus(other)

    assert (found.rows, found.reasons) == (5, {"bound": 4, "id": 1})
    assert (found.first, found.keys) == (({"line": 1}, {"line": 9}), ("quarantine/a", "quarantine/b"))


@at_the_bound("MAX_QUARANTINED_NAMED")
def test_so_many_rows_are_named(size: int, *, fits: bool) -> None:
    rows = tuple({"line": number} for number in range(size))

    assert (len(HeldBack(size, {}, rows).plus(HeldBack()).first) == size) is fits


@at_the_bound("MAX_DROP_REASONS")
def test_so_many_rules_are_named(size: int, *, fits: bool) -> None:
    rules = {f"rule{number}": number for number in range(1, size + 1)}

    found = HeldBack(1, rules).plus(HeldBack()).reasons

    assert (len(found) == size) is fits
    assert next(iter(found)) == f"rule{size}", "the most frequent are"
