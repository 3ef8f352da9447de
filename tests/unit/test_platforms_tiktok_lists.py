"""TikTok's connector against a loopback server that speaks the wire: lists, and what goes wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.errors import AuthExpired, RequestRejected, Throttled, TooMuchData, Transient
from adweir.model.times import Window
from adweir.platforms.tiktok_ads import client as tiktok
from adweir.platforms.tiktok_ads.client import TikTokConnector
from support.platforms import TIKTOK_ADS, wiring
from support.stub_http import Answer, Call, StubServer
from support.tiktok_wire import (
    CREDENTIAL,
    NEWEST,
    SECRET,
    WEEK,
    advertisement,
    by_path,
    connecting,
    envelope,
    listed,
    rows,
    task,
)

REPORT = "/report/integrated/get/"


@pytest.fixture
def connector(stub: StubServer, clock: Any) -> Iterator[TikTokConnector]:
    with connecting(stub, clock) as made:
        yield made()


# -- lists ------------------------------------------------------------------------------------------------------------


def test_lists_have_deleted_objects_top_view_and_promoted_posts_too(
    connector: TikTokConnector, stub: StubServer
) -> None:
    # given
    group = {"adgroup_id": "2", "campaign_id": "1"}
    stub.route = by_path(
        {"/adgroup/get/": lambda call: listed([group] if "AUCTION" in call.query["filtering"] else [])}
    )
    # when
    pages = list(connector.pages(task(Dataset.AD_GROUPS, window=None)))
    # then
    asked = [(json.loads(call.query["filtering"]), call.query["page_size"]) for call in stub.calls]
    assert asked == [
        ({"buying_types": ["AUCTION", "RESERVATION_RF"], "primary_status": "STATUS_ALL"}, "1000"),
        ({"buying_types": ["RESERVATION_TOP_VIEW"], "primary_status": "STATUS_ALL"}, "100"),
        ({"campaign_system_origins": ["PROMOTE"], "primary_status": "STATUS_ALL"}, "1000"),
    ]
    assert [page.last for page in pages] == [False, False, True]


def test_campaigns_that_no_report_has_are_on_pages_of_their_own(connector: TikTokConnector, stub: StubServer) -> None:
    # given a shop
    shop: dict[str, Any] = {
        "/campaign/get/": listed([{"campaign_id": "1"}]),
        "/gmv_max/campaign/get/": listed([{"campaign_id": "1"}]),
    }
    stub.route = by_path(shop)
    # when
    pages = list(connector.pages(task(Dataset.CAMPAIGNS, window=None, slice="campaign=1")))
    # then
    usual, gmv_max = [("", False)] * 3, [("apart", False), ("apart", True)]
    assert [(page.label, page.last) for page in pages] == [*usual, *gmv_max]
    # and an app that may not see a shop has all the others
    stub.route = by_path(shop | {"/gmv_max/campaign/get/": envelope({}, 40001, "no permission")})
    pages = list(connector.pages(task(Dataset.CAMPAIGNS, window=None, slice="campaign=1")))
    assert [(page.label, page.last) for page in pages] == [("", False), ("", False), ("", True)]
    assert all(json.loads(call.query["filtering"])["campaign_ids"] == ["1"] for call in stub.calls)


def test_a_list_that_moved_while_it_was_read_is_read_anew(connector: TikTokConnector, stub: StubServer) -> None:
    stub.script = [Answer(200, listed([{"adgroup_id": "1"}], 1, 2, 2)), Answer(200, listed([], 2, 2, 2))]
    with pytest.raises(Transient):
        list(connector.pages(task(Dataset.AD_GROUPS, window=None)))


def test_ads_come_with_what_tiktok_says_about_their_media(connector: TikTokConnector, stub: StubServer) -> None:
    # given an image that may not be seen
    def images(call: Call) -> Any:
        ids = json.loads(call.query["image_ids"])
        if "hidden" in ids:
            return envelope({}, 40002, "not found")
        return envelope({"list": [{"image_id": one, "image_url": f"https://img/{one}"} for one in ids]})

    shown = [advertisement(image_ids=[one]) | {"ad_id": str(at)} for at, one in enumerate(("hidden", "a", "b"), 1)]
    stub.route = by_path(
        {
            "/ad/get/": lambda call: listed(shown if "AUCTION" in call.query["filtering"] else []),
            "/file/image/ad/info/": images,
            "/file/video/ad/info/": envelope(
                {"list": [{"video_id": "v10033g50000invented", "preview_url": "https://v"}]}
            ),
        }
    )
    # when
    first, _, last = connector.pages(task(Dataset.ADS, window=None))
    # then
    held = json.loads(first.content())
    urls = {one.get("image_url") for answer in held["answers"] for one in answer["data"]["list"]}
    assert urls == {"https://img/a", "https://img/b", None}
    assert (first.label, last.label, last.last) == ("with_media", "", True)


def test_advertisers_are_described_by_the_hundred_and_no_secret_stands_in_a_url(
    connector: TikTokConnector, stub: StubServer
) -> None:
    # given
    ids = [{"advertiser_id": str(number), "advertiser_name": "x"} for number in range(150)]
    stub.route = by_path(
        {"/oauth2/advertiser/get/": envelope({"list": ids}), "/advertiser/info/": envelope({"list": []})}
    )
    # when
    pages = list(connector.profiles())
    # then
    assert [page.last for page in pages] == [False, True]
    assert [len(json.loads(call.query["advertiser_ids"])) for call in stub.calls[1:]] == [100, 50]
    assert stub.calls[0].query == {"app_id": SECRET["app_id"], "secret": SECRET["secret"]}
    assert not any(SECRET["secret"] in page.url for page in pages)


def test_a_token_without_advertisers_lists_none(connector: TikTokConnector, stub: StubServer) -> None:
    stub.route = by_path({"/oauth2/advertiser/get/": envelope({"list": []})})
    (page,) = connector.pages(task(Dataset.PROFILES, window=None))
    assert page.last
    assert SECRET["secret"] not in page.url


def test_a_partial_list_has_no_end_and_narrows_no_report(connector: TikTokConnector, stub: StubServer) -> None:
    partial = {"code": 20001, "message": "partial"}
    ids = [{"advertiser_id": str(number)} for number in range(150)]
    infos = iter([envelope({"list": []}) | partial, envelope({"list": []})])
    answers = {"/oauth2/advertiser/get/": envelope({"list": ids}), "/advertiser/info/": lambda _: next(infos)}
    stub.route = by_path(
        answers
        | {
            "/campaign/get/": listed([{"campaign_id": "1"}]) | partial,
            REPORT: lambda _: Answer(200, listed(rows(1)), NEWEST),
        }
    )
    assert [page.last for page in connector.profiles()] == [False, False]
    with pytest.raises(Transient):
        list(connector.pages(task()))


def test_a_list_without_an_end_is_given_up(
    connector: TikTokConnector, stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adweir.platforms.tiktok_ads.paging.LAST_PAGE", 3)
    entry = {"adgroup_id": "1", "campaign_id": "1"}
    stub.route = by_path(
        {
            "/adgroup/get/": lambda call: listed([entry], int(call.query["page"]), 9, 9),
            REPORT: lambda call: listed(rows(1, int(call.query["page"])), int(call.query["page"]), 9, 9),
        }
    )
    for endless in (task(Dataset.AD_GROUPS, window=None), task(window=Window(WEEK.start, WEEK.start))):
        with pytest.raises(TooMuchData):
            list(connector.pages(endless))


def test_what_tiktok_says_beside_its_answers_is_in_the_log_once(
    connector: TikTokConnector, stub: StubServer, caplog: pytest.LogCaptureFixture
) -> None:
    ending = {"X-Api-Deprecation-Info": "ends on 2027-01-01"}
    half = {REPORT: lambda _: Answer(200, listed(rows(1)) | {"code": 20001, "message": "half"}, ending)}
    stub.route = by_path({"/campaign/get/": listed([])} | half)
    with caplog.at_level(logging.WARNING, "adweir.parts"):
        for _ in range(2):
            list(connector.pages(task()))
    assert [(record.path, record.said) for record in caplog.records] == [  # type: ignore[attr-defined]
        (REPORT, "ends on 2027-01-01"),
        (REPORT, "half"),
    ]


# -- faults -----------------------------------------------------------------------------------------------------------


def test_a_request_is_not_repeated_at_once(connector: TikTokConnector, stub: StubServer) -> None:
    stub.route = lambda _: Answer(503, b"upstream request timeout")
    with pytest.raises(Throttled) as caught:
        list(connector.pages(task()))
    assert (caught.value.retry_after, caught.value.guessed, len(stub.calls)) == (300.0, True, 1)


def test_a_time_out_is_waited_for_and_a_broken_connection_is_transient(
    connector: TikTokConnector, stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.route = lambda _: Answer(200, listed(rows(50)), hang_up=True)
    with pytest.raises(Transient):
        list(connector.pages(task()))

    def slow(*_: Any, **__: Any) -> None:
        raise requests.ReadTimeout

    monkeypatch.setattr(requests.Session, "request", slow)
    with pytest.raises(Throttled) as caught:
        list(connector.pages(task()))
    assert caught.value.retry_after == 300.0


def test_statistics_that_took_too_long_are_asked_once_more(connector: TikTokConnector, stub: StubServer) -> None:
    slow = Answer(200, envelope({}, 51010, "internal time out"))
    stub.script = [slow, Answer(200, listed(rows(1)))]
    assert len(list(connector.pages(task()))) == 1
    stub.script = [slow, slow]
    with pytest.raises(TooMuchData):
        list(connector.pages(task()))
    stub.script = [slow, slow]
    with pytest.raises(Transient):
        list(connector.pages(task(window=Window(WEEK.start, WEEK.start))))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(200, b"<html>Just a moment</html>"), Transient),
        (Answer(404, b"404 page not found"), RequestRejected),
        (Answer(429, b"slow down", {"Retry-After": "7"}), Throttled),
        (Answer(200, b'{"code":0,"data":{"list":7,"page_info":{}}}'), Transient),
        (Answer(200, b'{"code":0}'), Transient),
        (Answer(200, b"[]"), Transient),
    ],
)
def test_an_answer_without_an_envelope_is_no_rows(
    connector: TikTokConnector, stub: StubServer, answer: Answer, kind: type[Exception]
) -> None:
    stub.route = lambda _: answer
    with pytest.raises(kind):
        list(connector.pages(task()))


def test_a_credential_that_is_none_is_expired(clock: Any) -> None:
    with requests.Session() as session, pytest.raises(AuthExpired):
        tiktok.connect(credential=CREDENTIAL, secret={"access_token": "x"}, wiring=wiring(TIKTOK_ADS, session, clock))
