"""Runs, leases, brakes, tokens, receipts and the API log in the ledger, on moto."""

from __future__ import annotations

import pytest
from pynamodb.exceptions import GetError

from adweir.model.errors import BadInput, Throttled, Transient, Unavailable
from adweir.model.messages import Scope
from adweir.model.platforms import Platform
from adweir.model.runs import RunState, StageRecord, StageState
from adweir.store.dynamo.paging import to_token
from adweir.store.ledger import Ledger, Tokens
from adweir.store.ledger.rows import Row
from support.aws_calls import AwsCalls
from support.clock import FrozenClock
from support.pipeline import a_run

pytestmark = pytest.mark.usefixtures("tables")
META = Platform("meta_ads")


@pytest.fixture
def ledger(clock: FrozenClock) -> Ledger:
    return Ledger(clock)


# --- runs


def test_a_run_is_created_once_and_comes_back_whole(ledger: Ledger) -> None:
    run = a_run(scope=Scope(accounts=("acc-1",), start="2026-11-01"), stages=(StageRecord("x", "a", "b", 1, 1, 0),))

    assert ledger.create_run(run)
    assert not ledger.create_run(a_run(workflow="hourly"))

    stored = ledger.get_run("run-1")
    assert stored is not None
    assert (stored.workflow, stored.scope, stored.stages) == ("daily", run.scope, run.stages)
    assert (stored.state, stored.current[0].state) == (RunState.RUNNING, StageState.REQUESTED)
    assert [run_id for run_id, _ in ledger.open_runs()] == ["run-1"]


def test_of_two_changes_at_once_one_wins(ledger: Ledger) -> None:
    ledger.create_run(a_run())
    read = ledger.get_run("run-1")
    assert read is not None

    first = ledger.change_run(read, reason="entities")
    second = ledger.change_run(read, reason="metrics")

    assert first is not None
    assert second is None
    assert ledger.get_run("run-1") == first


def test_creating_a_run_that_ended_does_not_mark_it_open(ledger: Ledger) -> None:
    ledger.create_run(a_run())
    assert ledger.unmark_open("run-1", ledger.open_mark("run-1"))

    ledger.create_run(a_run())

    assert not ledger.open_mark("run-1")


def test_an_older_mark_cannot_be_taken_for_a_newer_one(ledger: Ledger) -> None:
    ledger.create_run(a_run())
    seen = ledger.open_mark("run-1")
    ledger.mark_open("run-1")

    assert not ledger.unmark_open("run-1", seen)

    assert ledger.open_mark("run-1") == seen + 1


def test_runs_are_listed_newest_first_in_pages_across_months(ledger: Ledger, clock: FrozenClock) -> None:
    for number in range(7):
        ledger.create_run(a_run(f"run-{number}"))
        clock.advance(9 * 86400)

    pages, token = [], ""
    while True:
        runs, token = ledger.list_runs(3, token)
        pages.append([run.run_id for run in runs])
        if not token:
            break

    assert [run_id for page in pages for run_id in page] == [f"run-{number}" for number in reversed(range(7))]
    assert len(pages[0]) == 3


@pytest.mark.parametrize(
    "token",
    ["x", "2026-11|a", "|", *(to_token("runs", position) for position in ("2019-01|a", "2026-11|", "acc_other"))],
)
def test_a_made_up_page_token_is_refused(ledger: Ledger, token: str) -> None:
    with pytest.raises(BadInput):
        ledger.list_runs(3, token)


def test_a_cursor_is_kept_between_sweeps(ledger: Ledger) -> None:
    assert ledger.cursor("sweep") == ""
    ledger.set_cursor("sweep", "run-5")
    assert ledger.cursor("sweep") == "run-5"
    ledger.set_cursor("sweep", "")
    assert ledger.cursor("sweep") == ""


