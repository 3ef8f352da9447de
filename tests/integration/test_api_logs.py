"""The API log through the API: what was asked of it and what it asked platforms, in ten fields and without a secret."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model import limits, trace
from adweir.model.calls import INBOUND, OUTBOUND, ApiCall, CallsWanted
from adweir.model.errors import Unavailable
from adweir.model.scrubbing import REDACTED
from adweir.model.times import iso
from adweir.runtime.calls import answered
from adweir.runtime.http import resolver
from adweir.runtime.platform_calls import PlatformCalls
from adweir.store.dynamo.paging import to_token
from support.api import Call, an_event
from support.bounds import at_the_bound
from support.clock import FrozenClock

FIELDS = (
    "platform", "endpoint", "method", "status_code", "response_time", "success", "error_message", "request_data",
    "response_data", "timestamp",
)  # fmt: skip
PLATFORMS = ["meta_ads", "google_ads"]


def a_call(at: datetime, platform: str = "meta_ads", *, success: bool = True, **more: Any) -> ApiCall:
    status = 200 if success else 500
    return ApiCall(iso(at), OUTBOUND, platform, "https://h.example/x", "GET", status, 0.1, success, **more)


def logged(call: Call, **query: str) -> list[dict[str, Any]]:
    """What the log has beside the requests for it."""
    found = call("GET", "/api/v1/api-logs", limit="200", **query)["api_logs"]
    return [one for one in found if one["endpoint"] != "/api/v1/api-logs"]


def test_a_request_is_logged_with_its_ten_fields(call: Call, clock: FrozenClock) -> None:
    body = {"company_name": "Halden", "primary_contact_email": "ada@halden.example"}
    made = call("POST", "/api/v1/accounts", body, expect=201)
    clock.advance(1)
    call("PATCH", "/api/v1/accounts/nobody", {"currency": "EUR"}, expect=404)
    clock.advance(1)

    refused, created = logged(call)

    assert {name: created[name] for name in FIELDS if name != "response_data"} == {
        "platform": None, "endpoint": "/api/v1/accounts", "method": "POST", "status_code": 201, "response_time": 0.0,
        "success": True, "error_message": None, "timestamp": iso(clock.now() - timedelta(seconds=2)),
        "request_data": f'{{"company_name":"Halden","primary_contact_email":"{REDACTED}"}}',
    }  # fmt: skip
    assert json.loads(created["response_data"]) == made | {"primary_contact_email": REDACTED}
    assert (created["request_id"], created["key_id"], created["direction"]) == ("r-1", "k1", INBOUND)
    assert (refused["success"], refused["status_code"]) == (False, 404)
    assert refused["error_message"] == "there is no account nobody"


def test_a_call_of_a_platform_is_logged_with_what_it_was_for(call: Call, account_id: str) -> None:
    """The check of a credential lists ad accounts; that call has the id of the request that made it."""
    body = {"platform": "meta", "access_token": "EAAB-hush-hush-0123456789", "app_secret": "s" * 16, "app_id": "1"}
    call("POST", f"/api/v1/accounts/{account_id}/credentials", body, expect=201)

    found = logged(call, platform="facebook")

    assert found
    assert {(one["platform"], one["direction"], one["request_id"]) for one in found} == {("meta_ads", OUTBOUND, "r-1")}
    assert all(one["endpoint"].startswith("http://127.0.0.1") and "?" not in one["endpoint"] for one in found)
    assert f"access_token={REDACTED}" in found[0]["request_data"]
    (inbound,) = (one for one in logged(call, direction=INBOUND) if one["endpoint"].endswith("/credentials"))
    assert inbound["request_data"] == json.dumps(dict.fromkeys(body, REDACTED), separators=(",", ":"))
    assert "hush-hush" not in json.dumps(logged(call))


def test_calls_are_filtered_by_platform_success_and_time(call: Call, api: ModuleType, clock: FrozenClock) -> None:
    log, noon = api.app.ledger.api_log, clock.now()
    for hour in range(40):
        for platform in PLATFORMS:
            log.add([a_call(clock.now(), platform, success=hour % 4 != 0, task_id=f"t{hour}")], 30)
        clock.advance(3600)

    def found(**query: str) -> list[tuple[str, str, int]]:
        calls = logged(call, direction=OUTBOUND, **query)
        hours = [int((datetime.fromisoformat(one["timestamp"]) - noon).total_seconds() // 3600) for one in calls]
        return [(one["platform"], one["task_id"], hour) for one, hour in zip(calls, hours, strict=True)]

    assert [hour for *_, hour in found(platform="meta")] == list(range(39, 15, -1))  # the last day
    assert [hour for *_, hour in found(platform="meta", since=iso(noon))] == list(range(39, -1, -1))
    assert found(success="false", platform="google", since=iso(noon)) == [
        ("google_ads", f"t{hour}", hour) for hour in range(36, -1, -4)
    ]
    assert len(found(success="true", since=iso(noon))) == 60
    until = iso(noon + timedelta(hours=5))
    assert [hour for *_, hour in found(platform="meta", since=iso(noon + timedelta(hours=3)), until=until)] == [5, 4, 3]
    assert sorted(found(task_id="t7", since=iso(noon))) == [("google_ads", "t7", 7), ("meta_ads", "t7", 7)]
    assert found(task_id="t7") == []


@pytest.mark.parametrize("limit", [2, 7, 200])
def test_pages_together_have_each_call_once(call: Call, api: ModuleType, clock: FrozenClock, limit: int) -> None:
    """Given invocations of many calls, also at the same moment and over midnight, whatever the pages' size."""
    expected = set()
    for round_ in range(6):
        clock.advance(2 * 3600 if round_ % 3 else 0)
        for platform in PLATFORMS:
            calls = [
                a_call(clock.now(), platform, success=n != 2, task_id=f"{round_}.{platform}.{n}") for n in range(4)
            ]
            api.app.ledger.api_log.add(calls, 30)
            expected |= {one.task_id for one in calls}
    since, token, seen = iso(clock.now() - timedelta(days=5)), "", []
    while True:
        page = call("GET", "/api/v1/api-logs", limit=str(limit), since=since, direction=OUTBOUND, next_token=token)
        assert len(page["api_logs"]) <= limit
        seen += [(one["timestamp"], one["task_id"]) for one in page["api_logs"]]
        token = page["next_token"] or ""
        if not token:
            break
    assert sorted(task for _, task in seen) == sorted(expected)
    assert [at for at, _ in seen] == sorted((at for at, _ in seen), reverse=True)


