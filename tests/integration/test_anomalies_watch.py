"""What `detect` finds does not depend on when it dies, how often it is asked, or in how many steps days settle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from adweir.insight.anomalies import batches
from adweir.insight.anomalies.incidents import AnomalyState
from adweir.insight.anomalies.kept import change
from adweir.insight.anomalies.sources import ProfileDays
from adweir.insight.anomalies.watched import WatchedEntity
from adweir.insight.anomalies.wording import says
from adweir.model import limits
from adweir.model.budgets import ListedBudget
from adweir.model.errors import NotReady
from adweir.model.metrics import Level, Slot
from adweir.model.times import first_of_month
from support.anomalies import (
    ACCOUNT,
    CAMPAIGNS,
    FIRST,
    SPIKE,
    WatchedDays,
    WatchedWorld,
    slot_of,
    spiked,
    wave,
)
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash, Killed


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> WatchedWorld:
    return WatchedWorld(clock)


def test_a_calm_account_has_no_anomaly(world: WatchedWorld) -> None:
    assert world.look() == 90
    assert world.incidents() == []
    assert world.bus.events == []


def test_a_day_on_which_everything_falls_is_one_incident_of_the_account(world: WatchedWorld) -> None:
    spiked(world.days, (0.1, 0.1, 0.1, 0.1))

    world.look(SPIKE + 2)

    (incident,) = world.incidents()
    assert (incident.level, incident.entity_id, incident.first_day) == ("account", "1", "2026-09-30")
    assert {"spend", "impressions", "clicks"} <= {each["metric"] for each in incident.metrics}
    assert incident.parts_total == 4
    assert (incident.severity.value, incident.state) == ("critical", "open")
    (event,) = world.bus.events
    assert (event.name, event.anomaly_id, event.day) == ("AnomalyDetected", incident.id, "2026-09-30")


def test_a_campaign_that_the_account_does_not_show_is_an_incident_of_its_own(world: WatchedWorld) -> None:
    spiked(world.days, (1.7, 1.0, 1.0, 1.0))

    world.look(SPIKE + 2)

    assert [(i.level, i.entity_id, i.name) for i in world.incidents()] == [("campaign", "c0", "name of c0")]


def test_days_of_one_cause_are_one_incident_told_once_and_over_after_three_usual_days(world: WatchedWorld) -> None:
    for at in (SPIKE, SPIKE + 1):
        spiked(world.days, (0.1, 0.1, 0.1, 0.1), at)

    for until in range(SPIKE - 2, SPIKE + 8):
        world.look(until)

    (incident,) = world.incidents()
    assert incident.days == ["2026-09-30", "2026-10-01"]
    assert incident.state == AnomalyState.OVER
    assert len(world.bus.events) == 1


def test_a_second_look_at_the_same_days_learns_and_writes_nothing(world: WatchedWorld) -> None:
    spiked(world.days, (0.1, 0.1, 0.1, 0.1))
    world.look(SPIKE + 2)
    before = world.found(), world.states()

    assert world.look() == 0

    assert (world.found(), world.states()) == before
    assert len(world.bus.events) == 1


def test_day_by_day_finds_what_all_at_once_does(tables: None, clock: FrozenClock) -> None:
    at_once, by_day = WatchedWorld(clock), WatchedWorld(clock)
    by_day.days.watcher = by_day.days.watcher._replace(profile_id="2")
    for each in (at_once, by_day):
        spiked(spiked(each.days, (0.1, 0.1, 0.1, 0.1)), (1.0, 5.0, 1.0, 1.0), 80)

    at_once.look()
    for until in range(1, 91):
        by_day.look(until)

    def shown(world: WatchedWorld) -> list[Any]:
        own = [i for i in world.incidents() if i.profile_id == world.days.watcher.profile_id]
        return [(i.level, i.entity_id, i.days, i.metrics, i.parts, i.state) for i in own]

    assert shown(at_once) == shown(by_day)
    assert len(shown(at_once)) >= 2
    assert at_once.states() == by_day.states()


def test_a_restated_day_is_learned_anew_and_what_is_gone_is_withdrawn(world: WatchedWorld) -> None:
    spiked(world.days, (0.1, 0.1, 0.1, 0.1))
    world.look()
    (before,) = world.incidents()
    untouched = WatchedWorld(world.clock, WatchedDays())
    untouched.days.watcher = untouched.days.watcher._replace(profile_id="2")
    untouched.look()

    world.days.numbers[FIRST + timedelta(days=SPIKE)] = untouched.days.numbers[FIRST + timedelta(days=SPIKE)]
    assert world.look() == 90

    after = next(i for i in world.incidents() if i.id == before.id)
    assert after.state == AnomalyState.WITHDRAWN
    assert world.states() == untouched.states()


def test_what_was_found_long_ago_stays_when_all_is_learned_anew(
    world: WatchedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LISTED_DAYS", 20)
    spiked(world.days, (0.1, 0.1, 0.1, 0.1))
    for until in (SPIKE + 2, 90):
        world.look(until)
    before = world.found()
    world.days.deliver(3, dict.fromkeys(CAMPAIGNS, 1.01 * wave(3)))
    assert (len(before), world.look(), world.found()) == (1, 90, before)


def test_a_campaign_that_is_restated_under_the_same_total_is_learned_anew(world: WatchedWorld) -> None:
    """Given a pull that moves a day's delivery from one campaign to another, then all is learned anew; else nothing."""
    world.look()
    world.days.pulled += 1
    assert world.look() == 0
    assert world.incidents() == []

    day = world.days.numbers[FIRST + timedelta(days=SPIKE)]
    day[CAMPAIGNS[2]], day[CAMPAIGNS[3]] = slot_of(1000), _plus(day[CAMPAIGNS[2]], day[CAMPAIGNS[3]])
    assert world.look() == 0, "nothing was pulled again: it cannot have changed"
    world.days.pulled += 1

    assert world.look() == 90
    assert ("c2", ["2026-09-30"]) in [(i.entity_id, i.days) for i in world.incidents()]
    assert world.look() == 0


