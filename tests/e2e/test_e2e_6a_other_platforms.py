"""The platforms that no other story is about: what one synchronization stores is the platform's own, at every level."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from adweir.platforms import REGISTRY
from support.river import PLATFORMS, River, until

OTHERS = sorted(str(spec.name) for spec in REGISTRY.specs() if spec.name not in PLATFORMS and not spec.described)
LEVELS = ("account", "campaign", "ad_group", "ad")


@pytest.fixture(scope="module")
def synced(sandbox: River) -> dict[str, list[dict[str, Any]]]:
    """The ad accounts of one client on each platform, after its credentials were stored and one run has ended."""
    client = sandbox.clients["halden"]
    sandbox.connect(client.account_id, client.description["credentials"], OTHERS)
    scope = {"accounts": [client.account_id], "platforms": OTHERS}
    sandbox.ended(sandbox.api.post("/api/v1/workflows/sync/runs", {"scope": scope})["run_id"], "succeeded")
    found: dict[str, list[dict[str, Any]]] = {}
    for profile in sandbox.api.get("/api/v1/profiles", account_id=client.account_id)["profiles"]:
        found.setdefault(profile["platform"], []).append(profile)
    return found


@pytest.mark.parametrize("platform", OTHERS)
def test_given_a_platforms_credential_when_the_client_is_synced_then_every_number_is_the_platforms_own(
    sandbox: River, synced: dict[str, list[dict[str, Any]]], platform: str
) -> None:
    start, end = sandbox.day(14), sandbox.day(1)
    spending = 0
    for profile in synced[platform]:
        profile_id = profile["profile_id"]
        totals = sandbox.totals(profile_id, start, end)
        assert sandbox.stored(profile_id, start, end) == sandbox.truth(profile_id, start, end)
        assert {level: sandbox.summed(profile_id, level, start, end) for level in LEVELS} == dict.fromkeys(
            LEVELS, totals
        )
        spending += bool(totals)
    assert spending


def test_given_leads_of_three_platforms_when_workers_are_killed_meanwhile_then_each_counts_once(
    sandbox: River, synced: dict[str, list[dict[str, Any]]]
) -> None:
    """They come in any order and one in eight twice; the forged ones count nothing."""
    client, day = sandbox.clients["halden"], sandbox.day(1)
    given, ids = client.description["webhooks"], client.description["profile_ids"]
    path = f"/api/v1/accounts/{client.account_id}/webhook-secrets"
    sandbox.api.put(f"{path}/google", {"google_key": given["google_key"]})
    sandbox.api.put(f"{path}/tiktok", {"callback_token": given["tiktok_callback_token"]})
    url = f"{sandbox.description['api_url']}/webhook/{{}}/{client.account_id}"
    credential = client.description["credentials"]["tiktok_ads"]
    app = {"app_id": credential["app_id"], "secret": credential["secret"], "subscribe_entity": "LEAD"}
    owner = {"access_token": credential["access_token"], "advertiser_id": ids["tiktok_ads"][0]}
    callback = f"{url.format('tiktok')}?token={given['tiktok_callback_token']}"
    subscribed = requests.post(
        f"{sandbox.description['platforms_url']}/open_api/v1.3/subscription/subscribe/",
        json=app | {"callback_url": callback, "subscription_detail": owner},
        timeout=10,
    )
    assert subscribed.json()["code"] == 0

    asked = {"account": "halden", "start": day, "end": day}
    google = asked | {"url": url.format("google"), "profile_id": ids["google_ads"][0]}
    meta = asked | {"url": url.format("meta"), "profile_id": ids["meta_ads"][0], "batch": 5}
    assert set(sandbox.world.post("webhooks/google", google | {"bad_key": True})["statuses"]) <= {"401"}
    assert set(
        sandbox.world.post("webhooks/meta/leads", meta | {"bad_signature": True, "attempts": 1})["statuses"]
    ) <= {"401"}
    for door, body in (("webhooks/google", google), ("webhooks/meta/leads", meta), ("webhooks/tiktok", asked)):
        assert set(sandbox.world.post(door, body)["statuses"]) == {"200"}
        sandbox.kill_workers("validate")

    truth: dict[tuple[str, str], int] = {}
    for platform in ("google_ads", "meta_ads", "tiktok_ads"):
        query = {"platform": platform, "profile_id": ids[platform][0], "start": day, "end": day}
        for row in sandbox.world.get("leads", **query)["rows"]:
            campaign = (platform, row["campaign_id"])
            truth[campaign] = truth.get(campaign, 0) + row["leads"]
    assert {platform for platform, _ in truth} == {"google_ads", "meta_ads", "tiktok_ads"}
    until(lambda: _counted(sandbox, client.account_id) == truth, "every lead, once")
    sandbox.quiet("landing")
    assert _counted(sandbox, client.account_id) == truth
    assert len(sandbox.keys(f"leads/google_ads/{client.account_id}/")) > 0


def _counted(sandbox: River, account_id: str) -> dict[tuple[str, str], int]:
    """(platform, campaign) → leads; those of Meta that belong to no ad left out."""
    found: dict[tuple[str, str], int] = {}
    for record in sandbox.api.records("leads", {"account_id": account_id}):
        if record["campaign_id"]:
            campaign = (record["platform"], record["campaign_id"])
            found[campaign] = found.get(campaign, 0) + int(record["conversions"])
    return found
