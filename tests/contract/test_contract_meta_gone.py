"""Meta's official SDK, unmodified, on an awkward ad account: what is gone, broken down, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.advideo import AdVideo
from facebook_business.adobjects.campaign import Campaign
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from support.graph import WEEK, Client, graph, total

EVER = {"since": "2026-09-23", "until": "2026-11-20"}


@pytest.fixture
def kestrel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The SDK is initialised for Kestrel's ad account in yen."""
    with graph("kestrel", awkward=True) as client:
        monkeypatch.setattr(FacebookSession, "GRAPH", client.server.url)
        FacebookAdsApi.init(access_token=client.token, api_version="v26.0", crash_log=False)
        yield client


@pytest.fixture
def account(kestrel: Client) -> AdAccount:
    return AdAccount(f"act_{kestrel.profile.id}")


def test_ads_sum_to_the_account_only_with_what_is_gone_and_what_no_ad_shows(
    kestrel: Client, account: AdAccount
) -> None:
    # when
    every = {"field": "ad.effective_status", "operator": "IN", "value": ["ACTIVE", "PAUSED", "DELETED", "ARCHIVED"]}
    asked = {"level": "ad", "time_range": EVER, "limit": 500}
    shown = list(account.get_insights(fields=["spend"], params=asked))
    gone_too = list(account.get_insights(fields=["spend"], params={**asked, "filtering": [every]}))
    (whole,) = account.get_insights(fields=["spend"], params={"time_range": EVER})

    # then
    told = kestrel.server.outside.world.truth(kestrel.profile, date(2026, 9, 23), date(2026, 11, 20), "account")
    assert Decimal(whole["spend"]) * 1_000_000 == sum(row["spend_micros"] for row in told)
    assert total(shown, "spend") < total(gone_too, "spend") < Decimal(whole["spend"])


def test_a_deleted_ad_is_read_by_its_id_and_listed_by_its_status(kestrel: Client, account: AdAccount) -> None:
    # given
    gone = next(ad for _, _, ad in kestrel.profile.ads() if ad.status == "DELETED" and ad.flight[1] > 20)

    # when
    listed = [ad["id"] for ad in account.get_ads(fields=["id"], params={"limit": 200})]
    named = list(account.get_ads(fields=["effective_status"], params={"effective_status": ["DELETED"], "limit": 200}))
    (row,) = Ad(gone.id).get_insights(fields=["ad_id", "spend"], params={"time_range": EVER})

    # then
    assert gone.id not in listed
    assert gone.id in [ad["id"] for ad in named]
    assert {ad["effective_status"] for ad in named} == {"DELETED"}
    assert row["ad_id"] == gone.id


def test_an_ad_deleted_meanwhile_disappears_from_its_level_and_stays_in_the_account(
    kestrel: Client, account: AdAccount
) -> None:
    # given
    def spent(**params: Any) -> dict[str, Decimal]:
        rows = account.get_insights(fields=["ad_id", "spend"], params={"time_range": WEEK, "limit": 500, **params})
        return {row.get("ad_id", ""): Decimal(row["spend"]) for row in rows}

    ads, whole = spent(level="ad"), spent(level="account")
    lost = max(ads, key=lambda ad_id: ads[ad_id])

    # when
    kestrel.server.outside.happen("delete", {"profile_id": kestrel.profile.id, "ad_id": lost, "forget": True})

    # then
    assert spent(level="ad") == {ad_id: amount for ad_id, amount in ads.items() if ad_id != lost}
    assert spent(level="account") == whole
    named = {"field": "ad.effective_status", "operator": "IN", "value": ["DELETED"]}
    assert lost not in spent(level="ad", filtering=[named])
    with pytest.raises(FacebookRequestError) as unknown:
        Ad(lost).api_get(fields=["name"])
    assert (unknown.value.api_error_code(), unknown.value.api_error_subcode()) == (100, 33)


@pytest.mark.parametrize("breakdowns", [["age", "gender"], ["country"], ["publisher_platform", "platform_position"]])
def test_breakdowns_sum_to_their_rows(account: AdAccount, breakdowns: list[str]) -> None:
    # when
    asked = {"level": "campaign", "time_range": WEEK, "limit": 500}
    parts = list(account.get_insights(fields=["impressions", "spend"], params={**asked, "breakdowns": breakdowns}))
    whole = list(account.get_insights(fields=["impressions", "spend"], params=asked))

    # then
    assert all(name in part for part in parts for name in breakdowns)
    assert [total(parts, name) for name in ("impressions", "spend")] == [
        total(whole, name) for name in ("impressions", "spend")
    ]


def test_a_cursor_counts_what_it_lists(kestrel: Client, account: AdAccount) -> None:
    ads = account.get_ads(fields=["id"], params={"limit": 5, "summary": "total_count"})
    assert ads.total() == len(list(ads))


def test_a_video_is_read(kestrel: Client) -> None:
    video_id = next(ad.creative["video_id"] for _, _, ad in kestrel.profile.ads() if "video_id" in ad.creative)
    video = AdVideo(video_id).api_get(fields=["source", "picture", "permalink_url"])
    assert video["source"].startswith("https://")


@pytest.mark.filterwarnings("ignore:.*does not allow field nonsense:UserWarning")
def test_what_a_reader_may_not_do_is_refused(kestrel: Client, account: AdAccount) -> None:
    campaign = Campaign(kestrel.profile.campaigns[0].id)
    refusals = (
        (campaign.api_delete, 294),
        (lambda: account.create_campaign(params={"name": "x"}), 294),
        (lambda: list(account.get_custom_audiences()), 3),
        (lambda: campaign.api_get(fields=["nonsense"]), 100),
        (lambda: list(account.get_insights(fields=["nonsense"])), 100),
    )
    for ask, code in refusals:
        with pytest.raises(FacebookRequestError) as refused:
            ask()
        assert refused.value.api_error_code() == code
