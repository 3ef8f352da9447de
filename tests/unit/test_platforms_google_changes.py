"""What Google says has changed, and which campaigns are pulled again for it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.errors import RequestRejected
from adweir.platforms.connector import ObjectBatch
from adweir.platforms.google_ads import changes
from adweir.platforms.google_ads.normalize import NORMALIZER
from sandbox.platforms.google_ads.facts import ENUMS
from support.clock import FrozenClock
from support.google_wire import GoogleStub, connected, context, page, query_of, task
from support.meta_wire import StoredPage
from support.stub_http import Answer, StubServer

NOON = "2026-11-20 12:00:00.000000"


def change(campaign: str = "111", kind: str = "AD_GROUP_AD", at: str = NOON) -> dict[str, Any]:
    named = {"campaign": f"customers/1/campaigns/{campaign}"} if campaign else {}
    return {"changeStatus": {"lastChangeDateTime": at, "resourceType": kind, "resourceStatus": "CHANGED", **named}}


def read(*rows: dict[str, Any]) -> ObjectBatch:
    body = io.BytesIO(json.dumps(page(list(rows))).encode())
    (found,) = NORMALIZER.object_batches(StoredPage(1, body), context(Dataset.CHANGES))
    return found


def changed(*rows: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.id, one.changed_at) for one in read(*rows).objects]  # type: ignore[union-attr]


def test_each_campaign_comes_once_with_its_latest_change() -> None:
    later = NOON.replace("12:", "13:")
    assert changed(change(), change(at=later), change("222", "ASSET_GROUP")) == [("111", later), ("222", NOON)]


@pytest.mark.parametrize("kind", ["SHARED_SET", "ASSET", "CUSTOMER_ASSET", "AD_GROUP_BID_MODIFIER"])
def test_what_no_list_shows_is_no_reason_to_pull(kind: str) -> None:
    assert kind in ENUMS["ChangeStatusResourceType"]
    assert changed(change("", kind), change("111", kind)) == []


def test_many_campaigns_or_none_stand_for_the_ad_account() -> None:
    few = [change(str(number)) for number in range(1, changes.MOST_SINGLY + 1)]
    assert [one for one, _ in changed(*few)] == ["1", "2", "3"]
    assert changed(*few, change("9")) == [("", NOON)]
    assert changed(change(), change("", "CAMPAIGN_BUDGET")) == [("", NOON)]  # a budget that campaigns share


def test_as_many_changes_as_google_shows_may_not_be_all() -> None:
    rows = [change()] * changes.MOST_ROWS
    assert changed(*rows[1:]) == [("111", NOON)]
    assert changed(*rows) == [("", NOON)]


@pytest.mark.parametrize("row", [{}, {"changeStatus": {}}, change("x"), {"changeStatus": {"lastChangeDateTime": 7}}])
def test_a_change_that_cannot_be_read_costs_itself_only(row: dict[str, Any]) -> None:
    found = read(row, change())
    assert [one.line for one in found.bad] == [1]
    assert [one.id for one in found.objects] == ["111"]  # type: ignore[union-attr]


@pytest.fixture
def wire(stub: StubServer) -> GoogleStub:
    wire = GoogleStub(stub)
    wire.route = lambda _: Answer(200, page([change()]))
    return wire


def test_the_question_has_both_bounds_in_the_account_s_time_and_google_s_limit(
    wire: GoogleStub, clock: FrozenClock
) -> None:
    with requests.Session() as session:
        google = connected(wire.stub, session, clock)
        (only,) = google.pages(task(Dataset.CHANGES, timezone="America/New_York"))
        with pytest.raises(RequestRejected, match="slice"):
            list(google.pages(task(Dataset.CHANGES, slice="campaign=111")))
    assert (only.last, len(wire.calls)) == (True, 1)
    since, until = "2026-11-18 07:00:00", "2026-11-20 07:00:00"
    assert query_of(wire.calls[0]) == (
        "SELECT change_status.resource_name, change_status.last_change_date_time, change_status.resource_type,"
        " change_status.resource_status, change_status.campaign FROM change_status"
        f" WHERE change_status.last_change_date_time >= '{since}' AND change_status.last_change_date_time <= '{until}'"
        " ORDER BY change_status.last_change_date_time LIMIT 10000"
    )
    assert changes.LOOK_BACK.days < 90
