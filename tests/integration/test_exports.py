"""Reports that are too large for an answer become exports: asked for once, made in parts, gone after a week."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import repeat
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from adweir.model import limits
from adweir.model.errors import AdweirError
from adweir.model.messages import MakeExport
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.series_ids import series_id
from adweir.model.tasks import Pull, Stamp
from adweir.reporting import query
from adweir.runtime.exporting import exporter_of
from adweir.store.catalog.references import ReferenceRow
from adweir.store.metrics.store import PullRows
from support.api import DAYS, META, T1, Call, an_event, fill
from support.bounds import at_the_bound
from support.clock import FrozenClock

WIDE = {
    "time_range": {"start_date": "2026-10-30", "end_date": "2026-11-02"},
    "metrics": [{"name": "spend"}, {"name": "roas"}],
    "dimensions": [{"name": "date"}, {"name": "ad"}, {"name": "account"}],
}


BANK = Platform("bank")
MARGIN = 30.0
"""Seconds: a tenth of the function's time."""


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"ETL_QUEUE_URL": boto3.client("sqs").create_queue(QueueName="etl")["QueueUrl"]}


@pytest.fixture
def few(api: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ads in two ad accounts with two days each: eight groups, and an answer holds three."""
    fill(api)
    monkeypatch.setattr(limits, "MAX_QUERY_GROUPS", 3)


def waiting(api: ModuleType) -> list[MakeExport]:
    sqs, url = boto3.client("sqs"), api.app.settings.etl_queue_url
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [MakeExport.model_validate_json(message["Body"]) for message in messages]


def make(api: ModuleType, remaining: Callable[[], float] = lambda: 600.0) -> int:
    """Work on the queue until it is empty, as etl does; how many messages that took."""
    count = 0
    while messages := waiting(api):
        for message in messages:
            count += 1
            try:
                exporter_of(api.app).make(message, remaining)
            except AdweirError as error:
                exporter_of(api.app).fail(message.export_id, error.message)
    return count


def file_of(api: ModuleType, found: dict[str, Any]) -> str:
    key = "exports/" + urlsplit(found["download_url"]).path.partition("exports/")[2]
    return str(api.app.raw.get_bytes(key).decode())


def whole(api: ModuleType, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any]) -> str:
    """The same report in one answer."""
    with monkeypatch.context() as patch:
        patch.setattr(limits, "MAX_QUERY_GROUPS", 300_000)
        return str(api.handler(an_event("POST", "/api/v1/reports", body), SimpleNamespace())["body"])


@pytest.mark.usefixtures("few")
def test_a_report_that_is_too_large_is_an_export_with_the_same_rows(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    # when a report with too many rows is asked for, twice
    body = WIDE | {"format": "csv"}
    answer = api.handler(an_event("POST", "/api/v1/reports", body), SimpleNamespace())
    again = call("POST", "/api/v1/reports", body, expect=202)
    # then it is one export, which says that it is being made
    path = answer["headers"]["Location"]
    assert (answer["statusCode"], path) == (202, f"/api/v1/exports/{again['export_id']}")
    running = call("GET", path)
    assert (running["state"], running["download_url"], running["rows"]) == ("running", None, None)
    # when it is made, then its file has the rows that one answer would have
    assert make(api) == 1
    ready = call("GET", path)
    assert (ready["state"], ready["rows"], ready["format"]) == ("ready", 8, "csv")
    lines = file_of(api, ready).splitlines()
    expected = whole(api, monkeypatch, body).splitlines()
    assert (lines[0], sorted(lines[1:])) == (expected[0], sorted(expected[1:]))
    # and the same request now has its file at once
    call("POST", "/api/v1/reports", body, expect=202)
    assert make(api) == 0


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("start", ["2026-10-30", "2026-10-31T00:30:00+01:00"])
def test_a_worker_without_time_hands_on_and_the_head_adds_up_over_all_parts(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    # given that a part has room for one day, and an invocation time for one part
    monkeypatch.setattr(limits, "MAX_EXPORT_GROUPS", 4)
    # and rates of the two days in which the ads have amounts, so that the parts have to add up those, too
    rates = [{"base": "EUR", "quote": "USD", "date": day, "rate": "1.0845"} for day in ("2026-11-01", "2026-11-02")]
    api.app.catalog.put_references("acc", "rates", [ReferenceRow(BANK, series_id(one), one) for one in rates], T1)
    body = WIDE | {"format": "json", "time_range": {"start_date": start, "end_date": "2026-11-02"}, "convert_to": "EUR"}
    path = "/api/v1/exports/" + call("POST", "/api/v1/reports", body, expect=202)["export_id"]
    # when it is made, with a part's message delivered twice
    begun = waiting(api)
    exporter_of(api.app).make(begun[0], lambda: MARGIN)
    again = waiting(api)
    assert [message.part for message in again] == [1]
    for message in (begun[0], again[0]):
        api.app.queues.etl.send(message)
    messages = make(api, lambda: MARGIN)
    # then the file says what one answer says
    assert messages > 3
    found = json.loads(file_of(api, call("GET", path)))
    expected = json.loads(whole(api, monkeypatch, body))
    by_row = lambda row: sorted(map(str, row.items()))  # noqa: E731
    assert [each["date"] for each in found["conversion"]["rates"]] == ["2026-11-01", "2026-11-02"]
    assert sorted(found.pop("data"), key=by_row) == sorted(expected.pop("data"), key=by_row)
    assert found == expected


@pytest.mark.usefixtures("few")
def test_an_export_that_cannot_be_made_says_why_and_can_be_asked_for_again(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a report whose rows cannot be divided by days
    monkeypatch.setattr(limits, "MAX_EXPORT_GROUPS", 3)
    body = WIDE | {"format": "csv", "dimensions": [{"name": "ad"}, {"name": "account"}]}
    path = "/api/v1/exports/" + call("POST", "/api/v1/reports", body, expect=202)["export_id"]
    make(api)
    failed = call("GET", path)
    assert (failed["state"], failed["download_url"]) == ("failed", None)
    assert "more than 3 groups" in failed["reason"]
    # when there is room for it and it is asked for again, then it is made
    monkeypatch.setattr(limits, "MAX_EXPORT_GROUPS", 4)
    call("POST", "/api/v1/reports", body, expect=202)
    make(api)
    assert call("GET", path)["state"] == "ready"
    # and what people read stays an answer, or none
    call("POST", "/api/v1/reports", body | {"format": "html"}, expect=413)


@pytest.mark.usefixtures("few")
def test_an_export_is_of_its_key_s_accounts_and_ends(call: Call, api: ModuleType, clock: FrozenClock) -> None:
    found = call("POST", "/api/v1/reports", WIDE | {"format": "csv"}, expect=202)
    path = f"/api/v1/exports/{found['export_id']}"
    event = an_event("GET", path, scopes="read")
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = "acc_other"
    assert api.handler(event, SimpleNamespace())["statusCode"] == 404
    # a worker that never ends it: after six hours it has failed; its week is over, and there is none
    clock.advance(timedelta(hours=6).total_seconds())
    assert "did not end in time" in call("GET", path)["reason"]
    clock.advance(timedelta(days=7).total_seconds())
    call("GET", path, expect=404)
    call("GET", "/api/v1/exports/exp_nobody", expect=404)


@at_the_bound("MAX_EXPORT_GROUPS", as_if=4)
@pytest.mark.usefixtures("few")
def test_a_part_has_at_most_so_many_groups(call: Call, api: ModuleType, size: int, fits: bool) -> None:
    day = {"start_date": "2026-11-01", "end_date": "2026-11-01"}
    body = WIDE | {"format": "csv", "time_range": day}
    path = "/api/v1/exports/" + call("POST", "/api/v1/reports", body, expect=202)["export_id"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "MAX_EXPORT_GROUPS", limits.MAX_EXPORT_GROUPS + 4 - size)
        make(api)
    assert call("GET", path)["state"] == ("ready" if fits else "failed")


@at_the_bound("MAX_EXPORT_BYTES", as_if=200)
@pytest.mark.usefixtures("few")
def test_an_export_s_file_has_at_most_so_many_bytes(call: Call, api: ModuleType, size: int, fits: bool) -> None:
    body = WIDE | {"format": "csv", "metrics": [{"name": "spend"}]}
    path = "/api/v1/exports/" + call("POST", "/api/v1/reports", body, expect=202)["export_id"]
    rows = 8 * len("2026-11-01,a1,111,EUR,1.234567\r\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "MAX_EXPORT_BYTES", rows + 200 - size)
        make(api)
    found = call("GET", path)
    assert found["state"] == ("ready" if fits else "failed")


def asked(call: Call, body: dict[str, Any]) -> str:
    """The path of the export of a report."""
    return "/api/v1/exports/" + str(call("POST", "/api/v1/reports", body, expect=202)["export_id"])


def same_rows(api: ModuleType, found: dict[str, Any], expected: str) -> bool:
    """Whether an export that is ready has the rows of an answer in CSV, in any order."""
    assert found["state"] == "ready", found
    return sorted(file_of(api, found).splitlines()) == sorted(expected.splitlines())


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-11-01T00:30:00+01:00", "2026-11-02"), ("2026-11-01", "2026-11-02T12:00:00Z")],
)
def test_days_at_a_moment_s_edge_that_have_too_many_groups_fail(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch, start: str, end: str
) -> None:
    # given two days that cannot be parted, because one ends or begins at another hour in other ad accounts
    monkeypatch.setattr(limits, "MAX_EXPORT_GROUPS", 7)
    path = asked(call, WIDE | {"format": "csv", "time_range": {"start_date": start, "end_date": end}})
    looks = 0

    def remaining() -> float:
        nonlocal looks
        looks += 1
        assert looks < 100, "it tries the same again and again"
        return 600.0

    make(api, remaining)
    assert "more than 7 groups" in call("GET", path)["reason"]


@pytest.mark.usefixtures("few")
def test_a_part_that_takes_longer_than_an_invocation_is_cut_for_the_next_one(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given that an invocation has time for five rows
    monkeypatch.setattr(query, "_LOOKS", 1)
    body = WIDE | {"format": "csv"}
    path = asked(call, body)
    while messages := waiting(api):
        for message in messages:
            looks = repeat(600.0, 5)
            exporter_of(api.app).make(message, partial(next, looks, 0.0))
    # then parts of a day are made, one in each
    assert same_rows(api, call("GET", path), whole(api, monkeypatch, body))


@pytest.mark.usefixtures("few")
def test_two_workers_that_cut_the_range_differently_make_the_same_file(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a message that was delivered twice
    body = WIDE | {"format": "csv"}
    path = asked(call, body)
    (message,) = waiting(api)
    put = api.app.raw.put

    def meet(key: str, *args: Any, **options: Any) -> None:
        put(key, *args, **options)
        if key.endswith("state-2.json"):
            monkeypatch.setattr(api.app.raw, "put", put)
            with monkeypatch.context() as roomy:
                roomy.setattr(limits, "MAX_EXPORT_GROUPS", 8)
                exporter_of(api.app).make(message, lambda: 600.0)

    # when a worker with room for a day meets, in the middle, one with room for a month
    monkeypatch.setattr(limits, "MAX_EXPORT_GROUPS", 4)
    monkeypatch.setattr(api.app.raw, "put", meet)
    exporter_of(api.app).make(message, lambda: 600.0)
    # then no row is there twice
    assert same_rows(api, call("GET", path), whole(api, monkeypatch, body))


@pytest.mark.usefixtures("few")
def test_what_is_left_of_an_earlier_asking_is_no_part_of_the_next(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
) -> None:
    # given an export that was given up after two of its parts, with a message on its way
    monkeypatch.setattr(limits, "MAX_EXPORT_GROUPS", 4)
    body = WIDE | {"format": "csv"}
    path = asked(call, body)
    for _ in range(2):
        (message,) = waiting(api)
        exporter_of(api.app).make(message, lambda: MARGIN)
    (old,) = waiting(api)
    exporter_of(api.app).fail(old.export_id, "late")
    # when other numbers are loaded, and it is asked for again
    clock.advance(60)
    rows = PullRows()
    rows.offer(MetricRow("g1~a1", "2026-11-01", 1, 1, 1, 1, 1, "c1", "g1", -1, "EUR"))
    stamp = Stamp("2026-11-20T01:00:00.000000Z", "t2")
    pull = Pull(META, "111", Level.AD, Grain.DAY, Source.PULL, "all", DAYS, stamp, complete=True)
    api.app.metrics.load(pull, rows, accept_vanish=True)
    clock.advance(60)
    assert asked(call, body) == path
    exporter_of(api.app).make(old, lambda: 600.0)
    make(api)
    # then all of its rows are of the second time
    assert same_rows(api, call("GET", path), whole(api, monkeypatch, body))


RECORDS = {
    "data_type": "ad_performance",
    "filters": {"date_range": {"start": "2026-10-30", "end": "2026-11-02"}},
    "limit": 1,
    "offset": 2,
}
RETRIEVE = "/api/v1/data_pipeline/retrieve"


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("data_type", ["ad_performance", "account_performance", "ads"])
def test_records_that_are_too_many_are_an_export_of_all_of_them(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch, data_type: str
) -> None:
    # given that two days fit into a part, and an invocation has time for one part
    monkeypatch.setattr(limits, "MAX_QUERY_GROUPS", 1)
    monkeypatch.setattr(limits, "MAX_EXPORT_GROUPS", 4)
    body = RECORDS | {"data_type": data_type}
    # when they are asked for, by pages or not
    answer = api.handler(an_event("POST", RETRIEVE, body), SimpleNamespace())
    again = call("POST", RETRIEVE, body | {"offset": 0, "paged": True}, expect=202)
    path = answer["headers"]["Location"]
    assert (answer["statusCode"], path) == (202, f"/api/v1/exports/{again['export_id']}")
    make(api, lambda: MARGIN)
    # then the file is what one answer would be
    ready = call("GET", path)
    found = json.loads(file_of(api, ready))
    with monkeypatch.context() as patch:
        patch.setattr(limits, "MAX_QUERY_GROUPS", 300_000)
        expected = call("POST", RETRIEVE, body | {"limit": 100, "offset": 0})
    by_row = lambda row: sorted(map(str, row.items()))  # noqa: E731
    records = sorted(found["result"].pop("records"), key=by_row)
    assert records == sorted(expected["result"].pop("records"), key=by_row)
    assert found == expected
    assert (ready["format"], ready["rows"]) == ("json", len(records))


@pytest.mark.usefixtures("few")
def test_exported_records_are_those_of_the_key_s_accounts(call: Call, api: ModuleType) -> None:
    # when a key of another account asks for what a key of all has asked for
    everything = call("POST", RETRIEVE, RECORDS, expect=202)["export_id"]
    event = an_event("POST", RETRIEVE, RECORDS, scopes="read")
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = "acc_other"
    assert json.loads(api.handler(event, SimpleNamespace())["body"])["result"]["records"] == []
    # and its own key for too much
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = "acc"
    own = json.loads(api.handler(event, SimpleNamespace())["body"])["export_id"]
    # then it has an export of its own, and sees no other
    assert own != everything
    make(api)
    for export_id, accounts, status in ((own, "acc", 200), (own, "acc_other", 404), (everything, "acc", 404)):
        asked = an_event("GET", f"/api/v1/exports/{export_id}", scopes="read")
        asked["requestContext"]["authorizer"]["lambda"]["accounts"] = accounts
        assert api.handler(asked, SimpleNamespace())["statusCode"] == status


@pytest.mark.usefixtures("few")
def test_objects_that_are_too_many_to_page_through_are_an_export(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_KEPT_RECORDS", 0)
    body = {"data_type": "campaigns", "limit": 1, "paged": True}
    path = "/api/v1/exports/" + call("POST", RETRIEVE, body, expect=202)["export_id"]
    make(api)
    found = json.loads(file_of(api, call("GET", path)))["result"]
    assert found["records"] == call("POST", RETRIEVE, body | {"paged": False, "limit": 9})["result"]["records"]
    assert (found["total"], found["coverage"]) == (2, [])


@pytest.mark.usefixtures("few")
def test_a_retrieve_without_time_is_an_export(call: Call, api: ModuleType, clock: FrozenClock) -> None:
    # given a function whose time for reading is over at once
    api.app.settings = api.app.settings.model_copy(update={"function_timeout_seconds": 0})
    clock.monotonic = lambda: next(ticks)  # type: ignore[method-assign]
    ticks = iter(range(1000))
    call("POST", RETRIEVE, RECORDS | {"data_type": "campaigns"}, expect=200)
    call("POST", RETRIEVE, RECORDS, expect=202)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    "more",
    [
        {"order": ["-spend_difference"], "limit": 1, "names": True, "compare": "previous_period"},
        {"order": ["-roas", "ad"], "time_range": "last_19_days"},
        {"compare": {"start_date": "2026-10-26", "end_date": "2026-10-29"}},
        {"time_range": "last_19_days"},
    ],
)
def test_what_needs_all_rows_at_once_is_exported_as_one_answer_has_it(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    body = WIDE | more
    path = "/api/v1/exports/" + call("POST", "/api/v1/reports", body, expect=202)["export_id"]
    assert make(api) == 1

    made, answered = (json.loads(text) for text in (file_of(api, call("GET", path)), whole(api, monkeypatch, body)))
    made["data"].sort(key=str)
    answered["data"].sort(key=str)
    assert made == answered


@pytest.mark.usefixtures("few")
def test_relative_days_are_another_export_when_it_may_be_another_day(call: Call, clock: FrozenClock) -> None:
    """Midnight comes to some time zone at every quarter of an hour."""

    def export(range_: Any) -> str:
        return str(call("POST", "/api/v1/reports", WIDE | {"time_range": range_}, expect=202)["export_id"])

    words = "last_19_days"
    before = export(words), export(WIDE["time_range"])
    clock.advance(600)
    assert (export(words), export(WIDE["time_range"])) == before
    clock.advance(600)
    assert export(words) != before[0]
    assert export(WIDE["time_range"]) == before[1]
