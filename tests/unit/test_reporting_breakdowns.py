"""Breakdowns are reached by naming them, and no total sums them."""

from __future__ import annotations

from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import Unprocessable
from adweir.model.metrics import Level, MetricRow
from adweir.platforms.base import datasets
from adweir.reporting import breakdowns
from adweir.reporting.breakdowns import BREAKDOWNS, split_entity, values_of
from adweir.reporting.records import DATA_TYPES
from support.reading_world import (
    DAY,
    EXACT,
    LOSSY,
    ChosenPlatforms,
    ReadingWorld,
    a_profile,
    account,
    ad,
    served,
    spends,
)


def part(value: str, spend: int, id_: str = "a1", campaign_id: str = "c1") -> MetricRow:
    """An ad's row of one value."""
    return replaced(ad(id_, spend, campaign_id=campaign_id), entity_id=f"g1~{id_}~{value}")


def replaced(row: MetricRow, **more: Any) -> MetricRow:
    fields = {name: getattr(row, name) for name in MetricRow.__struct_fields__}
    return MetricRow(**fields | more)


TERM = "red ~ shoes + socks"


@pytest.fixture
def world() -> ReadingWorld:
    """An ad account with totals, ads, and the ads by age and gender and by country."""
    world = ReadingWorld(a_profile())
    world.pull(Level.ACCOUNT, account(100))
    world.pull(Level.AD, ad("a1", 60))
    world.pull(Level.AD, part("18-24/female", 20), part("18-24/male", 25), part("65+/male", 10), breakdown="age_gender")
    world.pull(Level.AD, part("DE", 40), part("AT", 15, "a2", "c2"), breakdown="country")
    return world


def test_a_dimension_selects_its_breakdown(world: ReadingWorld) -> None:
    assert spends(world.report("age", "gender"), "age", "gender") == {
        ("18-24", "female"): 20,
        ("18-24", "male"): 25,
        ("65+", "male"): 10,
    }
    assert spends(world.report("gender"), "gender") == {"female": 20, "male": 35}
    assert spends(world.report("country", "campaign"), "country", "campaign") == {("DE", "c1"): 40, ("AT", "c2"): 15}
    assert spends(world.report("ad", "country"), "ad", "country") == {("a1", "DE"): 40, ("a2", "AT"): 15}


def test_no_total_sums_a_breakdown_and_nothing_is_added_to_it(world: ReadingWorld) -> None:
    assert spends(world.report("date"), "date") == {DAY: 100}
    assert spends(world.report("ad"), "ad") == {"a1": 60, None: 40}
    (total,) = world.report("country").totals
    assert total["spend"] == 55
    assert [each["spend"]["unattributed"] for each in world.report("country").adjustments] == [0]


def test_a_segment_selects_its_breakdown_too(world: ReadingWorld) -> None:
    assert spends(world.report("ad", segments={"country": ["AT"]}), "ad") == {"a2": 15}
    assert spends(world.report("age", segments={"gender": ["male"]}), "age") == {"18-24": 25, "65+": 10}


def test_two_breakdowns_that_are_not_one_dataset_are_refused_with_what_exists(world: ReadingWorld) -> None:
    with pytest.raises(Unprocessable) as caught:
        world.report("age", "country")
    (detail,) = caught.value.details
    assert detail["field"] == "dimensions"
    assert {"ad by age and gender", "ad by country", "keyword by search_term"} <= set(detail["known"])


@pytest.mark.parametrize("dimensions", [("keyword", "country"), ("ad", "search_term")])
def test_a_level_that_has_no_such_breakdown_is_refused(dimensions: tuple[str, ...]) -> None:
    with pytest.raises(Unprocessable, match="no dataset has"):
        ReadingWorld(a_profile()).report(*dimensions)


def test_records_by_a_breakdown_have_its_values(world: ReadingWorld) -> None:
    page = world.records("ad_performance_by_age_gender", {"ad_id": "a1"})
    assert [(r["ad_id"], r["campaign_id"], r["age"], r["gender"], r["spend"]) for r in page.records] == [
        ("a1", "c1", "18-24", "female", 20),
        ("a1", "c1", "18-24", "male", 25),
        ("a1", "c1", "65+", "male", 10),
    ]
    assert page.coverage[0]["missing"] == []
    assert "unattributed" not in page.records[-1]


def test_a_breakdown_that_nobody_asked_for_is_not_missing() -> None:
    days = ReadingWorld(a_profile()).records("ad_performance_by_country").coverage
    assert days == []
    wanted = ReadingWorld(a_profile(options={"datasets": ["ad_by_country_daily"]}))
    assert len(wanted.records("ad_performance_by_country").coverage[0]["missing"]) == 1


def test_keywords_are_split_by_search_term() -> None:
    world = ReadingWorld(a_profile(EXACT))
    row = replaced(ad("k1", 3, ad_product="sp"), entity_id="g1~k1~" + TERM)
    world.pull(Level.KEYWORD, row, platform=EXACT, slice_="sp", breakdown="search_term")
    found = spends(world.report("keyword", "search_term"), "keyword", "search_term")
    assert found == {("k1", TERM): 3}
    assert spends(world.report("campaign", "search_term"), "campaign", "search_term") == {("c1", TERM): 3}
    (record,) = world.records("keyword_performance_by_search_term").records
    assert (record["keyword_id"], record["ad_group_id"], record["search_term"]) == ("k1", "g1", TERM)


