"""What loads found on each day: counts that loads at once, deaths and damage leave right."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import Any

import boto3
import pytest

from adweir.store.findings.tallies import DayTallies, DayTally, TallyKey
from support.aws_calls import AwsCalls
from support.clock import FrozenClock


def tally(stamp: str, rows: int = 1) -> DayTally:
    return DayTally(stamp, "2026-11-20T00:00:00.000000Z", rows, {"id": {"entity_id": rows}} if rows > 1 else {})


def test_the_newest_load_of_a_day_counts_in_whatever_order_they_come(tables: None, clock: FrozenClock) -> None:
    loads = [{"2026-11-01": tally("a"), "2026-11-02": tally("a")}, {"2026-11-02": tally("b", 5)},
             {"2026-10-31": tally("c", 3), "2026-11-01": tally("c", 7)}]  # fmt: skip
    key = TallyKey("ad", "pull", "all")
    for number, order in enumerate(permutations(loads)):
        tallies = DayTallies(clock)
        for load in (*order, *order):
            tallies.put(f"p#{number}", key, load)
        found = {
            day: each for _, days in tallies.months(f"p#{number}", "2026-10", "2026-11") for day, each in days.items()
        }
        assert {day: (each.stamp, each.rows) for day, each in found.items()} == {
            "2026-10-31": ("c", 3), "2026-11-01": ("c", 7), "2026-11-02": ("b", 5),
        }  # fmt: skip
        assert found["2026-11-02"] == tally("b", 5)


def test_a_month_of_counts_that_somebody_damaged_holds_up_no_load(tables: None, clock: FrozenClock) -> None:
    tallies, key = DayTallies(clock), TallyKey("ad", "pull", "all")
    tallies.put("p#1", key, {"2026-11-01": tally("a")})
    table = {"TableName": "adweir-findings", "Key": {"pk": {"S": "tallies#p#1"}, "sk": {"S": "2026-11#ad#pull#all"}}}
    dynamodb = boto3.client("dynamodb")
    dynamodb.update_item(**table, UpdateExpression="SET days = :d", ExpressionAttributeValues={":d": {"S": "{"}})
    assert list(tallies.months("p#1", "2026-11", "2026-11")) == []

    tallies.put("p#1", key, {"2026-11-02": tally("a")})

    ((_, days),) = tallies.months("p#1", "2026-11", "2026-11")
    assert days == {"2026-11-02": tally("a")}


@pytest.mark.parametrize("months", [["2026-11"], ["2026-10", "2026-11"]])
def test_two_loads_that_note_one_month_at_once_both_count(
    tables: None, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, months: list[str]
) -> None:
    one, other, key = DayTallies(clock), DayTallies(clock), TallyKey("ad", "pull", "all")
    one.put("p#1", key, {f"{month}-01": tally("a") for month in months})
    fetch = one._fetch_many
    raced: list[int] = []

    def late(keys: Iterable[tuple[str, str]]) -> Any:
        found = fetch(keys)
        if not raced:
            raced.append(1)
            other.put("p#1", key, {"2026-11-03": tally("b")})
        return found

    monkeypatch.setattr(one, "_fetch_many", late)
    one.put("p#1", key, {f"{month}-02": tally("c") for month in months})
    found = [sorted(days) for _, days in one.months("p#1", months[0], months[-1])]
    assert found[-1] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    assert found[:-1] == [["2026-10-01", "2026-10-02"]] * (len(months) - 1)


def test_the_counts_of_a_load_are_read_and_written_with_one_request_each(tables: None, clock: FrozenClock) -> None:
    """However many months its days lie in, up to twenty-five; a file of five years has more."""
    tallies, key = DayTallies(clock), TallyKey("ad", "file", "all")
    days = {f"{year}-{month:02}-01": tally("a") for year in range(2021, 2024) for month in range(1, 13)}
    with AwsCalls().counting() as calls:
        calls.about = "put"
        tallies.put("p#1", key, {"2026-11-01": tally("a")})
        assert calls.requests.total() == 2
        tallies.put("p#1", key, {"2026-11-02": tally("a"), "2026-12-01": tally("a")})
        assert calls.requests.total() == 4
        tallies.put("p#1", key, days)
        assert calls.requests.total() == 8

    assert {day for _, found in tallies.months("p#1", "2021-01", "2023-12") for day in found} == days.keys()
