"""The sandbox's own doors: truth, credentials, clock, switches, log, senders, and what a client sees of them."""

from __future__ import annotations

import base64
import csv
import hmac
import io
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from sandbox.server import PlatformServer
from support.inbox import Inbox, opened_inbox
from support.platform_server import owner, running


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


def call(server: PlatformServer, door: str, body: Any = None, **query: str) -> Any:
    url = f"{server.url}/_world/{door}"
    answer = requests.get(url, query, timeout=5) if body is None else requests.post(url, json=body, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def insights(server: PlatformServer, **params: Any) -> requests.Response:
    company, profile = owner(server, "meta_ads")
    token = company.credentials["meta_ads"]["access_token"]
    asked = {"access_token": token, "level": "ad", "fields": "ad_id,impressions"}
    asked |= {"time_range": '{"since":"2026-11-10","until":"2026-11-10"}', "limit": "10"}
    return requests.get(f"{server.url}/v26.0/act_{profile.id}/insights", asked | params, timeout=5)


def test_truth_is_narrowed_by_its_parameters(server: PlatformServer) -> None:
    # when
    every = call(server, "truth")["rows"]
    some = call(server, "truth", platform="amazon_ads", start="2026-11-10", end="2026-11-11", level="campaign")["rows"]

    # then
    assert {r["profile_id"] for r in every} == {profile.id for profile in server.outside.world.profiles}
    assert {r["platform"] for r in some} == {"amazon_ads"}
    assert {r["date"] for r in some} == {"2026-11-10", "2026-11-11"}
    assert all(r["entity_id"] == r["campaign_id"] for r in some)


def test_bills_are_those_of_the_accounts_that_pay_by_invoice(server: PlatformServer) -> None:
    # when
    every = call(server, "bills", start="2026-11-01")["bills"]
    some = call(server, "bills", platform="google_ads", end="2025-12-31")["bills"]

    # then
    invoiced = {profile.id for profile in server.outside.world.profiles if profile.billing}
    assert {bill["profile_id"] for bill in every} == invoiced
    assert {(bill["platform"], bill["issued"]) for bill in some} == {
        ("google_ads", "2025-11-02"),
        ("google_ads", "2025-12-02"),
    }
    assert all(bill["total_micros"] == bill["net_micros"] + bill["tax_micros"] for bill in every)
    assert all(sum(line["net_micros"] for line in bill["lines"]) == bill["net_micros"] for bill in every)


def test_a_client_s_bills_are_a_file_to_drop(server: PlatformServer) -> None:
    # given: a client with invoices on both platforms that show none
    halden = {profile.id for profile in server.outside.company("halden").profiles}
    asked = {"start": "2026-11-01", "end": "2026-11-30"}

    # when
    texts = [
        requests.get(f"{server.url}/_world/bills/file", asked | {"account": "halden", "platform": platform}, timeout=5)
        for platform in ("tiktok_ads", "trade_desk")
    ]
    rows = [row for text in texts for row in csv.DictReader(io.StringIO(text.text))]

    # then: its documents have the amounts of the truth, each with its tax as a line of its own
    found: dict[str, list[int]] = {}
    for row in rows:
        amounts = found.setdefault(row["invoice_id"], [0, 0])
        amounts[0] += int(Decimal(row["amount"]) * 1_000_000)
        amounts[1] += int(Decimal(row["tax"] or "0") * 1_000_000)
    bills = [
        bill
        for platform in ("tiktok_ads", "trade_desk")
        for bill in call(server, "bills", platform=platform, **asked)["bills"]
    ]
    expected = {b["number"]: [b["net_micros"], b["tax_micros"]] for b in bills if b["profile_id"] in halden}
    assert found == expected
    assert {row["kind"] for row in rows} == {"spend", "credit", "adjustment", "tax"}
    assert {row["about_month"] for row in rows if row["kind"] == "adjustment"} == {"2026-09"}
    assert {text.headers["Content-Type"] for text in texts} == {"text/csv; charset=utf-8"}


def test_credentials_are_what_the_platforms_accept(server: PlatformServer) -> None:
    # when
    accounts = call(server, "credentials")["accounts"]

    # then
    assert len(accounts) == 2
    for account in accounts:
        meta, amazon = account["credentials"]["meta_ads"], account["credentials"]["amazon_ads"]
        assert set(meta) == {"platform", "access_token", "app_id", "app_secret"}
        assert set(amazon) == {"platform", "client_id", "client_secret", "refresh_token", "region"}
        assert amazon["client_id"].startswith("amzn1.")
        listed = requests.get(
            f"{server.url}/v26.0/me/adaccounts",
            {"access_token": meta["access_token"], "fields": "account_id"},
            timeout=5,
        ).json()
        assert [a["account_id"] for a in listed["data"]] == account["profile_ids"]["meta_ads"]


def test_the_clock_moves_by_days_hours_or_to_a_date(server: PlatformServer) -> None:
    # then
    assert call(server, "clock", {"advance_days": 1})["today"] == "2026-11-22"
    assert call(server, "clock", {"advance_hours": 14})["now"].startswith("2026-11-23T02")
    assert call(server, "clock", {"set": "2026-12-01"})["now"].startswith("2026-12-01T12")
    assert call(server, "clock", {"set": "2026-12-01T18:00:00+02:00"})["now"].startswith("2026-12-01T16")
    assert call(server, "clock")["today"] == "2026-12-01"


def test_what_happens_to_an_ad_is_told_in_the_overview(server: PlatformServer) -> None:
    # given
    _, profile = owner(server, "meta_ads")
    ad = profile.ads()[0][2]

    # when
    call(server, "delete", {"profile_id": f"act_{profile.id}", "ad_id": ad.id})

    # then
    (happened,) = call(server, "")["happenings"]
    assert happened == {
        "kind": "delete", "platform": "meta_ads", "profile_id": profile.id, "ad_id": ad.id, "day": "2026-11-21"
    }  # fmt: skip
    assert profile.ads()[0][2].status == "DELETED"


def test_truth_takes_the_choices_of_an_advertiser(server: PlatformServer) -> None:
    # when
    asked = {"platform": "meta_ads", "start": "2026-11-01", "end": "2026-11-10", "level": "account"}
    default, click, conversion = (
        [row["conversions_micros"] for row in call(server, "truth", **asked, **choice)["rows"]]
        for choice in ({}, {"basis": "click", "window": "1"}, {"clock": "conversion"})
    )

    # then
    assert all(few < many for few, many in zip(click, default, strict=True))
    assert conversion != default


@pytest.mark.parametrize(
    ("door", "body"),
    [
        ("delete", {"profile_id": "nobody", "ad_id": "1"}),
        ("credit", {}),
        ("clock", {"advance": 1}),
        ("clock", {"set": "2026-12-01T10:00:00"}),
        ("switches", {"kind": "earthquake"}),
        ("webhooks/meta", {"url": "file:///etc/passwd"}),
        ("webhooks/push", {}),
        ("clock", []),
    ],
)
def test_mistakes_are_answered_400(server: PlatformServer, door: str, body: Any) -> None:
    # when
    answer = requests.post(f"{server.url}/_world/{door}", json=body, timeout=5)

    # then
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_switch_lasts_as_long_as_asked(server: PlatformServer) -> None:
    # given
    call(server, "switches", {"kind": "throttle", "platform": "meta_ads", "times": 2, "skip": 1})

    # when
    seen = [insights(server).status_code for _ in range(4)]

    # then
    assert seen == [200, 400, 400, 200]
    assert call(server, "switches")["switches"] == []


def test_throttling_says_when_to_come_back(server: PlatformServer) -> None:
    # given
    _, profile = owner(server, "meta_ads")
    call(server, "switches", {"kind": "throttle", "profile_id": f"act_{profile.id}", "regain_minutes": 7})

    # when
    answer = insights(server)

    # then
    usage = json.loads(answer.headers["x-business-use-case-usage"])
    assert usage[profile.id][0]["estimated_time_to_regain_access"] == 7
    call(server, "switches", {"clear": "throttle"})
    calm = json.loads(insights(server).headers["x-business-use-case-usage"])
    assert calm[profile.id][0]["call_count"] < 75


@pytest.mark.parametrize("mode", ["no_paging", "no_next", "cut"])
def test_truncated_paging(server: PlatformServer, mode: str) -> None:
    # given
    call(server, "switches", {"kind": "truncated_paging", "times": 1, "mode": mode})

    # when
    if mode == "cut":
        with pytest.raises(requests.exceptions.RequestException):
            insights(server)
    else:
        paging = insights(server).json().get("paging")
        assert (paging is None) if mode == "no_paging" else ("next" not in paging)

    # then
    assert "next" in insights(server).json()["paging"]


def test_the_last_page_has_cursors_and_no_next(server: PlatformServer) -> None:
    # when
    page = insights(server).json()
    seen = [page]
    while "next" in page["paging"]:
        page = requests.get(page["paging"]["next"], timeout=5).json()
        seen.append(page)

    # then
    assert "after" in page["paging"]["cursors"]
    ids = [row["ad_id"] for page in seen for row in page["data"]]
    assert len(ids) == len(set(ids)) == len(call(server, "truth", platform="meta_ads", profile_id="1042017731",
                                                  start="2026-11-10", end="2026-11-10")["rows"])  # fmt: skip


def test_bad_rows_and_empty_answers(server: PlatformServer) -> None:
    # given
    call(server, "switches", {"kind": "bad_row", "times": 1, "mode": "negative"})
    bad = insights(server).json()["data"]
    call(server, "switches", {"kind": "empty", "times": 1})

    # when
    empty = insights(server).json()

    # then
    assert [row["impressions"] for row in bad].count("-5") == 1
    assert empty == {"data": []}
    assert insights(server).json()["data"][0]["impressions"] != "-5"


def test_proof_can_be_required_and_requests_are_counted(server: PlatformServer) -> None:
    # given
    call(server, "switches", {"kind": "require_proof"})

    # when
    refused = insights(server)

    # then
    assert refused.json()["error"]["code"] == 100
    assert call(server, "requests")["counts"] == {"GET /v26.0/{id}/insights 400": 1}


def test_graph_batches_and_batch_reads(server: PlatformServer) -> None:
    # given
    company, profile = owner(server, "meta_ads")
    one, two = profile.campaigns[0].id, profile.campaigns[1].id
    token = {"access_token": company.credentials["meta_ads"]["access_token"]}

    # when
    read = requests.get(f"{server.url}/v26.0/", token | {"ids": f"{one},{two}", "fields": "name"}, timeout=5).json()
    parts = [{"method": "GET", "relative_url": f"v26.0/{one}?fields=name"}, {"method": "GET", "relative_url": "nobody"}]
    batch = requests.post(f"{server.url}/v26.0/", token | {"batch": json.dumps(parts)}, timeout=5).json()

    # then
    assert {i: node["name"] for i, node in read.items()} == {c.id: c.name for c in profile.campaigns[:2]}
    assert [part["code"] for part in batch] == [200, 400]
    assert json.loads(batch[0]["body"])["id"] == one


def test_the_page_shows_the_world_to_a_browser(server: PlatformServer) -> None:
    # when
    page = requests.get(f"{server.url}/_world", headers={"Accept": "text/html"}, timeout=5)
    plain = requests.get(f"{server.url}/_world", timeout=5)

    # then
    assert "<table>" in page.text
    assert "Mori Küche DE" in page.content.decode()
    assert sum(p["ads"] for p in plain.json()["profiles"]) > 180


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with opened_inbox() as opened:
        yield opened


def test_meta_deliveries_are_signed_over_ascii_bytes(server: PlatformServer, inbox: Inbox) -> None:
    # given
    company, _ = owner(server, "meta_ads")
    change = {"field": "with_issues_ad_objects", "value": {"id": "1", "error_message": "Ümläut"}}

    # when
    answers = call(server, "webhooks/meta", {"url": inbox.url, "change": change, "times": 2})["answers"]
    call(server, "webhooks/meta", {"url": inbox.url, "bad_signature": True})

    # then
    assert [a["status"] for a in answers] == [200, 200]
    (headers, body), (_, again), (forged, forged_body) = inbox.received
    assert body == again
    assert b"\\u00dc" in body
    secret = company.credentials["meta_ads"]["app_secret"].encode()
    assert headers["x-hub-signature-256"] == "sha256=" + hmac.new(secret, body, sha256).hexdigest()
    assert forged["x-hub-signature-256"] != "sha256=" + hmac.new(secret, forged_body, sha256).hexdigest()


def test_a_notification_of_meta_may_hold_several_changes_out_of_order(server: PlatformServer, inbox: Inbox) -> None:
    usual = {"field": "field_changed", "value": {"object_id": "1"}}
    changes = [usual | {"time": 1_795_000_900}, usual | {"time": 1_795_000_000, "account_id": "77"}]
    call(server, "webhooks/meta", {"url": inbox.url, "changes": changes})
    entries = json.loads(inbox.received[0][1])["entry"]
    assert [(entry["time"], entry["id"] == "77") for entry in entries] == [
        (1_795_000_900, False),
        (1_795_000_000, True),
    ]


def test_metric_pushes_are_signed_by_the_standard_scheme(server: PlatformServer, inbox: Inbox) -> None:
    # given
    secret = call(server, "credentials")["accounts"][0]["webhooks"]["push_secret"]
    metrics = [{"campaign_id": "1", "timestamp": "2026-11-21T10:00:00Z", "impressions": 5}]

    # when
    call(server, "webhooks/push", {"url": inbox.url, "metrics": metrics, "account": "halden", "times": 2})

    # then
    (headers, body), (same, _) = inbox.received
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert same["webhook-id"] == headers["webhook-id"]
    assert json.loads(body) == {"metrics": metrics}


def test_a_push_of_the_world_has_every_campaign_s_hours(server: PlatformServer, inbox: Inbox) -> None:
    # given
    _, profile = owner(server, "google_ads")

    # when
    sent = call(server, "webhooks/push", {"url": inbox.url, "profile_id": profile.id, "day": "2026-11-20"})["metrics"]

    # then
    (metrics,) = [body["metrics"] for body in inbox.bodies()]
    true = call(
        server, "truth", profile_id=profile.id, start="2026-11-20", end="2026-11-20", level="campaign", hourly="1"
    )
    assert metrics == sent
    assert len(metrics) == len(true["rows"]) > 24
    for metric, row in zip(metrics, true["rows"], strict=True):
        assert (metric["campaign_id"], metric["clicks"]) == (row["campaign_id"], row["clicks"])
        assert Decimal(metric["cost"]) * 1_000_000 == row["spend_micros"]
        local = datetime.fromisoformat(metric["timestamp"]).astimezone(ZoneInfo(profile.timezone))
        assert (local.date().isoformat(), local.hour) == (row["date"], row["hour"])


def test_it_stops_while_a_client_keeps_its_connection(server: PlatformServer) -> None:
    # given
    with requests.Session() as session:
        session.get(f"{server.url}/_world/health", timeout=5)

        # when
        server.stop()

    # then
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{server.url}/_world/health", timeout=1)


def test_sales_of_a_range_come_with_the_mix_that_made_them(server: PlatformServer) -> None:
    # when
    days = call(server, "sales", account="mori", start="2026-05-24", end="2026-05-26")["sales"]["mori"]
    recently = call(server, "sales", account="mori")["sales"]["mori"]
    mix = call(server, "mix", account="mori")["mix"]["mori"]

    # then
    assert [day["date"] for day in days] == ["2026-05-24", "2026-05-25", "2026-05-26"]
    assert len(recently) == 60
    assert set(days[0]["contribution_micros"]) == {one["channel"] for one in mix["channels"]}
    assert {"country": "DE", "date": "2026-05-25", "name": "Pfingstmontag"}.items() <= next(
        one for one in mix["holidays"] if one["date"] == "2026-05-25"
    ).items()
    assert days[1]["holidays"]["DE"] == "Pfingstmontag"
    assert {"spring sale", "black friday"} < {sale["name"] for sale in mix["promotions"]}
    assert set(days[0]["region_micros"]) == {region["code"] for region in mix["regions"]}


def test_what_is_planted_is_listed_by_ad_account(server: PlatformServer) -> None:
    # given
    _, profile = owner(server, "meta_ads")

    # when
    planted = call(server, "planted", profile_id=f"act_{profile.id}")
    every = call(server, "planted", platform="meta_ads")

    # then
    world = server.outside.world
    told = [(a["metric"], a["first"], a["per_mille"]) for a in planted["anomalies"]]
    days = [world.first_day + timedelta(days=a.first) for a in world.plan(profile).anomalies]
    assert told == [
        (a.metric, day.isoformat(), a.per_mille) for a, day in zip(world.plan(profile).anomalies, days, strict=True)
    ]
    assert len(planted["level_shifts"]) == 3
    flights = {(ad.id, ad.flight) for _, _, ad in profile.ads() if ad.flight[0] > 0}
    begin = {(f["ad_id"], date.fromisoformat(f["day"])) for f in planted["flights"] if f["change"] == "begins"}
    assert begin == {(ad_id, world.first_day + timedelta(days=first)) for ad_id, (first, _) in flights}
    assert {f["change"] for f in every["flights"]} == {"begins", "has ended"}
    assert len(every["anomalies"]) == 2 * len(planted["anomalies"])


def test_hidden_demand_is_switched_by_a_door(server: PlatformServer) -> None:
    # given
    before = call(server, "truth", start="2026-11-10", end="2026-11-10", level="account")["rows"]

    # when
    off, on = call(server, "driver")["per_mille"], call(server, "driver", {"per_mille": 1000})["per_mille"]
    driven = call(server, "truth", start="2026-11-10", end="2026-11-10", level="account")["rows"]
    call(server, "driver", {"per_mille": 0})

    # then
    assert (off, on) == (0, 1000)
    assert all(now["spend_micros"] != was["spend_micros"] for now, was in zip(driven, before, strict=True))
    assert call(server, "truth", start="2026-11-10", end="2026-11-10", level="account")["rows"] == before
