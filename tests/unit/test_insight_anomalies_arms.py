"""Arms of cross-platform campaigns are watched: as the sum of what they are bound to, and one cause is one incident."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from adweir.insight.anomalies.arms import EntityKey, WatchedArms
from adweir.insight.anomalies.incidents import Causes, Incident, Watcher
from adweir.insight.anomalies.settings import ScoreBasis, Scored
from adweir.insight.anomalies.sources import NamedEntity, ProfileDays, starts
from adweir.insight.anomalies.watched import Found, WatchedEntity
from adweir.insight.anomalies.wording import says
from adweir.model.campaigns import Arm, Binding, Campaign
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, PlatformObject, Status
from adweir.model.metrics import Level, MetricRow
from adweir.model.times import Window
from adweir.platforms.base import datasets
from support.bounds import at_the_bound
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
)

ACCOUNT: EntityKey = (Level.ACCOUNT, "p1")
TODAY = date.fromisoformat(DAY)
SERVED = datasets(
    *(served(each) for each in (Dataset.ACCOUNT_DAILY, Dataset.CAMPAIGN_DAILY)),
    *(served(each) for each in (Dataset.AD_GROUP_DAILY, Dataset.AD_DAILY)),
)


def bind(*ids: str, platform: Any = LOSSY, profile_id: str = "p1") -> Binding:
    names = ("campaign_id", "ad_group_id", "ad_id")
    return Binding(platform=platform, profile_id=profile_id, **dict(zip(names, ids, strict=False)))


def cross(*bindings: Binding, status: str = "active", **arms: Sequence[Binding]) -> Campaign:
    made = tuple(
        Arm(arm_id=f"arm_{name}", platform=LOSSY, name=f"The {name}", status=status, bindings=tuple(own))
        for name, own in arms.items()
    )
    return Campaign(campaign_id="cmp_x", account_id="acc_a", name="Summer", bindings=bindings, arms=made)


def group(id_: str, spend: int, campaign_id: str) -> MetricRow:
    row = campaign(campaign_id, spend)
    fields = {name: getattr(row, name) for name in MetricRow.__struct_fields__}
    return MetricRow(**fields | {"entity_id": id_, "ad_group_id": id_})


def a_world(*campaigns: Campaign, objects: Sequence[PlatformObject] = ()) -> ReadingWorld:
    platforms = ChosenPlatforms({LOSSY: SERVED, EXACT: SERVED})
    world = ReadingWorld(a_profile(), platforms=platforms, objects=objects)
    world.catalog.campaigns += campaigns
    world.pull(Level.ACCOUNT, account(100))
    world.pull(Level.CAMPAIGN, campaign("c1", 50), campaign("c2", 30), campaign("c3", 11))
    world.pull(Level.AD_GROUP, group("g1", 30, "c1"), group("g2", 15, "c1"), group("g3", 28, "c2"))
    world.pull(Level.AD, ad("a1", 12), ad("a2", 10))
    return world


def days_of(world: ReadingWorld) -> ProfileDays:
    return ProfileDays(world.queries.in_one_look(), world.catalog, a_profile())


def spends(world: ReadingWorld) -> dict[str, int]:
    """What arms spent on the day, in units."""
    (rows,) = days_of(world).rows(Window(TODAY, TODAY), lambda: None).values()
    return {each.id: (slot[3] or 0) // 1_000_000 for each, slot in rows.items() if each.level is Level.ARM}


def test_an_arm_is_the_sum_of_what_it_is_bound_to_in_the_ad_account() -> None:
    """Given arms that are bound to campaigns, an ad group, ads and another ad account, it is what reports answer."""
    summer = cross(
        bind("c1"),
        two=[bind("c2"), bind("c3")],
        group=[bind("c1", "g2")],
        ads=[bind("c1", "g1", "a1"), bind("c1", "g1", "a2")],
        other=[bind("c1", profile_id="p2")],
    )
    world = a_world(summer)

    assert spends(world) == {"arm_two": 41, "arm_group": 15, "arm_ads": 22}
    reported = world.report("arm", metrics=("spend",), days=(DAY, DAY), segments={"campaign_id": "cmp_x"}).rows
    assert {row["arm"]: int(row["spend"]) for row in reported if row["arm"]} == spends(world)


def test_of_a_level_that_was_not_pulled_a_day_is_unknown() -> None:
    world, before = a_world(cross(one=[bind("c1", "g1")])), TODAY - timedelta(days=1)
    world.pull(Level.ACCOUNT, account(100, before.isoformat()), days=(before.isoformat(),) * 2)
    world.pull(Level.CAMPAIGN, campaign("c1", 50, before.isoformat()), days=(before.isoformat(),) * 2)

    rows = days_of(world).rows(Window(before, TODAY), lambda: None)

    assert {day: each.unknown for day, each in rows.items()} == {TODAY: set(), before: {Level.AD, Level.ARM}}


def test_without_arms_nothing_is_read_more() -> None:
    world = a_world(cross(bind("c1")))
    days = days_of(world)
    assert (spends(world), days.arms_mark, days.arms.levels) == ({}, "", frozenset())


@pytest.mark.parametrize(
    ("bound", "arm", "c1", "c2", "a1"),
    [
        ([bind()], ["account"], ["account"], ["account"], ["c1", "account"]),
        ([bind("c1")], ["c1", "account"], ["account"], ["account"], ["c1", "account"]),
        ([bind("c1"), bind("c2")], ["account"], ["arm", "account"], ["arm", "account"], ["c1", "arm", "account"]),
        ([bind("c1", "g1")], ["c1", "account"], ["account"], ["account"], ["arm", "c1", "account"]),
        ([bind("c1", "g1", "a1")], ["a1", "c1", "account"], ["account"], ["account"], ["c1", "account"]),
        (
            [bind("c1", "g1", "a1"), bind("c1", "g1", "a2")],
            ["c1", "account"],
            ["account"],
            ["account"],
            ["arm", "c1", "account"],
        ),
        (
            [bind("c1", "g1", "a1"), bind("c2")],
            ["c1", "account"],
            ["account"],
            ["arm", "account"],
            ["arm", "c1", "account"],
        ),
    ],
)
def test_an_arm_has_its_place_among_the_objects_of_the_ad_account(
    bound: list[Binding], arm: list[str], c1: list[str], c2: list[str], a1: list[str]
) -> None:
    """An arm that is just one object is a part of it, and one that has a part of a campaign is the campaign's."""
    arms = WatchedArms([cross(one=bound)], a_profile())
    shown = {("arm", "arm_one"): "arm", ("ad", "g1~a1"): "a1", ("account", "p1"): "account"}

    def named(keys: Iterable[EntityKey]) -> list[str]:
        return [shown.get((level.value, name), name) for level, name in keys]

    assert named(arms.entity("arm_one").parents) == arm
    assert named(arms.around_campaign("c1")) == c1
    assert named(arms.around_campaign("c2")) == c2
    assert named(arms.around_ad("c1", "g1", "a1")) == a1


