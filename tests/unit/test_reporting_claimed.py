"""Cross-platform campaigns in answers: the sums of what is bound to them, each number once, whatever the dimensions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.campaigns import Arm, Binding, Campaign, clash
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, PlatformObject
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.metrics import Grain, Level, MetricRow
from adweir.platforms.base import datasets
from adweir.reporting.arranged import Arrangement
from adweir.reporting.comparing import parse_comparison
from adweir.reporting.formats import as_markdown
from adweir.reporting.moments import Moments
from adweir.reporting.ranges import parse_range
from support.bounds import at_the_bound, refuses
from support.reading_world import (
    DAY,
    EXACT,
    LOSSY,
    ChosenPlatforms,
    ReadingWorld,
    a_profile,
    account,
    campaign,
    served,
    spends,
)

BEFORE = "2026-11-17"
BOTH: Any = {"days": (BEFORE, DAY)}
METRICS = ("impressions", "clicks", "conversions", "spend", "revenue")
TREE = {("c1", "g1"): ("a1", "a2"), ("c1", "g2"): ("a3",), ("c2", "g3"): ("a4", "a5"), ("c3", "g4"): ("a6",)}
SERVED = datasets(
    *(served(each) for each in (Dataset.ACCOUNT_DAILY, Dataset.CAMPAIGN_DAILY, Dataset.AD_GROUP_DAILY)),
    *(served(each) for each in (Dataset.AD_DAILY, Dataset.KEYWORD_DAILY, Dataset.CAMPAIGN_HOURLY)),
    served(Dataset.AD_BY_COUNTRY_DAILY, on_request=True),
)
OBJECTS = (
    [("", "", "")]
    + [(each, "", "") for each in dict.fromkeys(name for name, _ in TREE)]
    + [(*each, "") for each in TREE]
    + [(*each, ad) for each, ads in TREE.items() for ad in ads]
)
"""Ids of all that can be bound of an ad account: campaign, ad group, ad."""


def bind(*ids: str, platform: Any = LOSSY) -> Binding:
    names = ("campaign_id", "ad_group_id", "ad_id")
    return Binding(platform=platform, profile_id="p1", **dict(zip(names, ids, strict=False)))


def cross(*bindings: Binding, name: str = "cmp_x", **arms: Sequence[Binding]) -> Campaign:
    """A campaign of the client with these arms."""
    made = tuple(Arm(arm_id=f"arm_{arm}", platform=LOSSY, bindings=tuple(own)) for arm, own in arms.items())
    return Campaign(campaign_id=name, account_id="acc_a", name=name, bindings=bindings, arms=made)


def group(id_: str, spend: int, campaign_id: str, day: str = DAY) -> MetricRow:
    return _named(campaign(campaign_id, spend, day), id_, "")


def ad(id_: str, spend: int, campaign_id: str, group_id: str, day: str = DAY) -> MetricRow:
    return _named(campaign(campaign_id, spend, day), f"{group_id}~{id_}", group_id)


def _named(row: MetricRow, entity_id: str, group_id: str) -> MetricRow:
    fields = {name: getattr(row, name) for name in MetricRow.__struct_fields__}
    return MetricRow(**fields | {"entity_id": entity_id, "ad_group_id": group_id})


def a_world(*campaigns: Campaign, objects: Sequence[PlatformObject] = ()) -> ReadingWorld:
    platforms = ChosenPlatforms({LOSSY: SERVED, EXACT: SERVED})
    world = ReadingWorld(a_profile(), a_profile(EXACT), platforms=platforms, objects=objects)
    world.catalog.campaigns += campaigns
    return world


@pytest.fixture
def world() -> ReadingWorld:
    """An ad account of 100: campaigns of 50 and 30; of the first ad groups of 30 and 15, of these ads of 12, 10 and 15.
    Another one, on another platform, with a campaign of the same id, of 7."""
    world = a_world()
    world.pull(Level.ACCOUNT, account(100))
    world.pull(Level.CAMPAIGN, campaign("c1", 50), campaign("c2", 30))
    world.pull(Level.AD_GROUP, group("g1", 30, "c1"), group("g2", 15, "c1"), group("g3", 28, "c2"))
    world.pull(Level.AD, ad("a1", 12, "c1", "g1"), ad("a2", 10, "c1", "g1"), ad("a3", 15, "c1", "g2"))
    world.pull(Level.CAMPAIGN, campaign("c1", 7), platform=EXACT)
    return world


def of(world: ReadingWorld, *campaigns: Campaign) -> ReadingWorld:
    world.catalog.campaigns[:] = campaigns
    return world


def moment(world: ReadingWorld) -> datetime:
    """One at which no load runs."""
    world.stored.clock.advance(60)
    world.now = world.stored.clock.now()
    world.stored.clock.advance(60)
    return world.now


# --- by a campaign and by arms


def test_a_campaign_is_the_sum_of_what_is_bound_to_it_and_to_its_arms(world: ReadingWorld) -> None:
    summer = cross(bind("c2"), b=[bind("c1", "g1", "a1")], c=[bind("c1", platform=EXACT)])

    report = of(world, summer).report("platform", segments={"campaign_id": ["cmp_x"]})

    assert spends(report, "platform") == {LOSSY: 42, EXACT: 7}
    assert report.totals == [{"currency": "USD", "spend": 49}]


def test_an_arm_has_a_part_of_its_campaign_which_keeps_the_rest(world: ReadingWorld) -> None:
    of(world, cross(bind("c1"), a=[bind("c1", "g1", "a1")], b=[bind("c1", "g2")]))

    report = world.report("arm", segments={"campaign": ["cmp_x"]})

    assert spends(report, "arm") == {"arm_a": 12, "arm_b": 15, None: 23}
    (rest,) = (row for row in report.rows if row["arm"] is None)
    assert rest["unattributed"] is True
    assert spends(world.report("arm", "ad_group", segments={"campaign": ["cmp_x"]}), "arm", "ad_group") == {
        ("arm_a", "g1"): 12,
        ("arm_b", "g2"): 15,
        (None, "g1"): 18,
        (None, None): 5,
    }
    assert spends(world.report("arm", "ad", segments={"campaign": ["cmp_x"]}), "arm", "ad") == {
        ("arm_a", "a1"): 12,
        ("arm_b", "a3"): 15,
        (None, "a2"): 10,
        (None, None): 13,
    }
    assert "unattributed" in as_markdown(report)


def test_without_a_segment_arms_and_what_has_none_add_up_to_all(world: ReadingWorld) -> None:
    of(world, cross(bind("c1"), a=[bind("c1", "g1")]), cross(bind("c1", platform=EXACT), name="cmp_y"))

    report = world.report("cross_campaign", "arm")

    assert spends(report, "cross_campaign", "arm") == {
        ("cmp_x", "arm_a"): 30,
        ("cmp_x", None): 20,
        ("cmp_y", None): 7,
        (None, None): 50,
    }
    assert report.totals == world.report().totals == [{"currency": "USD", "spend": 107}]


def test_an_arm_that_has_all_of_its_campaign_leaves_it_nothing(world: ReadingWorld) -> None:
    of(world, cross(bind("c1"), a=[bind("c1")]))
    assert spends(world.report("arm", segments={"campaign": ["cmp_x"]}), "arm") == {"arm_a": 50}


def test_segments_of_campaigns_and_arms_have_to_match_together(world: ReadingWorld) -> None:
    of(world, cross(a=[bind("c1")], b=[bind("c2")]), cross(bind("c1", platform=EXACT), name="cmp_y"))

    def spent(**segments: list[str]) -> Any:
        return [total["spend"] for total in world.report(segments=segments).totals]

    assert spent(campaign_id=["cmp_x"], arm_id=["arm_a"]) == [50]
    assert spent(arm=["arm_a", "arm_b"]) == [80]
    assert spent(campaign_id=["cmp_x", "cmp_y"]) == [87]
    assert spent(campaign_id=["cmp_y"], arm=["arm_a"]) == []
    assert spent(campaign_id=["cmp_x"], platform=[EXACT]) == []
    assert spent(campaign_id=["cmp_x"], ad_id=["a1"]) == [12]


def test_a_segment_of_a_platforms_campaign_cuts_what_is_bound(world: ReadingWorld) -> None:
    of(world, cross(bind(), a=[bind("c1", "g1")]))

    cut = [{"name": "campaign_id", "values": ["cmp_x"]}, {"name": "campaign_id", "values": ["c1"]}]

    from adweir.reporting.ranges import parse_range
    from adweir.reporting.reports import ReportRequest
    from adweir.reporting.reports import report as made

    span = parse_range(DAY, DAY, world.now.date())
    assert spends(made(world.queries, ReportRequest("r", span, ("spend",), ("arm",), cut)), "arm") == {
        "arm_a": 30,
        None: 20,
    }


def test_what_another_client_has_by_now_is_none_of_the_campaigns(world: ReadingWorld) -> None:
    theirs = cross(bind("c1")).model_copy(update={"account_id": "acc_b"})
    assert of(world, theirs).report(segments={"campaign_id": ["cmp_x"]}).rows == []


def test_names_comparisons_and_the_first_rows_go_with_arms(world: ReadingWorld) -> None:
    of(world, cross(bind("c1"), a=[bind("c1", "g1", "a1")]))
    asked: Any = {"segments": {"campaign_id": ["cmp_x"]}}

    named = world.report("arm", "campaign", names=True, **asked).rows
    assert [(row["arm"], row["campaign"], row["spend"]) for row in named] == [("arm_a", "c1", 12), (None, "c1", 38)]
    first = world.report("arm", arranged=Arrangement(("-spend",), 1), **asked).rows
    assert [(row["arm"], row["spend"]) for row in first] == [("arm_a", 12), (None, 38)]


def test_currencies_stay_apart(world: ReadingWorld) -> None:
    world.pull(Level.CAMPAIGN, campaign("c9", 3, currency="EUR"), campaign("c1", 7), platform=EXACT)
    of(world, cross(bind("c1"), bind("c9", platform=EXACT)))
    report = world.report(segments={"campaign_id": ["cmp_x"]})
    assert {row["currency"]: row["spend"] for row in report.rows} == {"USD": 50, "EUR": 3}


def test_adjustments_explain_the_answer(world: ReadingWorld) -> None:
    of(world, cross(bind("c1"), a=[bind("c1", "g1", "a1")]))
    (found,) = world.report("arm", segments={"campaign_id": ["cmp_x"]}).adjustments
    assert (found["spend"]["shown"], found["spend"]["raw"], found["spend"]["unattributed"]) == (50, 12, 38)


def test_breakdowns_and_keywords_of_what_is_bound(world: ReadingWorld) -> None:
    rows = [_named(ad(each, spend, "c1", "g1"), f"g1~{each}~DE", "g1") for each, spend in (("a1", 4), ("a2", 5))]
    world.pull(Level.AD, *rows, breakdown="country")
    world.pull(Level.KEYWORD, _named(campaign("c1", 6), "g1~k1", "g1"), _named(campaign("c2", 8), "g3~k2", "g3"))
    of(world, cross(bind("c1"), a=[bind("c1", "g1", "a1")]), cross(bind("c2"), name="cmp_y"))

    by_country = world.report("arm", "country", segments={"campaign_id": ["cmp_x"]})
    assert spends(by_country, "arm", "country") == {("arm_a", "DE"): 4, (None, "DE"): 5}
    assert spends(world.report("keyword", segments={"campaign_id": ["cmp_y"]}), "keyword") == {"k2": 8}
    with pytest.raises(Unprocessable, match="is bound to ads, of which no dataset has conversion_action"):
        world.report("conversion_action", "arm", segments={"campaign_id": ["cmp_x"]})
    with pytest.raises(Unprocessable, match="keywords are no part of ads"):
        world.report("keyword", "arm", segments={"campaign_id": ["cmp_x"]})


# --- lists and records


def test_records_and_lists_have_what_is_bound(world: ReadingWorld) -> None:
    own: Any = {"platform": LOSSY, "profile_id": "p1"}
    listed = [AdCampaign(id=name, campaign_id=name, **own) for name in ("c1", "c2")]
    groups = [AdGroup(id=name, campaign_id="c1", ad_group_id=name, **own) for name in ("g1", "g2")]
    ads = [Ad(id=name, campaign_id="c1", ad_group_id=at, **own) for name, at in (("a1", "g1"), ("a3", "g2"))]
    filled = a_world(cross(bind("c2"), a=[bind("c1", "g1")]), objects=[*listed, *groups, *ads])
    filled.stored, filled.store = world.stored, world.store
    cmp_x = {"campaign_id": "cmp_x"}

    def found(data_type: str, *names: str) -> Any:
        return [tuple(row[name] for name in names) for row in filled.records(data_type, cmp_x).records]

    assert found("campaign_performance", "campaign_id", "spend") == [("c1", 30), ("c2", 30)]
    assert found("ad_performance", "ad_id", "spend") == [("a1", 12), ("a2", 10), (None, 8), (None, 30)]
    assert found("ads", "ad_id", "spend") == [("a1", 12)]
    assert found("campaigns", "campaign_id") == [("c2",)]
    assert found("ad_groups", "ad_group_id") == [("g1",)]


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"campaign_id": "cmp_nobody"}, "there is no cross-platform campaign cmp_nobody: GET /api/v1/campaigns"),
        ({"arm_id": "arm_nobody"}, "there is no arm arm_nobody"),
        ({"arm_id": "c1"}, "is no arm's id"),
        ({"campaign_id": ["cmp_x", "c1"]}, "are asked for apart"),
    ],
)
def test_what_is_unknown_is_refused(world: ReadingWorld, filters: dict[str, Any], said: str) -> None:
    of(world, cross(bind("c1")))
    with pytest.raises(Unprocessable, match=said.replace("(", "\\(")):
        world.records("campaign_performance", filters)
    with pytest.raises(Unprocessable, match="attributed to campaigns of platforms"):
        world.records("orders", {"campaign_id": "cmp_x"})


def test_what_has_changed_of_what_is_bound_is_listed(world: ReadingWorld) -> None:
    of(world, cross(bind("c1"), a=[bind("c2", "g3")]))
    since = moment(world)
    world.pull(Level.CAMPAIGN, campaign("c1", 51), campaign("c2", 31))
    world.pull(Level.AD_GROUP, group("g1", 31, "c1"), group("g2", 15, "c1"), group("g3", 29, "c2"))

    asked: Any = {"segments": {"campaign_id": ["cmp_x"]}, "moments": Moments(moment(world), None, since)}
    found = world.report("arm", **asked).about["changes"]

    assert [(one["level"], one["campaign_id"], one["new"]["spend"]) for one in found] == [
        ("campaign", "c1", 51),
        ("ad_group", "c2", 29),
    ]


# --- the property


@st.composite
def stories(draw: Any) -> tuple[list[Campaign], dict[Any, dict[Any, int]]]:
    """Campaigns whose bindings do not clash, and the spend that pulls of two days bring at some levels."""
    campaigns: list[Campaign] = []
    for name in ("x", "y"):
        made = Campaign(campaign_id=f"cmp_{name}", account_id="acc_a", name=name)
        for ids in draw(st.lists(st.sampled_from(OBJECTS), max_size=4)):
            binding = bind(*ids, platform=draw(st.sampled_from((LOSSY, EXACT))))
            arm_id = draw(st.sampled_from(("", f"arm_{name}1", f"arm_{name}2")))
            tried = _with(made, arm_id, binding)
            if clash([*campaigns, tried]) is None:
                made = tried
        campaigns.append(made)
    pulled = {}
    for platform in (LOSSY, EXACT):
        for level in (Level.ACCOUNT, Level.CAMPAIGN, Level.AD_GROUP, Level.AD):
            for day in (BEFORE, DAY):
                if draw(st.integers(0, 3)):
                    ids = [each for each in OBJECTS if bind(*each).level is level]
                    pulled[platform, day, level] = {each: draw(st.integers(0, 50)) for each in ids}
    return campaigns, pulled


def _with(made: Campaign, arm_id: str, binding: Binding) -> Campaign:
    if not arm_id:
        return made.model_copy(update={"bindings": tuple(dict.fromkeys((*made.bindings, binding)))})
    kept = made.arm(arm_id) or Arm(arm_id=arm_id, platform=LOSSY)
    kept = kept.model_copy(update={"bindings": tuple(dict.fromkeys((*kept.bindings, binding)))})
    return made.model_copy(update={"arms": (*(arm for arm in made.arms if arm.arm_id != arm_id), kept)})


def _row(ids: tuple[str, ...], spend: int, day: str) -> MetricRow:
    campaign_id, group_id, ad_id = ids
    if not campaign_id:
        return account(spend, day)
    if ad_id:
        return ad(ad_id, spend, campaign_id, group_id, day)
    return group(group_id, spend, campaign_id, day) if group_id else campaign(campaign_id, spend, day)


def alone(world: ReadingWorld, bindings: Iterable[Binding]) -> dict[str, Decimal]:
    """What reports of each of these objects, asked for by its own id, say together."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for each in bindings:
        ids = {"profile_id": [each.profile_id], "platform": [str(each.platform)]}
        ids |= {name: [getattr(each, name)] for name in ("campaign_id", "ad_group_id", "ad_id") if getattr(each, name)}
        finest = {Level.CAMPAIGN: "campaign_id", Level.AD_GROUP: "ad_group_id", Level.AD: "ad_id"}.get(each.level)
        segments = {name: values for name, values in ids.items() if name in {"profile_id", "platform", finest}}
        for total in world.report(metrics=METRICS, segments=segments, **BOTH).totals:
            for name in METRICS:
                found[name] += total[name] or 0
    return {name: number for name, number in found.items() if number}


