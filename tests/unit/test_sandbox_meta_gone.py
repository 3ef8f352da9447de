"""Meta's stand-in, insights of what is deleted, archived or forgotten, and of leads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from support.graph import Client, action, graph, total

DAYS = (date(2026, 11, 8), date(2026, 11, 14))


@pytest.fixture(scope="module")
def kestrel() -> Iterator[Client]:
    with graph("kestrel", awkward=True) as found:
        yield found


def test_ads_that_are_gone_have_no_rows_unless_their_status_is_named(kestrel: Client) -> None:
    # given
    asked = {
        "level": "ad",
        "fields": "ad_id,adset_id,spend",
        "time_range": {"since": "2026-09-23", "until": "2026-11-20"},
    }
    status = {ad.id: ad.status for _, _, ad in kestrel.profile.ads()}

    def seen(*statuses: str) -> set[str]:
        condition = {"field": "ad.effective_status", "operator": "IN", "value": list(statuses)}
        rows = kestrel.insights(**asked, **({"filtering": [condition]} if statuses else {}))
        return {status[row["ad_id"]] for row in rows}

    # then
    assert seen() == {"ACTIVE"}
    assert seen("DELETED") == {"DELETED"}
    assert seen("ACTIVE", "PAUSED", "DELETED", "ARCHIVED") == {"ACTIVE", "DELETED", "ARCHIVED"}


def test_a_deleted_ad_answers_by_its_id_and_a_forgotten_one_not_at_all(kestrel: Client) -> None:
    # given
    gone = next(ad for _, _, ad in kestrel.profile.ads() if ad.status == "DELETED" and ad.flight[1] > 20)
    forgotten = next(ad for c in kestrel.profile.campaigns for g in c.groups for ad in g.unlisted if ad.id)
    ever = {"since": "2026-09-23", "until": "2026-11-20"}

    # when
    (row,) = kestrel.rows(f"{gone.id}/insights", time_range=ever, fields="ad_id,spend")

    # then
    assert (row["ad_id"], Decimal(row["spend"]) > 0) == (gone.id, True)
    assert kestrel.refused(f"{forgotten.id}/insights", time_range=ever)["error_subcode"] == 33


@pytest.mark.parametrize("level", ["campaign", "adset", "account"])
def test_parents_count_what_is_gone(kestrel: Client, level: str) -> None:
    # when
    ever = {"since": "2026-09-23", "until": "2026-11-20"}
    every = {"field": f"{level}.effective_status", "operator": "IN", "value": ["ACTIVE", "DELETED"]}
    named = {} if level == "account" else {"filtering": [every]}
    rows = kestrel.insights(level=level, fields="spend,impressions", time_range=ever, **named)

    # then
    world = kestrel.server.outside.world
    told = list(world.truth(kestrel.profile, date(2026, 9, 23), date(2026, 11, 20), "account"))
    assert total(rows, "spend") * 1_000_000 == sum(row["spend_micros"] for row in told)
    assert {"." in row["spend"] for row in rows} == {False}, "yen have no decimals"


def test_a_deleted_campaign_hides_all_that_was_in_it(kestrel: Client) -> None:
    # given
    gone = next(campaign for campaign in kestrel.profile.campaigns if campaign.status == "DELETED")
    asked = {"fields": "campaign_id", "time_range": {"since": "2026-09-23", "until": "2026-11-20"}}

    # then
    for level in ("campaign", "adset", "ad"):
        named = {"field": f"{level}.effective_status", "operator": "IN", "value": ["DELETED"]}
        assert gone.id not in {row["campaign_id"] for row in kestrel.insights(level=level, **asked)}
        assert gone.id in {row["campaign_id"] for row in kestrel.insights(level=level, filtering=[named], **asked)}
    assert kestrel.rows(f"{gone.id}/insights", **asked)[0]["campaign_id"] == gone.id
    statuses = {row["effective_status"] for row in kestrel.rows(f"{gone.id}/ads", fields="effective_status")}
    assert statuses == set()


def test_ads_that_are_gone_are_the_truth_s(kestrel: Client) -> None:
    """With every status named, ads bring what `truth` tells of them."""
    # when
    statuses = ["ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "CAMPAIGN_PAUSED", "ADSET_PAUSED"]
    condition = {"field": "ad.effective_status", "operator": "IN", "value": statuses}
    rows = kestrel.insights(level="ad", fields="ad_id,adset_id,spend", time_increment="1", filtering=[condition])

    # then
    told = kestrel.server.outside.world.truth(kestrel.profile, *DAYS)
    expected = {(row["entity_id"], row["date"]): Decimal(row["spend_micros"]) / 1_000_000 for row in told}
    assert {(f"{r['adset_id']}~{r['ad_id']}", r["date_start"]): Decimal(r["spend"]) for r in rows} == expected


def test_leads_are_counted_and_bring_nothing() -> None:
    with graph("lumen", awkward=True) as client:
        (row,) = client.insights(level="account", fields="actions,action_values,purchase_roas,results")
        parts = [
            action(row, f"{name}") for name in ("onsite_conversion.lead_grouped", "offsite_conversion.fb_pixel_lead")
        ]
        told = client.server.outside.world.truth(client.profile, *DAYS, "account")
        assert action(row, "lead") * 1_000_000 == sum(each["conversions_micros"] for each in told)
        assert sum(parts) == action(row, "lead")
        assert min(parts) > 0
        assert action(row, "omni_purchase") == 0
        assert "action_values" not in row