def test_a_budget_that_was_changed_the_day_before_it_was_listed_is_named(world: WatchedWorld) -> None:
    budgets = [(100_000_000, ""), (170_000_000, "2026-10-01"), (160_000_000, "2026-10-20")]
    listed = tuple(ListedBudget(amount=amount, kind="daily", since=since) for amount, since in budgets)
    world.days.budgets[CAMPAIGNS[0].key] = listed
    spiked(world.days, (1.7, 1.0, 1.0, 1.0))

    world.look()

    (incident,) = world.incidents()
    assert [(each["campaign_id"], each["after"]) for each in incident.budgets] == [("c0", "170")]
    said = "Its budget was raised from 100.00 to 170.00 EUR, as first listed on 2026-10-01."
    assert said in says(incident)


def test_a_level_that_was_not_pulled_on_a_settled_day_did_not_deliver_nothing(world: WatchedWorld) -> None:
    """Given a day of which only the ad account's total is known, its campaigns go on with the next known one."""
    day = FIRST + timedelta(days=SPIKE)
    world.days.unknown[day] = {Level.CAMPAIGN}

    assert world.look(SPIKE + 2) == SPIKE + 2

    assert world.incidents() == []
    assert world.look(90) == 90 - SPIKE - 2
    assert world.incidents() == []


def test_when_arms_are_bound_to_something_else_all_is_learned_anew(world: WatchedWorld) -> None:
    """Given an arm that begins to have two campaigns, its history is theirs, and what else was found stays."""
    spiked(world.days, (0.1, 0.1, 0.1, 0.1))
    world.look()
    before = world.found()
    arm = WatchedEntity(Level.ARM, "arm_1", (ACCOUNT.key,))
    for rows in world.days.numbers.values():
        rows[arm] = _plus(*(rows[each] for each in CAMPAIGNS[:2]))
    assert world.look() == 0
    world.days.arms_mark = "arm_1: c0 and c1"

    assert world.look() == 90

    assert ("arm", "arm_1") in world.states()
    assert [row[:4] for row in world.found()] == [row[:4] for row in before]
    assert "arm" in {part["level"] for part in world.incidents()[0].parts}


def _plus(one: Slot, other: Slot) -> Slot:
    total = [(mine or 0) + (theirs or 0) for mine, theirs in zip(one, other, strict=True)]
    return (total[0], total[1], total[2], total[3], total[4])


