"""Amounts in one currency, by the exchange rates that a client's files brought (data type `rates`).

Each stored row is converted by itself, by the rate of its own day (the ad account's), and rounded to millionths, half
to even: so rows add up to totals whatever they are grouped by. The rate of a day is the newest one that is not after it
and at most `REACH` days older; where there is none, the report is refused. A rate of EUR in USD also says that of USD
in EUR. Two rates are multiplied only where the currency between them is named, and then both are of one day.

Rates have no past: a report `as_known_at` a moment takes those of now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.metrics import Slot
from adweir.model.times import DAY, Window

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

REACH = 7
"""Days that a rate may be older than the day it is used for: the longest pause of the banks, and a file a week."""
_RATES = "rates"
_ROUNDING = "each stored row, to millionths, half to even"
_PAD = 2
"""Days of time zones differ by at most so many."""
_AMOUNTS = (3, 4)


@dataclass(frozen=True, slots=True)
class Conversion:
    """The currency that amounts are shown in, whose rates ("": those of the client's only source), and the currency
    that rates may be multiplied through ("": none)."""

    to: str
    source: str = ""
    through: str = ""


class WrittenRate(NamedTuple):
    """A rate as its file has it: one unit of `base` is worth `rate` of `quote`."""

    base: str
    quote: str
    rate: Decimal


class DayRate(NamedTuple):
    """What amounts of a day are multiplied by: `factor` is made of the rates of `date` (ISO)."""

    factor: Fraction
    date: str
    source: str
    rates: tuple[WrittenRate, ...]


_ByDay = dict[str, tuple[Fraction, WrittenRate]]


def parse_conversion(to: str, source: str, through: str) -> Conversion | None:
    """Texts of a request → the conversion; None without a currency. Raises Unprocessable."""
    if not to:
        for name, given in (("rates_source", source), ("rates_through", through)):
            if given:
                _refuse(name, "goes with convert_to")
        return None
    for name, given in (("convert_to", to), ("rates_through", through)):
        if given and not (len(given) == 3 and given.isascii() and given.isalpha()):
            _refuse(name, "is a currency of three letters, as EUR")
    if to.upper() == through.upper():
        _refuse("rates_through", "is another currency than convert_to")
    return Conversion(to.upper(), source.lower(), through.upper())


class Rates:
    """The rates of clients, read when they are needed. `used` and `missing` say which amounts were converted."""

    def __init__(self, catalog: Catalog, asked: Conversion, days: Window) -> None:
        """`days`: those of the range in some time zone."""
        self._catalog = catalog
        self._asked = asked
        first, last = days.start.toordinal() - REACH - _PAD, days.end.toordinal() + _PAD
        self._days = Window(date.fromordinal(max(first, 1)), date.fromordinal(min(last, date.max.toordinal())))
        self._sources: dict[str, str] = {}
        self._tables: dict[tuple[str, str], dict[str, DayRate]] = {}
        self._used: dict[tuple[str, str, str], DayRate | None] = {}
        """Client, currency and day → its rate; None where there is none."""

    @property
    def to(self) -> str:
        """The currency that amounts are shown in."""
        return self._asked.to

    def convert(self, account_id: str, currency: str, day: str, slot: Slot) -> Slot:
        """A row of a day with its amounts converted; unchanged where it has none, or where there is no rate.

        Raises Unprocessable where nobody can tell whose rates are meant, Unavailable.
        """
        if currency == self._asked.to or not any(slot[at] for at in _AMOUNTS):
            return slot
        key = (account_id, currency, day)
        if key not in self._used:
            self._used[key] = self._of(account_id, currency, date.fromisoformat(day))
        rate = self._used[key]
        if rate is None:
            return slot
        impressions, clicks, conversions, spend, revenue = slot
        return (impressions, clicks, conversions, _times(spend, rate.factor), _times(revenue, rate.factor))

    def check(self) -> None:
        """Raises Unprocessable that names the currencies and days without a rate."""
        missing: dict[tuple[str, str], list[str]] = {}
        for (account_id, currency, day), rate in sorted(self._used.items()):
            if rate is None:
                missing.setdefault((account_id, currency), []).append(day)
        if not missing:
            return
        through = self._asked.through
        way = f" through {through}" if through else ""
        faults = [
            f"{account_id}: no rate of {currency or 'an unknown currency'} in {self._asked.to}{way} on"
            f" {', '.join(_spans(days))} or in the {REACH} days before"
            for (account_id, currency), days in missing.items()
        ]
        hint = "" if through else "; where the rates are in a third currency, rates_through names it"
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        shown = faults[: limits.MAX_REQUEST_FAULTS]
        raise Unprocessable(
            f"{faults[0]}{more}{hint}", [{"field": "convert_to", "message": message} for message in shown]
        )

    def records(self) -> list[dict[str, Any]]:
        """The rates that were used, by client, currency and day."""
        return [_record(*key, rate) for key, rate in sorted(self._used.items()) if rate]

    def _of(self, account_id: str, currency: str, day: date) -> DayRate | None:
        """The rate of a day, or the nearest earlier one within reach."""
        table = self._table(account_id, currency)
        before = (date.fromordinal(day.toordinal() - days) for days in range(min(REACH + 1, day.toordinal())))
        return next((table[each.isoformat()] for each in before if each.isoformat() in table), None)

    def _table(self, account_id: str, currency: str) -> dict[str, DayRate]:
        """The rates of a currency by their day."""
        key = (account_id, currency)
        if key not in self._tables:
            source = self._source(account_id)
            self._tables[key] = dict(self._read(partial(self._pair, account_id, source), source, currency))
        return self._tables[key]

    def _read(self, pair: Callable[[str, str], _ByDay], source: str, currency: str) -> Iterator[tuple[str, DayRate]]:
        to, through = self._asked.to, self._asked.through
        if not source or not currency:
            return
        if through and currency != through:
            first, second = pair(currency, through), pair(through, to)
            for day in first.keys() & second.keys():
                (one, a), (other, b) = first[day], second[day]
                yield day, DayRate(one * other, day, source, (a, b))
        for day, (factor, written) in pair(currency, to).items():
            yield day, DayRate(factor, day, source, (written,))

    def _pair(self, account_id: str, source: str, one: str, other: str) -> _ByDay:
        """By day, what one unit is worth in the other currency, as written so or, where it is not, the other way."""
        found: _ByDay = {}
        for base, quote in ((other, one), (one, other)):
            said = {"base": base, "quote": quote}
            for row in self._catalog.reference_days(account_id, _RATES, source, said, self._days):
                written = WrittenRate(base, quote, Decimal(row.cells["rate"]))
                exact = Fraction(written.rate)
                found[row.cells["date"]] = (exact if base == one else 1 / exact, written)
        return found

    def _source(self, account_id: str) -> str:
        """Whose rates a client's amounts are converted by, "" where there are none. Raises Unprocessable."""
        if self._asked.source:
            return self._asked.source
        if account_id not in self._sources:
            known = list(self._catalog.reference_sources(account_id, _RATES))
            if len(known) > 1:
                _refuse("rates_source", f"is needed: {account_id} has rates of {', '.join(known)}")
            self._sources[account_id] = known[0] if known else ""
        return self._sources[account_id]


def said_conversion(asked: Conversion, used: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What an answer says of a conversion whose used rates are these records."""
    rates = list(used)
    left_out = len(rates) - limits.MAX_LISTED_RATES
    return {
        "to": asked.to,
        "through": asked.through or None,
        "rounding": _ROUNDING,
        "max_age_days": REACH,
        "rates": rates[: limits.MAX_LISTED_RATES],
        **({"rates_more": left_out} if left_out > 0 else {}),
    }


def merged_rates(one: Iterable[dict[str, Any]], other: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two lists of used rates as one."""
    found = {(each["client_account_id"], each["currency"], each["date"]): each for each in (*one, *other)}
    return [found[key] for key in sorted(found)]


def read_again(used: Iterable[Mapping[str, Any]]) -> None:
    """Make the rates numbers again after they were kept as JSON, where decimals are texts."""
    for written in (written for each in used for written in each["rates"]):
        written["rate"] = Decimal(written["rate"])


def _record(account_id: str, currency: str, day: str, rate: DayRate) -> dict[str, Any]:
    return {
        "client_account_id": account_id,
        "currency": currency,
        "date": day,
        "source": rate.source,
        "rate_date": rate.date,
        "rates": [written._asdict() for written in rate.rates],
    }


def _times(micros: int | None, factor: Fraction) -> int | None:
    return None if micros is None else round(micros * factor)


def _spans(days: Iterable[str]) -> list[str]:
    """Days (ISO, sorted) as ranges: `2026-11-01..2026-11-07`, `2026-11-09`."""
    found: list[Window] = []
    for day in map(date.fromisoformat, days):
        if found and found[-1].end + DAY == day:
            found[-1] = Window(found[-1].start, day)
        else:
            found.append(Window(day, day))
    shown = [str(each) if each.length > 1 else each.start.isoformat() for each in found[: limits.MAX_WARNINGS]]
    return [*shown, f"{len(found) - len(shown)} more"] if len(found) > len(shown) else shown


def _refuse(field: str, message: str) -> NoReturn:
    raise Unprocessable(f"{field} {message}", [{"field": field, "message": message}])
