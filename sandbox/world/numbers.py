"""What happened: an ad's numbers per day or hour, as the platform knows them at a given age.

All numbers are integers: impressions, clicks, half conversions, and money in the currency's minor units, so each can be
written on the wire exactly. How they restate as days pass is a trait of the platform (`traits.Restatement`).
"""

from __future__ import annotations

from typing import NamedTuple

from sandbox.world.catalog import WorldAd, WorldProfile
from sandbox.world.draw import between, mix, share

MICRO = 1_000_000

WEEK = (1040, 980, 960, 970, 1010, 1130, 1180)
"""Per mille of a normal day, from Monday."""

HOURS = [6, 4, 3, 3, 4, 7, 14, 24, 34, 42, 48, 52, 55, 54, 52, 52, 55, 60, 66, 72, 74, 64, 40, 18]

WINDOWS = {1: 550, 7: 820, 14: 930, 30: 1000}
"""Attribution window in days → per mille of the conversions that fall into it."""


class Numbers(NamedTuple):
    """`halves`: half conversions by attribution window; `revenue`: minor units by the same. The longest is 30 days."""

    impressions: int
    clicks: int
    spend: int
    halves: dict[int, int]
    revenue: dict[int, int]

    @property
    def is_zero(self) -> bool:
        """Whether nothing happened."""
        return not (self.impressions or self.clicks or self.spend or self.halves[30])


ZERO = Numbers(0, 0, 0, dict.fromkeys(WINDOWS, 0), dict.fromkeys(WINDOWS, 0))


def add(rows: list[Numbers]) -> Numbers:
    """The sum, window by window."""
    return Numbers(
        sum(r.impressions for r in rows),
        sum(r.clicks for r in rows),
        sum(r.spend for r in rows),
        {w: sum(r.halves[w] for r in rows) for w in WINDOWS},
        {w: sum(r.revenue[w] for r in rows) for w in WINDOWS},
    )


def split(row: Numbers, weights: list[int]) -> list[Numbers]:
    """Split a row by weights into parts that sum to it exactly: a day into hours, an ad group into keywords."""
    impressions, clicks, spend = (share(n, weights) for n in (row.impressions, row.clicks, row.spend))
    halves = {w: [h * 2 for h in share(n // 2, weights)] for w, n in row.halves.items()}
    for w, n in row.halves.items():
        halves[w][-1] += n % 2
    revenue = {w: share(n, halves[w]) if row.halves[w] else [0] * len(weights) for w, n in row.revenue.items()}
    return [
        Numbers(
            impressions[i], clicks[i], spend[i], {w: halves[w][i] for w in WINDOWS}, {w: revenue[w][i] for w in WINDOWS}
        )
        for i in range(len(weights))
    ]


def _traffic_per_mille(profile: WorldProfile, ad: WorldAd, day: int, age: int) -> int:
    """How the traffic known at this age relates to the final one."""
    restatement = profile.traits.restatement
    late = restatement.late_one_in and mix(ad.seed, 900_000 + day) % restatement.late_one_in == 0
    corrections = restatement.late_corrections if late else restatement.corrections
    left = sum(1 for correction in corrections if age < correction)
    return 1000 + left * between(ad.seed, 910_000 + day, 1, 9)


def final(profile: WorldProfile, ad: WorldAd, day: int, weekday: int) -> tuple[int, int, int, int, int]:
    """Settled impressions, clicks, spend (minor units), half conversions, value per conversion (minor units, even).

    `day` counts from the world's first day. All zero on days without delivery.
    """
    start, end = ad.flight
    running = start <= day <= end and ad.status == "ACTIVE"
    salt = day * 16
    if not running or mix(ad.seed, salt) % 23 == 0:
        return 0, 0, 0, 0, 0
    size = between(ad.seed, 7, 300, 1900)
    level = WEEK[weekday] * size // 1000
    spend = profile.scale * level * between(ad.seed, salt + 1, 700, 1300) // 1_000_000
    price_click = max(1, profile.scale * between(ad.seed, 8, 8, 26) // 1000)
    clicks = spend * between(ad.seed, salt + 2, 850, 1150) // 1000 // price_click
    impressions = clicks * between(ad.seed, salt + 3, 35, 90) + between(ad.seed, salt + 4, 20, 400)
    halves = clicks * between(ad.seed, 9, 10, 120) * between(ad.seed, salt + 5, 500, 1500) // 500_000
    if not profile.traits.credits_halves(ad.number):
        halves -= halves % 2
    price = 2 * (profile.scale * between(ad.seed, 10, 250, 700) // 1000) + 2 * between(ad.seed, salt + 6, 0, 50)
    return impressions, clicks, spend, halves, price


def of_day(profile: WorldProfile, ad: WorldAd, day: int, weekday: int, age: int) -> Numbers:
    """The whole day's numbers as known `age` days after it."""
    impressions, clicks, spend, halves, price = final(profile, ad, day, weekday)
    if not impressions:
        return ZERO
    traffic = _traffic_per_mille(profile, ad, day, age)
    known = profile.traits.restatement.conversions_known(age)
    step = 1 if profile.traits.credits_halves(ad.number) else 2
    credited = {w: halves * per_mille * known // 1_000_000 // step * step for w, per_mille in WINDOWS.items()}
    return Numbers(
        impressions * traffic // 1000,
        clicks * traffic // 1000,
        spend * traffic // 1000,
        credited,
        {w: n * price // 2 for w, n in credited.items()},
    )


def hours_of(row: Numbers, ad: WorldAd, day: int) -> list[Numbers]:
    """The day's 24 local hours, which sum to the day."""
    shift = mix(ad.seed, 920_000 + day) % 3
    return split(row, HOURS[shift:] + HOURS[:shift])
