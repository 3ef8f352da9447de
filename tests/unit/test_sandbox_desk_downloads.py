"""The sandbox's The Trade Desk: downloads of reports, and how they are spoilt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox.platforms.trade_desk import STAND_IN
from sandbox.platforms.trade_desk.columns import COST
from sandbox.server import PlatformServer
from support.desk_caller import DeskCaller
from support.platform_server import running


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        started.outside.report_seconds = 0
        yield started


@pytest.fixture(autouse=True)
def _well_behaved(server: PlatformServer) -> Iterator[None]:
    yield
    server.outside.switches.clear()
    server.outside.report_seconds, server.outside.url_seconds = 0, 3600


@pytest.fixture(scope="module")
def halden(server: PlatformServer) -> DeskCaller:
    return DeskCaller(server, "halden")


@pytest.fixture
def link(halden: DeskCaller) -> str:
    return halden.link(halden.schedule().json()["ReportScheduleId"])


def test_without_the_token_a_log_in_page_comes_with_status_200(link: str) -> None:
    answer = requests.get(link, timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_another_partner_s_token_gets_no_file(server: PlatformServer, link: str) -> None:
    assert DeskCaller(server, "mori").download(link).status_code == 403


def test_a_link_expires_and_the_next_query_names_another(server: PlatformServer, halden: DeskCaller) -> None:
    # given
    server.outside.url_seconds = -1
    schedule = halden.schedule().json()["ReportScheduleId"]
    expired = halden.link(schedule)

    # when
    server.outside.url_seconds = 3600

    # then
    assert halden.download(expired).status_code == 403
    assert halden.download(halden.link(schedule)).status_code == 200
    assert halden.download(halden.link(schedule) + "0").status_code == 403


def test_a_link_may_lead_to_a_storage_host_that_must_not_get_the_token(
    server: PlatformServer, halden: DeskCaller, link: str
) -> None:
    # given
    server.outside.switches.turn_on({"kind": "odd_file", "mode": "redirect"})

    # when
    moved = halden.download(link, allow_redirects=False)
    target = moved.headers["Location"]

    # then
    assert moved.status_code == 302
    assert target.startswith("http://localhost:")
    assert requests.get(target, timeout=5).text.startswith("Date,Partner ID,")
    with_token = halden.download(target)
    assert (with_token.status_code, "InvalidArgument" in with_token.text) == (400, True)


@pytest.mark.parametrize(
    ("mode", "start"),
    [("bom", b"\xef\xbb\xbfDate,"), ("html", b"<!DOCTYPE html>"), ("excel", b"PK\x03\x04")],
)
def test_downloads_may_be_odd(server: PlatformServer, halden: DeskCaller, link: str, mode: str, start: bytes) -> None:
    server.outside.switches.turn_on({"kind": "odd_file", "mode": mode})
    answer = halden.download(link)
    assert (answer.status_code, answer.content[: len(start)]) == (200, start)


def test_a_download_may_break_off(server: PlatformServer, halden: DeskCaller, link: str) -> None:
    server.outside.switches.turn_on({"kind": "odd_file", "mode": "cut"})
    with pytest.raises(requests.RequestException):
        halden.download(link)


def test_an_excel_template_delivers_a_workbook(halden: DeskCaller) -> None:
    assert halden.file(168_020, ReportFileFormat="ExcelPivot").startswith(b"PK")


def test_a_report_without_rows_has_no_bytes(halden: DeskCaller) -> None:
    assert halden.file(ReportStartDateInclusive="2023-01-01", ReportEndDateExclusive="2023-01-03") == b""


@pytest.mark.parametrize(
    ("switch", "check"),
    [
        ({"kind": "empty"}, lambda content: content == b""),
        ({"kind": "empty", "header": True}, lambda content: content.count(b"\r\n") == 1),
        ({"kind": "missing_column"}, lambda content: COST.encode() not in content.splitlines()[0]),
        ({"kind": "date_text"}, lambda content: b"2026-11-14T00:00:00" in content),
        ({"kind": "numeric_format"}, lambda content: b"." not in content),
        ({"kind": "bad_row"}, lambda content: b",-5," in content),
        ({"kind": "bad_row", "mode": "text"}, lambda content: b",many," in content),
    ],
)
def test_a_switch_spoils_new_reports(
    server: PlatformServer, halden: DeskCaller, switch: dict[str, Any], check: Callable[[bytes], bool]
) -> None:
    server.outside.switches.turn_on(switch)
    content = halden.file()
    server.outside.switches.clear()
    assert check(content)
    assert not check(halden.file())


def test_a_link_has_expired_when_it_is_named(server: PlatformServer, halden: DeskCaller) -> None:
    schedule_id = halden.schedule().json()["ReportScheduleId"]
    halden.link(schedule_id)
    server.outside.switches.turn_on({"kind": "expired_url", "times": 1})

    late, fresh = (halden.download(halden.link(schedule_id)).status_code for _ in range(2))

    assert (late, fresh) == (403, 200)


def test_a_row_without_a_key_is_the_ad_s_that_was_named(server: PlatformServer, halden: DeskCaller) -> None:
    ad_id = halden.rows()[3]["Creative ID"]
    server.outside.switches.turn_on({"kind": "bad_row", "mode": "no_key", "ad_id": ad_id})
    assert [row["Creative ID"] for row in halden.rows()].count("") == 1


def test_a_lost_advertiser_has_no_rows_in_its_partner_s_report(server: PlatformServer, halden: DeskCaller) -> None:
    lost, kept = halden.profiles
    server.outside.switches.turn_on({"kind": "access_denied", "profile_id": lost.id})
    assert {row["Advertiser ID"] for row in halden.rows()} == {kept.id}
    assert halden.schedule(PartnerFilters=None, AdvertiserFilters=[lost.id]).status_code == 403


def test_a_report_whose_only_advertiser_was_lost_is_made_and_has_no_rows() -> None:
    with running([STAND_IN], awkward=True) as server:
        # given
        server.outside.report_seconds = 0
        lumen = DeskCaller(server, "lumen")
        server.outside.switches.turn_on({"kind": "access_denied"})

        # when
        file = lumen.file(PartnerFilters=[lumen.partner.id], AdvertiserFilters=[])

        # then
        assert file == b""
