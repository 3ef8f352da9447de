"""Pulls by a spec: refusals, credentials, pace and reports."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    NotApplicable,
    NotReady,
    ReportFailed,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
)
from adweir.platforms.connector import ReportState
from support.described_api import DAY, OF, api_of
from support.stub_http import Answer, Call, StubServer, serving

# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, RequestRejected), (401, AuthExpired), (403, AccessDenied), (404, RequestRejected), (429, Throttled),
     (500, Transient)],
)  # fmt: skip
def test_a_status_means_what_http_says(stub: StubServer, status: int, error: type[AdweirError]) -> None:
    stub.route = lambda _: Answer(status, {"message": "no"})

    with pytest.raises(error):
        api_of(stub).pull(OF)


def test_signs_come_before_the_status(stub: StubServer) -> None:
    signs = [
        {"status": 404, "means": "not_applicable"},
        {"path": "error.code", "values": ["17"], "means": "throttled", "wait_seconds": 33},
        {"path": "error.message", "contains": "too many rows", "means": "too_much_data"},
        {"path": "code", "but": ["0"], "means": "rejected"},
    ]
    api = api_of(stub, {"signs": signs, "pace": {"scope": "spec"}})

    def asked(status: int, body: Any) -> AdweirError:
        stub.route = lambda _: Answer(status, body)
        with pytest.raises(AdweirError) as refused:
            api.pull(OF)
        return refused.value

    assert isinstance(asked(404, {}), NotApplicable)
    throttled = asked(200, {"error": {"code": 17}})
    assert isinstance(throttled, Throttled)
    assert (throttled.retry_after, throttled.scope, throttled.guessed) == (33, ThrottleScope.REGION, False)
    assert isinstance(asked(400, {"error": {"message": "Too Many Rows here"}}), TooMuchData)
    assert isinstance(asked(200, {"code": 5, "rows": []}), RequestRejected)
    stub.route = lambda _: Answer(200, {"code": 0, "rows": []})
    assert api.pull(OF)[0].last


def test_how_long_to_wait_may_be_the_moment_when_the_wait_ends(stub: StubServer) -> None:
    api = api_of(stub, {"pace": {"wait_header": "X-Reset"}})
    ends = int(api.clock.now().timestamp()) + 90
    stub.route = lambda _: Answer(429, {}, {"X-Reset": str(ends)})

    with pytest.raises(Throttled) as throttled:
        api.pull(OF)

    assert throttled.value.retry_after == pytest.approx(90, abs=1)
    assert throttled.value.scope is ThrottleScope.CREDENTIAL


def test_a_slow_pace_is_kept_across_pulls_and_a_very_slow_one_by_waiting_outside(stub: StubServer) -> None:
    stub.route = lambda _: Answer(200, {"rows": []})
    brisk = api_of(stub, {"pace": {"requests_per_minute": 20}})
    slow = api_of(stub, {"pace": {"requests_per_minute": 2}})

    brisk.pull(OF)
    brisk.pull(OF)
    slow.pull(OF)

    assert brisk.slept == [3.0]
    with pytest.raises(Throttled, match="pace") as throttled:
        slow.pull(OF)
    assert throttled.value.retry_after == 30
    assert slow.slept == []


def test_a_credential_without_what_the_spec_needs_is_refused_by_name(stub: StubServer) -> None:
    api = api_of(stub, {"auth": {"type": "header", "header": "X-Key", "value": "api_key"}})

    with pytest.raises(AuthExpired, match="api_key"):
        api.connect()


def test_a_dataset_that_the_spec_lacks_does_not_apply(stub: StubServer) -> None:
    with pytest.raises(NotApplicable):
        api_of(stub).pull(Dataset.AD_DAILY)


def test_several_ways_to_authenticate_go_together(stub: StubServer) -> None:
    stub.route = lambda _: Answer(200, {"rows": []})
    ways = [
        {"type": "basic"},
        {"type": "header", "header": "X-Key", "scheme": "Key"},
        {"type": "query", "parameter": "k"},
    ]

    api_of(stub, {"auth": ways}).pull(OF)

    call = stub.calls[0]
    assert call.headers["Authorization"].startswith("Basic ")
    assert call.headers["X-Key"] == "Key token-12345678"
    assert call.query["k"] == "token-12345678"


def test_an_access_token_that_is_refused_is_made_anew_once(stub: StubServer) -> None:
    def route(call: Call) -> Answer:
        if call.path.endswith("token"):
            return Answer(200, {"access_token": f"made-token-{len(stub.calls)}", "expires_in": 3600})
        good = call.headers["Authorization"] == "Bearer made-token-3"
        return Answer(200, {"rows": []}) if good else Answer(401, {})

    stub.route = route
    token_url = "https://api.example.com/v1/token"
    api = api_of(stub, {"auth": {"type": "oauth2", "grant": "refresh_token", "token_url": token_url}})

    assert api.pull(OF)[0].last


def test_a_file_is_asked_for_again_with_a_new_access_token(stub: StubServer) -> None:
    """Tokens may end before the time that was said. Otherwise a good credential would count as broken."""

    def route(call: Call) -> Answer:
        if call.path.endswith("token"):
            return Answer(200, {"access_token": f"made-token-{len(stub.calls)}", "expires_in": 3600})
        good = call.headers["Authorization"] == "Bearer made-token-3"
        return Answer(200, b"day,views,cost\n2026-11-01,5,1.25\n") if good else Answer(401, {})

    stub.route = route
    way = {"type": "oauth2", "grant": "refresh_token", "token_url": "https://api.example.com/v1/token"}

    rows, _ = api_of(stub, {"auth": way}, records="", form={"type": "csv"}).read(OF)

    assert [row.impressions for row in rows] == [5]


def test_a_file_that_is_refused_twice_means_a_dead_credential(stub: StubServer) -> None:
    def route(call: Call) -> Answer:
        made = Answer(200, {"access_token": "made-token", "expires_in": 3600})
        return made if call.path.endswith("token") else Answer(401, {})

    stub.route = route
    way = {"type": "oauth2", "grant": "refresh_token", "token_url": "https://api.example.com/v1/token"}

    with pytest.raises(AuthExpired):
        api_of(stub, {"auth": way}, records="", form={"type": "csv"}).pull(OF)

    assert len(stub.calls) == 4


@pytest.mark.parametrize("packed", ["plain", "gzip"])
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(202, b"", NotReady), (200, b'{"error": {"code": 17}}', Throttled)],
)
def test_signs_count_where_a_file_is_expected_too(
    stub: StubServer, status: int, body: bytes, error: type[AdweirError], packed: str
) -> None:
    stub.route = lambda _: Answer(status, body, {"X-Wait": "7"})
    signs = [
        {"means": "not_ready", "status": 202},
        {"means": "throttled", "path": "error.code", "values": ["17"]},
    ]
    api = api_of(
        stub, {"signs": signs, "pace": {"wait_header": "X-Wait"}}, records="", form={"type": "csv", "packed": packed}
    )

    with pytest.raises(error) as refused:
        api.read(OF)

    assert not isinstance(refused.value, Throttled) or refused.value.retry_after == 7


def test_a_file_that_begins_as_json_is_a_file_where_no_sign_is_in_it(stub: StubServer) -> None:
    stub.route = lambda _: Answer(200, {"rows": [DAY]})
    report = REPORT | {"download": {"path": "/reports/{report}/file"}}
    api = api_of(stub, {"signs": [{"means": "throttled", "path": "error"}]}, request=None, report=report)
    made = api.connect()

    (page,) = made.report_pages(api.task(OF), "9")

    assert page.content() == Answer(200, {"rows": [DAY]}).raw


def test_an_id_that_is_no_number_is_not_sent_as_one(stub: StubServer) -> None:
    spec = {"accounts": {"named": [{"id": "shop_1", "currency": "USD", "timezone": "America/New_York"}]}}
    request = {"method": "POST", "path": "/stats", "json": {"of": "{profile:number}", "from": "{start}", "to": "{end}"}}
    api = api_of(stub, spec, request=request)
    made, task = api.connect(), replace(api.task(OF), profile_id="api~1_0")

    with pytest.raises(RequestRejected, match="no number"):
        list(made.pages(task))

    assert not stub.calls


# -- reports ---------------------------------------------------------------------------------------------------------


REPORT = {
    "create": {
        "method": "POST",
        "path": "/reports",
        "json": {"from": "{start}", "to": "{end}", "account": "{profile:number}"},
    },
    "id": "report.id",
    "poll": {"path": "/reports/{report}"},
    "state": "state",
    "ready": ["DONE"],
    "failed": ["FAILED"],
}


def reporting(stub: StubServer, url: str, state: str = "DONE", file: bytes = b"") -> None:
    def route(call: Call) -> Answer:
        if call.method == "POST":
            return Answer(202, {"report": {"id": 9}})
        if call.path.endswith("/file"):
            return Answer(200, file)
        return Answer(200, {"state": state, "url": url})

    stub.route = route


def test_a_report_is_asked_for_polled_and_fetched_from_its_own_host_with_the_credential(stub: StubServer) -> None:
    file = b"day,views,cost\n2026-11-01,5,1.25\n"
    reporting(stub, "/v1/reports/9/file", file=gzip.compress(file))
    way: dict[str, Any] = {"request": None, "records": "", "form": {"type": "csv", "packed": "gzip"}}
    api = api_of(stub, **way, report=REPORT | {"url": "url"})

    rows, bad = api.read(OF)

    assert [(row.day, row.impressions, row.spend) for row in rows] == [("2026-11-01", 5, 1_250_000)]
    assert not bad
    assert json.loads(stub.calls[0].body) == {"from": "2026-11-01", "to": "2026-11-07", "account": 77}
    assert stub.calls[-1].headers["Authorization"] == "Bearer token-12345678"


def test_a_reports_file_elsewhere_is_asked_for_only_where_the_spec_says_so_and_without_the_credential(
    stub: StubServer,
) -> None:
    with serving() as other:
        reporting(stub, f"{other.url}/file")
        way: dict[str, Any] = {
            "request": None,
            "records": "",
            "form": {"type": "csv"},
            "report": REPORT | {"url": "url"},
        }

        with pytest.raises(RequestRejected, match="file_hosts"):
            api_of(stub, **way).pull(OF)

        assert not other.calls


def test_a_reports_states(stub: StubServer) -> None:
    api = api_of(stub, request=None, report=REPORT | {"download": {"path": "/reports/{report}/file"}})
    made, task = api.connect(), api.task(OF)

    for state, expected in {
        "DONE": ReportState.READY,
        "FAILED": ReportState.FAILED,
        "NEW": ReportState.PENDING,
    }.items():
        reporting(stub, "", state)
        assert made.report(task, "9").state is expected
    stub.route = lambda _: Answer(200, {})
    with pytest.raises(Transient, match="no state"):
        made.report(task, "9")
    with pytest.raises(Transient, match="id"):
        made.create_report(task)


def test_a_reports_file_that_is_damaged_is_no_data(stub: StubServer) -> None:
    reporting(stub, "", file=gzip.compress(b"day,views,cost\n" * 1000)[:-9])
    form = {"type": "csv", "packed": "gzip"}
    download = REPORT | {"download": {"path": "/reports/{report}/file"}}
    api = api_of(stub, request=None, records="", form=form, report=download)

    with pytest.raises(ReportFailed):
        api.pull(OF)


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_an_answer_that_repeats_the_credential_is_stored_and_told_without_it(stub: StubServer) -> None:
    def echo(call: Call) -> Answer:
        said = {"you sent": dict(call.headers), "query": call.query, "body": call.body.decode()}
        return Answer(200 if "page" not in call.query else 400, {"rows": [DAY], "next": "2", "said": said})

    stub.route = echo
    ways = [{"type": "basic"}, {"type": "header", "header": "X-Key"}, {"type": "query", "parameter": "k"}]
    paging = {"type": "cursor", "cursor": "next", "parameter": "page"}
    made = api_of(stub, {"auth": ways}, paging=paging)
    pages = made.connect().pages(made.task(OF))

    first = next(pages)
    with pytest.raises(RequestRejected) as refused:
        next(pages)

    told = f"{first.content()!r}{first.url}{refused.value.message}{refused.value.context}"
    proof = base64.b64encode(b"user@example.com:password-12345678").decode()
    assert [secret for secret in ("token-12345678", "password-12345678", proof) if secret in told] == []
    assert "REDACTED" in told
