"""The tables of curated/ have, row for row, what reports answer: at each level, by day and hour, to the millionth."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.insight.curated.layout import level_name
from adweir.model.metrics import METRICS, Grain, Level, MetricRow, Source
from adweir.model.times import DAY as A_DAY
from support.curated_world import CuratedWorld
from support.random_story import PLATFORMS, tell_all
from support.reading_world import (
    ACCOUNT,
    AD,
    CAMPAIGN,
    EXACT,
    HOURS,
    LOSSY,
    NOW,
    ONE,
    TODAY,
    a_profile,
    account,
    ad,
    campaign,
)

IDS = {
    ACCOUNT: (),
    CAMPAIGN: ("campaign_id",),
    Level.AD_GROUP: ("campaign_id", "ad_group_id"),
    AD: ("campaign_id", "ad_group_id", "ad_id"),
    Level.KEYWORD: ("campaign_id", "ad_group_id", "keyword_id"),
}
SPLIT = {"country": ("country", AD), "region": ("region", CAMPAIGN), "placement": ("placement", CAMPAIGN)}
DAYS = ("2026-09-01", "2026-11-30")
Rows = dict[tuple[Any, ...], dict[str, Any]]


def by_group(rows: Sequence[dict[str, Any]], *names: str) -> Rows:
    """The numbers of rows by date, currency, whether they are unattributed, and names; no two are of one group."""
    found: Rows = {}
    for row in rows:
        group = str(row["date"]), row["currency"], bool(row.get("unattributed")), *(row[name] or None for name in names)
        assert group not in found
        found[group] = {name: row[name] for name in METRICS} | {"kept": bool(row.get("kept"))}
    return found


def reported(world: CuratedWorld, level: Level, *names: str, **more: Any) -> Rows:
    """What a report answers, each day by itself."""
    dimensions = ("date", "platform", *IDS[level], *names)
    answer = world.report(*dimensions, metrics=METRICS, days=DAYS, **more)
    return by_group(answer.rows, "platform", *IDS[level], *names)


def stored(world: CuratedWorld, level: Level, breakdown: str = "", grain: Grain = Grain.DAY) -> Rows:
    """What the table has, several sources of a group added up."""
    if not world.has("metrics"):
        return {}
    value = f", breakdown_value AS {breakdown}" if breakdown else ""
    sums = ", ".join(f"SUM({name}) AS {name}" for name in METRICS)
    names = [*IDS[level], *([breakdown] if breakdown else [])]
    groups = ", ".join(["date", "currency", "unattributed", "platform", *names])
    rows = world.ask(
        f"SELECT {groups}, {sums}, BOOL_OR(kept) AS kept FROM (SELECT *{value} FROM metrics) "  # noqa: S608  a test's own words
        f"WHERE level = '{level_name(level, breakdown)}' AND grain = '{grain}' GROUP BY ALL"
    )
    return by_group(rows, "platform", *names)


@settings(max_examples=4, deadline=None)
@given(
    st.lists(st.integers(0, 10**6), min_size=4, max_size=7),
    st.sampled_from(["UTC", "Pacific/Auckland", "America/Los_Angeles"]),
)
def test_each_level_has_the_rows_that_reports_answer(seeds: list[int], zone: str) -> None:
    world = CuratedWorld(a_profile(timezone=zone), a_profile(EXACT, timezone=zone), platforms=PLATFORMS)
    tell_all(world, seeds)

    world.curate()

    for level in IDS:
        assert stored(world, level) == reported(world, level)
    for breakdown, (dimension, level) in SPLIT.items():
        assert stored(world, level, breakdown) == reported(world, level, dimension)


@settings(max_examples=2, deadline=None)
@given(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=5),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=4),
)
def test_what_is_made_step_by_step_is_what_is_made_at_once(before: list[int], after: list[int]) -> None:
    """Restatements, days taken back, files and pushes that come later: only what changed is made anew, and no
    difference is left."""
    step_by_step, at_once = CuratedWorld(platforms=PLATFORMS), CuratedWorld(platforms=PLATFORMS)
    tell_all(step_by_step, before)
    step_by_step.curate()

    tell_all(step_by_step, [*before, *after])
    tell_all(at_once, before)
    tell_all(at_once, [*before, *after])
    step_by_step.curate()
    at_once.curate()

    assert step_by_step.content == at_once.content


def test_hours_have_the_rows_that_reports_answer_by_hour() -> None:
    world = CuratedWorld()
    world.pull(ACCOUNT, account(10, TODAY, hour=9), account(4, TODAY, hour=10), **HOURS)
    world.pull(CAMPAIGN, campaign("c1", 7, TODAY, hour=9), **HOURS)

    world.curate()

    rows = world.ask("SELECT hour, campaign_id, spend, unattributed FROM metrics WHERE level = 'campaign' ORDER BY ALL")
    assert [tuple(row.values()) for row in rows] == [
        (9, "c1", Decimal(7), False),
        (9, None, Decimal(3), True),
        (10, None, Decimal(4), True),
    ]
    report = world.report("hour", "campaign_id", metrics=("spend",), days=(TODAY, TODAY))
    assert [(row["hour"], row["campaign_id"], row["spend"]) for row in report.rows] == [
        (row["hour"], row["campaign_id"], row["spend"]) for row in rows
    ]


def test_an_hour_that_comes_twice_is_one_row() -> None:
    world = CuratedWorld(a_profile(timezone="America/New_York"))
    hours: dict[str, Any] = {"grain": Grain.HOUR, "days": ("2026-11-01", "2026-11-01")}
    world.pull(ACCOUNT, account(3, "2026-11-01", hour=1), account(5, "2026-11-01", hour=25), **hours)

    world.curate()

    assert [(r["hour"], r["spend"]) for r in world.ask("SELECT hour, spend FROM metrics WHERE level = 'account'")] == [
        (1, Decimal(8))
    ]


def test_an_unknown_number_is_null_and_not_zero() -> None:
    world = CuratedWorld()
    world.pull(AD, ad("a1", 0, conversions=None, revenue=None))

    world.curate()

    (row,) = world.ask("SELECT conversions, revenue, spend FROM metrics WHERE level = 'ad'")
    assert row == {"conversions": None, "revenue": None, "spend": Decimal(0)}


def test_a_row_says_who_brought_it_and_what_its_day_rests_on() -> None:
    world = CuratedWorld(ONE)
    world.scores.known[ONE.key, "2026-11-18"] = 0.97
    as_of = world.pull(ACCOUNT, account(10), definition="7d_click")

    world.curate()

    (row,) = world.ask("SELECT * FROM metrics WHERE level = 'account'")
    assert row["as_of"].isoformat() == as_of.removesuffix("Z").removesuffix(".000000")
    assert (row["source"], row["task_id"], row["definition"], row["quality"]) == ("pull", "t1", "7d_click", 0.97)
    assert (row["complete"], row["settled"], row["answered_by"]) == (True, False, "account")
    assert (row["client_name"], row["account_name"], row["platform_name"]) == ("Acme", "Main", LOSSY)


def test_what_a_file_brought_is_marked_with_its_source_and_covers_no_day() -> None:
    world = CuratedWorld(ONE)
    world.file(ACCOUNT, account(10))

    world.curate()

    (row,) = world.ask("SELECT source, complete, settled FROM metrics WHERE level = 'account'")
    assert row == {"source": Source.FILE, "complete": False, "settled": False}


def test_a_kept_row_is_marked() -> None:
    world = CuratedWorld(ONE)
    world.pull(ACCOUNT, account(10))
    world.pull(AD, ad("a1", 4), ad("a2", 6), has_totals=True)
    world.pull(AD, ad("a1", 4), has_totals=True)

    world.curate()

    rows = world.ask("SELECT ad_id, kept, spend FROM metrics WHERE level = 'ad' ORDER BY ad_id")
    assert [tuple(row.values()) for row in rows] == [("a1", False, Decimal(4)), ("a2", True, Decimal(6))]


def test_a_row_whose_newest_number_was_refused_is_marked_as_held() -> None:
    world = CuratedWorld(ONE)
    world.pull(AD, ad("a1", 4))
    world.pull(AD, bad=[("g1~a1", "2026-11-18")])

    world.curate()

    (row,) = world.ask("SELECT held, spend FROM metrics WHERE level = 'ad'")
    assert row == {"held": True, "spend": Decimal(4)}


def test_amounts_of_two_currencies_are_rows_of_their_own() -> None:
    world = CuratedWorld(ONE)
    world.pull(ACCOUNT, account(10))
    world.pull(ACCOUNT, account(5, "2026-11-17", currency="EUR"), days=("2026-11-17", "2026-11-17"), currency="EUR")

    world.curate()

    rows = world.ask("SELECT currency, spend FROM metrics WHERE level = 'account' ORDER BY ALL")
    assert [tuple(row.values()) for row in rows] == [("EUR", Decimal(5)), ("USD", Decimal(10))]


def test_a_day_without_data_is_told_from_a_day_that_was_not_pulled() -> None:
    world = CuratedWorld(ONE)
    world.pull(ACCOUNT, days=("2026-11-18", "2026-11-18"))

    world.curate()

    days = world.ask("SELECT date, complete, missing FROM coverage WHERE level = 'account' AND date >= '2026-11-17'")
    assert {str(row["date"]): (row["complete"], row["missing"]) for row in days} == {
        "2026-11-17": (False, "all"),
        "2026-11-18": (True, None),
        "2026-11-19": (False, "all"),
        "2026-11-20": (False, "all"),
    }
    assert not world.has("metrics")


def test_a_month_in_between_of_which_nothing_was_pulled_is_known_as_missing() -> None:
    world = CuratedWorld(ONE)
    for day in ("2026-09-10", TODAY):
        world.pull(ACCOUNT, account(1, day), days=(day, day))

    world.curate()

    (row,) = world.ask(
        "SELECT COUNT(*) AS days FROM coverage WHERE month = '2026-10' AND level = 'account' AND NOT complete"
    )
    assert row == {"days": 31}


def test_numbers_of_a_largest_row_stay_exact() -> None:
    world = CuratedWorld(ONE)
    most = 999_999_999_999_999_999
    world.pull(ACCOUNT, MetricRow("p1", "2026-11-18", 1, 1, 1, most, -most, currency="USD"))

    world.curate()

    (row,) = world.ask("SELECT spend, revenue, conversions FROM metrics WHERE level = 'account'")
    assert row == {
        "spend": Decimal("999999999999.999999"),
        "revenue": Decimal("-999999999999.999999"),
        "conversions": Decimal("0.000001"),
    }


def test_the_yesterday_of_a_profile_is_in_its_own_month() -> None:
    world = CuratedWorld(a_profile(timezone="Pacific/Kiritimati"), now=NOW + 10 * A_DAY)
    world.pull(ACCOUNT, account(3, "2026-12-01"), days=("2026-12-01", "2026-12-01"))

    world.curate()

    assert world.ask("SELECT month FROM metrics WHERE level = 'account'") == [{"month": "2026-12"}]
