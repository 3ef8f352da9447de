"""Invoices as answers show them: the lines of a bill, and what a month was billed beside what was measured.

Both numbers stand side by side, and none is corrected by the other: a bill is what is paid, the metrics say what was
delivered. They differ by lines that are no spend, by late corrections, and by billing periods that are no months. The
lines that are no spend explain the difference by their kinds; what they leave is unexplained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations, groupby
from typing import Any, NamedTuple

from adweir.model.entities import Profile
from adweir.model.invoices import Invoice, InvoiceLineKind, month_of
from adweir.model.money import MICRO, from_micros, to_units
from adweir.model.times import DAY, Window, first_of_month, is_zone
from adweir.reporting.filters import EVERYTHING, Filters
from adweir.reporting.query import Queries
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.shown import accounts, line_record
from adweir.store.catalog.store import Catalog


def invoice_lines(
    catalog: Catalog, profiles: Iterable[Profile], span: TimeSpan, filters: Filters
) -> Iterator[dict[str, Any]]:
    """The lines of the bills of the months that a range touches, by profile, month and document.

    A line names a campaign at most: a filter by what is below it leaves none.
    """
    for profile in profiles:
        first, last = (month_of(day) for day in span.window(profile.timezone if is_zone(profile.timezone) else "UTC"))
        for invoice in catalog.invoices(profile.platform, profile.profile_id, first, last):
            for line in invoice.lines:
                path = str(profile.platform), profile.profile_id, line.campaign_id
                if filters.bound and not filters.bound.keep_path(path, profile.account_id):
                    continue
                own = {"campaign_id": line.campaign_id}
                if all(own.get(name, "") in values for name, values in filters.of_rows.items()):
                    yield line_record(profile, invoice, line)


_MONTH_CHARS = len("2026-10")


class _BilledPlace(NamedTuple):
    """Whose month."""

    platform: str
    profile_id: str
    month: str


class _MeasuredMonth(NamedTuple):
    """A month's spend by currency, None where it is unknown, and of how many of its days everything was pulled."""

    spend: dict[str, int | None]
    days: int


@dataclass(slots=True)
class _Billed:
    """The documents of a month in one currency, in millionths.

    By kind of line: `kinds` has all amounts before tax, `fixed` those that are on top of the month's spend in any case,
    `open` those that the platform may have taken off its reports as well.
    """

    documents: int = 0
    is_aligned: bool = True
    kinds: Counter[str] = field(default_factory=Counter)
    tax: int = 0
    fixed: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)

    def add(self, invoice: Invoice) -> None:
        """Count a document of the month."""
        self.documents += 1
        self.is_aligned = self.is_aligned and invoice.is_whole_month
        for line in invoice.lines:
            kind = line.kind.value
            self.kinds[kind] += line.amount
            self.tax += line.tax
            if line.tax:
                self.fixed[InvoiceLineKind.TAX.value] += line.tax
            is_of_another_month = line.about_month not in {"", invoice.month}
            if is_of_another_month or line.kind in {InvoiceLineKind.TAX, InvoiceLineKind.FEE}:
                self.fixed[kind] += line.amount
            elif line.kind is not InvoiceLineKind.SPEND:
                self.open[kind] += line.amount

    def corrected(self, amount: int) -> None:
        """A later bill corrects the month by so much."""
        self.open[LATER] -= amount

    def explained(self, rest: int | None) -> dict[str, int]:
        """Why a bill differs from the measured spend: amounts by kind of line. `rest` is the difference, None where the
        spend is not known.

        Taxes, fees and corrections of earlier months are on top of any spend. What a platform gives back of the month
        itself explains a difference only where its reports still show that spend, and nobody knows where they do. So
        of these kinds those are taken that together leave least unexplained.
        """
        given = {kind: amount for kind, amount in self.open.items() if amount}
        if rest is None:
            taken = [kind for kind in given if kind != LATER]
        else:
            left = rest - self.fixed.total()
            choices = [chosen for size in range(len(given) + 1) for chosen in combinations(sorted(given), size)]
            taken = [*min(choices, key=lambda chosen: (abs(left - sum(given[kind] for kind in chosen)), -len(chosen)))]
        found = Counter(self.fixed)
        found.update({kind: given[kind] for kind in taken})  # adds
        return dict(sorted(found.items()))


