"""The other doors: signed pushes, a platform's notifications, dropped files."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from ops.demo.truth import numbers
from sandbox import processes
from support.river import River, until

_BUCKET_SECONDS = 300
_COLUMNS = "platform,profile_id,level,campaign_id,ad_group_id,ad_id,date,impressions,clicks,conversions,spend,revenue"


def test_given_a_running_sandbox_then_it_listens_on_this_machine_alone(river: River) -> None:
    running = processes.load(river.home.running)
    connections = [found for process in running for found in psutil.Process(process.pid).net_connections("inet")]
    assert {found.laddr.ip for found in connections if found.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_given_a_signed_push_when_it_comes_twice_and_once_forged_then_it_is_stored_once(river: River) -> None:
    mori = river.clients["mori"]
    campaign = next(river.api.records("ad_performance", {"profile_id": mori.amazon}))["campaign_id"]
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    metric = {
        "campaign_id": campaign,
        "timestamp": hour.isoformat(),
        "impressions": 700,
        "clicks": 21,
        "conversions": "1.5",
        "revenue": "120",
        "cost": "33",
        "currency": "JPY",
    }
    push = {"account": "mori", "url": f"{river.description['api_url']}/webhook/amazon/{mori.account_id}"}

    answers = river.world.post("webhooks/push", push | {"metrics": [metric], "times": 2, "id": "msg_e2e"})["answers"]
    forged = push | {"metrics": [metric | {"clicks": 99}], "bad_signature": True, "id": "msg_forged"}
    (refused,) = river.world.post("webhooks/push", forged)["answers"]

    assert [answer["status"] for answer in answers] == [200, 200]
    assert refused["status"] == 401
    river.quiet("landing")
    filters = {"profile_id": mori.amazon, "campaign_id": campaign}
    found = until(lambda: list(river.api.records("campaign_performance_hourly", filters)), "the pushed hour")
    assert [numbers(row) for row in found] == [(700, 21, 1_500_000, 33_000_000, 120_000_000)]
    assert len(river.keys(f"webhooks/amazon_ads/{mori.account_id}/")) == 1


def test_given_notifications_of_one_ad_when_several_come_then_one_run_pulls_it_again(river: River) -> None:
    mori = river.clients["mori"]
    if (left := _BUCKET_SECONDS - time.time() % _BUCKET_SECONDS) < 10:
        time.sleep(left)  # one run per object and clock period: all of this has to fall into one
    delivery = {"account": "mori", "url": f"{river.description['api_url']}/webhook/meta/{mori.account_id}"}
    ad = next(river.api.records("ad_performance", {"profile_id": mori.meta}))["ad_id"]
    with river.deaf("orchestrate", "runs", forgets=False):  # a change that comes later is pulled five minutes later
        for fields in (["effective_status"], ["name"], ["bid_amount", "name"]):
            value = {"object_id": ad, "object_type": "ad", "changed_fields": fields}
            body = delivery | {"change": {"field": "field_changed", "value": value}, "times": 2}
            assert [answer["status"] for answer in river.world.post("webhooks/meta", body)["answers"]] == [200, 200]
    (forged,) = river.world.post("webhooks/meta", delivery | {"bad_signature": True})["answers"]
    assert forged["status"] == 401

    until(lambda: called(river), "the run that the notification asks for")
    river.quiet("landing", "runs")
    (run,) = called(river)
    assert river.ended(run["run_id"], "succeeded")["tasks_done"] >= 1


def called(river: River) -> list[dict[str, str]]:
    """The runs that a webhook asked for."""
    return [run for run in river.api.get("/api/v1/runs", limit=100)["runs"] if run["trigger"] == "webhook"]


def test_given_a_dropped_file_when_lines_are_malformed_then_the_others_are_stored_told_of_and_followed_by_a_run(
    river: River,
) -> None:
    mori = river.clients["mori"]
    day = river.day(200)
    start = f"meta_ads,{mori.meta},ad,900,90"
    good = {ad: f"{start},{ad},{day},{ad * 100},{ad},1,{ad}.25,{ad * 3}.10" for ad in (1, 2, 3)}
    lines = [_COLUMNS, good[1], f"{start},4,{day},many,4,1,4.25,12.10", good[2], "half,a,line", good[3]]
    content = gzip.compress("\n".join(lines).encode(), mtime=0)
    name = f"{mori.account_id}/offline.csv.gz"

    version = river.drop(name, content)
    receipt = receipt_of(river, name, version)
    assert (receipt["state"], receipt["rows_read"], receipt["rows_stored"], receipt["rows_quarantined"]) == (
        "loaded", 5, 3, 2
    )  # fmt: skip
    bad = river.lines(receipt["quarantine_key"])
    assert [entry["line"] for entry in bad] == [3, 5]
    assert all(entry["errors"] for entry in bad)
    stored = river.stored(mori.meta, day, day)
    assert stored == {
        (f"90~{ad}", day): (ad * 100, ad, 1_000_000, ad * 1_000_000 + 250_000, ad * 3_000_000 + 100_000) for ad in good
    }

    assert scored(river, mori.meta, day) == []
    river.sweep_after(0)
    (run,) = until(lambda: followed(river, mori.account_id), "the run that follows the file")
    (told,) = scored(river, mori.meta, day)
    assert (run["workflow"], run["state"], run["result"]["success"]) == ("refresh", "succeeded", True)
    assert told["scored_at"] >= run["started_at"]

    before = dropped(river)
    again = receipt_of(river, name, river.drop(name, content))
    assert (again["state"], again["duplicate_of"]) == ("duplicate", f"drops/{name} {version}")
    assert dropped(river) == before != {}


def receipt_of(river: River, name: str, version: str) -> dict[str, Any]:
    """The receipt of a dropped version, once it is there."""
    key = f"receipts/drops/{name}.{version}.json"
    until(lambda: key in river.keys("receipts/"), f"the receipt of {name}")
    found: dict[str, Any] = json.loads(river.s3.get_object(Bucket=river.bucket, Key=key)["Body"].read())
    return found


def followed(river: River, account_id: str) -> list[dict[str, Any]]:
    """The runs that files of a client have started and that have ended."""
    found = [run for run in river.api.get("/api/v1/runs", limit=100)["runs"] if run["trigger"] == "arrivals"]
    ours = [run for run in found if run["scope"] == {"accounts": [account_id]} and "file: 1 load" in run["because"]]
    return [run for run in ours if run["ended_at"]]


def scored(river: River, profile_id: str, day: str) -> list[dict[str, Any]]:
    """The scores of a day."""
    asked = {"platform": "meta", "profile_id": profile_id, "start": day, "end": day}
    found: list[dict[str, Any]] = river.api.get("/api/v1/quality", **asked)["days"]
    return found


def dropped(river: River) -> dict[tuple[str, str], object]:
    """What files have stored."""
    return {key: item for key, item in river.table("Metrics").items() if "#file#" in key[0]}
