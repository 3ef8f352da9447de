"""What the companies sell: a mix that can be found again, demand by the calendar, regions that sum to their country."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sandbox.platforms
from sandbox.platforms import companies
from sandbox.world import World
from sandbox.world import draw as drawing
from sandbox.world import numbers as counting
from sandbox.world.demand import demand, promotions, season
from sandbox.world.holidays import easter, holidays
from sandbox.world.mix import MEMORY, USD_PER_MILLE, Mix, channels
from sandbox.world.regions import by_region, regions

ANCHOR = date(2026, 11, 21)
DAY = timedelta(days=1)
_FOLDERS = sorted(path.parent.name for path in Path(sandbox.platforms.__file__).parent.glob("*/population.py"))
STAND_INS = tuple(import_module(f"sandbox.platforms.{folder}").STAND_IN for folder in _FOLDERS)


def new_world() -> World:
    return World(7, ANCHOR, companies(7, STAND_INS))


@pytest.fixture(scope="module")
def world() -> World:
    return new_world()


def regressed(rows: list[list[float]], wanted: list[float]) -> list[float]:
    """Ordinary least squares: the coefficients of the columns."""
    width = len(rows[0])
    table = [[sum(r[i] * r[j] for r in rows) for j in range(width)] for i in range(width)]
    right = [sum(r[i] * y for r, y in zip(rows, wanted, strict=True)) for i in range(width)]
    for i in range(width):
        pivot = max(range(i, width), key=lambda row: abs(table[row][i]))
        table[i], table[pivot], right[i], right[pivot] = table[pivot], table[i], right[pivot], right[i]
        for row in range(i + 1, width):
            factor = table[row][i] / table[i][i]
            table[row] = [a - factor * b for a, b in zip(table[row], table[i], strict=True)]
            right[row] -= factor * right[i]
    found = [0.0] * width
    for i in reversed(range(width)):
        found[i] = (right[i] - sum(table[i][j] * found[j] for j in range(i + 1, width))) / table[i][i]
    return found


def test_each_company_has_at_least_five_channels_whose_mix_a_regression_on_stored_spend_finds_again(
    world: World,
) -> None:
    # given
    company = next(one for one in world.companies if one.key == "mori")
    first, days = world.first_day + timedelta(days=400), 140
    spent: dict[tuple[str, str, date], float] = {}
    for profile in company.profiles:
        dollars = USD_PER_MILLE[profile.currency] / 1_000_000_000
        products = {campaign.id: profile.traits.channel_of(campaign.product).name for campaign in profile.campaigns}
        for row in world.truth(profile, first - MEMORY * DAY, first + (days - 1) * DAY, "campaign"):
            key = (profile.id, products[row["campaign_id"]], date.fromisoformat(row["date"]))
            spent[key] = spent.get(key, 0.0) + row["spend_micros"] * dollars
    active = [one for one in channels(company) if any(key[:2] == (one.profile.id, one.channel.name) for key in spent)]

    def saturated(day: date) -> list[float]:
        found = []
        for profile, channel in active:
            carry, half = channel.carry / 1000, channel.half / 1_000_000
            past = ((k, spent.get((profile.id, channel.name, day - k * DAY), 0.0)) for k in range(MEMORY + 1))
            stock = sum(dollars * carry**k for k, dollars in past)
            found.append(stock / (stock + half))
        return found

    # when
    sold = list(Mix(world).sales(company, first, first + (days - 1) * DAY))
    noise_free = [(day["sales_micros"] - day["noise_micros"]) / 1_000_000 for day in sold]
    rows = [[day["base_micros"] / 1_000_000, *saturated(date.fromisoformat(day["date"]))] for day in sold]
    base, *effects = regressed(rows, noise_free)

    # then
    assert all(len({one.channel.name for one in channels(each)}) >= 5 for each in world.companies)
    assert len({one.channel.name for one in active}) >= 5
    assert base == pytest.approx(1, rel=0.001)
    assert effects == pytest.approx([one.channel.effect / 1_000_000 for one in active], rel=0.01)


def test_sales_are_base_noise_and_what_the_channels_bring_and_regions_sum_to_them(world: World) -> None:
    for company in world.companies:
        # when
        days = list(Mix(world).sales(company, ANCHOR - 9 * DAY, ANCHOR))

        # then
        limits = {one.key: one.channel.effect for one in channels(company)}
        codes = {region.code for profile in company.profiles for region in regions(profile.country)}
        assert len(days) == 10
        for day in days:
            brought = day["contribution_micros"]
            assert all(0 <= brought[key] < limit for key, limit in limits.items())
            assert day["sales_micros"] == day["base_micros"] + day["noise_micros"] + sum(brought.values())
            assert abs(day["noise_micros"]) <= day["base_micros"] * 15 // 1000 + 10_000 * len(codes)
            assert set(day["region_micros"]) == codes
            assert sum(day["region_micros"].values()) == day["sales_micros"]
            assert all(micros % 10_000 == 0 for micros in day["region_micros"].values())


@given(st.sampled_from(["US", "GB", "DE", "JP", "KR", "ES", "FR"]), st.integers(0, 10**13))
def test_what_is_split_over_regions_sums_to_the_whole_and_follows_their_people(country: str, total: int) -> None:
    parts = by_region(country, total)
    assert sum(parts.values()) == total
    whole = sum(region.thousands for region in regions(country))
    assert all(abs(parts[r.code] - total * r.thousands // whole) <= 1 for r in regions(country))


def test_demand_has_a_trend_a_week_a_year_holidays_and_promotions(world: World) -> None:
    # given
    company, days = world.companies[0], [date(2025, 1, 1) + n * DAY for n in range(365)]

    # when
    year = {day: demand(world.seed, company, day, (day - world.first_day).days, 0) for day in days}
    factors = {day: found.factors for day, found in year.items()}

    # then
    assert factors[days[0]]["trend"] < factors[days[-1]]["trend"] <= 1000
    assert {f["week"] for f in factors.values()} == {1040, 980, 960, 970, 1010, 1130, 1180}
    assert season(date(2025, 12, 10)) > 1150
    assert season(date(2025, 6, 20)) < 950
    assert factors[date(2025, 11, 28)]["promotion"] == 1450
    for sale in promotions(7, company.key, 2025):
        inside = [factors[sale.first + n * DAY] for n in range((sale.last - sale.first).days + 1)]
        assert {f["promotion"] for f in inside} == {1000 + sale.uplift}
        assert factors[sale.first - DAY]["promotion"] == 1000
    thanksgiving, before = year[date(2025, 11, 27)], year[date(2025, 11, 26)]
    assert thanksgiving.holidays == {"US": "Thanksgiving"}
    assert thanksgiving.base["US"] * 100 // thanksgiving.base["DE"] > before.base["US"] * 117 // before.base["DE"]


@pytest.mark.parametrize(
    ("country", "day", "name"),
    [
        ("GB", date(2024, 3, 29), "Good Friday"),
        ("GB", date(2026, 5, 25), "Spring bank holiday"),
        ("GB", date(2027, 8, 30), "Summer bank holiday"),
        ("DE", date(2026, 5, 14), "Christi Himmelfahrt"),
        ("DE", date(2026, 5, 25), "Pfingstmontag"),
        ("US", date(2024, 11, 28), "Thanksgiving"),
        ("US", date(2026, 5, 25), "Memorial Day"),
        ("US", date(2026, 1, 19), "Martin Luther King Day"),
        ("JP", date(2024, 3, 20), "春分の日"),
        ("JP", date(2024, 9, 22), "秋分の日"),
        ("JP", date(2025, 9, 23), "秋分の日"),
        ("JP", date(2026, 7, 20), "海の日"),
        ("ES", date(2026, 4, 3), "Viernes Santo"),
        ("KR", date(2026, 8, 15), "광복절"),
    ],
)
def test_moving_holidays_fall_on_their_days(country: str, day: date, name: str) -> None:
    assert holidays(country, day.year)[day] == name


def test_easter_and_countries_without_rules() -> None:
    easters = [easter(year) for year in (2019, 2024, 2025, 2026, 2038)]
    assert easters == [date(2019, 4, 21), date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2038, 4, 25)]
    assert holidays("FR", 2026) == {}


def drawn(monkeypatch: pytest.MonkeyPatch, ask: Callable[[], Any]) -> int:
    """How many numbers are drawn while something is asked for the first time in a process."""
    counting._drawn_once.cache_clear()
    count = 0
    real = drawing.mix

    def counted(seed: int, salt: int) -> int:
        nonlocal count
        count += 1
        return real(seed, salt)

    with monkeypatch.context() as patched:
        patched.setattr(drawing, "mix", counted)
        patched.setattr(counting, "mix", counted)
        list(ask())
    return count


def test_a_day_costs_the_same_at_both_ends_of_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    numbers = (MEMORY, 500, 1000)

    # when
    rows, sold = [], []
    for number in numbers:
        world = new_world()
        profile, day = world.profiles[0], world.first_day + timedelta(days=number)
        rows.append(drawn(monkeypatch, partial(world.truth, profile, day, day)))
        sold.append(drawn(monkeypatch, partial(Mix(world).sales, world.companies[0], day, day)))

    # then
    most_of_an_ad = 20
    assert max(rows) < 1.2 * min(rows)
    assert max(rows) < most_of_an_ad * len(new_world().profiles[0].ads())
    assert max(sold) < 1.2 * min(sold)
