"""The smaller parts of the ledger at their edges: brakes, replays, shared reports, receipts, logs, faults, trials."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.deeds import Deed
from adweir.model.errors import Conflict, Throttled, ThrottleScope, UnreadableItem
from adweir.model.messages import Replay, Scope
from adweir.model.platforms import Platform
from adweir.model.runs import RunState
from adweir.model.tasks import Cause
from adweir.model.times import Window, iso
from adweir.store.ledger import Ledger
from adweir.store.ledger.brakes import FIRST_SECONDS, brake_key, key_of, scope_key
from adweir.store.ledger.key_uses import Uses
from adweir.store.ledger.replays import LostDays, ReplayedObject
from adweir.store.ledger.rows import Row
from adweir.store.ledger.shared_reports import SharedReport
from support.clock import FrozenClock
from support.pipeline import a_run, a_task

pytestmark = pytest.mark.usefixtures("tables")
META = Platform("meta_ads")


@pytest.fixture
def ledger(clock: FrozenClock) -> Ledger:
    return Ledger(clock)


def opened(ledger: Ledger, times: int = 5, key: str = "111") -> None:
    for _ in range(times):
        ledger.brakes.failure(META, key, "503")


def wait(ledger: Ledger, *keys: str) -> float:
    """How long a check of these brakes asks to wait; 0 when it passes."""
    try:
        ledger.brakes.check(META, *keys)
    except Throttled as busy:
        return busy.retry_after
    return 0


# --- brakes


def test_the_longest_of_several_pauses_holds_until_its_second(ledger: Ledger, clock: FrozenClock) -> None:
    region = scope_key(ThrottleScope.REGION, "eu")
    ledger.brakes.trip(META, "111", 10, "")
    ledger.brakes.trip(META, region, 20, "slow down")
    ledger.brakes.trip(META, "111", 5, "shorter")
    ledger.brakes.trip(META, "111", 10, "as long")

    assert (wait(ledger, "111"), wait(ledger, "111", region), wait(ledger, "222")) == (10, 20, 0)
    assert [(on.reason, on.scope, on.profile_id) for on in ledger.brakes.on(META)] == [
        ("slow down", "region:eu", ""),
        ("rate limit", "profile", "111"),
    ]
    clock.advance(10)
    assert (wait(ledger, "111"), wait(ledger, "111", region)) == (0, 10)
    assert [on.key for on in ledger.brakes.on(META)] == ["meta_ads:region:eu"]
    ledger.brakes.trip(META, "111", 0.2, "again")
    assert wait(ledger, "111") == 1


def test_a_circuit_opens_at_the_fifth_fault_and_lets_one_probe_through_at_its_end(
    ledger: Ledger, clock: FrozenClock
) -> None:
    opened(ledger, 4)
    assert ledger.brakes.check(META, "111", "222") == ("111",)
    assert list(ledger.brakes.on(META)) == []

    opened(ledger, 1)
    assert wait(ledger, "111") == FIRST_SECONDS
    (state,) = ledger.brakes.on(META)
    assert (state.state, state.failures, state.reason) == ("open", 5, "503 five times")
    assert state.since == int(clock.now().timestamp())

    clock.advance(FIRST_SECONDS)
    assert [on.state for on in ledger.brakes.on(META)] == ["half_open"]
    assert wait(ledger, "111") == 0
    assert wait(ledger, "111") == FIRST_SECONDS  # another one probes it
    clock.advance(120)
    assert wait(ledger, "111") == 0  # that probe did not come back
    opened(ledger, 1)
    assert wait(ledger, "111") == 2 * FIRST_SECONDS


def test_a_success_forgets_faults_and_pauses_that_are_over_but_not_one_that_lasts(
    ledger: Ledger, clock: FrozenClock
) -> None:
    opened(ledger, 4)
    ledger.brakes.success(META, "111", "222")
    assert ledger.brakes.check(META, "111") == ()

    ledger.brakes.trip(META, "111", 10, "")
    ledger.brakes.success(META, "111")
    assert wait(ledger, "111") == 10
    clock.advance(10)
    assert ledger.brakes.check(META, "111") == ("111",)
    ledger.brakes.success(META, "111")
    assert ledger.brakes.check(META, "111") == ()


@pytest.mark.parametrize("before", [0, 3])
def test_a_fault_that_comes_while_a_success_is_noted_stays(
    ledger: Ledger, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.brakes.trip(META, "111", 1, "")
    opened(ledger, before)
    fetch = ledger.brakes._fetch

    def and_then(pk: str, sk: str) -> Row | None:
        found = fetch(pk, sk)
        monkeypatch.setattr(ledger.brakes, "_fetch", fetch)
        opened(ledger, 1)
        return found

    monkeypatch.setattr(ledger.brakes, "_now", lambda: 4_000_000_000)
    monkeypatch.setattr(ledger.brakes, "_fetch", and_then)
    monkeypatch.setattr(ledger.brakes, "_is_there", lambda _row: True)
    ledger.brakes.success(META, "111")

    row = ledger.brakes._fetch(f"brake#{META}", "111")
    assert row is not None
    assert row.failures == before + 1


@pytest.mark.parametrize("how", ["pause", "faults", "both"])
def test_a_brake_is_released_once(ledger: Ledger, how: str) -> None:
    assert ledger.brakes.release(META, "111") is False
    if how != "faults":
        ledger.brakes.trip(META, "111", 60, "")
    if how != "pause":
        opened(ledger)

    assert ledger.brakes.release(META, "111") is True
    assert wait(ledger, "111") == 0
    assert ledger.brakes.check(META, "111") == ()
    assert ledger.brakes.release(META, "111") is False


def test_brakes_have_names_that_a_person_can_type(ledger: Ledger) -> None:
    for key in ("", "111", scope_key(ThrottleScope.APP, "1f0c")):
        ledger.brakes.trip(META, key, 60, "")

    names = [on.key for on in ledger.brakes.on(META)]
    assert sorted(names) == ["meta_ads:111", "meta_ads:@", "meta_ads:app:1f0c"]
    assert [on.profile_id for on in ledger.brakes.on(META)] == ["", "111", ""]
    assert {key_of(name) for name in names} == {("meta_ads", "111"), ("meta_ads", "@"), ("meta_ads", "!app:1f0c")}
    typed = [brake_key(META, key) for key in ("", "111", "!app:1f0c")]
    assert typed == ["meta_ads:@", "meta_ads:111", "meta_ads:app:1f0c"]


# --- replays


REPLAY = Replay(
    replay_id="r1",
    account_id="acc-1",
    platform=META,
    profile_id="111",
    datasets=(Dataset.AD_DAILY,),
    start=date(2026, 11, 1),
    end=date(2026, 11, 2),
    load=1,
    cause=Cause.REPLAY,
)


def test_each_replay_of_an_ad_account_has_a_greater_number(ledger: Ledger, clock: FrozenClock) -> None:
    first = ledger.replays.next_load("meta_ads#111")
    assert first == int(clock.now().timestamp())
    assert [ledger.replays.next_load("meta_ads#111") for _ in range(2)] == [first + 1, first + 2]
    assert ledger.replays.next_load("meta_ads#222") == first
    clock.advance(60)
    assert ledger.replays.next_load("meta_ads#111") == first + 60


@pytest.mark.parametrize("known", [False, True])
def test_a_number_that_another_request_takes_meanwhile_is_not_given_twice(
    ledger: Ledger, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if known:
        ledger.replays.next_load("meta_ads#111")
    fetch, taken = ledger.replays._fetch, []

    def and_then(pk: str, sk: str) -> Row | None:
        found = fetch(pk, sk)
        monkeypatch.setattr(ledger.replays, "_fetch", fetch)
        taken.append(ledger.replays.next_load("meta_ads#111"))
        if again:
            monkeypatch.setattr(ledger.replays, "_fetch", and_then)
        return found

    again = False
    monkeypatch.setattr(ledger.replays, "_fetch", and_then)
    assert ledger.replays.next_load("meta_ads#111") == taken[0] + 1
    again = True
    monkeypatch.setattr(ledger.replays, "_fetch", and_then)
    with pytest.raises(Conflict):
        ledger.replays.next_load("meta_ads#111")


def test_a_replay_has_ended_when_all_was_sent_and_every_object_has_ended(ledger: Ledger, clock: FrozenClock) -> None:
    assert ledger.replays.get("r1") is None
    ledger.replays.sent_all("r1")
    assert list(Row.query("replay#r1")) == []  # nothing of a replay that there is not

    ledger.replays.begin(REPLAY)
    ledger.replays.lost("r1", "ad_daily", [Window(REPLAY.start, REPLAY.end)])
    for key in ("a", "b"):
        ledger.replays.sent("r1", key)
    record = ledger.replays.get("r1")
    assert record is not None
    assert (record.replay, record.requested_at, record.sending, record.ended) == (REPLAY, iso(clock.now()), True, False)
    assert record.lost == [LostDays("ad_daily", Window(REPLAY.start, REPLAY.end))]
    assert record.objects == [ReplayedObject("a", "sent"), ReplayedObject("b", "sent")]

    ledger.replays.ended("r1", "a", {"slots_changed": 3})
    ledger.replays.ended("r1", "b", reason="gone")
    ledger.replays.ended("r1", "c")
    # the first end counts, also when an object is sent or ends again
    ledger.replays.ended("r1", "a", reason="late")
    ledger.replays.sent("r1", "b")
    record = ledger.replays.get("r1")
    assert record is not None
    assert record.objects == [
        ReplayedObject("a", "loaded", 3),
        ReplayedObject("b", "failed", 0, "gone"),
        ReplayedObject("c", "loaded"),
    ]
    assert record.ended is False
    ledger.replays.sent_all("r1")
    record = ledger.replays.get("r1")
    assert record is not None
    assert (record.sending, record.ended) == (False, True)


def test_a_replay_whose_objects_are_under_way_has_not_ended(ledger: Ledger) -> None:
    ledger.replays.begin(REPLAY)
    ledger.replays.sent("r1", "a")
    ledger.replays.sent_all("r1")

    record = ledger.replays.get("r1")
    assert record is not None
    assert record.ended is False


# --- the rest


def test_a_shared_report_is_forgotten_unless_a_newer_one_took_its_place(ledger: Ledger) -> None:
    assert ledger.shared_reports.get("n") is None
    ledger.shared_reports.put("n", SharedReport("r1", "then"))
    ledger.shared_reports.put("n", SharedReport("r2", "later"))
    ledger.shared_reports.forget("n", "r1")
    assert ledger.shared_reports.get("n") == SharedReport("r2", "later")
    ledger.shared_reports.forget("n", "r2")
    assert ledger.shared_reports.get("n") is None


def test_a_receipt_says_whether_it_was_the_first_and_is_listed_newest_first(ledger: Ledger) -> None:
    def receipt(number: int) -> dict[str, Any]:
        return {"account_id": "acc-1", "last_modified": f"2026-11-0{number}", "rows": number}

    assert ledger.receipts.get("k") is None
    assert [ledger.receipts.put("k", {"rows": rows}) for rows in (1, 2)] == [True, False]
    assert ledger.receipts.get("k") == {"rows": 2}
    for number in (1, 2, 3):
        ledger.receipts.put_listed(f"k{number}", receipt(number))
    ledger.receipts.put_listed("k4", {"rows": 4})

    first, token = ledger.receipts.page("acc-1", 2, "")
    assert first == [receipt(3), receipt(2)]
    assert ledger.receipts.page("acc-1", 2, token) == ([receipt(1)], "")
    assert ledger.receipts.page("acc-1", 3, "")[1] == ""
    assert ledger.receipts.get("k4") == {"rows": 4}


def test_deeds_are_listed_newest_first_page_by_page(ledger: Ledger, clock: FrozenClock) -> None:
    deeds = []
    for number in range(3):
        deeds.append(ledger.audit.note(Deed("key", "release", f"b{number}", "done", "because")))
        clock.advance(1)

    first, token = ledger.audit.page(2, "")
    assert first == [deeds[2], deeds[1]]
    assert ledger.audit.page(2, token) == ([deeds[0]], "")
    assert ledger.audit.page(3, "") == (deeds[::-1], "")


def test_a_keys_use_is_written_every_ten_minutes(ledger: Ledger, clock: FrozenClock) -> None:
    ledger.key_uses.used("k1")
    first = iso(clock.now())
    clock.advance(599)
    ledger.key_uses.used("k1")
    ledger.key_uses.used("k2")
    times = [uses.last for uses in ledger.key_uses.of(["k1", "k2", "k3"]).values()]
    assert times == [first, iso(clock.now()), ""]
    clock.advance(1)
    ledger.key_uses.used("k1")
    assert ledger.key_uses.of(["k1"]) == {"k1": Uses(iso(clock.now()))}


def test_a_container_remembers_so_many_keys(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_NOTED_KEYS", 2)
    sizes = []
    for key in ("k1", "k2", "k3", "k4"):
        ledger.key_uses.used(key)
        sizes.append(len(ledger.key_uses._noted))
    assert sizes == [1, 2, 1, 2]


def test_faults_and_last_words_say_why(ledger: Ledger, clock: FrozenClock) -> None:
    ledger.faults.note("sweep", "broken")
    (fault,) = ledger.faults.newest()
    assert fault == ("sweep", "broken", iso(clock.now()))
    clock.advance(3600)
    assert ledger.faults.newest() == []

    ledger.last_words.note("m1", "poison")
    assert ledger.last_words.of(["m1", "m2"]) == {"m1": "poison"}


def test_the_first_report_of_a_kind_tries_narrower_ones(ledger: Ledger) -> None:
    task, other = a_task(), a_task(window=Window(date(2026, 11, 8), date(2026, 11, 9)))
    assert [ledger.trials.begin(one) for one in (task, other, task)] == [True, False, True]


def test_a_troubled_run_leaves_the_list_when_one_that_covers_it_succeeds(ledger: Ledger) -> None:
    scope = Scope(accounts=("acc-1",))

    def end(
        run_id: str, state: RunState, workflow: str = "daily", at: str = "2026-11-20", of: Scope = scope
    ) -> set[str]:
        ledger.troubled_runs.note(a_run(run_id, state=state, workflow=workflow, scope=of, ended_at=at, reason="x"))
        return {one.run_id for one in ledger.troubled_runs.all()}

    assert end("r1", RunState.FAILED) == {"r1"}
    assert end("r2", RunState.PARTIAL, "backfill") == {"r1", "r2"}
    assert end("r3", RunState.SUCCEEDED, at="2026-11-19") == {"r1", "r2"}  # it ended before
    assert end("r4", RunState.SUCCEEDED, of=Scope(accounts=("acc-2",))) == {"r1", "r2"}
    assert end("r5", RunState.CANCELLED) == {"r1", "r2"}
    assert end("r6", RunState.SUCCEEDED, "sync") == {"r2"}
    assert end("r7", RunState.SUCCEEDED, "backfill", of=Scope()) == set()
    assert end("r8", RunState.FAILED) == {"r8"}
    assert end("r8", RunState.CANCELLED) == set()
    assert end("r9", RunState.FAILED) == {"r9"}
    assert ledger.troubled_runs.all()[0] == ("r9", "daily", "failed", "x", "2026-11-20")


def test_what_has_expired_is_not_there_and_can_be_written_anew(ledger: Ledger, clock: FrozenClock) -> None:
    ledger.set_cursor("c", "x")
    clock.advance(90 * 86_400 - 1)
    assert ledger.cursor("c") == "x"
    clock.advance(1)
    assert ledger.cursor("c") == ""
    assert ledger._put(ledger._row("cursor#c", "cursor", text="y"), ledger._absent()) is True
    assert ledger._put(ledger._row("cursor#c", "cursor", text="z"), ledger._absent()) is False
    ledger.set_cursor("c", "")
    assert ledger.cursor("c") == ""
    Row("cursor#d", "cursor", text="never").save()  # an item without an end is not history
    assert ledger.cursor("d") == ""


def test_items_that_cannot_be_read_are_named_until_they_can(ledger: Ledger) -> None:
    ledger.create_run(a_run())
    row = ledger._fetch("run#run-1", "run")
    assert row is not None
    body, row.body = row.body, {}
    row.save()
    for _ in range(2):
        with pytest.raises(UnreadableItem):
            ledger.get_run("run-1")
    assert list(ledger.unreadable) == [("run#run-1", "run")]
    assert ledger.list_runs() == ([], "")

    row.body = body
    row.save()
    assert ledger.get_run("run-1") is not None
    assert ledger.unreadable == {}
    assert [run.run_id for run in ledger.list_runs()[0]] == ["run-1"]


def test_items_are_queried_in_order_from_a_key_to_a_key_and_only_so_many(ledger: Ledger) -> None:
    for name in ("a1", "a2", "a3", "b1"):
        ledger._put(ledger._row("p", name))

    def found(*about: Any, **how: Any) -> list[str]:
        return [row.sk for row in ledger._query("p", *about, **how)]

    assert found() == ["a1", "a2", "a3", "b1"]
    assert found("a") == ["a1", "a2", "a3"]
    assert found("a", newest_first=True, limit=2) == ["a3", "a2"]
    assert found("a", after="a1", limit=1) == ["a2"]
    assert found("a2", up_to="b1") == ["a2", "a3", "b1"]
    assert found(after="a3", newest_first=True) == ["a2", "a1"]
    assert len(ledger._fetch_many(("p", name) for name in ("a1", "a1", "x"))) == 1
