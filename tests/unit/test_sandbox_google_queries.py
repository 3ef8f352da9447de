"""Which queries the sandbox's Google Ads refuses, and with which of Google's errors; what conditions and orders do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.google_caller import DAYS, GoogleCaller, column, google

AD_DAYS = f"FROM ad_group_ad WHERE {DAYS}"


@pytest.fixture(scope="module")
def caller() -> Iterator[GoogleCaller]:
    """Only read."""
    with google("kestrel", awkward=True) as made:
        yield made


# -- what is no query ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("campaign.id FROM campaign", "EXPECTED_SELECT"),
        ("SELECT campaign.id", "UNEXPECTED_END_OF_QUERY"),
        ("SELECT campaign.id WHERE campaign.id = 1", "EXPECTED_FROM"),
        ("SELECT FROM campaign", "UNEXPECTED_INPUT"),
        ("SELECT campaign..id FROM campaign", "BAD_FIELD_NAME"),
        ("SELECT campaign.id; FROM campaign", "BAD_SYMBOL"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = 'x", "STRING_NOT_TERMINATED"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = 'a\nb'", "PROHIBITED_NEWLINE_IN_STRING"),
        (r"SELECT campaign.id FROM campaign WHERE campaign.name = 'a\q'", "BAD_ESCAPE_SEQUENCE"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = 1 OR campaign.id = 2", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id ~ 1", "BAD_SYMBOL"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IS 1", "BAD_OPERATOR"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN ()", "PROHIBITED_EMPTY_LIST_IN_CONDITION"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN (1, 'a')", "PROHIBITED_VALUE_COMBINATION_IN_LIST"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN 1", "EXPECTED_LIST"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = (1)", "EXPECTED_SINGLE_VALUE"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id BETWEEN 1, 2", "EXPECTED_AND"),
        ("SELECT campaign.id FROM campaign ORDER campaign.id", "EXPECTED_BY"),
        ("SELECT campaign.id FROM campaign LIMIT x", "BAD_LIMIT_VALUE"),
        ("SELECT campaign.id FROM campaign LIMIT 0", "LIMIT_VALUE_TOO_LOW"),
        (f"SELECT campaign.id FROM campaign LIMIT {'9' * 5000}", "BAD_LIMIT_VALUE"),
        ("SELECT campaign.id FROM campaign LIMIT 1 LIMIT 2", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id FROM campaign PARAMETERS include_drafts = maybe", "BAD_VALUE"),
    ],
)
def test_a_text_that_is_no_query_is_refused(caller: GoogleCaller, query: str, code: str) -> None:
    assert caller.refusal(caller.ask(query)) == (400, "queryError", code)


def test_an_empty_query_is_missing(caller: GoogleCaller) -> None:
    assert caller.refusal(caller.ask("")) == (400, "requestError", "REQUIRED_FIELD_MISSING")


def test_a_member_that_a_request_does_not_have_is_refused(caller: GoogleCaller) -> None:
    answer = caller.ask("SELECT campaign.id FROM campaign", limit=5)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


# -- what does not exist, or does not go together --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT campaign.start_date FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT metrics.nothing FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT campaign.id FROM campaigns", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("SELECT ad_group.id FROM campaign", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
        ("SELECT campaign.id FROM campaign WHERE ad_group.id = 1", "PROHIBITED_RESOURCE_TYPE_IN_WHERE_CLAUSE"),
        (
            "SELECT ad_group_ad.ad.responsive_search_ad.headlines.text FROM ad_group_ad",
            "PROHIBITED_FIELD_IN_SELECT_CLAUSE",
        ),
        ("SELECT metrics.historical_quality_score FROM ad_group_ad", "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE"),
        (
            f"SELECT metrics.view_through_conversions, segments.date FROM landing_page_view WHERE {DAYS}",
            "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
        ),
        (f"SELECT segments.hour, segments.date {AD_DAYS}", "PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE"),
        (
            f"SELECT segments.hour, segments.date FROM keyword_view WHERE {DAYS}",
            "PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE",
        ),
        (
            f"SELECT segments.conversion_action, metrics.cost_micros FROM campaign WHERE {DAYS}",
            "PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
        ),
        (
            f"SELECT segments.conversion_action_name, metrics.conversions, metrics.clicks {AD_DAYS}",
            "PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
        ),
        (
            f"SELECT segments.hour, metrics.all_conversions FROM campaign WHERE {DAYS}",
            "PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
        ),
        (
            "SELECT segments.ad_network_type, metrics.historical_quality_score FROM keyword_view",
            "PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
        ),
        (
            "SELECT campaign.id FROM campaign WHERE segments.device = 'MOBILE'",
            "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
        ),
        ("SELECT campaign.id FROM campaign ORDER BY metrics.clicks", "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE"),
        (
            "SELECT ad_group_ad.ad.final_urls FROM ad_group_ad ORDER BY ad_group_ad.ad.final_urls",
            "PROHIBITED_FIELD_IN_ORDER_BY_CLAUSE",
        ),
        (
            "SELECT ad_group_ad.ad.id FROM ad_group_ad WHERE ad_group_ad.ad.responsive_search_ad.headlines IS NOT NULL",
            "PROHIBITED_FIELD_IN_WHERE_CLAUSE",
        ),
    ],
)
def test_fields_that_do_not_exist_or_do_not_go_together_are_refused(
    caller: GoogleCaller, query: str, code: str
) -> None:
    assert caller.refusal(caller.ask(query)) == (400, "queryError", code)


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("campaign.status = 'RUNNING'", "BAD_ENUM_CONSTANT"),
        ("campaign.status > 'ENABLED'", "OPERATOR_FIELD_MISMATCH"),
        ("campaign.id LIKE '1%'", "OPERATOR_FIELD_MISMATCH"),
        ("campaign.id = 'abc'", "BAD_NUMBER"),
        ("campaign.name = 5", "INVALID_STRING_VALUE"),
        ("campaign.name DURING TODAY", "OPERATOR_FIELD_MISMATCH"),
        ("campaign.labels = 'x'", "OPERATOR_FIELD_MISMATCH"),
        ("campaign.id CONTAINS ANY (1)", "OPERATOR_FIELD_MISMATCH"),
        ("customer.manager = 'perhaps'", "BAD_VALUE"),
        ("segments.date LIKE '2026%'", "OPERATOR_FIELD_MISMATCH"),
        ("campaign.name REGEXP_MATCH '(a'", "BAD_VALUE"),
    ],
)
def test_conditions_that_a_field_cannot_have_are_refused(caller: GoogleCaller, condition: str, code: str) -> None:
    answer = caller.ask(f"SELECT campaign.id FROM campaign WHERE {condition}")
    assert caller.refusal(answer) == (400, "queryError", code)


# -- dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("select", "where", "refusal"),
    [
        ("segments.date", "", ("queryError", "EXPECTED_FILTERS_ON_DATE_RANGE")),
        ("segments.date", "WHERE segments.date >= '2026-11-01'", ("queryError", "EXPECTED_FILTERS_ON_DATE_RANGE")),
        ("segments.week", "WHERE campaign.id > 0", ("queryError", "EXPECTED_FILTERS_ON_DATE_RANGE")),
        ("segments.date", "WHERE segments.date = 'soon'", ("queryError", "INVALID_DATE_FORMAT")),
        (
            "segments.date",
            "WHERE segments.date DURING LAST_90_DAYS",
            ("queryError", "INVALID_VALUE_WITH_DURING_OPERATOR"),
        ),
        ("segments.week", "WHERE segments.week = '2026-11-03'", ("queryError", "MISALIGNED_DATE_FOR_FILTER")),
        ("segments.month", "WHERE segments.month = '2026-11-03'", ("queryError", "MISALIGNED_DATE_FOR_FILTER")),
        (
            "segments.date",
            "WHERE segments.date BETWEEN '2026-11-03' AND '2026-11-01'",
            ("dateRangeError", "START_DATE_AFTER_END_DATE"),
        ),
        (
            "segments.date",
            "WHERE segments.date BETWEEN '2023-09-30' AND '2023-10-31'",
            ("dateRangeError", "REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED"),
        ),
        (
            "segments.month",
            "WHERE segments.date BETWEEN '2023-08-02' AND '2023-08-31'",
            ("dateRangeError", "REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED"),
        ),
        (
            "segments.month",
            "WHERE segments.date BETWEEN '2014-01-01' AND '2014-12-31'",
            ("dateRangeError", "REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED"),
        ),
    ],
)
def test_dates_that_cannot_be_answered_are_refused(
    caller: GoogleCaller, select: str, where: str, refusal: tuple[str, str]
) -> None:
    answer = caller.ask(f"SELECT campaign.id, {select}, metrics.clicks FROM campaign {where}")
    assert caller.refusal(answer) == (400, *refusal)


@pytest.mark.parametrize(
    "where",
    [
        "segments.date BETWEEN '2023-10-01' AND '2023-10-31'",
        "segments.month BETWEEN '2016-01-01' AND '2016-12-01'",
    ],
)
def test_days_reach_37_months_back_and_months_11_years(caller: GoogleCaller, where: str) -> None:
    segment = where.split(maxsplit=1)[0]
    assert caller.rows(f"SELECT campaign.id, {segment}, metrics.clicks FROM campaign WHERE {where}") == []


@pytest.mark.parametrize(
    ("condition", "days"),
    [
        ("DURING TODAY", ["2026-11-21"]),
        ("DURING YESTERDAY", ["2026-11-20"]),
        ("DURING LAST_7_DAYS", [f"2026-11-{day}" for day in range(14, 21)]),
        ("DURING THIS_WEEK_MON_TODAY", [f"2026-11-{day}" for day in range(16, 22)]),
        ("IN ('2026-11-03', '2026-11-05')", ["2026-11-03", "2026-11-05"]),
        ("> '2026-11-18' AND segments.date <= '2026-11-19'", ["2026-11-19"]),
    ],
)
def test_a_range_of_days_is_in_the_account_s_time_zone(caller: GoogleCaller, condition: str, days: list[str]) -> None:
    rows = caller.rows(f"SELECT segments.date, metrics.impressions FROM customer WHERE segments.date {condition}")
    assert column(rows, "segments.date") == days


def test_a_date_in_where_alone_does_not_segment(caller: GoogleCaller) -> None:
    rows = caller.rows(f"SELECT customer.id, metrics.clicks FROM customer WHERE {DAYS}")
    days = caller.rows(f"SELECT customer.id, metrics.clicks, segments.date FROM customer WHERE {DAYS}")
    assert [int(row["metrics"]["clicks"]) for row in rows] == [sum(int(row["metrics"]["clicks"]) for row in days)]
    assert len(days) == 10


# -- conditions, orders, limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("campaign.advertising_channel_type = 'VIDEO'", {"Stories | Video"}),
        ("campaign.advertising_channel_type = VIDEO", {"Stories | Video"}),
        ("campaign.status IN ('REMOVED', 'PAUSED')", {"Generic | Search", "Install | App"}),
        ("campaign.name LIKE '%search'", {"Brand | Search", "Generic | Search", "Hotline | Search"}),
        ("campaign.name NOT LIKE '%a%' AND campaign.name != 'Everything | PMax'", {"Stories | Video"}),
        ("campaign.name REGEXP_MATCH '[BG].*Search'", {"Brand | Search", "Generic | Search"}),
        ("campaign.labels CONTAINS ANY ('x')", set()),
        ("campaign.tracking_url_template IS NOT NULL", set()),
        (f"metrics.impressions > 0 AND campaign.name LIKE 'Install%' AND {DAYS}", {"Install | App"}),
    ],
)
def test_conditions_leave_what_they_hold_of(caller: GoogleCaller, condition: str, names: set[str]) -> None:
    rows = caller.rows(f"SELECT campaign.name FROM campaign WHERE {condition}")
    assert set(column(rows, "campaign.name")) == names


def test_rows_are_sorted_and_limited(caller: GoogleCaller) -> None:
    query = f"SELECT campaign.id, metrics.clicks FROM campaign WHERE {DAYS} ORDER BY metrics.clicks DESC, campaign.id"
    clicks = [int(row["metrics"]["clicks"]) for row in caller.rows(query)]
    assert clicks == sorted(clicks, reverse=True)
    assert [int(row["metrics"]["clicks"]) for row in caller.rows(f"{query} LIMIT 3")] == clicks[:3]


# -- change status ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ("LIMIT 10", "CHANGE_DATE_RANGE_INFINITE"),
        ("WHERE change_status.last_change_date_time >= '2026-11-01' LIMIT 10", "CHANGE_DATE_RANGE_INFINITE"),
        (
            "WHERE change_status.last_change_date_time BETWEEN '2026-11-02' AND '2026-11-01' LIMIT 10",
            "CHANGE_DATE_RANGE_NEGATIVE",
        ),
        ("WHERE change_status.last_change_date_time BETWEEN '2026-11-01' AND '2026-11-02'", "LIMIT_NOT_SPECIFIED"),
        (
            "WHERE change_status.last_change_date_time BETWEEN '2026-11-01' AND '2026-11-02' LIMIT 10001",
            "INVALID_LIMIT_CLAUSE",
        ),
    ],
)
def test_changes_are_asked_for_in_a_range_and_with_a_limit(caller: GoogleCaller, rest: str, code: str) -> None:
    answer = caller.ask(f"SELECT change_status.resource_type FROM change_status {rest}")
    assert caller.refusal(answer) == (400, "changeStatusError", code)


def test_what_happens_to_an_ad_is_its_latest_change(caller: GoogleCaller) -> None:
    # given
    with google() as other:
        _, group, ad = next(found for found in other.profile.ads() if found[2].status == "ACTIVE")
        other.server.outside.happen("delete", {"profile_id": other.profile.id, "ad_id": ad.id})

        # when
        rows = other.rows(
            "SELECT change_status.resource_status, change_status.ad_group_ad FROM change_status WHERE "
            "change_status.last_change_date_time BETWEEN '2026-11-20' AND '2026-11-22' AND "
            "change_status.resource_type = 'AD_GROUP_AD' ORDER BY change_status.last_change_date_time DESC LIMIT 10"
        )

    # then
    named = f"customers/{other.profile.id}/adGroupAds/{group.id}~{ad.id}"
    (status,) = [r["changeStatus"] for r in rows if r["changeStatus"]["adGroupAd"] == named]
    assert status["resourceStatus"] == "REMOVED"
