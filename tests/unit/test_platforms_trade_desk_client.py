"""The Trade Desk's connector on real wire traffic to a loopback server: what it sends, and what it does not."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, Profile, Status
from adweir.model.errors import (
    AccessDenied,
    AuthExpired,
    OutOfRetention,
    ReportFailed,
    RequestRejected,
    Throttled,
    TooMuchData,
    Transient,
    Unprocessable,
)
from adweir.model.slices import ALL
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Connector, Mode, PageInHand, PullContext, ReportState
from adweir.platforms.trade_desk import SPEC, TradeDeskCredential
from adweir.platforms.trade_desk.my_reports import Formats
from support.clock import FrozenClock
from support.desk_stub import DELIVERY, DESK, HEADER, SCHEDULE, Desk, connected, made, task
from support.stub_http import Answer, serving


@pytest.fixture
def desk() -> Iterator[Desk]:
    with serving() as stub:
        yield Desk(stub)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        yield made


@pytest.fixture
def connector(desk: Desk, session: requests.Session, clock: FrozenClock) -> Connector:
    return connected(desk, session, clock)


# -- credentials ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("values", "named"), [({}, ["login", "password"]), ({"login": "x1"}, ["password"])])
def test_a_credential_is_a_token_or_a_login(values: dict[str, str], named: list[str]) -> None:
    with pytest.raises(Unprocessable) as caught:
        TradeDeskCredential.read(values)
    assert [fault["field"] for fault in caught.value.details] == named
    assert {fault["message"] for fault in caught.value.details} == {"is required"}


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"token": "a-long-token", "login": "x1", "password": "secret-1"}, {"login", "password"}),
        ({"login": "x1", "password": "secret-1", "token_expires": "2027-01-01"}, {"token_expires"}),
        ({"token": "a-long-token", "token_expires": "soon"}, {"token_expires"}),
    ],
)
def test_what_nobody_would_use_is_refused_when_it_is_stored(values: dict[str, str], refused: set[str]) -> None:
    with pytest.raises(Unprocessable) as caught:
        TradeDeskCredential.check_given(values)
    assert {fault["field"] for fault in caught.value.details} == refused


def test_a_token_needs_no_login_and_every_call_has_one_way_to_authenticate(
    desk: Desk, session: requests.Session, clock: FrozenClock
) -> None:
    list(connected(desk, session, clock, token="page-token-1").profiles())
    (call,) = desk.stub.calls
    assert call.headers["Ttd-Auth"] == "page-token-1"
    assert "Authorization" not in call.headers


def test_a_login_asks_for_a_day_s_token_once(connector: Connector, desk: Desk) -> None:
    list(connector.profiles())
    list(connector.profiles())
    (call,) = desk.calls("/authentication")
    assert call.body == b'{"Login":"api@partner","Password":"pass-word","TokenExpirationInMinutes":1440}'
    assert "Ttd-Auth" not in call.headers
    assert {call.headers["Ttd-Auth"] for call in desk.calls("/partner/query")} == {"made-token"}


def test_a_refused_token_is_renewed_once_then_the_credential_is_dead(connector: Connector, desk: Desk) -> None:
    desk.answers["/partner/query"] = Answer(401, {"Message": "no"})
    with pytest.raises(AuthExpired):
        list(connector.profiles())
    assert len(desk.calls("/authentication")) == 2


@pytest.mark.parametrize(("ends", "warns"), [("2026-12-19", True), ("2026-12-21", False), ("someday", True)])
def test_the_end_of_a_token_is_said_thirty_days_before(
    desk: Desk, session: requests.Session, clock: FrozenClock, caplog: pytest.LogCaptureFixture, ends: str, warns: bool
) -> None:
    with caplog.at_level(logging.WARNING, "adweir.parts"):
        list(connected(desk, session, clock, token="page-token-1", token_expires=ends).profiles())
    assert any("ends soon" in record.message for record in caplog.records) == warns


# -- reports ----------------------------------------------------------------------------------------------------------


def test_a_schedule_is_a_one_off_with_an_exclusive_end_and_is_read_back(connector: Connector, desk: Desk) -> None:
    # when
    one_day = Window(date(2026, 11, 1), date(2026, 11, 1))
    report = connector.create_report(task(window=one_day))

    # then
    posted = json.loads(made(desk)[0].body)
    assert posted.pop("ReportScheduleName").startswith("adweir ")
    assert posted.pop("ScheduleStartDate")
    assert posted == {
        "ReportTemplateId": 7,
        "ReportFileFormat": "CSV",
        "ReportDateRange": "Custom",
        "ReportStartDateInclusive": "2026-11-01T00:00:00",
        "ReportEndDateExclusive": "2026-11-02T00:00:00",
        "ReportFrequency": "Once",
        "TimeZone": "UTC",
        "ReportDateFormat": "Sortable",
        "ReportNumericFormat": "US",
        "IncludeHeaders": True,
        "PartnerFilters": ["par0001"],
    }
    assert (report.id, report.state) == ("555001", ReportState.PENDING)
    assert [call.method for call in made(desk)] == ["POST", "GET"]


def test_a_start_that_was_moved_is_out_of_retention_and_leaves_no_schedule(connector: Connector, desk: Desk) -> None:
    desk.answers["/myreports/reportschedule/555001"] = Answer(
        200, SCHEDULE | {"ReportStartDateInclusive": "2026-11-03T00:00:00"}
    )
    with pytest.raises(OutOfRetention) as caught:
        connector.create_report(task())
    assert caught.value.oldest == date(2026, 11, 3)
    assert desk.stub.calls[-1].method == "DELETE"


def test_a_window_of_more_than_a_month_is_too_much(connector: Connector) -> None:
    assert connector.mode(task()) is Mode.REPORT
    with pytest.raises(TooMuchData):
        connector.create_report(task(window=Window(date(2026, 10, 1), date(2026, 11, 1))))


def test_without_a_partner_the_report_is_the_advertiser_s(
    desk: Desk, session: requests.Session, clock: FrozenClock
) -> None:
    own = connected(desk, session, clock, route="")
    assert own.report_key(task()) == ""
    own.create_report(task())
    assert b'"AdvertiserFilters":["abc1234"]' in made(desk)[0].body
    own.report(task(), "555001")
    assert desk.stub.calls[-1].path.endswith("/query/advertisers")


def test_levels_share_a_report_and_breakdowns_and_days_do_not(connector: Connector) -> None:
    key = connector.report_key(task())
    assert key == connector.report_key(replace(task(Dataset.CAMPAIGN_DAILY), profile_id="other77"))
    assert key != connector.report_key(task(Dataset.AD_BY_COUNTRY_DAILY))
    assert key != connector.report_key(task(window=Window(date(2026, 11, 1), date(2026, 11, 6))))


def test_credentials_do_not_share_a_report_because_each_may_read_other_advertisers(connector: Connector) -> None:
    assert connector.report_key(task()) != connector.report_key(replace(task(), label="brand-b"))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Complete", ReportState.READY),
        ("COMPLETED", ReportState.READY),
        ("Failed", ReportState.FAILED),
        ("error", ReportState.FAILED),
        ("Pending", ReportState.PENDING),
        ("SomethingNew", ReportState.PENDING),
    ],
)
def test_the_newest_execution_of_the_schedule_says_how_far_it_is(
    connector: Connector, desk: Desk, state: str, expected: ReportState
) -> None:
    desk.state = state
    assert connector.report(task(), "555001").state is expected
    assert connector.report(task(), "4").state is ReportState.PENDING


def test_a_file_is_labelled_with_the_formats_that_its_schedule_declares(connector: Connector, desk: Desk) -> None:
    desk.answers["/reportdownload/1"] = Answer(200, HEADER, {"Content-Type": "text/csv"})
    (page,) = connector.report_pages(task(), "555001")
    assert (page.label, page.media, page.last, page.content()) == ("US International", "csv", True, HEADER)
    assert desk.stub.calls[-1].headers["Ttd-Auth"] == "made-token"
    assert (Formats.parse(page.label), Formats.parse("")) == (Formats("US", "International"), Formats("Sortable", "US"))


def test_a_token_that_ends_before_the_download_is_renewed_once(connector: Connector, desk: Desk) -> None:
    answer, refused = desk.stub.route, [Answer(401), Answer(200, HEADER)]
    desk.stub.route = lambda call: refused.pop(0) if "/reportdownload" in call.path and refused else answer(call)
    (page,) = connector.report_pages(task(), "555001")
    assert page.content() == HEADER
    assert len(desk.calls("/authentication")) == 2
    desk.answers["/reportdownload/1"] = Answer(401)
    with pytest.raises(AuthExpired):
        list(connector.report_pages(task(), "555001"))


def test_an_advertiser_that_a_partner_s_report_does_not_name_has_had_nothing_or_was_lost(
    connector: Connector, desk: Desk
) -> None:
    desk.answers["/reportdownload/1"] = Answer(200, HEADER, {"Content-Type": "text/csv"})
    (nothing,) = connector.report_pages(task(), "555001")
    assert nothing.content() == HEADER
    desk.answers["/advertiser/abc1234"] = Answer(403, {"Message": "no access"})
    (lost,) = connector.report_pages(task(), "555001")
    with pytest.raises(AccessDenied):
        lost.content()
    desk.answers["/reportdownload/1"] = Answer(200, HEADER + b"2026-11-01,abc1234\n", {"Content-Type": "text/csv"})
    (named,) = connector.report_pages(task(), "555001")
    assert named.content().endswith(b"abc1234\n")


def test_an_advertiser_that_has_moved_is_not_taken_for_one_without_delivery(connector: Connector, desk: Desk) -> None:
    """Its old partner's report no longer has its rows; the next listing says where they are."""
    desk.answers["/reportdownload/1"] = Answer(200, HEADER, {"Content-Type": "text/csv"})
    desk.answers["/advertiser/abc1234"] = Answer(200, {"AdvertiserId": "abc1234", "PartnerId": "par0001"})
    (nothing,) = connector.report_pages(task(), "555001")
    assert nothing.content() == HEADER
    desk.answers["/advertiser/abc1234"] = Answer(200, {"AdvertiserId": "abc1234", "PartnerId": "par0002"})
    (moved,) = connector.report_pages(task(), "555001")
    with pytest.raises(RequestRejected, match="partner par0002"):
        moved.content()


