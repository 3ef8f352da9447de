"""Brakes through the API: they are listed, released by hand, and what was done is recorded."""

from __future__ import annotations

import json
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.model.entities import Credential, Profile
from adweir.model.errors import ThrottleScope
from adweir.model.messages import ResumeTasks
from adweir.model.platforms import Platform
from adweir.store.ledger.brakes import scope_key
from support.api import Call, an_event, sent
from support.pipeline import a_run, a_task

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


def test_a_brake_that_is_set_again_while_it_is_released_stays(
    call: Call, api: ModuleType, braked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a worker whose platform asks to wait between the look at the brake and its release."""
    read = type(braked)._fetch

    def meanwhile(brakes: Any, pk: str, sk: str) -> Any:
        row = read(brakes, pk, sk)
        monkeypatch.setattr(type(braked), "_fetch", read)
        braked.trip(META, "111", 600, "429 again")
        return row

    monkeypatch.setattr(type(braked), "_fetch", meanwhile)

    refused = call("DELETE", "/api/v1/brakes/meta_ads:111", expect=409)

    assert "set again at this moment" in refused["error"]["message"]
    assert "meta_ads:111" in keys(call)
    assert call("DELETE", "/api/v1/brakes/meta_ads:111")["released"]


def test_a_released_circuit_counts_faults_anew(call: Call, braked: Any) -> None:
    call("DELETE", "/api/v1/brakes/meta_ads:111")
    braked.failure(META, "111", "503")
    assert braked.check(META, "111") == ("111",)


def test_a_key_that_is_none_is_not_found(call: Call) -> None:
    for key in ("myspace:1", "meta_ads", "meta_ads:"):
        message = call("DELETE", f"/api/v1/brakes/{key}", expect=404)["error"]["message"]
        assert "<platform>:<ad account>" in message


def test_brakes_are_released_by_keys_that_may_write_for_all_accounts(call: Call, api: ModuleType) -> None:
    call("DELETE", "/api/v1/brakes/meta_ads:111", scopes="read", expect=403)
    assert call("GET", "/api/v1/audit", scopes="read")["deeds"] == []
    assert limited(api, "DELETE", "/api/v1/brakes/meta_ads:111")["statusCode"] == 403


def limited(api: ModuleType, method: str, path: str) -> Any:
    """What a key of one client gets."""
    event = an_event(method, path, scopes="write")
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = "acc_own"
    return api.handler(event, SimpleNamespace())


def test_a_limited_key_sees_the_brakes_of_its_accounts_and_no_words_about_others(
    call: Call, api: ModuleType, account_id: str
) -> None:
    # given two clients with an ad account each, in one region, and brakes on both and on the region
    catalog, ledger = api.app.catalog, api.app.ledger
    catalog.create_account("acc_own", "Own", "a@own.example")
    for account, profile_id in (("acc_own", "1"), (account_id, "2")):
        catalog.put_credential(Credential(account_id=account, platform=AMAZON, secret_id="s", route="eu"))
        fields = {"account_id": account, "platform": AMAZON, "profile_id": profile_id, "route": "eu"}
        catalog.put_objects([Profile(**fields, name="n", currency="EUR", timezone="UTC")], NOW)
        ledger.brakes.trip(AMAZON, profile_id, 60, f"429 of {profile_id}")
    ledger.brakes.trip(AMAZON, scope_key(ThrottleScope.REGION, "eu"), 300, "429 of 2")

    found = json.loads(limited(api, "GET", "/api/v1/brakes")["body"])["brakes"]

    assert [(brake["key"], brake["reason"]) for brake in found] == [
        ("amazon_ads:1", "429 of 1"),
        ("amazon_ads:region:eu", "the platform asked to wait"),
    ]
    assert keys(call) == ["amazon_ads:1", "amazon_ads:2", "amazon_ads:region:eu"]


def test_a_brake_says_how_many_tasks_wait_for_it(call: Call, api: ModuleType, braked: Any, account_id: str) -> None:
    # given tasks that wait for the brake of an ad account, one that does not wait, and one of another ad account
    ledger = api.app.ledger
    ledger.create_run(a_run("run-1"))
    names = {"account_id": account_id, "platform": META}
    fields = {**names, "name": "n", "currency": "EUR", "timezone": "UTC"}
    api.app.catalog.put_objects([Profile(profile_id=one, **fields) for one in ("111", "222")], NOW)
    chosen = (("111", "a"), ("111", "b"), ("222", "a"))
    tasks = [a_task(**names, profile_id=one, slice=slice_) for one, slice_ in chosen]
    for task in (*tasks, a_task(**names, profile_id="111", slice="c")):
        ledger.plan(task)
    for task in tasks:
        ledger.note_wait("run-1", task.id, 0, {"code": "throttled", "reason": "503", "until": 0})

    found = {brake["key"]: brake["waiting"] for brake in call("GET", "/api/v1/brakes")["brakes"]}

    assert found == {"amazon_ads:@": 0, "amazon_ads:region:eu": 0, "meta_ads:111": 2}
