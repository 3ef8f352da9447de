"""Leads: sent as the platforms send them, counted as the world has them."""

from __future__ import annotations

import requests

from support.river import River, until


def test_given_leads_of_three_platforms_when_the_door_is_killed_between_them_then_each_counts_once(
    river: River,
) -> None:
    """They come in any order and one in eight twice; the forged ones count nothing."""
    client, day = river.clients["halden"], river.day(1)
    given, ids = client.description["webhooks"], client.description["profile_ids"]
    river.connect(client.account_id, client.description["credentials"], ["tiktok_ads"])
    scope = {"accounts": [client.account_id], "platforms": ["tiktok_ads"], "datasets": ["profiles"]}
    river.ended(river.api.post("/api/v1/workflows/daily/runs", {"scope": scope})["run_id"], "succeeded")
    path = f"/api/v1/accounts/{client.account_id}/webhook-secrets"
    river.api.put(f"{path}/google", {"google_key": given["google_key"]})
    river.api.put(f"{path}/tiktok", {"callback_token": given["tiktok_callback_token"]})
    url = f"{river.description['api_url']}/webhook/{{}}/{client.account_id}"
    credential = client.description["credentials"]["tiktok_ads"]
    app = {"app_id": credential["app_id"], "secret": credential["secret"], "subscribe_entity": "LEAD"}
    owner = {"access_token": credential["access_token"], "advertiser_id": ids["tiktok_ads"][0]}
    callback = f"{url.format('tiktok')}?token={given['tiktok_callback_token']}"
    subscribed = requests.post(
        f"{river.description['platforms_url']}/open_api/v1.3/subscription/subscribe/",
        json=app | {"callback_url": callback, "subscription_detail": owner},
        timeout=10,
    )
    assert subscribed.json()["code"] == 0

    asked = {"account": "halden", "start": day, "end": day}
    google = asked | {"url": url.format("google"), "profile_id": ids["google_ads"][0]}
    meta = asked | {"url": url.format("meta"), "profile_id": ids["meta_ads"][0], "batch": 5}
    forged = (("webhooks/google", google | {"bad_key": True}), ("webhooks/meta/leads", meta | {"bad_signature": True}))
    for door, body in forged:
        assert set(river.world.post(door, body | {"attempts": 1})["statuses"]) == {"401"}
    for door, body in (("webhooks/google", google), ("webhooks/meta/leads", meta), ("webhooks/tiktok", asked)):
        assert river.world.post(door, body)["dropped"] == 0
        river.kill_workers("webhooks")

    truth: dict[tuple[str, str], int] = {}
    for platform in ("google_ads", "meta_ads", "tiktok_ads"):
        query = {"platform": platform, "profile_id": ids[platform][0], "start": day, "end": day}
        for row in river.world.get("leads", **query)["rows"]:
            campaign = (platform, row["campaign_id"])
            truth[campaign] = truth.get(campaign, 0) + row["leads"]
    assert {platform for platform, _ in truth} == {"google_ads", "meta_ads", "tiktok_ads"}
    until(lambda: _counted(river, client.account_id) == truth, "every lead, once")
    river.quiet("landing")
    assert _counted(river, client.account_id) == truth
    assert len(river.keys(f"leads/google_ads/{client.account_id}/")) > 0


def _counted(river: River, account_id: str) -> dict[tuple[str, str], int]:
    """(platform, campaign) → leads; those of Meta that belong to no ad left out."""
    found: dict[tuple[str, str], int] = {}
    for record in river.api.records("leads", {"account_id": account_id}):
        if record["campaign_id"]:
            campaign = (record["platform"], record["campaign_id"])
            found[campaign] = found.get(campaign, 0) + int(record["conversions"])
    return found
