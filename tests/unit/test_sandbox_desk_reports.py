"""The sandbox's The Trade Desk: MyReports from template to download, equal to the truth at every level."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.platforms.trade_desk import STAND_IN
from sandbox.platforms.trade_desk.columns import COST
from sandbox.platforms.trade_desk.conversions import MODELS, PURCHASE, tag_id
from sandbox.server import PlatformServer
from sandbox.world import WorldProfile
from support.desk_caller import END, PAGE, START, DeskCaller
from support.platform_server import running

LAST = date.fromisoformat(END) - timedelta(days=1)
LEVELS = {"account": 168_001, "campaign": 168_002, "ad_group": 168_003, "ad": 168_005}
SPLIT = [168_005, 168_008, 168_009, 168_010, 168_011]
Row = dict[str, str]


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        started.outside.report_seconds = 0
        yield started


@pytest.fixture(autouse=True)
def _well_behaved(server: PlatformServer) -> Iterator[None]:
    yield
    server.outside.switches.clear()
    server.outside.report_seconds = 0


@pytest.fixture(scope="module", params=["halden", "mori", "kestrel", "lumen"])
def caller(request: pytest.FixtureRequest, server: PlatformServer) -> DeskCaller:
    return DeskCaller(server, request.param)


@pytest.fixture(scope="module")
def halden(server: PlatformServer) -> DeskCaller:
    return DeskCaller(server, "halden")


def us(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def international(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def entity(row: Row, level: str) -> str:
    parts = {"account": "Advertiser ID", "campaign": "Campaign ID", "ad_group": "Ad Group ID"}
    return row[parts[level]] if level in parts else f"{row['Ad Group ID']}~{row['Creative ID']}"


def added_up(
    rows: list[Row], level: str, number: Callable[[str], Decimal] = us
) -> dict[tuple[str, ...], list[Decimal]]:
    """(advertiser, entity, date) → impressions, clicks, conversions, spend, revenue of the purchase pixel."""
    sums: dict[tuple[str, ...], list[Decimal]] = {}
    for row in rows:
        kinds = ("Click Conversion", "View Through Conversion")
        values = [
            number(row["Impressions"]),
            number(row["Clicks"]),
            sum((number(row[f"01 - {kind}"]) for kind in kinds), Decimal()),
            number(row[COST]),
            sum((number(row[f"01 - {kind} Revenue"]) for kind in kinds), Decimal()),
        ]
        sums.setdefault((row["Advertiser ID"], entity(row, level), row["Date"]), [Decimal()] * 5)
        place = sums[row["Advertiser ID"], entity(row, level), row["Date"]]
        place[:] = [old + new for old, new in zip(place, values, strict=True)]
    return sums


def truth(
    server: PlatformServer, profiles: list[WorldProfile], level: str, start: str = START, last: date = LAST
) -> dict[tuple[str, ...], list[Decimal]]:
    """The same from the world."""
    names = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
    return {
        (profile.id, row["entity_id"], row["date"]): [
            Decimal(row[name]) / (1_000_000 if name.endswith("_micros") else 1) for name in names
        ]
        for profile in profiles
        for row in server.outside.world.truth(profile, date.fromisoformat(start), last, level)
    }


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_a_partner_s_report_is_the_truth_of_all_its_advertisers(
    server: PlatformServer, caller: DeskCaller, level: str
) -> None:
    found = added_up(caller.rows(LEVELS[level]), level)
    assert found == truth(server, caller.profiles, level)
    assert {key[0] for key in found} == {profile.id for profile in caller.profiles}


@pytest.mark.parametrize("template", SPLIT)
def test_rows_that_are_split_further_sum_to_the_truth(
    server: PlatformServer, halden: DeskCaller, template: int
) -> None:
    rows = halden.rows(template)
    assert max(Counter((row["Date"], entity(row, "ad")) for row in rows).values()) > 1
    assert added_up(rows, "ad") == truth(server, halden.profiles, "ad")


def test_archived_creatives_keep_their_rows(server: PlatformServer) -> None:
    # given
    kestrel = DeskCaller(server, "kestrel")
    gone = {ad.id for profile in kestrel.profiles for _, _, ad in profile.ads() if ad.status == "ARCHIVED"}

    # when
    start = (LAST - timedelta(days=40)).isoformat()
    rows = kestrel.rows(168_005, ReportStartDateInclusive=start)

    # then
    assert gone & {row["Creative ID"] for row in rows}
    assert added_up(rows, "ad") == truth(server, kestrel.profiles, "ad", start)


def test_a_report_of_one_advertiser_has_no_other_s_rows(server: PlatformServer, halden: DeskCaller) -> None:
    rows = halden.rows(168_005, PartnerFilters=None, AdvertiserFilters=[halden.profiles[1].id])
    assert added_up(rows, "ad") == truth(server, halden.profiles[1:], "ad")


def test_the_end_is_exclusive_and_a_window_of_one_day_has_one_day(halden: DeskCaller) -> None:
    rows = halden.rows(168_001, ReportStartDateInclusive="2026-11-18", ReportEndDateExclusive="2026-11-19")
    assert {row["Date"] for row in rows} == {"2026-11-18"}
    refused = halden.schedule(ReportStartDateInclusive="2026-11-18", ReportEndDateExclusive="2026-11-18")
    assert refused.status_code == 400


def test_only_clicks_and_views_are_disjoint_kinds_of_conversions(halden: DeskCaller) -> None:
    rows = halden.rows(168_003)
    sums = Counter[str]()
    for row in rows:
        sums.update(
            {name: int(us(text)) for name, text in row.items() if name.startswith("0") and "Revenue" not in name}
        )
    both = sums["01 - Click Conversion"] + sums["01 - View Through Conversion"]
    assert sums["01 - Total Click + View Conversions"] == both
    assert sums["01 - Conversion Touch"] > both
    assert sums["03 - Total Click + View Conversions"] > both > 0
    assert sums["02 - Click Conversion"] != sums["01 - Click Conversion"]
    assert sums["04 - Click Conversion"] == 0


@pytest.mark.parametrize(("template", "between"), [(168_006, " - {tag} - "), (168_007, " [")])
def test_columns_may_be_named_by_pixel(server: PlatformServer, halden: DeskCaller, template: int, between: str) -> None:
    # given
    profile = halden.profiles[0]
    tag = tag_id(profile, PURCHASE)
    start = f"Purchase page{between.format(tag=tag)}{MODELS[PURCHASE]}"
    start += " - " if template == 168_006 else "] - "

    # when
    rows = [row for row in halden.rows(template) if row["Advertiser ID"] == profile.id]

    # then
    kinds = ("Click Conversion", "View Through Conversion")
    found = sum(us(row[start + kind]) for row in rows for kind in kinds)
    assert found == sum(values[2] for values in truth(server, [profile], "ad").values())
    assert not any(name.startswith("01 - ") for name in rows[0])


def test_every_cost_is_another_amount_and_says_its_currency(server: PlatformServer) -> None:
    mori = DeskCaller(server, "mori")
    row = next(row for row in mori.rows(168_001) if row["Advertiser ID"] == mori.profiles[1].id)
    assert (row["Advertiser Currency Code"], row["Partner Currency Code"]) == ("JPY", "EUR")
    costs = [us(text) for name, text in row.items() if "Cost" in name]
    assert len(costs) == len(set(costs)) == 6


def test_a_reassigned_column_is_not_retroactive(server: PlatformServer, halden: DeskCaller) -> None:
    # given
    profile = halden.profiles[0]
    before = {row["Date"]: row for row in halden.rows(168_001) if row["Advertiser ID"] == profile.id}
    switch = {"kind": "swapped_columns", "profile_id": profile.id, "from": "2026-11-18"}
    server.outside.switches.turn_on(switch)

    # when
    after = {row["Date"]: row for row in halden.rows(168_001) if row["Advertiser ID"] == profile.id}
    campaign = halden.listed("/campaign/query/advertiser", AdvertiserId=profile.id)["Result"][0]

    # then
    for day, row in after.items():
        own, other = ("02", "01") if day >= "2026-11-18" else ("01", "02")
        assert row[f"{own} - Click Conversion"] == before[day]["01 - Click Conversion"]
        assert row[f"{other} - Click Conversion"] == before[day]["02 - Click Conversion"]
    columns = campaign["CampaignConversionReportingColumns"]
    assert columns[1]["TrackingTagId"] == tag_id(profile, PURCHASE) != columns[0]["TrackingTagId"]


# -- formats ----------------------------------------------------------------------------------------------------------


def test_us_numbers_are_grouped_and_quoted(halden: DeskCaller) -> None:
    content = halden.file(168_001).decode()
    assert any('"' in part and "," in part for part in content.splitlines()[1:])
    assert any("," in row["Impressions"] for row in halden.rows(168_001))


def test_international_numbers_have_a_decimal_comma_and_no_groups(server: PlatformServer, halden: DeskCaller) -> None:
    # when
    rows = halden.rows(168_005, ReportNumericFormat="International", ReportDateFormat="Sortable")

    # then
    assert added_up(rows, "ad", international) == truth(server, halden.profiles, "ad")
    assert not any("." in row[COST] or "," in row["Impressions"] for row in rows)


@pytest.mark.parametrize(
    ("dates", "text"), [("Sortable", "2026-11-14"), ("US", "11/14/2026"), ("International", "14/11/2026")]
)
def test_dates_follow_the_schedule_s_format(halden: DeskCaller, dates: str, text: str) -> None:
    assert text in {row["Date"] for row in halden.rows(168_001, ReportDateFormat=dates)}


def test_a_tsv_file_has_tabs_and_one_without_headers_has_none(halden: DeskCaller) -> None:
    tabs = halden.file(168_001, ReportFileFormat="TSV").decode()
    bare = halden.file(168_001, IncludeHeaders=False).decode()
    assert tabs.startswith("Date\tPartner ID\t")
    assert bare.startswith("2026-11-14,")


# -- schedules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"ReportTemplateId": 1},
        {"ReportTemplateId": None},
        {"ReportScheduleName": None},
        {"ScheduleStartDate": None},
        {"ReportFileFormat": "ExcelPivot"},
        {"ReportFrequency": "Hourly"},
        {"ReportDateRange": "Always"},
        {"ReportDateRange": "LastXDays"},
        {"ReportDateFormat": "ISO"},
        {"ReportNumericFormat": "German"},
        {"TimeZone": "Europe/Berlin"},
        {"PartnerFilters": None},
        {"ReportStartDateInclusive": "soon"},
    ],
)
def test_a_schedule_that_the_platform_cannot_run_is_refused(halden: DeskCaller, change: dict[str, Any]) -> None:
    answer = halden.schedule(**change)
    assert answer.status_code == 400
    assert answer.json()["ErrorDetails"]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ({"ReportDateRange": "Yesterday"}, "2026-11-20", "2026-11-21"),
        ({"ReportDateRange": "Last30Days"}, "2026-10-22", "2026-11-21"),
        ({"ReportDateRange": "LastXDays", "LookbackDays": 3}, "2026-11-18", "2026-11-21"),
        ({"ReportDateRange": "MonthToDate"}, "2026-11-01", "2026-11-21"),
        ({"ReportDateRange": "LastMonth"}, "2026-10-01", "2026-11-01"),
        ({"ReportDateRange": "QuarterToDate"}, "2026-10-01", "2026-11-21"),
        ({"ReportDateRange": "LastQuarter"}, "2026-07-01", "2026-10-01"),
        ({"ReportDateRange": "YearToDate"}, "2026-01-01", "2026-11-21"),
    ],
)
def test_a_schedule_s_range_is_read_back(halden: DeskCaller, asked: dict[str, Any], start: str, end: str) -> None:
    created = halden.schedule(ReportFrequency="Daily", **asked).json()
    read = halden.ask(f"/myreports/reportschedule/{created['ReportScheduleId']}", method="GET").json()
    assert (read["ReportStartDateInclusive"], read["ReportEndDateExclusive"]) == (
        f"{start}T00:00:00",
        f"{end}T00:00:00",
    )


def test_a_start_long_ago_is_clamped_and_read_back(halden: DeskCaller) -> None:
    created = halden.schedule(ScheduleStartDate="2025-01-01T00:00:00").json()
    assert created["ScheduleStartDate"] == "2026-02-22T00:00:00"


def test_a_deleted_schedule_is_gone_and_answers_240_without_a_body(halden: DeskCaller) -> None:
    # given
    schedule = halden.schedule(ReportScheduleName="to delete").json()["ReportScheduleId"]

    # when
    deleted = halden.ask(f"/myreports/reportschedule/{schedule}", method="DELETE")

    # then
    assert (deleted.status_code, deleted.content) == (240, b"")
    assert halden.ask(f"/myreports/reportschedule/{schedule}", method="GET").status_code == 403
    assert halden.executions(schedule) == []


def test_schedules_are_found_by_name_and_limited_per_partner(server: PlatformServer, halden: DeskCaller) -> None:
    # given
    halden.schedule(ReportScheduleName="the one")

    # when
    found = halden.listed("/myreports/reportschedule/query", ReportScheduleNameContains="the one")["Result"]
    server.outside.switches.turn_on({"kind": "schedule_limit", "most": 1})

    # then
    assert [schedule["ReportScheduleName"] for schedule in found] == ["the one"]
    assert halden.schedule().status_code == 400


def test_a_strict_schedule_refuses_what_a_loose_one_ignores(halden: DeskCaller) -> None:
    assert halden.schedule(SuppressEverything=True).status_code == 200
    body = {"ReportScheduleName": "x", "AdvertiserFilter": [halden.profiles[0].id]}
    answer = halden.ask("/myreports/reportschedule", body, headers={"TTD-Strict-Mode": "true"})
    assert answer.json()["ErrorDetails"][0]["Property"] == "AdvertiserFilter"


def test_templates_are_listed_with_their_ids(halden: DeskCaller) -> None:
    found = halden.listed("/myreports/reporttemplateheader/query", PartnerIds=[halden.partner.id])["Result"]
    assert {"ReportTemplateId": 168_005, "Name": "Creative Performance", "Format": "CSV"} in found


# -- executions -------------------------------------------------------------------------------------------------------


def test_an_execution_goes_from_pending_to_complete(server: PlatformServer, halden: DeskCaller) -> None:
    # given
    server.outside.report_seconds = 0.2
    schedule = halden.schedule().json()["ReportScheduleId"]

    # when
    seen = [halden.executions(schedule)[0]]
    while seen[-1]["ReportExecutionState"] != "Complete":
        time.sleep(0.02)
        seen.append(halden.executions(schedule)[0])

    # then
    assert list(dict.fromkeys(each["ReportExecutionState"] for each in seen)) == ["Pending", "InProgress", "Complete"]
    assert seen[0]["ReportDeliveries"] == []
    assert seen[-1]["ReportDeliveries"][0]["DownloadURLExpirationUTC"]


def test_executions_are_asked_by_what_the_schedule_filters(halden: DeskCaller) -> None:
    # given
    mine = halden.profiles[0].id
    schedule = halden.schedule(PartnerFilters=None, AdvertiserFilters=[mine]).json()["ReportScheduleId"]

    # then
    assert halden.executions(schedule) == []
    assert len(halden.executions(schedule, AdvertiserIds=[mine])) == 1
    assert halden.executions(schedule, AdvertiserIds=[halden.profiles[1].id]) == []
    path = "/myreports/reportexecution/query/advertisers"
    assert halden.ask(path, PAGE).status_code == 400
    assert halden.ask(path, PAGE | {"AdvertiserIds": ["nobody1"]}).status_code == 403


def test_a_broken_report_says_why(server: PlatformServer, halden: DeskCaller) -> None:
    # given
    server.outside.switches.turn_on({"kind": "broken_report", "state": "Error", "reason": "too many rows"})
    schedule = halden.schedule().json()["ReportScheduleId"]

    # when
    (execution,) = halden.executions(schedule)

    # then
    assert (execution["ReportExecutionState"], execution["DisabledReason"]) == ("Error", "too many rows")
    assert execution["ReportDeliveries"] == []


def test_a_slow_report_may_have_a_state_that_nobody_documented(server: PlatformServer, halden: DeskCaller) -> None:
    server.outside.switches.turn_on({"kind": "slow_report", "seconds": 60, "state": "Queued"})
    schedule = halden.schedule().json()["ReportScheduleId"]
    assert halden.executions(schedule)[0]["ReportExecutionState"] == "Queued"
