"""What drives the companies' sales: a known media-mix truth against which a model can be judged.

A company's sales per day, in micros of US dollars, are

    base  +  Σ over channels  effect * saturation(adstock(spend))  +  noise

with adstock a[t] = Σ over k from 0 to MEMORY of spend[t-k] * (carry / 1000)**k (geometric, not normalised, every term
rounded down), saturation s(a) = a / (a + half) (Hill, slope 1), and effect the most that the channel can bring per day;
`demand` says what the base is. A channel is a kind of advertising in one ad account (`Traits.channel_of`) and acts in
that account's country. Spend is the settled spend, before credits, so sales do not restate.

Regions of a country respond alike per head: a region with the share w of the people has w of the base, and
effect * w * saturation(adstock(spend * w) with half * w), which is w of the contribution. All parts are whole cents.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sandbox.world.catalog import Company, WorldProfile
from sandbox.world.demand import BASE, CENT, HOLIDAY, countries, demand, promoted
from sandbox.world.draw import between, seed_of
from sandbox.world.holidays import between_days
from sandbox.world.numbers import WEEK, final
from sandbox.world.plan import RECENT_DAYS
from sandbox.world.regions import by_region, regions
from sandbox.world.traits import Channel
from sandbox.world.world import World

USD_PER_MILLE = {"USD": 1000, "EUR": 1100, "GBP": 1300, "JPY": 7, "KRW": 1}
"""Thousandths of a dollar per unit: fixed, so that the truth needs no market."""
NOISE_PER_MILLE = 15
MEMORY = 28
"""Days for which spend is remembered."""
_MOST_SPENDS = 60_000
"""Channel-days whose spend is kept: three years of fifty channels."""


class AccountChannel(NamedTuple):
    """A channel of one ad account."""

    profile: WorldProfile
    channel: Channel

    @property
    def key(self) -> str:
        """`<platform>/<ad account>/<channel>`."""
        return f"{self.profile.platform}/{self.profile.id}/{self.channel.name}"


def channels(company: Company) -> list[AccountChannel]:
    """The company's channels, ad account by ad account."""
    return [
        AccountChannel(profile, channel)
        for profile in company.profiles
        for channel in dict.fromkeys(profile.traits.channel_of(c.product) for c in profile.campaigns)
    ]


class Mix:
    """The media mix of a world's companies. A day costs the same wherever it lies; spends are kept between requests."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._spent = lru_cache(maxsize=_MOST_SPENDS)(self._spend)

    def spend_usd(self, one: AccountChannel, day: date) -> int:
        """What a channel finally spends on a day, in micros of US dollars; nothing before the world's first day."""
        return self._spent(self._world.changes, one.profile, one.channel, (day - self._world.first_day).days)

    def _spend(self, _changes: int, profile: WorldProfile, channel: Channel, index: int) -> int:
        if index < 0:
            return 0
        plan = self._world.plan(profile)
        minor = sum(
            final(profile, ad, plan.day(channel.name, index, campaign.id))[2]
            for campaign, _, ad in profile.delivering()
            if profile.traits.channel_of(campaign.product) == channel
        )
        return minor * profile.minor_micros * USD_PER_MILLE[profile.currency] // 1000

    def adstock(self, one: AccountChannel, day: date) -> int:
        """The spend that still acts on a day, in micros of US dollars."""
        index, changes, spent = (day - self._world.first_day).days, self._world.changes, self._spent
        return sum(
            spent(changes, one.profile, one.channel, index - k) * share // of
            for k, (share, of) in enumerate(_carried(one.channel.carry)[: max(index, -1) + 1])
        )

    def contribution(self, one: AccountChannel, day: date) -> int:
        """What a channel brings on a day."""
        stock = self.adstock(one, day)
        return one.channel.effect * stock // (stock + one.channel.half) // CENT * CENT

    def sales(self, company: Company, start: date, end: date) -> Iterator[dict[str, Any]]:
        """Each day from `start` to `end` that the world has had."""
        end = min(end, self._world.now.date())
        day = max(start, self._world.first_day)
        while day <= end:
            yield self._sold(company, day)
            day += timedelta(days=1)

    def _sold(self, company: Company, day: date) -> dict[str, Any]:
        world, index = self._world, (day - self._world.first_day).days
        hidden = world.hidden(company).swing(index)
        found = demand(world.seed, company, day, index, hidden)
        noise = {
            country: _noise(seed_of(world.seed, company.key, country), index, n) for country, n in found.base.items()
        }
        brought = {one: self.contribution(one, day) for one in channels(company)}
        sold = {country: micros + noise[country] for country, micros in found.base.items()}
        for one, micros in brought.items():
            sold[one.profile.country] += micros
        return {
            "date": day.isoformat(),
            "sales_micros": sum(sold.values()),
            "base_micros": sum(found.base.values()),
            "noise_micros": sum(noise.values()),
            "contribution_micros": {one.key: micros for one, micros in brought.items()},
            "region_micros": {
                code: cents * CENT
                for country, micros in sold.items()
                for code, cents in by_region(country, micros // CENT).items()
            },
            "factors": found.factors,
            "holidays": found.holidays,
        }

    def described(self, company: Company) -> dict[str, Any]:
        """The parameters that make the company's sales."""
        world = self._world
        first, last = world.first_day, world.now.date() + timedelta(days=RECENT_DAYS)
        return {
            "base_micros": BASE,
            "noise_per_mille": NOISE_PER_MILLE,
            "memory_days": MEMORY,
            "week_per_mille": list(WEEK),
            "channels": [
                {
                    "channel": one.key,
                    "platform": one.profile.platform,
                    "profile_id": one.profile.id,
                    "country": one.profile.country,
                    "name": one.channel.name,
                    "carry_per_mille": one.channel.carry,
                    "half_micros": one.channel.half,
                    "effect_micros": one.channel.effect,
                }
                for one in channels(company)
            ],
            "promotions": [
                {"name": p.name, "first": p.first.isoformat(), "last": p.last.isoformat(), "uplift_per_mille": p.uplift}
                for p in promoted(world.seed, company.key, first, last)
            ],
            "holidays": [
                {"country": country, "date": day.isoformat(), "name": name, "uplift_per_mille": HOLIDAY[country]}
                for country in countries(company)
                for day, name in between_days(country, first, last)
            ],
            "regions": [region._asdict() | {"country": c} for c in countries(company) for region in regions(c)],
        }


@cache
def _carried(carry: int) -> tuple[tuple[int, int], ...]:
    """What is left of spend after 0 to MEMORY days, as a fraction."""
    return tuple((carry**k, 1000**k) for k in range(MEMORY + 1))


def _noise(seed: int, index: int, base: int) -> int:
    return base * between(seed, index, -NOISE_PER_MILLE, NOISE_PER_MILLE) // 1000 // CENT * CENT
