"""The sandbox tells which requests its switches spoiled, and what the caller did then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.server import PlatformServer
from support.platform_server import owner, running


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


def served(server: PlatformServer, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{server.url}/_world/served", query, timeout=5).json()["faults"]
    return found


def switch(server: PlatformServer, kind: str, platform: str, profile_id: str) -> None:
    body = {"kind": kind, "platform": platform, "profile_id": profile_id, "times": 1}
    assert requests.post(f"{server.url}/_world/switches", json=body, timeout=5).status_code == 200


def insights(server: PlatformServer, day: str) -> int:
    company, profile = owner(server, "meta_ads")
    asked = {"access_token": company.credentials["meta_ads"]["access_token"], "level": "ad", "fields": "impressions"}
    asked["time_range"] = f'{{"since":"{day}","until":"{day}"}}'
    return requests.get(f"{server.url}/v26.0/act_{profile.id}/insights", asked, timeout=5).status_code


def test_a_spoiled_request_is_listed_until_the_same_question_is_answered_and_with_that_afterwards(
    server: PlatformServer,
) -> None:
    _, profile = owner(server, "meta_ads")
    switch(server, "server_error", "meta_ads", profile.id)
    assert served(server) == []

    assert insights(server, "2026-11-10") == 503
    assert insights(server, "2026-11-11") == 200
    (fault,) = served(server)
    assert (fault["kind"], fault["platform"], fault["profile"]) == ("server_error", "meta_ads", profile.id)
    assert (fault["path"], fault["again"]) == ("GET /v26.0/{id}/insights", 0.0)

    assert insights(server, "2026-11-10") == 200
    (fault,) = served(server)
    assert fault["again"] >= fault["at"] > 0
    assert served(server, since=str(fault["at"] + 1)) == []


def test_a_switch_that_acts_at_once_is_listed_and_ends_with_the_ad_accounts_next_answer(server: PlatformServer) -> None:
    company, profile = owner(server, "amazon_ads")
    switch(server, "expired_token", "amazon_ads", profile.id)
    (fault,) = served(server)
    assert (fault["kind"], fault["path"], fault["again"]) == ("expired_token", "", 0.0)

    body = {name: company.credentials["amazon_ads"][name] for name in ("client_id", "client_secret", "refresh_token")}
    login = requests.post(f"{server.url}/auth/o2/token", data=body | {"grant_type": "refresh_token"}, timeout=5)
    headers = {
        "Authorization": f"Bearer {login.json()['access_token']}",
        "Amazon-Advertising-API-ClientId": body["client_id"],
        "Amazon-Advertising-API-Scope": profile.id,
        "Content-Type": "application/vnd.spCampaign.v3+json",
        "Accept": "application/vnd.spCampaign.v3+json",
    }
    assert requests.post(f"{server.url}/na/sp/campaigns/list", json={}, headers=headers, timeout=5).status_code == 200

    assert served(server)[0]["again"] > 0
