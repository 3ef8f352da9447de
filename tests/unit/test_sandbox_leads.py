"""Leads of the world: nobody's names, sent as Meta and Google send them, and counted."""

from __future__ import annotations

import hmac
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from sandbox.outside import BadQuestion, Outside
from sandbox.platforms import google_ads, meta
from sandbox.platforms.google_ads.lead_forms import send_leads as send_forms
from sandbox.platforms.meta.lead_notices import send_leads as send_notices
from sandbox.platforms.meta.webhooks import FIELDS, send_notifications
from sandbox.server import PlatformServer
from sandbox.world.leads import leads
from support.inbox import Inbox, opened_inbox
from support.platform_server import running

DAYS = {"start": "2026-11-19", "end": "2026-11-20"}


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running([meta.STAND_IN, google_ads.STAND_IN]) as started:
        yield started


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with opened_inbox() as opened:
        yield opened


def counts(server: PlatformServer, platform: str, account: str = "halden") -> Counter[tuple[str, str]]:
    """(campaign, day) → leads, as the control endpoint tells them."""
    profile = server.outside.company(account).on(platform)[0]
    query = DAYS | {"platform": platform, "profile_id": profile.id}
    rows = requests.get(f"{server.url}/_world/leads", query, timeout=5).json()["rows"]
    return Counter({(row["campaign_id"], row["date"]): row["leads"] for row in rows})


def asked(inbox: Inbox, **more: Any) -> dict[str, Any]:
    return {"url": inbox.url, "account": "halden", "pause": 0.001, **DAYS, **more}


def local_day(outside: Outside, platform: str, instant: datetime) -> str:
    profile = outside.company("halden").on(platform)[0]
    return instant.astimezone(ZoneInfo(profile.timezone)).date().isoformat()


def test_leads_are_nobody_s_and_the_same_in_every_world_of_a_seed(server: PlatformServer) -> None:
    # given
    world = server.outside.world
    profile = server.outside.company("halden").on("google_ads")[0]
    days = date(2026, 11, 10), date(2026, 11, 20)

    # when
    first, again = list(leads(world, profile, *days)), list(leads(world, profile, *days))

    # then
    assert first == again
    assert len({lead.number for lead in first}) == len(first) > 20
    assert all(lead.person.email.endswith("@example.com") for lead in first)
    assert all(re.fullmatch(r"\+12025550[12]\d\d", lead.person.phone) for lead in first)
    assert all(days[0] <= lead.day() <= days[1] for lead in first)


def test_leads_are_counted_by_the_days_of_another_time_zone_too(server: PlatformServer) -> None:
    # given
    world = server.outside.world
    profile = server.outside.company("halden").on("google_ads")[0]
    query = DAYS | {"profile_id": profile.id, "timezone": "Pacific/Auckland"}

    # when
    rows = requests.get(f"{server.url}/_world/leads", query, timeout=5).json()["rows"]

    # then
    found = leads(world, profile, date.fromisoformat(DAYS["start"]), date.fromisoformat(DAYS["end"]))
    by_day = Counter(lead.at.astimezone(ZoneInfo("Pacific/Auckland")).date().isoformat() for lead in found)
    assert by_day.keys() == {"2026-11-20", "2026-11-21"}
    assert by_day == sum((Counter({row["date"]: row["leads"]}) for row in rows), Counter())


def test_leads_of_today_are_those_so_far(server: PlatformServer) -> None:
    # given
    outside = server.outside
    profile = outside.company("halden").on("meta_ads")[0]
    today = outside.world.moment(profile).today

    # when
    now = [lead.number for lead in leads(outside.world, profile, today, today)]
    outside.move(timedelta(days=1))
    later = [lead.number for lead in leads(outside.world, profile, today, today)]
    outside.move(timedelta())

    # then
    assert set(now) < set(later)


# -- Meta -------------------------------------------------------------------------------------------------------------


def test_meta_s_notices_of_leads_have_ids_alone_and_each_lead_once_counts_as_the_truth(
    server: PlatformServer, inbox: Inbox
) -> None:
    # when
    said = send_notices(server.outside, asked(inbox, batch=7))

    # then
    values = [c["value"] for body in inbox.bodies() for entry in body["entry"] for c in entry["changes"]]
    assert b"example.com" not in b"".join(body for _, body in inbox.received)
    assert {type(value["leadgen_id"]) for value in values} == {int, str}
    assert max(len(entry["changes"]) for body in inbox.bodies() for entry in body["entry"]) == 7
    owners = {ad.id: campaign.id for campaign, _, ad in server.outside.company("halden").on("meta_ads")[0].ads()}
    once = {str(value["leadgen_id"]): value for value in values}
    assert len(once) < len(values)
    organic = [value for value in once.values() if "ad_id" not in value]
    found = Counter(
        (
            owners[str(value["ad_id"])],
            local_day(server.outside, "meta_ads", datetime.fromtimestamp(int(value["created_time"])).astimezone()),
        )
        for value in once.values()
        if "ad_id" in value
    )
    assert len(organic) == 2
    assert found == counts(server, "meta_ads")
    assert said["leads"] == found.total()


