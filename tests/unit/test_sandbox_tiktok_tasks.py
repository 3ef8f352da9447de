"""The sandbox's TikTok, reports that go wrong, that are made in the background, and those of a shop (GMV Max)."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox.platforms.tiktok_ads import STAND_IN
from sandbox.server import PlatformServer
from support.platform_server import running
from support.tiktok_caller import PLATFORM, TikTokCaller, condition


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        yield started


@pytest.fixture
def halden(server: PlatformServer) -> TikTokCaller:
    return TikTokCaller(server, "halden")


# -- switches ---------------------------------------------------------------------------------------------------------


def switched(server: PlatformServer, kind: str, **options: Any) -> None:
    server.outside.switches.turn_on({"kind": kind, "platform": PLATFORM, **options})


def test_too_many_ads_are_cut_with_code_0_and_a_header(server: PlatformServer) -> None:
    halden = TikTokCaller(server, "halden")
    switched(server, "silent_cut", ids=3)
    asked = {"report_type": "BASIC", "data_level": "AUCTION_AD", "dimensions": '["ad_id"]', "start_date": "2026-11-01"}

    def answer(**query: Any) -> requests.Response:
        return halden.ask("report/integrated/get", **asked, end_date="2026-11-20", page_size="1000", **query)

    cut, whole = answer(), answer(filtering=[condition("campaign_ids", *(c.id for c in halden.profile.campaigns))])
    assert ("X-Tt-Ads-Throttle" in cut.headers, cut.json()["code"], len(cut.json()["data"]["list"])) == (True, 0, 3)
    assert "X-Tt-Ads-Throttle" not in whole.headers
    assert len(whole.json()["data"]["list"]) > 3


@pytest.mark.parametrize("mode", ["repeat", "total"])
def test_drifting_pages_do_not_fit_together(server: PlatformServer, mode: str) -> None:
    halden = TikTokCaller(server, "halden")
    switched(server, "drifting_pages", mode=mode)
    first, second = (halden.report(page=page, page_size=50) for page in (1, 2))
    if mode == "total":
        assert second["page_info"]["total_number"] == first["page_info"]["total_number"] + 1
    else:
        assert first["list"][-1] == second["list"][0]


@pytest.mark.parametrize(
    ("mode", "metric", "value"),
    [("negative", "impressions", "-5"), ("text", "impressions", "many"), ("comma", "spend", "1.234,56")],
)
def test_one_row_is_malformed(server: PlatformServer, mode: str, metric: str, value: str) -> None:
    switched(server, "bad_row", mode=mode, metric=metric)
    rows = TikTokCaller(server, "halden").report()["list"]
    assert [row["metrics"][metric] for row in rows].count(value) == 1


def test_a_row_lacks_its_id_or_a_metric(server: PlatformServer) -> None:
    halden = TikTokCaller(server, "halden")
    switched(server, "bad_row", mode="no_key", times=1)
    assert sum("ad_id" not in row["dimensions"] for row in halden.report()["list"]) == 1
    switched(server, "bad_row", mode="no_metric", times=1)
    assert sum("spend" not in row["metrics"] for row in halden.report()["list"]) == 1


def test_a_report_is_too_large_empty_partial_or_broken_off(server: PlatformServer) -> None:
    halden = TikTokCaller(server, "halden")
    switched(server, "data_limit", rows=100, times=1)
    assert halden.refused()[0] == 40067
    switched(server, "empty", times=1)
    assert halden.report()["list"] == []
    switched(server, "partial", times=1)
    partial = halden.ask("report/integrated/get", report_type="BASIC", data_level="AUCTION_AD", dimensions=["ad_id"],
                         start_date="2026-11-01", end_date="2026-11-20").json()  # fmt: skip
    assert (partial["code"], len(partial["data"]["list"])) == (20001, 10)
    switched(server, "truncated_paging", times=1)
    assert set(halden.report(page_size=10)) == {"list"}
    switched(server, "truncated_paging", mode="cut", times=1)
    with pytest.raises(requests.exceptions.RequestException):
        halden.report(page_size=10)


# -- asynchronous reports ---------------------------------------------------------------------------------------------


def created(caller: TikTokCaller, **more: Any) -> dict[str, Any]:
    body = {"report_type": "BASIC", "data_level": "AUCTION_AD", "dimensions": ["ad_id", "stat_time_day"]}
    days = {"start_date": "2026-11-01", "end_date": "2026-11-20", "metrics": ["spend", "conversion"]}
    found: dict[str, Any] = caller.post("report/task/create", **(body | days | more)).json()
    return found


def finished(caller: TikTokCaller, task_id: str) -> list[str]:
    seen: list[str] = []
    deadline = time.monotonic() + 5
    while not seen or seen[-1] not in ("SUCCESS", "FAILED", "CANCELED"):
        assert time.monotonic() < deadline
        seen.append(caller.data("report/task/check", task_id=task_id)["status"])
        time.sleep(0.005)
    return list(dict.fromkeys(seen))


@pytest.mark.parametrize("titled", [True, False])
def test_a_task_becomes_a_csv_without_an_envelope(
    server: PlatformServer, monkeypatch: pytest.MonkeyPatch, titled: bool
) -> None:
    # given
    halden = TikTokCaller(server, "halden")
    monkeypatch.setattr(server.outside, "report_seconds", 0.5)  # a quarter of it in the queue, longer than two requests

    # when
    task_id = created(halden, **({} if titled else {"enable_report_title_translation": False}))["data"]["task_id"]
    early = halden.code("report/task/download", task_id=task_id)
    statuses = finished(halden, task_id)
    answer = halden.ask("report/task/download", task_id=task_id)

    # then
    rows = list(csv.reader(io.StringIO(answer.text)))
    plain = halden.report(filtering=[], metrics=["spend", "conversion"])["list"]
    assert (early, statuses) == (40201, ["QUEUING", "PROCESSING", "SUCCESS"])
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert rows[0] == (["Ad ID", "Date", "Cost", "Conversions"] if titled else
                       ["ad_id", "stat_time_day", "spend", "conversion"])  # fmt: skip
    assert rows[1:] == [[*row["dimensions"].values(), *row["metrics"].values()] for row in plain]


def test_a_download_url_is_valid_for_a_while(server: PlatformServer) -> None:
    halden = TikTokCaller(server, "halden")
    task_id = created(halden, output_format="CSV_DOWNLOAD", file_name="mine")["data"]["task_id"]
    finished(halden, task_id)
    told = halden.data("report/task/download", task_id=task_id)
    assert (told["file_name"], told["output_format"]) == ("mine.csv", "CSV_DOWNLOAD")
    assert requests.get(told["download_url"], timeout=5).text.startswith("Ad ID,")
    assert requests.get(f"{told['download_url']}0", timeout=5).status_code == 403
    server.outside.url_seconds = -1
    late = halden.data("report/task/download", task_id=task_id)["download_url"]
    assert requests.get(late, timeout=5).status_code == 403


def test_tasks_are_for_apps_on_the_allow_list_and_filter_by_ids_only(server: PlatformServer) -> None:
    halden, mori = TikTokCaller(server, "halden"), TikTokCaller(server, "mori")
    assert created(mori)["code"] == 40118
    assert created(halden, filtering=[condition("ad_status", "STATUS_ALL")])["code"] == 40002
    assert created(halden, output_format="XLSX_DOWNLOAD")["code"] == 40002
    assert created(halden, filtering=[condition("ad_ids", "1")])["code"] == 0
    switched(server, "not_allowed", times=1)
    assert created(halden)["code"] == 40118


def test_a_task_fails_with_its_reason_or_is_cancelled(server: PlatformServer) -> None:
    halden = TikTokCaller(server, "halden")
    switched(server, "broken_report", times=1, reason="too large")
    task_id = created(halden)["data"]["task_id"]
    assert finished(halden, task_id)[-1] == "FAILED"
    assert halden.data("report/task/check", task_id=task_id)["message"] == "too large"
    switched(server, "slow_report", times=1, seconds=60)
    slow = created(halden)["data"]["task_id"]
    assert halden.post("report/task/cancel", task_id=slow).json()["data"] == {"status": "CANCELED"}
    assert finished(halden, slow) == ["CANCELED"]
    assert halden.post("report/task/cancel", task_id=slow).json()["code"] == 40200
    assert halden.code("report/task/check", task_id="CA1") == 40007


# -- GMV Max ----------------------------------------------------------------------------------------------------------


def test_gmv_max_is_apart_with_its_own_campaigns_and_numbers(halden: TikTokCaller) -> None:
    # given
    types = {"gmv_max_promotion_types": ["PRODUCT_GMV_MAX"]}
    (campaign,) = halden.data("gmv_max/campaign/get", filtering=types)["list"]

    def rows(**query: Any) -> list[dict[str, Any]]:
        asked = {"store_ids": [campaign["store_id"]], "dimensions": ["campaign_id", "stat_time_day"]}
        days = {"metrics": ["cost", "net_cost", "gross_revenue"], "start_date": "2026-10-01", "end_date": "2026-10-30"}
        found: list[dict[str, Any]] = halden.data("gmv_max/report/get", page_size="1000", **(asked | days | query))[
            "list"
        ]
        return found

    # then
    shown, every = rows(), rows(filtering={"campaign_statuses": ["STATUS_ALL"]})
    assert {row["dimensions"]["campaign_id"] for row in shown} == {campaign["campaign_id"]}
    assert len(every) > len(shown) > 0
    assert all(Decimal(row["metrics"]["net_cost"]) < Decimal(row["metrics"]["cost"]) for row in shown)
    usual = {row["dimensions"]["campaign_id"] for row in halden.report("campaign")["list"]}
    assert campaign["campaign_id"] not in usual
    wrongs: list[dict[str, Any]] = [
        {"store_ids": []}, {"dimensions": ["stat_time_day"]}, {"start_date": "2026-09-30"}, {"metrics": ["x"]},
    ]  # fmt: skip
    asked = {"store_ids": [campaign["store_id"]], "dimensions": ["campaign_id", "stat_time_day"], "metrics": ["cost"]}
    days = {"start_date": "2026-10-01", "end_date": "2026-10-30"}
    assert {halden.code("gmv_max/report/get", **(asked | days | wrong)) for wrong in wrongs} == {40002}
