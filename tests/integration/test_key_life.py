"""An API key at the gateway, which remembers for 60 seconds what `authorize` said: rotated, ended, revoked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.errors import Conflict, Unavailable
from adweir.model.times import iso
from adweir.store.catalog.store import Catalog
from support.api import Call, an_event
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.functions import loaded

REMEMBERED_SECONDS = 60
"""AuthorizerResultTtlInSeconds of template.yaml (test_template_access.py)."""


class Gateway:
    """Asks `authorize` about a value at most once in 60 seconds, then the API with what it said."""

    def __init__(self, authorize: ModuleType, api: ModuleType, clock: FrozenClock) -> None:
        self._authorize, self._api, self._clock = authorize, api, clock
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}
        self.asked = 0

    def ask(self, value: str, path: str = "/api/v1/accounts") -> int:
        """The status of the answer to a GET with this value of a key."""
        asked_at, said = self._known.get(value, (0.0, {}))
        if not said or self._clock.monotonic() - asked_at >= REMEMBERED_SECONDS:
            self.asked += 1
            said = self._authorize.handler({"headers": {"authorization": f"Bearer {value}"}}, SimpleNamespace())
            self._known[value] = self._clock.monotonic(), said
        if not said["isAuthorized"]:
            return 403
        event = an_event("GET", path)
        event["requestContext"]["authorizer"]["lambda"] = said["context"]
        return int(self._api.handler(event, SimpleNamespace())["statusCode"])


@pytest.fixture
def gateway(
    api: ModuleType, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
) -> Iterator[Gateway]:
    with loaded("authorize", {"CATALOG_TABLE": environment["CATALOG_TABLE"]}, monkeypatch) as module:
        module.app.clock = clock
        yield Gateway(module, api, clock)


@pytest.fixture
def key(call: Call) -> Any:
    return call("POST", "/api/v1/keys", {"name": "dashboard", "scopes": ["read"]}, expect=201)


def test_both_values_work_during_the_overlap_and_then_only_the_new_one(
    gateway: Gateway, call: Call, key: Any, clock: FrozenClock
) -> None:
    assert gateway.ask(key["key"]) == 200

    new = call("POST", f"/api/v1/keys/{key['key_id']}/rotate", {"overlap_hours": 2})

    assert {name: new[name] for name in ("key_id", "name", "scopes", "status", "rotated_at", "previous_ends_at")} == {
        "key_id": key["key_id"], "name": "dashboard", "scopes": ["read"], "status": "active",
        "rotated_at": iso(clock.now()), "previous_ends_at": iso(clock.now() + timedelta(hours=2)),
    }  # fmt: skip
    clock.advance(7199)
    assert (gateway.ask(key["key"]), gateway.ask(new["key"])) == (200, 200)
    clock.advance(1)  # the gateway would still let it in
    assert (gateway.ask(key["key"]), gateway.ask(new["key"])) == (403, 200)
    clock.advance(REMEMBERED_SECONDS)
    assert (gateway.ask(key["key"]), gateway.ask(new["key"])) == (403, 200)
    (listed,) = call("GET", "/api/v1/keys")["keys"]
    assert (listed["previous_ends_at"], listed["previous_last_used_at"]) == (None, None)
    assert new["key"] not in json.dumps(listed)


def test_who_rotates_a_key_sees_whether_the_value_before_is_still_sent(
    gateway: Gateway, call: Call, key: Any, clock: FrozenClock
) -> None:
    path = f"/api/v1/keys/{key['key_id']}/rotate"
    new = call("POST", path)
    assert (new["previous_ends_at"], new["last_used_at"]) == (iso(clock.now() + timedelta(days=1)), None)

    gateway.ask(new["key"])
    clock.advance(60)
    gateway.ask(key["key"])

    (listed,) = call("GET", "/api/v1/keys")["keys"]
    assert (listed["last_used_at"], listed["previous_last_used_at"]) == (iso(clock.now()), iso(clock.now()))
    clock.advance(1)
    assert call("POST", path)["previous_last_used_at"] is None  # that was of a value that does not work any more


@pytest.mark.parametrize(("overlap", "statuses"), [(0, [403, 403, 200]), (1, [403, 200, 200])])
def test_a_second_rotation_ends_the_first_value_at_once(
    gateway: Gateway, call: Call, key: Any, overlap: int, statuses: list[int]
) -> None:
    path = f"/api/v1/keys/{key['key_id']}/rotate"
    second = call("POST", path, {"overlap_hours": 24})["key"]
    third = call("POST", path, {"overlap_hours": overlap})["key"]

    assert [gateway.ask(value) for value in (key["key"], second, third)] == statuses


def test_the_gateway_lets_a_leaked_value_in_for_a_minute_at_most(
    gateway: Gateway, call: Call, key: Any, clock: FrozenClock
) -> None:
    gateway.ask(key["key"])
    call("POST", f"/api/v1/keys/{key['key_id']}/rotate", {"overlap_hours": 0})
    clock.advance(REMEMBERED_SECONDS)
    assert gateway.ask(key["key"]) == 403


def test_a_key_ends_on_time_although_the_gateway_remembers_it(gateway: Gateway, call: Call, clock: FrozenClock) -> None:
    end = clock.now() + timedelta(seconds=90)
    body = {"name": "k", "scopes": ["read"], "expires_at": end.isoformat()}
    value = call("POST", "/api/v1/keys", body, expect=201)["key"]
    clock.advance(80)
    assert gateway.ask(value) == 200
    clock.advance(9)
    assert (gateway.ask(value), gateway.asked) == (200, 1)
    clock.advance(1)
    assert (gateway.ask(value), gateway.asked) == (403, 1)
    clock.advance(REMEMBERED_SECONDS)
    assert (gateway.ask(value), gateway.asked) == (403, 2)


def test_the_value_before_does_not_outlive_the_end_that_the_key_had(
    call: Call, key: Any, clock: FrozenClock, api: ModuleType
) -> None:
    end = clock.now() + timedelta(hours=1)
    body = {"name": "k", "scopes": ["read"], "expires_at": end.isoformat()}
    made = call("POST", "/api/v1/keys", body, expect=201)
    later = clock.now() + timedelta(days=90)

    new = call("POST", f"/api/v1/keys/{made['key_id']}/rotate", {"expires_at": later.isoformat()})

    assert (new["previous_ends_at"], new["expires_at"]) == (iso(end), iso(later))
    clock.advance(3600)
    assert api.app.catalog.find_key(made["key"]) is None
    assert api.app.catalog.find_key(new["key"]).ends_at == iso(later)


def test_the_value_before_does_not_outlive_the_end_that_the_key_gets(
    call: Call, key: Any, clock: FrozenClock, api: ModuleType
) -> None:
    end = clock.now() + timedelta(hours=1)
    path = f"/api/v1/keys/{key['key_id']}/rotate"

    new = call("POST", path, {"overlap_hours": 48, "expires_at": end.isoformat()})

    assert (new["previous_ends_at"], new["expires_at"]) == (iso(end), iso(end))
    clock.advance(3600)
    assert api.app.catalog.find_key(key["key"]) is None


def test_an_ended_key_is_rotated_with_a_new_end_only(call: Call, clock: FrozenClock, api: ModuleType) -> None:
    end = clock.now() + timedelta(hours=1)
    body = {"name": "k", "scopes": ["read"], "expires_at": end.isoformat()}
    made = call("POST", "/api/v1/keys", body, expect=201)
    path = f"/api/v1/keys/{made['key_id']}/rotate"
    clock.advance(3600)

    refused = call("POST", path, expect=409)["error"]
    assert refused["message"].endswith("give it a new end with expires_at")
    call("POST", path, {"expires_at": clock.now().isoformat()}, expect=422)
    new = call("POST", path, {"expires_at": (clock.now() + timedelta(days=1)).isoformat()})

    assert (new["status"], new["previous_ends_at"]) == ("active", None)
    assert api.app.catalog.find_key(made["key"]) is None


def test_a_revoked_key_stays_revoked(call: Call, key: Any, gateway: Gateway) -> None:
    path = f"/api/v1/keys/{key['key_id']}"
    new = call("POST", f"{path}/rotate")
    call("DELETE", path)
    assert call("POST", f"{path}/rotate", expect=409)["error"]["message"].endswith("is revoked: create another")
    assert (gateway.ask(key["key"]), gateway.ask(new["key"])) == (403, 403)
    call("POST", "/api/v1/keys/key_nobody/rotate", expect=404)
    call("POST", f"{path}/rotate", scopes="write", expect=403)


@pytest.mark.parametrize("meanwhile", ["revoke", "rotate"])
def test_a_rotation_does_not_undo_what_another_admin_does_at_the_same_moment(
    api: ModuleType, key: Any, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """Given a key that was read, when it is revoked or rotated before it is written, then that stands."""
    catalog, other, day = api.app.catalog, Catalog(api.app.clock), timedelta(days=1)
    read, made = catalog.key, []

    def reads(key_id: str) -> Any:
        found = read(key_id)
        made.append(other.revoke_key(key_id) if meanwhile == "revoke" else other.rotate_key(key_id, day)[1])
        return found

    with monkeypatch.context() as patch:
        patch.setattr(catalog, "key", reads)
        with pytest.raises(Conflict):
            catalog.rotate_key(key["key_id"], day)
    assert catalog.key(key["key_id"]) == made[0]


@at_the_bound("MAX_KEY_OVERLAP_HOURS")
def test_how_long_both_values_of_a_key_work(size: int, fits: bool, call: Call, key: Any, clock: FrozenClock) -> None:
    path, body = f"/api/v1/keys/{key['key_id']}/rotate", {"overlap_hours": size}
    answer = call("POST", path, body, expect=200 if fits else 422)
    if fits:
        assert answer["previous_ends_at"] == iso(clock.now() + timedelta(hours=limits.MAX_KEY_OVERLAP_HOURS))


def test_a_rotation_is_in_the_audit_without_a_value(call: Call, key: Any, clock: FrozenClock) -> None:
    """Reading the keys, which needs the scope admin as well, changes nothing and is not there."""
    clock.advance(1)
    new = call("POST", f"/api/v1/keys/{key['key_id']}/rotate", {"overlap_hours": 0})
    call("GET", "/api/v1/keys")

    found = call("GET", "/api/v1/audit", kind="key")["deeds"]

    assert [(deed["action"], deed["subject"], deed["request_id"]) for deed in found] == [
        ("rotate key", key["key_id"], "r-1"),
        ("create key", key["key_id"], "r-1"),
    ]
    assert [change["field"] for change in found[0]["changes"]] == ["rotations"]
    assert not any(secret in json.dumps(found) for secret in (key["key"], new["key"]))


# -- the id of a request


def test_a_request_has_one_id_in_its_answer_its_log_and_the_audit(
    api: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"company_name": "Company", "primary_contact_email": "a@example.com"}

    def ask(method: str, path: str, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
        event = an_event(method, path, body if method == "POST" else None)
        event["requestContext"]["requestId"] = f"JKJaXmPLvHcESH{number}="
        answer = api.handler(event, SimpleNamespace())
        return answer, json.loads(answer["body"])

    made, _ = ask("POST", "/api/v1/accounts", 1)
    assert made["headers"]["X-Request-Id"] == "JKJaXmPLvHcESH1="
    (deed,), _ = api.app.ledger.audit.page(1, "")
    assert deed.request_id == "JKJaXmPLvHcESH1="

    monkeypatch.setattr(api.app.catalog, "list_accounts", lambda *_: 1 / 0)
    broken, said = ask("GET", "/api/v1/accounts", 2)
    assert (broken["statusCode"], broken["headers"]["X-Request-Id"]) == (500, "JKJaXmPLvHcESH2=")
    assert said["error"]["message"].endswith("by the request id JKJaXmPLvHcESH2=")

    def away(*_: Any) -> None:
        raise Unavailable("the catalog does not answer")

    monkeypatch.setattr(api.app.catalog, "list_accounts", away)
    assert ask("GET", "/api/v1/accounts", 3)[0]["headers"]["X-Request-Id"] == "JKJaXmPLvHcESH3="
    logged = {getattr(line, "request_id", ""): line.message for line in caplog.records}
    assert logged == {"JKJaXmPLvHcESH2=": "unexpected fault", "JKJaXmPLvHcESH3=": "refused"}


def test_an_answer_without_a_gateway_in_front_has_lambdas_id(api: ModuleType) -> None:
    event = an_event("GET", "/api/v1/nothing")
    del event["requestContext"]["requestId"]
    answer = api.handler(event, SimpleNamespace(aws_request_id="8f5c"))
    assert (answer["statusCode"], answer["headers"]["X-Request-Id"]) == (404, "8f5c")
    assert "X-Request-Id" not in api.handler(event, SimpleNamespace())["headers"]
