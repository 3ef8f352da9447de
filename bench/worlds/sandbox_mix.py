"""The sandbox's own media mix as a table: a company's sales by day, what its channels spent, and what it knows itself.

The numbers come straight from `sandbox.world`: settled spend in dollars, sales, and what each channel brought. The
company knows when it had which sale and when its countries had holidays; it does not know how much either brought.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from bench.worlds.media import Cadence, Floats, MediaWorld
from sandbox.platforms import companies
from sandbox.world.demand import promoted
from sandbox.world.mix import AccountChannel, Mix, channels
from sandbox.world.numbers import MICRO
from sandbox.world.plan import HISTORY_DAYS
from sandbox.world.world import DRIVER, World

ANCHOR = date(2026, 11, 1)
CADENCE = Cadence("daily", 1, HISTORY_DAYS - 1, (0.015, 0.015))
HIDDEN_STRENGTH = 500
"""Per mille, where a world has hidden demand."""


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
    known = _known(sold)
    sales = {p.name: p for p in promoted(world.seed, company.key, days[0], days[-1])}
    for name in sorted(sales):
        every = [p for p in promoted(world.seed, company.key, days[0], days[-1]) if p.name == name]
        known[name.replace(" ", "_")] = np.array([float(any(p.first <= day <= p.last for p in every)) for day in days])
    return MediaWorld(
        name=f"sandbox{'-hidden' if hidden else ''}-{seed}", kind="sandbox_hidden" if hidden else "sandbox",
        cadence=CADENCE, dates=days, channels=tuple(shown), controls=tuple(known), columns={**spent, **known},
        base=_dollars([day["base_micros"] for day in sold]), noise=_dollars([day["noise_micros"] for day in sold]),
        brought={
            name: _dollars([day["contribution_micros"][one.key] for day in sold]) for name, one in shown.items()
        },
        facts={"company": company.key, "channels": {
            name: {"carry": one.channel.carry / 1000, "half": one.channel.half / MICRO,
                   "effect": one.channel.effect / MICRO, "family": "hill", "slope": 1.0, "peak": 0}
            for name, one in shown.items()
        }},
    )  # fmt: skip


def _named(one: AccountChannel) -> str:
    """A column's name, unlike that of the company's other channels: those of one platform differ by country, too."""
    return f"{one.profile.platform}_{one.channel.name}_{one.profile.country}".lower()


def _dollars(micros: list[int]) -> Floats:
    return np.array(micros, dtype=np.float64) / MICRO


def _known(sold: list[dict[str, Any]]) -> dict[str, Floats]:
    """A column per country that had a holiday: 1 on those days."""
    countries = sorted({country for day in sold for country in day["holidays"]})
    return {
        f"holiday_{country.lower()}": np.array([float(country in day["holidays"]) for day in sold])
        for country in countries
    }
