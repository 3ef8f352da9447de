"""TikTok's advertisers, campaigns, ad groups and ads as the catalog's entities."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, Profile, Status
from adweir.model.metrics import BadRow
from adweir.platforms.tiktok_ads import media
from adweir.platforms.tiktok_ads.normalize import NORMALIZER
from adweir.platforms.tiktok_ads.statuses import status_of
from support.tiktok_wire import ADVERTISER, advertisement, context, envelope, listed, stored

CAMPAIGN = {
    "campaign_id": "1800000000000001",
    "campaign_name": "Spark",
    "advertiser_id": ADVERTISER,
    "objective_type": "WEB_CONVERSIONS",
    "budget": 120.5,
    "budget_mode": "BUDGET_MODE_DAY",
    "operation_status": "ENABLE",
    "secondary_status": "CAMPAIGN_STATUS_ENABLE",
}
AD_GROUP = {
    "adgroup_id": "1800000000000002",
    "adgroup_name": "US 18-34",
    "campaign_id": "1800000000000001",
    "schedule_type": "SCHEDULE_START_END",
    "schedule_start_time": "2026-10-01 03:00:00",
    "schedule_end_time": "2026-12-31 22:00:00",
    "bid_price": 1.25,
    "operation_status": "ENABLE",
    "secondary_status": "ADGROUP_STATUS_DELIVERY_OK",
}
INFO = {
    "advertiser_id": ADVERTISER,
    "name": "Acme",
    "currency": "USD",
    "timezone": "Etc/GMT+8",
    "display_timezone": "America/Los_Angeles",
    "status": "STATUS_ENABLE",
    "country": "US",
}


def read(body: Any, dataset: Dataset, label: str = "") -> tuple[list[Any], list[BadRow]]:
    batches = list(NORMALIZER.object_batches(stored(body, label), context(dataset)))
    return [o for batch in batches for o in batch.objects], [b for batch in batches for b in batch.bad]


def one(entry: Any, dataset: Dataset, label: str = "") -> Any:
    (found,), bad = read(listed([entry]), dataset, label)
    assert bad == []
    return found


def test_an_advertiser_is_a_profile_in_the_zone_of_its_place() -> None:
    found = one(INFO, Dataset.PROFILES)
    assert isinstance(found, Profile)
    assert (found.profile_id, found.name, found.currency) == (ADVERTISER, "Acme", "USD")
    assert (found.timezone, found.country, found.status_raw) == ("America/Los_Angeles", "US", "STATUS_ENABLE")


def test_a_zone_that_is_no_place_is_taken_where_there_is_no_other() -> None:
    assert one(INFO | {"display_timezone": None}, Dataset.PROFILES).timezone == "Etc/GMT+8"
    _, (bad,) = read(listed([INFO | {"display_timezone": "?", "timezone": None}]), Dataset.PROFILES)
    assert (bad.errors[0]["field"], bad.entity_id) == ("display_timezone", ADVERTISER)


def test_a_campaign_has_its_budget_exactly() -> None:
    found = one(CAMPAIGN, Dataset.CAMPAIGNS)
    assert isinstance(found, AdCampaign)
    assert (found.budget, found.budget_type, found.objective) == (120_500_000, "daily", "WEB_CONVERSIONS")
    assert (found.status, found.reported) == (Status.ACTIVE, True)


@pytest.mark.parametrize(
    ("changes", "budget", "kind"),
    [
        ({"budget_mode": "BUDGET_MODE_TOTAL"}, 120_500_000, "lifetime"),
        ({"budget_mode": "BUDGET_MODE_INFINITE", "budget": 0}, None, ""),
        ({"budget": None}, None, "daily"),
    ],
)
def test_a_budget_is_a_day_s_a_lifetime_s_or_none(changes: dict[str, Any], budget: int | None, kind: str) -> None:
    found = one(CAMPAIGN | changes, Dataset.CAMPAIGNS)
    assert (found.budget, found.budget_type) == (budget, kind)


def test_a_campaign_that_is_apart_is_not_reported() -> None:
    shop = {"campaign_id": "9", "campaign_name": "Shop", "budget": 50, "secondary_status": "STATUS_DELIVERY_OK"}
    found = one(shop, Dataset.CAMPAIGNS, "apart")
    assert (found.reported, found.budget, found.status) == (False, 50_000_000, Status.ACTIVE)


def test_an_ad_group_s_schedule_is_in_the_advertiser_s_zone() -> None:
    found = one(AD_GROUP, Dataset.AD_GROUPS)
    assert isinstance(found, AdGroup)
    assert (found.start_date, found.end_date, found.bid) == ("2026-09-30", "2026-12-31", 1_250_000)
    assert one(AD_GROUP | {"schedule_type": "SCHEDULE_FROM_NOW"}, Dataset.AD_GROUPS).end_date == ""
    assert one(AD_GROUP | {"schedule_end_time": "2026-11-01 00:00:00"}, Dataset.AD_GROUPS).status is Status.ENDED


def test_an_ad_shows_what_its_page_says() -> None:
    # given the page with the answers about its media
    images = envelope({"list": [{"image_id": "ad-site-i18n-sg/20261101abc", "image_url": "https://img/abc"}]})
    videos = envelope({"list": [{"video_id": "v10033g50000invented", "preview_url": "https://video/x"}]})
    parts = [json.dumps(part).encode() for part in (listed([advertisement()]), images, videos)]

    # when
    (found,), bad = read(media.together(parts[0], [*parts[1:], b"<html>"]), Dataset.ADS, media.LABEL)

    # then
    assert bad == []
    assert isinstance(found, Ad)
    assert (found.headline, found.description, found.cta) == ("Acme", "Find your pair today", "SHOP_NOW")
    assert (found.image_url, found.video_url) == ("https://img/abc", "https://video/x")
    assert found.landing_page_url == "https://example.com/shoes"
    assert (found.id, found.ad_group_id) == ("1800000000000003", "1800000000000002")


def test_an_ad_without_words_of_its_own_has_what_its_smart_ad_says() -> None:
    # given a creative of an upgraded Smart+ ad
    bare = {"ad_text": None, "call_to_action": None, "landing_page_url": None, "image_ids": None, "video_id": None}
    ad = advertisement(**bare, campaign_automation_type="UPGRADED_SMART_PLUS")
    smart = {
        "smart_plus_ad_id": "555",
        "ad_text_list": [{"ad_text": "Smart text"}, {"ad_text": "Another"}],
        "call_to_action_list": [{"call_to_action": "LEARN_MORE"}],
        "landing_page_url_list": [{"landing_page_url": "https://example.com/smart"}],
        "creative_list": [
            {
                "smart_plus_creative_id": ad["ad_id"],
                "ad_material_id": "777",
                "creative_info": {"video_info": {"video_id": "v1"}, "image_info": [{"web_uri": "i1"}]},
            }
        ],
    }
    answers = [
        json.dumps(part).encode()
        for part in (
            listed([smart]),
            envelope({"list": [{"image_id": "i1", "image_url": "https://img/i1"}]}),
            envelope({"list": [{"video_id": "v1", "preview_url": "https://video/v1"}]}),
        )
    ]
    page = json.dumps(listed([ad])).encode()

    # when
    asked = media.named(media.ads_of(page), answers[:1])
    (found,), _ = read(media.together(page, answers), Dataset.ADS, media.LABEL)

    # then
    assert asked == (["i1"], ["v1"])
    assert media.smart_campaigns(media.ads_of(page)) == ["1800000000000001"]
    assert (found.description, found.cta) == ("Smart text", "LEARN_MORE")
    assert (found.image_url, found.video_url) == ("https://img/i1", "https://video/v1")
    assert found.landing_page_url == "https://example.com/smart"


@pytest.mark.parametrize("changes", [{"video_id": None, "tiktok_item_id": "7"}, {"image_ids": None, "catalog_id": "7"}])
def test_an_ad_without_media_is_one(changes: dict[str, Any]) -> None:
    found = one(advertisement(**changes), Dataset.ADS)
    assert (found.image_url, found.video_url) == (None, None)


def test_the_first_of_several_texts_and_pages_counts() -> None:
    several = {"ad_text": None, "ad_texts": ["One", "Two"], "landing_page_url": None}
    found = one(advertisement(**several, landing_page_urls=["https://a", "https://b"]), Dataset.ADS)
    assert (found.description, found.landing_page_url) == ("One", "https://a")
    assert one(advertisement(display_name=None), Dataset.ADS).headline == "Video A"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("AD_STATUS_DELIVERY_OK AD_STATUS_PARTIAL_AUDIT_DELIVERY_OK CAMPAIGN_STATUS_ENABLE", Status.ACTIVE),
        (
            "AD_STATUS_DISABLE AD_STATUS_CAMPAIGN_DISABLE AD_STATUS_NOT_START CAMPAIGN_STATUS_BUDGET_EXCEED",
            Status.PAUSED,
        ),
        ("AD_STATUS_AUDIT AD_STATUS_REAUDIT ADGROUP_STATUS_CREATE", Status.PENDING),
        ("AD_STATUS_AUDIT_DENY AD_STATUS_ADGROUP_AUDIT_DENY AD_STATUS_TRANSCODING_FAIL", Status.REJECTED),
        ("AD_STATUS_DELETE AD_STATUS_CAMPAIGN_DELETE AD_STATUS_ADGROUP_DELETE CAMPAIGN_STATUS_DELETE", Status.REMOVED),
        ("AD_STATUS_DONE ADGROUP_STATUS_TIME_DONE", Status.ENDED),
        ("AD_STATUS_ARCHIVED", Status.ARCHIVED),
        ("AD_STATUS_NEVER_HEARD_OF STATUS", Status.UNKNOWN),
    ],
)
def test_statuses_are_read_by_how_they_end(words: str, status: Status) -> None:
    assert {word: status_of(word, "ENABLE") for word in words.split()} == {w: (status, w) for w in words.split()}


def test_without_a_secondary_status_the_operation_s_speaks() -> None:
    assert status_of(None, "DISABLE") == (Status.PAUSED, "DISABLE")
    assert status_of("", None) == (Status.UNKNOWN, "")


@pytest.mark.parametrize(
    ("entry", "dataset"),
    [
        (advertisement(adgroup_id="x"), Dataset.ADS),
        (advertisement(ad_texts="one"), Dataset.ADS),
        (AD_GROUP | {"schedule_start_time": "soon"}, Dataset.AD_GROUPS),
        (CAMPAIGN | {"budget": "lots"}, Dataset.CAMPAIGNS),
        (CAMPAIGN | {"budget": 1e30}, Dataset.CAMPAIGNS),
        (INFO | {"currency": "dollars"}, Dataset.PROFILES),
        (7, Dataset.ADS),
    ],
)
def test_an_object_that_cannot_be_read_costs_itself_only(entry: Any, dataset: Dataset) -> None:
    good = {Dataset.ADS: advertisement(), Dataset.AD_GROUPS: AD_GROUP, Dataset.PROFILES: INFO}.get(dataset, CAMPAIGN)
    found, (bad,) = read(listed([good, entry, good]), dataset)
    assert (len(found), bad.line) == (2, 2)
