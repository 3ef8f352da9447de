"""Lift tests through the API: listed as they were handed over, and removed."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from adweir.model.deeds import Wanted
from adweir.model.platforms import Platform
from adweir.store.catalog.references import ReferenceRow
from support.api import Call, an_event

OWN, RIVAL = "acc_own", "acc_rival"
PATH = f"/api/v1/accounts/{OWN}/lift-tests"
T1 = "2026-11-01T00:00:00.000000Z"
GEO = {
    "test_id": "geo-1",
    "start_date": "2026-09-01",
    "end_date": "2026-09-28",
    "platform": "meta_ads",
    "incremental_conversions": "120.50000000000000001",
    "incremental_conversions_lower": "80",
    "incremental_conversions_upper": "161",
    "confidence": "0.9",
    "spend": "5000",
    "currency": "EUR",
}


def row(source: str = "lab", **cells: str) -> ReferenceRow:
    said = GEO | cells
    return ReferenceRow(Platform(source), f"test_id={said['test_id']}", said)


@pytest.fixture
def world(api: ModuleType) -> ModuleType:
    api.app.catalog.create_account(OWN, "Own Company", "a@own.example")
    api.app.catalog.create_account(RIVAL, "Rival Company", "a@rival.example")
    api.app.catalog.put_references(OWN, "lift_tests", [row(), row(test_id="geo-2")], T1)
    api.app.catalog.put_references(RIVAL, "lift_tests", [row(test_id="theirs")], T1)
    return api


def ids(call: Call) -> list[Any]:
    return [(each["source"], each["test_id"]) for each in call("GET", PATH)["lift_tests"]]


def test_lift_tests_are_listed_with_all_their_digits(world: ModuleType, call: Call) -> None:
    assert ids(call) == [("lab", "geo-1"), ("lab", "geo-2")]
    body = world.handler(an_event("GET", PATH), None)["body"]
    assert '"incremental_conversions":120.50000000000000001' in body
    assert '"channel":null' in body


def test_a_removed_lift_test_is_gone_until_it_is_handed_over_anew(world: ModuleType, call: Call) -> None:
    gone = call("DELETE", f"{PATH}/geo-1")
    assert gone == {"account_id": OWN, "test_id": "geo-1", "source": "lab", "status": "removed"}
    assert "lists them" in call("DELETE", f"{PATH}/geo-1", expect=404)["error"]["message"]
    world.app.catalog.put_references(OWN, "lift_tests", [row()], T1)  # the file is loaded again
    assert ids(call) == [("lab", "geo-2")]
    world.app.catalog.put_references(OWN, "lift_tests", [row()], "2027-01-01T00:00:00.000000Z")
    assert ids(call) == [("lab", "geo-1"), ("lab", "geo-2")]


def test_of_two_sources_the_caller_says_which(world: ModuleType, call: Call) -> None:
    world.app.catalog.put_references(OWN, "lift_tests", [row("agency")], T1)
    refused = call("DELETE", f"{PATH}/geo-1", expect=422)["error"]
    assert "agency, lab" in refused["message"]
    call("DELETE", f"{PATH}/geo-1", source="agency")
    assert ids(call) == [("lab", "geo-1"), ("lab", "geo-2")]


def test_who_removed_it_is_in_the_audit(world: ModuleType, call: Call) -> None:
    call("DELETE", f"{PATH}/geo-2")
    found = world.app.ledger.audit.page(10, "", Wanted())[0]
    assert [(each.action, each.subject, each.account_id) for each in found] == [("remove lift test", "geo-2", OWN)]


def test_a_limited_key_has_those_of_its_clients(world: ModuleType) -> None:
    def asked(method: str, path: str) -> int:
        event = an_event(method, path)
        event["requestContext"]["authorizer"]["lambda"]["accounts"] = OWN
        return int(world.handler(event, None)["statusCode"])

    theirs = f"/api/v1/accounts/{RIVAL}/lift-tests"
    assert [asked("GET", PATH), asked("GET", theirs), asked("DELETE", f"{theirs}/theirs")] == [200, 404, 404]
    assert [each.key for each in world.app.catalog.references(RIVAL, "lift_tests")] == ["test_id=theirs"]
    assert asked("DELETE", f"{PATH}/geo-1") == 200