def test_a_token_does_not_follow_a_redirect_to_another_host(connector: Connector, desk: Desk) -> None:
    other = desk.stub.url.replace("127.0.0.1", "localhost")
    desk.answers["/reportdownload/1"] = Answer(302, b"", {"Location": f"{other}/storage/1?X-Amz-Signature=s"})
    desk.answers["/storage/1"] = Answer(200, HEADER, {"Content-Type": "text/csv"})
    (page,) = connector.report_pages(task(), "555001")
    assert page.content() == HEADER
    (first,), (second,) = desk.calls("/reportdownload/1"), desk.calls("/storage/1")
    assert (first.headers["Ttd-Auth"], "Ttd-Auth" in second.headers) == ("made-token", False)


@pytest.mark.parametrize(
    "location", ["https://files.example/1", "http://169.254.169.254/x", "ftp://x/1", "{url}/reportdownload/1"]
)
def test_a_redirect_to_a_stranger_or_in_a_circle_is_not_followed(
    connector: Connector, desk: Desk, location: str
) -> None:
    desk.answers["/reportdownload/1"] = Answer(302, b"", {"Location": location.format(url=desk.stub.url)})
    with pytest.raises(ReportFailed):
        list(connector.report_pages(task(), "555001"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(200, b"<html>log in</html>", {"Content-Type": "text/html; charset=utf-8"}), Transient),
        (Answer(200, b"  <!DOCTYPE html>", {"Content-Type": "text/csv"}), Transient),
        (Answer(200, b"PK\x03\x04rest", {"Content-Type": "text/csv"}), RequestRejected),
        (Answer(200, b"x", {"Content-Type": "application/vnd.ms-excel"}), RequestRejected),
        (Answer(403, b"expired"), ReportFailed),
        (Answer(404, b"gone"), ReportFailed),
        (Answer(429, {}, {"Retry-After": "9"}), Throttled),
    ],
)
def test_what_is_not_the_report_is_refused(
    connector: Connector, desk: Desk, answer: Answer, kind: type[Exception]
) -> None:
    desk.answers["/reportdownload/1"] = answer
    with pytest.raises(kind):
        list(connector.report_pages(task(), "555001"))