def test_what_was_paused_is_no_anomaly(world: WatchedWorld) -> None:
    world.days.off = {CAMPAIGNS[0].key}
    for at in range(SPIKE, 70):
        spiked(world.days, (0.0, 1.0, 1.0, 1.0), at)

    world.look(70)

    assert [i for i in world.incidents() if i.entity_id == "c0"] == []


def test_what_ends_without_a_reason_is_one_anomaly(world: WatchedWorld) -> None:
    for at in range(SPIKE, 70):
        spiked(world.days, (1.0, 0.0, 1.0, 1.0), at)

    world.look(70)

    (incident,) = world.incidents()
    assert (incident.entity_id, incident.first_day) == ("c1", "2026-09-30")


def test_a_small_campaign_needs_somebody_once_its_days_together_cost_enough(world: WatchedWorld) -> None:
    """c0 spends a tenth of the ad account's money: a day without it is little, two are not."""
    for at in (SPIKE, SPIKE + 1):
        spiked(world.days, (0.0, 1.0, 1.0, 1.0), at)

    world.look(SPIKE + 1)
    assert world.incidents() == []
    world.look(SPIKE + 2)

    (incident,) = world.incidents()
    assert (incident.entity_id, incident.days) == ("c0", ["2026-10-01"])


def test_a_campaign_that_pauses_again_and_again_needs_nobody_until_it_stays_away(world: WatchedWorld) -> None:
    for at in (20, 31, 38, 52, SPIKE, SPIKE + 20, SPIKE + 21, SPIKE + 22):
        spiked(world.days, (1.0, 1.0, 1.0, 0.0), at)

    world.look()

    days = [day for incident in world.incidents() for day in incident.days if day >= "2026-09-30"]
    assert days == ["2026-10-22"]


def test_days_long_ago_are_learned_and_make_no_incident(tables: None, clock: FrozenClock) -> None:
    world = WatchedWorld(clock, WatchedDays(300))
    spiked(spiked(world.days, (0.1, 0.1, 0.1, 0.1), 100), (0.1, 0.1, 0.1, 0.1), 200)

    assert world.look() == 300

    assert [i.days for i in world.incidents()] == [[(FIRST + timedelta(days=200)).isoformat()]]


def test_an_account_without_days_and_absurd_values_fail_nothing(tables: None, clock: FrozenClock) -> None:
    world = WatchedWorld(clock, WatchedDays(0))
    assert world.look() == 0

    world.days = WatchedDays(60)
    world.days.numbers[FIRST + timedelta(days=50)] = {ACCOUNT: (10**15, 0, None, 10**18, -(10**18))}
    world.days.numbers[FIRST + timedelta(days=51)] = {ACCOUNT: (None, None, None, None, None)}
    assert world.look(60) == 60
    assert world.look() == 0


def test_feedback_stays_and_a_mark_raises_the_series_threshold(world: WatchedWorld) -> None:
    spiked(world.days, (0.1, 0.1, 0.1, 0.1))
    world.look(SPIKE + 2)
    (incident,) = world.incidents()
    change(world.store, incident.first_day, incident.id, {"state": "expected", "feedback": {"expected": True}})
    names = [each["metric"] for each in incident.metrics]
    assert world.store.watches.mark(world.days.watcher.key, "account#1", names, incident.id, expected=True)

    world.look(SPIKE + 8)

    (kept,) = world.incidents()
    assert (kept.state, kept.feedback) == ("expected", {"expected": True})
    assert world.store.watches.expected(world.days.watcher.key)["account#1"]["spend"] == [incident.id]
    (look,) = [one for one in (world.kept.looks() if world.kept else ()) if one.about == incident.id]
    assert look.judgement == "good"


def test_when_time_runs_out_the_next_call_goes_on(world: WatchedWorld) -> None:
    spiked(world.days, (0.1, 0.1, 0.1, 0.1))
    calls = 0

    def short() -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise NotReady("later", after=1)

    learned = 0
    for _ in range(8):
        calls = 0
        try:
            learned = world.look(90, short)
        except NotReady:
            continue
        break
    assert world.store.watches.get(world.days.watcher.key).through == "2026-10-29"
    assert learned < 90
    assert len(world.incidents()) == 1


