"""Sums of a client by platform, channel and campaign: the numbers of reports, in Parquet, with what they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.insight.aggregates import Aggregator
from adweir.model import limits
from adweir.model.campaigns import Arm, Binding, Campaign
from adweir.model.entities import Account, AdCampaign, PlatformObject, Profile
from adweir.model.errors import NotFound, TooLarge
from adweir.model.flows import SumGrain, SumLevel
from adweir.model.metrics import METRICS
from adweir.model.times import DAY
from adweir.store.raw.sums import SumsObject, sums_key
from support.bounds import at_the_bound, refuses
from support.listed import ListedCatalog
from support.random_story import PLATFORMS, tell_all
from support.reading_world import ACCOUNT, AD, CAMPAIGN, EXACT, LOSSY, ReadingWorld, a_profile, account, ad, campaign

ALL = tuple(product(SumLevel, SumGrain))
PERIOD = {SumGrain.DAY: "date", SumGrain.WEEK: "week", SumGrain.MONTH: "month"}
PLATFORM_DAY = (SumLevel.PLATFORM, SumGrain.DAY)
PLATFORM_WEEK = (SumLevel.PLATFORM, SumGrain.WEEK)
CAMPAIGN_WEEK = (SumLevel.CAMPAIGN, SumGrain.WEEK)
CHANNEL_MONTH = (SumLevel.CHANNEL, SumGrain.MONTH)
RATIOS = ("ctr", "cvr", "cpa", "cpc", "cpm", "roas", "acos")
CHANNELS = {"c1": "sp", "c2": "sb", "c3": "sp"}
WEEK = ("2026-11-09", "2026-11-15")


class _Client(ListedCatalog):
    def account(self, account_id: str) -> Account:
        return Account(account_id=account_id, company_name="Acme", primary_contact_email="data@acme.example")


class _Bucket:
    """Objects with their metadata; the names of those that were put, in order."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, Mapping[str, str]]] = {}
        self.puts: list[str] = []

    def metadata(self, key: str) -> Mapping[str, str]:
        if key not in self.objects:
            raise NotFound(f"no object {key}")
        return self.objects[key][1]

    def put(self, key: str, body: BinaryIO, metadata: Mapping[str, str], _content_type: str) -> None:
        self.objects[key] = body.read(), dict(metadata)
        self.puts.append(key)


class _SummedWorld(ReadingWorld):
    """A world of one client. `aggregate` makes sums, `sums` and `about` read them."""

    def __init__(self, *profiles: Profile, objects: Sequence[PlatformObject] = (), **more: Any) -> None:
        super().__init__(*profiles, objects=objects, **more)
        self.catalog = _Client(profiles or (a_profile(), a_profile(EXACT)), objects)
        self.bucket = _Bucket()

    def aggregate(self, *asked: tuple[SumLevel, SumGrain], seconds: float = 60.0) -> dict[str, int]:
        made = Aggregator(self.catalog, self.queries, self.bucket, lambda _: "ad_product")  # type: ignore[arg-type]
        return made.aggregate("acc_a", asked or ALL, lambda: seconds, 30.0)

    def about(self, level: SumLevel, grain: SumGrain) -> SumsObject:
        return SumsObject.of(self.bucket.metadata(sums_key("acc_a", level, grain)))

    def sums(self, level: SumLevel, grain: SumGrain) -> list[dict[str, Any]]:
        """The rows of an object, none where there is no object."""
        if sums_key("acc_a", level, grain) not in self.bucket.objects:
            return []
        with TemporaryDirectory() as folder:
            path = Path(folder) / "sums.parquet"
            path.write_bytes(self.bucket.objects[sums_key("acc_a", level, grain)][0])
            with duckdb.connect() as reader:
                found = reader.execute("SELECT * FROM read_parquet(?)", [str(path)])
                columns = [column[0] for column in found.description or ()]
                return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def reported(self, level: SumLevel, grain: SumGrain) -> list[dict[str, Any]]:
        """A report over the same days, by the same dimensions; instead of channels, by campaigns."""
        names = ["platform"] if level is SumLevel.PLATFORM else ["platform", "account_id", "campaign_id"]
        last = max(map(self.queries.today, self.catalog.profiles())) - DAY
        asked = {"metrics": (*METRICS, *RATIOS), "days": ("2026-09-01", last.isoformat())}
        return self.report(*names, PERIOD[grain], **asked).rows


