"""What the world's platforms send is what the webhooks' hooks understand: every lead once, every change, no forgery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
import requests

from adweir.model.metrics import Level
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.platforms.webhooks import Secrets, Sent, SentLead, Told
from sandbox.lead_posts import lead_truth
from sandbox.platforms import google_ads, meta, tiktok_ads
from sandbox.server import PlatformServer
from sandbox.world import WorldProfile
from support.inbox import Inbox, opened_inbox
from support.platform_server import running

DAYS = {"start": "2026-11-19", "end": "2026-11-20"}
STAND_INS = [meta.STAND_IN, google_ads.STAND_IN, tiktok_ads.STAND_IN]
TOKEN = "a-token-of-the-receiver's"
_Counts = Counter[tuple[str, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running(STAND_INS) as started:
        yield started


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with opened_inbox() as opened:
        yield opened


def secrets_of(server: PlatformServer, platform: str) -> Secrets:
    """As a client stores them, from sandbox.json's values."""
    given = requests.get(f"{server.url}/_world/credentials", timeout=5).json()["accounts"][0]["webhooks"]
    return {
        "meta_ads": [{"app_secret": given["meta_app_secret"]}],
        "google_ads": [{"google_key": given["google_key"]}],
        "tiktok_ads": [{"callback_token": TOKEN, "app_secret": given["tiktok_app_secret"]}],
    }[platform]


def told(inbox: Inbox, server: PlatformServer, platform: str) -> list[Told]:
    """What the hooks make of everything that came; all of it is verified."""
    hooks = REGISTRY.webhook(Platform(platform))
    assert hooks is not None
    found = []
    for headers, body in inbox.received:
        sent = Sent(headers, dict(parse_qsl(urlsplit(inbox.url).query)), body, 0.0)
        assert hooks.carries(headers)
        assert hooks.verify(sent, secrets_of(server, platform))
        assert not hooks.verify(sent._replace(body=body.replace(b"1", b"2")), secrets_of(server, platform)) or (
            platform == "google_ads"  # nothing signs the rest of Google's body
        )
        found.append(hooks.parse(body))
    return found


def post(server: PlatformServer, door: str, body: dict[str, Any]) -> dict[str, Any]:
    """A door of the world, about Halden."""
    answer = requests.post(f"{server.url}/_world/{door}", json={"account": "halden", "pause": 0.001} | body, timeout=30)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def profile_of(server: PlatformServer, platform: str) -> WorldProfile:
    return server.outside.company("halden").on(platform)[0]


def true_counts(server: PlatformServer, platform: str) -> _Counts:
    query = DAYS | {"profile_id": profile_of(server, platform).id}
    rows = lead_truth(server.outside, [platform], query)["rows"]
    return Counter({(row["campaign_id"], row["date"]): row["leads"] for row in rows})


def counted(server: PlatformServer, platform: str, found: list[Told]) -> _Counts:
    """Leads once each, by campaign and local day; Meta's name an ad, whose campaign a pull has stored."""
    profile = profile_of(server, platform)
    owners = {ad.id: campaign.id for campaign, _, ad in profile.ads()}
    once: dict[str, SentLead] = {}
    for each in found:
        for lead in each.leads:
            once.setdefault(lead.id, lead)
    brought = [lead for lead in once.values() if lead.campaign_id or lead.ad_id]
    assert all(lead.at is not None for lead in brought)
    days = {lead.id: lead.at.astimezone(ZoneInfo(profile.timezone)).date() for lead in brought if lead.at}
    return Counter((lead.campaign_id or owners[lead.ad_id], days[lead.id].isoformat()) for lead in brought)


def subscribe(server: PlatformServer, inbox: Inbox, *entities: tuple[str, dict[str, Any]]) -> None:
    """Halden's app subscribes at TikTok, with the receiver's token in the URL."""
    with server.outside.kept("tiktok_ads") as kept:
        kept.clear()  # what other tests subscribed to
    inbox.url = f"{inbox.url}?token={TOKEN}"
    credential = server.outside.company("halden").credentials["tiktok_ads"]
    app: dict[str, Any] = {"app_id": credential["app_id"], "secret": credential["secret"], "callback_url": inbox.url}
    owner = {"access_token": credential["access_token"], "advertiser_id": profile_of(server, "tiktok_ads").id}
    for entity, detail in entities:
        body = app | {"subscribe_entity": entity, "subscription_detail": owner | detail}
        answer = requests.post(f"{server.url}/open_api/v1.3/subscription/subscribe/", json=body, timeout=5).json()
        assert answer["code"] == 0, answer


def _of_meta(server: PlatformServer, inbox: Inbox) -> None:
    post(server, "webhooks/meta/leads", DAYS | {"url": inbox.url, "batch": 50})


def _of_google(server: PlatformServer, inbox: Inbox) -> None:
    post(server, "webhooks/google", DAYS | {"url": inbox.url})