def test_what_arms_are_bound_to_is_part_of_what_was_learned() -> None:
    marks = [WatchedArms([cross(one=one)], a_profile()).mark for one in ([], [bind("c1")], [bind("c2")])]
    assert marks[0] == ""
    assert len(set(marks)) == 3
    assert WatchedArms([cross(one=[bind("c1", profile_id="p2")])], a_profile()).mark == ""


@pytest.mark.parametrize(
    ("bound", "paused", "said", "is_off"),
    [
        ([bind("c1"), bind("c2")], ["c1", "c2"], "active", True),
        ([bind("c1"), bind("c2")], ["c1"], "active", False),
        ([bind("c1", "g1")], ["g1"], "active", True),
        ([bind("c1", "g1", "a1")], ["c1"], "active", True),
        ([bind("c1")], [], "paused", True),
        ([bind()], ["c1"], "active", False),
    ],
)
def test_an_arm_is_off_where_all_that_it_is_bound_to_is(
    bound: list[Binding], paused: list[str], said: str, is_off: bool
) -> None:
    of: Any = {"platform": LOSSY, "profile_id": "p1"}
    objects: list[PlatformObject] = [AdCampaign(**of, id=name, campaign_id=name, name=name) for name in ("c1", "c2")]
    objects += [AdGroup(**of, id="g1", campaign_id="c1", ad_group_id="g1", name="g1")]
    objects += [Ad(**of, id="a1", campaign_id="c1", ad_group_id="g1", name="a1")]
    listed = [
        each.model_copy(update={"status": Status.PAUSED if each.id in paused else Status.ACTIVE}) for each in objects
    ]
    world = a_world(cross(status=said, one=bound), objects=listed)

    found = days_of(world).named({(Level.ARM, "arm_one")})

    assert found[Level.ARM, "arm_one"] == NamedEntity("Summer: The one", is_off)


@at_the_bound("MAX_WATCHED_ARMS")
def test_arms_are_watched_up_to_a_number(size: int, fits: bool) -> None:
    arm = WatchedEntity(Level.ARM, "arm_one", (ACCOUNT,))
    assert starts(arm, (1, 0, 0, 0, 0), size - 1) is fits


# --- one cause is one incident


def shows(
    entity: WatchedEntity, day: date = TODAY, *, z: float = 6.0, at_risk: float = 9.0, metric: str = "spend"
) -> Found:
    return Found(entity, metric, day, Scored(0, 9.0, 1.0, z, 0.9, True, ScoreBasis.ROBUST, 3.5), at_risk)


class Objects:
    """The entities of an ad account, given what one arm is bound to."""

    def __init__(self, *bound: Binding) -> None:
        self._arms = WatchedArms([cross(one=bound)], a_profile())
        self.arm = self._arms.entity("arm_one")
        self.account = WatchedEntity(*ACCOUNT)

    def campaign(self, name: str) -> WatchedEntity:
        return WatchedEntity(Level.CAMPAIGN, name, self._arms.around_campaign(name))

    def ad(self, campaign_id: str, ad_id: str) -> WatchedEntity:
        return WatchedEntity(Level.AD, f"g1~{ad_id}", self._arms.around_ad(campaign_id, "g1", ad_id))


