"""What a campaign's regions leave of the campaign's day is told as unattributed, so that the rows add up to it."""

from __future__ import annotations

from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import TooLarge
from adweir.model.metrics import Level, MetricRow
from adweir.platforms.base import datasets
from adweir.reporting.formats import as_markdown
from support.bounds import at_the_bound, refuses
from support.reading_world import (
    DAY,
    EXACT,
    LOSSY,
    ChosenPlatforms,
    ReadingWorld,
    a_profile,
    account,
    ad,
    campaign,
    served,
    spends,
)

BEFORE = "2026-11-17"
REGIONS: dict[str, Any] = {"breakdown": "region"}
SERVED = datasets(
    served(Dataset.ACCOUNT_DAILY),
    served(Dataset.CAMPAIGN_DAILY),
    served(Dataset.CAMPAIGN_BY_REGION_DAILY, on_request=True),
    served(Dataset.AD_BY_REGION_DAILY, on_request=True),
    served(Dataset.AD_DAILY),
)


def of_region(campaign_id: str, region: str, spend: int, **more: Any) -> MetricRow:
    row = campaign(campaign_id, spend, **more)
    fields = {name: getattr(row, name) for name in MetricRow.__struct_fields__}
    return MetricRow(**fields | {"entity_id": f"{campaign_id}~{region}"})


@pytest.fixture
def world() -> ReadingWorld:
    """An account of 100: campaigns of 50 and 30, whose regions have 40 and 30."""
    world = ReadingWorld(a_profile(), platforms=ChosenPlatforms({LOSSY: SERVED, EXACT: SERVED}))
    world.pull(Level.ACCOUNT, account(100))
    world.pull(Level.CAMPAIGN, campaign("c1", 50), campaign("c2", 30))
    rows = (of_region("c1", "Bavaria", 25), of_region("c1", "Hesse", 15), of_region("c2", "Hesse", 30))
    world.pull(Level.CAMPAIGN, *rows, **REGIONS)
    return world


def test_what_a_campaigns_regions_leave_of_its_day_is_unattributed(world: ReadingWorld) -> None:
    found = world.records("campaign_performance_by_region").records
    assert {(row["campaign_id"], row["region"]): row["spend"] for row in found} == {
        ("c1", "Bavaria"): 25,
        ("c1", "Hesse"): 15,
        ("c1", None): 10,
        ("c2", "Hesse"): 30,
        (None, None): 20,
    }
    assert {row["region"] for row in found if row.get("unattributed")} == {None}
    (rest,) = (row for row in found if row["campaign_id"] == "c1" and row["region"] is None)
    assert (rest["impressions"], rest["clicks"], rest["conversions"], rest["revenue"]) == (100, 10, 10, 20)


def test_regions_add_up_to_what_the_same_question_without_them_gives(world: ReadingWorld) -> None:
    report = world.report("region")
    assert spends(report, "region") == {"Bavaria": 25, "Hesse": 45, None: 30}
    assert [each["spend"] for each in report.totals] == [100]
    (adjusted,) = report.adjustments
    assert (adjusted["spend"]["shown"], adjusted["spend"]["unattributed"]) == (100, 30)
    by_campaign = world.report("campaign", "region")
    assert sum(row["spend"] for row in by_campaign.rows if row["campaign"] == "c1") == 50


def test_what_a_platform_calls_unknown_is_a_part_of_the_rest_as_where_it_is_left_out() -> None:
    world = ReadingWorld(a_profile(), platforms=ChosenPlatforms({LOSSY: SERVED}))
    rows = (of_region("c1", "Bavaria", 25), of_region("c1", "Unknown", 15), of_region("c2", "unknown", 30))
    world.pull(Level.CAMPAIGN, *rows, **REGIONS)
    # given no campaigns to compare with, it is shown as it is stored
    assert spends(world.report("region"), "region") == {"Bavaria": 25, "Unknown": 15, "unknown": 30}
    # when they come, it is unattributed
    world.pull(Level.CAMPAIGN, campaign("c1", 50), campaign("c2", 30))
    assert spends(world.report("campaign", "region"), "campaign", "region") == {
        ("c1", "Bavaria"): 25,
        ("c1", None): 25,
        ("c2", None): 30,
    }


def test_a_campaign_that_is_asked_for_alone_has_its_own_rest_only(world: ReadingWorld) -> None:
    found = spends(world.report("region", segments={"campaign": ["c1"]}), "region")
    assert found == {"Bavaria": 25, "Hesse": 15, None: 10}


def test_a_region_that_is_asked_for_alone_leaves_nothing_to_tell(world: ReadingWorld) -> None:
    assert spends(world.report("region", segments={"region": ["Hesse"]}), "region") == {"Hesse": 45}