def test_an_expired_link_is_not_used(connector: Connector, desk: Desk) -> None:
    desk.deliveries = [DELIVERY | {"DownloadURLExpirationUTC": "2020-01-01T00:00:00"}]
    with pytest.raises(ReportFailed):
        list(connector.report_pages(task(), "555001"))
    assert not desk.calls("/reportdownload")
    desk.deliveries = []
    with pytest.raises(ReportFailed, match="no file"):
        list(connector.report_pages(task(), "555001"))


@pytest.mark.parametrize("status", [240, 403, 404])
def test_a_schedule_that_is_gone_already_is_no_fault(connector: Connector, desk: Desk, status: int) -> None:
    desk.answers["/myreports/reportschedule/555001"] = Answer(status)
    connector.discard_report(task(), "555001")


# -- lists ------------------------------------------------------------------------------------------------------------


def test_the_next_page_begins_behind_the_rows_that_came(connector: Connector, desk: Desk) -> None:
    rows = [{"CampaignId": str(n)} for n in range(5)]
    desk.answers["/campaign/query/advertiser"] = Answer(200, {"Result": rows, "TotalFilteredCount": 12})
    pages = list(connector.pages(task(Dataset.CAMPAIGNS)))
    starts = [json.loads(call.body)["PageStartIndex"] for call in desk.calls("/campaign/query")]
    assert (starts, [page.resume for page in pages]) == ([0, 5, 10], ["5", "10", ""])
    assert [page.last for page in pages] == [False, False, True]
    assert [page.resume for page in connector.pages(task(Dataset.CAMPAIGNS), "10")] == [""]


