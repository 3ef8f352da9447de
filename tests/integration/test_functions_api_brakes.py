"""Brakes through the API: they are listed, released by hand, and what was done is recorded."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.model.entities import Credential
from adweir.model.errors import ThrottleScope
from adweir.model.messages import ResumeTasks
from adweir.model.platforms import Platform
from adweir.store.ledger.brakes import scope_key
from support.api import Call, an_event, sent

META, AMAZON = Platform("meta_ads"), Platform("amazon_ads")
NOW = "2026-11-20T12:00:00.000000Z"


@pytest.fixture
def braked(api: ModuleType, account_id: str) -> Any:
    """An open circuit of a Meta ad account, and pauses of a region of Amazon's and of a listing."""
    for platform in (META, AMAZON):
        api.app.catalog.put_credential(Credential(account_id=account_id, platform=platform, secret_id="s"))
    for _ in range(6):
        api.app.ledger.brakes.failure(META, "111", "503")
    api.app.ledger.brakes.trip(AMAZON, scope_key(ThrottleScope.REGION, "eu"), 300, "429")
    api.app.ledger.brakes.trip(AMAZON, "", 60, "429")
    return api.app.ledger.brakes


def keys(call: Call) -> list[str]:
    return [brake["key"] for brake in call("GET", "/api/v1/brakes")["brakes"]]


def test_brakes_are_listed_page_by_page_with_their_reason_in_words(call: Call, braked: Any) -> None:
    first = call("GET", "/api/v1/brakes", limit="2")
    rest = call("GET", "/api/v1/brakes", limit="2", next_token=first["next_token"])

    found = {brake["key"]: brake for brake in (*first["brakes"], *rest["brakes"])}
    assert rest["next_token"] is None
    assert {key: brake["says"] for key, brake in found.items()} == {
        "amazon_ads:@": "429, next try 12:01 UTC",
        "amazon_ads:region:eu": "429, next try 12:05 UTC",
        "meta_ads:111": "503 six times, next try 12:01 UTC",
    }
    assert (found["meta_ads:111"]["state"], found["meta_ads:111"]["since"]) == ("open", NOW)


@pytest.mark.parametrize(
    ("key", "profile"), [("meta_ads:111", "111"), ("amazon_ads:region:eu", ""), ("amazon_ads:@", "")]
)
def test_a_brake_is_released_and_its_tasks_are_tried_again(
    call: Call, api: ModuleType, braked: Any, key: str, profile: str
) -> None:
    # when a brake is released by hand
    answer = call("DELETE", f"/api/v1/brakes/{key}", reason="the platform says it is mended")
    # then it is off, the tasks are tried again, and the answer and the audit say who did it, and why
    assert key not in keys(call)
    assert sent(api) == [ResumeTasks(platform=key.partition(":")[0], profile=profile)]
    outcome = "released; tasks that waited for it are tried again"
    assert (answer["released"], answer["by"], answer["at"], answer["outcome"]) == (True, "k1", NOW, outcome)
    (deed,) = [deed for deed in call("GET", "/api/v1/audit")["deeds"] if deed["action"] == "release brake"]
    assert (deed["who"], deed["action"], deed["subject"]) == ("k1", "release brake", key)
    assert (deed["reason"], deed["outcome"]) == ("the platform says it is mended", outcome)
    # and again, it was not on: the answer says so
    again = call("DELETE", f"/api/v1/brakes/{key}")
    assert (again["released"], again["outcome"].partition(";")[0]) == (False, "it was not on")


def test_a_released_circuit_counts_faults_anew(call: Call, braked: Any) -> None:
    call("DELETE", "/api/v1/brakes/meta_ads:111")
    braked.failure(META, "111", "503")
    assert braked.check(META, "111") == ("111",)


def test_a_key_that_is_none_is_not_found(call: Call) -> None:
    for key in ("myspace:1", "meta_ads", "meta_ads:"):
        message = call("DELETE", f"/api/v1/brakes/{key}", expect=404)["error"]["message"]
        assert "<platform>:<ad account>" in message


def test_brakes_are_released_by_keys_that_may_write_and_are_closed_to_limited_ones(call: Call, api: ModuleType) -> None:
    call("DELETE", "/api/v1/brakes/meta_ads:111", scopes="read", expect=403)
    assert call("GET", "/api/v1/audit", scopes="read")["deeds"] == []
    event = an_event("GET", "/api/v1/brakes")
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = "acc_1"
    assert api.handler(event, SimpleNamespace())["statusCode"] == 403
