"""Orders of a shop with invented people: what the world's campaigns sold, order by order.

Each campaign's conversions of a day are that many orders, whose totals are its revenue; the campaign's name is the
order's utm_campaign. Beside them are orders that brought nothing (voided, pending, cancelled) and refunds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sandbox.exports.base import MICRO, Span, TrueRow
from sandbox.world.draw import between, seed_of, share

_FIRST = ("Ada", "Bram", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jun", "Kaj", "Lea", "Mio", "Noa")
_LAST = ("Quill", "Thole", "Vane", "Muster", "Probe", "Sample", "Beispiel", "Testa", "Ficta", "Placeholder")
_STEP = 7
_OPENED, _DAILY = date(2020, 1, 1), 100_000
"""When the shop opened, and more orders than any day has: each day has numbers of its own."""
_SALES = frozenset({"paid", "partially_refunded", "refunded"})


class Person(NamedTuple):
    """Nobody."""

    first: str
    last: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def email(self) -> str:
        return f"{self.first}.{self.last}@example.com".lower()


@dataclass(frozen=True, slots=True)
class Order:
    """An order. `at`: the moment with its offset. `total` and `refunded`: micros. `items`: its lines."""

    number: int
    at: datetime
    person: Person
    campaign: str
    total: int
    refunded: int
    status: str
    items: int

    @property
    def counts(self) -> bool:
        """Whether it was a sale."""
        return self.status in _SALES

    @property
    def shop_id(self) -> int:
        """The shop's own id of it."""
        return 5_400_000_000_000 + self.number * 32_769


def orders(span: Span) -> list[Order]:
    """The orders of the ad account's campaigns, by time. An order has the same number in exports of any days."""
    made = [order for row in span.campaign_rows() for order in _of_row(span, row)]
    made.sort(key=lambda order: order.at)
    of_day = Counter[date]()
    numbered = []
    for order in made:
        day = order.at.date()
        of_day[day] += 1
        numbered.append(replace(order, number=(day - _OPENED).days * _DAILY + of_day[day]))
    return numbered


def truth(found: Iterable[Order], timezone: str, *, by_campaign: bool = True) -> tuple[TrueRow, ...]:
    """What has to be stored: orders and revenue less refunds per local day, by campaign's name or not."""
    sums: dict[tuple[object, str], list[int]] = {}
    for order in found:
        if order.counts:
            day = order.at.astimezone(ZoneInfo(timezone)).date()
            both = sums.setdefault((day, order.campaign if by_campaign else ""), [0, 0])
            both[0] += MICRO
            both[1] += order.total - order.refunded
    return tuple(
        TrueRow(day, name, conversions=count, revenue=revenue)  # type: ignore[arg-type]  # keys begin with a date
        for (day, name), (count, revenue) in sorted(sums.items(), key=str)
    )


def _of_row(span: Span, row: TrueRow) -> Iterator[Order]:
    count, revenue = (row.conversions or 0) // MICRO, row.revenue or 0
    seed = seed_of(span.world.seed, "orders", row.entity, row.day.isoformat())
    name = span.campaign(row.entity).name
    minor = span.profile.minor_micros
    totals = share(revenue // minor, [between(seed, place, 60, 140) for place in range(count)]) if count else []
    for place, total in enumerate(totals):
        refunded = total * between(seed, 400 + place, 1, 2) // 2 if place % _STEP == _STEP - 1 else 0
        status = "paid" if not refunded else "refunded" if refunded == total else "partially_refunded"
        at, person = _moment(span, row, seed, place), _person(seed, place)
        yield Order(0, at, person, name, total * minor, refunded * minor, status, 1 + (seed + place) % 3)
    for place, status in enumerate(("voided", "pending", "expired")[: between(seed, 999, 0, 3)], 50):
        total = between(seed, 700 + place, 10, 90) * 100 * minor
        yield Order(0, _moment(span, row, seed, place), _person(seed, place), name, total, 0, status, 1)


def _moment(span: Span, row: TrueRow, seed: int, place: int) -> datetime:
    """Some time of the row's local day."""
    zone = ZoneInfo(span.profile.timezone)
    midnight = datetime.combine(row.day, time(), zone).astimezone(UTC)
    return (midnight + timedelta(seconds=between(seed, 100 + place, 1, 79_000))).astimezone(zone)


def _person(seed: int, place: int) -> Person:
    return Person(_FIRST[(seed + place) % len(_FIRST)], _LAST[(seed + 3 * place) % len(_LAST)])