def test_days_without_regions_are_not_unattributed_but_missing(world: ReadingWorld) -> None:
    # given a day before, of which only campaigns were pulled
    world.pull(Level.CAMPAIGN, campaign("c1", 7, day=BEFORE), days=(BEFORE, BEFORE))
    # when both days are asked for, together and apart
    both = (BEFORE, DAY)
    assert spends(world.report("region", days=both), "region") == {"Bavaria": 25, "Hesse": 45, None: 30}
    assert spends(world.report("date", "region", days=both), "date", "region") == {
        (DAY, "Bavaria"): 25,
        (DAY, "Hesse"): 45,
        (DAY, None): 30,
    }


def test_days_of_which_only_a_part_of_the_whole_was_pulled_have_no_rest() -> None:
    parts = datasets(served(Dataset.CAMPAIGN_DAILY, ("sp", "sb")), served(Dataset.CAMPAIGN_BY_REGION_DAILY))
    world = ReadingWorld(a_profile(), platforms=ChosenPlatforms({LOSSY: parts}))
    world.pull(Level.CAMPAIGN, campaign("c1", 50, ad_product="sp"), slice_="sp")
    world.pull(Level.CAMPAIGN, of_region("c1", "Bavaria", 25), **REGIONS)
    assert spends(world.report("campaign", "region"), "campaign", "region") == {("c1", "Bavaria"): 25}


def test_a_finer_levels_regions_leave_a_rest_of_the_campaign_too() -> None:
    world = ReadingWorld(a_profile(), platforms=ChosenPlatforms({LOSSY: SERVED}))
    world.pull(Level.CAMPAIGN, campaign("c1", 50))
    row = ad("a1", 12)
    fields = {name: getattr(row, name) for name in MetricRow.__struct_fields__}
    world.pull(Level.AD, MetricRow(**fields | {"entity_id": "g1~a1~Bavaria"}), **REGIONS)
    assert spends(world.report("campaign", "region"), "campaign", "region") == {("c1", "Bavaria"): 12, ("c1", None): 38}
    # of an ad's regions no rest is told
    assert spends(world.report("ad", "region"), "ad", "region") == {("a1", "Bavaria"): 12}


def test_what_a_campaign_lacks_that_has_regions_is_a_negative_rest(world: ReadingWorld) -> None:
    world.pull(Level.CAMPAIGN, of_region("c9", "Hesse", 5), of_region("c1", "Hesse", 50), **REGIONS)
    found = spends(world.report("campaign", "region"), "campaign", "region")
    assert (found["c9", None], ("c1", None) in found) == (-5, False)
    assert found["c2", None] == 30


def test_numbers_that_no_region_has_are_unattributed_and_not_unknown(world: ReadingWorld) -> None:
    rows = [of_region("c1", "Bavaria", 50, conversions=None, revenue=None)]
    world.pull(Level.CAMPAIGN, *rows, **REGIONS)
    (rest,) = [
        row
        for row in world.records("campaign_performance_by_region", {"campaign_id": "c1"}).records
        if row["region"] is None
    ]
    assert (rest["spend"], rest["conversions"], rest["revenue"]) == (0, 50, 100)


def test_months_of_regions_are_added_up_with_their_rests(world: ReadingWorld) -> None:
    world.pull(Level.ACCOUNT, account(10, day=BEFORE), days=(BEFORE, BEFORE))
    world.pull(Level.CAMPAIGN, campaign("c1", 10, day=BEFORE), days=(BEFORE, BEFORE))
    world.pull(Level.CAMPAIGN, of_region("c1", "Hesse", 4, day=BEFORE), days=(BEFORE, BEFORE), **REGIONS)
    found = spends(world.report("month", "campaign", "region", days=(BEFORE, DAY)), "month", "campaign", "region")
    assert found == {
        ("2026-11", "c1", "Bavaria"): 25,
        ("2026-11", "c1", "Hesse"): 19,
        ("2026-11", "c1", None): 16,
        ("2026-11", "c2", "Hesse"): 30,
        ("2026-11", None, None): 20,
    }


def test_a_table_for_people_says_unattributed_in_place_of_the_region(world: ReadingWorld) -> None:
    assert "| c1 | unattributed |" in as_markdown(world.report("campaign", "region"))


@at_the_bound("MAX_SPLIT_RESTS", as_if=2)
def test_more_campaigns_and_days_than_memory_should_hold_are_refused(size: int, fits: bool) -> None:
    world = ReadingWorld(a_profile(), platforms=ChosenPlatforms({LOSSY: SERVED}))
    world.pull(Level.CAMPAIGN, *(campaign(f"c{number}", 5) for number in range(size)))
    world.pull(Level.CAMPAIGN, *(of_region(f"c{number}", "Hesse", 4) for number in range(size)), **REGIONS)
    with refuses(TooLarge, fits=fits):
        assert len(world.report("campaign", "region").rows) == 2 * size
