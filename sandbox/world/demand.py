"""What a company would sell without advertising: trend, week, year, holidays, promotions, hidden demand.

Each is a factor per mille, and all of them are multiplied. A company's markets are the countries of its ad accounts,
each with the share of the base that its people have.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from sandbox.world.catalog import Company
from sandbox.world.draw import between, seed_of, share
from sandbox.world.holidays import holidays, thanksgiving
from sandbox.world.numbers import MICRO, WEEK
from sandbox.world.plan import HISTORY_DAYS
from sandbox.world.regions import people

BASE = 12_000 * MICRO
"""Micros of US dollars that a company would sell on a normal day at the end of the history, without advertising."""
CENT = 10_000
"""Micros."""
_TREND = (700, 1000)
"""Per mille on the first day, and on the first today; the line goes on."""
_YEAR, _HALF_YEAR = 140, 50
"""Per mille by which the year swings, and half the year on top of it."""
_PEAK_DAY = 345
"""Day of the year on which both swings are highest: in the middle of December."""
HOLIDAY = {"US": 180, "GB": 120, "JP": 150, "KR": 150, "DE": -220, "ES": -160}
"""Per mille that a public holiday adds to a country's demand: where shops close, it takes away."""


class Promotion(NamedTuple):
    """A planned sale: its days, and the per mille that it adds to the base."""

    name: str
    first: date
    last: date
    uplift: int


class Demand(NamedTuple):
    """A day's base in micros by country, and the factors per mille that made it."""

    base: dict[str, int]
    factors: dict[str, int]
    holidays: dict[str, str]


def countries(company: Company) -> list[str]:
    """The company's markets, in order."""
    return sorted({profile.country for profile in company.profiles})


@cache
def promotions(seed: int, company: str, year: int) -> tuple[Promotion, ...]:
    """A company's sales of a year: three whose beginning the seed chooses, and the days around Thanksgiving."""
    drawn = seed_of(seed, company, "promotions", year)

    def sale(salt: int, name: str, month: int, days: int, uplift: int) -> Promotion:
        first = date(year, month, between(drawn, salt, 2, 14))
        return Promotion(name, first, first + timedelta(days=days - 1), uplift)

    black_friday = thanksgiving(year) + timedelta(days=1)
    return (
        sale(1, "spring sale", 4, 7, 200),
        sale(2, "summer sale", 7, 10, 250),
        sale(3, "anniversary", 9, 4, 350),
        Promotion("black friday", black_friday - timedelta(days=4), black_friday + timedelta(days=3), 450),
    )


def promoted(seed: int, company: str, first: date, last: date) -> Iterator[Promotion]:
    """The company's sales that have a day from `first` to `last`."""
    for year in range(first.year, last.year + 1):
        yield from (p for p in promotions(seed, company, year) if p.first <= last and first <= p.last)


def trend(index: int) -> int:
    """Per mille of the base on a day, counted from the world's first."""
    return _TREND[0] + (_TREND[1] - _TREND[0]) * index // (HISTORY_DAYS - 1)


def season(day: date) -> int:
    """Per mille of the base at a time of the year."""
    degrees = (day.timetuple().tm_yday - _PEAK_DAY) * 360 // 366
    return 1000 + (_YEAR * _cosine(degrees) + _HALF_YEAR * _cosine(2 * degrees)) // 1000


def _cosine(degrees: int) -> int:
    """Per mille, by Bhaskara's approximation: the same integer on every machine."""
    angle = (degrees + 90) % 360
    half = angle % 180
    sine = 4000 * half * (180 - half) // (40_500 - half * (180 - half))
    return sine if angle < 180 else -sine


def demand(seed: int, company: Company, day: date, index: int, hidden: int) -> Demand:
    """A company's base of a day, whose index counts from the world's first. `hidden`: hidden demand, per mille."""
    sale = next(promoted(seed, company.key, day, day), None)
    factors = {
        "trend": trend(index),
        "week": WEEK[day.weekday()],
        "year": season(day),
        "promotion": 1000 + (sale.uplift if sale else 0),
        "hidden_demand": 1000 + hidden,
    }
    markets = countries(company)
    whole = BASE
    for factor in factors.values():
        whole = whole * factor // 1000
    base, today = {}, {}
    for country, part in zip(markets, share(whole, [people(country) for country in markets]), strict=True):
        holiday = holidays(country, day.year).get(day)
        if holiday:
            today[country] = holiday
            part = part * (1000 + HOLIDAY[country]) // 1000  # noqa: PLW2901 - the part of the country, on this day
        base[country] = part // CENT * CENT
    return Demand(base, factors, today)
