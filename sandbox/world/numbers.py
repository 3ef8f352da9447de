"""What happened: an ad's numbers per day or hour, as the platform knows them at a given age.

All numbers are integers: impressions, clicks, half conversions, and money in the currency's minor units, so each can be
written on the wire exactly. How they restate as days pass is a trait of the platform (`traits.Restatement`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from sandbox.world.catalog import WorldAd, WorldProfile
from sandbox.world.draw import between, mix, share
from sandbox.world.plan import PlannedDay

MICRO = 1_000_000

WEEK = (1040, 980, 960, 970, 1010, 1130, 1180)
"""Per mille of a normal day, from Monday."""

HOURS = [6, 4, 3, 3, 4, 7, 14, 24, 34, 42, 48, 52, 55, 54, 52, 52, 55, 60, 66, 72, 74, 64, 40, 18]

WINDOWS = {1: 550, 7: 820, 14: 930, 30: 1000}
"""Days after a click → per mille of the clicks' conversions that fall into them. No platform's window is longer."""

VIEW_WINDOWS = {1: 600, 14: 1000}
"""Days after a view without a click → per mille of the views' conversions that fall into them."""

_MOST_ADS = 8192
"""Ads whose draws are kept."""


class Numbers(NamedTuple):
    """`halves`: half conversions after clicks, by window in days; `revenue`: minor units by the same.

    `views` and `view_revenue`: the same after views without a click; no conversion is in both.
    """

    impressions: int
    clicks: int
    spend: int
    halves: dict[int, int]
    revenue: dict[int, int]
    views: dict[int, int]
    view_revenue: dict[int, int]

    @property
    def is_zero(self) -> bool:
        """Whether nothing happened."""
        return not (self.impressions or self.clicks or self.spend or self.halves[30] or self.views[14])

    def conversions(self, window: int, view_window: int = 0) -> int:
        """Half conversions within days after a click or a view (0: views do not count)."""
        return self.halves[window] + (self.views[view_window] if view_window else 0)

    def value(self, window: int, view_window: int = 0) -> int:
        """The revenue of `conversions`, in minor units."""
        return self.revenue[window] + (self.view_revenue[view_window] if view_window else 0)


_NO_VIEWS = dict.fromkeys(VIEW_WINDOWS, 0)
ZERO = Numbers(0, 0, 0, dict.fromkeys(WINDOWS, 0), dict.fromkeys(WINDOWS, 0), _NO_VIEWS, _NO_VIEWS)


def add(rows: list[Numbers]) -> Numbers:
    """The sum, window by window."""
    if len(rows) < 2:
        return rows[0] if rows else ZERO
    impressions, clicks, spend, *by_window = zip(*rows, strict=True)
    return Numbers(sum(impressions), sum(clicks), sum(spend), *map(_summed, by_window))


def _summed(parts: Sequence[dict[int, int]]) -> dict[int, int]:
    return dict(zip(parts[0], map(sum, zip(*map(dict.values, parts), strict=True)), strict=True))


def split(row: Numbers, weights: list[int]) -> list[Numbers]:
    """Split a row by weights into parts that sum to it exactly: a day into hours, an ad group into keywords."""
    impressions, clicks, spend = (share(n, weights) for n in (row.impressions, row.clicks, row.spend))
    conversions = _split_conversions(row.halves, row.revenue, weights)
    views = _split_conversions(row.views, row.view_revenue, weights)
    by_window = map(_by_part, (*conversions, *views))
    return [Numbers(*each) for each in zip(impressions, clicks, spend, *by_window, strict=True)]


def _by_part(parts: _Parts) -> list[dict[int, int]]:
    """By window and part → by part and window. Most parts of a day have no conversions, and share what says so."""
    zero = dict.fromkeys(parts, 0)
    by_part = zip(*parts.values(), strict=True)
    return [dict(zip(parts, each, strict=True)) if any(each) else zero for each in by_part]


_Parts = dict[int, list[int]]


