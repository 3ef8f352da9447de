"""A breach is told once when it begins and once when it is over: by two workers, by repeats, and after kills."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adweir.model import limits
from adweir.model.breaches import BreachKind, BreachState, Judgement, Look, Subject
from adweir.model.errors import Unavailable
from adweir.model.times import iso
from adweir.quality.monitor import HOLD_SECONDS, Monitor
from adweir.store.findings.breaches import KEEP, Breaches, BreachItem
from support.bounds import at_the_bound
from support.breach_world import Heard, Told
from support.clock import FrozenClock
from support.crash import Crash, Killed

pytestmark = pytest.mark.usefixtures("tables")
BAD = Look(
    BreachKind.VOLUME, Subject("acme", "meta_ads", "1"), Judgement.BAD, "The rows fell.", value="9", expected="30"
)
GOOD = replace(BAD, judgement=Judgement.GOOD, says="The rows are back.")
UNSURE = replace(BAD, judgement=Judgement.UNSURE)
CAUSE = "volume#meta_ads#1"
WRITES = ("opening", "publish", "send", "open")


class MonitorWorld:
    """A monitor on moto, and what it told."""

    def __init__(self, clock: FrozenClock) -> None:
        self.clock, self.told, self.bus = clock, Told(), Heard()
        self.breaches = Breaches(clock)
        self.monitor = Monitor(self.breaches, self.bus, self.told, clock)

    def look(self, *looks: Look) -> None:
        at = self.clock.now()
        self.monitor.settle(looks, self.monitor.known(), at)

    def state(self) -> BreachState:
        return self.breaches.all()[CAUSE].breach.state


@pytest.fixture
def world(clock: FrozenClock) -> MonitorWorld:
    return MonitorWorld(clock)


def test_a_breach_that_lasts_is_told_once_until_it_is_over_and_anew_when_it_comes_back(world: MonitorWorld) -> None:
    for look in (UNSURE, GOOD, BAD, BAD, UNSURE, BAD, GOOD, GOOD, UNSURE, BAD, GOOD):
        world.clock.advance(300)
        world.look(look)
    assert world.told.causes == [f"+{CAUSE}", f"-{CAUSE}"] * 2
    assert [event.name for event in world.bus.events] == ["BreachOpened", "BreachCleared"] * 2
    first, over = world.told.breaches[:2]
    assert (first.says, first.value, first.expected) == ("The rows fell.", "9", "30")
    assert over.cleared_because == "The rows are back."
    assert over.opened_at == first.opened_at == first.since < over.cleared_at


def test_of_two_workers_that_see_the_same_one_tells(world: MonitorWorld) -> None:
    """Both read before either writes: when the breach begins, and when it ends."""
    other = Monitor(world.breaches, world.bus, world.told, world.clock)
    for look in (BAD, GOOD):
        at, first, second = world.clock.now(), world.monitor.known(), other.known()
        world.monitor.settle([look], first, at)
        other.settle([look], second, at)
        world.clock.advance(300)
    assert world.told.causes == [f"+{CAUSE}", f"-{CAUSE}"]


def test_a_worker_that_began_to_look_before_another_decided_changes_nothing(world: MonitorWorld) -> None:
    world.look(BAD)
    slow = world.clock.now() + timedelta(seconds=1)
    world.clock.advance(60)
    world.look(GOOD)
    world.monitor.settle([BAD], world.monitor.known(), slow)
    assert world.told.causes == [f"+{CAUSE}", f"-{CAUSE}"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, len(WRITES) + 1))
@pytest.mark.parametrize("look", [BAD, GOOD], ids=["begins", "is over"])
def test_a_worker_that_is_killed_at_any_write_loses_no_message(
    world: MonitorWorld, look: Look, at: int, *, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message comes twice only where the worker died between sending it and noting that, and then it is the same."""
    if look is GOOD:
        world.look(BAD)
        world.clock.advance(60)
        world.told.breaches.clear()
    crash = Crash()
    crash.watch(BreachItem, "save", put=monkeypatch.setattr)
    crash.watch(world.bus, "publish", put=monkeypatch.setattr)
    crash.watch(world.told, "send", put=monkeypatch.setattr)
    crash.arm(at, after=after)
    with pytest.raises(Killed):
        world.look(look)

    for _ in range(4):  # others look, before the hold has passed and after it
        world.clock.advance(HOLD_SECONDS / 2)
        world.look(look)

    twice = (WRITES[at - 1], after) in {("send", True), ("open", False)}
    sign = "-" if look is GOOD else "+"
    assert world.told.causes == [f"{sign}{CAUSE}"] * (2 if twice else 1)
    assert len({breach.opened_at for breach in world.told.breaches}) == 1
    assert world.state() is (BreachState.CLEARED if look is GOOD else BreachState.OPEN)