def test_each_platform_answers_by_the_breakdown_that_it_has() -> None:
    # given a platform that crosses age with gender, and one that splits by each of them alone
    own = ChosenPlatforms(
        {
            LOSSY: datasets(served(Dataset.AD_BY_AGE_GENDER_DAILY)),
            EXACT: datasets(served(Dataset.AD_GROUP_BY_AGE_DAILY), served(Dataset.AD_GROUP_BY_GENDER_DAILY)),
        }
    )
    world = ReadingWorld(a_profile(), a_profile(EXACT), platforms=own)
    world.pull(Level.AD, part("18-24/female", 20), part("18-24/male", 25), breakdown="age_gender")
    for breakdown, value in (("age", "18-24"), ("gender", "female")):
        row = replaced(ad("x", 7, campaign_id="c9"), entity_id=f"g1~{value}")
        world.pull(Level.AD_GROUP, row, platform=EXACT, breakdown=breakdown)
    # when both are asked for ages, for genders, and for both crossed
    by_age = spends(world.report("platform", "age"), "platform", "age")
    by_gender = spends(world.report("platform", "gender"), "platform", "gender")
    crossed = spends(world.report("platform", "age", "gender"), "platform", "age", "gender")
    # then each answers by what it has
    assert by_age == {("meta_ads", "18-24"): 45, ("amazon_ads", "18-24"): 7}
    assert by_gender == {("meta_ads", "female"): 20, ("meta_ads", "male"): 25, ("amazon_ads", "female"): 7}
    assert crossed == {("meta_ads", "18-24", "female"): 20, ("meta_ads", "18-24", "male"): 25}
    records = world.records("ad_group_performance_by_age").records
    assert {(each["platform"], each["ad_group_id"], each["age"]) for each in records} == {
        ("meta_ads", "g1", "18-24"),
        ("amazon_ads", "g1", "18-24"),
    }


def test_a_coarser_dataset_of_the_breakdown_answers_for_itself() -> None:
    own = ChosenPlatforms(
        {LOSSY: datasets(served(Dataset.CAMPAIGN_BY_PLACEMENT_DAILY), served(Dataset.AD_BY_PLACEMENT_DAILY))}
    )
    world = ReadingWorld(a_profile(), platforms=own)
    of_campaign = replaced(ad("x", 9), entity_id="c1~feed", ad_group_id="")
    world.pull(Level.CAMPAIGN, of_campaign, breakdown="placement")
    world.pull(Level.AD, part("feed", 5), breakdown="placement")
    assert spends(world.report("placement"), "placement") == {"feed": 9}
    assert spends(world.report("campaign", "placement"), "campaign", "placement") == {("c1", "feed"): 9}
    assert spends(world.report("ad_group", "placement"), "ad_group", "placement") == {("g1", "feed"): 5}


@pytest.mark.parametrize(
    ("level", "entity", "group", "expected"),
    [
        (Level.AD, "g1~a1~x", "g1", ("g1~a1", "x")),
        (Level.AD, "g~1~a1~x~y", "g~1", ("g~1~a1", "x~y")),
        (Level.CAMPAIGN, "c1~x~y", "", ("c1", "x~y")),
        (Level.KEYWORD, "g1~k1~a+b", "g1", ("g1~k1", "a+b")),
        (Level.CAMPAIGN, "c1", "", ("c1", "")),
    ],
)
def test_an_entity_is_split_from_its_value(level: Level, entity: str, group: str, expected: tuple[str, str]) -> None:
    assert split_entity(level, entity, group) == expected


def test_every_breakdown_of_a_dataset_has_dimensions_and_a_data_type() -> None:
    split = [dataset for dataset in Dataset if dataset.breakdown]
    assert {dataset.breakdown for dataset in split} == set(BREAKDOWNS)
    assert {f"{dataset.level}_performance_by_{dataset.breakdown}" for dataset in split} <= set(DATA_TYPES)
    assert values_of("age_gender", "unknown") == {"age": "unknown"}
    singles = {"age", "gender", "country", "region", "device", "placement", "search_term", "conversion_action", "shop"}
    assert set(breakdowns.DIMENSIONS) == singles


def test_keywords_have_performance_of_their_own() -> None:
    world = ReadingWorld(a_profile(EXACT))
    world.pull(Level.KEYWORD, ad("k1", 3, ad_product="sp"), platform=EXACT, slice_="sp")
    page = world.records("keyword_performance")
    assert [(r["keyword_id"], r["ad_group_id"], r["campaign_id"], r["spend"]) for r in page.records] == [
        ("k1", "g1", "c1", 3)
    ]
    assert page.coverage[0]["missing"] == [{"platform": EXACT, "profile_id": "p1", "slice": "sb"}]
    assert spends(world.report("keyword"), "keyword") == {"k1": 3}
