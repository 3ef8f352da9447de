"""Bills compared with what was measured: what no line explains is a finding."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.invoices import month_of
from adweir.model.times import Clock, first_of_month, iso, local_date

if TYPE_CHECKING:
    from adweir.reporting.invoices import MonthlyBills
    from adweir.store.findings import Findings

EXPLAINED, UNEXPLAINED, INCOMPLETE = "explained", "unexplained", "incomplete"


class BillCheck:
    """Looks at the newest bills of ad accounts. Repeated, it finds the same."""

    def __init__(self, findings: Findings, bills: MonthlyBills, clock: Clock) -> None:
        self._findings = findings
        self._bills = bills
        self._clock = clock

    def check(self, profile: Profile) -> None:
        """Store what became of the bills of an ad account's newest months. Raises TooLarge, Unavailable."""
        today = local_date(self._clock.now(), profile.timezone)
        months = [month_of(first_of_month(today, -ago)) for ago in range(limits.MAX_CHECKED_BILL_MONTHS, -1, -1)]
        for bill in self._bills.of_profile(profile, months):
            self._findings.scores.put_bill(profile.key, bill["month"], bill["currency"], self._kept(bill))

    def _kept(self, bill: Mapping[str, Any]) -> dict[str, Any]:
        """A bill as it is kept; numbers as text, exact."""
        state = {True: EXPLAINED, False: UNEXPLAINED, None: INCOMPLETE}[bill["is_explained"]]
        names = ("month", "currency", "documents", "billed", "tax", "total", "measured", "unexplained", "explained")
        kept = {name: _text(bill[name]) for name in (*names, "days", "days_pulled")}
        return kept | {"state": state, "checked_at": iso(self._clock.now())}


def shown_bill(kept: Mapping[str, Any]) -> dict[str, Any]:
    """A kept bill as answers show it: exact numbers."""
    numbers = {name: Decimal(kept[name]) if isinstance(kept[name], str) else kept[name] for name in _MONEY}
    return {**kept, **numbers, "explained": {kind: Decimal(amount) for kind, amount in kept["explained"].items()}}


_MONEY = ("billed", "tax", "total", "measured", "unexplained")


def _text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _text(each) for name, each in value.items()}
    return f"{value:f}" if isinstance(value, Decimal) else value
