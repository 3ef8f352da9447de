"""The sandbox's world: deterministic, restating, exact."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.outside import Outside
from sandbox.platforms import companies, population
from sandbox.world import World
from sandbox.world.draw import share
from sandbox.world.mix import sales

ANCHOR = date(2026, 11, 21)
FIRST = ANCHOR - timedelta(days=59)
NUMBERS = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, ANCHOR, companies(7))


def test_the_world_has_the_size_that_was_promised(world: World) -> None:
    # then
    assert len(world.companies) == 2
    assert len(world.profiles) == 4
    assert {p.currency for p in world.profiles} == {"USD", "EUR", "JPY"}
    assert len({p.timezone for p in world.profiles}) == 4
    assert sum(len(p.ads()) for p in world.profiles) == pytest.approx(200, abs=20)
    ids = [a.id for p in world.profiles for _, _, a in p.ads()]
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
            return [tuple(r[n] for n in NUMBERS) for r in world.truth(profile, day, day)]  # type: ignore[arg-type]

        # when
        history = []
        for age in range(1, 50):
            world.offset = timedelta(days=age - 1)
            history.append(seen())
        world.offset = timedelta()

        # then
        assert history[0] != history[1]
        assert sum(r[2] for r in history[0]) < sum(r[2] for r in history[8]) < sum(r[2] for r in history[-1])
        settled_traffic = 28 if profile.platform == "meta_ads" else 3
        spends = [[r[3] for r in rows] for rows in history]
        assert all(spends[n] == spends[-1] for n in range(settled_traffic - 1, 49))
        assert spends[0] != spends[-1]
        assert all(rows == history[-1] for rows in history[41:])


def test_hours_sum_to_the_day_and_today_ends_at_the_present_hour(world: World) -> None:
    for profile in world.profiles:
        moment = world.moment(profile)
        for day in (ANCHOR, ANCHOR - timedelta(days=9)):
            # when
            hours = list(world.truth(profile, day, day, hourly=True))
            whole = {r["entity_id"]: r for r in world.truth(profile, day, day)}

            # then
            for name in NUMBERS:
                summed: dict[str, int] = {}
                for row in hours:
                    summed[row["entity_id"]] = summed.get(row["entity_id"], 0) + row[name]
                assert summed == {k: r[name] for k, r in whole.items()}
            if day == ANCHOR:
                assert max(r["hour"] for r in hours) < moment.hour


@pytest.mark.parametrize("level", ["campaign", "ad_group", "account", "keyword"])
def test_levels_sum_to_the_ads(world: World, level: str) -> None:
    for profile in world.profiles:
        # when
        ads = list(world.truth(profile, FIRST, ANCHOR))
        rows = list(world.truth(profile, FIRST, ANCHOR, level))
        if level == "keyword":
            with_keywords = {g.id for c in profile.campaigns for g in c.groups if g.keywords}
            ads = [r for r in ads if r["ad_group_id"] in with_keywords]

        # then
        for name in NUMBERS:
            assert sum(r[name] for r in rows) == sum(r[name] for r in ads)


def test_sales_follow_the_documented_mix(world: World) -> None:
    for company in world.companies:
        # when
        days = list(sales(world, company))

        # then
        assert len(days) == 60
        for day in days:
            brought = day["contribution_micros"]
            for profile in company.profiles:
                assert 0 <= brought[profile.id] < profile.traits.channel.effect
            noise = day["sales_micros"] - day["base_micros"] - sum(brought.values())
            assert abs(noise) <= day["base_micros"] * 15 // 1000 + 10_000


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
    assert week_later.world.first_day == FIRST
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
