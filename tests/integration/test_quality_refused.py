"""Refused rows are told once per ad account or source, in words, and once more when none is left."""

from __future__ import annotations

from typing import Any

import pytest

from adweir.model.breaches import BreachKind, Subject
from adweir.quality.breach_messages import MessageFormat, written
from adweir.quality.monitor import Monitor
from adweir.quality.refused_looks import TOLD, refused_looks
from adweir.store.findings import Findings
from adweir.store.findings.held_rows import HeldObject, SupersedingPull
from support.bounds import at_the_bound
from support.breach_world import Heard, Told
from support.clock import FrozenClock

pytestmark = pytest.mark.usefixtures("tables")
CAUSE = "refused#meta_ads#1"


class RefusingWorld:
    """A quarantine that loads fill, and a sweep every five minutes."""

    def __init__(self, clock: FrozenClock) -> None:
        self.clock, self.told, self.findings = clock, Told(), Findings(clock)
        self.monitor = Monitor(self.findings.breaches, Heard(), self.told, clock)

    def hold(self, key: str, rows: int = 1, **fields: Any) -> HeldObject:
        values: dict[str, Any] = {"account_id": "acme", "platform": "meta_ads", "profile_id": "1"}
        values |= {"dataset": "ad_daily", "task_id": key, "keys": ("quarantine/t.0.jsonl.gz",)}
        found = HeldObject(source_key=key, rows=rows, reasons={"negative": rows}, **values | fields)
        self.findings.held.hold(found)
        return found

    def sweep(self) -> list[str]:
        """One sweep; what was told by it."""
        self.clock.advance(300)
        before, at, known = len(self.told.breaches), self.clock.now(), self.monitor.known()
        recent, is_whole = self.findings.held.since(at - TOLD)
        self.monitor.settle(refused_looks(recent, known, is_whole=is_whole), known, at)
        return self.told.causes[before:]


@pytest.fixture
def world(clock: FrozenClock) -> RefusingWorld:
    return RefusingWorld(clock)


def test_rows_that_several_loads_refuse_day_after_day_are_one_message_and_one_when_a_pull_brings_them(
    world: RefusingWorld,
) -> None:
    assert world.sweep() == []
    # given a bad row, which each load of the ad account meets
    days = {"slice": "all", "start": "2026-11-19", "end": "2026-11-20"}
    refused = {"first_day": "2026-11-19", "last_day": "2026-11-19"}
    for number in range(3):
        world.hold(f"raw/{number}", rows=1200, **days, **refused)
        assert world.sweep() == ([f"+{CAUSE}"] if number == 0 else [])
        world.clock.advance(86_400)
    # when a newer pull brings the day without a fault
    tasks = frozenset({"raw/0", "raw/1", "raw/2"})
    world.findings.held.supersede(SupersedingPull("meta_ads", "1", "ad_daily", tasks=tasks, **days))
    # then that is told, once
    assert [world.sweep(), world.sweep()] == [[f"-{CAUSE}"], []]
    begun, over = world.told.breaches
    assert begun.says == "1,200 rows were refused: ad_daily (1,200). By rule: negative (1,200)."
    assert over.cleared_because == "No row that was refused in the last 7 days is in quarantine any more."


def test_a_replay_that_moves_all_rows_ends_it_and_one_that_leaves_some_does_not(world: RefusingWorld) -> None:
    found = world.hold("drops/acme/a.csv", rows=3, profile_id="", platform="agency", dataset="metrics")
    assert world.sweep() == ["+refused#agency#acme"]
    world.findings.held.replaying(found.name, "key_1")
    assert world.sweep() == []
    for load, left in enumerate((2, 0), start=1):
        world.hold("drops/acme/a.csv", left, load=load, profile_id="", platform="agency", dataset="metrics")
        assert world.sweep() == ([] if left else ["-refused#agency#acme"])


def test_rows_that_nobody_repairs_are_over_after_a_week_and_told_anew_with_the_next(world: RefusingWorld) -> None:
    world.hold("raw/0")
    assert world.sweep() == [f"+{CAUSE}"]
    world.clock.advance(TOLD.total_seconds() - 3600)
    assert world.sweep() == []
    world.clock.advance(3600)
    assert world.sweep() == [f"-{CAUSE}"]
    world.hold("raw/1")
    assert world.sweep() == [f"+{CAUSE}"]


def test_the_message_names_the_ad_account_or_the_source_and_the_most_frequent_of_what_was_refused(
    world: RefusingWorld,
) -> None:
    for number, dataset in enumerate(("ad_daily", "leads", "campaigns", "keywords"), start=1):
        world.hold(f"raw/{dataset}", number, dataset=dataset)
    world.hold("stream/1", profile_id="", account_id="", platform="amazon_ads", dataset="stream")
    world.sweep()
    told = {breach.cause: written(breach, MessageFormat.TEXT) for breach in world.told.breaches}

    assert set(told) == {CAUSE, "refused#amazon_ads"}
    assert told[CAUSE].subject == "adweir breach: refused rows, meta_ads 1"
    assert "10 rows were refused: keywords (4), campaigns (3), leads (2) and 1 more." in told[CAUSE].body
    assert "Found: 10 rows of 4 stored objects\n" in told[CAUSE].body
    assert told["refused#amazon_ads"].body.startswith("1 row was refused: stream (1).")
    assert "Source: files and deliveries of amazon_ads, an unknown client\n" in told["refused#amazon_ads"].body


def test_every_cause_that_is_told_can_be_called_over(world: RefusingWorld) -> None:
    for subject in (Subject("acme", "meta_ads", "1"), Subject("acme", "meta_ads"), Subject("", "amazon_ads")):
        world.hold(f"raw/{subject.key}", **subject._asdict())
    begun = world.sweep()
    world.clock.advance(TOLD.total_seconds())
    assert sorted(world.sweep()) == sorted(cause.replace("+", "-") for cause in begun)
    assert all(breach.kind is BreachKind.REFUSED for breach in world.told.breaches)


@at_the_bound("MAX_HELD_READ", as_if=3)
def test_of_more_entries_than_are_read_none_is_called_over(size: int, fits: bool, world: RefusingWorld) -> None:
    world.hold("raw/other", profile_id="2")
    world.sweep()
    for number in range(size - 1):
        world.clock.advance(1)
        world.hold(f"raw/{number}")
    entries, is_whole = world.findings.held.since(world.clock.now() - TOLD)
    assert (is_whole, len(entries)) == (fits, 3)
    assert world.sweep() == [f"+{CAUSE}"]
