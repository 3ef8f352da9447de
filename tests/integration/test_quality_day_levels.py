"""Which levels, slices, days and sources of an ad account its days' scores are made of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adweir.model.metrics import Level, Source
from adweir.model.platforms import Platform
from adweir.model.times import DAY
from adweir.quality.rules import RULES
from support.clock import FrozenClock
from support.scored_world import M, ScoredWorld, compared

CONSISTENCY_RULES = sum(rule.dimension == "consistency" for rule in RULES)


class AmazonWorld(ScoredWorld):
    """An ad account of Amazon, whose ad products are slices of each level."""

    platform = Platform("amazon_ads")


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> ScoredWorld:
    return ScoredWorld(clock)


@pytest.fixture
def amazon(tables: None, clock: FrozenClock) -> AmazonWorld:
    return AmazonWorld(clock)


def test_given_three_slices_when_one_was_pulled_then_the_others_are_missing(amazon: AmazonWorld) -> None:
    """Amazon's campaigns are the finest level that all of its ad products have."""
    amazon.slice = "sp"
    amazon.pull(Level.CAMPAIGN, {"1": 7})

    amazon.score()

    assert {"campaign sb", "campaign sd"} <= set(amazon.scored()["missing"])
    assert "campaign sp" not in amazon.scored()["missing"]


def test_given_a_level_between_that_was_not_pulled_then_those_around_it_are_compared(world: ScoredWorld) -> None:
    world.pull(Level.CAMPAIGN, {"1": 9})
    world.pull(Level.AD, {"5~9": 7})

    world.score()

    found = compared(world.scored(), "ad")
    assert (found["above"], found["difference"], found["unexplained"]) == ("campaign", 2 * M, 2 * M)


def test_a_number_that_does_not_add_up_weighs_as_much_as_a_rule_that_each_of_its_rows_breaks(
    world: ScoredWorld,
) -> None:
    """Given three ads and their group, which agree on conversions and revenue, and not on the other three numbers."""
    world.pull(Level.AD_GROUP, {"5": 9})
    world.pull(Level.AD, {"5~7": 5, "5~8": 1, "5~9": 1})

    world.score()

    by_row, by_number = 4 * CONSISTENCY_RULES, 5 * 3
    assert world.scored()["dimensions"]["consistency"] == round((by_row + 2 * 3) / (by_row + by_number), 6)


def test_given_days_of_one_month_that_are_scored_at_once_then_each_is_scored_by_its_own_numbers(
    world: ScoredWorld,
) -> None:
    days = {world.yesterday - 2 * DAY: (7, 7), world.yesterday - DAY: (7, 3), world.yesterday: (9, 9)}
    for day, (search, ads) in days.items():
        world.pull_all(day, search=search, ads=ads)

    assert world.score() == 3

    found = {day: compared(world.scored(day), "campaign")["ours"] for day in days}
    assert found == {day: (search + 20) * M for day, (search, _) in days.items()}
    right = {day: world.scored(day)["dimensions"]["consistency"] == 1.0 for day in days}
    assert right == {day: search == ads for day, (search, ads) in days.items()}


@pytest.mark.parametrize("source", [Source.FILE, Source.PUSH])
def test_what_files_and_pushes_brought_is_not_what_the_platforms_total_is_compared_with(
    world: ScoredWorld, source: Source
) -> None:
    world.source = source
    world.pull(Level.CAMPAIGN, {"3": 100})
    world.source = Source.PULL
    world.clock.advance(60)
    world.pull_all()

    world.score()

    found = compared(world.scored(), "campaign")
    assert (found["ours"], found["difference"]) == (27 * M, 0)


def test_the_days_of_all_ad_accounts_of_a_client_are_scored_and_those_of_no_other(world: ScoredWorld) -> None:
    world.add_profile("2")
    world.add_credential("rival")
    world.add_profile("3", account_id="rival")
    for profile_id in ("1", "2", "3"):
        world.profile_id = profile_id
        world.pull_all()

    assert world.score() == 2

    day = str(world.yesterday)
    scored = {each: bool(world.findings.scores.days(f"google_ads#{each}", day, day)) for each in ("1", "2", "3")}
    assert scored == {"1": True, "2": True, "3": False}


def test_days_that_nobody_pulled_between_two_that_were_are_scored_for_what_they_lack(world: ScoredWorld) -> None:
    world.pull_all(world.yesterday)
    world.clock.advance(timedelta(days=40).total_seconds())
    world.pull_all(world.yesterday)

    assert world.score() == 41

    assert world.scored()["missing"] == []
    assert world.scored(world.yesterday - DAY)["missing"]
