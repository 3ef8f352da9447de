"""Pulls of `adweir.client`: what comes twice, too late, too large, broken or not at all, and its reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adweir.library.waiting import Waiting
from adweir.model.errors import (
    BadInput,
    NotApplicable,
    NotReady,
    OutOfRetention,
    ReportFailed,
    Throttled,
    TooMuchData,
    Transient,
    Unprocessable,
)
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.base import Pace
from adweir.platforms.connector import Mode, Report, ReportState
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.lone import (
    ADS,
    ROWS,
    WEEK,
    Paper,
    PaperConnector,
    a_page,
    paper_spec,
    profile_row,
    usual,
)

# --- what comes apart on the way


def test_given_the_same_row_on_two_pages_when_ads_are_read_then_it_counts_once() -> None:
    twice = lambda task, _: [ROWS["left"], ROWS["left"]] if task.slice == "left" else usual(task, "")  # noqa: E731
    paper = Paper(PaperConnector(twice))

    assert sum(row["spend"] for row in paper.client.get_ads("7", WEEK)) == Decimal("1.75")


@pytest.mark.parametrize(
    "rows", [["bad"], [["g~1", "2026-11-01", 10, -1]], [["g~1", "2025-01-01", 1, 1]]], ids=["unread", "negative", "day"]
)
def test_given_a_row_that_the_system_would_not_store_when_ads_are_read_then_it_is_not_passed_over(rows: Any) -> None:
    paper = Paper(PaperConnector(lambda task, _: [rows] if task.slice == "right" else usual(task, "")))

    with pytest.raises(BadInput, match="1 rows of ad_daily of paper_ads#7 cannot be used"):
        list(paper.client.get_ads("7", WEEK))


def test_given_paging_that_ends_before_the_platform_s_end_then_an_error_says_that_not_all_came() -> None:
    connector = PaperConnector(usual)
    connector.ended = False

    with pytest.raises(Transient, match="not whole, ask again"):
        list(Paper(connector).client.get_campaigns(profile_row()))


def test_given_a_slice_that_the_profile_does_not_use_when_it_is_pulled_then_the_others_count() -> None:
    no = NotApplicable("no such product")
    paper = Paper(PaperConnector(lambda task, _: [no] if task.slice == "right" else usual(task, "")))

    assert sum(row["spend"] for row in paper.client.get_ads("7", WEEK)) == Decimal("1.75")


def test_given_too_much_data_when_metrics_are_pulled_then_smaller_windows_bring_them_all() -> None:
    def answer(task: Task, resume: str) -> Sequence[Any]:
        refused = task.window is not None and task.window.length > 1
        return [*usual(task, resume), TooMuchData("too much")] if refused else usual(task, resume)

    paper = Paper(PaperConnector(answer))

    assert sum(row["spend"] for row in paper.client.get_ads("7", WEEK)) == Decimal("1.75")
    assert max(task.depth for task in paper.connector.asked) == 3


def test_given_too_much_data_in_a_single_day_when_it_is_pulled_then_the_error_is_the_platform_s() -> None:
    answer = lambda task, _: [TooMuchData("too much")] if task.window else usual(task, "")  # noqa: E731

    with pytest.raises(TooMuchData):
        list(Paper(PaperConnector(answer)).client.get_ads("7", WEEK))


def test_given_a_platform_that_asks_to_wait_amid_a_list_then_it_goes_on_where_it_was() -> None:
    resumed: list[str] = []

    def answer(task: Task, resume: str) -> Sequence[Any]:
        resumed.append(resume)
        return [ADS[1:]] if resume else [a_page(ADS[:1], "second"), Throttled("slow down", retry_after=30)]

    paper = Paper(PaperConnector(answer))

    rows = list(paper.client.get_ads(profile_row(), WEEK, ["ad_id"]))

    assert [row["ad_id"] for row in rows] == ["1", "2"]
    assert resumed == ["", "second"]
    assert paper.slept == [30 * 1.25]


def test_given_a_platform_that_asks_to_wait_longer_than_the_patience_then_the_error_says_so() -> None:
    answer = lambda *_: [Throttled("quota", retry_after=86_400)]  # noqa: E731
    paper = Paper(PaperConnector(answer), patience=60)

    with pytest.raises(Throttled):
        list(paper.client.get_campaigns(profile_row()))

    assert paper.slept == []


def test_given_a_range_older_than_what_is_kept_then_the_error_names_the_first_day_that_is() -> None:
    paper = Paper(PaperConnector(usual), paper_spec(keeps=10))

    with pytest.raises(OutOfRetention, match="since 2026-11-10 only: begin the range on that day"):
        list(paper.client.get_ads("7", WEEK))


# --- reports


def test_given_reports_when_ads_are_read_then_all_are_asked_for_before_one_is_waited_for_and_none_is_left() -> None:
    paper = Paper(PaperConnector(usual, mode=Mode.REPORT, polls=3))

    rows = list(paper.client.get_ads("7", WEEK, ["spend"]))

    assert sum(row["spend"] for row in rows) == Decimal("1.75")
    log = paper.connector.log
    assert log[:2] == ["create r1", "create r2"]
    assert sorted(line for line in log if line.startswith("discard")) == ["discard r1", "discard r2"]
    assert paper.slept[:3] == [4, 6, 8]


def test_given_a_reader_that_stops_early_then_its_reports_are_discarded() -> None:
    profiles = [[{"profile_id": "7"}, {"profile_id": "8"}]]
    paper = Paper(
        PaperConnector(lambda task, _: usual(task, "") if task.profile_id else profiles, mode=Mode.REPORT),
        paper_spec(longest=2),
    )

    rows = paper.client.get_ads(None, WEEK)
    next(rows)
    assert len([line for line in paper.connector.log if line.startswith("discard")]) == 8
    del rows

    created = [line.split()[1] for line in paper.connector.log if line.startswith("create")]
    discarded = [line.split()[1] for line in paper.connector.log if line.startswith("discard")]
    assert sorted(created) == sorted(discarded)
    assert len(created) == 16


@pytest.mark.parametrize(
    "refusal",
    [
        Throttled("too many reports", retry_after=9),
        Transient("down"),
        NotReady("busy", after=9),
        TooMuchData("too long"),
    ],
)
def test_given_a_report_that_cannot_be_asked_for_yet_then_it_is_when_those_before_it_were_read(
    refusal: Exception,
) -> None:
    connector = PaperConnector(usual, mode=Mode.REPORT)
    connector.refusals = [None, refusal]
    paper = Paper(connector)

    rows = list(paper.client.get_ads("7", WEEK, ["spend"]))

    assert sum(row["spend"] for row in rows) == Decimal("1.75")
    assert connector.log.index("create r2") > connector.log.index("discard r1")
    assert 9 not in paper.slept


def test_given_a_report_that_serves_two_profiles_when_both_are_read_then_it_is_made_once_and_discarded_last() -> None:
    profiles = [[{"profile_id": "7"}, {"profile_id": "8"}]]
    connector = PaperConnector(lambda task, _: usual(task, "") if task.profile_id else profiles, mode=Mode.REPORT)
    connector.shared = True

    rows = list(Paper(connector).client.get_ads(None, WEEK, ["account_id", "spend"]))

    assert [(row["account_id"], row["spend"]) for row in rows if row["spend"]] == [
        ("7", Decimal("1.75")),
        ("8", Decimal("1.75")),
    ]
    assert [line for line in connector.log if "look" not in line] == [
        "create r1",
        "create r2",
        "discard r1",
        "discard r2",
    ]


def test_given_a_shared_report_that_fails_when_both_profiles_are_read_then_one_new_report_serves_both() -> None:
    profiles = [[{"profile_id": "7"}, {"profile_id": "8"}]]
    connector = PaperConnector(lambda task, _: usual(task, "") if task.profile_id else profiles, mode=Mode.REPORT)
    connector.shared = True
    connector.failing["r1"] = Report("r1", ReportState.FAILED, FrozenClock().now(), "hiccup")

    rows = list(Paper(connector).client.get_ads(None, WEEK, ["account_id", "spend"]))

    assert sum(row["spend"] for row in rows) == Decimal("3.5")
    assert sum(line.startswith("create") for line in connector.log) <= 4
    created = {line.split()[1] for line in connector.log if line.startswith("create")}
    assert created == {line.split()[1] for line in connector.log if line.startswith("discard")}


def test_given_a_report_that_fails_once_then_it_is_asked_for_again() -> None:
    connector = PaperConnector(usual, mode=Mode.REPORT)
    connector.failing["r1"] = Report("r1", ReportState.FAILED, FrozenClock().now(), "hiccup")

    assert sum(row["spend"] for row in Paper(connector).client.get_ads("7", WEEK)) == Decimal("1.75")
    assert "create r3" in connector.log


def test_given_reports_that_fail_again_and_again_then_the_error_has_the_platform_s_reason() -> None:
    connector = PaperConnector(usual, mode=Mode.REPORT)
    failed = Report("", ReportState.FAILED, FrozenClock().now(), "no luck")
    connector.failing = {f"r{number}": failed for number in range(1, 200)}

    with pytest.raises(ReportFailed, match="no luck"):
        list(Paper(connector).client.get_ads("7", WEEK))


def test_given_a_report_that_is_never_ready_then_patience_ends_and_the_error_says_what_to_do() -> None:
    paper = Paper(PaperConnector(usual, mode=Mode.REPORT, polls=10**6), patience=60)

    with pytest.raises(NotReady, match="not ready after 60 s; ask again later"):
        list(paper.client.get_ads("7", WEEK))

    assert 60 <= sum(paper.slept) <= 68


def test_given_no_patience_of_the_caller_s_then_a_report_is_waited_for_as_long_as_it_is_known_to_take() -> None:
    waiting = Waiting(clock=FrozenClock(), sleep=lambda _: None)
    hours = waiting.polls(Pace(report_timeout_seconds=7200))

    assert (waiting.seconds, hours._patience) == (3600, 7200)
    assert Waiting(60).polls(Pace(report_timeout_seconds=7200))._patience == 60


def test_given_a_report_by_hand_when_it_is_downloaded_then_its_state_was_told_before() -> None:
    paper = Paper(PaperConnector(usual, mode=Mode.REPORT, polls=2))

    made = paper.client.create_report_request("7", WEEK)

    assert [line for line in paper.connector.log if "discard" in line] == []
    assert paper.client.get_report(made) == {"report_id": made, "state": "pending", "progress": 40, "reason": ""}
    assert paper.client.get_report(made)["state"] == "ready"
    first, second = paper.client.download_report(made)
    assert (first["ad_id"], first["ad_group_id"], first["campaign_id"]) == ("1", "g", "c1")
    assert (first["date"], first["spend"]) == (date(2026, 11, 1), Decimal("1.5"))
    assert second["date"] == date(2026, 11, 2)
    assert "discard r1" in paper.connector.log
    assert paper.slept == []  # it was ready: nothing to wait for


def test_given_a_report_for_a_row_of_profiles_when_it_is_read_then_the_ad_accounts_are_not_listed() -> None:
    unlisted = lambda task, _: usual(task, "") if task.profile_id else []  # noqa: E731
    paper = Paper(PaperConnector(unlisted, mode=Mode.REPORT))

    made = paper.client.create_report_request(profile_row(), WEEK)

    assert len(list(paper.client.download_report(made))) == 2


def test_given_reports_made_side_by_side_when_the_first_was_waited_for_then_the_second_is_asked_about_at_once() -> None:
    paper = Paper(PaperConnector(usual, mode=Mode.REPORT, polls=1))

    rows = list(paper.client.get_ads("7", WEEK))

    assert sum(row["spend"] for row in rows) == Decimal("1.75")
    looks = [line for line in paper.connector.log if line.startswith("look")]
    assert len({line.split()[1] for line in looks}) == 2
    assert len(paper.slept) == 1


@pytest.mark.parametrize("report", ["", "x", "WyJtZXRhX2FkcyIsIjEiLCJhZF9kYWlseSIsW11d"])
def test_given_a_report_that_is_none_of_this_platform_s_then_it_is_refused(report: str) -> None:
    with pytest.raises(Unprocessable, match="not a report of paper_ads"):
        Paper(PaperConnector(usual)).client.get_report(report)


def test_given_a_dataset_that_the_platform_lacks_when_a_report_is_asked_for_then_the_others_are_named() -> None:
    with pytest.raises(Unprocessable, match="it has: campaign_daily, ad_daily"):
        Paper(PaperConnector(usual)).client.create_report_request("7", WEEK, "keyword_daily")


@at_the_bound("MAX_CLIENT_OPEN_REPORTS", as_if=4)
def test_how_many_reports_are_made_at_a_time(size: int, fits: bool) -> None:
    paper = Paper(PaperConnector(usual, mode=Mode.REPORT), paper_spec(longest=1))
    days = (size + 1) // 2  # two ad products each

    list(paper.client.get_ads("7", Window.parse(f"2026-11-01..2026-11-{days:02}"), ["spend"]))

    log = paper.connector.log
    first = next(place for place, line in enumerate(log) if line.startswith("look"))
    assert (sum(line.startswith("create") for line in log[:first]) == 2 * days) is fits
    assert sum(line.startswith("create") for line in log) == 2 * days


@at_the_bound("MAX_CLIENT_FAILURES")
def test_how_often_a_request_without_an_answer_is_repeated(size: int, fits: bool) -> None:
    failures = iter(range(size))
    answer = lambda task, _: [Transient("down")] if next(failures, None) is not None else usual(task, "")  # noqa: E731
    client = Paper(PaperConnector(answer)).client

    if fits:
        assert list(client.get_campaigns(profile_row()))
    else:
        with pytest.raises(Transient):
            list(client.get_campaigns(profile_row()))
