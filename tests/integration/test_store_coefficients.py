"""Versions of media-mix coefficients: one per input, the newest read at once, the last ones kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.times import iso
from adweir.store.findings import Findings
from adweir.store.findings.coefficients import KEEP, Coefficients, LookResult, MixCoefficients, MixLook
from support.aws_calls import AwsCalls
from support.bounds import at_the_bound
from support.clock import FrozenClock

TWENTIETH = "2026-11-20T00:00:00.000000Z"
DRAWS = {"meta": [[0.5, 1.25], [0.75, 1.5]]}


@pytest.fixture
def mix(tables: None, clock: FrozenClock) -> MixCoefficients:
    return Findings(clock).mix


def fitted(version: int = 1, input_hash: str = "h1", **more: Any) -> Coefficients:
    given: dict[str, Any] = {
        "subject": "acc_a",
        "currency": "EUR",
        "table": "weekly",
        "kpi": "revenue",
        "version": version,
        "as_of": f"2026-11-{version:02}T00:00:00.000000Z",
        "input_hash": input_hash,
        "run_id": "run_1",
        "method": "mix-1",
        "first": "2024-01-01",
        "last": "2026-11-02",
        "step": 7,
        "periods": 149,
        "settled_share": "0.95",
        "channels": [{"channel": "meta", "roi": "2.5"}],
        "fit": {"r2": "0.9"},
    }
    return Coefficients(**given | more)


def test_the_newest_version_of_each_series_is_read_by_one_request(mix: MixCoefficients) -> None:
    first, daily = fitted(), fitted(table="daily")
    assert mix.put(first, DRAWS, None)
    assert mix.put(daily, DRAWS, None)
    assert mix.put(fitted(subject="acc_b"), DRAWS, None)
    second = fitted(2, "h2")
    assert mix.put(second, DRAWS, first)
    with AwsCalls().counting() as calls:
        calls.about = "latest"
        assert mix.latest("acc_a") == [daily, second]
    assert [call.operation for call in calls.requests.elements()] == ["Query"]
    assert mix.newest(second.of) == second
    assert mix.versions(second.of) == [second, first]
    assert (mix.version(second.of, 1), mix.version(second.of, 3)) == (first, None)
    assert (mix.draws(second), mix.draws(first)) == (DRAWS, None)


def test_the_same_input_is_not_stored_twice_and_an_older_reading_replaces_nothing(mix: MixCoefficients) -> None:
    first = fitted()
    second = fitted(2, "h2")
    mix.put(first, DRAWS, None)
    mix.put(second, DRAWS, first)
    later, older = fitted(3, "h2"), fitted(3, "h3", as_of=first.as_of)
    assert not mix.put(later, DRAWS, second)
    assert not mix.put(older, DRAWS, second)
    assert mix.versions(second.of) == [second, first]


def test_of_workers_that_read_the_same_version_one_stores_the_next(mix: MixCoefficients) -> None:
    first = fitted()
    with ThreadPoolExecutor(4) as pool:
        begun = [*pool.map(lambda n: mix.put(replace(first, run_id=f"run_{n}"), {"n": n}, None), range(4))]
        stored = mix.newest(first.of)
        following = [*pool.map(lambda n: mix.put(fitted(2, f"h{n + 2}"), {"n": n}, first), range(4))]
    assert (sum(begun), sum(following)) == (1, 1)
    assert stored is not None
    assert stored.run_id == f"run_{begun.index(True)}"
    newest = mix.newest(first.of)
    assert newest is not None
    assert newest.input_hash == f"h{following.index(True) + 2}"
    assert mix.draws(newest) == {"n": following.index(True)}
    assert [each.version for each in mix.versions(first.of)] == [2, 1]


@at_the_bound("MAX_COEFFICIENT_VERSIONS", as_if=3)
def test_versions_of_a_series(mix: MixCoefficients, size: int, fits: bool) -> None:
    before = None
    for number in range(1, size + 1):
        fresh = fitted(number, f"h{number}", as_of=f"2026-11-20T00:00:{number:02}.000000Z")
        assert mix.put(fresh, DRAWS, before)
        before = fresh
    kept = [each.version for each in mix.versions(fitted().of)]
    assert kept == [*range(size, 0, -1)][: limits.MAX_COEFFICIENT_VERSIONS]
    assert (1 in kept) == fits


def test_what_the_last_look_came_to_is_kept_and_an_older_look_says_nothing(mix: MixCoefficients) -> None:
    first = MixLook(
        "EUR", "weekly", "revenue", LookResult.NOT_READY, "2026-11-20T00:00:00.000000Z", "run_1", "x" * 9999
    )
    second = first._replace(at="2026-11-21T00:00:00.000000Z", result=LookResult.FITTED, reason="", version=1)
    mix.note("acc_a", first)
    assert len(mix.looks("acc_a")[0].reason) == limits.MAX_REASON_CHARS
    mix.note("acc_a", second)
    mix.note("acc_a", first)
    assert mix.looks("acc_a") == [second]
    assert mix.latest("acc_a") == []


def test_versions_that_expired_are_gone_and_do_not_stand_in_the_way(mix: MixCoefficients, clock: FrozenClock) -> None:
    mix.put(fitted(), DRAWS, None)
    clock.advance(KEEP.total_seconds() + 1)
    assert mix.latest("acc_a") == []
    again = fitted(as_of=iso(clock.now()))
    assert mix.put(again, DRAWS, None)
    assert mix.versions(again.of) == [again]
