"""What ad accounts are billed: invoices and credit memos by month, exact to the currency's smallest unit.

A document keeps what was known when it was issued. A month's invoice charges each campaign its spend. What the platform
takes back of a month that it has billed is a line of the next invoice, or a credit memo issued with it, so that the
lines `spend` and `invalid_traffic` of a month of service sum to its spend as reports show it in the end. The other
kinds of lines (`traits.LineKind`) are what is billed and never reported.

Spend has no fractions of the smallest unit, so nothing is rounded between reports and bills. Rates are rounded half up,
once for the account's month. Tax is rounded once for each document: it need not be the sum of the taxes that anybody
computes line by line, and the difference is less than a unit for every line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache, partial
from typing import Any, NamedTuple

from sandbox.world.catalog import WorldAd, WorldCampaign, WorldProfile
from sandbox.world.months import last_of, month_after
from sandbox.world.numbers import FinalDay, charged, final
from sandbox.world.traits import Billing, LineKind
from sandbox.world.world import World

INVOICE, CREDIT_MEMO = "invoice", "credit_memo"
MONTHS_BILLED = 13
"""An ad account is billed by invoice since so many months before that of the world's first today."""
_MOST_MONTHS = 400
"""Months of ad accounts whose costs are kept."""
_MOST_WHOLE = 16
"""Months of ad accounts that are kept day by day: a month is billed and corrected one after the other, and some ad
accounts are asked for at the same time.
"""
_AdDay = tuple[WorldAd, int, FinalDay]


class BillLine(NamedTuple):
    """`net`: in minor units and before tax; credits are negative. `month`: the first day of the month of service.

    `campaign`: None for what is of the account as a whole. `clicks`: those that a line of spend charges.
    """

    kind: LineKind
    month: date
    net: int
    campaign: WorldCampaign | None = None
    clicks: int = 0


@dataclass(frozen=True)
class Bill:
    """A document. `month`: the month of service that it bills or corrects. `billed_with`: the month whose invoice it
    is, or with whose invoice it comes. `issued`: the day on which it appears. `corrects`: the number of the invoice
    that a credit memo corrects. `tax`: minor units, like the lines.
    """

    profile: WorldProfile
    kind: str
    number: str
    month: date
    billed_with: date
    issued: date
    lines: tuple[BillLine, ...]
    tax: int
    corrects: str = ""

    @property
    def net(self) -> int:
        """Before tax."""
        return sum(line.net for line in self.lines)

    @property
    def total(self) -> int:
        """With tax."""
        return self.net + self.tax

    def of(self, *kinds: LineKind) -> int:
        """What the lines of these kinds sum to, before tax."""
        return sum(line.net for line in self.lines if line.kind in kinds)


