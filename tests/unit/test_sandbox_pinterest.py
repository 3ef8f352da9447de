"""Pinterest's stand-in: what version 5 accepts, answers and refuses, and its numbers beside the truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import requests

from sandbox.platforms import everyone
from sandbox.platforms.pinterest_ads.advertisers import PLATFORM
from sandbox.server import PlatformServer
from sandbox.world import Company, WorldProfile
from support.platform_server import ANCHOR, owner, running

START, END = ANCHOR - timedelta(days=6), ANCHOR - timedelta(days=1)
MONEY = "SPEND_IN_MICRO_DOLLAR"
CHECKOUTS = "TOTAL_CHECKOUT"
VALUE = "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR"
COLUMNS = f"{MONEY},IMPRESSION_1,CLICKTHROUGH_1,{CHECKOUTS},{VALUE}"


@pytest.fixture(scope="module")
def _server() -> Iterator[PlatformServer]:
    present = [one for one in everyone() if one.platform == PLATFORM]
    with running(present, awkward=True) as server:
        yield server


@pytest.fixture
def server(_server: PlatformServer) -> Iterator[PlatformServer]:
    yield _server
    _server.outside.switches.clear()


class Caller:
    """A user of the API with a token made by hand."""

    def __init__(self, server: PlatformServer, company: Company, profile: WorldProfile) -> None:
        self.url = f"{server.url}/v5"
        self.secrets = company.elsewhere.credentials[PLATFORM]
        self.token = self.secrets["access_token"]
        self.profile = profile

    def get(self, path: str, **query: Any) -> requests.Response:
        where = f"{self.url}/ad_accounts/{self.profile.id}{path}" if path.startswith("/") else f"{self.url}/{path}"
        return requests.get(where, query, headers={"Authorization": f"Bearer {self.token}"}, timeout=10)

    def whole(self, path: str, **query: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        bookmark: str | None = ""
        while bookmark is not None:
            page = self.get(path, **query, **({"bookmark": bookmark} if bookmark else {})).json()
            items += page["items"]
            bookmark = page["bookmark"]
        return items

    def numbers(self, level: str, ids: list[str], **query: Any) -> requests.Response:
        asked = {"start_date": START, "end_date": END, "columns": COLUMNS, "granularity": "DAY"} | query
        path = f"/{level}s/analytics" if level else "/analytics"
        return self.get(path, **asked, **({f"{level}_ids": ",".join(ids)} if level else {}))

    def refresh(self, **form: str) -> requests.Response:
        body = {"grant_type": "refresh_token", "refresh_token": self.secrets["refresh_token"]} | form
        basic = (self.secrets["client_id"], self.secrets["client_secret"])
        return requests.post(f"{self.url}/oauth/token", data=body, auth=basic, timeout=10)


@pytest.fixture(params=[0, 1, 2], ids=["halden", "mori", "kestrel"])
def caller(request: pytest.FixtureRequest, server: PlatformServer) -> Caller:
    return Caller(server, *owner(server, PLATFORM, request.param))


@pytest.fixture
def halden(server: PlatformServer) -> Caller:
    return Caller(server, *owner(server, PLATFORM))


# -- lists -----------------------------------------------------------------------------------------------------------


def test_the_user_sees_its_own_ad_accounts_alone(caller: Caller, server: PlatformServer) -> None:
    own = next(c for c in server.outside.world.companies if caller.profile in c.on(PLATFORM)).on(PLATFORM)
    assert [(one["id"], one["currency"]) for one in caller.whole("ad_accounts")] == [(p.id, p.currency) for p in own]
    assert caller.get("/").status_code == 404
    assert caller.get("").status_code == 404


def test_given_small_pages_when_a_list_is_read_by_its_bookmarks_then_it_is_whole(caller: Caller) -> None:
    found = caller.whole("/ads", page_size=4, entity_statuses="ACTIVE,PAUSED,ARCHIVED")
    assert {item["id"] for item in found} == {ad.id for _, _, ad in caller.profile.ads()}
    assert len(found) == len(caller.profile.ads()) > 25
    assert {(item["campaign_id"], item["ad_group_id"], item["id"]) for item in found} == {
        (campaign.id, group.id, ad.id) for campaign, group, ad in caller.profile.ads()
    }


def test_given_no_statuses_when_campaigns_are_listed_then_archived_ones_are_left_out(server: PlatformServer) -> None:
    kestrel = Caller(server, *owner(server, PLATFORM, 2))
    assert len(kestrel.whole("/campaigns")) == 4
    assert [one["status"] for one in kestrel.whole("/campaigns", entity_statuses="ARCHIVED")] == ["ARCHIVED"]


def test_given_another_lists_bookmark_when_it_is_used_then_it_is_refused(halden: Caller) -> None:
    bookmark = halden.get("/ads", page_size=4).json()["bookmark"]
    assert halden.get("/ad_groups", page_size=4, bookmark=bookmark).status_code == 400
    assert halden.get("/ads", page_size=4, bookmark="garbage").json()["code"] == 1


# -- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "key"), [("campaign", "CAMPAIGN_ID"), ("ad_group", "AD_GROUP_ID"), ("ad", "AD_ID")])
def test_daily_numbers_are_the_truth(server: PlatformServer, caller: Caller, level: str, key: str) -> None:
    ids = [item["id"] for item in caller.whole(f"/{level}s", entity_statuses="ACTIVE,PAUSED,ARCHIVED")]
    rows = caller.numbers(level, ids).json()
    found = {(row[key], row["DATE"]): [row[name] for name in COLUMNS.split(",")] for row in rows}
    truth = {
        (row["entity_id"].rpartition("~")[2], row["date"]): [
            row["spend_micros"],
            row["impressions"],
            row["clicks"],
            row["conversions_micros"] // 1_000_000,
            row["revenue_micros"],
        ]
        for row in server.outside.world.truth(caller.profile, START, END, level)
    }
    assert found == truth
    assert sum(row[CHECKOUTS] for row in rows)


def test_an_ad_accounts_numbers_are_those_of_its_campaigns(halden: Caller) -> None:
    account = halden.numbers("", []).json()
    campaigns = halden.numbers("campaign", [campaign.id for campaign in halden.profile.campaigns]).json()
    assert sum(row[MONEY] for row in account) == sum(row[MONEY] for row in campaigns) > 0
    assert [row["DATE"] for row in account] == [(START + timedelta(days=n)).isoformat() for n in range(6)]


def test_given_other_granularities_when_asked_then_the_sums_are_the_same(halden: Caller) -> None:
    total = sum(row[MONEY] for row in halden.numbers("", []).json())
    (whole,) = halden.numbers("", [], granularity="TOTAL").json()
    weeks = halden.numbers("", [], granularity="WEEK").json()
    assert (whole[MONEY], "DATE" in whole) == (total, False)
    assert sum(row[MONEY] for row in weeks) == total
    hours = halden.numbers("", [], granularity="HOUR", start_date=END, end_date=END).json()
    assert {row[CHECKOUTS] for row in hours} == {None}
    assert sum(row[MONEY] for row in hours) == halden.numbers("", [], start_date=END).json()[0][MONEY]


def test_given_windows_when_asked_then_only_those_conversions_count(halden: Caller) -> None:
    names = f"{CHECKOUTS},TOTAL_CLICK_CHECKOUT,TOTAL_VIEW_CHECKOUT,TOTAL_CONVERSIONS"
    (both,) = halden.numbers("", [], granularity="TOTAL", columns=names).json()
    (clicks,) = halden.numbers("", [], granularity="TOTAL", columns=names, view_window_days=0).json()
    assert both[CHECKOUTS] == both["TOTAL_CLICK_CHECKOUT"] + both["TOTAL_VIEW_CHECKOUT"] < both["TOTAL_CONVERSIONS"]
    assert clicks[CHECKOUTS] == both["TOTAL_CLICK_CHECKOUT"] < both[CHECKOUTS]


@pytest.mark.parametrize(
    "wrong",
    [
        {"start_date": ANCHOR - timedelta(days=91)},
        {"start_date": ANCHOR - timedelta(days=90), "end_date": ANCHOR + timedelta(days=1)},
        {"end_date": START - timedelta(days=1)},
        {"start_date": "1/2/2026"},
        {"columns": "SPEND"},
        {"columns": ""},
        {"granularity": "DAILY"},
        {"granularity": "HOUR"},
        {"click_window_days": 28},
    ],
    ids=str,
)
def test_given_what_the_description_does_not_allow_when_asked_then_it_is_refused(
    halden: Caller, wrong: dict[str, Any]
) -> None:
    refused = halden.numbers("", [], **wrong)
    assert (refused.status_code, refused.json()["code"]) == (400, 1)


def test_given_no_ids_or_too_many_when_campaigns_are_asked_for_then_it_is_refused(halden: Caller) -> None:
    assert halden.numbers("campaign", []).status_code == 400
    assert halden.numbers("campaign", [str(n) for n in range(251)]).status_code == 400


# -- access ----------------------------------------------------------------------------------------------------------


def test_given_a_refresh_token_when_it_is_exchanged_twice_then_both_access_tokens_work(halden: Caller) -> None:
    first = halden.refresh().json()
    second = halden.refresh(refresh_token=first["refresh_token"]).json()
    for answer in (first, second):
        halden.token = answer["access_token"]
        assert halden.get("ad_accounts").status_code == 200
    assert (second["token_type"], second["expires_in"], second["scope"]) == ("bearer", 2_592_000, "ads:read")


def test_given_a_wrong_secret_or_token_when_asked_then_it_is_refused(halden: Caller) -> None:
    assert halden.refresh(refresh_token="pinr.forged").status_code == 400
    halden.secrets = {**halden.secrets, "client_secret": "wrong"}
    assert halden.refresh().json() == {"code": 2, "message": "Authentication failed.", "status": "failure"}
    halden.token = "pina_forged"
    assert halden.get("ad_accounts").status_code == 401


def test_given_another_users_ad_account_when_asked_then_it_is_forbidden(server: PlatformServer, halden: Caller) -> None:
    halden.profile = owner(server, PLATFORM, 1)[1]
    refused = halden.get("/campaigns")
    assert (refused.status_code, refused.json()["code"]) == (403, 29)


# -- faults ----------------------------------------------------------------------------------------------------------


def _on(server: PlatformServer, kind: str, **options: Any) -> None:
    server.outside.switches.turn_on({"kind": kind, "platform": PLATFORM, "times": 1, **options})


def test_a_refusal_for_too_many_requests_says_when_to_come_back(server: PlatformServer, halden: Caller) -> None:
    _on(server, "throttle", reset=7)
    refused, answered = halden.get("/campaigns"), halden.get("/campaigns")
    assert (refused.status_code, refused.json()["code"], refused.headers["X-RateLimit-Reset"]) == (429, 8, "7")
    assert (answered.status_code, answered.headers["X-RateLimit-Limit"]) == (200, "1000, 1000;w=60")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("expired_token", 401, 2), ("revoked_credential", 401, 2), ("access_denied", 403, 29), ("server_error", 500, 11)],
)
def test_faults_answer_once_with_their_code(
    server: PlatformServer, halden: Caller, kind: str, status: int, code: int
) -> None:
    _on(server, kind)
    refused = halden.get("/campaigns")
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert halden.get("/campaigns").status_code == 200


def test_a_list_that_loops_names_the_same_bookmark_again(server: PlatformServer, halden: Caller) -> None:
    server.outside.switches.turn_on({"kind": "looping_pages", "platform": PLATFORM})
    first = halden.get("/ads", page_size=4).json()
    again = halden.get("/ads", page_size=4, bookmark=first["bookmark"]).json()
    assert again == first
    assert first["bookmark"]


def test_a_page_in_html_comes_with_status_200(server: PlatformServer, halden: Caller) -> None:
    _on(server, "html")
    page = halden.get("/campaigns")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_rows_lack_a_column_or_are_malformed_or_missing(server: PlatformServer, halden: Caller) -> None:
    _on(server, "missing_column")
    assert all(MONEY not in row for row in halden.numbers("", []).json())
    _on(server, "bad_row", mode="text")
    assert halden.numbers("", []).json()[0]["IMPRESSION_1"] == "many"
    _on(server, "empty")
    assert halden.numbers("", []).json() == []
    _on(server, "new_value")
    assert halden.get("/campaigns").json()["items"][0]["status"] == "UNHEARD_OF"


def test_today_is_that_of_utc(server: PlatformServer, halden: Caller) -> None:
    assert server.outside.world.moment(halden.profile).today == ANCHOR == date(2026, 11, 21)
