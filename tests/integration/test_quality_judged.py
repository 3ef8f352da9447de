"""What a day's score may not hide, and what it may not hold against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from adweir.model.datasets import Dataset, Gap
from adweir.model.metrics import Level
from adweir.platforms import REGISTRY
from support.clock import FrozenClock
from support.scored_world import GOOGLE, M, ScoredWorld

ANY = Gap("outside_campaigns", "promoted posts are in the total alone")


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> ScoredWorld:
    return ScoredWorld(clock)


def lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's campaigns may lack any amount of the account's total."""
    spec = REGISTRY.spec(GOOGLE)
    campaigns = replace(spec.datasets[Dataset.CAMPAIGN_DAILY], lacks=(ANY,))
    lacks = replace(spec, datasets={**spec.datasets, Dataset.CAMPAIGN_DAILY: campaigns})
    monkeypatch.setattr(type(REGISTRY), "spec", lambda *_: lacks)


def comparison(day: dict[str, Any], level: str) -> dict[str, Any]:
    return next(each for each in day["reconciliation"] if (each["level"], each["metric"]) == (level, "spend"))


def test_the_more_of_a_level_is_lost_the_lower_is_the_consistency(world: ScoredWorld) -> None:
    """Given a day of which all ads are lost, then it is not more consistent than one of which a part is."""
    found = []
    for number, ads in enumerate(({"5~8": 7}, {"5~8": 3}, {})):
        day = world.yesterday - timedelta(days=number)
        world.pull(Level.AD, ads, day)
        world.pull(Level.AD_GROUP, {f"{each}": 1 for each in range(7)}, day)
        world.score()
        found.append(world.scored(day)["dimensions"]["consistency"])
    whole, some, none = found
    assert whole == 1.0
    assert none <= some < 0.9


def test_a_cause_that_would_explain_any_loss_does_not_make_the_numbers_right(
    world: ScoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a platform whose total may hold more than its campaigns, when campaigns are lost, then that is not called
    accurate: nobody knows; what is too much is wrong all the same."""
    lacking(monkeypatch)
    days = [world.yesterday - timedelta(days=number) for number in range(3)]
    for day, spent in zip(days, (1, 27, 99), strict=True):
        world.pull(Level.CAMPAIGN, {"1": spent}, day)
        world.pull(Level.ACCOUNT, {"1": 27}, day)
    world.score()
    lost, right, too_much = map(world.scored, days)
    assert (lost["dimensions"]["accuracy"], right["dimensions"]["accuracy"]) == (None, 1.0)
    assert too_much["dimensions"]["accuracy"] == 0.4  # conversions and revenue are 0 on both sides
    told = comparison(lost, "campaign")
    assert (told["difference"], told["why"]) == (26 * M, [{"reason": ANY.reason, "amount": 26 * M}])


def test_a_level_may_lack_what_the_levels_between_it_and_the_one_above_may(
    world: ScoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given ads beside the account's total, of which campaigns may lack a part, when no campaigns were pulled."""
    lacking(monkeypatch)
    world.pull(Level.AD, {"5~8": 7})
    world.pull(Level.ACCOUNT, {"1": 27})
    world.score()
    assert comparison(world.scored(), "ad")["why"] == [{"reason": ANY.reason, "amount": 20 * M}]


def test_an_object_that_is_loaded_again_is_not_late(world: ScoredWorld) -> None:
    """Given a pull that was stored in time, when it is replayed a month later, then its days stay timely."""
    at = world.clock.now()
    day = world.yesterday
    world.pull(Level.CAMPAIGN, {"1": 7}, day, at=at, impressions=-1)
    world.score()
    assert world.scored(day)["gates"] == ["negative"]
    world.clock.advance(30 * 86_400)

    world.pull(Level.CAMPAIGN, {"1": 7}, day, at=at, load=17)
    world.score()

    # what was never pulled is missing since a month
    missing = len(world.scored(day)["missing"])
    assert world.scored(day)["dimensions"]["timeliness"] == pytest.approx(1 / (1 + missing))
    assert "negative" not in world.scored(day)["gates"]
    ((report, *_), _) = world.findings.quality(f"{GOOGLE}#1")
    assert (report["dimensions"]["timeliness"], report["score"]) == (None, 1.0)


def test_days_between_those_that_changed_are_not_read_for_a_score(world: ScoredWorld) -> None:
    days = [date(2026, 11, day) for day in (17, 18, 19)]
    for day in days:
        world.pull_all(day)
    assert world.score() == 3
    world.clock.advance(3600)
    for day in (days[0], days[2]):
        world.pull(Level.CAMPAIGN, {"1": 7, "2": 20}, day)

    assert world.score() == 2


def test_an_ad_account_of_which_no_day_can_be_told_holds_no_other_up(world: ScoredWorld) -> None:
    world.add_profile("0", timezone="Mars/Olympus")
    world.pull_all()
    assert world.score() == 1
