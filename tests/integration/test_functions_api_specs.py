"""Specs through the API: stored by an admin, checked first, listed, deleted when nobody uses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from adweir.model import limits
from adweir.runtime.settings import Settings
from adweir.store.catalog.specs import SourceSpecs
from support.api import EVENTS, Call
from support.bounds import at_the_bound
from support.stub_http import Answer, StubServer, serving

PATH = "/api/v1/specs/example"
BODY = json.loads(json.loads((EVENTS / "api/put-spec.json").read_text())["body"])


@pytest.fixture
def platform() -> Iterator[StubServer]:
    with serving() as stub:
        yield stub


@pytest.fixture
def settings(settings: Settings, platform: StubServer) -> Settings:
    urls = settings.platform_urls | {"generic": {"api": platform.url}}
    return settings.model_copy(update={"platform_urls": urls})


def put(call: Call, spec: Any = BODY, expect: int = 200, path: str = PATH) -> Any:
    return call("PUT", path, spec, expect=expect)


def test_a_spec_is_stored_read_replaced_and_deleted(call: Call, api: ModuleType) -> None:
    first = put(call)
    again = put(call, BODY | {"title": "Example"})

    assert (first["name"], first["version"], first["credential_fields"]) == ("example", 1, ["token"])
    assert (again["version"], again["created_at"]) == (2, first["created_at"])
    assert call("GET", PATH)["spec"] == BODY | {"title": "Example"}
    assert [each["name"] for each in call("GET", "/api/v1/specs")["specs"]] == ["example"]
    assert call("DELETE", PATH)["status"] == "deleted"
    assert call("GET", "/api/v1/specs")["specs"] == []
    call("GET", PATH, expect=404)
    call("DELETE", PATH, expect=404)
    assert put(call)["version"] == 4, "who stores it anew replaces what was"


def test_only_an_admin_changes_specs(call: Call) -> None:
    call("PUT", PATH, BODY, scopes="write", expect=403)
    put(call)
    call("DELETE", PATH, scopes="write", expect=403)
    assert call("GET", PATH, scopes="read")["name"] == "example"


def test_what_is_wrong_is_named_and_nothing_is_stored(call: Call) -> None:
    details = put(call, BODY | {"auth": {"type": "magic"}, "surprise": 1}, expect=422)["error"]["details"]

    assert {each["field"] for each in details} == {"auth.0", "surprise"}
    put(call, BODY, expect=422, path="/api/v1/specs/Not%20a%20name")
    call("GET", PATH, expect=404)


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        (
            {"base_url": "https://api.other.example/v1"},
            "base_url",
            "add api.other.example to its parameter SourceHosts",
        ),
        ({"base_url": "http://api.example.com/v1"}, "base_url", "does not begin with https://"),
        ({"base_url": "https://169.254.169.254/latest"}, "base_url", "has no host name"),
        ({"base_url": "https://me@api.example.com"}, "base_url", "credential"),
        ({"file_hosts": ["files.other.example"]}, "file_hosts", "SourceHosts"),
        (
            {"auth": {"type": "oauth2", "grant": "client_credentials", "token_url": "https://evil.example/token"}},
            "auth.token_url",
            "SourceHosts",
        ),
    ],
)
def test_a_host_that_is_not_allowed_is_refused(call: Call, changes: dict[str, Any], field: str, said: str) -> None:
    (detail,) = put(call, BODY | changes, expect=422)["error"]["details"]

    assert detail["field"] == field
    assert said in detail["message"]


def test_a_spec_that_a_credential_uses_stays(call: Call, account_id: str, platform: StubServer) -> None:
    platform.route = lambda _: Answer(200, {"rows": []})
    put(call, BODY | {"base_url": f"{platform.url}/v1"})
    credentials = f"/api/v1/accounts/{account_id}/credentials"
    stored = call("POST", credentials, {"platform": "generic", "label": "example", "token": "t-12345678"}, expect=201)

    refused = call("DELETE", PATH, expect=409)["error"]["message"]

    assert stored["check"]["ad_accounts"][0]["profile_id"] == "example~1"
    assert f"{account_id} (generic, label example)" in refused
    call("DELETE", f"{credentials}/generic", label="example")
    call("DELETE", PATH)


def test_a_credential_says_what_it_lacks_and_never_a_value(call: Call, account_id: str) -> None:
    put(call)
    credentials = f"/api/v1/accounts/{account_id}/credentials"

    nothing = call("POST", credentials, {"platform": "generic", "label": "other", "token": "t-12345678"}, expect=422)
    lacking = call("POST", credentials, {"platform": "generic", "spec": "example", "key": "k-12345678"}, expect=422)
    short = call("POST", credentials, {"platform": "generic", "spec": "example", "key": "short"}, expect=422)

    assert "PUT /api/v1/specs/other" in nothing["error"]["message"]
    assert "the spec example needs of the credential: token" in lacking["error"]["message"]
    assert short["error"]["details"] == [{"field": "key", "message": "needs at least 8 characters"}]
    assert "12345678" not in json.dumps([nothing, lacking, short])


@at_the_bound("MAX_SPEC_BYTES")
def test_a_spec_has_a_size(call: Call, size: int, *, fits: bool) -> None:
    values = ["x" * 3900] * 16
    spec = BODY | {"title": "", "signs": [{"status": 400, "means": "rejected", "path": "a", "values": values}]}
    spec["title"] = "x" * (size - len(json.dumps(spec)))

    put(call, spec, expect=200 if fits else 413)


@at_the_bound("MAX_SPECS", as_if=3)
def test_specs_have_an_end(call: Call, monkeypatch: pytest.MonkeyPatch, size: int, *, fits: bool) -> None:
    monkeypatch.setattr(limits, "MAX_SPECS", 3)
    for number in range(size - 1):
        put(call, path=f"/api/v1/specs/s{number}")

    put(call, path="/api/v1/specs/last", expect=200 if fits else 409)
    put(call, path="/api/v1/specs/s0", expect=200)


def test_two_who_replace_a_spec_at_the_same_moment_lose_nothing(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(call)
    fetch, others = SourceSpecs._fetch, iter(["theirs"])

    def meanwhile(self: Any, pk: str, sk: str) -> Any:
        found = fetch(self, pk, sk)
        if next(others, ""):
            api.app.catalog.put_spec("example", json.dumps(BODY | {"title": "theirs"}))
        return found

    monkeypatch.setattr(SourceSpecs, "_fetch", meanwhile)

    assert put(call, BODY | {"title": "mine"})["version"] == 3
