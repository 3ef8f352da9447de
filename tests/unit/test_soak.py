"""What the soak makes of what it saw: the kinds of faults, what is planned, what counts as accounted for."""

from __future__ import annotations

from collections import Counter

import pytest

from adweir.model.times import iso_of
from soak.accounting import Account
from soak.evidence import Refusals, Whose, recorded
from soak.kinds import FAILS, LEFT_OUT, TRACES, kinds, offered
from soak.numbers import Compared
from soak.plan import Extent, Owned, Switched, plan
from soak.sizes import Measure

OWNED = [
    Owned(f"acc_{client}", platform, f"{client}{place}")
    for client in range(4)
    for place, platform in enumerate(("meta_ads", "amazon_ads", "tiktok_ads", "trade_desk", "google_ads"))
]
META = Whose("meta_ads", "00")


def fault(kind: str, again: float = 0.0) -> dict[str, object]:
    about = {"platform": META.platform, "profile": META.profile_id, "path": "GET /x"}
    return {"kind": kind, "at": 1.0, "again": again} | about


def accounted(kind: str, *evidence: str, again: float = 0.0, refused: Refusals | None = None) -> list[str]:
    account, found = Account(), {META: Counter(evidence)}
    account.add("daily-0", [Switched(kind, OWNED[0], {})], [fault(kind, again)], found, refused or Refusals([]))
    return account.wrong


def test_every_kind_that_the_sandbox_has_is_used_or_left_out_with_a_reason() -> None:
    there = {kind for kind, _ in offered()}

    assert there == TRACES.keys() | LEFT_OUT.keys()
    assert TRACES.keys() & LEFT_OUT.keys() == set()
    assert all(LEFT_OUT.values())
    assert set().union(*FAILS.values()) <= TRACES.keys()


def test_equal_seeds_plan_the_same_and_others_something_else() -> None:
    extent = Extent(profiles=20, hourly_profiles=5)

    assert plan(1, extent, OWNED) == plan(1, extent, OWNED) != plan(2, extent, OWNED)


def test_a_plan_has_the_runs_that_were_asked_for_and_every_kind_before_any_comes_again() -> None:
    phases = plan(3, Extent(profiles=20, days=30, hourly_profiles=5, hourly_runs=7), OWNED)

    assert Counter(phase.workflow for phase in phases) == {"daily": 30, "hourly": 7}
    assert [(phase.day, phase.hour) for phase in phases] == sorted((phase.day, phase.hour) for phase in phases)
    drawn = Counter((one.kind, one.owner.platform) for phase in phases for one in phase.faults)
    assert drawn.keys() == {(kind.name, kind.platform) for kind in kinds()}
    assert max(drawn.values()) - min(drawn.values()) <= 2
    assert all(len({one.owner for one in phase.faults}) == len(phase.faults) for phase in phases)


def test_a_fault_that_left_no_trace_is_named() -> None:
    assert accounted("server_error") == ["daily-0: server_error was served to meta_ads 00 at GET /x, and left no trace"]
    assert accounted("server_error", "rows quarantined", "rows read") != []
    assert accounted("server_error", "transient") == accounted("server_error", again=2.0) == []
    assert accounted("bad_row", "rows read", again=2.0) != []


@pytest.mark.parametrize(
    ("at", "endpoint", "platform", "seen"),
    [
        (2, "https://graph.example/v26.0/act_7/insights", "meta_ads", True),
        (29, "https://graph.example/v26.0/act_8/insights", "meta_ads", True),
        (0, "https://graph.example/v26.0/act_7/insights", "meta_ads", False),
        (40, "https://graph.example/v26.0/act_7/insights", "meta_ads", False),
        (2, "https://graph.example/v26.0/act_7/ads", "meta_ads", False),
        (2, "https://graph.example/v26.0/act_7/insights", "tiktok_ads", False),
    ],
)
def test_a_call_that_failed_is_a_trace_of_the_fault_of_its_moment(
    at: int, endpoint: str, platform: str, seen: bool
) -> None:
    call = {"platform": platform, "method": "GET", "endpoint": endpoint, "timestamp": iso_of(at)}
    served = fault("quota") | {"path": "GET /v26.0/{id}/insights"}

    assert Refusals([call]).has(served) is seen


def test_a_refusal_in_the_api_log_explains_only_what_may_have_no_other_trace() -> None:
    call = {"platform": "meta_ads", "method": "GET", "endpoint": "http://h/x", "timestamp": iso_of(2)}

    assert accounted("quota", refused=Refusals([call])) == accounted("data_limit", refused=Refusals([call])) == []
    assert accounted("quota") != []
    assert accounted("bad_row", refused=Refusals([call])) != []


def test_a_failed_task_needs_a_fault_that_explains_it() -> None:
    account = Account()

    account.failures("daily-0", [(META, "auth_expired")], [fault("revoked_credential")])
    account.failures("daily-1", [(META, "deadline")], [fault("slow_report")])
    assert account.wrong == []

    account.failures("daily-2", [(META, "auth_expired")], [fault("slow_report")])
    account.failures("daily-3", [(Whose("meta_ads", "5"), "deadline")], [fault("slow_report")])
    assert ["failed with auth_expired" in account.wrong[0], "no fault" in account.wrong[1]] == [True, True]


def test_what_the_ledger_and_the_log_say_of_an_ad_account_is_counted() -> None:
    task = {"id": "t1", "platform": "meta_ads", "profile_id": "00", "state": "loaded", "attempts": 2}
    counts = {"rows_read": 0, "rows_quarantined": 0, "complete": 0}
    failed = task | {"id": "t2", "state": "parked", "error": {"code": "auth_expired"}, "attempts": 1}
    log = [
        {"message": "waits", "code": "throttled", "task_id": "t1"},
        {"message": "transient fault", "task_id": "t2"},
        {"message": "waits", "code": "throttled", "task_id": "of another run"},
    ]

    found = recorded([task | {"counts": counts}, failed], log, lambda one: Whose(one["platform"], one["profile_id"]))

    names = {"no rows", "incomplete", "rows read", "tried again", "task:auth_expired", "waits:throttled", "transient"}
    assert found == {META: Counter(names)}


def test_numbers_that_differ_or_that_only_one_side_has_are_named() -> None:
    found = Compared()

    found.differences("ad", {("1", "a"): (1, 2), ("1", "b"): (3, 4)}, {("1", "a"): (1, 2), ("1", "c"): (5, None)})

    assert found.wrong == ["ad 1 b: stored (3, 4), platform None", "ad 1 c: stored None, platform (5, None)"]


def test_a_size_beyond_its_tolerance_is_named() -> None:
    assert Measure("ledger: tasks", 100, 110, "items", 0.1).wrong == ""
    assert Measure("memory: collect", 140, 60, "MB", 0.25, may_be_less=True).wrong == ""
    assert Measure("memory: collect", 140, 180, "MB", 0.25, may_be_less=True).wrong != ""
    assert (
        Measure("ledger: tasks", 100, 89, "items", 0.1).wrong
        == "ledger: tasks: 89 items, and 100 items ± 10% were predicted"
    )
