"""Mappings in the API: stored, listed, read and forgotten, for one client or for all."""

from __future__ import annotations

from typing import Any

import pytest

from support.api import Call

PATH = "/api/v1/mappings/agency"


def said(unit: str = "ones", **changes: Any) -> dict[str, Any]:
    columns = [{"field": "campaign_id", "names": ["C"]}, {"field": "spend", "names": ["S"], "unit": unit}]
    return {"data_type": "campaign_performance", "columns": columns} | changes


def test_the_client_s_own_mapping_counts_before_the_deployment_s(call: Call, account_id: str) -> None:
    assert call("GET", PATH, expect=404)["error"]["message"] == "there is no mapping of agency"
    everyone = call("PUT", PATH, said("micros"))
    own = call("PUT", PATH, said("percent"), account_id=account_id)

    assert (everyone["origin"], everyone["account_id"]) == ("deployment", None)
    assert (own["origin"], own["account_id"]) == ("account", account_id)
    assert call("GET", PATH, account_id=account_id) == {"source": "agency", "mappings": [own]}
    assert call("GET", PATH, data_type="campaign_performance")["mappings"] == [everyone]
    call("DELETE", PATH, data_type="campaign_performance", account_id=account_id)
    assert call("GET", PATH, account_id=account_id)["mappings"] == [everyone]
    call("DELETE", PATH, data_type="campaign_performance")
    call("DELETE", PATH, data_type="campaign_performance", expect=404)
    call("GET", PATH, expect=404)


def test_what_comes_with_adweir_is_shown_and_may_be_replaced(call: Call) -> None:
    path = "/api/v1/mappings/shopify"
    (found,) = call("GET", path)["mappings"]
    assert (found["origin"], found["data_type"]) == ("built_in", "orders")
    columns = {each["field"]: each for each in found["mapping"]["columns"]}
    assert columns["revenue"] == {
        "field": "revenue",
        "names": ["Total"],
        "required": True,
        "minus": ["Refunded Amount"],
    }

    stored = call("PUT", path, found["mapping"])

    assert stored["mapping"] == found["mapping"]
    assert [each["origin"] for each in call("GET", path)["mappings"]] == ["deployment"]


def test_mappings_are_listed_page_by_page(call: Call, account_id: str) -> None:
    call("PUT", PATH, said())
    call("PUT", PATH, said(), account_id=account_id)
    pages, token = [], ""
    while True:
        page = call("GET", "/api/v1/mappings", account_id=account_id, limit="30", next_token=token)
        pages += page["mappings"]
        token = page["next_token"]
        if not token:
            break

    keys = [(each["source"], each["data_type"]) for each in pages]
    assert keys == sorted(set(keys))
    assert ("shopify", "orders") in keys
    assert {each["origin"] for each in pages if each["source"] == "agency"} == {"account"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (said("bananas"), "columns.1.unit"),
        (said(data_type="campaigne"), "mapping"),
        (said(source="other"), "source"),
        ({}, "data_type"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_place(call: Call, body: dict[str, Any], field: str) -> None:
    answer = call("PUT", PATH, body, expect=422)

    assert field in [fault["field"] for fault in answer["error"]["details"]]


def test_a_source_s_name_and_a_client_have_to_be_known(call: Call) -> None:
    call("PUT", "/api/v1/mappings/My+Tool", said(), expect=422)
    call("PUT", PATH, said(), account_id="acc_unknown", expect=404)
    call("GET", "/api/v1/mappings", account_id="acc_unknown", expect=404)


def test_storing_needs_the_scope_write(call: Call) -> None:
    call("PUT", PATH, said(), scopes="read", expect=403)
    call("DELETE", PATH, scopes="read", data_type="orders", expect=403)
