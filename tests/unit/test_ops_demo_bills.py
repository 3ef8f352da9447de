"""The demonstration compares invoices with what the platforms billed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from ops.client import Api
from ops.demo.bills import wrong_bills
from ops.demo.verdict import Verdict
from ops.demo.world import WorldDoors

CONNECTED = [{"platform": "google_ads", "profile_id": "g1"}, {"platform": "tiktok_ads", "profile_id": "t1"}]


def bill(number: str, month: str = "2026-10-01", **changes: Any) -> dict[str, Any]:
    made = {"platform": "google_ads", "profile_id": "g1", "number": number, "month": month, "billed_with": month}
    return {**made, "issued": f"{month[:7]}-28", "net_micros": 9_500_001, "tax_micros": 1_900_000, **changes}


def line(number: str, amount: float, tax: float = 0, month: str = "2026-10") -> dict[str, Any]:
    return {"platform": "google_ads", "invoice_id": number, "month": month, "amount": amount, "tax": tax}


class BillsApi(Api):
    """Answers lines from a list."""

    def __init__(self, *lines: dict[str, Any]) -> None:
        super().__init__("http://127.0.0.1", "key")
        self.lines = lines

    def records(self, data_type: str, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        assert (data_type, filters["date_range"]["end"]) == ("invoices", "2026-11-20")
        return (line for line in self.lines if line["month"] >= filters["date_range"]["start"][:7])


class BillsWorld(WorldDoors):
    """Answers bills from a list, on 20 November."""

    def __init__(self, *bills: dict[str, Any]) -> None:
        super().__init__("http://127.0.0.1")
        self.bills = bills

    def get(self, door: str, **params: str) -> Any:
        issued = (bill for bill in self.bills if bill["issued"] >= params["start"])
        return {door: [bill for bill in issued if bill["platform"] == params["platform"]]}

    def day(self, ago: int) -> date:
        return date(2026, 11, 20 - ago)


def test_given_the_lines_of_a_bill_when_compared_then_they_add_up_to_it() -> None:
    api = BillsApi(line("1", 10.000001), line("1", -0.5, 1.9))
    assert (
        wrong_bills(
            api,
            BillsWorld(bill("1"), bill("9", profile_id="g2"), bill("7", platform="tiktok_ads", profile_id="t1")),
            CONNECTED,
        )
        == []
    )


def test_given_other_amounts_taxes_or_months_when_compared_then_each_is_named() -> None:
    api = BillsApi(line("1", 9.5, 1.9), line("2", 9.500001, 1.8), line("3", 9.500001, 1.9, "2026-09"))
    found = wrong_bills(api, BillsWorld(bill("1"), bill("2"), bill("3")), CONNECTED)
    assert [text.partition(":")[0] for text in found] == ["google_ads 1", "google_ads 2", "google_ads 3"]


def test_given_a_bill_too_few_or_too_many_when_compared_then_it_is_named_unless_it_is_old() -> None:
    api, world = BillsApi(line("8", 1)), BillsWorld(bill("1"), bill("2", "2026-08-01"))
    missing, unknown = wrong_bills(api, world, CONNECTED)
    assert missing.startswith("google_ads 1: stored nothing")
    assert unknown.endswith("never billed")
    verdict = Verdict([], 1.0, bills=[missing])
    assert (verdict.right, verdict.text) == (False, "Every number is right, but not every invoice: 1 differ.")
    assert verdict.wrong_lines == [missing]


def test_given_months_before_the_oldest_when_compared_then_neither_side_is_asked_for_them() -> None:
    api = BillsApi(line("5", 9.500001, 1.9, "2026-07"), line("4", 1, 0, "2026-06"), line("6", 1, 0, "2026-07"))
    found = wrong_bills(api, BillsWorld(bill("5", "2026-07-01"), bill("4", "2026-06-01")), CONNECTED)
    assert [text.partition(":")[0] for text in found] == ["google_ads 6"]