def _of_tiktok(server: PlatformServer, inbox: Inbox) -> None:
    subscribe(server, inbox, ("LEAD", {}))
    for numbers in (False, True):
        post(server, "webhooks/tiktok", DAYS | {"signed": True, "numbers": numbers, "entities": ["LEAD"]})


SENDERS: dict[str, Callable[[PlatformServer, Inbox], None]] = {
    "meta_ads": _of_meta,
    "google_ads": _of_google,
    "tiktok_ads": _of_tiktok,
}


@pytest.mark.parametrize("platform", SENDERS)
def test_leads_that_come_twice_and_in_any_order_are_the_world_s(
    server: PlatformServer, inbox: Inbox, platform: str
) -> None:
    # when
    SENDERS[platform](server, inbox)

    # then
    found = told(inbox, server, platform)
    assert counted(server, platform, found) == true_counts(server, platform)
    assert sum(len(each.leads) for each in found) > true_counts(server, platform).total() > 10


@pytest.mark.parametrize("platform", SENDERS)
def test_what_is_kept_of_a_lead_outside_its_own_object_names_nobody(
    server: PlatformServer, inbox: Inbox, platform: str
) -> None:
    # when
    SENDERS[platform](server, inbox)

    # then
    for each in told(inbox, server, platform):
        assert "example.com" not in repr(each.leads + each.changes)
        assert b"google_key" not in each.personal
        assert (b"example.com" in each.personal) == bool(each.leads) or platform == "meta_ads"


def test_a_thousand_changes_of_meta_s_name_the_objects_that_changed(server: PlatformServer, inbox: Inbox) -> None:
    # given
    profile = profile_of(server, "meta_ads")
    objects = {
        Level.CAMPAIGN: {campaign.id for campaign in profile.campaigns},
        Level.AD_GROUP: {group.id for campaign in profile.campaigns for group in campaign.groups},
        Level.AD: {ad.id for _, _, ad in profile.ads()},
        Level.ACCOUNT: {""},
    }

    # when
    post(server, "webhooks/meta", {"url": inbox.url, "count": 1000})

    # then
    (each,) = told(inbox, server, "meta_ads")
    assert {change.level for change in each.changes} == set(objects)
    assert all(change.object_id in objects[change.level] for change in each.changes)
    assert {change.profile_id for change in each.changes} == {profile.id}
    assert len(set(each.changes)) == len(each.changes) > 50
    assert each.beside > 0  # the kind of notification that nobody knows


def test_what_tiktok_tells_names_what_to_read_again(server: PlatformServer, inbox: Inbox) -> None:
    # given
    profile = profile_of(server, "tiktok_ads")
    _, group, ad = profile.ads()[0]
    several = {"advertiser_ids": [profile.id]}
    subscribe(
        server, inbox, ("AD", {"ad_id": ad.id}), ("AD_GROUP", {"adgroup_id": group.id}), ("CREATIVE_FATIGUE", {}),
        ("REPORT_DATA_CHANGE", several), ("AD_ACCOUNT_SUSPENSION", several), ("API_SERVICE_STATUS", {}),
    )  # fmt: skip

    # when
    entities = [
        "AD",
        "AD_GROUP",
        "CREATIVE_FATIGUE",
        "REPORT_DATA_CHANGE",
        "AD_ACCOUNT_SUSPENSION",
        "API_SERVICE_STATUS",
    ]
    post(server, "webhooks/tiktok", {"signed": True, "entities": entities})

    # then
    changes = {change for each in told(inbox, server, "tiktok_ads") for change in each.changes}
    assert {change.profile_id for change in changes} == {profile.id}
    assert (Level.AD, ad.id) in {(change.level, change.object_id) for change in changes}
    assert (Level.AD_GROUP, group.id) in {(change.level, change.object_id) for change in changes}
    assert Level.ACCOUNT in {change.level for change in changes}


def test_a_delivery_with_another_secret_is_no_delivery(server: PlatformServer, inbox: Inbox) -> None:
    # when
    post(server, "webhooks/meta/leads", DAYS | {"url": inbox.url, "bad_signature": True})
    of_meta, inbox.received = inbox.received, []
    post(server, "webhooks/google", DAYS | {"url": inbox.url, "bad_key": True})

    # then
    for platform, received in (("meta_ads", of_meta), ("google_ads", inbox.received)):
        hooks = REGISTRY.webhook(Platform(platform))
        assert hooks is not None
        for headers, body in received:
            assert not hooks.verify(Sent(headers, {}, body, 0.0), secrets_of(server, platform))


def test_leads_of_today_grow_with_the_clock(server: PlatformServer, inbox: Inbox) -> None:
    # given
    profile = profile_of(server, "google_ads")
    today = server.outside.world.moment(profile).today.isoformat()
    wish = {"url": inbox.url, "start": today, "end": today, "in_order": True}

    # when
    first = post(server, "webhooks/google", wish)["leads"]
    server.outside.move(timedelta(hours=8))
    later = post(server, "webhooks/google", wish)["leads"]
    server.outside.move(timedelta())

    # then
    assert first < later
