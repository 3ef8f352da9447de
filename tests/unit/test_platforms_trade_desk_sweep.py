"""One-off schedules that nobody waits for any more do not pile up on The Trade Desk."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from adweir.platforms.connector import Connector
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.desk_stub import Desk, connected, task
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


def listed_schedules(*schedules: tuple[int, str, str | None]) -> Answer:
    found = [
        {"ReportScheduleId": number, "ReportScheduleName": name, "ScheduleStartDate": begun}
        for number, name, begun in schedules
    ]
    return Answer(200, {"Result": found, "TotalFilteredCount": len(found)})


OURS, OLD, YOUNG = f"adweir {'0a' * 10}", "2026-11-17T00:00:00", "2026-11-19T23:00:00"


def test_one_offs_that_a_killed_run_has_left_are_swept_and_those_of_people_stay(
    connector: Connector, desk: Desk
) -> None:
    # given one of a killed run among schedules of people, of a run that is under way, and of nobody knows when
    desk.answers["/myreports/reportschedule/query"] = listed_schedules(
        (1, OURS, OLD), (2, "adweir weekly", OLD), (3, f"my {OURS}", OLD), (4, OURS, YOUNG), (5, OURS, None)
    )
    # when a report is asked for
    connector.create_report(task())
    # then that one alone is deleted, before the new one is made
    asked = desk.calls("/myreports/reportschedule")
    assert [(call.method, call.path.rpartition("/")[2]) for call in asked] == [
        ("POST", "query"),
        ("DELETE", "1"),
        ("POST", "reportschedule"),
        ("GET", "555001"),
    ]
    assert json.loads(asked[0].body)["PartnerIds"] == ["par0001"]


def test_a_report_is_made_where_schedules_may_not_be_listed(connector: Connector, desk: Desk) -> None:
    desk.answers["/myreports/reportschedule/query"] = Answer(403, {"Message": "no"})
    assert connector.create_report(task()).id == "555001"


@at_the_bound("MAX_SWEPT_SCHEDULES", as_if=2)
def test_a_sweep_deletes_so_many_schedules(connector: Connector, desk: Desk, size: int, fits: bool) -> None:
    left = [(number, OURS, OLD) for number in range(size)]
    desk.answers["/myreports/reportschedule/query"] = listed_schedules(*left)
    connector.create_report(task())
    deleted = [call for call in desk.stub.calls if call.method == "DELETE"]
    assert len(deleted) == (size if fits else size - 1)
