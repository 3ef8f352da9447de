"""The daily run: stored numbers equal the platforms', also after a restatement; a replay changes nothing."""

from __future__ import annotations

import json

from adweir.model.money import to_micros
from support.river import River, Stored

ALL_QUEUES = ("runs", "collect-MetaAds", "collect-AmazonAds", "reports", "landing")


def test_given_two_clients_when_the_daily_schedule_fires_then_every_number_is_the_platforms_own(
    first: dict[str, Stored], first_truth: dict[str, Stored]
) -> None:
    assert len(first) == 4
    assert all(first.values())
    assert first == first_truth


def test_given_stored_days_when_the_platforms_restate_them_then_the_next_daily_run_stores_the_new_truth(
    river: River, days: tuple[str, str], first: dict[str, Stored]
) -> None:
    start, yesterday = days[0], river.day(0)
    for profile_id, before in first.items():
        stored = river.stored(profile_id, start, yesterday)
        assert stored == river.truth(profile_id, start, yesterday)
        restated = {key for key, was in before.items() if stored.get(key) != was}
        assert restated, "a world that restates nothing proves nothing"


def test_given_restated_days_when_lists_are_asked_then_they_sum_to_the_truth_and_lags_can_be_measured(
    river: River, days: tuple[str, str]
) -> None:
    meta, yesterday = river.clients["halden"].meta, river.day(0)
    span = {"profile_id": meta, "start": days[0], "end": yesterday, "order": "-spend"}
    first = river.api.get("/api/v1/ads", limit=1, include="enrichment", **span)
    rest = river.api.get("/api/v1/ads", limit=1000, next_token=first["next_token"], include="enrichment", **span)
    truth = river.truth(meta, days[0], yesterday)
    assert sum(to_micros(str(ad["spend"])) for ad in first["ads"] + rest["ads"]) == sum(
        row.spend for row in truth.values()
    )
    said = [ad["enrichment"] for ad in first["ads"] + rest["ads"]]
    assert {each["sentiment"]["provider"] for each in said if not each["reason"]} == {"local"}
    assert {each["reason"] for each in said} <= {None, "the ad has no words"}
    (campaign,) = river.api.get("/api/v1/platform-campaigns", profile_id=meta, limit=1)["platform_campaigns"]
    assert campaign["totals"]["last_7_days"]["days_pulled"] == 7
    (lags,) = river.api.get("/api/v1/restatement", profile_id=meta)["restatement"]
    assert lags["level"] == "account"


def test_given_a_restatement_then_a_changes_file_names_the_old_and_the_new_numbers(
    river: River, days: tuple[str, str], first: dict[str, Stored]
) -> None:
    changes: dict[tuple[str, str, str], tuple[list[int], list[int]]] = {}
    for key in river.keys("changes/"):
        about, *lines = river.lines(key)
        for line in lines:
            if line.get("old") is not None and about["level"] == "ad":
                changes[about["profile_id"], line["entity_id"], line["day"]] = (line["old"], line["new"])
    for profile_id, before in first.items():
        now = river.stored(profile_id, *days)
        expected = {
            (profile_id, *key): (list(was), list(now[key])) for key, was in before.items() if now.get(key) != was
        }
        assert expected
        assert {key: changes.get(key) for key in expected} == expected


def test_given_everything_that_ever_landed_when_it_arrives_again_then_no_stored_number_changes(river: River) -> None:
    landed = [key for key in river.keys("raw/") if "_daily/" in key]
    assert landed
    river.quiet(*ALL_QUEUES)
    before = river.table("Metrics")
    for key in landed:
        message = {"bucket": river.bucket, "key": key}
        river.sqs.send_message(QueueUrl=river.queue("landing"), MessageBody=json.dumps(message), MessageGroupId="again")
    river.quiet(*ALL_QUEUES)
    assert river.table("Metrics") == before


def test_given_a_day_under_way_when_the_hourly_schedule_fires_then_its_hours_are_the_platforms_own(
    river: River,
) -> None:
    river.fire("hourly")
    meta = river.clients["halden"].meta
    today = river.day(-1)
    truth = river.world.get("truth", profile_id=meta, start=today, end=today, level="campaign", hourly="1")["rows"]
    filters = {"profile_id": meta, "date_range": {"start": today, "end": today}}
    stored = list(river.api.records("campaign_performance_hourly", filters))
    found = {
        (row["campaign_id"], row["hour"]): (row["impressions"], row["clicks"], to_micros(str(row["spend"])))
        for row in stored
    }
    expected = {
        (row["entity_id"], row["hour"]): (row["impressions"], row["clicks"], row["spend_micros"]) for row in truth
    }
    assert found == expected != {}
    # Meta reports no off-Meta actions by hour: unknown, not zero
    assert {(row["conversions"], row["revenue"]) for row in stored} == {(None, None)}