@pytest.mark.parametrize("end", [Answer(200, {"Result": [], "TotalFilteredCount": 12}), Answer(240)])
def test_a_list_that_ends_before_its_total_takes_nothing_away(connector: Connector, desk: Desk, end: Answer) -> None:
    def list_of(path: str, row: dict[str, Any]) -> None:
        begin = Answer(200, {"Result": [row] * 5, "TotalFilteredCount": 12})
        desk.answers[path] = begin
        desk.later[path] = end

    list_of("/campaign/query/advertiser", {"CampaignId": "1"})
    assert [page.last for page in connector.pages(task(Dataset.CAMPAIGNS))] == [False, False]
    # nor do the advertisers of one partner, or of partners that are not listed
    desk.answers["/partner/query"] = Answer(200, {"Result": [{"PartnerId": "p1"}, {"PartnerId": "p2"}]})
    list_of("/advertiser/query/partner", {"AdvertiserId": "abc1234"})
    assert not any(page.last for page in connector.profiles())
    list_of("/partner/query", {"PartnerId": "p1"})
    with pytest.raises(Transient, match="before its end"):
        list(connector.profiles())


def test_an_answer_without_content_is_the_end(connector: Connector, desk: Desk) -> None:
    desk.answers["/creative/query/advertiser"] = Answer(240)
    (page,) = connector.pages(task(Dataset.CREATIVES))
    assert (page.last, page.content()) == (True, b"{}")


def test_a_partner_without_rights_leaves_the_others_alone_and_the_list_open(connector: Connector, desk: Desk) -> None:
    desk.answers["/partner/query"] = Answer(200, {"Result": [{"PartnerId": "p1"}, {"PartnerId": "p2"}]})
    assert [(page.label, page.last) for page in connector.profiles()] == [("p1", False), ("p2", True)]
    answer = desk.stub.route
    desk.stub.route = lambda call: Answer(403) if b'"p1"' in call.body else answer(call)
    assert [(page.label, page.last) for page in connector.profiles()] == [("p2", False)]
    desk.answers["/advertiser/query/partner"] = Answer(403, {"Message": "no"})
    with pytest.raises(AccessDenied):
        list(connector.profiles())


def test_an_error_says_which_property_is_wrong(connector: Connector, desk: Desk) -> None:
    details = [{"Property": "ReportTemplateId", "Reasons": ["It does not exist."]}]
    body = {"Message": "The request failed validation.", "ErrorDetails": details}
    desk.answers["/myreports/reportschedule"] = Answer(400, body)
    with pytest.raises(RequestRejected, match="ReportTemplateId: It does not exist"):
        connector.create_report(task())