class Bills:
    """The bills of a world. Called from many threads."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._costs = lru_cache(maxsize=_MOST_MONTHS)(self._cost)
        self._whole = lru_cache(maxsize=_MOST_WHOLE)(self._whole_month)

    def issued(self, profile: WorldProfile, start: date = date.min, end: date = date.max) -> Iterator[Bill]:
        """The documents that exist now and were issued from `start` to `end`, oldest first."""
        end, month = min(end, self._world.moment(profile).today), self._first_month
        while profile.billing is not None and (day := issue_day(profile.billing, month)) <= end:
            if day >= start:
                yield from self.of_month(profile, month)
            month = month_after(month, 1)

    def of_month(self, profile: WorldProfile, month: date) -> list[Bill]:
        """The month's invoice, and the credit memos that come with it; nothing before it is issued."""
        terms, today = profile.billing, self._world.moment(profile).today
        if terms is None or not self._first_month <= month <= today or today < issue_day(terms, month):
            return []
        own = list(self._own_lines(profile, terms, month))
        late = list(self._late_lines(profile, terms, month))
        own += [line for line in late if line.kind not in terms.memos]
        found = [_bill(profile, INVOICE, month, month, own)]
        for corrected in dict.fromkeys(line.month for line in late if line.kind in terms.memos):
            lines = [line for line in late if line.kind in terms.memos and line.month == corrected]
            found.append(_bill(profile, CREDIT_MEMO, corrected, month, lines))
        return found

    def numbered(self, profile: WorldProfile, number: str) -> Bill | None:
        """The document that has this number, if it exists now."""
        month, today = self._first_month, self._world.moment(profile).today
        while month <= today:
            if number.startswith(invoice_number(profile, month)[:-2]):
                return next((bill for bill in self.of_month(profile, month) if bill.number == number), None)
            month = month_after(month, 1)
        return None

    def unbilled(self, profile: WorldProfile) -> list[tuple[date, int]]:
        """The running month, and those before it that have no invoice yet, with what was spent in each until yesterday;
        newest first.
        """
        today, found = self._world.moment(profile).today, []
        month = today.replace(day=1)
        while profile.billing is not None and issue_day(profile.billing, month) > today:
            found.append((month, self._total(profile, month, today)))
            month = month_after(month, -1)
        return found

    def truth(self, profile: WorldProfile, start: date, end: date) -> Iterator[dict[str, Any]]:
        """The documents issued from `start` to `end`, amounts in micros."""
        unit = profile.minor_micros
        for bill in self.issued(profile, start, end):
            yield {
                "platform": profile.platform,
                "profile_id": profile.id,
                "number": bill.number,
                "kind": bill.kind,
                "month": bill.month.isoformat(),
                "billed_with": bill.billed_with.isoformat(),
                "issued": bill.issued.isoformat(),
                "corrects": bill.corrects,
                "currency": profile.currency,
                "net_micros": bill.net * unit,
                "tax_micros": bill.tax * unit,
                "total_micros": bill.total * unit,
                "lines": [
                    {
                        "kind": str(line.kind),
                        "month": line.month.isoformat(),
                        "campaign_id": line.campaign.id if line.campaign else "",
                        "net_micros": line.net * unit,
                    }
                    for line in bill.lines
                ],
            }

    # -- lines -----------------------------------------------------------------------------------------------------

    @property
    def _first_month(self) -> date:
        return month_after(self._world.anchor, -MONTHS_BILLED)

    def _own_lines(self, profile: WorldProfile, terms: Billing, month: date) -> Iterator[BillLine]:
        """What the month itself brings."""
        for campaign, clicks, spend in self._spent(profile, month, issue_day(terms, month)):
            yield BillLine(LineKind.SPEND, month, spend, campaign, clicks)
        charge, unserved = self._charge(profile, terms, month)
        for kind, net in (
            (LineKind.OVERDELIVERY, unserved),
            (LineKind.PROMOTION, -part(charge, terms.promotion)),
            (LineKind.FEE, part(charge, terms.fee) if month >= terms.fee_since else 0),
        ):
            if net:
                yield BillLine(kind, month, net)

    def _late_lines(self, profile: WorldProfile, terms: Billing, month: date) -> Iterator[BillLine]:
        """What is credited of earlier months, since the month before was billed."""
        before = month_after(month, -1)
        if before < self._first_month:
            return
        then, now = issue_day(terms, before), issue_day(terms, month)
        for earlier in self._changed(profile, before, then, now):
            known, corrected = (self._total(profile, earlier, day) for day in (then, now))
            if corrected != known:
                yield BillLine(LineKind.INVALID, earlier, corrected - known)
        adjusted = part(self._charge(profile, terms, before)[0], terms.correction)
        if adjusted:
            yield BillLine(LineKind.ADJUSTMENT, before, -adjusted)

    def _changed(self, profile: WorldProfile, before: date, then: date, now: date) -> list[date]:
        """The billed months whose spend may have changed between two days: the last, and those of late credits."""
        found, first_day = {before}, self._world.first_day
        for _, _, ad in profile.delivering():
            for credit in ad.credits:
                if then < first_day + timedelta(days=credit.known) <= now:
                    first = first_day + timedelta(days=max(credit.first, 0))
                    month = max(first.replace(day=1), self._first_month)
                    while month <= min(before, first_day + timedelta(days=credit.last)):
                        found.add(month)
                        month = month_after(month, 1)
        return sorted(found)

    def _charge(self, profile: WorldProfile, terms: Billing, month: date) -> tuple[int, int]:
        """What the month's spend is charged, and (negative) what it was served for nothing."""
        served = self._total(profile, month, issue_day(terms, month))
        unserved = -part(served, terms.overdelivery)
        return served + unserved, unserved

    def _total(self, profile: WorldProfile, month: date, seen: date) -> int:
        return sum(spend for _, _, spend in self._spent(profile, month, seen))

    def _spent(self, profile: WorldProfile, month: date, seen: date) -> list[tuple[WorldCampaign, int, int]]:
        """Each campaign's clicks and spend in a month, as they were known on a day, which has none itself yet."""
        return self._costs((self._world.changes, profile.platform, profile.id), month, seen)

    def _cost(self, of: tuple[int, str, str], month: date, seen: date) -> list[tuple[WorldCampaign, int, int]]:
        """The same; `of`: how much had happened, and whose."""
        profile = self._world.profile(of[1], of[2])
        assert profile is not None  # noqa: S101 - an ad account of this world
        first_day, last = self._world.first_day, min(last_of(month), seen - timedelta(days=1))
        end, now = (last - first_day).days, (seen - first_day).days
        found = []
        for campaign, days in self._whole(of, month):
            costs = [charged(profile, ad, index, whole, now) for ad, index, whole in days if index <= end]
            clicks, spend = (sum(cost[at] for cost in costs) for at in (0, 1))
            if spend:
                found.append((campaign, clicks, spend))
        return found

    def _whole_month(self, of: tuple[int, str, str], month: date) -> list[tuple[WorldCampaign, list[_AdDay]]]:
        """What each campaign's ads deliver in the end on each day of the month."""
        profile = self._world.profile(of[1], of[2])
        assert profile is not None  # noqa: S101 - an ad account of this world
        plan, first = self._world.plan(profile), (month - self._world.first_day).days
        window = range(first, first + last_of(month).day)
        found = []
        for campaign in profile.campaigns:
            day_of = partial(plan.day, profile.traits.channel_of(campaign.product).name, campaign_id=campaign.id)
            ads = [ad for group in campaign.groups for ad in (*group.ads, *group.unlisted)]
            found.append((campaign, [(ad, at, final(profile, ad, day_of(at))) for ad in ads for at in window]))
        return found