def outermost(bindings: Iterable[Binding]) -> list[Binding]:
    known = set(bindings)
    paths = {each.path for each in known}
    return [each for each in known if not any(each.path[:n] in paths for n in range(2, len(each.path)))]


def summed(rows: Iterable[dict[str, Any]]) -> dict[str, Decimal]:
    """What rows add up to; without what is nothing, which may be a row of zeros or no row."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        for name in METRICS:
            found[name] += row[name] or 0
    return {name: number for name, number in found.items() if number}


@settings(max_examples=25, deadline=None)
@given(stories(), st.lists(st.sampled_from(("date", "platform", "campaign", "ad_group", "ad", "week")), unique=True))
def test_the_sums_are_those_of_what_is_bound_whatever_is_asked(story: Any, dimensions: list[str]) -> None:
    """Given any bindings and pulls of any levels, when campaigns and arms are asked for by any dimensions, then each is
    the sum of its objects asked for by themselves, and all of them and the rest are all."""
    campaigns, pulled = story
    world = a_world(*campaigns)
    for (platform, day, level), spent in pulled.items():
        rows = [_row(ids, spend, day) for ids, spend in spent.items() if spend]
        world.pull(level, *rows, platform=platform, days=(day, day))

    for each in campaigns:
        bound = outermost(claim.binding for claim in each.claims)
        asked = world.report(*dimensions, metrics=METRICS, segments={"campaign_id": [each.campaign_id]}, **BOTH)
        assert summed(asked.rows) == summed(asked.totals) == alone(world, bound)
        by_arm = world.report("arm", *dimensions, metrics=METRICS, segments={"campaign_id": [each.campaign_id]}, **BOTH)
        assert summed(by_arm.rows) == summed(asked.rows)
        for arm in each.arms:
            own = alone(world, arm.bindings)
            assert summed(row for row in by_arm.rows if row["arm"] == arm.arm_id) == own
            only = world.report(*dimensions, metrics=METRICS, segments={"arm": [arm.arm_id]}, **BOTH)
            assert summed(only.rows) == own
    every = world.report("cross_campaign", "arm", *dimensions, metrics=METRICS, **BOTH)
    assert summed(every.rows) == summed(world.report(metrics=METRICS, **BOTH).rows)


@at_the_bound("MAX_CLAIMED_SUMS", as_if=4)
def test_the_sums_that_others_are_subtracted_from(world: ReadingWorld, size: int, fits: bool) -> None:
    ads = [bind("c1", "g1", "a1"), bind("c1", "g1", "a2"), bind("c1", "g2", "a3"), bind("c2", "g3", "a4")]
    world.pull(Level.AD, *(ad(f"a{n}", n, "c2" if n == 4 else "c1", f"g{max(1, n - 1)}") for n in range(1, 5)))
    of(world, cross(bind("c1"), a=ads[: size - 1]) if size == 4 else cross(bind("c1"), bind("c2"), a=ads))
    with refuses(TooLarge, fits=fits):
        world.report("arm", segments={"campaign_id": ["cmp_x"]})


@at_the_bound("MAX_FILTER_CAMPAIGNS")
def test_the_campaigns_that_a_filter_names(world: ReadingWorld, size: int, fits: bool) -> None:
    of(world, *(cross(name=f"cmp_{n}") for n in range(size)))
    with refuses(Unprocessable, fits=fits):
        world.report(segments={"campaign_id": [f"cmp_{n}" for n in range(size)]})


def test_hours_add_up_too(world: ReadingWorld) -> None:
    hours: Any = {"grain": Grain.HOUR}
    world.pull(Level.CAMPAIGN, *(campaign("c1", spend, hour=hour) for hour, spend in ((9, 4), (10, 6))), **hours)
    of(world, cross(bind("c1")))
    report = world.report("hour", segments={"campaign_id": ["cmp_x"]}, days=(f"{DAY}T10:00:00", f"{DAY}T12:00:00"))
    assert spends(report, "hour") == {10: 6}


def test_names_and_another_range_stand_beside_campaigns_and_arms(world: ReadingWorld) -> None:
    world.pull(Level.CAMPAIGN, campaign("c1", 20, BEFORE), campaign("c2", 5, BEFORE), days=(BEFORE, BEFORE))
    of(world, cross(bind("c1"), bind("c2"), a=[bind("c1")]))
    world.catalog.campaigns[0] = world.catalog.campaigns[0].model_copy(update={"name": "Spring"})
    span = parse_range(DAY, DAY, world.now.date())
    more: Any = {"names": True, "compare": parse_comparison("previous_period", span, world.now)}

    rows = world.report("cross_campaign", "arm", "week", segments={"campaign_id": ["cmp_x"]}, **more).rows

    assert [(row["cross_campaign_name"], row["arm"], row["spend"], row["spend_before"]) for row in rows] == [
        ("Spring", "arm_a", 50, 20),
        ("Spring", None, 30, 5),
    ]
