"""Why the companies sell: a known media-mix truth that a model can be judged by.

A company's sales of a day, in micros of US dollars, are

    base * week * season  +  Σ over channels  effect * saturation(adstock(spend))  +  noise

with adstock a[t] = spend[t] + a[t-1] * carry / 1000 (geometric), saturation s(a) = a / (a + half) (Hill, slope 1), and
effect the most that the channel can bring in a day. Channels are the company's ad accounts; spend is the settled one
(so sales do not restate), counted from the world's first day with an empty adstock.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from sandbox.world.catalog import Company, Profile
from sandbox.world.draw import between, seed_of
from sandbox.world.numbers import MICRO, WEEK, final
from sandbox.world.world import World

USD_PER_MILLE = {"USD": 1000, "EUR": 1100, "JPY": 7}
"""Thousandths of a dollar a unit: fixed, so that the truth needs no market."""


class Channel(NamedTuple):
    """`carry` per mille a day; `half` and `effect` in micros of US dollars a day."""

    carry: int
    half: int
    effect: int


CHANNELS = {
    "meta_ads": Channel(550, 2_500 * MICRO, 9_000 * MICRO),
    "amazon_ads": Channel(250, 1_800 * MICRO, 6_000 * MICRO),
}
BASE = 12_000 * MICRO
NOISE_PER_MILLE = 15


def spend_usd(world: World, profile: Profile, day: date) -> int:
    """A profile's settled spend of a day in micros of US dollars."""
    index = (day - world.first_day).days
    minor = sum(final(profile, ad, index, day.weekday())[2] for _, _, ad in profile.ads())
    return minor * profile.minor_micros * USD_PER_MILLE[profile.currency] // 1000


def sales(world: World, company: Company) -> Iterator[dict[str, Any]]:
    """Day by day to the world's today: date, sales_micros, base_micros, and what each profile's spend brought."""
    stock = {profile.id: 0 for profile in company.profiles}
    noise_seed = seed_of(world.seed, company.key, "sales")
    last = world.now.date()
    for index in range((last - world.first_day).days + 1):
        day = world.first_day + timedelta(days=index)
        base = BASE * WEEK[day.weekday()] // 1000 * (1000 + index % 90) // 1000
        brought = {}
        for profile in company.profiles:
            channel = CHANNELS[profile.platform]
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
