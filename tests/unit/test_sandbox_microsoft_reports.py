"""The sandbox's Microsoft Advertising: reports, from the request to the file."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.platforms.microsoft_ads import STAND_IN
from sandbox.server import PlatformServer
from support.microsoft_caller import PLATFORM, MicrosoftCaller, codes
from support.platform_server import running, truth

NUMBERS = "Impressions Clicks Spend ConversionsQualified Revenue"
LEVELS = {
    "AccountPerformance": ("account", "AccountId"),
    "CampaignPerformance": ("campaign", "CampaignId"),
    "AdGroupPerformance": ("ad_group", "AdGroupId"),
    "AdPerformance": ("ad", "AdGroupId AdId"),
    "KeywordPerformance": ("keyword", "AdGroupId KeywordId"),
}
WEEK = (date(2026, 11, 14), date(2026, 11, 20))


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        started.outside.report_seconds = 0
        yield started


@pytest.fixture(autouse=True)
def _well_behaved(server: PlatformServer) -> Iterator[None]:
    yield
    server.outside.switches.clear()


@pytest.fixture(scope="module")
def halden(server: PlatformServer) -> MicrosoftCaller:
    return MicrosoftCaller(server, "halden")


@pytest.fixture(scope="module")
def kestrel(server: PlatformServer) -> MicrosoftCaller:
    return MicrosoftCaller(server, "kestrel")


def micros(text: str) -> int:
    return int(Decimal(text) * 1_000_000)


def day_of(day: date) -> dict[str, int]:
    return {"Year": day.year, "Month": day.month, "Day": day.day}


def sums(rows: list[dict[str, str]], *by: str) -> dict[tuple[str, ...], list[Decimal]]:
    found: defaultdict[tuple[str, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 5)
    for row in rows:
        key = tuple(row[name] for name in by)
        found[key] = [one + Decimal(row[name]) for one, name in zip(found[key], NUMBERS.split(), strict=True)]
    return dict(found)


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LEVELS)
def test_each_level_is_the_truth_with_what_was_deleted(
    server: PlatformServer, kestrel: MicrosoftCaller, kind: str
) -> None:
    level, keys = LEVELS[kind]
    rows = kestrel.rows(kind, f"TimePeriod {keys} {NUMBERS}")
    found = {
        ("~".join(row[key] for key in keys.split()), row["TimePeriod"]): (
            int(row["Impressions"]),
            int(row["Clicks"]),
            *(micros(row[name]) for name in ("Spend", "ConversionsQualified", "Revenue")),
        )
        for row in rows
    }
    named = ("impressions", "clicks", "spend_micros", "conversions_micros", "revenue_micros")
    expected = truth(server, kestrel.profile, *WEEK, level)
    assert found == {key: tuple(row[name] for name in named) for key, row in expected.items()} != {}


def test_columns_that_divide_rows_add_up_to_them(halden: MicrosoftCaller) -> None:
    whole = sums(halden.rows("CampaignPerformance", f"TimePeriod CampaignId {NUMBERS}"), "TimePeriod", "CampaignId")
    divided = halden.rows("CampaignPerformance", f"TimePeriod CampaignId DeviceType Network {NUMBERS}")
    assert sums(divided, "TimePeriod", "CampaignId") == whole
    assert {row["DeviceType"] for row in divided} == {"Computer", "Smartphone", "Tablet"}


def test_ages_and_genders_add_up_to_ad_groups_and_performance_max_has_none(halden: MicrosoftCaller) -> None:
    people = halden.rows("AgeGenderAudience", f"TimePeriod AdGroupId AgeGroup Gender {NUMBERS}")
    groups = halden.rows("AdGroupPerformance", f"TimePeriod AdGroupId {NUMBERS}")
    assert sums(people, "TimePeriod", "AdGroupId") == sums(groups, "TimePeriod", "AdGroupId")


def test_publishers_have_performance_max_unless_ad_groups_are_asked_for_alone(halden: MicrosoftCaller) -> None:
    def spend(columns: str) -> Decimal:
        rows = halden.rows("PublisherUsagePerformance", f"TimePeriod PublisherUrl {columns} {NUMBERS}")
        return sum((Decimal(row["Spend"]) for row in rows), Decimal(0))

    whole = sum(
        (Decimal(r["Spend"]) for r in halden.rows("AccountPerformance", "TimePeriod AccountId Spend")), Decimal(0)
    )
    assert spend("CampaignId") == spend("AdGroupId CampaignType") == whole > spend("AdGroupId")


def test_conversions_are_zero_since_2022_and_their_qualified_columns_are_decimal(halden: MicrosoftCaller) -> None:
    columns = "TimePeriod CampaignId Clicks Conversions ConversionsQualified AllConversionsQualified AllConversions"
    rows = halden.rows("CampaignPerformance", columns)
    assert {(row["Conversions"], row["AllConversions"]) for row in rows} == {("0", "0")}
    assert any(row["ConversionsQualified"].endswith(".50") for row in rows)
    for row in rows:
        assert Decimal(row["AllConversionsQualified"]) == Decimal(row["ConversionsQualified"]) + int(row["Clicks"])


def test_hours_add_up_to_the_day_and_are_written_as_the_version_says(halden: MicrosoftCaller) -> None:
    days = {"CustomDateRangeStart": day_of(WEEK[1]), "CustomDateRangeEnd": day_of(WEEK[1])}
    asked = f"TimePeriod CampaignId {NUMBERS}"
    hours = halden.rows("CampaignPerformance", asked, Aggregation="Hourly", Time=days)
    older = halden.rows("CampaignPerformance", asked, Aggregation="Hourly", Time=days, FormatVersion="1.0")
    assert sums(hours, "CampaignId") == sums(halden.rows("CampaignPerformance", asked, Time=days), "CampaignId")
    assert {row["TimePeriod"].partition("|")[0] for row in hours} == {"2026-11-20"}
    assert {row["TimePeriod"].partition("|")[0] for row in older} == {"11/20/2026 12:00:00 AM"}


def test_without_a_time_period_the_aggregation_is_ignored(halden: MicrosoftCaller) -> None:
    (row,) = halden.rows("AccountPerformance", "AccountId Spend")
    days = halden.rows("AccountPerformance", "TimePeriod AccountId Spend")
    assert Decimal(row["Spend"]) == sum(Decimal(day["Spend"]) for day in days)


def test_rows_are_one_per_combination_of_the_attributes_that_were_asked_for(halden: MicrosoftCaller) -> None:
    rows = halden.rows("AdPerformance", "TimePeriod CampaignId Spend")
    keys = [(row["TimePeriod"], row["CampaignId"]) for row in rows]
    assert len(keys) == len(set(keys)) > 0


def test_a_scope_is_the_union_of_its_elements(halden: MicrosoftCaller) -> None:
    wanted = halden.profile.campaigns[1].id
    one = {"AccountId": halden.profile.id, "CampaignId": wanted}

    def campaigns(**scope: Any) -> set[str]:
        return {
            row["CampaignId"] for row in halden.rows("CampaignPerformance", "TimePeriod CampaignId Clicks", Scope=scope)
        }

    assert campaigns(Campaigns=[one]) == {wanted}
    assert len(campaigns(Campaigns=[one], AccountIds=[int(halden.profile.id)])) > 1


def test_a_filter_keeps_the_rows_of_a_status(kestrel: MicrosoftCaller) -> None:
    days = {"CustomDateRangeStart": day_of(date(2026, 10, 1)), "CustomDateRangeEnd": day_of(date(2026, 10, 20))}
    columns = "TimePeriod CampaignId CampaignStatus Clicks"
    rows = kestrel.rows("CampaignPerformance", columns, Time=days, Filter={"Status": "Deleted"})
    assert {row["CampaignStatus"] for row in rows} == {"Deleted"}


# -- the file ---------------------------------------------------------------------------------------------------------


def test_a_file_has_a_header_and_a_footer_unless_they_are_excluded(halden: MicrosoftCaller) -> None:
    whole = halden.file(
        "AccountPerformance", "TimePeriod AccountId Revenue", ExcludeReportHeader=None, ExcludeReportFooter=False,
        ReportName="Mine", FormatVersion=None,
    ).decode()  # fmt: skip
    lines = whole.split("\r\n")
    assert lines[0] == '\ufeff"Report Name: Mine"'
    assert '"Rows: 7"' in lines
    assert '"TimePeriod","AccountId","Revenue"' in lines
    assert lines[-2] == '"@2026 Microsoft Corporation. All rights reserved. "'
    bare = halden.file("AccountPerformance", "TimePeriod AccountId Revenue", ExcludeColumnHeaders=True).decode()
    assert bare.startswith('\ufeff"2026-11-14","180204417","')


def test_version_one_writes_a_comma_between_thousands(halden: MicrosoftCaller) -> None:
    older = halden.rows("AccountPerformance", "AccountId Revenue Spend", FormatVersion="1.0")
    newer = halden.rows("AccountPerformance", "AccountId Revenue Spend")
    assert older[0]["Revenue"] == f"{Decimal(newer[0]['Revenue']):,.2f}" != newer[0]["Revenue"]
    assert older[0]["Spend"] == newer[0]["Spend"]


# -- its life ---------------------------------------------------------------------------------------------------------


def test_a_report_is_pending_until_it_is_made(server: PlatformServer, halden: MicrosoftCaller) -> None:
    server.outside.switches.turn_on({"kind": "slow_report", "platform": PLATFORM, "seconds": 60})
    made = halden.submit("AccountPerformance", "AccountId Clicks").json()["ReportRequestId"]
    status = {"ReportDownloadUrl": None, "Status": "Pending"}
    assert halden.poll(made).json() == {"ReportRequestStatus": status}


def test_a_report_that_failed_is_an_error(server: PlatformServer, halden: MicrosoftCaller) -> None:
    server.outside.switches.turn_on({"kind": "broken_report", "platform": PLATFORM, "times": 1})
    made = halden.submit("AccountPerformance", "AccountId Clicks").json()["ReportRequestId"]
    assert halden.poll(made).json()["ReportRequestStatus"] == {"ReportDownloadUrl": None, "Status": "Error"}


def test_a_report_without_data_succeeds_without_a_url(server: PlatformServer, halden: MicrosoftCaller) -> None:
    server.outside.switches.turn_on({"kind": "empty", "platform": PLATFORM, "times": 1})
    assert halden.url("AccountPerformance", "AccountId Clicks") is None


def test_only_the_user_who_asked_sees_a_report(halden: MicrosoftCaller, kestrel: MicrosoftCaller) -> None:
    made = halden.submit("AccountPerformance", "AccountId Clicks").json()["ReportRequestId"]
    assert codes(kestrel.poll(made)) == [2101]
    assert codes(halden.poll("x" * 41)) == [2100]


def test_a_url_ends_after_five_minutes(halden: MicrosoftCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    url = halden.url("AccountPerformance", "AccountId Clicks")
    assert url is not None
    now = time.time()
    monkeypatch.setattr("sandbox.platforms.microsoft_ads.reports.time.time", lambda: now + 301)
    assert halden.session.get(url, timeout=5).status_code == 403


def test_a_report_keeps_the_numbers_of_its_moment(server: PlatformServer) -> None:
    mori = MicrosoftCaller(server, "mori")
    asked = f"TimePeriod CampaignId {NUMBERS}"
    url = mori.url("CampaignPerformance", asked)
    before = mori.rows("CampaignPerformance", asked)
    assert url is not None
    first = mori.session.get(url, timeout=5).content
    server.outside.move(timedelta(days=5))
    try:
        again, later = mori.session.get(url, timeout=5).content, mori.rows("CampaignPerformance", asked)
    finally:
        server.outside.move(timedelta())
    assert again == first
    assert later != before


@pytest.mark.parametrize(
    ("switch", "seen"),
    [
        ({"kind": "bad_row", "mode": "negative"}, ("-5", True)),
        ({"kind": "bad_row", "mode": "text"}, ("many", True)),
        ({"kind": "missing_column"}, (None, False)),
    ],
)
def test_a_switch_spoils_a_report(
    server: PlatformServer, halden: MicrosoftCaller, switch: dict[str, Any], seen: tuple[str | None, bool]
) -> None:
    server.outside.switches.turn_on({**switch, "platform": PLATFORM, "times": 1})
    row = halden.rows("AccountPerformance", "TimePeriod AccountId Impressions Spend")[0]
    value, has_spend = seen
    assert ("Spend" in row) is has_spend
    assert value in (None, row["Impressions"])


# -- refusals ---------------------------------------------------------------------------------------------------------


def custom(start: date, end: date, **more: Any) -> dict[str, Any]:
    return {"CustomDateRangeStart": day_of(start), "CustomDateRangeEnd": day_of(end), **more}


TODAY, PAST = date(2026, 11, 21), date(2026, 11, 1)


@pytest.mark.parametrize(
    ("kind", "changes", "code"),
    [
        ("Campaign", {}, 2002),
        ("CampaignPerformance", {"Columns": []}, 2014),
        ("CampaignPerformance", {"Columns": ["TimePeriod", "CampaignId", "Clicks", "Clicks"]}, 2016),
        ("CampaignPerformance", {"Columns": ["TimePeriod", "CampaignId"]}, 2017),
        ("CampaignPerformance", {"Columns": ["TimePeriod", "Clicks"]}, 2015),
        ("CampaignPerformance", {"Columns": ["TimePeriod", "CampaignId", "Dreams"]}, 100),
        ("CampaignPerformance", {"Columns": ["TimePeriod", "CampaignId", "AdGroupId", "Clicks"]}, 100),
        ("AgeGenderAudience", {"Columns": ["TimePeriod", "AdGroupId", "AgeGroup", "Clicks"]}, 2015),
        ("PublisherUsagePerformance", {"Columns": ["TimePeriod", "AdGroupId", "Clicks"]}, 2015),
        (
            "CampaignPerformance",
            {"Columns": ["TimePeriod", "CampaignId", "Clicks", "TopVsOther", "ImpressionSharePercent"]}, 2053,
        ),
        ("CampaignPerformance", {"Aggregation": "Summary"}, 2034),
        ("CampaignPerformance", {"Aggregation": "Dreamily"}, 100),
        ("CampaignPerformance", {"Aggregation": "Monthly"}, 2059),
        ("CampaignPerformance", {"ReportName": "x" * 201}, 2006),
        ("CampaignPerformance", {"Format": "Xml"}, 100),
        ("CampaignPerformance", {"Scope": {}}, 2027),
        ("CampaignPerformance", {"Scope": {"AccountIds": ["1"]}}, 2003),
        ("CampaignPerformance", {"Scope": {"Campaigns": [{"AccountId": "180204417", "CampaignId": "1"}]}}, 2019),
        ("CampaignPerformance", {"Filter": {"Dreams": "Many"}}, 2060),
        ("CampaignPerformance", {"Time": None}, 2008),
        ("CampaignPerformance", {"Time": {}}, 2008),
        ("CampaignPerformance", {"Time": custom(PAST, TODAY, PredefinedTime="Today")}, 2008),
        ("CampaignPerformance", {"Time": {"PredefinedTime": "ThisWeek"}}, 2007),
        ("CampaignPerformance", {"Time": {"PredefinedTime": "LastMonth"}, "Aggregation": "Hourly"}, 2007),
        ("CampaignPerformance", {"Time": custom(PAST, TODAY, ReportTimeZone="Europe/Berlin")}, 100),
        ("CampaignPerformance", {"Time": custom(TODAY, PAST)}, 2011),
        ("CampaignPerformance", {"Time": custom(PAST, TODAY + timedelta(days=1))}, 2010),
        ("CampaignPerformance", {"Time": custom(TODAY + timedelta(days=1), TODAY + timedelta(days=2))}, 2041),
        ("CampaignPerformance", {"Time": custom(date(2023, 11, 20), TODAY)}, 2009),
        ("CampaignPerformance", {"Time": custom(date(2026, 5, 20), TODAY), "Aggregation": "Hourly"}, 2009),
        ("CampaignPerformance", {"Time": custom(PAST, TODAY), "ReturnOnlyCompleteData": True}, 2005),
    ],
)  # fmt: skip
def test_a_request_that_microsoft_refuses_is_refused(
    halden: MicrosoftCaller, kind: str, changes: dict[str, Any], code: int
) -> None:
    answer = halden.submit(kind, "TimePeriod CampaignId Clicks", **changes)
    assert (answer.status_code, codes(answer)) == (400, [code])


def test_complete_data_is_there_three_hours_after_a_day(server: PlatformServer, halden: MicrosoftCaller) -> None:
    asked = {"Time": custom(PAST, WEEK[1]), "ReturnOnlyCompleteData": True}
    assert halden.submit("CampaignPerformance", "TimePeriod CampaignId Clicks", **asked).status_code == 200
    server.outside.move(-timedelta(hours=10))
    try:
        days = custom(PAST, WEEK[1], ReportTimeZone="GreenwichMeanTimeDublinEdinburghLisbonLondon")
        early = halden.submit("CampaignPerformance", "TimePeriod CampaignId Clicks", **asked | {"Time": days})
    finally:
        server.outside.move(timedelta())
    assert codes(early) == [2004]


def test_the_time_zone_says_what_today_is(server: PlatformServer, halden: MicrosoftCaller) -> None:
    server.outside.move(-timedelta(hours=10))
    try:
        here = [
            codes(answer) if answer.status_code != 200 else []
            for zone in (None, "OsakaSapporoTokyo")
            for answer in [
                halden.submit(
                    "CampaignPerformance", "TimePeriod CampaignId Clicks", Time=custom(PAST, TODAY, ReportTimeZone=zone)
                )
            ]
        ]
    finally:
        server.outside.move(timedelta())
    assert here == [[2010], []]
