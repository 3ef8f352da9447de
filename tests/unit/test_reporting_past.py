"""Answers as of a moment, and what changed since one."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adweir.model.errors import Unprocessable
from adweir.model.metrics import Grain, Level
from adweir.reporting.moments import Moments, parse_moments
from adweir.reporting.ranges import parse_range
from adweir.reporting.records import RecordRequest, StoredRecords
from adweir.reporting.reports import ReportRequest, report
from support.bounds import at_the_bound
from support.reading_world import DAY, EXACT, NOW, ReadingWorld, a_profile, account, ad, campaign

DAYS = ("2026-11-16", "2026-11-19")
MANY = [f"2026-11-{number}" for number in range(16, 20)]


def answers(world: ReadingWorld, moments: Moments) -> dict[str, Any]:
    """What an analyst would ask, as of a moment."""
    queries = world.queries.known_at(moments.as_known_at) if moments.as_known_at else world.queries
    span = parse_range(*DAYS, moments.now.date())
    found = report(queries, ReportRequest("r", span, ("spend", "conversions", "roas"), ("date", "campaign")))
    records = StoredRecords(world.catalog, queries)
    between = {"date_range": {"start": DAYS[0], "end": DAYS[1]}}
    pages = {
        name: records.retrieve(RecordRequest(name, between, live=True), moments.now)
        for name in ("ad_performance", "campaign_performance", "account_performance")
    }
    return {"report": (found.rows, found.totals, found.coverage, found.adjustments), **pages}


def wait(world: ReadingWorld) -> datetime:
    """A moment at which no load runs."""
    world.stored.clock.advance(60)
    world.now = world.stored.clock.now()
    world.stored.clock.advance(60)
    return world.now


def happen(world: ReadingWorld, rng: random.Random) -> None:
    """A pull or a file: ads are restated, deleted and brought back, totals follow or do not."""
    days = (rng.choice(MANY[:2]), rng.choice(MANY[2:]))
    inside = [day for day in MANY if days[0] <= day <= days[1]]
    ads = [(name, day) for name in ("a1", "a2", "a3") for day in inside if rng.random() < 0.7]
    if rng.random() < 0.2:
        world.file(Level.AD, *(ad(name, rng.randint(1, 9), day) for name, day in ads), days=days)
        return
    level = rng.choice((Level.AD, Level.AD, Level.CAMPAIGN, Level.ACCOUNT))
    rows = {
        Level.AD: [ad(name, rng.randint(1, 9), day) for name, day in ads],
        Level.CAMPAIGN: [campaign("c1", rng.randint(5, 30), day) for day in inside],
        Level.ACCOUNT: [account(rng.randint(5, 30), day) for day in inside],
    }[level]
    world.pull(level, *rows, days=days, has_totals=level is not Level.ACCOUNT)


@pytest.mark.parametrize("seed", range(3))
def test_given_a_story_with_restatements_then_twenty_moments_of_it_are_answered_as_they_were_then(seed: int) -> None:
    # given what was answered after each of 20 loads
    world, rng = ReadingWorld(), random.Random(seed)
    then = []
    for _ in range(20):
        happen(world, rng)
        moment = wait(world)
        then.append((moment, answers(world, Moments(moment))))
    assert len({str(answer) for _, answer in then}) > 10, "a story in which nothing changes proves nothing"
    # when everything has happened, then each moment is answered alike
    for moment, expected in then:
        assert answers(world, Moments(world.now, as_known_at=moment)) == expected


def test_given_a_restatement_and_a_deletion_when_asked_what_changed_then_each_has_old_new_lag_and_cause() -> None:
    # given
    world = ReadingWorld()
    world.pull(Level.AD, ad("a1", 10), ad("a2", 5), has_totals=True)
    world.pull(Level.ACCOUNT, account(15))
    moment = wait(world)
    # when one ad is restated, the other deleted, and the total no longer contains it
    world.pull(Level.AD, ad("a1", 12), has_totals=True)
    world.pull(Level.ACCOUNT, account(12))
    now = wait(world)
    # then
    asked = RecordRequest(
        "ad_performance",
        {"platform": "meta_ads", "campaign_id": "c1", "date_range": {"start": DAY, "end": DAY}},
        moments=Moments(now, changed_since=moment),
    )
    page = StoredRecords(world.catalog, world.queries).retrieve(asked, now)
    assert page.changes is not None
    found = [
        (change["ad_id"], change["old"] and change["old"]["spend"], change["new"] and change["new"]["spend"],
         change["new_mark"], change["lag_days"], change["cause"])
        for change in page.changes.records
    ]  # fmt: skip
    assert found == [
        ("a1", 10, 12, "", 1, "pull"),
        ("a2", 5, 5, "kept", 1, "pull"),
        ("a2", 5, None, "", 1, "total"),
    ]
    assert page.changes.total == 3
    assert page.changes.records[0]["new"] == {
        "impressions": 120,
        "clicks": 12,
        "conversions": Decimal(12),
        "spend": Decimal(12),
        "revenue": Decimal(24),
    }


@pytest.mark.parametrize("hour", [None, 3, 26])
def test_given_an_account_that_changed_its_currency_then_each_side_of_a_change_is_in_its_own(hour: int | None) -> None:
    # given ads in euros, of which a pull in dollars brings one alike, restates one, misses one, and brings a new one
    grain = Grain.DAY if hour is None else Grain.HOUR
    more: dict[str, Any] = {} if hour is None else {"hour": hour}
    world = ReadingWorld(a_profile(timezone="America/New_York"))
    euros = [ad(name, spend, currency="EUR", **more) for name, spend in (("a1", 10), ("a2", 5), ("a3", 4))]
    world.pull(Level.AD, *euros, currency="EUR", grain=grain)
    moment = wait(world)
    dollars = [ad(name, spend, **more) for name, spend in (("a1", 10), ("a2", 6), ("a4", 1))]
    world.pull(Level.AD, *dollars, grain=grain)
    # when asked what changed
    found = changes(world, moment, ("ad",) if hour is None else ("ad", "hour"))
    # then each number has the currency that it is in
    assert found == [
        ("a1", 10, "EUR", 10, "USD"),
        ("a2", 5, "EUR", 6, "USD"),
        ("a3", 4, "EUR", None, "EUR"),
        ("a4", None, None, 1, "USD"),
    ]


def test_given_a_number_that_is_kept_by_a_pull_in_another_currency_then_it_stays_in_its_own() -> None:
    world = ReadingWorld()
    world.pull(Level.AD, ad("a1", 10, currency="EUR"), ad("a2", 5, currency="EUR"), currency="EUR", has_totals=True)
    moment = wait(world)
    world.pull(Level.AD, ad("a1", 12), has_totals=True)
    assert changes(world, moment, ("ad",)) == [("a1", 10, "EUR", 12, "USD"), ("a2", 5, "EUR", 5, "EUR")]


def test_given_a_number_whose_mark_alone_changes_then_it_stays_in_its_own_currency() -> None:
    # given euros, of which a pull in dollars has a row that cannot be stored
    world = ReadingWorld()
    world.pull(Level.AD, ad("a1", 10, currency="EUR"), currency="EUR")
    moment = wait(world)
    world.pull(Level.AD, bad=[("g1~a1", DAY)])
    assert changes(world, moment, ("ad",)) == [("a1", 10, "EUR", 10, "EUR")]


def test_given_a_number_that_a_total_in_another_currency_decides_then_it_stays_in_its_own() -> None:
    # given a missing row in euros, and totals in dollars: first it is gone, then kept again
    world = ReadingWorld()
    world.pull(Level.AD, ad("a1", 10, currency="EUR"), currency="EUR", has_totals=True)
    world.pull(Level.AD, has_totals=True)
    first = wait(world)
    world.pull(Level.ACCOUNT, account(0))
    second = wait(world)
    assert changes(world, first, ("ad",)) == [("a1", 10, "EUR", None, "EUR")]
    world.pull(Level.ACCOUNT, account(10))
    assert changes(world, second, ("ad",)) == [("a1", None, None, 10, "EUR")]


def changes(world: ReadingWorld, since: datetime, by: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """The changes of ads since a moment: each side with its currency."""
    found = world.report(*by, moments=Moments(wait(world), changed_since=since)).about["changes"]
    return sorted(
        (
            each["ad_id"],
            each["old"] and each["old"]["spend"],
            each["old_currency"],
            each["new"] and each["new"]["spend"],
            each["currency"],
        )
        for each in found
    )


def test_given_a_level_that_finer_rows_sum_to_then_their_changes_are_its_changes() -> None:
    world = ReadingWorld()
    moment = wait(world)
    world.pull(Level.AD, ad("a1", 10, ad_product="sp"), platform=EXACT, slice_="sp")
    now = wait(world)
    filters = {"platform": str(EXACT), "date_range": {"start": DAY, "end": DAY}}
    asked = RecordRequest("campaign_performance", filters, moments=Moments(now, changed_since=moment))

    page = StoredRecords(world.catalog, world.queries).retrieve(asked, now)

    assert page.changes is not None
    assert [(change["level"], change["campaign_id"]) for change in page.changes.records] == [("ad", "c1")]


@at_the_bound("MAX_LISTED_CHANGES", as_if=3)
def test_the_bound_of_the_changes_that_are_listed(size: int, fits: bool) -> None:
    world = ReadingWorld()
    moment = wait(world)
    world.pull(Level.AD, *(ad(f"a{number}", 1) for number in range(size)), has_totals=True)
    now = wait(world)
    span = parse_range(DAY, DAY, now.date())
    asked = ReportRequest("r", span, ("spend",), ("ad",), moments=Moments(now, changed_since=moment))

    head = report(world.queries, asked).head

    assert head["changes_total"] == size
    assert (len(head["changes"]) == size) is fits


@pytest.mark.parametrize("name", ["campaigns", "keywords", "profiles", "creatives"])
def test_objects_have_no_past(name: str) -> None:
    world = ReadingWorld()
    asked = RecordRequest(name, moments=Moments(NOW, as_known_at=NOW))
    with pytest.raises(Unprocessable, match="has no past"):
        StoredRecords(world.catalog, world.queries).retrieve(asked, NOW)


@pytest.mark.parametrize(
    ("known", "since", "field"),
    [
        ("2026-11-20T12:00:01+00:00", None, "as_known_at"),
        ("2026-11-20T06:00:00", None, "as_known_at"),
        ("yesterday at six", None, "as_known_at"),
        (None, "2026-11-20", "changed_since"),
        (None, "2026-11-20T14:00:00+01:00", "changed_since"),
        ("2026-11-19T00:00:00Z", "2026-11-19T00:00:01Z", "changed_since"),
    ],
)
def test_moments_that_make_no_sense_are_refused_by_name(known: str | None, since: str | None, field: str) -> None:
    with pytest.raises(Unprocessable, match=field):
        parse_moments(known, since, NOW)


def test_an_answer_of_the_past_says_of_when_its_names_are() -> None:
    moments = parse_moments("2026-11-20T06:00:00+01:00", "2026-11-19T00:00:00Z", NOW)
    assert moments.now == NOW - timedelta(hours=7)
    assert moments.notes == {
        "as_known_at": "2026-11-20T05:00:00.000000Z",
        "names_as_of": "2026-11-20T12:00:00.000000Z",
    }
    assert parse_moments(None, None, NOW).notes == {}
