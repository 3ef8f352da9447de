"""The sandbox's The Trade Desk: tokens, and how it refuses."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.platforms.trade_desk import STAND_IN
from sandbox.server import PlatformServer
from support.desk_caller import PAGE, PLATFORM, DeskCaller
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


@pytest.fixture(scope="module")
def halden(server: PlatformServer) -> DeskCaller:
    return DeskCaller(server, "halden")


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_a_login_gives_a_token_that_opens_its_partner(halden: DeskCaller) -> None:
    assert halden.listed("/partner/query")["Result"][0]["PartnerId"] == halden.partner.id


def test_a_long_lived_token_works_without_a_login(server: PlatformServer) -> None:
    kestrel = DeskCaller(server, "kestrel")
    assert set(kestrel.secrets) == {"token"}
    assert kestrel.listed("/partner/query")["Result"][0]["PartnerId"] == kestrel.partner.id


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Password": "wrong"}, 401),
        ({"Login": None}, 400),
        ({"TokenExpirationInMinutes": 1441}, 400),
        ({"TokenExpirationInMinutes": 0}, 400),
        ({"TokenExpirationInMinutes": 1440}, 200),
    ],
)
def test_a_login_is_refused_when_it_is_wrong_or_asks_for_more_than_a_day(
    halden: DeskCaller, changes: dict[str, Any], status: int
) -> None:
    assert halden.log_in(**changes).status_code == status


def test_a_token_ends_after_the_minutes_that_it_was_asked_for(
    halden: DeskCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    token = halden.log_in(TokenExpirationInMinutes=1).json()["Token"]
    issued = int(base64.b64decode(token).decode().split(".")[1]) / 1000

    # when
    def asked_after(seconds: float) -> int:
        monkeypatch.setattr("sandbox.platforms.trade_desk.login.time.time", lambda: issued + seconds)
        return halden.ask("/partner/query", PAGE, headers={"TTD-Auth": token}).status_code

    # then
    assert (asked_after(59), asked_after(61)) == (200, 401)


def test_an_expired_token_is_refused_until_the_next_login() -> None:
    with running([STAND_IN]) as server:
        # given
        halden = DeskCaller(server, "halden")

        # when
        requests.post(f"{server.url}/_world/switches", json={"kind": "expired_token", "platform": PLATFORM}, timeout=5)
        refused = halden.ask("/partner/query", PAGE)
        halden.token = halden.log_in().json()["Token"]

        # then
        assert (refused.status_code, set(refused.json())) == (401, {"Message"})
        assert halden.ask("/partner/query", PAGE).status_code == 200


def test_a_long_lived_token_that_expired_stays_dead() -> None:
    with running([STAND_IN], awkward=True) as server:
        kestrel = DeskCaller(server, "kestrel")
        requests.post(f"{server.url}/_world/switches", json={"kind": "expired_token"}, timeout=5)
        assert kestrel.ask("/partner/query", PAGE).status_code == 401


def test_a_revoked_login_gives_no_token(server: PlatformServer, halden: DeskCaller) -> None:
    server.outside.switches.turn_on({"kind": "revoked_credential"})
    assert halden.log_in().status_code == 401
    assert halden.ask("/partner/query", PAGE).status_code == 401


@pytest.mark.parametrize("headers", [{"TTD-Auth": ""}, {"TTD-Auth": "nobody"}, {"Authorization": "Bearer x"}])
def test_exactly_one_valid_token_is_needed(halden: DeskCaller, headers: dict[str, str]) -> None:
    assert halden.ask("/partner/query", PAGE, headers=headers).status_code == 401


# -- strict mode ------------------------------------------------------------------------------------------------------


def test_an_unknown_property_is_ignored_unless_the_request_is_strict(halden: DeskCaller) -> None:
    # given
    body = PAGE | {"AdvertiserId": halden.profiles[0].id, "Availabilites": ["Archived"]}

    # when
    loose = halden.ask("/campaign/query/advertiser", body)
    strict = halden.ask("/campaign/query/advertiser", body, headers={"TTD-Strict-Mode": "true"})

    # then
    assert (loose.status_code, loose.json()["ResultCount"]) == (200, 3)
    assert strict.status_code == 400
    assert strict.json()["ErrorDetails"] == [
        {"Property": "Availabilites", "Reasons": ["The property is not recognized."]}
    ]


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_what_does_not_exist_and_what_is_another_s_is_forbidden(halden: DeskCaller, server: PlatformServer) -> None:
    # given
    mori = DeskCaller(server, "mori")
    theirs = mori.profiles[0]

    # when
    answers = [
        halden.ask("/advertiser/nobody1", method="GET"),
        halden.ask(f"/advertiser/{theirs.id}", method="GET"),
        halden.ask(f"/campaign/{theirs.campaigns[0].id}", method="GET"),
        halden.ask("/advertiser/query/partner", PAGE | {"PartnerId": mori.partner.id}),
        halden.ask("/campaign/query/advertiser", PAGE | {"AdvertiserId": theirs.id}),
        halden.ask("/adgroup/query/campaign", PAGE | {"CampaignId": theirs.campaigns[0].id}),
        halden.ask("/myreports/reportschedule/1", method="GET"),
    ]

    # then
    assert [answer.status_code for answer in answers] == [403] * len(answers)


def test_an_unknown_path_is_not_found_and_a_token_is_asked_for_first(halden: DeskCaller) -> None:
    assert halden.ask("/myreports/reportexecution/query", {}).status_code == 404
    assert halden.ask("/campaign/abc", {}, method="PUT").status_code == 404
    assert halden.ask("/nowhere", headers={"TTD-Auth": "x"}).status_code == 401


@pytest.mark.parametrize(
    ("switch", "status", "retry_after"),
    [
        ({"kind": "throttle"}, 429, None),
        ({"kind": "throttle", "retry_after": 7}, 429, "7"),
        ({"kind": "throttle", "status": 503, "retry_after": 3}, 503, "3"),
        ({"kind": "server_error"}, 500, None),
        ({"kind": "gone", "path": "/query/advertiser"}, 410, None),
        ({"kind": "gone", "path": "/delta/"}, 200, None),
        ({"kind": "access_denied"}, 403, None),
    ],
)
def test_a_switch_makes_the_platform_refuse(
    server: PlatformServer, halden: DeskCaller, switch: dict[str, Any], status: int, retry_after: str | None
) -> None:
    # given
    server.outside.switches.turn_on({**switch, "platform": PLATFORM, "profile_id": halden.profiles[0].id})

    # when
    answer = halden.ask("/campaign/query/advertiser", PAGE | {"AdvertiserId": halden.profiles[0].id})
    other = halden.ask("/campaign/query/advertiser", PAGE | {"AdvertiserId": halden.profiles[1].id})

    # then
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, retry_after)
    assert other.status_code == 200