def test_a_message_that_cannot_be_sent_is_sent_by_a_later_look_even_of_something_else(
    world: MonitorWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_: object) -> None:
        raise Unavailable("SNS does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(world.told, "send", refuses)
        world.look(BAD)
    assert (world.told.causes, world.state()) == ([], BreachState.OPENING)
    world.look(GOOD)  # not before the beginning was told
    world.clock.advance(HOLD_SECONDS)
    world.look()
    assert (world.told.causes, world.state()) == ([f"+{CAUSE}"], BreachState.OPEN)
    world.clock.advance(1)
    world.look(GOOD)
    assert world.told.causes == [f"+{CAUSE}", f"-{CAUSE}"]


def test_what_was_only_noticed_is_told_to_nobody(world: MonitorWorld) -> None:
    world.look(replace(BAD, judgement=Judgement.NOTICED))
    world.look(GOOD)
    assert (world.told.causes, world.state()) == ([], BreachState.NOTICED)
    world.clock.advance(60)
    world.look(BAD)
    assert world.told.causes == [f"+{CAUSE}"]


def test_what_is_noticed_after_it_was_over_is_written_down_anew(world: MonitorWorld) -> None:
    for look in (BAD, GOOD, replace(BAD, judgement=Judgement.NOTICED)):
        world.look(look)
        world.clock.advance(60)
    assert (world.told.causes, world.state()) == ([f"+{CAUSE}", f"-{CAUSE}"], BreachState.NOTICED)


def test_a_breach_that_lasts_says_when_it_was_last_seen_and_its_newest_value(world: MonitorWorld) -> None:
    world.look(BAD)
    world.clock.advance(600)
    world.look(replace(BAD, value="8"))
    assert world.breaches.all()[CAUSE].breach.value == "9"
    world.clock.advance(3000)
    world.look(replace(BAD, value="7"))
    breach = world.breaches.all()[CAUSE].breach
    assert (breach.value, breach.looked_at) == ("7", iso(world.clock.now()))
    assert len(world.told.breaches) == 1


def test_a_breach_is_forgotten_a_month_after_it_is_over(world: MonitorWorld) -> None:
    world.look(BAD)
    world.clock.advance(KEEP.total_seconds())
    world.monitor.forget(world.monitor.known())
    assert world.state() is BreachState.OPEN
    world.look(GOOD)
    for seconds, left in ((KEEP.total_seconds() - 1, {CAUSE}), (1, set())):
        world.clock.advance(seconds)
        world.monitor.forget(world.monitor.known())
        assert set(world.breaches.all()) == left


@at_the_bound("MAX_BREACHES", as_if=3)
def test_no_more_breaches_are_kept_than_a_look_can_read(world: MonitorWorld, size: int, *, fits: bool) -> None:
    looks = [replace(BAD, about=str(number)) for number in range(size)]
    world.look(*looks)
    assert len(world.told.causes) == (size if fits else size - 1)
    world.look(replace(GOOD, about="0"))
    world.clock.advance(1)
    world.look(replace(GOOD, about="0"))
    assert world.told.causes[-1] == f"-{CAUSE}#0", "what is kept still ends"


def test_given_room_for_one_more_breach_when_two_begin_then_those_that_are_kept_last_and_end_all_the_same(
    world: MonitorWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_BREACHES", 3)
    bad, good = ([replace(look, about=str(number)) for number in range(4)] for look in (BAD, GOOD))
    world.look(bad[0], bad[1])
    world.clock.advance(60)

    world.look(bad[0], bad[2], bad[3], good[1])

    assert world.told.causes == [f"+{CAUSE}#0", f"+{CAUSE}#1", f"+{CAUSE}#2", f"-{CAUSE}#1"]


def test_an_item_that_cannot_be_read_hides_no_other(world: MonitorWorld) -> None:
    world.look(BAD)
    BreachItem("breaches", "broken", seen=1, body={"cause": "x"}).save()
    assert set(world.breaches.all()) == {CAUSE}
