"""Tables made step by step, with deaths between, are those made from nothing: random stories, and single ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from adweir.insight.curated import state
from adweir.insight.curated.layout import STATE
from adweir.model.entities import AdCampaign, Profile, ProfileStatus
from adweir.model.errors import NotReady, TooLarge, UnreadableItem
from adweir.model.metrics import MetricRow
from support.crash import Killed
from support.curated_world import CuratedWorld, FakeBucket
from support.reading_world import ACCOUNT, AD, HOURS, LOSSY, ONE, TODAY, a_profile, account, ad

STEPS = 14
DAYS = ("2026-09-10", "2026-11-10", "2026-11-12")
STATUSES = (ProfileStatus.ACTIVE, ProfileStatus.REMOVED)
ADVANCES = (0.0, 3600.0, 90_000.0, 300_000.0)


class Story:
    """What happens to an ad account, drawn by a seed. `told` is what happened, for a failing test to show."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.told: list[str] = []
        self.world = CuratedWorld(ONE, objects=[_named("Spring")])

    def run(self) -> None:
        """Some steps, then a run that nothing disturbs."""
        steps: list[Callable[[], str]] = [self._pull, self._pull, self._hours, self._wait, self._turn]
        steps += [self._die, self._die, self._curate, self._run_short, self._lose]
        self._pull()
        for _ in range(STEPS):
            self.told.append(self._rng.choice(steps)())
        self.world.curate()

    def _pull(self) -> str:
        day, spend = self._rng.choice(DAYS), self._rng.randrange(3)
        if self._rng.random() < 0.5:
            self.world.pull(ACCOUNT, account(spend, day), days=(day, day))
            return f"the account spent {spend} on {day}"
        rows: list[MetricRow] = [ad("a1", spend, day)] if spend else []
        self.world.pull(AD, *rows, days=(day, day))
        return f"ads spent {spend} on {day}"

    def _hours(self) -> str:
        spend = self._rng.randrange(3)
        self.world.pull(ACCOUNT, account(spend, TODAY, hour=self._rng.randrange(3)), **HOURS)
        return f"the account spent {spend} in an hour"

    def _wait(self) -> str:
        seconds = self._rng.choice(ADVANCES)
        self.world.stored.clock.advance(seconds)
        return f"{seconds} seconds passed"

    def _turn(self) -> str:
        """The ad account has another status, or its campaign another name."""
        status = self._rng.choice(STATUSES)
        self.world.catalog._profiles = [ONE.model_copy(update={"status": status})]
        self.world.listed[:] = self._rng.choice([[], [_named("Spring")], [_named("Autumn")]])
        return f"status {status}, campaigns {[each.name for each in self.world.listed]}"

    def _curate(self) -> str:
        self.world.curate()
        return "a run"

    def _die(self) -> str:
        write, after = self._rng.randrange(1, 12), self._rng.random() < 0.5
        self.world.bucket.crash.arm(write, after=after)
        try:
            self.world.curate()
        except Killed:
            return f"a run that died {'after' if after else 'before'} write {write}"
        finally:
            self.world.bucket.crash.arm(0)
        return "a run"

    def _run_short(self) -> str:
        """A run whose time ends somewhere."""
        looks = iter([60.0] * self._rng.randrange(12))
        try:
            self.world.curate(remaining=lambda: next(looks, 1.0))
        except (NotReady, TooLarge) as error:
            return f"a run that ended early: {error.code}"
        return "a run"

    def _lose(self) -> str:
        """Somebody deletes a table, and its ad account is called otherwise since: it is made again."""
        lost = [key for key in self.world.keys if "/changes/" in key][:1]
        for key in lost:
            del self.world.bucket.objects[key]
        self.world.call_client(f"Owner {len(self.told)}")
        return f"{lost} deleted"


def _named(name: str) -> AdCampaign:
    return AdCampaign(platform=LOSSY, profile_id="p1", id="c1", name=name)


@pytest.mark.parametrize("seed", range(6))
def test_tables_made_step_by_step_are_those_made_from_nothing(seed: int) -> None:
    story = Story(seed)
    story.run()
    assert made_anew(story.world) == {}, story.told


def made_anew(world: CuratedWorld) -> dict[str, bool]:
    """The tables that are not as they are when they are made from nothing, and whether they are there."""
    found, world.bucket = world.content, FakeBucket()
    world.curate()
    right = world.content
    return {key: key in found for key in sorted({*found, *right}) if found.get(key) != right.get(key)}


