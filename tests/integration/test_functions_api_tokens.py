"""Page tokens that somebody made: their checksum is no signature, so a position is input like any other."""

from __future__ import annotations

import base64
from types import ModuleType, SimpleNamespace

import pytest

from adweir.store.dynamo import paging
from support.api import an_event, fill
from support.described import Described

POSITIONS = ("²", "x" * 1400, "\x00", "a|b", "a ² 99999999999", "../x 0 99999999999")
RANGE = {"start": "2026-11-01", "end": "2026-11-02"}
BODY = {"data_type": "ads", "filters": {"date_range": RANGE}, "paged": True}
REQUIRED = {
    "list_quality": {"platform": "meta", "profile_id": "111"},
    "list_receipts": {"account_id": "acc"},
}


def test_given_a_token_that_somebody_made_then_no_list_fails(
    api: ModuleType, described: Described, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "_check", lambda *_: bytes(6))
    api.app.catalog.create_account("acc", "Company", "a@example.com")
    fill(api)
    failed, asked = [], 0
    for operation in described.operations:
        names = {parameter["name"] for parameter in operation.spec.get("parameters", ())}
        if "next_token" not in names and operation.id != "retrieve":
            continue
        for position in POSITIONS:
            token = base64.urlsafe_b64encode(bytes(6) + position.encode()).decode().rstrip("=")
            body = BODY | {"next_token": token} if operation.id == "retrieve" else None
            query = {} if body else REQUIRED.get(operation.id, {}) | {"next_token": token}
            event = an_event(operation.method, operation.at(run_id="run_1"), body, **query)
            answer = api.handler(event, SimpleNamespace())
            asked += 1
            if answer["statusCode"] >= 500:
                failed.append((operation.id, position[:20], answer["body"][:100]))

    assert asked > 80
    assert failed == []
