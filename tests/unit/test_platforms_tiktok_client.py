"""TikTok's connector against a loopback server that speaks the wire: reports and asynchronous tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import AuthExpired, RequestRejected, TooMuchData, Transient
from adweir.model.times import Window
from adweir.platforms.connector import Mode, ReportState
from adweir.platforms.tiktok_ads.client import TikTokConnector
from support.stub_http import Answer, Call, StubServer
from support.tiktok_wire import (
    ADVERTISER,
    NEWEST,
    SECRET,
    WEEK,
    by_path,
    connecting,
    envelope,
    listed,
    report_row,
    rows,
    task,
)

REPORT = "/report/integrated/get/"
Connect = Callable[..., TikTokConnector]


@pytest.fixture
def connect(stub: StubServer, clock: Any) -> Iterator[Connect]:
    with connecting(stub, clock) as made:
        yield made


@pytest.fixture
def connector(connect: Connect) -> TikTokConnector:
    return connect()


# -- reports ----------------------------------------------------------------------------------------------------------


def test_a_report_asks_for_deleted_ads_too_and_goes_to_its_last_page(
    connector: TikTokConnector, stub: StubServer
) -> None:
    # given two pages
    stub.route = by_path(
        campaigns(0)
        | {REPORT: lambda call: listed(rows(2, 2 * int(call.query["page"])), int(call.query["page"]), 2, 4)}
    )
    # when a week is pulled
    pages = list(connector.pages(task()))
    # then the question is the documented one, lists are JSON text, and only the last page is the end
    first, second = (call for call in stub.calls if call.path.endswith(REPORT))
    assert first.path == "/open_api/v1.3/report/integrated/get/"
    assert first.headers["Access-Token"] == SECRET["access_token"]
    wanted = {
        "advertiser_id": ADVERTISER, "service_type": "AUCTION", "report_type": "BASIC", "data_level": "AUCTION_AD",
        "start_date": "2026-11-01", "end_date": "2026-11-07", "page": "1", "page_size": "1000",
    }  # fmt: skip
    assert wanted.items() <= first.query.items()
    assert json.loads(first.query["dimensions"]) == ["ad_id", "stat_time_day"]
    assert json.loads(first.query["filtering"]) == [
        {"field_name": "ad_status", "filter_type": "IN", "filter_value": '["STATUS_ALL"]'}
    ]
    metrics = json.loads(first.query["metrics"])
    assert {"spend", "conversion", "total_complete_payment_rate", "video_views_p100", "adgroup_id"} <= set(metrics)
    assert len(metrics) <= 100
    assert second.query["page"] == "2"
    assert [page.last for page in pages] == [False, True]


@pytest.mark.parametrize(
    ("dataset", "asked"),
    [
        (Dataset.ACCOUNT_DAILY, ("ADVERTISER", ["advertiser_id"], [])),
        (Dataset.CAMPAIGN_DAILY, ("CAMPAIGN", ["campaign_id"], ["campaign_status"])),
        (Dataset.AD_GROUP_DAILY, ("ADGROUP", ["adgroup_id"], ["adgroup_status"])),
        (Dataset.AD_BY_AGE_GENDER_DAILY, ("AD", ["ad_id", "age", "gender"], ["ad_status"])),
        (Dataset.AD_BY_COUNTRY_DAILY, ("AD", ["ad_id", "country_code"], ["ad_status"])),
        (Dataset.AD_BY_REGION_DAILY, ("AD", ["ad_id", "province_id"], ["ad_status"])),
        (Dataset.CAMPAIGN_BY_REGION_DAILY, ("CAMPAIGN", ["campaign_id", "province_id"], ["campaign_status"])),
        (Dataset.AD_BY_DEVICE_DAILY, ("AD", ["ad_id", "platform"], ["ad_status"])),
        (Dataset.AD_BY_PLACEMENT_DAILY, ("AD", ["ad_id", "placement"], ["ad_status"])),
    ],
)
def test_each_level_sends_its_own_status_filter_and_no_other(
    connector: TikTokConnector, stub: StubServer, dataset: Dataset, asked: tuple[str, list[str], list[str]]
) -> None:
    # given
    level, (own, *values), status = asked
    stub.route = by_path({REPORT: listed([])})

    # when
    list(connector.pages(task(dataset)))

    # then an `ad_id_v2` row would contain the creatives' `ad_id` rows: the two are never asked for together
    query = stub.calls[0].query
    assert query["data_level"] == f"AUCTION_{level}"
    assert json.loads(query["dimensions"]) == [own, "stat_time_day", *values]
    assert [found["field_name"] for found in json.loads(query.get("filtering", "[]"))] == status
    assert query["report_type"] == ("AUDIENCE" if values else "BASIC")
    assert ("complete_payment" in query["metrics"]) == (not values)


def test_hours_are_of_one_day_and_days_of_thirty(connector: TikTokConnector, stub: StubServer) -> None:
    stub.route = by_path({REPORT: listed([])})
    day = Window(WEEK.start, WEEK.start)
    list(connector.pages(task(Dataset.CAMPAIGN_HOURLY, window=day)))
    assert json.loads(stub.calls[0].query["dimensions"]) == ["campaign_id", "stat_time_hour"]
    for dataset, window in ((Dataset.CAMPAIGN_HOURLY, WEEK), (Dataset.AD_DAILY, Window(day.start, date(2026, 12, 1)))):
        with pytest.raises(TooMuchData):
            list(connector.pages(task(dataset, window=window)))


def test_a_campaign_s_slice_is_narrowed_to_it(connector: TikTokConnector, stub: StubServer) -> None:
    stub.route = by_path({REPORT: listed([])})
    list(connector.pages(task(slice="campaign=77")))
    assert json.loads(stub.calls[0].query["filtering"])[1]["filter_value"] == '["77"]'
    for wrong in (task(slice="sp"), task(Dataset.ACCOUNT_DAILY, slice="campaign=77"), task(slice="campaign=x")):
        with pytest.raises(RequestRejected):
            list(connector.pages(wrong))


@pytest.mark.parametrize(
    "second",
    [
        listed(rows(2, 1), 2, 2, 4),
        listed(rows(2, 2), 2, 2, 5),
        listed(rows(1, 2), 2, 2, 4),
        envelope({"list": rows(2, 2)}),
    ],
    ids=["a row twice", "another total", "a row less", "no page_info"],
)
def test_a_report_that_moved_while_it_was_read_is_read_anew(
    connector: TikTokConnector, stub: StubServer, second: Any
) -> None:
    stub.script = [Answer(200, listed(rows(2), 1, 2, 4)), Answer(200, second)]
    with pytest.raises(Transient):
        list(connector.pages(task()))


def test_a_partial_success_brings_rows_and_no_end(connector: TikTokConnector, stub: StubServer) -> None:
    stub.route = by_path({REPORT: listed(rows(2)) | {"code": 20001, "message": "partial"}})
    (page,) = connector.pages(task())
    assert (page.last, b"1800000" in page.content()) == (False, True)


def test_too_many_pages_halve_the_window_unless_it_is_a_day(connector: TikTokConnector, stub: StubServer) -> None:
    stub.route = by_path(
        {REPORT: lambda call: listed(rows(1, int(call.query["page"])), int(call.query["page"]), 101, 101)}
    )
    with pytest.raises(TooMuchData) as caught:
        list(connector.pages(task()))
    assert len(connector.narrower(task(), caught.value)) == 2
    day = task(window=Window(WEEK.start, WEEK.start))
    assert len(list(connector.pages(day))) == 101


# -- accounts with more ads than a report covers ----------------------------------------------------------------------


def campaigns(count: int) -> dict[str, Any]:
    found = [{"campaign_id": str(number)} for number in range(1, count + 1)]
    return {"/campaign/get/": lambda call: listed(found if "AUCTION" in call.query["filtering"] else [])}


def asked_campaigns(call: Call) -> list[str]:
    found: list[str] = []
    for part in json.loads(call.query["filtering"]):
        if part["field_name"] == "campaign_ids":
            found = json.loads(part["filter_value"])
    return found


def test_a_report_of_the_newest_ads_only_is_asked_for_campaign_by_campaign(
    connector: TikTokConnector, stub: StubServer
) -> None:
    # given 40 campaigns, of which no more than 8 fit into a report
    def report(call: Call) -> Any:
        ids = asked_campaigns(call)
        if not ids or len(ids) > 8:
            return Answer(200, listed(rows(1)), NEWEST)
        return listed([report_row({"ad_id": f"9{one}"}) for one in ids])

    stub.route = by_path(campaigns(40) | {REPORT: report})
    # when
    pages = list(connector.pages(task()))
    # then each campaign's ads came once, in an answer that covers all of them
    found = [row["dimensions"]["ad_id"] for page in pages for row in json.loads(page.content())["data"]["list"]]
    assert sorted(found) == sorted(f"9{number}" for number in range(1, 41))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert max(len(asked_campaigns(call)) for call in stub.calls if call.path.endswith(REPORT)) == 30


def test_a_campaign_with_too_many_ads_needs_a_task_that_the_app_may_make(
    connect: Connect, connector: TikTokConnector, stub: StubServer
) -> None:
    # given
    stub.route = by_path(campaigns(1) | {REPORT: lambda _: Answer(200, listed(rows(1)), NEWEST)})

    # when
    with pytest.raises(TooMuchData) as caught:
        list(connector.pages(task()))
    with pytest.raises(TooMuchData) as of_account:
        list(connector.pages(task(Dataset.ACCOUNT_DAILY)))

    # then halving the window would not help: the ads are as many
    assert connector.narrower(task(), caught.value) == []
    (part,) = connect(async_reports="allowed").narrower(task(), caught.value)
    assert part.mode == Mode.REPORT
    assert connect(async_reports="allowed").narrower(part, caught.value) == []
    assert of_account.value.context["newest_only"]


def test_a_report_cut_in_the_middle_of_its_pages_is_read_anew(connector: TikTokConnector, stub: StubServer) -> None:
    stub.script = [Answer(200, listed(rows(2), 1, 2, 4)), Answer(200, listed(rows(2, 2), 2, 2, 4), NEWEST)]
    with pytest.raises(Transient):
        list(connector.pages(task()))


# -- asynchronous tasks -----------------------------------------------------------------------------------------------


def test_a_task_is_made_checked_and_its_file_read(connector: TikTokConnector, stub: StubServer) -> None:
    # given
    states = iter(["QUEUING", "PROCESSING", "SUCCESS"])
    stub.route = by_path(
        {
            "/report/task/create/": envelope({"task_id": "123"}),
            "/report/task/check/": lambda _: envelope({"status": next(states)}),
            "/report/task/download/": Answer(200, b"ad_id,stat_time_day\r\n"),
        }
    )
    wanted = task(mode=Mode.REPORT, slice="campaign=77")
    # when
    created = connector.create_report(wanted)
    seen = [connector.report(wanted, created.id).state for _ in range(3)]
    (page,) = connector.report_pages(wanted, created.id)
    # then
    body = json.loads(stub.calls[0].body)
    assert body["dimensions"] == ["ad_id", "stat_time_day"]
    assert (body["output_format"], body["enable_report_title_translation"]) == ("CSV_STRING", False)
    assert [part["field_name"] for part in body["filtering"]] == ["campaign_ids"]  # no other filter is taken
    assert seen == [ReportState.PENDING, ReportState.PENDING, ReportState.READY]
    # and it does not answer for deleted ads, which it leaves out
    assert (page.media, page.last) == ("csv", False)


def test_a_task_that_failed_says_why_and_one_that_is_refused_is_no_file(
    connector: TikTokConnector, stub: StubServer
) -> None:
    stub.route = by_path(
        {
            "/report/task/check/": envelope({"status": "FAILED", "message": "internal"}),
            "/report/task/download/": envelope({}, 40105, "revoked"),
        }
    )
    found = connector.report(task(), "123")
    assert (found.state, found.reason) == (ReportState.FAILED, "internal")
    with pytest.raises(AuthExpired):
        list(connector.report_pages(task(), "123"))
    with pytest.raises(RequestRejected):
        connector.report(task(), "../1")
