"""Meta's connector against a loopback server that speaks the wire."""

from __future__ import annotations

import hashlib
import hmac
import json
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.errors import (
    AccessDenied,
    AuthExpired,
    OutOfRetention,
    ReportFailed,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
    Unprocessable,
)
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Mode, ReportState
from adweir.platforms.guarded import Guarded
from adweir.platforms.meta import client as meta
from adweir.platforms.meta.client import MetaConnector
from support.meta_wire import error, insight, page
from support.platforms import META_ADS, wiring
from support.stub_http import Answer, Call, StubServer

TOKEN, APP_SECRET = "EAAG" + "token", "app" + "secret"
PROOF = hmac.new(APP_SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
CREDENTIAL = Credential(account_id="acme", platform=Platform("meta_ads"), secret_id="s")
WEEK = Window(date(2026, 11, 1), date(2026, 11, 7))


def task(dataset: Dataset = Dataset.AD_DAILY, **changes: Any) -> Task:
    made = Task("r", "s", "acme", Platform("meta_ads"), "1234567890", dataset, "all", WEEK, deadline=0)
    return replace(made, **changes)


@pytest.fixture
def connector(stub: StubServer, clock: Any, slept: list[float]) -> Iterator[MetaConnector]:
    with requests.Session() as session:
        yield meta.connect(
            credential=CREDENTIAL,
            secret={"access_token": TOKEN, "app_secret": APP_SECRET},
            wiring=wiring(META_ADS, session, clock, urls={"api": stub.url}, sleep=slept.append),
        )


def paged(stub: StubServer, pages: list[Any], headers: dict[str, str] | None = None) -> None:
    """Serve an edge of several pages whose `next` carries the token, as Meta's does."""

    def route(call: Call) -> Answer:
        at = int(call.query.get("after", "0"))
        query = "&".join(f"{name}={value}" for name, value in call.query.items() if name in ("limit", "access_token"))
        following = f"{stub.url}{call.path}?{query}&after={at + 1}" if at + 1 < len(pages) else ""
        return Answer(200, page(pages[at], following), headers or {})

    stub.route = route


def test_insights_are_paged_to_the_end(connector: MetaConnector, stub: StubServer) -> None:
    # given three pages
    paged(stub, [[insight()], [insight(ad_id="334")], [insight(ad_id="335")]])
    # when a week is pulled
    pages = list(connector.pages(task()))
    # then each request asks for all we need and is signed, and only the end is the end
    first, second, _ = stub.calls
    assert first.path == "/v26.0/act_1234567890/insights"
    assert first.query["level"] == "ad"
    assert first.query["time_increment"] == "1"
    assert json.loads(first.query["time_range"]) == {"since": "2026-11-01", "until": "2026-11-07"}
    assert {"adset_id", "ad_id", "spend", "actions", "action_values"} <= set(first.query["fields"].split(","))
    assert (second.query["after"], second.query["limit"]) == ("1", "500")
    assert all((c.query["access_token"], c.query["appsecret_proof"]) == (TOKEN, PROOF) for c in stub.calls)
    assert [p.last for p in pages] == [False, False, True]
    assert not any(TOKEN in p.url or PROOF in p.url for p in pages)


def test_a_pull_goes_on_behind_the_page_it_had(connector: MetaConnector, stub: StubServer) -> None:
    paged(stub, [[insight()], [insight(ad_id="334")], [insight(ad_id="335")]])
    first, *rest = connector.pages(task())
    again = list(connector.pages(task(), first.resume))
    assert [page.body for page in again] == [page.body for page in rest]
    assert [page.resume for page in again] == ["2", ""]


def test_an_empty_answer_is_an_end_and_rows_without_cursors_are_not(connector: MetaConnector, stub: StubServer) -> None:
    stub.script = [Answer(200, {"data": []}), Answer(200, {"data": [insight()]})]
    assert [p.last for p in connector.pages(task())] == [True]
    assert [p.last for p in connector.pages(task())] == [False]


@pytest.mark.parametrize(
    ("body", "last"),
    [
        (b'{"data":[{"paging":{"cursors":{}}}]}', False),
        (b'{"data":[{"a":[],"paging":{"cursors":{"after":"x"},"next":"http://evil/"}}]}', False),
        (b'{"data":[{"n":"],\\"paging\\":{"}],"paging":{"cursors":{"after":"x"}}}', True),
        (b'{ "paging": {"cursors": {"after": "x"}}, "data": [ {} ] }', True),
        (b'{"paging":{"cursors":{"after":"x"}},"data":[{}]}', True),
        (b'{"data":[],"paging":{}}', True),
        (b'{"data":[ ]}', True),
    ],
)
def test_the_end_is_found_however_the_page_is_written(
    connector: MetaConnector, stub: StubServer, body: bytes, last: bool
) -> None:
    stub.script = [Answer(200, body)]
    assert [(p.last, p.body) for p in connector.pages(task())] == [(last, body)]


@pytest.mark.parametrize("host", ["http://evil.example", "http://127.0.0.1:1", "file://", "http://[::1"])
def test_paging_never_takes_the_token_to_another_host(connector: MetaConnector, stub: StubServer, host: str) -> None:
    stub.script = [Answer(200, page([insight()], f"{host}/v26.0/act_1/insights?after=x"))]
    with pytest.raises(RequestRejected, match="another host"):
        list(connector.pages(task()))


def test_paging_in_a_circle_ends(connector: MetaConnector, stub: StubServer) -> None:
    stub.route = lambda call: Answer(200, page([insight()], f"{stub.url}{call.path}?after=x"))
    with pytest.raises(RequestRejected, match="the next page is this one again"):
        list(connector.pages(task()))
    assert len(stub.calls) == 2


def test_too_much_data_halves_the_page_and_goes_on(connector: MetaConnector, stub: StubServer) -> None:
    # given a platform that answers only pages of 100
    def route(call: Call) -> Answer:
        if int(call.query["limit"]) > 125:
            return Answer(500, error(1, 0, "Please reduce the amount of data you're asking for, then retry"))
        last = call.query.get("after") == "x"
        return Answer(200, page([insight()], "" if last else f"{stub.url}{call.path}?after=x&limit=999"))

    stub.route = route
    # when it is asked, then the pages come, and the smaller size stays
    assert len(list(connector.pages(task()))) == 2
    assert [c.query["limit"] for c in stub.calls] == ["500", "250", "125", "125"]


def test_too_much_data_in_the_smallest_page_is_for_the_caller(connector: MetaConnector, stub: StubServer) -> None:
    stub.route = lambda _: Answer(400, error(100, 1487534))
    with pytest.raises(TooMuchData):
        list(connector.pages(task()))
    assert [c.query["limit"] for c in stub.calls] == ["500", "250", "125", "62", "31", "25"]


@pytest.mark.parametrize(
    ("body", "status", "kind", "tries"),
    [
        (error(190, 463), 400, AuthExpired, 1),
        (error(102), 401, AuthExpired, 1),
        (error(200), 403, AccessDenied, 1),
        (error(294), 400, AccessDenied, 1),
        (error(10), 400, AccessDenied, 1),
        (error(100), 500, RequestRejected, 1),
        (error(2635), 400, RequestRejected, 1),
        (error(2, 1504041), 500, RequestRejected, 1),
        (error(3018), 400, OutOfRetention, 1),
        (error(-2, 2490547), 400, ReportFailed, 1),
        (error(4242), 400, RequestRejected, 1),
        (error(2), 503, Transient, 4),
        (error(960), 500, Transient, 4),
        (error(4242, is_transient=True), 400, Transient, 4),
        (b"<html>bad gateway</html>", 502, Transient, 4),
        (b"<html>captive portal</html>", 200, Transient, 1),
        ({"id": "1"}, 200, Transient, 1),
        (error(190), 200, AuthExpired, 1),
        (b"nothing here", 404, RequestRejected, 1),
    ],
)
def test_the_code_decides_not_the_status(
    connector: MetaConnector, stub: StubServer, body: Any, status: int, kind: type[Exception], tries: int
) -> None:
    stub.route = lambda _: Answer(status, body)
    with pytest.raises(kind) as caught:
        list(connector.pages(task()))
    assert type(caught.value) is kind
    assert len(stub.calls) == tries
    shown = "".join(traceback.format_exception(caught.value)) + repr(getattr(caught.value, "context", ""))
    assert TOKEN not in shown
    assert PROOF not in shown


def test_a_transient_fault_is_overcome_in_place(connector: MetaConnector, stub: StubServer) -> None:
    stub.script = [Answer(500, error(2, is_transient=True)), Answer(200, b"x" * 99, hang_up=True)]
    paged(stub, [[insight()]])
    assert len(list(connector.pages(task()))) == 1


def test_the_oldest_day_kept_is_reported(connector: MetaConnector, stub: StubServer) -> None:
    stub.route = lambda _: Answer(400, error(3018))
    with pytest.raises(OutOfRetention) as caught:
        list(connector.pages(task()))
    assert date(2023, 10, 1) < caught.value.oldest < date(2024, 1, 1)


@pytest.mark.parametrize(("minutes", "seconds"), [(12, 720), (0, 60)])
def test_a_throttled_answer_says_how_long(
    connector: MetaConnector, stub: StubServer, minutes: int, seconds: int
) -> None:
    usage = {"1": [{"type": "ads_insights", "call_count": 100, "estimated_time_to_regain_access": minutes}]}
    stub.route = lambda _: Answer(400, error(80000, 2446079), {"x-business-use-case-usage": json.dumps(usage)})
    with pytest.raises(Throttled) as caught:
        list(connector.pages(task()))
    assert caught.value.retry_after == seconds


def test_at_the_wall_the_page_is_finished_and_the_pull_stops(connector: MetaConnector, stub: StubServer) -> None:
    # given an answer that says: 96 % used
    usage = {"1": [{"type": "ads_insights", "call_count": 96, "estimated_time_to_regain_access": 3}]}
    paged(stub, [[insight()], [insight()]], {"x-business-use-case-usage": json.dumps(usage)})
    got = connector.pages(task())
    # when it is pulled, then the page comes, and the next is not asked for
    assert not next(got).last
    with pytest.raises(Throttled) as caught:
        next(got)
    assert caught.value.retry_after == 180
    assert len(stub.calls) == 1
    # and when it was the last page, the pull is whole
    paged(stub, [[insight()]], {"x-business-use-case-usage": json.dumps(usage)})
    assert [p.last for p in connector.pages(task())] == [True]


def test_above_three_quarters_it_slows_down(connector: MetaConnector, stub: StubServer, slept: list[float]) -> None:
    paged(stub, [[insight()], [insight()]], {"x-fb-ads-insights-throttle": '{"app_id_util_pct": 85.0}'})
    assert len(list(connector.pages(task()))) == 2
    assert slept == [1.0]


def test_a_day_that_is_too_much_for_one_answer_is_asked_for_as_a_job(connector: MetaConnector) -> None:
    week, day = task(), task(window=Window.parse("2026-11-01..2026-11-01"), id="")
    too_big = TooMuchData("(100/1504018)")
    assert [str(part.window) for part in connector.narrower(week, too_big)] == [
        "2026-11-01..2026-11-03",
        "2026-11-04..2026-11-07",
    ]
    (job,) = connector.narrower(day, too_big)
    assert (job.mode, job.window) == ("report", day.window)
    assert connector.narrower(job, too_big) == []
    assert connector.narrower(day, ReportFailed("broken")) == []


def test_code_4_is_the_application_s_limit(connector: MetaConnector, stub: StubServer) -> None:
    stub.script = [Answer(400, error(4)), Answer(400, error(17))]
    with pytest.raises(Throttled) as of_app:
        list(connector.pages(task()))
    with pytest.raises(Throttled) as of_account:
        list(connector.pages(task()))
    assert (of_app.value.scope, of_account.value.scope) == (ThrottleScope.APP, ThrottleScope.PROFILE)


@pytest.mark.parametrize(
    ("dataset", "slice_", "path"),
    [
        (Dataset.PROFILES, "all", "/v26.0/me/adaccounts"),
        (Dataset.CAMPAIGNS, "all", "/v26.0/act_1234567890/campaigns"),
        (Dataset.CAMPAIGNS, "campaign=111", "/v26.0/act_1234567890/campaigns"),
        (Dataset.AD_GROUPS, "campaign=111", "/v26.0/111/adsets"),
        (Dataset.ADS, "all", "/v26.0/act_1234567890/ads"),
        (Dataset.ADS, "campaign=111", "/v26.0/111/ads"),
        (Dataset.AD_DAILY, "campaign=111", "/v26.0/111/insights"),
        (Dataset.CAMPAIGN_HOURLY, "all", "/v26.0/act_1234567890/insights"),
    ],
)
def test_every_dataset_has_its_edge(
    connector: MetaConnector, stub: StubServer, dataset: Dataset, slice_: str, path: str
) -> None:
    paged(stub, [[]])
    assert connector.mode(task(dataset)) is Mode.PAGES
    list(connector.pages(task(dataset, slice=slice_)))
    call = stub.calls[0]
    assert call.path == path
    if dataset is Dataset.CAMPAIGN_HOURLY:
        assert (call.query["level"], "hourly" in call.query["breakdowns"]) == ("campaign", True)
    if dataset.grain is None and dataset is not Dataset.PROFILES:
        assert "ARCHIVED" in json.loads(call.query["effective_status"])
    if dataset.grain is None:
        assert ("filtering" in call.query) is (dataset is Dataset.CAMPAIGNS and slice_ != "all")


@pytest.mark.parametrize(
    "wrong",
    [
        task(Dataset.KEYWORDS),
        task(Dataset.KEYWORD_DAILY),
        task(slice="sp"),
        task(slice="campaign=../me"),
        task(Dataset.ACCOUNT_DAILY, slice="campaign=111"),
        task(window=None),
        task(profile_id="1/../2"),
    ],
)
def test_what_meta_does_not_have_is_not_asked_for(connector: MetaConnector, stub: StubServer, wrong: Task) -> None:
    with pytest.raises(RequestRejected):
        list(connector.pages(wrong))
    assert stub.calls == []


def test_a_long_window_is_a_job(connector: MetaConnector, stub: StubServer, clock: Any) -> None:
    # given four weeks
    long = task(window=Window(date(2026, 11, 1), date(2026, 11, 28)))
    assert connector.mode(long) is Mode.REPORT
    # when the job is created
    stub.script = [Answer(200, {"report_run_id": "6023920149050"})]
    report = connector.create_report(long)
    # then it was asked for in a form, signed in the query
    call = stub.calls[0]
    assert (call.method, call.path) == ("POST", "/v26.0/act_1234567890/insights")
    assert "ad_id" in json.loads(call.form["fields"])
    assert "access_token" not in call.form
    assert call.query["appsecret_proof"] == PROOF
    assert (report.id, report.state, report.as_of, report.adopted) == (
        "6023920149050",
        ReportState.PENDING,
        clock.now(),
        False,
    )
    # and its result is paged like the synchronous answer
    paged(stub, [[insight()], [insight()]])
    assert [p.last for p in connector.report_pages(long, report.id)] == [False, True]
    assert stub.calls[1].path == "/v26.0/6023920149050/insights"


@pytest.mark.parametrize(
    ("status", "percent", "state"),
    [
        ("Job Not Started", 0, ReportState.PENDING),
        ("Job Running", 100, ReportState.PENDING),
        ("Job Completed", 99, ReportState.PENDING),
        ("Job Completed", 100, ReportState.READY),
        ("Job Failed", 0, ReportState.FAILED),
        ("Job Skipped", 0, ReportState.FAILED),
    ],
)
def test_a_jobs_state(
    connector: MetaConnector, stub: StubServer, status: str, percent: int, state: ReportState
) -> None:
    stub.script = [
        Answer(200, {"id": "6", "async_status": status, "async_percent_completion": percent, "time_ref": 1795000000})
    ]
    report = connector.report(task(), "6")
    assert (report.state, report.progress, report.as_of) == (state, percent, datetime.fromtimestamp(1795000000, UTC))
    assert bool(report.reason) is (state is ReportState.FAILED)


@pytest.mark.parametrize(
    ("error", "too_large"),
    [
        ({"error_code": 100, "error_subcode": 1487534, "error_message": "There is too much data"}, True),
        ({"error_code": 1, "error_message": "Please reduce the amount of data you're asking for"}, True),
        ({"error_code": 2, "error_subcode": 1504044, "error_message": "timed out"}, True),
        ({"error_code": -2, "error_message": "failed"}, False),
        ({"error_code": 1, "error_message": "An unknown error occurred"}, False),
        ({}, False),
    ],
)
def test_a_failed_job_says_whether_it_was_too_large(
    connector: MetaConnector, stub: StubServer, error: dict[str, Any], too_large: bool
) -> None:
    stub.script = [Answer(200, {"async_status": "Job Failed"} | error)]
    report = connector.report(task(), "6")
    assert (report.state, report.too_large) == (ReportState.FAILED, too_large)


def test_a_failed_job_reports_its_reason(connector: MetaConnector, stub: StubServer) -> None:
    answer = {"async_status": "Job Failed", "error_code": -2, "error_message": "Too heavy"}
    stub.script = [Answer(200, answer), Answer(200, b"<html>"), Answer(200, {"report_run_id": "x"})]
    assert connector.report(task(), "6").reason == "Job Failed: (-2) Too heavy"
    with pytest.raises(Transient):
        connector.report(task(), "6")
    with pytest.raises(RequestRejected):
        connector.create_report(task())
    with pytest.raises(RequestRejected):
        connector.report(task(), "../me")


def test_the_registry_connects(clock: Any) -> None:
    with requests.Session() as session:
        wired = wiring(META_ADS, session, clock)
        made = REGISTRY.connect(CREDENTIAL, {"access_token": TOKEN}, wired)
        assert isinstance(made, Guarded)
        assert isinstance(made.inner, MetaConnector)
        with pytest.raises(AuthExpired):
            REGISTRY.connect(CREDENTIAL, {"app_secret": APP_SECRET}, wired)
    assert Dataset.AD_DAILY in REGISTRY.datasets(META_ADS)
    assert REGISTRY.normalizer(META_ADS)
    with pytest.raises(Unprocessable, match="not connected"):
        REGISTRY.datasets(Platform("nowhere_ads"))


def test_without_an_app_secret_there_is_no_proof(stub: StubServer, clock: Any) -> None:
    paged(stub, [[]])
    with requests.Session() as session:
        wired = wiring(META_ADS, session, clock, urls={"api": stub.url + "/"})
        made = REGISTRY.connect(CREDENTIAL, {"access_token": TOKEN}, wired)
        list(made.profiles())
    assert "appsecret_proof" not in stub.calls[0].query
