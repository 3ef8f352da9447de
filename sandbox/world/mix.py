"""What drives the companies' sales: a known media-mix truth against which a model can be judged.

A company's sales per day, in micros of US dollars, are

    base * week * season  +  Σ over channels  effect * saturation(adstock(spend))  +  noise

with adstock a[t] = spend[t] + a[t-1] * carry / 1000 (geometric), saturation s(a) = a / (a + half) (Hill, slope 1), and
effect the most that the channel can bring per day. Channels are the company's ad accounts. Spend is the settled spend
(so sales do not restate), counted from the world's first day with an empty adstock.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from sandbox.world.catalog import Company, WorldProfile
from sandbox.world.draw import between, seed_of
from sandbox.world.numbers import MICRO, WEEK, final
from sandbox.world.world import World

USD_PER_MILLE = {"USD": 1000, "EUR": 1100, "GBP": 1300, "JPY": 7, "KRW": 1}
"""Thousandths of a dollar per unit: fixed, so that the truth needs no market."""


BASE = 12_000 * MICRO
NOISE_PER_MILLE = 15


def spend_usd(world: World, profile: WorldProfile, day: date) -> int:
    """What a profile finally spends on a day, in micros of US dollars."""
    index = (day - world.first_day).days
    minor = sum(final(profile, ad, index, day.weekday())[2] for _, _, ad in profile.delivering())
    return minor * profile.minor_micros * USD_PER_MILLE[profile.currency] // 1000


def sales(world: World, company: Company) -> Iterator[dict[str, Any]]:
    """Each day until the world's today: date, sales_micros, base_micros, and what each profile's spend brought."""
    stock = {profile.id: 0 for profile in company.profiles}
    noise_seed = seed_of(world.seed, company.key, "sales")
    last = world.now.date()
    for index in range((last - world.first_day).days + 1):
        day = world.first_day + timedelta(days=index)
        base = BASE * WEEK[day.weekday()] // 1000 * (1000 + index % 90) // 1000
        brought = {}
        for profile in company.profiles:
            channel = profile.traits.channel
            carried = stock[profile.id] * channel.carry // 1000
            stock[profile.id] = spend_usd(world, profile, day) + carried
            brought[profile.id] = channel.effect * stock[profile.id] // (stock[profile.id] + channel.half)
        noise = base * between(noise_seed, index, -NOISE_PER_MILLE, NOISE_PER_MILLE) // 1000
        yield {
            "date": day.isoformat(),
            "sales_micros": (base + noise + sum(brought.values())) // 10_000 * 10_000,
            "base_micros": base,
            "contribution_micros": brought,
        }