def known_as(id_: str, channel: str, profile: Profile) -> AdCampaign:
    of = {"platform": profile.platform, "profile_id": profile.profile_id}
    return AdCampaign(**of, id=id_, campaign_id=id_, name=f'= {id_}, "x"\n', ad_product=channel)


def numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    unknown = row.get("unknown", {})
    return (
        {name: row[name] for name in (*METRICS, *RATIOS)}
        | {f"unknown_{name}": row.get(f"unknown_{name}", unknown.get(name, 0)) for name in METRICS}
        | {"kept": bool(row.get("kept"))}
    )


def by_group(rows: Sequence[Mapping[str, Any]], grain: SumGrain, *names: str) -> dict[Any, dict[str, Any]]:
    """Group (an unknown id is an empty cell) → numbers."""
    found = {}
    for row in rows:
        ids = tuple(row[name] or None for name in names)
        group = str(row[PERIOD[grain]]), row["currency"], bool(row.get("unattributed")), *ids
        assert group not in found
        found[group] = numbers(row)
    return found


def plus(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows' sums, unknown numbers left out; no ratios."""
    known = {name: [row[name] for row in rows if row[name] is not None] for name in METRICS}
    sums: dict[str, Any] = {name: sum(values) if values else None for name, values in known.items()}
    return sums | {f"unknown_{name}": sum(numbers(row)[f"unknown_{name}"] for row in rows) for name in METRICS}


# --- the numbers are those of reports


@settings(max_examples=6, deadline=None)
@given(
    st.lists(st.integers(0, 10**6), min_size=3, max_size=7),
    st.sampled_from(SumGrain),
    st.sampled_from(["UTC", "Pacific/Auckland", "America/Los_Angeles"]),
)
def test_sums_are_what_reports_answer(seeds: list[int], grain: SumGrain, zone: str) -> None:
    # given a story of pulls, files and pushes, with restated, deleted, kept and unknown numbers, in two currencies, of
    # two ad accounts in different time zones
    ours, theirs = a_profile(LOSSY, timezone=zone), a_profile(EXACT, timezone="Europe/Berlin")
    objects = [known_as("c2", "video", ours), known_as("c1", "sb", theirs)]
    world = _SummedWorld(ours, theirs, objects=objects, platforms=PLATFORMS)
    tell_all(world, seeds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "MAX_AGGREGATED_MONTHS", 4)  # the story's days, and some before
        world.aggregate(*product(SumLevel, [grain]))

    by_platform, by_campaign = (world.reported(level, grain) for level in (SumLevel.PLATFORM, SumLevel.CAMPAIGN))
    ids = "platform", "account_id", "campaign_id"
    stored = {level: world.sums(level, grain) for level in SumLevel}
    assert by_group(stored[SumLevel.PLATFORM], grain, "platform") == by_group(by_platform, grain, "platform")
    assert by_group(stored[SumLevel.CAMPAIGN], grain, *ids) == by_group(by_campaign, grain, *ids)
    groups = {(str(row[PERIOD[grain]]), row["currency"], row["platform"]) for row in by_campaign}
    for period, currency, platform in groups:
        same = [
            [
                row
                for row in rows
                if (str(row[PERIOD[grain]]), row["currency"], row["platform"]) == (period, currency, platform)
            ]
            for rows in (by_campaign, stored[SumLevel.CHANNEL])
        ]
        assert plus(same[0]) == plus(same[1])


def test_campaigns_are_summed_by_what_their_platform_calls_their_kind() -> None:
    profile = a_profile(EXACT)
    objects = [known_as(id_, channel, profile) for id_, channel in (("c1", "sp"), ("c2", "sb"), ("c3", ""))]
    world = _SummedWorld(profile, objects=objects)
    rows = [campaign(id_, spend) for id_, spend in (("c1", 1), ("c2", 2), ("c3", 4), ("c4", 8))]
    rows.append(campaign("c5", 16, ad_product="sb"))
    world.pull(CAMPAIGN, *rows, platform=EXACT)

    world.aggregate(CHANNEL_MONTH, CAMPAIGN_WEEK)

    assert {row["channel"]: row["spend"] for row in world.sums(*CHANNEL_MONTH)} == {"sp": 1, "sb": 18, None: 12}
    named = {row["campaign_id"]: (row["campaign_name"], row["channel"]) for row in world.sums(*CAMPAIGN_WEEK)}
    assert named["c1"] == ('= c1, "x"\n', "sp")
    assert (named["c4"], named["c5"]) == ((None, None), (None, "sb"))


def test_what_campaigns_leave_of_their_account_is_a_row_of_its_own() -> None:
    world = _SummedWorld(a_profile())
    world.pull(ACCOUNT, account(10))
    world.pull(CAMPAIGN, campaign("c1", 7))

    world.aggregate(CAMPAIGN_WEEK, CHANNEL_MONTH, PLATFORM_WEEK)

    for asked in (CAMPAIGN_WEEK, CHANNEL_MONTH):
        spend = {row["unattributed"]: row["spend"] for row in world.sums(*asked)}
        assert spend == {False: Decimal(7), True: Decimal(3)}
    assert [row["spend"] for row in world.sums(*PLATFORM_WEEK)] == [10]


def test_a_deleted_campaign_keeps_its_numbers_and_its_week_says_so() -> None:
    """Given a campaign that the newest pull of a day does not bring, and a total that still contains it."""
    world, (first, second) = _SummedWorld(a_profile()), WEEK
    both = [campaign(id_, spend, day) for id_, spend in (("c1", 3), ("c2", 4)) for day in WEEK]
    world.pull(CAMPAIGN, *both, days=WEEK, has_totals=True)
    world.pull(ACCOUNT, account(7, first), account(7, second), days=WEEK)
    world.pull(CAMPAIGN, campaign("c1", 3, second), days=(second, second), has_totals=True)

    world.aggregate(CAMPAIGN_WEEK)

    found = {row["campaign_id"]: (row["spend"], row["kept"]) for row in world.sums(*CAMPAIGN_WEEK)}
    assert found == {"c1": (6, False), "c2": (8, True)}


# --- what they rest on


def test_a_period_that_was_not_pulled_whole_says_so() -> None:
    """Of a day, all ad accounts of the platform count; a campaign's days are its own ad account's."""
    ours, other = a_profile(), a_profile(profile_id="p2")
    world = _SummedWorld(ours, other)
    for profile_id, last in (("p1", "2026-11-15"), ("p2", "2026-11-14")):
        for level, row in ((ACCOUNT, account(1, WEEK[0])), (CAMPAIGN, campaign(f"c{profile_id}", 1, WEEK[0]))):
            world.pull(level, row, days=(WEEK[0], last), profile_id=profile_id)

    world.aggregate()

    (week,) = world.sums(*PLATFORM_WEEK)
    assert (str(week["week"]), week["days"], week["covered_days"], week["complete"]) == (WEEK[0], 7, 6, False)
    (month,) = world.sums(SumLevel.PLATFORM, SumGrain.MONTH)
    assert (month["month"], month["days"], month["covered_days"], month["complete"]) == ("2026-11", 30, 6, False)
    (day,) = world.sums(*PLATFORM_DAY)
    assert (day["days"], day["complete"], day["settled"]) == (1, True, False)
    campaigns = {row["campaign_id"]: row["covered_days"] for row in world.sums(*CAMPAIGN_WEEK)}
    assert campaigns == {"cp1": 7, "cp2": 6}
    assert world.about(*PLATFORM_WEEK).covered_until == "2026-11-14"
    assert (world.about(*PLATFORM_WEEK).incomplete, world.about(*PLATFORM_DAY).incomplete) == ("1", "0")


def test_a_day_that_is_not_over_is_not_complete() -> None:
    """At noon of 20 November in UTC the 21st has begun in Auckland, and the 20th is not over in Berlin."""
    zones = {"p1": "Pacific/Auckland", "p2": "Europe/Berlin"}
    world = _SummedWorld(*(a_profile(profile_id=id_, timezone=zone) for id_, zone in zones.items()))
    for profile_id in zones:
        world.pull(
            CAMPAIGN, campaign(f"c{profile_id}", 1, "2026-11-20"), days=("2026-11-20",) * 2, profile_id=profile_id
        )

    world.aggregate((SumLevel.CAMPAIGN, SumGrain.DAY))

    rows = world.sums(SumLevel.CAMPAIGN, SumGrain.DAY)
    assert {row["account_id"]: row["complete"] for row in rows} == {"p1": True, "p2": False}


@pytest.mark.parametrize("credential", ["default", ""])
def test_numbers_that_came_by_file_alone_are_of_no_known_completeness(credential: str) -> None:
    """Of an ad account that is pulled, and of one that no credential lists."""
    world = _SummedWorld(a_profile(credential=credential))
    world.file(CAMPAIGN, campaign("c1", 5))

    world.aggregate(*product([SumLevel.PLATFORM], SumGrain))

    (day,) = world.sums(*PLATFORM_DAY)
    assert (day["spend"], day["covered_days"], day["complete"], day["settled"]) == (5, 0, False, False)
    assert (world.about(*PLATFORM_DAY).as_of, world.about(*PLATFORM_DAY).covered_until) == ("", "")


def test_days_are_settled_when_their_platform_restates_them_no_more() -> None:
    world = _SummedWorld(a_profile())
    days = ("2026-10-12", "2026-10-18")
    world.pull(ACCOUNT, account(1, days[0]), days=days)

    world.aggregate(PLATFORM_WEEK)

    assert [(row["complete"], row["settled"]) for row in world.sums(*PLATFORM_WEEK)] == [(True, True)]


def test_an_ad_account_of_no_known_time_zone_is_left_out_and_counted() -> None:
    world = _SummedWorld(a_profile(), a_profile(EXACT, timezone="Mars/Olympus"))
    world.pull(CAMPAIGN, campaign("c1", 5))
    world.pull(CAMPAIGN, campaign("c2", 5), platform=EXACT)

    world.aggregate(CAMPAIGN_WEEK)

    assert [row["campaign_id"] for row in world.sums(*CAMPAIGN_WEEK)] == ["c1"]
    assert world.about(*CAMPAIGN_WEEK).left_out == "1"


# --- stored once


def test_the_same_numbers_are_stored_once_and_a_newer_pull_stores_them_anew() -> None:
    world = _SummedWorld(a_profile())
    world.pull(ACCOUNT, account(1))
    assert world.aggregate() == {"aggregates": 12, "aggregates_stored": 9}

    assert world.aggregate() == {"aggregates": 12, "aggregates_stored": 0}
    before = world.about(*PLATFORM_DAY).as_of
    as_of = world.pull(ACCOUNT, account(1))
    assert world.aggregate(PLATFORM_DAY) == {"aggregates": 1, "aggregates_stored": 1}

    assert world.about(*PLATFORM_DAY).as_of == as_of > before
    assert len(world.bucket.puts) == 10


def test_a_client_of_whom_nothing_is_stored_has_no_object() -> None:
    assert _SummedWorld(a_profile()).aggregate() == {"aggregates": 12, "aggregates_stored": 0}


def test_numbers_that_vanished_leave_an_empty_object() -> None:
    world = _SummedWorld(a_profile())
    world.pull(AD, ad("a1", 1))
    world.aggregate(PLATFORM_DAY)
    world.pull(AD)

    world.aggregate(PLATFORM_DAY)

    assert (world.sums(*PLATFORM_DAY), world.about(*PLATFORM_DAY).rows) == ([], "0")


# --- bounds


@at_the_bound("MAX_AGGREGATED_GROUPS", as_if=3)
def test_a_month_has_at_most_so_many_sums(size: int, *, fits: bool) -> None:
    world = _SummedWorld(a_profile())
    rows = [campaign(f"c{number}", 1) for number in range(size)]
    world.pull(CAMPAIGN, *rows, campaign("c1", 1, "2026-10-01"), days=("2026-10-01", "2026-11-18"))

    with refuses(TooLarge, fits=fits):
        world.aggregate(CAMPAIGN_WEEK)


@at_the_bound("MAX_AGGREGATED_MONTHS", as_if=2)
def test_sums_go_so_many_months_back(size: int, *, fits: bool) -> None:
    world = _SummedWorld(a_profile())
    day = f"2026-{12 - size:02}-30"
    world.pull(ACCOUNT, account(1, day), account(1), days=(day, "2026-11-18"))

    world.aggregate(PLATFORM_DAY)

    assert (len(world.sums(*PLATFORM_DAY)) == 2) is fits


def test_without_time_nothing_is_stored() -> None:
    world = _SummedWorld(a_profile())
    world.pull(ACCOUNT, account(1))

    with pytest.raises(TooLarge, match="over several stages"):
        world.aggregate(seconds=29.0)

    assert world.bucket.puts == []


# --- by arm


def test_arms_have_the_sums_of_what_is_bound_to_them_and_the_rest_is_nobodys() -> None:
    """Given an ad account of 100 with a campaign of 50 of which an arm has an ad of 12, then all rows add up to it."""
    world = _SummedWorld(a_profile())
    for day, factor in (("2026-11-17", 1), ("2026-11-18", 2)):
        world.pull(ACCOUNT, account(100 * factor, day), days=(day, day))
        world.pull(CAMPAIGN, campaign("c1", 50 * factor, day), days=(day, day))
        world.pull(AD, ad("a1", 12 * factor, day), days=(day, day))
    own = {"platform": LOSSY, "profile_id": "p1", "campaign_id": "c1"}
    arm = Arm(arm_id="arm_a", platform=LOSSY, channel="feed", bindings=(Binding(**own, ad_group_id="g1", ad_id="a1"),))
    summer = Campaign(campaign_id="cmp_x", account_id="acc_a", name="Summer", bindings=(Binding(**own),), arms=(arm,))
    world.catalog.campaigns.append(summer)

    world.aggregate((SumLevel.ARM, SumGrain.MONTH), PLATFORM_DAY)

    rows = world.sums(SumLevel.ARM, SumGrain.MONTH)
    names = ("cross_campaign_id", "cross_campaign_name", "arm_id", "channel", "creative", "unattributed")
    assert {tuple(row[name] for name in names): row["spend"] for row in rows} == {
        ("cmp_x", "Summer", "arm_a", "feed", None, False): 36,
        ("cmp_x", "Summer", None, None, None, True): 114,
        (None, None, None, None, None, True): 150,
    }
    assert {(row["platform"], row["currency"], row["month"], row["covered_days"]) for row in rows} == {
        ("meta_ads", "USD", "2026-11", 2)
    }
    (first, second) = (row["spend"] for row in world.sums(*PLATFORM_DAY))
    assert sum(row["spend"] for row in rows) == first + second


def test_a_client_without_campaigns_has_no_sums_by_arm() -> None:
    world = _SummedWorld(a_profile())
    world.pull(ACCOUNT, account(100))
    assert world.aggregate((SumLevel.ARM, SumGrain.DAY)) == {"aggregates": 1, "aggregates_stored": 0}
