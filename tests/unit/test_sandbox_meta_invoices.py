"""Invoices of a business on the sandbox's Meta: the world's bills, how they are asked for, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox.world.bills import Bills
from sandbox.world.traits import LineKind
from support.graph import Client, graph

EVERY = {"start_date": "2025-01-01", "end_date": "2027-01-01"}
DETAILS = "invoice_id,type,billing_period,invoice_date,amount,currency,billed_amount_details,campaigns"


@pytest.fixture(scope="module")
def lumen() -> Iterator[Client]:
    """In pounds, with value-added tax and late adjustments; only read."""
    with graph("lumen", awkward=True) as client:
        yield client


def another(client: Client, key: str) -> Client:
    """Another company's client on the same server."""
    company = client.server.outside.company(key)
    return Client(client.server, company.on("meta_ads")[0], company.credentials["meta_ads"]["access_token"])


def business(client: Client) -> str:
    found: str = client.rows("me/businesses")[0]["id"]
    return found


def invoices(client: Client, **params: Any) -> list[dict[str, Any]]:
    return client.rows(f"{business(client)}/business_invoices", fields=DETAILS, **params)


def micros(text: str) -> int:
    return int(Decimal(text) * 1_000_000)


def test_invoices_and_credit_memos_are_the_world_s_bills(lumen: Client) -> None:
    # given
    billed = Bills(lumen.server.outside.world).truth(lumen.profile, date.min, date.max)
    expected = {
        bill["number"]: (bill["month"], abs(bill["net_micros"]), abs(bill["tax_micros"]), abs(bill["total_micros"]))
        for bill in billed
    }

    # when
    found = [invoice for kind in ("INV", "CM") for invoice in invoices(lumen, type=kind, **EVERY)]

    # then
    details = ("net_amount", "tax_amount", "total_amount")
    assert {
        i["invoice_id"]: (i["billing_period"], *(micros(i["billed_amount_details"][name]) for name in details))
        for i in found
    } == expected
    assert {i["type"] for i in found} == {"INV", "CM"}
    assert all(micros(i["amount"]) == micros(i["billed_amount_details"]["total_amount"]) > 0 for i in found)


def test_a_credit_memo_has_the_period_that_it_corrects_and_a_date_of_its_own(lumen: Client) -> None:
    issued = {"issue_start_date": "2026-11-02", "issue_end_date": "2026-11-03"}
    invoice, memo = invoices(lumen, **issued)
    assert (invoice["type"], invoice["billing_period"]) == ("INV", "2026-10-01")
    assert (memo["type"], memo["billing_period"]) == ("CM", "2026-09-01")
    assert invoice["invoice_date"] == memo["invoice_date"] == "2026-11-02T00:00:00+0000"
    assert "campaigns" not in memo


@pytest.mark.parametrize(("month", "fee"), [("2026-06-01", False), ("2026-07-01", True)])
def test_location_fees_are_billed_since_july_2026_and_are_no_campaign_s(lumen: Client, month: str, fee: bool) -> None:
    (invoice,) = (i for i in invoices(lumen, type="INV", **EVERY) if i["billing_period"] == month)
    campaigns = [row["billed_amount_details"] for row in invoice["campaigns"]["data"]]
    charged = sum(micros(row["net_amount"]) for row in campaigns)
    expected = charged * 2 // 100 if fee else 0
    assert micros(invoice["billed_amount_details"]["net_amount"]) - charged == pytest.approx(expected, abs=5_000)
    for row in campaigns:
        assert micros(row["total_amount"]) == micros(row["net_amount"]) + micros(row["tax_amount"])


def test_a_promotional_credit_is_in_the_invoice_alone() -> None:
    with graph() as halden:
        (invoice,) = invoices(halden, type="INV", start_date="2026-09-30", end_date="2026-10-02")
        charged = sum(micros(row["billed_amount_details"]["net_amount"]) for row in invoice["campaigns"]["data"])
        (bill, *_) = Bills(halden.server.outside.world).of_month(halden.profile, date(2026, 10, 1))
    assert charged - micros(invoice["amount"]) == -bill.of(LineKind.PROMOTION) * 10_000 > 0
    assert micros(invoice["billed_amount_details"]["tax_amount"]) == 0


def test_each_invoice_had_a_pro_forma_one(lumen: Client) -> None:
    both = invoices(lumen, start_date="2026-09-30", end_date="2026-10-02")
    assert sorted(i["type"] for i in both) == ["INV", "PRO_FORMA"]
    assert len({i["amount"] for i in both}) == 1
    assert len({i["invoice_id"] for i in both}) == 2