def test_objects_resolve_their_dates_statuses_and_pages(connector: Connector, desk: Desk) -> None:
    # given
    image = {"ImageUrl": "https://i.example/1.png", "ClickthroughUrl": "https://c.example", "LandingPageUrl": None}
    creatives = [
        {"CreativeId": "k1", "CreativeName": "Banner", "ImageAttributes": image, "Availability": "Available"},
        {"CreativeId": "k2", "ThirdPartyTagAttributes": {"LandingPageUrls": ["https://l.example"]},
         "FlightStartDateUTC": "2026-10-05T00:00:00", "CreativeAuditStatuses": [{"AuditStatus": "Rejected"}]},
        {"CreativeId": "k3", "TradeDeskHostedVideoAttributes": {"LandingPageUrl": "https://v.example"},
         "ShareLink": "https://s.example/v", "Availability": "Archived"},
    ]  # fmt: skip
    group = {"AdGroupId": "g1", "CampaignId": "c1", "IsEnabled": False, "Availability": "Available",
             "RTBAttributes": {"CreativeIds": ["k1", "k2", "k3", "k9"]}}  # fmt: skip
    campaign = {"CampaignId": "c1", "StartDate": "2026-10-01T00:00:00", "EndDate": None, "Budget": {"Amount": 12.5}}
    desk.answers["/creative/query/advertiser"] = Answer(200, {"Result": creatives})
    desk.answers["/adgroup/query/advertiser"] = Answer(200, {"Result": [group]})
    desk.answers["/campaign/query/advertiser"] = Answer(200, {"Result": [campaign]})

    # when
    pages = list(connector.pages(task(Dataset.ADS)))
    context = PullContext("a", "abc1234", Dataset.ADS, ALL, None, "now", "USD", "UTC")
    (batch,) = REGISTRY.normalizer(DESK).object_batches(PageInHand.of(pages[0], 1), context)

    # then
    found = {ad.id: ad for ad in batch.objects if isinstance(ad, Ad)}
    statuses = {name: ad.status for name, ad in found.items()}
    assert statuses == {"k1": Status.PAUSED, "k2": Status.REJECTED, "k3": Status.ARCHIVED, "k9": Status.PAUSED}
    landing = {name: ad.landing_page_url for name, ad in found.items()}
    assert landing == {"k1": "https://c.example", "k2": "https://l.example", "k3": "https://v.example", "k9": None}
    starts = {name: ad.start_date for name, ad in found.items()}
    assert starts == {"k1": "2026-10-01", "k2": "2026-10-05", "k3": "2026-10-01", "k9": "2026-10-01"}
    assert found["k3"].video_url == "https://s.example/v"
    assert {ad.ad_group_id for ad in found.values()} == {"g1"}


def test_an_ad_group_that_cannot_be_read_costs_its_own_ads_only(connector: Connector, desk: Desk) -> None:
    groups = [
        {"AdGroupId": 7.5, "CampaignId": "c1", "RTBAttributes": {"CreativeIds": ["k1"]}},
        {"AdGroupId": "g2", "CampaignId": "c1", "RTBAttributes": {"CreativeIds": ["k2"]}},
    ]
    desk.answers["/creative/query/advertiser"] = Answer(200, {"Result": [{"CreativeId": 9}, {"CreativeId": "k2"}]})
    desk.answers["/adgroup/query/advertiser"] = Answer(200, {"Result": groups})
    desk.answers["/campaign/query/advertiser"] = Answer(200, {"Result": [{"CampaignId": "c1"}]})

    (page,) = connector.pages(task(Dataset.ADS))
    context = PullContext("a", "abc1234", Dataset.ADS, ALL, None, "now", "USD", "UTC")
    (batch,) = REGISTRY.normalizer(DESK).object_batches(PageInHand.of(page, 1), context)

    assert [ad.id for ad in batch.objects if isinstance(ad, Ad)] == ["k2"]
    assert len(batch.bad) == 1


def test_a_partner_that_cannot_be_read_takes_nobody_s_advertisers_away(connector: Connector, desk: Desk) -> None:
    desk.answers["/partner/query"] = Answer(200, {"Result": [{"PartnerId": 7}]})
    with pytest.raises(Transient, match="partner that cannot be read"):
        list(connector.profiles())


@pytest.mark.parametrize(
    ("click", "view", "days"),
    [(2_592_000, 1_209_600, 33), (5_184_000, 5_184_000, 63), (86_401, None, 5), (None, None, 0), (10**12, 0, 400)],
)
def test_an_advertiser_is_pulled_again_for_its_longer_window_and_three_days(
    connector: Connector, desk: Desk, click: int | None, view: int | None, days: int
) -> None:
    windows = {
        "AttributionClickLookbackWindowInSeconds": click,
        "AttributionImpressionLookbackWindowInSeconds": view,
    }
    desk.answers["/partner/query"] = Answer(200, {"Result": [{"PartnerId": "par0001"}]})
    desk.answers["/advertiser/query/partner"] = Answer(200, {"Result": [{"AdvertiserId": "abc1234"} | windows]})
    context = PullContext("a", "", Dataset.PROFILES, ALL, None, "now", "", "")
    (page,) = connector.profiles()
    (batch,) = REGISTRY.normalizer(DESK).object_batches(PageInHand.of(page, 1), context)
    (found,) = batch.objects
    assert isinstance(found, Profile)
    assert found.restated_days == days


def test_ads_sum_to_their_parents_and_breakdowns_wait_for_a_request() -> None:
    metrics = [spec for spec in SPEC.datasets.values() if spec.dataset.grain]
    assert {spec.dataset for spec in metrics if spec.on_request} == {s.dataset for s in metrics if s.dataset.breakdown}
    assert all(spec.sums_to_parent != spec.on_request for spec in metrics)
    assert {(spec.lookback_days, spec.settles_after_days) for spec in metrics} == {(33, 63)}