def test_a_ledger_that_does_not_answer_is_unavailable(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise GetError("connection lost")

    monkeypatch.setattr(Row, "get", broken)

    with pytest.raises(Unavailable):
        ledger.get_run("run-1")


# --- leases


def test_a_lease_is_exclusive_and_free_again_afterwards(ledger: Ledger) -> None:
    with ledger.lease("p", 60) as first, pytest.raises(Throttled) as caught, ledger.lease("p", 60):
        pytest.fail("held twice")
    assert caught.value.retry_after == 2

    with ledger.lease("p", 60) as second:
        second.check()
        assert second.fence > first.fence


def test_whether_a_lease_is_free_is_asked_without_taking_it(ledger: Ledger, clock: FrozenClock) -> None:
    ledger.check_free("p")
    with ledger.lease("p", 3):
        clock.advance(2)
        with pytest.raises(Throttled) as busy:  # for its last second, too
            ledger.check_free("p")
        clock.advance(1)
        ledger.check_free("p")
    with ledger.lease("p", 60):
        pass
    ledger.check_free("p")

    assert (busy.value.retry_after, busy.value.context["lease"]) == (1, "p")


def test_a_lease_that_ran_out_is_lost_to_the_next_holder(ledger: Ledger, clock: FrozenClock) -> None:
    with ledger.lease("p", 60) as first:
        clock.advance(61)
        with ledger.lease("p", 60) as second:
            with pytest.raises(Transient):
                first.check()
            second.check()


def test_releasing_a_lost_lease_does_not_free_the_new_holder(ledger: Ledger, clock: FrozenClock) -> None:
    with ledger.lease("p", 60):
        clock.advance(61)
        second = ledger._take("p", 60)
    second.check()


# --- brakes


def test_a_pause_holds_until_its_time_and_a_shorter_one_does_not_cut_it(ledger: Ledger, clock: FrozenClock) -> None:
    ledger.brakes.check(META, "1")
    ledger.brakes.trip(META, "1", 100, "code 17")
    ledger.brakes.trip(META, "1", 10, "code 4")

    with pytest.raises(Throttled, match="code 17") as caught:
        ledger.brakes.check(META, "1")
    assert caught.value.retry_after == 100
    ledger.brakes.check(META, "2")

    clock.advance(101)
    ledger.brakes.check(META, "1")


def test_five_faults_in_a_row_open_the_circuit_and_one_probe_closes_it(ledger: Ledger, clock: FrozenClock) -> None:
    for _ in range(5):
        ledger.brakes.check(META, "")
        ledger.brakes.failure(META, "")
    with pytest.raises(Throttled, match="open"):
        ledger.brakes.check(META, "")
    assert [(brake.state, brake.failures) for brake in ledger.brakes.on(META)] == [("open", 5)]

    clock.advance(31)
    assert [brake.state for brake in ledger.brakes.on(META)] == ["half_open"]
    ledger.brakes.check(META, "")
    with pytest.raises(Throttled, match="half open"):
        ledger.brakes.check(META, "")

    ledger.brakes.success(META, "")
    ledger.brakes.check(META, "")
    assert list(ledger.brakes.on(META)) == []


def test_a_failed_probe_opens_the_circuit_for_longer(ledger: Ledger, clock: FrozenClock) -> None:
    for _ in range(5):
        ledger.brakes.failure(META, "1")
    clock.advance(31)
    ledger.brakes.check(META, "1")
    ledger.brakes.failure(META, "1")

    with pytest.raises(Throttled) as caught:
        ledger.brakes.check(META, "1")

    assert caught.value.retry_after == 60


def test_a_success_in_between_restarts_the_count(ledger: Ledger) -> None:
    for _ in range(4):
        ledger.brakes.failure(META, "1")
    ledger.brakes.success(META, "1")
    ledger.brakes.failure(META, "1")

    ledger.brakes.check(META, "1")


def test_a_pause_is_among_the_brakes_that_are_on(ledger: Ledger) -> None:
    ledger.brakes.trip(META, "1", 100, "code 17")

    (brake,) = ledger.brakes.on(META)

    assert (brake.profile_id, brake.state, brake.reason) == ("1", "paused", "code 17")


# --- tokens


class Platforms:
    """Counts how often it was asked for a token."""

    def __init__(self, seconds: int = 3600) -> None:
        self.asked = 0
        self.seconds = seconds

    def refresh(self) -> tuple[str, int]:
        self.asked += 1
        return f"token-{self.asked}", self.seconds


def test_a_token_is_asked_for_once_and_shared(ledger: Ledger, clock: FrozenClock) -> None:
    platform, other_container = Platforms(), Tokens(clock)

    assert ledger.tokens.get("k", platform.refresh) == "token-1"
    assert ledger.tokens.get("k", platform.refresh) == "token-1"
    assert other_container.get("k", platform.refresh) == "token-1"


def test_a_token_is_replaced_a_minute_before_it_expires(ledger: Ledger, clock: FrozenClock) -> None:
    platform = Platforms()
    ledger.tokens.get("k", platform.refresh)

    clock.advance(3539)
    assert ledger.tokens.get("k", platform.refresh) == "token-1"
    clock.advance(1)
    assert ledger.tokens.get("k", platform.refresh) == "token-2"


def test_others_wait_for_the_first_token_and_then_give_up(ledger: Ledger, clock: FrozenClock) -> None:
    slept: list[float] = []
    other = Tokens(clock, sleep=slept.append)

    def refresh() -> tuple[str, int]:
        with pytest.raises(Throttled):
            other.get("k", lambda: pytest.fail("two refreshers"))
        return "fresh", 3600

    assert ledger.tokens.get("k", refresh) == "fresh"
    assert sum(slept) == pytest.approx(2.0)
    assert other.get("k", lambda: pytest.fail("it is shared")) == "fresh"


def test_while_one_refreshes_others_use_the_old_token_as_long_as_it_works(ledger: Ledger, clock: FrozenClock) -> None:
    platform = Platforms()
    other = Tokens(clock, sleep=lambda _: pytest.fail("no need to wait"))
    ledger.tokens.get("k", platform.refresh)
    clock.advance(3550)

    def refresh() -> tuple[str, int]:
        assert other.get("k", lambda: pytest.fail("two refreshers")) == "token-1"
        return "fresh", 3600

    assert ledger.tokens.get("k", refresh) == "fresh"


def test_a_refresh_that_fails_lets_the_next_one_try(ledger: Ledger) -> None:
    def broken() -> tuple[str, int]:
        raise Transient("502")

    with pytest.raises(Transient):
        ledger.tokens.get("k", broken)

    assert ledger.tokens.get("k", Platforms().refresh) == "token-1"


def test_a_refused_token_is_forgotten_but_not_its_successor(ledger: Ledger, clock: FrozenClock) -> None:
    platform, other = Platforms(), Tokens(clock)
    ledger.tokens.get("k", platform.refresh)
    other.get("k", platform.refresh)

    ledger.tokens.forget("k")
    assert ledger.tokens.get("k", platform.refresh) == "token-2"
    other.forget("k")
    assert other.get("k", platform.refresh) == "token-2"
    Tokens(clock).forget("k")
    assert Tokens(clock).get("k", platform.refresh) == "token-3"
    Tokens(clock).forget("never asked for")


# --- receipts and the log


def test_a_receipt_is_found_by_its_key_and_may_be_replaced(ledger: Ledger) -> None:
    assert ledger.receipts.get("drops/a.csv@v1") is None

    assert ledger.receipts.put("drops/a.csv@v1", {"state": "running"})
    assert not ledger.receipts.put("drops/a.csv@v1", {"state": "loaded", "rows": 3})

    assert ledger.receipts.get("drops/a.csv@v1") == {"state": "loaded", "rows": 3}


def test_what_was_not_taken_in_yet_is_found_in_one_request(ledger: Ledger) -> None:
    keys = [f"drops/{number}.csv" for number in range(60)]
    for key in keys[::2]:
        ledger.receipts.put(key, {"state": "loaded"})
    calls = AwsCalls()
    with calls.counting():
        calls.about = "all"
        assert ledger.receipts.missing(keys) == keys[1::2]
    assert calls.of("dynamodb") == 1