@pytest.mark.parametrize(
    ("params", "periods"),
    [
        ({"start_date": "2026-08-01", "end_date": "2026-10-01"}, ["2026-09-01"]),
        ({"start_date": "2026-07-31", "end_date": "2026-10-02"}, ["2026-10-01", "2026-09-01", "2026-08-01"]),
        ({}, ["2026-10-01", "2026-09-01", "2026-08-01", "2026-07-01", "2026-06-01"]),
        ({"issue_start_date": "2026-10-02", "issue_end_date": "2026-11-02"}, ["2026-09-01"]),
        ({"issue_end_date": "2026-07-02", "start_date": "2026-09-01"}, ["2026-10-01"]),
    ],
)
def test_billing_periods_lie_between_two_dates_and_issue_dates_begin_with_one(
    lumen: Client, params: dict[str, str], periods: list[str]
) -> None:
    assert [i["billing_period"] for i in invoices(lumen, type="INV", **params)] == periods


def test_one_invoice_can_be_read_by_its_number_its_id_and_as_a_node(lumen: Client) -> None:
    # given
    (invoice,) = invoices(lumen, type="INV", start_date="2026-09-30", end_date="2026-10-02")

    # then: no other filter counts
    assert invoices(lumen, invoice_id=invoice["invoice_id"], type="CM") == [invoice]
    assert invoices(lumen, root_id=invoice["id"], start_date="2020-01-01", end_date="2020-02-01") == [invoice]
    assert lumen.read(invoice["id"], fields=DETAILS) == invoice
    assert lumen.rows(f"{invoice['id']}/campaigns") == invoice["campaigns"]["data"]
    (short, *_) = lumen.rows(f"{invoice['id']}/campaigns", fields="campaign_id")
    assert list(short) == ["campaign_id"]


def test_fields_have_defaults_and_may_be_asked_for_with_the_business(lumen: Client) -> None:
    asked = f"{business(lumen)}/business_invoices"
    (plain,) = lumen.rows(asked, type="INV", start_date="2026-09-30", end_date="2026-10-02")
    nested = lumen.read(business(lumen), fields="name,business_invoices.type(INV).limit(1){invoice_id}")
    assert set(plain) == {"id", "billing_period"}
    assert nested["business_invoices"]["data"][0]["id"] == plain["id"]
    counted = lumen.read(asked, summary="true", limit="2", **EVERY)
    assert (len(counted["data"]), counted["summary"]["total_count"] > 2) == (2, True)
    assert "next" in counted["paging"]


def test_a_business_without_monthly_invoicing_has_no_invoices(lumen: Client) -> None:
    assert invoices(another(lumen, "mori"), **EVERY) == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"type": "INVOICE"}, "(#100) type must be one of the following values: CM, DM, INV, PRO_FORMA"),
        ({"start_date": "2026-10"}, "(#100) '2026-10' is not a valid date; use YYYY-MM-DD"),
        ({"fields": "lines"}, "(#100) Tried accessing nonexisting field (lines) on node type (OmegaCustomerTrx)"),
    ],
)
def test_a_question_that_is_wrong_is_refused(lumen: Client, params: dict[str, str], message: str) -> None:
    error = lumen.refused(f"{business(lumen)}/business_invoices", **params)
    assert (error["code"], error["message"]) == (100, message)


def test_invoices_need_a_finance_role_in_one_s_own_business(lumen: Client) -> None:
    kestrel, mori = another(lumen, "kestrel"), another(lumen, "mori")
    (newest, *_) = invoices(lumen)
    assert kestrel.refused(f"{business(kestrel)}/business_invoices")["code"] == 200
    assert mori.refused(f"{business(lumen)}/business_invoices")["code"] == 200
    assert mori.refused(newest["id"])["code"] == 200
    assert lumen.refused("777000000/business_invoices")["error_subcode"] == 33
    assert lumen.refused(f"{business(lumen)}/campaigns")["code"] == 100


def test_a_switch_counts_each_request_for_invoices_once() -> None:
    with graph() as halden:
        owner = business(halden)
        switch = {"kind": "throttle", "platform": "meta_ads", "profile_id": halden.profile.id, "times": 1}
        halden.server.outside.switches.turn_on(switch)
        answers = [halden.ask(f"{owner}/business_invoices").status_code for _ in range(2)]
    assert answers == [400, 200]