def test_a_lead_of_meta_s_answers_by_its_id_with_the_personal_data(server: PlatformServer) -> None:
    # given
    company = server.outside.company("halden")
    lead = next(iter(leads(server.outside.world, company.on("meta_ads")[0], date(2026, 11, 19), date(2026, 11, 20))))
    token = {"access_token": company.credentials["meta_ads"]["access_token"]}
    foreign = {"access_token": server.outside.company("mori").credentials["meta_ads"]["access_token"]}
    url = f"{server.url}/v26.0/{lead.number}"

    # when
    answer = requests.get(url, token | {"fields": "id,ad_id,form_id,field_data"}, timeout=5).json()
    other = requests.get(url, foreign, timeout=5)
    server.outside.switches.turn_on({"kind": "no_lead_access", "platform": "meta_ads", "times": 1})
    refused = requests.get(url, token, timeout=5)

    # then
    assert (answer["id"], answer["ad_id"]) == (str(lead.number), lead.ad.id)
    assert {"name": "email", "values": [lead.person.email]} in answer["field_data"]
    assert other.status_code == 400
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, 200)


def test_a_delivery_of_meta_s_may_have_a_thousand_changes_of_every_field(server: PlatformServer, inbox: Inbox) -> None:
    # when
    said = send_notifications(server.outside, {"url": inbox.url, "account": "halden", "count": 1000})

    # then
    ((headers, body),) = inbox.received
    secret = server.outside.company("halden").credentials["meta_ads"]["app_secret"].encode()
    assert headers["x-hub-signature-256"] == "sha256=" + hmac.new(secret, body, sha256).hexdigest()
    assert body.isascii()
    assert rb"Pr\u00fcfung" in body
    changes = [change for entry in inbox.bodies()[0]["entry"] for change in entry["changes"]]
    assert {change["field"] for change in changes} == set(FIELDS)
    assert len(changes) == 1000
    assert said == {"deliveries": 1, "dropped": 0, "statuses": {"200": 1}}
    with pytest.raises(BadQuestion):
        send_notifications(server.outside, {"url": inbox.url, "account": "halden", "count": 1001})


def test_meta_repeats_what_was_not_taken_and_gives_up_in_the_end(server: PlatformServer, inbox: Inbox) -> None:
    # given
    inbox.statuses = [500, 400]
    wish = {"url": inbox.url, "account": "halden", "count": 3, "fields": ["creative_fatigue"], "pause": 0.001}

    # when
    taken = send_notifications(server.outside, wish)
    inbox.statuses = [503] * 9
    lost = send_notifications(server.outside, wish | {"attempts": 4})

    # then
    assert taken == {"deliveries": 1, "dropped": 0, "statuses": {"200": 1, "400": 1, "500": 1}}
    assert lost == {"deliveries": 1, "dropped": 1, "statuses": {"503": 4}}
    assert len({body for _, body in inbox.received[:3]}) == 1


# -- Google -----------------------------------------------------------------------------------------------------------


def test_google_s_leads_have_the_key_in_the_body_and_each_once_counts_as_the_truth(
    server: PlatformServer, inbox: Inbox
) -> None:
    # when
    said = send_forms(server.outside, asked(inbox))

    # then
    bodies = inbox.bodies()
    (key,) = {body["google_key"] for body in bodies}
    credentials = requests.get(f"{server.url}/_world/credentials", timeout=5).json()["accounts"][0]
    assert credentials["webhooks"]["google_key"] == key
    once = {body["lead_id"]: body for body in bodies if not body["is_test"]}
    found = Counter(
        (
            str(body["campaign_id"]),
            local_day(server.outside, "google_ads", datetime.fromisoformat(body["lead_submit_time"])),
        )
        for body in once.values()
    )
    assert found == counts(server, "google_ads")
    assert len(once) < len(bodies) - 1
    assert [body["lead_id"] for body in bodies if body["is_test"]] == ["TeSter-123-ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    assert max(len(id_) for id_ in once) > 160
    assert {"adgroup_id" in body for body in once.values()} == {True, False}
    assert any("column_name" not in column for column in bodies[0]["user_column_data"])
    assert said["leads"] == found.total()


def test_google_repeats_a_5xx_and_no_4xx(server: PlatformServer, inbox: Inbox) -> None:
    # given
    inbox.statuses = [400, 503, 503]
    wish = asked(inbox, in_order=True, old=True)

    # when
    said = send_forms(server.outside, wish)

    # then
    bodies = [body for _, body in inbox.received]
    assert said["statuses"]["503"] == 2
    assert said["dropped"] == 1
    assert bodies[1] == bodies[2] == bodies[3] != bodies[0]
    assert bodies.count(bodies[0]) == 1
    assert b"lead_submit_time" not in bodies[0]


def test_a_sender_without_the_key_has_another(server: PlatformServer, inbox: Inbox) -> None:
    # when
    send_forms(server.outside, asked(inbox, bad_key=True))

    # then
    credentials = requests.get(f"{server.url}/_world/credentials", timeout=5).json()["accounts"][0]
    assert credentials["webhooks"]["google_key"] not in {body["google_key"] for body in inbox.bodies()}
