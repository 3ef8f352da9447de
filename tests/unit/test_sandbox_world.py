"""The sandbox's world: deterministic, restating, exact."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.outside import Outside
from sandbox.platforms import companies, population, stand_ins
from sandbox.world import Reading, World, WorldProfile
from sandbox.world.draw import share
from sandbox.world.numbers import dust

ANCHOR = date(2026, 11, 21)
FIRST = ANCHOR - timedelta(days=59)
NUMBERS = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, ANCHOR, companies(7))


def test_the_world_has_the_size_that_was_promised(world: World) -> None:
    # then
    assert len(world.companies) == 2
    assert all(company.on(each.platform) for company in world.companies for each in stand_ins())
    assert {p.currency for p in world.profiles} >= {"USD", "EUR", "JPY"}
    assert len({p.timezone for p in world.profiles}) >= 4
    assert all(10 <= len(p.ads()) <= 70 for p in world.profiles)
    ids = [(p.id, g.id, a.id) for p in world.profiles for _, g, a in p.ads()]
    assert len(ids) == len(set(ids))


def test_equal_seeds_give_equal_worlds_and_other_seeds_others(world: World) -> None:
    # given
    profile = world.profiles[0]

    # when
    here = list(world.truth(profile, FIRST, ANCHOR))
    again = World(7, ANCHOR, companies(7))
    other = World(8, ANCHOR, companies(8))

    # then
    assert list(again.truth(again.profiles[0], FIRST, ANCHOR)) == here
    assert list(other.truth(other.profiles[0], FIRST, ANCHOR)) != here
    assert again.companies[0].credentials != other.companies[0].credentials


def test_every_day_has_rows_and_some_ads_pause(world: World) -> None:
    for profile in world.profiles:
        # when
        rows = list(world.truth(profile, FIRST, ANCHOR))

        # then
        assert {r["date"] for r in rows} == {(FIRST + timedelta(days=n)).isoformat() for n in range(60)}
        assert len(rows) < 60 * len(profile.ads())
        assert all(r["impressions"] > 0 for r in rows if r["date"] < ANCHOR.isoformat())
        assert all(r["clicks"] <= r["impressions"] for r in rows)


def test_money_can_be_written_in_the_currencys_own_units(world: World) -> None:
    for profile in world.profiles:
        for row in world.truth(profile, FIRST, ANCHOR):
            assert row["spend_micros"] % profile.minor_micros == 0
            assert row["revenue_micros"] % profile.minor_micros == 0


def test_days_restate_for_a_while_and_then_never_again() -> None:
    # given
    world = World(7, ANCHOR, companies(7))
    for profile in world.profiles:
        day = ANCHOR - timedelta(days=1)

        def seen(world: World = world, profile: object = profile, day: date = day) -> list[tuple[int, ...]]:
            first = day - timedelta(days=2)  # on a single one, corrections may happen to change nothing
            return [tuple(r[n] for n in NUMBERS) for r in world.truth(profile, first, day)]  # type: ignore[arg-type]

        # when
        history = []
        for age in range(1, 50):
            world.offset = timedelta(days=age - 1)
            history.append(seen())
        world.offset = timedelta()

        # then
        assert history[0] != history[1]
        assert sum(r[2] for r in history[0]) < sum(r[2] for r in history[8]) < sum(r[2] for r in history[-1])
        restatement = profile.traits.restatement
        settled_traffic = max(restatement.corrections + restatement.late_corrections)
        spends = [[r[3] for r in rows] for rows in history]
        assert all(spends[n] == spends[-1] for n in range(settled_traffic - 1, 49))
        assert (spends[0] != spends[-1]) == (settled_traffic > 1)
        assert all(rows == history[-1] for rows in history[41:])


def test_hours_sum_to_the_day_and_today_ends_at_the_present_hour(world: World) -> None:
    for profile in world.profiles:
        moment = world.moment(profile)
        for day in (ANCHOR, ANCHOR - timedelta(days=9)):
            # when
            hours = list(world.truth(profile, day, day, hourly=True))
            whole = {r["entity_id"]: r for r in world.truth(profile, day, day)}

            # then
            reported = NUMBERS if profile.traits.hourly_conversions else ("impressions", "clicks", "spend_micros")
            assert all(row[name] is None for row in hours for name in set(NUMBERS) - set(reported))
            for name in reported:
                summed: dict[str, int] = {}
                for row in hours:
                    summed[row["entity_id"]] = summed.get(row["entity_id"], 0) + row[name]
                assert summed == {k: r[name] for k, r in whole.items()}
            if day == ANCHOR:
                assert max(r["hour"] for r in hours) < moment.hour


@pytest.mark.parametrize("level", ["campaign", "ad_group", "account", "keyword"])
def test_levels_sum_to_the_ads_and_an_account_to_its_campaigns(world: World, level: str) -> None:
    for profile in world.profiles:
        # when
        ads = list(world.truth(profile, FIRST, ANCHOR))
        rows = list(world.truth(profile, FIRST, ANCHOR, level))
        if level == "keyword":
            with_keywords = {g.id for c in profile.campaigns for g in c.groups if g.keywords}
            ads = [r for r in ads if r["ad_group_id"] in with_keywords]
        if level == "campaign":  # Performance Max and its like spend without ads
            with_ads = {r["campaign_id"] for r in ads}
            rows = [r for r in rows if r["entity_id"] in with_ads]
        if level == "account":
            ads = list(world.truth(profile, FIRST, ANCHOR, "campaign"))

        # then
        for name in NUMBERS:
            assert sum(r[name] for r in rows) == sum(r[name] for r in ads)


@pytest.fixture
def awkward() -> World:
    return World(7, ANCHOR, companies(7, awkward=True))


def meta_of(world: World, key: str) -> WorldProfile:
    return next(c for c in world.companies if c.key == key).on("meta_ads")[0]


def sums(rows: Iterable[dict[str, Any]]) -> list[int]:
    listed = list(rows)
    return [sum(row[name] for row in listed) for name in NUMBERS]


def test_awkward_clients_change_nothing_for_the_others(world: World, awkward: World) -> None:
    assert [c.key for c in awkward.companies] == ["halden", "mori", "kestrel", "lumen"]
    for before, after in zip(world.profiles, awkward.profiles, strict=False):
        assert list(world.truth(before, ANCHOR, ANCHOR)) == list(awkward.truth(after, ANCHOR, ANCHOR))


def test_parents_count_what_no_ad_shows(awkward: World) -> None:
    # given
    profile = meta_of(awkward, "kestrel")
    adless = {c.id for c in profile.campaigns if not any(g.ads for g in c.groups)}

    # when
    by_level = {
        level: list(awkward.truth(profile, FIRST, ANCHOR, level)) for level in ("ad", "ad_group", "campaign", "account")
    }

    # then
    assert sums(by_level["ad_group"]) == sums(by_level["campaign"]) == sums(by_level["account"])
    assert sums(by_level["ad"])[3] < sums(by_level["account"])[3]
    assert adless
    assert adless <= {row["campaign_id"] for row in by_level["campaign"] if row["spend_micros"]}
    assert not adless & {row["campaign_id"] for row in by_level["ad"]}
    assert {ad.status for _, _, ad in profile.ads()} == {"ACTIVE", "PAUSED", "ARCHIVED", "DELETED"}
    remembered = awkward.truth(profile, FIRST, ANCHOR, reading=Reading(forgotten=True))
    forgotten = {row["ad_id"] for row in remembered} - {row["ad_id"] for row in by_level["ad"]}
    assert forgotten
    assert not forgotten & {ad.id for _, _, ad in profile.ads()}


def test_leads_bring_no_revenue(awkward: World) -> None:
    rows = list(awkward.truth(meta_of(awkward, "lumen"), FIRST, ANCHOR))
    assert sum(row["conversions_micros"] for row in rows) > 0
    assert {row["revenue_micros"] for row in rows} == {0}


def test_hours_may_be_missing_or_not_named(awkward: World) -> None:
    # given
    profile, day = meta_of(awkward, "kestrel"), ANCHOR - timedelta(days=30)

    # when
    named = sums({**row, **dict.fromkeys(NUMBERS[2::2], 0)} for row in awkward.truth(profile, day, day, hourly=True))
    wire = list(awkward.rows(profile, "ad", day, day, reading=Reading(hourly=True)))

    # then
    assert named[0] < sums(awkward.truth(profile, day, day))[0]
    assert {row.hour for row in wire} == {-2, *range(24)}


def test_views_count_beside_clicks_and_only_where_asked(world: World) -> None:
    # given
    profile = meta_of(world, "halden")

    def conversions(**reading: Any) -> int:
        return sums(world.truth(profile, FIRST, ANCHOR, reading=Reading(**reading)))[2]

    # then
    assert conversions(basis="click", window=1) < conversions(basis="click") < conversions()
    assert conversions() == conversions(basis="click_or_view") < conversions(basis="click_or_view", view_window=14)
    assert conversions(basis="click", window=30) > conversions(basis="click", window=14) > conversions(basis="click")


def test_a_reading_that_no_platform_offers_is_refused() -> None:
    for wrong in ({"basis": "view"}, {"clock": "click"}, {"window": 3}, {"view_window": 7}):
        with pytest.raises(ValueError, match="is one of"):
            Reading(**wrong)


def test_both_clocks_count_the_same_conversions_on_other_days() -> None:
    # given
    world = World(7, ANCHOR, companies(7))
    profile = meta_of(world, "mori")
    day, clock = ANCHOR - timedelta(days=3), Reading(clock="conversion")

    def on_the_day() -> list[int]:
        return sums(world.truth(profile, day, day, reading=clock))

    # when
    early = on_the_day()
    interaction = sums(world.truth(profile, FIRST, ANCHOR - timedelta(days=1)))
    conversion = sums(world.truth(profile, FIRST, ANCHOR - timedelta(days=1), reading=clock))
    world.offset = timedelta(days=40)
    late = on_the_day()
    opening = (world.first_day, world.first_day + timedelta(days=59))
    whole = sums(world.truth(profile, *opening))
    converted = sums(world.truth(profile, opening[0], opening[1] - timedelta(days=28)))
    by_conversion = sums(world.truth(profile, *opening, reading=clock))

    # then
    assert (early[2], early[4]) == (late[2], late[4])
    assert early[2] != sums(world.truth(profile, day, day))[2]
    assert conversion[:2] == interaction[:2]
    assert converted[2] < by_conversion[2] < whole[2]
    assert by_conversion[0] == whole[0]


def test_a_dusty_ad_s_spend_rounds_to_the_truth() -> None:
    # given
    profile = meta_of(World(7, ANCHOR, companies(7)), "halden")
    first, second = (ad for _, _, ad in profile.ads()[:2])
    assert dust(profile, first) == 0

    # when
    profile.dusty = True

    # then
    spent = Decimal("12.34") + dust(profile, first)
    assert dust(profile, second) == 0
    assert (round(spent, 6), -spent.as_tuple().exponent) == (Decimal("12.34"), 8)  # type: ignore[operator]


@given(st.integers(0, 10**9), st.lists(st.integers(0, 1000), min_size=1, max_size=30).filter(any))
def test_shares_sum_to_the_total(total: int, weights: list[int]) -> None:
    parts = share(total, weights)
    assert sum(parts) == total
    assert all(part >= 0 for part in parts)


def test_the_clock_survives_a_restart_and_the_calendar_is_caught_up(tmp_path: Path) -> None:
    # given
    path = tmp_path / "state" / "world.json"
    first = Outside(seed=7, anchor=None, today=ANCHOR, state_path=path, population=population())
    first.move(timedelta(days=2))

    # when
    same_day = Outside(seed=7, anchor=None, today=ANCHOR, state_path=path, population=population())
    week_later = Outside(
        seed=99, anchor=None, today=ANCHOR + timedelta(days=7), state_path=path, population=population()
    )

    # then
    assert same_day.world.now.date() == ANCHOR + timedelta(days=2)
    assert week_later.world.now.date() == ANCHOR + timedelta(days=7)
    assert week_later.world.seed == 7
    assert week_later.world.first_day == ANCHOR - timedelta(days=1095)
    assert json.loads(path.read_text())["anchor"] == ANCHOR.isoformat()


def test_another_anchor_begins_another_world(tmp_path: Path) -> None:
    # given
    path = tmp_path / "world.json"
    Outside(seed=7, anchor=ANCHOR, today=ANCHOR, state_path=path, population=population()).move(timedelta(days=5))

    # when
    kept = Outside(seed=7, anchor=ANCHOR, today=ANCHOR + timedelta(days=30), state_path=path, population=population())
    fresh = Outside(seed=7, anchor=ANCHOR + timedelta(days=1), today=ANCHOR, state_path=path, population=population())

    # then
    assert kept.world.now.date() == ANCHOR + timedelta(days=5)
    assert fresh.world.now.date() == ANCHOR + timedelta(days=1)