def issue_day(terms: Billing, month: date) -> date:
    """The day on which the invoice of a month appears."""
    return last_of(month) + timedelta(days=terms.issued_after)


def part(amount: int, per_mille: int) -> int:
    """So many per mille, rounded half up to a whole unit, and as much of a credit."""
    rounded = (abs(amount) * per_mille + 500) // 1000
    return rounded if amount >= 0 else -rounded


def _bill(profile: WorldProfile, kind: str, month: date, billed_with: date, lines: list[BillLine]) -> Bill:
    terms = profile.billing
    assert terms is not None  # noqa: S101 - who has no terms has no bills
    tax = part(sum(line.net for line in lines), terms.tax)
    corrects = invoice_number(profile, month) if kind == CREDIT_MEMO else ""
    number = _number(profile, billed_with, _months_between(month, billed_with))
    return Bill(profile, kind, number, month, billed_with, issue_day(terms, billed_with), tuple(lines), tax, corrects)


def _months_between(month: date, later: date) -> int:
    return (later.year - month.year) * 12 + later.month - month.month


def invoice_number(profile: WorldProfile, month: date) -> str:
    """The number of a month's invoice."""
    return _number(profile, month, 0)


def _number(profile: WorldProfile, month: date, months_before: int) -> str:
    """The number of what a month's documents say of it or of an earlier month."""
    return f"{profile.id[-5:]}{month:%y%m}{months_before + 1:02d}"