def test_what_asks_wrongly_is_told_so(call: Call) -> None:
    for query in ({"direction": "up"}, {"platform": "myspace"}, {"since": "yesterday or so"}, {"success": "maybe"}):
        call("GET", "/api/v1/api-logs", expect=422, **query)
    call("GET", "/api/v1/api-logs", expect=422, since="2026-11-20T00:00:00Z", until="2026-11-19T00:00:00Z")
    made = [to_token("api-log", place) for place in ("x", "2026-99-20T1#1", "2026-11-20T1#one", "2026-11-20T1", "#")]
    for token in ("x", "AAAA", *made):
        call("GET", "/api/v1/api-logs", expect=400, next_token=token)
    for place in ("2020-01-01T1#1", "2026-11-19T11:00#1", "2026-11-19T11:00#99999"):
        assert call("GET", "/api/v1/api-logs", next_token=to_token("api-log", place))["api_logs"] == []
    call("GET", "/api/v1/api-logs", expect=403, scopes="")


def test_calls_expire_and_none_are_kept_without_days(api: ModuleType, call: Call, clock: FrozenClock) -> None:
    log, begun = api.app.ledger.api_log, clock.now()
    log.add([a_call(begun)], 2)
    wanted = CallsWanted(begun - timedelta(days=1), begun)
    clock.advance(2 * 86_400 - 1)
    assert len(log.page(9, "", wanted, PLATFORMS)[0]) == 1
    clock.advance(1)
    assert log.page(9, "", wanted, PLATFORMS) == ([], "")

    api.app.__dict__.pop("requests", None)
    api.app.settings = api.app.settings.model_copy(update={"call_log_days": 0})
    call("GET", "/api/v1/accounts")
    assert logged(call) == []
    assert api.app.ledger.key_uses.of(["k1"])["k1"].last


