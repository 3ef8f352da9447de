"""The planner: windows hold exactly the days that a profile needs."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.intake.collect.planner import Frame, Reach, contiguous, profile_tasks, profiles_task, span
from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, Profile
from adweir.model.errors import Unprocessable
from adweir.model.messages import Scope
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.times import DAY, Window, iso
from adweir.pipeline.workflows import WORKFLOWS, workflow
from adweir.platforms.base import DatasetSpec

ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Kiritimati", "America/St_Johns")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PULLED = "2026-11-20T12:00:00.000000Z"
AD_DAILY = DatasetSpec(Dataset.AD_DAILY, lookback_days=14, max_window_days=31)


def frame(at: datetime = NOON, reach: Reach = Reach.FRESH, history: int = 60, **scope: object) -> Frame:
    return Frame("run-1", "metrics", at, Scope.model_validate(scope), reach, history, 1_800_000_000)


def profile(timezone: str = "UTC") -> Profile:
    return Profile(
        account_id="acc-1", platform=Platform("amazon_ads"), profile_id="1", name="n", currency="EUR", timezone=timezone
    )


def windows(f: Frame, spec: DatasetSpec = AD_DAILY, zone: str = "UTC", covered: Any = None) -> list[str]:
    return [str(task.window) for task in profile_tasks(f, profile(zone), spec, covered or {})]


def covering(start: str, end: str, *slices: str) -> dict[date, dict[str, str]]:
    return {day: dict.fromkeys(slices or (ALL,), PULLED) for day in Window.parse(f"{start}..{end}").days()}


# --- examples


def test_a_first_pull_reaches_back_the_whole_history_in_windows_the_platform_accepts() -> None:
    assert windows(frame()) == ["2026-09-21..2026-10-21", "2026-10-22..2026-11-19"]


def test_an_ad_account_s_own_look_back_is_pulled_again_instead_of_the_platform_s() -> None:
    own = AD_DAILY.under({"lookback_days": 3, "settles_after_days": 20})
    covered = covering("2026-09-01", "2026-11-19")
    assert windows(frame(), own, covered=covered) == ["2026-11-17..2026-11-19"]
    assert windows(frame(reach=Reach.SETTLING), own, covered=covered) == ["2026-10-31..2026-11-19"]


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (Reach.FRESH, "2026-11-17..2026-11-19"),
        (Reach.SETTLING, "2026-11-17..2026-11-19"),
        (Reach.WHOLE, "2026-11-17..2026-11-19"),
        (Reach.MISSING, ""),
    ],
)
def test_a_scope_s_lookback_is_pulled_again_instead_of_all_others(reach: Reach, expected: str) -> None:
    own = AD_DAILY.under({"lookback_days": 20, "settles_after_days": 30})
    covered = covering("2026-09-01", "2026-11-19")

    assert "".join(windows(frame(reach=reach, lookback_days=3), own, covered=covered)) == expected


def test_a_scope_s_lookback_says_where_a_backfill_begins_and_leaves_a_daily_run_what_is_missing() -> None:
    covered = covering("2026-09-01", "2026-11-19")
    del covered[date(2026, 11, 10)], covered[date(2026, 11, 18)]

    backfilled = windows(frame(reach=Reach.MISSING, lookback_days=3), covered=covered)
    daily = windows(frame(lookback_days=1), covered=covered)

    assert backfilled == ["2026-11-18..2026-11-18"]
    assert daily == ["2026-11-10..2026-11-10", "2026-11-18..2026-11-19"]


def test_a_scope_s_lookback_pulls_final_days_of_hours_again() -> None:
    final = covering("2026-11-10", "2026-11-20")

    assert windows(frame(), HOURLY, covered=final) == ["2026-11-20..2026-11-20"]
    assert windows(frame(lookback_days=4), HOURLY, covered=final) == ["2026-11-16..2026-11-20"]


def test_what_is_covered_is_asked_for_again_only_within_the_lookback() -> None:
    assert windows(frame(), covered=covering("2026-09-01", "2026-11-19")) == ["2026-11-06..2026-11-19"]


def test_a_hole_in_coverage_gets_a_window_of_its_own() -> None:
    covered = covering("2026-09-01", "2026-11-19")
    del covered[date(2026, 10, 3)]

    assert windows(frame(), covered=covered) == ["2026-10-03..2026-10-03", "2026-11-06..2026-11-19"]


def test_each_slice_has_its_own_coverage() -> None:
    spec = DatasetSpec(Dataset.AD_DAILY, ("sp", "sb"), 2, 31)
    covered = covering("2026-11-10", "2026-11-19", "sp")

    tasks = profile_tasks(frame(history=10), profile(), spec, covered)

    assert [(task.slice, str(task.window)) for task in tasks] == [
        ("sp", "2026-11-18..2026-11-19"),
        ("sb", "2026-11-10..2026-11-19"),
    ]


def test_a_pull_of_everything_covers_every_slice() -> None:
    spec = DatasetSpec(Dataset.AD_DAILY, ("sp",), 1, 31)

    assert windows(frame(history=10), spec, covered=covering("2026-11-10", "2026-11-19")) == ["2026-11-19..2026-11-19"]


def test_days_that_the_platform_no_longer_keeps_are_not_asked_for() -> None:
    spec = DatasetSpec(Dataset.AD_DAILY, ("sp", "sb"), 14, 31, {"sp": 95, "sb": 20})

    tasks = profile_tasks(frame(history=30), profile(), spec, {})

    assert [(task.slice, str(task.window)) for task in tasks] == [
        ("sp", "2026-10-21..2026-11-19"),
        ("sb", "2026-10-31..2026-11-19"),
    ]


@pytest.mark.parametrize(
    ("zone", "end"),
    [("UTC", "2026-11-19"), ("Pacific/Kiritimati", "2026-11-20"), ("America/Los_Angeles", "2026-11-19")],
)
def test_a_daily_window_ends_at_the_profiles_own_yesterday(zone: str, end: str) -> None:
    assert windows(frame(history=1), DatasetSpec(Dataset.AD_DAILY), zone) == [f"{end}..{end}"]


HOURLY = DatasetSpec(Dataset.CAMPAIGN_HOURLY, lookback_days=2, max_window_days=7)


@pytest.mark.parametrize(
    ("pulled_at", "expected"),
    [
        ("2026-11-19T21:15", "2026-11-19..2026-11-20"),
        ("2026-11-20T02:15", "2026-11-19..2026-11-20"),
        ("2026-11-20T03:00", "2026-11-20..2026-11-20"),
    ],
)
def test_a_day_of_hours_is_asked_for_until_a_pull_found_its_last_hours_final(pulled_at: str, expected: str) -> None:
    # given a profile in Berlin: the day before yesterday is final, yesterday was last pulled at a local time
    def utc(local: str) -> str:
        return iso(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Berlin")))

    covered = {date(2026, 11, 18): {ALL: utc("2026-11-19T03:00")}, date(2026, 11, 19): {ALL: utc(pulled_at)}}

    # then, whenever the next run comes, it asks for what is not final yet, and for today
    for at in ("2026-11-20T03:15", "2026-11-20T17:15"):
        moment = datetime.fromisoformat(utc(at))
        assert windows(frame(moment), HOURLY, "Europe/Berlin", covered) == [expected]


def test_hours_that_were_never_pulled_are_asked_for_within_the_lookback() -> None:
    assert windows(frame(), HOURLY) == ["2026-11-18..2026-11-20"]


def test_hours_that_the_platform_does_not_offer_are_asked_for_today_only() -> None:
    covered = {day: {ALL: ""} for day in (date(2026, 11, 18), date(2026, 11, 19))}

    assert windows(frame(), HOURLY, covered=covered) == ["2026-11-20..2026-11-20"]


def test_days_of_a_product_that_was_not_offered_are_asked_for_once_it_is() -> None:
    # given a product that the platform refused until yesterday's pull
    refused = {day: {"sd": ""} for day in Window.parse("2026-10-20..2026-11-18").days()}
    spec = DatasetSpec(Dataset.AD_DAILY, ("sd",), lookback_days=2, max_window_days=60)
    assert windows(frame(history=30), spec, covered=refused) == ["2026-11-18..2026-11-19"]
    # when a day of it was pulled, then the others are missing
    assert windows(frame(history=30), spec, covered=refused | {date(2026, 11, 18): {"sd": PULLED}}) == [
        "2026-10-21..2026-11-19"
    ]


def test_entities_have_no_window() -> None:
    (task,) = profile_tasks(frame(), profile(), DatasetSpec(Dataset.ADS), {})

    assert task.window is None
    assert span(frame(), profile(), DatasetSpec(Dataset.ADS)) is None


def test_a_task_carries_its_profiles_account_zone_and_currency() -> None:
    task = profile_tasks(frame(), profile("Asia/Kolkata"), AD_DAILY, {})[0]

    assert (task.account_id, task.timezone, task.currency, task.deadline) == (
        "acc-1", "Asia/Kolkata", "EUR", 1_800_000_000,
    )  # fmt: skip


def test_a_repull_asks_for_its_whole_scope_and_without_dates_for_the_lookback() -> None:
    whole = frame(reach=Reach.WHOLE, start="2026-11-01", end="2026-11-30", slice="campaign=7")
    covered = covering("2026-09-01", "2026-11-19")

    assert windows(whole, covered=covered) == ["2026-11-01..2026-11-19"]
    assert profile_tasks(whole, profile(), AD_DAILY, covered)[0].slice == "campaign=7"
    assert windows(frame(reach=Reach.WHOLE), covered=covered) == ["2026-11-06..2026-11-19"]


def test_a_backfill_asks_only_for_what_is_missing() -> None:
    f = frame(reach=Reach.MISSING, start="2026-08-01", end="2026-09-10")

    assert windows(f, covered=covering("2026-08-05", "2026-09-30")) == ["2026-08-01..2026-08-04"]


def test_a_scope_in_the_future_asks_for_nothing() -> None:
    assert windows(frame(start="2026-12-01")) == []


def test_a_scope_clips_a_daily_run() -> None:
    assert windows(frame(start="2026-11-15", end="2026-11-17")) == ["2026-11-15..2026-11-17"]
    assert windows(frame(start="2025-01-01"), covered=covering("2026-09-21", "2026-11-19"))[0].startswith("2026-11-06")


def test_the_profiles_task_belongs_to_a_credential() -> None:
    credential = Credential(account_id="acc-1", platform=Platform("meta_ads"), secret_id="s")

    task = profiles_task(frame(), credential)

    assert (task.profile_key, task.dataset, task.window) == ("meta_ads#@acc-1", Dataset.PROFILES, None)


# --- properties

instants = st.integers(1_735_689_600, 1_830_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
specs = st.builds(
    DatasetSpec,
    st.just(Dataset.AD_DAILY),
    st.sampled_from([("all",), ("sp", "sb", "sd")]),
    st.integers(0, 40),
    st.integers(0, 31),
    st.one_of(st.none(), st.dictionaries(st.sampled_from(["all", "sp", "sb"]), st.integers(1, 95))),
)


@given(instants, st.sampled_from(ZONES), specs, st.integers(1, 90), st.data())
def test_windows_hold_exactly_the_required_days_once(
    at: datetime, zone: str, spec: DatasetSpec, history: int, data: st.DataObject
) -> None:
    f, p = frame(at, history=history), profile(zone)
    reach = span(f, p, spec)
    assert reach is not None
    days = list(reach.days())
    covered = data.draw(
        st.dictionaries(
            st.sampled_from(days),
            st.dictionaries(st.sampled_from(["all", "sp", "sb", "sd"]), st.just(PULLED)),
            max_size=40,
        )
    )

    tasks = profile_tasks(f, p, spec, covered)

    today = at.astimezone(ZoneInfo(zone)).date()
    for slice_ in spec.slices:
        held = Counter(day for task in tasks if task.slice == slice_ and task.window for day in task.window.days())
        oldest = spec.oldest(slice_, today) or date.min
        required = {
            day
            for day in days
            if day >= oldest
            and (day >= today - timedelta(days=spec.lookback_days) or not covered.get(day, {}).keys() & {slice_, "all"})
        }
        assert set(held) == required
        assert set(held.values()) <= {1}
    assert all(task.window.length <= (spec.max_window_days or 10**6) for task in tasks if task.window)
    assert max(days) == today - DAY
    assert len({task.id for task in tasks}) == len(tasks)
    assert profile_tasks(f, p, spec, covered) == tasks


@given(instants, st.sampled_from(ZONES))
def test_hourly_windows_always_hold_the_local_today(at: datetime, zone: str) -> None:
    local = at.astimezone(ZoneInfo(zone))
    (task,) = profile_tasks(frame(at), profile(zone), DatasetSpec(Dataset.CAMPAIGN_HOURLY), {})

    assert task.window is not None
    assert task.window.end == local.date()
    assert task.window.length == 2


@given(st.lists(st.dates(date(2026, 1, 1), date(2026, 3, 1))))
def test_contiguous_windows_are_the_fewest_that_hold_exactly_the_days(days: list[date]) -> None:
    found = contiguous(days)

    assert [day for window in found for day in window.days()] == sorted(set(days))
    assert all(later.start - earlier.end > DAY for earlier, later in pairwise(found))


# --- workflows


def chosen(stage: str, *specs: DatasetSpec, wanted: tuple[Dataset, ...] = (), **scope: Any) -> list[Dataset]:
    served = {spec.dataset: spec for spec in specs}
    picked = workflow("daily").stage(stage).choose(served, Scope.model_validate(scope), wanted)
    return [spec.dataset for spec in picked]


LEVELS = (Dataset.ACCOUNT_DAILY, Dataset.CAMPAIGN_DAILY, Dataset.AD_GROUP_DAILY, Dataset.AD_DAILY)


def test_every_level_is_pulled_whose_finer_one_does_not_sum_to_it_and_the_totals_come_last() -> None:
    specs = [DatasetSpec(dataset) for dataset in LEVELS]

    assert chosen("pulls", *specs) == [Dataset.AD_DAILY, Dataset.AD_GROUP_DAILY, Dataset.CAMPAIGN_DAILY]
    assert chosen("totals", *specs) == [Dataset.ACCOUNT_DAILY]


def test_a_level_that_a_finer_one_sums_to_is_not_pulled() -> None:
    ads = DatasetSpec(Dataset.AD_DAILY, sums_to_parent=True)
    groups = DatasetSpec(Dataset.AD_GROUP_DAILY, sums_to_parent=True)
    others = [DatasetSpec(dataset) for dataset in LEVELS[:2]]

    assert chosen("pulls", ads, *others) == [Dataset.AD_DAILY]
    assert chosen("totals", ads, *others) == []
    assert chosen("pulls", groups, *others) == [Dataset.AD_GROUP_DAILY]


def test_a_scope_may_name_any_dataset_that_the_stage_accepts() -> None:
    specs = [DatasetSpec(dataset) for dataset in (Dataset.CAMPAIGN_DAILY, Dataset.AD_DAILY, Dataset.KEYWORDS)]

    assert chosen("pulls", *specs) == [Dataset.AD_DAILY, Dataset.CAMPAIGN_DAILY, Dataset.KEYWORDS]
    assert chosen("pulls", *specs, datasets=("campaign_daily", "keyword_daily")) == [Dataset.CAMPAIGN_DAILY]


def test_what_is_pulled_on_request_is_pulled_where_a_profile_wants_it() -> None:
    breakdown = DatasetSpec(Dataset.AD_BY_COUNTRY_DAILY, on_request=True)

    assert chosen("pulls", breakdown) == []
    assert chosen("pulls", breakdown, wanted=(Dataset.AD_BY_COUNTRY_DAILY,)) == [Dataset.AD_BY_COUNTRY_DAILY]
    assert chosen("pulls", breakdown, datasets=("ad_by_country_daily",)) == [Dataset.AD_BY_COUNTRY_DAILY]


def test_one_campaigns_pull_does_not_ask_for_the_accounts_total() -> None:
    assert chosen("totals", DatasetSpec(Dataset.ACCOUNT_DAILY), slice="campaign=1") == []


def test_stages_follow_each_other() -> None:
    daily = workflow("daily")

    assert [(stage.name, stage.after) for stage in daily.stages] == [
        ("profiles", ()),
        ("pulls", ("profiles",)),
        ("totals", ("pulls",)),
        ("reconcile", ("totals",)),
        ("etl", ("totals",)),
        ("detect", ("totals",)),
        ("learn", ("totals",)),
        ("enrich", ("totals",)),
        ("curate", ("reconcile",)),
        ("features", ("reconcile",)),
    ]


@pytest.mark.parametrize(
    ("threshold", "tasks", "loaded", "goes_on"),
    [(0.0, 0, 0, True), (0.0, 3, 0, False), (0.0, 3, 1, True), (0.5, 4, 1, False), (0.5, 4, 2, True)],
)
def test_a_stage_goes_on_when_enough_of_it_loaded(threshold: float, tasks: int, loaded: int, goes_on: bool) -> None:
    stage = WORKFLOWS["hourly"].stages[0]

    assert type(stage)("s", (), (), threshold=threshold).passes(tasks, loaded) is goes_on


def test_unknown_workflows_and_stages_are_refused() -> None:
    known = "account, ad, backfill, daily, hourly, platform, refresh, repull, sync, weekly"
    with pytest.raises(Unprocessable, match=known):
        workflow("yearly")
    with pytest.raises(Unprocessable):
        workflow("daily").stage("x")


def test_the_weekly_run_pulls_again_what_the_daily_one_no_longer_looks_at() -> None:
    spec = DatasetSpec(Dataset.AD_DAILY, lookback_days=14, settles_after_days=60)
    stored = covering("2026-08-01", "2026-11-19", "all")

    assert windows(frame(), spec, covered=stored) == ["2026-11-06..2026-11-19"]
    assert windows(frame(reach=Reach.SETTLING), spec, covered=stored) == ["2026-09-21..2026-11-19"]


# --- invoices

INVOICES = DatasetSpec(Dataset.INVOICES, lookback_months=2)


@pytest.mark.parametrize(
    ("scope", "asked"),
    [
        ({}, ["2026-09-01..2026-11-20"]),
        ({"start": "2025-12-24"}, ["2025-12-01..2026-11-20"]),
        ({"start": "2026-05-20", "end": "2026-06-02"}, ["2026-05-01..2026-07-31"]),
        ({"start": "2026-10-01", "end": "2026-10-31"}, ["2026-10-01..2026-11-20"]),
        ({"end": "2026-06-30"}, []),
    ],
)
def test_invoices_are_asked_for_by_the_months_in_which_they_may_be_issued(
    scope: dict[str, Any], asked: list[str]
) -> None:
    """Up to a month after the last month in scope; coverage has no part in it."""
    assert windows(frame(reach=Reach.MISSING, **scope), INVOICES) == asked


def test_the_current_month_is_the_ad_account_s() -> None:
    late = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    assert windows(frame(late), INVOICES, "Asia/Kolkata") == ["2026-10-01..2026-12-01"]


def test_invoices_are_pulled_by_weekly_and_requested_runs_and_on_request_by_the_daily_one() -> None:
    specs = {Dataset.INVOICES: INVOICES}

    def pulled(name: str, **scope: object) -> bool:
        return any(stage.choose(specs, Scope.model_validate(scope)) for stage in workflow(name).stages)

    assert [name for name in WORKFLOWS if pulled(name)] == ["sync", "weekly", "backfill", "platform"]
    assert pulled("daily", datasets=["invoices"])