def causes() -> Causes:
    return Causes(Watcher("acc_a", "meta_ads", "p1", "EUR"), [], "2026-11-20T00:00:00.000000Z")


def incidents(*found: Found, least: float = 0.0, together: Causes | None = None) -> list[Incident]:
    together = together or causes()
    for day in sorted({each.day for each in found}):
        names = {(Level.ARM, "arm_one"): "Summer: The one"}
        together.add(day, [each for each in found if each.day == day], names, least)
    return list(together.incidents.values())


def owners(*found: Found) -> list[tuple[str, str, set[str]]]:
    return sorted((each.level, each.entity_id, {part["level"] for part in each.parts}) for each in incidents(*found))


def test_what_an_arm_alone_shows_is_the_arms_incident() -> None:
    here = Objects(bind("c1"), bind("c2"))
    (incident,) = incidents(shows(here.arm))
    assert (incident.level, incident.entity_id) == ("arm", "arm_one")
    assert says(incident).startswith("Spend of arm arm_one (Summer: The one) rose to 9.00 EUR")


def test_what_an_arm_and_its_campaigns_show_is_the_arms_and_what_the_account_shows_is_the_accounts() -> None:
    here = Objects(bind("c1"), bind("c2"))
    below = [shows(here.ad("c1", "a1")), shows(here.campaign("c1")), shows(here.campaign("c2")), shows(here.arm)]
    assert owners(*below) == [("arm", "arm_one", {"ad", "campaign"})]
    assert owners(*below, shows(here.account)) == [("account", "p1", {"ad", "campaign", "arm"})]


@pytest.mark.parametrize("bound", [[bind("c1")], [bind("c1", "g1")], [bind("c1", "g1", "a1"), bind("c2")]])
def test_what_a_campaign_shows_and_an_arm_with_it_or_a_part_of_it_is_the_campaigns(bound: list[Binding]) -> None:
    here = Objects(*bound)
    assert owners(shows(here.arm), shows(here.campaign("c1"))) == [("campaign", "c1", {"arm"})]
    assert owners(shows(here.ad("c1", "a1")), shows(here.arm), shows(here.campaign("c1"))) == [
        ("campaign", "c1", {"ad", "arm"})
    ]


def test_what_an_ad_and_the_arm_that_is_just_this_ad_show_is_the_ads() -> None:
    here = Objects(bind("c1", "g1", "a1"))
    assert owners(shows(here.arm), shows(here.ad("c1", "a1"))) == [("ad", "g1~a1", {"arm"})]


def test_other_metrics_of_an_arm_are_another_cause() -> None:
    here = Objects(bind("c1"), bind("c2"))
    found = owners(shows(here.campaign("c1")), shows(here.arm, metric="conversions", z=-6.0))
    assert found == [("arm", "arm_one", set()), ("campaign", "c1", set())]


def test_three_parts_are_of_the_whole_that_has_the_most_of_them() -> None:
    """Given campaigns that show the same, those of an arm are the arm's unless as many more are of the ad account."""
    here = Objects(bind("c1"), bind("c2"), bind("c3"))
    within = [shows(here.campaign(name)) for name in ("c1", "c2", "c3")]
    assert [(level, name) for level, name, _ in owners(*within)] == [("arm", "arm_one")]
    assert [(level, name) for level, name, _ in owners(*within, shows(here.campaign("c4")))] == [("account", "p1")]
    two = Objects(bind("c1"), bind("c2"))
    across = [shows(two.campaign(name)) for name in ("c1", "c2", "c3")]
    assert [(level, name) for level, name, _ in owners(*across)] == [("account", "p1")]


def test_what_is_at_risk_in_parts_of_parts_counts_once() -> None:
    here = Objects(bind("c1"), bind("c2"), bind("c3"))
    found = [shows(here.campaign(name), at_risk=10.0) for name in ("c1", "c2", "c3")]
    found += [shows(here.ad(name, f"a{name}"), at_risk=10.0) for name in ("c1", "c2", "c3")]
    assert incidents(*found, least=31.0) == []
    assert len(incidents(*found, least=30.0)) == 1


def test_an_arms_incident_goes_on_when_its_campaign_shows_it_and_the_other_way_round() -> None:
    here, next_day = Objects(bind("c1", "g1", "a1"), bind("c1", "g1", "a2")), TODAY + timedelta(days=1)
    (first,) = incidents(shows(here.arm), shows(here.arm, next_day), shows(here.campaign("c1"), next_day))
    assert (first.level, len(first.days)) == ("arm", 2)
    (second,) = incidents(shows(here.campaign("c1")), shows(here.arm, next_day))
    assert (second.level, len(second.days)) == ("campaign", 2)