def test_a_death_before_or_after_any_write_changes_nothing(
    tables: None, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given an untouched run, when each write in turn is the last of a worker, then the next one finds the same."""
    whole = WatchedWorld(clock)
    spiked(whole.days, (0.1, 0.1, 0.1, 0.1))
    whole.look(SPIKE)
    whole.look(SPIKE + 2)
    expected = [row[1:] for row in whole.found()]
    states = whole.states()

    at, is_more, number = 0, True, 10
    while is_more:
        at, number = at + 1, number + 1
        world = WatchedWorld(clock)
        world.days.watcher = world.days.watcher._replace(profile_id=str(number))
        spiked(world.days, (0.1, 0.1, 0.1, 0.1))
        world.look(SPIKE)
        crash = Crash(at)
        with monkeypatch.context() as patch:
            for stored in (world.store, world.store.watches, world.store.entities):
                crash.watch(stored, "put", put=patch.setattr)
            crash.watch(world.bus, "publish", put=patch.setattr)
            try:
                world.look(SPIKE + 2)
                is_more = False
            except Killed:
                pass
        world.look(SPIKE + 2)
        own = [row for row, i in zip(world.found(), world.incidents(), strict=True) if i.profile_id == str(number)]
        assert [row[1:] for row in own] == expected, f"died at write {at}"
        assert world.states() == states, f"died at write {at}"
        assert {event.anomaly_id for event in world.bus.events} == {row[0] for row in own}
    assert at > 6


@at_the_bound("MAX_EXPECTED_MARKS")
def test_the_last_marks_of_a_series_are_remembered(world: WatchedWorld, size: int, fits: bool) -> None:
    key = world.days.watcher.key
    for number in range(size):
        assert world.store.watches.mark(key, "account#1", ["spend"], f"ano_{number}", expected=True)
    known = world.store.watches.expected(key)["account#1"]["spend"]
    assert ("ano_0" in known) is fits


@at_the_bound("MAX_ANOMALY_SCAN", as_if=2)
def test_a_page_of_incidents_looks_at_a_number_of_them(world: WatchedWorld, size: int, fits: bool) -> None:
    for number in range(size):
        body = {"id": f"ano_{number}", "first_day": FIRST.isoformat(), "version": 1}
        assert world.store.put(body)
    page, more = world.store.page(FIRST, FIRST, limits.MAX_ANOMALY_SCAN)
    assert (len(page) == size) is fits
    assert more is not fits


@at_the_bound("MAX_WATCHED_MONTHS")
def test_the_history_that_is_learned_is_bounded_by_whole_months(size: int, fits: bool) -> None:
    queries, profile = Mock(), Mock(account_id="acc_1", platform="meta_ads", profile_id="1", currency="EUR")
    queries.today.return_value = date(2026, 11, 23)
    window = ProfileDays(queries, Mock(), profile).window
    assert (first_of_month(date(2026, 11, 22), -size) >= window.start) is fits
    assert (window.start.day, window.end) == (1, date(2026, 11, 22))


@pytest.mark.parametrize("call", range(1, 12))
def test_two_workers_at_once_learn_each_day_once_and_find_each_cause_once(
    tables: None, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """Given a task that is delivered twice, when the other worker does all before any write of the first, then the
    first gives way, and what is stored is as if there had been one."""
    alone, first, other = (WatchedWorld(clock) for _ in range(3))
    alone.days.watcher = alone.days.watcher._replace(profile_id="2")
    for each in (alone, first, other):
        spiked(each.days, (0.1, 0.1, 0.1, 0.1))
        each.store.watches.get(each.days.watcher.key)
    alone.look(SPIKE + 2)
    calls = 0

    def interrupted(put: Callable[..., Any]) -> Callable[..., Any]:
        def after_the_other(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                other.look(SPIKE + 2)
            return put(*arguments)

        return after_the_other

    for stored in (first.store, first.store.watches, first.store.entities):
        monkeypatch.setattr(stored, "put", interrupted(stored.put))
    try:
        first.look(SPIKE + 2)
    except NotReady:
        first.look(SPIKE + 2)

    found = {each.profile_id: (each.days, each.metrics, each.parts, each.state) for each in first.incidents()}
    assert len(first.incidents()) == 2
    assert found["1"] == found["2"]
    assert first.states() == alone.states()
    assert {event.anomaly_id for event in (*first.bus.events, *other.bus.events)} == {
        each.id for each in first.incidents() if each.profile_id == "1"
    }
