"""The sandbox's own media mix as a table: a company's sales by day, what its channels spent, and what it knows itself.

The numbers come straight from `sandbox.world`: settled spend in dollars, sales, and what each channel brought. The
company knows when it had which sale and when its countries had holidays; it does not know how much either brought.

`sandbox_world` is a company from the world's first day on: nothing was spent before. `sandbox_window` is what most
tables are: the last year or two of one country, whose channels had run before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from bench.worlds.media import Cadence, Floats, MediaWorld
from sandbox.platforms import companies
from sandbox.world.catalog import Company
from sandbox.world.demand import demand, promoted
from sandbox.world.holidays import between_days
from sandbox.world.mix import AccountChannel, Mix, channels
from sandbox.world.numbers import MICRO
from sandbox.world.plan import HISTORY_DAYS
from sandbox.world.regions import regions
from sandbox.world.world import DRIVER, World

ANCHOR = date(2026, 11, 1)
CADENCE = Cadence("daily", 1, HISTORY_DAYS - 1, (0.015, 0.015))
HIDDEN_STRENGTH = 500
"""Per mille, where a world has hidden demand."""
MARKETS = (("halden", "US"), ("mori", "DE"), ("mori", "JP"))
"""Companies and those of their countries with more than one channel: 16, 12 and 5."""
SEASON_DAYS = 73
"""A fifth of a year."""


def sandbox_world(seed: int, *, hidden: bool = False, periods: int = CADENCE.periods) -> MediaWorld:
    """A company of the sandbox's world of a seed: the first one for even seeds, else the second."""
    world = World(seed, ANCHOR, companies(seed))
    if hidden:
        world.happen({"kind": DRIVER, "per_mille": HIDDEN_STRENGTH})
    company, mix = world.companies[seed % 2], Mix(world)
    first = world.first_day
    days = [first + timedelta(days=n) for n in range(periods)]
    sold = list(mix.sales(company, days[0], days[-1]))
    shown = {_named(one): one for one in channels(company)}
    spent = {name: _dollars([mix.spend_usd(one, day) for day in days]) for name, one in shown.items()}
    known = {**_known(sold), **_sales(world, company, days)}
    return MediaWorld(
        name=f"sandbox{'-hidden' if hidden else ''}-{seed}", kind="sandbox_hidden" if hidden else "sandbox",
        cadence=CADENCE, dates=days, channels=tuple(shown), controls=tuple(known), columns={**spent, **known},
        base=_dollars([day["base_micros"] for day in sold]), noise=_dollars([day["noise_micros"] for day in sold]),
        brought={
            name: _dollars([day["contribution_micros"][one.key] for day in sold]) for name, one in shown.items()
        },
        facts={"company": company.key, "channels": _facts(shown)},
    )  # fmt: skip


def sandbox_window(seed: int, days: int) -> MediaWorld:
    """The last days of one of MARKETS, in the world of a seed: sales of that country, and its channels by product.

    Worlds end at five times of the year in turn, so that tables do not all begin in the same season.
    """
    world = World(seed, ANCHOR + timedelta(days=SEASON_DAYS * (seed % 5)), companies(seed))
    key, country = MARKETS[seed % len(MARKETS)]
    company, mix = next(company for company in world.companies if company.key == key), Mix(world)
    last = world.now.date() - timedelta(days=1)
    dates = [last - timedelta(days=days - 1 - n) for n in range(days)]
    sold = list(mix.sales(company, dates[0], dates[-1]))
    shown = {_named(one): one for one in channels(company) if one.profile.country == country}
    spent = {name: _dollars([mix.spend_usd(one, day) for day in dates]) for name, one in shown.items()}
    brought = {name: _dollars([day["contribution_micros"][one.key] for day in sold]) for name, one in shown.items()}
    codes = {region.code for region in regions(country)}
    kpi = _dollars([sum(micros for code, micros in day["region_micros"].items() if code in codes) for day in sold])
    base = _dollars(
        [demand(world.seed, company, day, (day - world.first_day).days, hidden=0).base[country] for day in dates]
    )
    closed = {day for day, _ in between_days(country, dates[0], dates[-1])}
    known = {"holiday": np.array([float(day in closed) for day in dates]), **_sales(world, company, dates)}
    return MediaWorld(
        name=f"sandbox-{days}-{seed}", kind=f"sandbox_{days}", cadence=replace(CADENCE, periods=days), dates=dates,
        channels=tuple(shown), controls=tuple(known), columns={**spent, **known}, base=base,
        noise=kpi - base - sum(brought.values(), np.zeros(days)), brought=brought,
        facts={"company": company.key, "country": country, "channels": _facts(shown)},
    )  # fmt: skip


def _named(one: AccountChannel) -> str:
    """A column's name, unlike that of the company's other channels: those of one platform differ by country, too."""
    return f"{one.profile.platform}_{one.channel.name}_{one.profile.country}".lower()


def _facts(shown: Mapping[str, AccountChannel]) -> dict[str, dict[str, object]]:
    """The parameters behind each channel."""
    return {
        name: {"carry": one.channel.carry / 1000, "half": one.channel.half / MICRO,
               "effect": one.channel.effect / MICRO, "family": "hill", "slope": 1.0, "peak": 0}
        for name, one in shown.items()
    }  # fmt: skip


def _dollars(micros: list[int]) -> Floats:
    return np.array(micros, dtype=np.float64) / MICRO


def _known(sold: list[dict[str, Any]]) -> dict[str, Floats]:
    """A column per country that had a holiday: 1 on those days."""
    countries = sorted({country for day in sold for country in day["holidays"]})
    return {
        f"holiday_{country.lower()}": np.array([float(country in day["holidays"]) for day in sold])
        for country in countries
    }


def _sales(world: World, company: Company, days: Sequence[date]) -> dict[str, Floats]:
    """A column per kind of sale that the company had: 1 on its days."""
    found: dict[str, Floats] = {}
    for sale in sorted(promoted(world.seed, company.key, days[0], days[-1]), key=lambda sale: sale.name):
        column = found.setdefault(sale.name.replace(" ", "_"), np.zeros(len(days)))
        column[[sale.first <= day <= sale.last for day in days]] = 1.0
    return found