def test_a_month_that_dies_as_it_goes_is_made_when_it_comes_back() -> None:
    """Given a month without days of an ad account that is not listed any more, and is again later."""
    world = CuratedWorld(ONE)
    world.pull(ACCOUNT, account(4, "2026-08-10"), days=("2026-08-10", "2026-08-10"))
    world.curate()
    whole = world.content

    goes_and_comes_back(world, [ONE.model_copy(update={"status": ProfileStatus.REMOVED})], dies_after="month=2026-11")

    assert world.content == whole


def goes_and_comes_back(world: CuratedWorld, meanwhile: list[Profile], dies_after: str) -> None:
    """The ad account is what it was again, after a worker died right behind the deletion of such an object."""

    def kill() -> None:
        last = world.bucket.requests[-1]
        if last.startswith("DELETE") and dies_after in last:
            raise Killed

    world.catalog._profiles, world.bucket.crash.on_write = meanwhile, kill
    with pytest.raises(Killed):
        world.curate()
    world.catalog._profiles, world.bucket.crash.on_write = [ONE], None
    world.curate()


def test_an_ad_account_that_comes_back_while_it_was_being_forgotten_has_its_tables() -> None:
    world = CuratedWorld(ONE)
    world.pull(AD, ad("a1", 4))
    world.curate()
    whole = world.content

    goes_and_comes_back(world, [], dies_after="/metrics/")

    assert world.content == whole


def test_a_month_whose_time_ends_at_its_changes_is_not_taken_for_made() -> None:
    world, whole = CuratedWorld(ONE), CuratedWorld(ONE)
    for each in (world, whole):
        each.pull(ACCOUNT, account(4))
    whole.curate()

    with pytest.raises(NotReady, match="whole invocation"):
        world.curate(seconds=1.0)
    world.curate()

    assert world.content == whole.content


def test_a_worker_that_is_overtaken_before_it_saves_leaves_the_state_of_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the state would name objects of the one, and there would be those of the other."""
    world = CuratedWorld(ONE)
    world.pull(ACCOUNT, account(9))
    swapped, saves = world.bucket.swapped, 0

    def stalled(key: str, *about: Any) -> str:
        nonlocal saves
        saves += 1
        if saves == 2:
            world.pull(ACCOUNT, account(20))
            world.curate()
        return swapped(key, *about)

    monkeypatch.setattr(world.bucket, "swapped", stalled)
    with pytest.raises(NotReady, match="another worker"):
        world.curate()

    assert world.curate() == {"months": 0, "objects": 0, "left_out": 0}
    assert made_anew(world) == {}


def test_a_table_of_changes_that_somebody_deleted_is_made_again_with_its_month() -> None:
    world = CuratedWorld(ONE)
    world.pull(AD, ad("a1", 4))
    world.curate()
    del world.bucket.objects[next(key for key in world.keys if "/changes/" in key and "=ad/" in key)]

    world.scores.known[f"{LOSSY}#p1", "2026-11-18"] = 0.5
    world.curate()

    assert world.ask("SELECT new_spend FROM changes WHERE level = 'ad'") == [{"new_spend": 4}]


def test_an_older_form_of_the_state_leaves_no_entities_that_there_are_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    world = CuratedWorld(ONE, objects=[_named("Spring")])
    world.pull(ACCOUNT, account(4))
    world.curate()
    world.listed.clear()

    monkeypatch.setattr(state, "_FORM", 2)
    world.curate()

    assert world.ask("SELECT COUNT(*) AS count FROM entities WHERE dataset = 'campaigns'") == [{"count": 0}]


@pytest.mark.parametrize("cut", [lambda body: body[: len(body) // 2], lambda body: body[:4], lambda _: b"{}"])
def test_a_state_that_cannot_be_read_is_named_and_keeps_no_other_ad_account_from_its_tables(
    cut: Callable[[bytes], bytes],
) -> None:
    # given the tables of two ad accounts, and the state of the first one spoiled
    world = CuratedWorld(ONE, a_profile(profile_id="p2"))
    world.pull(ACCOUNT, account(5))
    world.curate()
    key = f"{STATE}{ONE.platform}/p1.json.gz"
    world.bucket.put(key, cut(world.bucket.get_bytes(key)))
    # when both have new days, then the error names the object, and the other one has its tables
    world.pull(ACCOUNT, account(7), profile_id="p2")
    with pytest.raises(UnreadableItem, match=f"the object {key} cannot be read: "):
        world.curate()
    assert world.ask("SELECT SUM(spend) AS spend FROM metrics WHERE level = 'account'") == [{"spend": 12}]
    # when the object is deleted, then all of the ad account is made anew
    content, puts = world.content, len(world.bucket.puts)
    world.bucket.delete([key])
    world.curate()
    assert any(key.startswith("curated/metrics/") for key in world.bucket.puts[puts:])
    assert world.content == content