LATER = "corrected_later"
"""What a later bill gives back of the month: its spend is lower by then, its own bill is not."""
_LATER_MONTHS = 3
NEGLIGIBLE = MICRO // 100
"""So much of a bill need not be explained: lines and days are rounded."""


class MonthlyBills:
    """What the months of some records were billed, all documents of them, and what was measured in them."""

    def __init__(self, catalog: Catalog, queries: Queries) -> None:
        self._catalog = catalog
        self._queries = queries

    def of(self, records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """A summary per ad account, month and currency that the records name. Raises TooLarge, Unavailable."""
        places = sorted({_BilledPlace(each["platform"], each["profile_id"], each["month"]) for each in records})
        profiles = {(str(each.platform), each.profile_id): each for each in self._queries.profiles(EVERYTHING)}
        found: list[dict[str, Any]] = []
        for key, own in groupby(places, key=lambda place: place[:2]):
            if key in profiles:
                found += self.of_profile(profiles[key], [place.month for place in own])
        return found

    def of_profile(self, profile: Profile, months: list[str]) -> Iterator[dict[str, Any]]:
        """The summaries of one ad account's months (`2026-10`, in order), of those with bills. Raises TooLarge,
        Unavailable."""
        billed: dict[tuple[str, str], _Billed] = {}
        last = month_of(first_of_month(date.fromisoformat(f"{months[-1]}-01"), _LATER_MONTHS))
        read = list(self._catalog.invoices(profile.platform, profile.profile_id, months[0], last))
        for invoice in read:
            if invoice.month in months:
                billed.setdefault((invoice.month, invoice.currency), _Billed()).add(invoice)
        for invoice in read:
            for line in invoice.lines:
                corrected = billed.get((line.about_month, invoice.currency))
                if corrected and line.about_month < invoice.month:
                    corrected.corrected(line.amount)
        with_bills = sorted({month for month, _ in billed})
        measured = self._measured(profile, with_bills) if with_bills and is_zone(profile.timezone) else {}
        for (month, currency), sums in sorted(billed.items()):
            yield _summary(profile, month, currency, sums, measured.get(month, _MeasuredMonth({}, 0)))

    def _measured(self, profile: Profile, months: list[str]) -> dict[str, _MeasuredMonth]:
        """The spend of months by currency, and how many of their days were pulled."""
        only = Filters({"platform": frozenset({str(profile.platform)}), "profile_id": frozenset({profile.profile_id})})
        span = TimeSpan(_days(months[0]).start, _days(months[-1]).end)
        answer = self._queries.answer(Query(span, ("month",), only))
        spends: dict[str, dict[str, int | None]] = {}
        for (month, currency), total in answer.groups.items():
            spends.setdefault(month, {})[currency] = total.slot[3]
        days = Counter(
            day["date"][:_MONTH_CHARS] for day in answer.coverage.answer() if day["pulled_at"] and not day["missing"]
        )
        return {month: _MeasuredMonth(spends.get(month, {}), days[month]) for month in months}


def _days(month: str) -> Window:
    first = date.fromisoformat(f"{month}-01")
    return Window(first, first_of_month(first, 1) - DAY)


def _summary(profile: Profile, month: str, currency: str, sums: _Billed, measured: _MeasuredMonth) -> dict[str, Any]:
    amount = sum(sums.kinds.values())
    spend = measured.spend.get(currency)
    if not measured.spend and measured.days:
        spend = 0
    days = _days(month).length
    rest = None if spend is None else amount + sums.tax - spend
    explained = sums.explained(rest)
    unexplained = None if rest is None else rest - sum(explained.values())
    can_judge = sums.is_aligned and measured.days == days and unexplained is not None
    return {
        **accounts(profile),
        "platform": str(profile.platform),
        "profile_id": profile.profile_id,
        "month": month,
        "currency": currency,
        "documents": sums.documents,
        "billed": from_micros(amount),
        "tax": from_micros(sums.tax),
        "total": from_micros(amount + sums.tax),
        "by_kind": {kind: from_micros(of_kind) for kind, of_kind in sorted(sums.kinds.items())},
        "measured": to_units(spend),
        "difference": to_units(None if spend is None else amount - spend),
        "explained": {kind: from_micros(of_kind) for kind, of_kind in explained.items()},
        "unexplained": to_units(unexplained),
        "is_explained": abs(unexplained or 0) <= NEGLIGIBLE if can_judge else None,
        "days": days,
        "days_pulled": measured.days,
        "is_whole_month": sums.is_aligned,
    }