@pytest.mark.parametrize("fault", [Unavailable("the ledger does not answer"), TypeError("a-secret-of-mine")])
def test_a_request_stands_when_it_cannot_be_logged(
    api: ModuleType,
    call: Call,
    account_id: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
) -> None:
    def away(*_: Any) -> None:
        raise fault

    monkeypatch.setattr(api.app.ledger.api_log, "add", away)
    body = {"platform": "meta", "access_token": "EAAB-hush-hush-0123456789"}
    call("POST", f"/api/v1/accounts/{account_id}/credentials", body, expect=201)
    assert {line.message for line in caplog.records} >= {"request not logged", "calls are not in the API log"}
    assert "a-secret-of-mine" not in caplog.text + str([vars(line) for line in caplog.records])


def test_an_item_that_cannot_be_read_hides_no_other(api: ModuleType, clock: FrozenClock) -> None:
    log = api.app.ledger.api_log
    log.add([a_call(clock.now(), task_id="good")], 30)
    pk, sk = "api-log#2026-11-20#meta_ads#ok", f"{iso(clock.now())}#x"
    for name, packed in (("a", b"no zlib"), ("b", zlib.compress(b"[1]")), ("c", zlib.compress(b'[{"colour":1}]'))):
        row = log._row(pk, sk + name)
        row.packed = packed
        log._put(row)
    calls, _ = log.page(9, "", CallsWanted(clock.now() - timedelta(1), clock.now()), PLATFORMS)
    assert [one.task_id for one in calls] == ["good"]


# -- bounds


def items() -> list[Mapping[str, Any]]:
    found = boto3.client("dynamodb").scan(TableName="adweir-ledger")["Items"]
    return [one for one in found if one["pk"]["S"].startswith("api-log#")]


def test_a_request_costs_one_small_write(api: ModuleType, call: Call) -> None:
    """Given a long list, and a long body, a request writes one item of less than 1.5 kB."""
    for number in range(60):
        api.app.catalog.create_account(f"acc_{number}", f"Company number {number}", f"a{number}@example.com")
    call("GET", "/api/v1/accounts", limit="1000")
    call("POST", "/api/v1/accounts", {"company_name": "x" * 100_000}, expect=422)
    weights = [len(json.dumps(item, default=lambda value: value.hex()[::2])) for item in items()]
    assert len(weights) == 2
    assert max(weights) < 1500


