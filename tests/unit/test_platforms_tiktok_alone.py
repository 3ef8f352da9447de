"""What TikTok's lists and reports leave out unless it is asked for alone: TopView and promoted posts."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.times import Window
from adweir.platforms.tiktok_ads.client import TikTokConnector
from support.clock import FrozenClock
from support.stub_http import Call, StubServer
from support.tiktok_wire import WEEK, by_path, connecting, envelope, listed, report_row, task

REPORT = "/report/integrated/get/"


@pytest.fixture
def connector(stub: StubServer, clock: FrozenClock) -> Iterator[TikTokConnector]:
    with connecting(stub, clock) as made:
        yield made()


def test_top_view_and_promoted_posts_are_asked_for_alone_where_there_are_such_campaigns(
    connector: TikTokConnector, stub: StubServer
) -> None:
    # given a campaign of each, which the usual report leaves out
    alone = {"RESERVATION_TOP_VIEW": "71", "PROMOTE": "72"}

    def named(call: Call) -> list[str]:
        return [campaign for word, campaign in alone.items() if word in call.query.get("filtering", "")]

    def report(call: Call) -> Any:
        return listed([report_row({"ad_id": f"9{one}"}) for one in named(call) or ["1"]])

    stub.route = by_path(
        {"/campaign/get/": lambda call: listed([{"campaign_id": one} for one in named(call)]), REPORT: report}
    )
    # when ads are pulled
    pages = list(connector.pages(task()))
    # then their rows come after the others', each by the filter that the documents name, and the last page is the end
    found = [row["dimensions"]["ad_id"] for page in pages for row in json.loads(page.content())["data"]["list"]]
    assert found == ["91", "971", "972"]
    assert [page.last for page in pages] == [False, False, True]
    filters = [json.loads(call.query["filtering"]) for call in stub.calls if call.path.endswith(REPORT)]
    assert [[(one["field_name"], one["filter_value"]) for one in some] for some in filters] == [
        [("ad_status", '["STATUS_ALL"]')],
        [("ad_status", '["STATUS_ALL"]'), ("buying_type", '["RESERVATION_TOP_VIEW"]')],
        [("ad_status", '["STATUS_ALL"]'), ("campaign_system_origins", '["PROMOTE"]')],
    ]
    # and so are hours; the advertiser's own numbers have everything, a campaign's slice only its own
    for asked, reports in (
        (task(Dataset.CAMPAIGN_HOURLY, window=Window(WEEK.start, WEEK.start)), 3),
        (task(Dataset.ACCOUNT_DAILY), 1),
        (task(slice="campaign=71"), 2),
        (task(slice="campaign=5"), 1),
    ):
        stub.calls.clear()
        assert [page.last for page in connector.pages(asked)][-1]
        assert sum(call.path.endswith(REPORT) for call in stub.calls) == reports


def test_campaigns_of_which_a_part_is_listed_are_asked_for_all_the_same(
    connector: TikTokConnector, stub: StubServer
) -> None:
    part = listed([]) | {"code": 20001, "message": "partial"}
    stub.route = by_path({"/campaign/get/": part, REPORT: listed([report_row()])})
    assert [page.last for page in connector.pages(task())] == [False, False, True]


@pytest.mark.parametrize("refused", ["/campaign/get/", REPORT])
def test_an_app_that_may_not_ask_for_what_comes_alone_goes_without_and_says_so(
    connector: TikTokConnector, stub: StubServer, caplog: pytest.LogCaptureFixture, refused: str
) -> None:
    def answer(path: str, usual: Any) -> Callable[[Call], Any]:
        told = ("RESERVATION_TOP_VIEW", "PROMOTE")
        return lambda call: (
            envelope({}, 40002, "unsupported filter")
            if path == refused and any(word in call.query.get("filtering", "") for word in told)
            else listed(usual)
        )

    listing = answer("/campaign/get/", [{"campaign_id": "7"}])
    stub.route = by_path({"/campaign/get/": listing, REPORT: answer(REPORT, [report_row()])})
    with caplog.at_level(logging.WARNING, "adweir.parts"):
        (page,) = connector.pages(task())
    assert page.last
    assert {record.part for record in caplog.records} == {"top_view", "promoted"}  # type: ignore[attr-defined]
