"""Public holidays by rule, the moving ones too: the days on which a country's demand differs.

Sources: US 5 U.S.C. 6103; England and Wales gov.uk/bank-holidays; Germany the nine that every state has; Japan the
Act on National Holidays; Spain the national ones of the BOE. Easter is the anonymous Gregorian algorithm. Days off in
lieu of a holiday at a weekend are not among them, and neither are Korea's holidays of the lunar calendar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache

MONDAY, THURSDAY = 0, 3
_Rule = Callable[[int], date]


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar."""
    century, rest = divmod(year, 100)
    golden = year % 19
    leap_centuries, century_rest = divmod(century, 4)
    moon = (19 * golden + century - leap_centuries - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    sunday = (32 + 2 * century_rest + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def nth(weekday: int, number: int, month: int, year: int) -> date:
    """The `number`-th such weekday of a month, or the last one for -1."""
    if number == -1:
        end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return end - timedelta(days=(end.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def thanksgiving(year: int) -> date:
    """The fourth Thursday of November."""
    return nth(THURSDAY, 4, 11, year)


def _on(month: int, day: int) -> _Rule:
    return lambda year: date(year, month, day)


def _nth(weekday: int, number: int, month: int) -> _Rule:
    return lambda year: nth(weekday, number, month, year)


def _after_easter(days: int) -> _Rule:
    return lambda year: easter(year) + timedelta(days=days)


def _equinox(month: int, millionths: int) -> _Rule:
    """Japan's equinoxes: the National Astronomical Observatory's approximation for the years 1980 to 2099."""

    def rule(year: int) -> date:
        years = year - 1980
        return date(year, month, (millionths + 242_194 * years) // 1_000_000 - years // 4)

    return rule


_RULES: dict[str, dict[str, _Rule]] = {
    "US": {
        "New Year's Day": _on(1, 1),
        "Martin Luther King Day": _nth(MONDAY, 3, 1),
        "Washington's Birthday": _nth(MONDAY, 3, 2),
        "Memorial Day": _nth(MONDAY, -1, 5),
        "Juneteenth": _on(6, 19),
        "Independence Day": _on(7, 4),
        "Labor Day": _nth(MONDAY, 1, 9),
        "Columbus Day": _nth(MONDAY, 2, 10),
        "Veterans Day": _on(11, 11),
        "Thanksgiving": thanksgiving,
        "Christmas Day": _on(12, 25),
    },
    "GB": {
        "New Year's Day": _on(1, 1),
        "Good Friday": _after_easter(-2),
        "Easter Monday": _after_easter(1),
        "Early May bank holiday": _nth(MONDAY, 1, 5),
        "Spring bank holiday": _nth(MONDAY, -1, 5),
        "Summer bank holiday": _nth(MONDAY, -1, 8),
        "Christmas Day": _on(12, 25),
        "Boxing Day": _on(12, 26),
    },
    "DE": {
        "Neujahr": _on(1, 1),
        "Karfreitag": _after_easter(-2),
        "Ostermontag": _after_easter(1),
        "Tag der Arbeit": _on(5, 1),
        "Christi Himmelfahrt": _after_easter(39),
        "Pfingstmontag": _after_easter(50),
        "Tag der Deutschen Einheit": _on(10, 3),
        "1. Weihnachtstag": _on(12, 25),
        "2. Weihnachtstag": _on(12, 26),
    },
    "JP": {
        "元日": _on(1, 1),
        "成人の日": _nth(MONDAY, 2, 1),
        "建国記念の日": _on(2, 11),
        "天皇誕生日": _on(2, 23),
        "春分の日": _equinox(3, 20_843_100),
        "昭和の日": _on(4, 29),
        "憲法記念日": _on(5, 3),
        "みどりの日": _on(5, 4),
        "こどもの日": _on(5, 5),
        "海の日": _nth(MONDAY, 3, 7),
        "山の日": _on(8, 11),
        "敬老の日": _nth(MONDAY, 3, 9),
        "秋分の日": _equinox(9, 23_248_800),
        "スポーツの日": _nth(MONDAY, 2, 10),
        "文化の日": _on(11, 3),
        "勤労感謝の日": _on(11, 23),
    },
    "KR": {
        "신정": _on(1, 1),
        "삼일절": _on(3, 1),
        "어린이날": _on(5, 5),
        "현충일": _on(6, 6),
        "광복절": _on(8, 15),
        "개천절": _on(10, 3),
        "한글날": _on(10, 9),
        "성탄절": _on(12, 25),
    },
    "ES": {
        "Año Nuevo": _on(1, 1),
        "Epifanía": _on(1, 6),
        "Viernes Santo": _after_easter(-2),
        "Fiesta del Trabajo": _on(5, 1),
        "Asunción": _on(8, 15),
        "Fiesta Nacional": _on(10, 12),
        "Todos los Santos": _on(11, 1),
        "Día de la Constitución": _on(12, 6),
        "Inmaculada Concepción": _on(12, 8),
        "Navidad": _on(12, 25),
    },
}


@cache
def holidays(country: str, year: int) -> dict[date, str]:
    """A country's public holidays of a year by day; empty for a country without rules here."""
    return {rule(year): name for name, rule in sorted(_RULES.get(country, {}).items(), key=lambda one: one[1](year))}


def between_days(country: str, first: date, last: date) -> Iterator[tuple[date, str]]:
    """A country's public holidays from a day to a day."""
    for year in range(first.year, last.year + 1):
        yield from ((day, name) for day, name in holidays(country, year).items() if first <= day <= last)