def _split_conversions(halves: dict[int, int], revenue: dict[int, int], weights: list[int]) -> tuple[_Parts, _Parts]:
    """Half conversions by window into parts, each whole but the last; revenue follows them."""
    parts = {w: [h * 2 for h in share(n // 2, weights)] for w, n in halves.items()}
    for w, n in halves.items():
        parts[w][-1] += n % 2
    return parts, {w: share(n, parts[w]) if halves[w] else [0] * len(weights) for w, n in revenue.items()}


def _traffic_per_mille(profile: WorldProfile, ad: WorldAd, day: int, age: int) -> int:
    """How the traffic known at this age relates to the final one."""
    restatement = profile.traits.restatement
    late = restatement.late_one_in and mix(ad.seed, 900_000 + day) % restatement.late_one_in == 0
    corrections = restatement.late_corrections if late else restatement.corrections
    left = sum(1 for correction in corrections if age < correction)
    return 1000 + left * between(ad.seed, 910_000 + day, 1, 9)


FinalDay = tuple[int, int, int, int, int]
"""What `final` says of an ad-day."""


def final(profile: WorldProfile, ad: WorldAd, planned: PlannedDay) -> FinalDay:
    """Settled impressions, clicks, spend (minor units), half conversions, value per conversion (minor units, even).

    All zero on days without delivery.
    """
    day, weekday, usual = planned
    start, end = ad.flight
    running = start <= day <= end and ad.status != "PAUSED"
    salt = day * 16
    if not running or mix(ad.seed, salt) % 23 == 0:
        return 0, 0, 0, 0, 0
    size, click, rate, value = _drawn_once(ad.seed)
    level = WEEK[weekday] * size // 1000
    spend = profile.scale * level * between(ad.seed, salt + 1, 700, 1300) // 1_000_000 * usual.spend // 1000
    price_click = max(1, profile.scale * click // 1000)
    clicks = spend * between(ad.seed, salt + 2, 850, 1150) // 1000 // price_click
    impressions = clicks * between(ad.seed, salt + 3, 35, 90) + between(ad.seed, salt + 4, 20, 400)
    halves = clicks * rate * between(ad.seed, salt + 5, 500, 1500) // 500_000
    impressions, clicks = impressions * usual.impressions // 1000, clicks * usual.clicks // 1000
    if not profile.traits.credits_halves(ad.number):
        halves -= halves % 2
    price = 2 * (profile.scale * value // 1000) + 2 * between(ad.seed, salt + 6, 0, 50)
    return impressions, clicks, spend, halves, price if profile.traits.sells else 0


@lru_cache(_MOST_ADS)
def _drawn_once(seed: int) -> tuple[int, int, int, int]:
    """An ad's own size, price of a click, rate of conversions and value of one."""
    return between(seed, 7, 300, 1900), between(seed, 8, 8, 26), between(seed, 9, 10, 120), between(seed, 10, 250, 700)


def settled(profile: WorldProfile, ad: WorldAd, day: PlannedDay) -> FinalDay:
    """`final`, less the invalid traffic that the platform took back."""
    return _less_credits(profile, ad, day.number, final(profile, ad, day))


def _less_credits(profile: WorldProfile, ad: WorldAd, index: int, whole: FinalDay, seen: int | None = None) -> FinalDay:
    """A day of `final`, less what was taken back of it until the day `seen`, by default until now."""
    impressions, clicks, spend, halves, price = whole
    for first, last, keep, known in ad.credits:
        if first <= index <= last and (seen is None or known <= seen):
            step = _step(profile, ad)
            impressions, clicks, spend = impressions * keep // 1000, clicks * keep // 1000, spend * keep // 1000
            halves = halves * keep // 1000 // step * step
    return impressions, clicks, spend, halves, price


Days = Callable[[int], PlannedDay]
"""A channel's days, by how many days the world had before."""


def of_day(profile: WorldProfile, ad: WorldAd, days: Days, index: int, age: int) -> Numbers:
    """The whole day's numbers as known `age` days after it, conversions on the day of the click or view."""
    planned = days(index)
    impressions, clicks, spend, halves, price = settled(profile, ad, planned)
    if not impressions:
        return ZERO
    traffic = _traffic_per_mille(profile, ad, index, age)
    credited, viewed = _credited(profile, ad, planned, halves, profile.traits.restatement.conversions_known(age))
    return Numbers(
        impressions * traffic // 1000,
        clicks * traffic // 1000,
        spend * traffic // 1000,
        credited,
        {w: n * price // 2 for w, n in credited.items()},
        viewed,
        {w: n * price // 2 for w, n in viewed.items()} if viewed is not _NO_VIEWS else _NO_VIEWS,
    )


def charged(profile: WorldProfile, ad: WorldAd, index: int, whole: FinalDay, seen: int) -> tuple[int, int]:
    """Clicks and spend of a day of `final` as they were known on the day `seen`: who sums months needs no more."""
    impressions, clicks, spend, _, _ = _less_credits(profile, ad, index, whole, seen)
    traffic = _traffic_per_mille(profile, ad, index, seen - index) if impressions else 0
    return clicks * traffic // 1000, spend * traffic // 1000


def _step(profile: WorldProfile, ad: WorldAd) -> int:
    return 1 if profile.traits.credits_halves(ad.number) else 2


def _times(ad: WorldAd, planned: PlannedDay) -> int:
    """How often each of an ad-day's conversions counts: once, or by lot so that the level is met on average.

    An ad has few conversions on a day, so a level that multiplied and rounded them would not be what is listed.
    """
    often, chance = divmod(planned.level.conversions, 1000)
    return often + (1 if chance and mix(ad.seed, 950_000 + planned.number) % 1000 < chance else 0)


_Credited = tuple[dict[int, int], dict[int, int]]


def _credited(profile: WorldProfile, ad: WorldAd, planned: PlannedDay, halves: int, known: int) -> _Credited:
    """Half conversions after clicks and after views, by window, of which `known` per mille are known."""
    step, times = _step(profile, ad), _times(ad, planned)
    credited = {w: halves * per_mille * known // 1_000_000 // step * step * times for w, per_mille in WINDOWS.items()}
    if not profile.view_windows:
        return credited, _NO_VIEWS
    seen = halves * between(ad.seed, 11, 80, 400) * known
    step = 2 if profile.traits.whole_views else step
    viewed = {w: seen * per_mille // 1_000_000_000 // step * step * times for w, per_mille in VIEW_WINDOWS.items()}
    return credited, viewed


def by_conversion_day(profile: WorldProfile, ad: WorldAd, days: Days, index: int, age: int) -> Numbers:
    """The day's traffic, and the conversions that took place on that day, whenever their click or view was.

    Conversions become known on the day they take place, so those of a past day never change. Over all days, both
    clocks have the same sum.
    """
    halves, revenue = dict(ZERO.halves), dict(ZERO.revenue)
    views, view_revenue = dict(_NO_VIEWS), dict(_NO_VIEWS)
    for delay, known, before in profile.traits.restatement.delays:
        if delay > index:
            break
        planned = days(index - delay)
        *_, total, price = settled(profile, ad, planned)
        if not total:
            continue
        late, early = (_credited(profile, ad, planned, total, per_mille) for per_mille in (known, before))
        for sums, values, now, then in zip((halves, views), (revenue, view_revenue), late, early, strict=True):
            for w, n in now.items():
                sums[w] += n - then[w]
                values[w] += (n - then[w]) * price // 2
    traffic = of_day(profile, ad, days, index, age)
    return traffic._replace(halves=halves, revenue=revenue, views=views, view_revenue=view_revenue)


def dust(profile: WorldProfile, ad: WorldAd) -> Decimal:
    """What the wire may write beyond the sixth decimal of an ad-day's spend; rounding to millionths drops it."""
    return Decimal("0.00000031") if profile.dusty and ad.number == 1 else Decimal(0)


def hours_of(row: Numbers, ad: WorldAd, day: int) -> list[Numbers]:
    """The day's 24 local hours, which sum to the day."""
    shift = mix(ad.seed, 920_000 + day) % 3
    return split(row, HOURS[shift:] + HOURS[:shift])