@at_the_bound("MAX_LOGGED_CALLS")
@pytest.mark.parametrize("late", [False, True])
def test_so_many_calls_of_an_invocation_are_kept(
    size: int, fits: bool, late: bool, api: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    """Given many calls, and behind the first 200 as many failed ones."""
    caplog.set_level("INFO")
    calls = PlatformCalls(lambda: api.app.ledger.api_log, 30, api.app.logger)
    if late:
        assert all(calls.takes(success=True) for _ in range(limits.MAX_LOGGED_CALLS))
    taken = [calls.takes(success=not late) for _ in range(size)]
    assert all(taken) is fits
    assert all(taken[:-1])
    assert not calls.takes(success=True)
    calls.ended()
    assert "calls are not in the API log" in caplog.text
    assert calls.takes(success=True)


@at_the_bound("MAX_CALLS_TOGETHER")
def test_so_many_calls_are_in_an_item(size: int, fits: bool, api: ModuleType, clock: FrozenClock) -> None:
    calls = PlatformCalls(lambda: api.app.ledger.api_log, 30, api.app.logger)
    for _ in range(size):
        calls.add(a_call(clock.now()))
    assert (items() == []) is fits  # a worker that is killed loses so many at most
    calls.ended()
    assert (len(items()) == 1) is fits


@at_the_bound("MAX_CALL_LOG_BYTES", as_if=600)
def test_a_page_looks_at_so_much_of_the_log(size: int, fits: bool, api: ModuleType, clock: FrozenClock) -> None:
    log = api.app.ledger.api_log
    log.add([a_call(clock.now(), task_id="old")], 30)
    clock.advance(1)
    row = log._row("api-log#2026-11-20#meta_ads#ok", f"{iso(clock.now())}#x#y")
    packed = zlib.compress(json.dumps([a_call(clock.now(), task_id="new")._asdict()]).encode())
    row.packed = packed + b"\0" * (size - len(packed))
    log._put(row)
    wanted = CallsWanted(clock.now() - timedelta(days=1), clock.now(), task_id="old")

    found, token = log.page(5, "", wanted, PLATFORMS)

    assert ([one.task_id for one in found] == ["old"]) is (token == "") is fits
    if token:
        assert [one.task_id for one in log.page(5, token, wanted, PLATFORMS)[0]] == ["old"]


@at_the_bound("MAX_CALLS_SHOWN")
def test_so_many_calls_are_on_a_page(size: int, fits: bool, call: Call) -> None:
    call("GET", "/api/v1/api-logs", limit=str(size), expect=200 if fits else 422)


def test_the_newest_call_carries_what_the_connector_made_of_its_answer(api: ModuleType, clock: FrozenClock) -> None:
    calls = PlatformCalls(lambda: api.app.ledger.api_log, 30, api.app.logger)
    with trace.about(run_id="run_1", task_id="t1", profile_id="7"):
        calls.add(a_call(clock.now()))
        calls.add(a_call(clock.now()))
        calls.failed("code 40100: too many requests")
    calls.ended()
    calls.failed("nothing is open")
    wanted = CallsWanted(clock.now() - timedelta(days=1), clock.now())
    failed, good = sorted(api.app.ledger.api_log.page(5, "", wanted, PLATFORMS)[0], key=lambda one: one.success)
    assert (failed.success, failed.error_message, failed.status_code) == (False, "code 40100: too many requests", 200)
    assert (good.success, good.error_message, good.run_id, good.task_id, good.profile_id) == (
        True,
        "",
        "run_1",
        "t1",
        "7",
    )


# -- secrets

SECRET = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=24, max_size=48)
OWN = "adw_0123456789abcdef0123_"
PLACES: dict[str, Callable[[dict[str, Any], str], object]] = {
    "Authorization": lambda request, secret: request["headers"].update(authorization=f"Bearer {secret}"),
    "identity source": lambda request, secret: request.update(identitySource=[f"Bearer {OWN}{secret}"]),
    "cookie": lambda request, secret: request.update(cookies=[f"session={secret}"]),
    "own key in the path": lambda request, secret: request.update(rawPath=f"/api/v1/keys/{OWN}{secret}"),
    "own key in the query": lambda request, secret: request.update(rawQueryString=f"x={OWN}{secret}&limit=5"),
    "token in the query": lambda request, secret: request.update(rawQueryString=f"a=1&access_token={secret}"),
    "own key in a text": lambda request, secret: request["sent"].update(name=f"it is {OWN}{secret}, please"),
    "secret field": lambda request, secret: request["sent"].update(clientSecret=secret),
    "deep secret field": lambda request, secret: request["sent"].update(a=[{"verify_token": {"now": [secret]}}]),
    "e-mail address": lambda request, secret: request["sent"].update(note=f"ask {secret}@halden.example"),
    "link in the answer": lambda request, secret: request["said"].update(
        link=f"https://b.s3.amazonaws.com/x?X-Amz-Security-Token={secret}&X-Amz-Signature={secret}"
    ),
    "key in the answer": lambda request, secret: request["said"].update(key=f"{OWN}{secret}"),
    "error": lambda request, secret: request["said"].update(
        error={"code": "x", "message": f"{OWN}{secret} is no name"}
    ),
}
PRIVATE: dict[str, Callable[[dict[str, Any], str], object]] = {
    "any field": lambda request, secret: request["sent"].update(note=[{"deep": secret}]),
    "number": lambda request, secret: request["sent"].update(pin=int.from_bytes(secret.encode())),
    "query": lambda request, secret: request.update(rawQueryString=f"note={secret}"),
    "answer": lambda request, secret: request["said"].update(rows=[{"note": secret}]),
    "error": lambda request, secret: request["said"].update(
        error={"code": "unprocessable", "message": f"{secret} is no number", "details": [{"field": "records"}]}
    ),
}


