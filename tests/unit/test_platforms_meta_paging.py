"""Meta's pages: their size follows what Meta asks for, and a pull that pauses goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.errors import RequestRejected, Throttled, TooMuchData
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.connector import Page, ReportState
from adweir.platforms.meta import client as meta
from adweir.platforms.meta.client import MetaConnector
from support.meta_wire import error, insight, page
from support.platforms import META_ADS, wiring
from support.stub_http import Answer, Call, StubServer

CREDENTIAL = Credential(account_id="acme", platform=META_ADS, secret_id="s")
WEEK = Window.parse("2026-11-01..2026-11-07")
TASK = Task("r", "s", "acme", META_ADS, "1234567890", Dataset.AD_DAILY, "all", WEEK, deadline=0)
ROWS = [insight(ad_id=str(1000 + n)) for n in range(600)]


@pytest.fixture
def connector(stub: StubServer, clock: Any, slept: list[float]) -> Iterator[MetaConnector]:
    with requests.Session() as session:
        wired = wiring(META_ADS, session, clock, urls={"api": stub.url}, sleep=slept.append)
        yield meta.connect(credential=CREDENTIAL, secret={"access_token": "EAAG"}, wiring=wired)


def rows_from(stub: StubServer, call: Call, **headers: str) -> Answer:
    """`limit` of the rows from the cursor, as an edge answers."""
    at, limit = int(call.query.get("after", "0")), int(call.query["limit"])
    following = f"{stub.url}{call.path}?after={at + limit}&limit={limit}" if at + limit < len(ROWS) else ""
    return Answer(200, page(ROWS[at : at + limit], following), headers)


def ads(pages: list[Page]) -> list[str]:
    return [row["ad_id"] for one in pages for row in json.loads(one.content())["data"]]


def test_error_1_at_500_halves_the_page_and_goes_on_from_the_cursor(
    connector: MetaConnector, stub: StubServer, slept: list[float]
) -> None:
    # given a platform that fails with pages over 150 once the first 250 rows are read
    def route(call: Call) -> Answer:
        if call.query.get("after") and int(call.query["limit"]) > 150:
            return Answer(500, error(1, message="An unknown error occurred"))
        return rows_from(stub, call)

    stub.route = route
    # when the edge is pulled
    pages = list(connector.pages(TASK))
    # then no row is read twice, nothing waits, and the smaller size stays
    assert ads(pages) == [row["ad_id"] for row in ROWS]
    assert [(c.query.get("after"), c.query["limit"]) for c in stub.calls] == [
        (None, "500"),
        ("500", "500"),
        ("500", "250"),
        ("500", "125"),
    ]
    assert slept == []


def test_error_1_in_the_smallest_page_is_tried_again_before_the_task_is_split(
    connector: MetaConnector, stub: StubServer, slept: list[float]
) -> None:
    stub.route = lambda _: Answer(500, error(1))
    with pytest.raises(TooMuchData):
        list(connector.pages(TASK))
    assert [c.query["limit"] for c in stub.calls] == ["500", "250", "125", "62", "31", *["25"] * 4]
    assert len(slept) == 3


def test_a_question_that_takes_too_long_is_not_asked_again_in_smaller_pages(
    connector: MetaConnector, stub: StubServer
) -> None:
    stub.route = lambda _: Answer(400, error(100, 1504018))
    with pytest.raises(TooMuchData):
        list(connector.pages(TASK))
    assert len(stub.calls) == 1


def test_a_pull_that_stopped_at_the_wall_goes_on_behind_its_last_page(
    connector: MetaConnector, stub: StubServer
) -> None:
    # given a quota that is nearly used up after the first page
    used = json.dumps({"1": [{"type": "ads_insights", "call_count": 96, "estimated_time_to_regain_access": 5}]})
    stub.route = lambda call: rows_from(stub, call, **{"x-business-use-case-usage": used})
    pages = connector.pages(TASK)
    first = next(pages)
    with pytest.raises(Throttled) as caught:
        next(pages)
    assert caught.value.retry_after == 300
    # when the pause is over and the pull goes on with the cursor that came with that page
    stub.calls.clear()
    rest = list(connector.pages(TASK, first.resume))
    # then it asks for what is left only
    assert [c.query["after"] for c in stub.calls] == ["500"]
    assert ads([first, *rest]) == [row["ad_id"] for row in ROWS]


def test_a_job_that_meta_lost_has_failed(connector: MetaConnector, stub: StubServer) -> None:
    stub.route = lambda _: Answer(400, error(100, 33, "Unsupported get request. Object does not exist"))
    report = connector.report(TASK, "6023920149050")
    assert (report.state, "33" in report.reason) == (ReportState.FAILED, True)
    for status in (400, 200):
        stub.script = [Answer(status, error(100))]
        with pytest.raises(RequestRejected):
            connector.report(TASK, "6023920149050")


@pytest.mark.parametrize("poison", [b'"\\ud800"', b"[" * 5000 + b"]" * 5000, b"1E99999999999999999999"])
def test_a_row_that_no_decoder_takes_does_not_stop_the_pull(
    connector: MetaConnector, stub: StubServer, poison: bytes
) -> None:
    body = b'{"data":[{"ad_name":' + poison + b'}],"paging":{"cursors":{"before":"a","after":"b"}}}'
    stub.script = [Answer(200, body)]
    assert [(one.content(), one.last) for one in connector.pages(TASK)] == [(body, True)]
