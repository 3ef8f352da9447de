"""TikTok's webhooks: who may subscribe to what, and what is delivered."""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
import requests

from sandbox.lead_posts import lead_truth
from sandbox.platforms import tiktok_ads
from sandbox.platforms.tiktok_ads.subscriptions import send_events
from sandbox.server import PlatformServer
from support.inbox import Inbox, opened_inbox
from support.platform_server import running

DAYS = {"start": "2026-11-19", "end": "2026-11-20"}


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running([tiktok_ads.STAND_IN]) as started:
        yield started


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with opened_inbox() as opened:
        yield opened


class Subscriber:
    """Halden's app."""

    def __init__(self, server: PlatformServer, url: str) -> None:
        self.outside = server.outside
        self.base, self.url = f"{server.url}/open_api/v1.3/subscription", url
        self.company = server.outside.company("halden")
        self.profile = self.company.on("tiktok_ads")[0]
        credential = self.company.credentials["tiktok_ads"]
        self.app = {"app_id": credential["app_id"], "secret": credential["secret"]}
        self.secret, self.token = credential["secret"], credential["access_token"]

    def asked(self, entity: str, change: dict[str, Any] | None = None, **detail: Any) -> dict[str, Any]:
        """POST of a subscription."""
        about = {"access_token": self.token, "advertiser_id": self.profile.id} | detail
        body = {**self.app, "subscribe_entity": entity, "callback_url": self.url, "subscription_detail": about}
        answer: dict[str, Any] = requests.post(f"{self.base}/subscribe/", json=body | (change or {}), timeout=5).json()
        return answer

    def made(self, entity: str, **detail: Any) -> str:
        answer = self.asked(entity, **detail)
        assert answer["code"] == 0, answer
        return str(answer["data"]["subscription_id"])

    def listed(self, **query: str) -> dict[str, Any]:
        answer = requests.get(f"{self.base}/get/", self.app | query, timeout=5).json()
        data: dict[str, Any] = answer["data"]
        return data

    def told(self, **wish: Any) -> dict[str, Any]:
        """Have the subscriptions deliver."""
        return send_events(self.outside, {"account": "halden", "pause": 0.001} | DAYS | wish)


@pytest.fixture
def app(server: PlatformServer, inbox: Inbox) -> Subscriber:
    return Subscriber(server, inbox.url)


def test_subscriptions_are_made_listed_in_pages_and_ended(app: Subscriber) -> None:
    # given
    lead, fatigue = app.made("LEAD"), app.made("CREATIVE_FATIGUE")

    # when
    every, some = app.listed(), app.listed(subscribe_entity="LEAD")
    page = app.listed(page="2", page_size="1")
    ended = requests.post(f"{app.base}/unsubscribe/", json=app.app | {"subscription_id": lead}, timeout=5).json()
    again = requests.post(f"{app.base}/unsubscribe/", json=app.app | {"subscription_id": lead}, timeout=5).json()

    # then
    assert [one["subscription_id"] for one in every["subscriptions"]] == [lead, fatigue]
    assert [one["subscribe_entity"] for one in some["subscriptions"]] == ["LEAD"]
    assert [one["subscription_id"] for one in page["subscriptions"]] == [fatigue]
    assert page["page_info"] == {"page": 2, "page_size": 1, "total_number": 2, "total_page": 2}
    assert (ended["code"], again["code"]) == (0, 40007)
    assert [one["subscription_id"] for one in app.listed()["subscriptions"]] == [fatigue]