def kept(request: dict[str, Any], *, private: bool) -> ApiCall:
    event = an_event("POST", "/api/v1/reports", request.pop("sent"))
    said = request.pop("said")
    event["headers"] |= request.pop("headers")
    answer = {"statusCode": 422 if "error" in said else 200, "body": json.dumps(said)}
    return answered(event | request, answer, at=datetime(2026, 11, 20, tzinfo=UTC), seconds=0.1, private=private)


@given(st.sampled_from(sorted(PLACES)), SECRET)
def test_a_secret_planted_anywhere_in_a_request_or_answer_is_not_kept(place: str, secret: str) -> None:
    request: dict[str, Any] = {"headers": {}, "sent": {"name": "weekly"}, "said": {"rows": 3}}
    PLACES[place](request, secret)
    call = kept(request, private=False)
    assert secret not in json.dumps(call._asdict())
    assert (call.key_id, '"name":' in call.request_data) == ("k1", True)


@given(st.sampled_from(sorted(PRIVATE)), SECRET)
def test_nothing_of_a_private_request_is_kept_but_names(place: str, secret: str) -> None:
    request: dict[str, Any] = {"headers": {}, "sent": {"name": "weekly"}, "said": {"rows": 3}}
    PRIVATE[place](request, secret)
    call = kept(request, private=True)
    told = json.dumps(call._asdict())
    assert secret not in told
    assert str(int.from_bytes(secret.encode())) not in told
    assert '"name":"REDACTED"' in call.request_data
    assert call.error_message in {"", "unprocessable: records"}


def test_each_route_that_takes_secrets_or_rows_is_private(api: ModuleType) -> None:
    operations = [each for resource in api.RESOURCES for each in resource.operations if each.scope]
    shown = {each.id for each in operations if not each.private}
    private = {each.id for each in operations if each.private}
    for word in ("secret", "credential", "data_pipeline", "keys", "dead-letters", "quarantine"):
        assert not [each.path for each in operations if f"/{word}" in each.path and each.id in shown]
    assert {"create_key", "rotate_key", "create_credential"} <= private
    assert {"list_ads", "get_run", "sync_account"} <= shown


@pytest.mark.parametrize(
    "body",
    [
        "{'note': 'hush: hush'}",
        '{"note": "x" hush}',
        '{"token": "a" "hush"}',
        "hush",
        '["hush"]',
        '{"a": hush',
        "\x00hush",
    ],
)
def test_a_body_that_cannot_be_read_is_not_kept(body: str) -> None:
    for encoded in (False, True):
        sent = base64.b64encode(body.encode()).decode() if encoded else body
        event = an_event("POST", "/api/v1/reports", sent) | {"isBase64Encoded": encoded}
        answer = {"statusCode": 400, "body": '{"error":{"message":"the body is not JSON"}}'}
        call = answered(event, answer, at=datetime(2026, 11, 20, tzinfo=UTC), seconds=0.1, private=False)
        assert (call.request_data, call.error_message) == ("(not a JSON object)", "the body is not JSON")


def test_what_no_route_says_is_harmless_is_private(api: ModuleType) -> None:
    http = resolver(api.app.logger)
    http.private = False
    http.resolve(an_event("GET", "/x"), SimpleNamespace())
    assert http.private


def test_a_request_that_no_route_knows_keeps_no_value(api: ModuleType, call: Call) -> None:
    call("GET", "/api/v1/accounts")  # the one before was shown
    event = an_event("POST", "/api/v1/acounts", {"client_name": "a-secret-of-mine"})
    assert api.handler(event, SimpleNamespace())["statusCode"] == 404
    assert "a-secret-of-mine" not in json.dumps(logged(call))