@pytest.mark.parametrize(
    ("entity", "change", "detail", "code"),
    [
        ("LEAD", {"secret": "x"}, {}, 40101),
        ("LEAD", {"callback_url": "ftp://example.com"}, {}, 40002),
        ("CAMPAIGN", {}, {}, 40002),
        ("LEAD", {}, {"access_token": "x"}, 40105),
        ("LEAD", {}, {"advertiser_id": "7000000000000000999"}, 40001),
        ("AD", {}, {}, 40002),
        ("AD_GROUP", {}, {}, 40002),
        ("REPORT_DATA_CHANGE", {}, {}, 40001),
        ("REPORT_DATA_CHANGE", {}, {"advertiser_ids": ["own"], "notify_frequency": "1_MINUTE"}, 40002),
    ],
)
def test_what_may_not_be_subscribed_to_is_refused(
    app: Subscriber, entity: str, change: dict[str, Any], detail: dict[str, Any], code: int
) -> None:
    # when
    if "advertiser_ids" in detail:
        detail = detail | {"advertiser_ids": [app.profile.id]}
    answer = app.asked(entity, change, **detail)

    # then
    assert answer["code"] == code
    assert app.listed()["subscriptions"] == []


def test_leads_are_delivered_and_each_once_counts_as_the_truth(app: Subscriber, inbox: Inbox) -> None:
    # given
    app.made("LEAD")

    # when
    said = app.told()

    # then
    bodies = inbox.bodies()
    assert {(body["object"], type(body["object"])) for body in bodies} == {(1, int)}
    entries = [entry for body in bodies for entry in body["entry"]]
    once = {entry["id"]: entry for entry in entries}
    assert len(once) < len(entries)
    assert len({body["request_id"] for body in bodies}) == len(bodies)
    found = Counter(entry["campaign_id"] for entry in once.values())
    rows = lead_truth(app.outside, ["tiktok_ads"], DAYS | {"profile_id": app.profile.id})["rows"]
    true = Counter[str]()
    for row in rows:
        true[row["campaign_id"]] += row["leads"]
    assert found == true
    assert said["leads"] == true.total()


def test_ids_of_leads_may_be_numbers(app: Subscriber, inbox: Inbox) -> None:
    # given
    app.made("LEAD")

    # when
    app.told(numbers=True)

    # then
    assert all(isinstance(entry["id"], int) for body in inbox.bodies() for entry in body["entry"])


def test_a_suspension_is_flat_and_the_others_are_entries_under_an_integer(app: Subscriber, inbox: Inbox) -> None:
    # given
    _, group, ad = app.profile.ads()[0]
    app.made("AD", ad_id=ad.id)
    app.made("AD_GROUP", adgroup_id=group.id)
    app.made("CREATIVE_FATIGUE")
    app.made("REPORT_DATA_CHANGE", advertiser_ids=[app.profile.id], notify_frequency="5_MINUTE")
    suspended = app.made("AD_ACCOUNT_SUSPENSION", advertiser_ids=[app.profile.id])

    # when
    app.told()

    # then
    found = {body.get("object"): body for body in inbox.bodies()}
    assert found.keys() == {2, 3, 8, 11, None}
    assert found[3]["entry"][0]["ad_id"] == ad.id
    assert "ad_id" not in found[2]["entry"][0]
    assert found[8]["entry"][0]["adv_id"] == int(app.profile.id)
    assert found[11]["entry"][0]["changed_metrics_values"].keys() == {app.profile.id}
    assert "entry" not in found[None]
    assert (found[None]["subscription_id"], found[None]["status"]) == (suspended, "STATUS_LIMIT")


def test_a_delivery_may_be_signed_over_its_escaped_body(app: Subscriber, inbox: Inbox) -> None:
    # given
    app.made("LEAD")

    # when
    app.told(signed=True)

    # then
    for headers, body in inbox.received:
        escaped = json.dumps(json.loads(body), ensure_ascii=True).encode()
        assert headers["x-open-signature"] == hmac.new(app.secret.encode(), escaped, sha256).hexdigest()
    assert any(not body.isascii() for _, body in inbox.received)


def test_what_is_not_taken_comes_again(app: Subscriber, inbox: Inbox) -> None:
    # given
    app.made("CREATIVE_FATIGUE")
    inbox.statuses = [500, 404]

    # when
    said = app.told()

    # then
    assert said["statuses"] == {"200": 2, "404": 1, "500": 1}
    assert said["dropped"] == 0
