"""Google's lists → profiles, campaigns, ad groups, ads, keywords and negatives."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, Keyword, KeywordKind, Profile, ProfileStatus, Status
from adweir.model.errors import BadInput
from adweir.platforms.connector import ObjectBatch
from adweir.platforms.google_ads import assets
from adweir.platforms.google_ads.normalize import NORMALIZER
from adweir.store.catalog.objects import object_key
from support.clock import FrozenClock
from support.google_wire import GoogleStub, connected, context, page, query_of, task
from support.meta_wire import StoredPage
from support.stub_http import Answer, Call, StubServer


def read(rows: list[Any] | bytes, dataset: Dataset, label: str = "") -> ObjectBatch:
    body = rows if isinstance(rows, bytes) else msgspec.json.encode(page(rows))
    (found,) = NORMALIZER.object_batches(StoredPage(1, io.BytesIO(body), label), context(dataset))
    return found


def one(row: dict[str, Any], dataset: Dataset, label: str = "") -> Any:
    found = read([row], dataset, label)
    assert found.bad == []
    return found.objects[0]


def account(**changes: Any) -> dict[str, Any]:
    made = {
        "id": "4567",
        "descriptiveName": "Acme US",
        "currencyCode": "USD",
        "timeZone": "America/New_York",
        "status": "ENABLED",
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


class TestProfiles:
    def test_an_account_is_a_profile_and_remembers_its_way(self) -> None:
        found = one({"customerClient": account(level="2")}, Dataset.PROFILES, "login-customer-id=77")
        assert isinstance(found, Profile)
        assert (found.profile_id, found.name, found.currency, found.timezone, found.route, found.status) == (
            "4567",
            "Acme US",
            "USD",
            "America/New_York",
            "77",
            ProfileStatus.ACTIVE,
        )
        assert one({"customer": account()}, Dataset.PROFILES).route == ""

    @pytest.mark.parametrize(
        ("changes", "status", "kind"),
        [
            ({"status": "CANCELED"}, ProfileStatus.REMOVED, ""),
            ({"status": "CLOSED"}, ProfileStatus.REMOVED, ""),
            ({"status": "CLOSED", "testAccount": True}, ProfileStatus.ACTIVE, "test"),
            ({"status": "SUSPENDED"}, ProfileStatus.ACTIVE, ""),
            ({"status": "ONE_OF_TOMORROW"}, ProfileStatus.ACTIVE, ""),
            ({"hidden": True}, ProfileStatus.ACTIVE, ""),
        ],
    )
    def test_what_has_ended_is_told_from_what_is_only_hidden(
        self, changes: dict[str, Any], status: ProfileStatus, kind: str
    ) -> None:
        found = one({"customerClient": account(**changes)}, Dataset.PROFILES)
        assert (found.status, found.kind, found.status_raw) == (status, kind, changes.get("status", "ENABLED"))

    def test_a_manager_is_no_ad_account(self) -> None:
        assert read([{"customerClient": account(manager=True)}], Dataset.PROFILES) == ObjectBatch([], [])

    @pytest.mark.parametrize(
        ("changes", "key"),
        [({"timeZone": "Nowhere"}, "4567"), ({"currencyCode": ""}, "4567"), ({"id": "x"}, "x"), ({"id": None}, "")],
    )
    def test_one_that_cannot_be_stored_does_not_count_as_gone(self, changes: dict[str, Any], key: str) -> None:
        (bad,) = read([{"customerClient": account(**changes)}], Dataset.PROFILES).bad
        assert bad.entity_id == key


CAMPAIGN = {
    "id": "111",
    "name": "Brand",
    "status": "ENABLED",
    "primaryStatus": "ELIGIBLE",
    "advertisingChannelType": "SEARCH",
    "startDateTime": "2026-01-01 00:00:00",
}


class TestCampaigns:
    def test_a_campaign(self) -> None:
        budget = {"id": "9", "amountMicros": "12500000", "period": "DAILY"}
        found = one({"campaign": CAMPAIGN, "campaignBudget": budget}, Dataset.CAMPAIGNS)
        assert isinstance(found, AdCampaign)
        assert (found.id, found.campaign_id, found.name, found.objective) == ("111", "111", "Brand", "search")
        assert (found.budget, found.budget_type) == (12_500_000, "daily")
        assert (found.start_date, found.end_date, found.status) == ("2026-01-01", "", Status.ACTIVE)

    @pytest.mark.parametrize(
        ("budget", "amount", "kind"),
        [
            ({"amountMicros": "5", "explicitlyShared": True}, 5, "shared daily"),
            ({"totalAmountMicros": "7", "period": "CUSTOM_PERIOD"}, 7, "lifetime"),
            ({}, None, ""),
        ],
    )
    def test_budgets(self, budget: dict[str, Any], amount: int | None, kind: str) -> None:
        found = one({"campaign": CAMPAIGN, "campaignBudget": budget}, Dataset.CAMPAIGNS)
        assert (found.budget, found.budget_type) == (amount, kind)

    @pytest.mark.parametrize(
        ("changes", "status", "raw"),
        [
            ({"primaryStatus": "ENDED"}, Status.ENDED, "ENDED"),
            ({"primaryStatus": "PENDING"}, Status.PENDING, "PENDING"),
            ({"primaryStatus": "LIMITED"}, Status.ACTIVE, "ENABLED"),
            ({"primaryStatus": "ONE_OF_TOMORROW"}, Status.ACTIVE, "ENABLED"),
            ({"status": "PAUSED", "primaryStatus": "ENDED"}, Status.PAUSED, "PAUSED"),
            ({"status": "REMOVED", "primaryStatus": "REMOVED"}, Status.REMOVED, "REMOVED"),
            ({"status": "ONE_OF_TOMORROW"}, Status.UNKNOWN, "ONE_OF_TOMORROW"),
            ({"endDateTime": "2026-11-19 23:59:59"}, Status.ENDED, "ENABLED"),
            ({"endDateTime": "2026-11-20 23:59:59"}, Status.ACTIVE, "ENABLED"),
        ],
    )
    def test_statuses(self, changes: dict[str, Any], status: Status, raw: str) -> None:
        found = one({"campaign": CAMPAIGN | changes}, Dataset.CAMPAIGNS)
        assert (found.status, found.status_raw) == (status, raw)

    def test_the_far_future_is_no_end(self) -> None:
        found = one({"campaign": CAMPAIGN | {"endDateTime": "2037-12-30 23:59:59"}}, Dataset.CAMPAIGNS)
        assert (found.end_date, found.status) == ("", Status.ACTIVE)

    @pytest.mark.parametrize(
        ("changes", "key"), [({"startDateTime": "soon"}, "111"), ({"id": "x"}, ""), ({"name": 7}, "111")]
    )
    def test_one_that_cannot_be_read_keeps_its_key(self, changes: dict[str, Any], key: str) -> None:
        found = read([{"campaign": CAMPAIGN | changes}, {"campaign": CAMPAIGN}], Dataset.CAMPAIGNS)
        assert len(found.objects) == 1
        assert [(bad.line, bad.entity_id) for bad in found.bad] == [(1, key)]


def test_ad_groups_and_asset_groups_of_the_same_number_are_two() -> None:
    group = {"id": "222", "name": "Core", "status": "PAUSED", "cpcBidMicros": "1500000"}
    found = one({"campaign": CAMPAIGN, "adGroup": group}, Dataset.AD_GROUPS)
    assert isinstance(found, AdGroup)
    assert (found.id, found.ad_group_id, found.campaign_id, found.bid) == ("222", "222", "111", 1_500_000)
    row = {"campaign": CAMPAIGN, "assetGroup": {"id": "222", "name": "Shoes", "status": "ENABLED"}}
    other = one(row, Dataset.AD_GROUPS, "asset_groups")
    assert (other.id, other.ad_group_id, other.status) == ("asset_group-222", "asset_group-222", Status.ACTIVE)
    broken = {"campaign": CAMPAIGN, "assetGroup": {"id": "222", "name": 7}}
    assert read([broken], Dataset.AD_GROUPS, "asset_groups").bad[0].entity_id == object_key(other)


def ad_row(ad: dict[str, Any], **changes: Any) -> dict[str, Any]:
    own = {"status": "ENABLED", "adStrength": "GOOD", "ad": {"id": "333", "finalUrls": ["https://example.com/a"]} | ad}
    made = {"campaign": CAMPAIGN, "adGroup": {"id": "222", "status": "ENABLED"}, "adGroupAd": own}
    made["adGroupAd"] = own | changes.pop("adGroupAd", {})
    return made | changes


def texts(*found: str) -> list[dict[str, str]]:
    return [{"text": text} for text in found]


URLS = {"customers/1/assets/1": "https://img/1", "customers/1/assets/2": "https://www.youtube.com/watch?v=abc"}
IMAGE, VIDEO = ({"asset": name} for name in URLS)
CALL, CARD = {"asset": "customers/1/assets/3"}, {"asset": "customers/1/assets/4"}
SHOWN = ("headline", "description", "cta", "image_url", "video_url")


class TestAds:
    @pytest.mark.parametrize(
        ("ad", "shown"),
        [
            (
                {"responsiveSearchAd": {"headlines": texts("H", "I"), "descriptions": texts("D")}},
                ("H", "D", None, None, None),
            ),
            ({"expandedTextAd": {"headlinePart1": "H", "description": "D"}}, ("H", "D", None, None, None)),
            ({"expandedDynamicSearchAd": {"description": "D"}}, (None, "D", None, None, None)),
            (
                {
                    "responsiveDisplayAd": {
                        "headlines": texts("H"),
                        "longHeadline": {"text": "L"},
                        "descriptions": texts("D"),
                        "callToActionText": "Shop",
                        "marketingImages": [IMAGE],
                        "youtubeVideos": [VIDEO],
                    }
                },
                ("H", "D", "Shop", "https://img/1", "https://www.youtube.com/watch?v=abc"),
            ),
            ({"responsiveDisplayAd": {"longHeadline": {"text": "L"}}}, ("L", None, None, None, None)),
            (
                {"type": "IMAGE_AD", "name": "N", "imageAd": {"imageUrl": "https://img/0"}},
                ("N", None, None, "https://img/0", None),
            ),
            (
                {
                    "videoResponsiveAd": {
                        "longHeadlines": texts("L"),
                        "descriptions": texts("D"),
                        "callToActions": texts("Go"),
                        "videos": [VIDEO],
                    }
                },
                ("L", "D", "Go", None, "https://www.youtube.com/watch?v=abc"),
            ),
            (
                {"videoAd": {"video": VIDEO, "inStream": {"actionHeadline": "H", "actionButtonLabel": "Go"}}},
                ("H", None, "Go", None, "https://www.youtube.com/watch?v=abc"),
            ),
            (
                {
                    "demandGenMultiAssetAd": {
                        "headlines": texts("H"),
                        "callToActionText": "Go",
                        "marketingImages": [IMAGE],
                    }
                },
                ("H", None, "Go", "https://img/1", None),
            ),
            (
                {"demandGenCarouselAd": {"headline": {"text": "H"}, "description": {"text": "D"}}},
                ("H", "D", None, None, None),
            ),
            ({"appAd": {"headlines": texts("H"), "images": [IMAGE]}}, ("H", None, None, "https://img/1", None)),
            ({"smartCampaignAd": {"headlines": texts("H")}}, ("H", None, None, None, None)),
            (
                {
                    "demandGenVideoResponsiveAd": {
                        "longHeadlines": texts("L"),
                        "callToActions": [CALL],
                        "videos": [VIDEO],
                    }
                },
                ("L", None, "SHOP_NOW", None, "https://www.youtube.com/watch?v=abc"),
            ),
            (
                {"demandGenProductAd": {"headline": {"text": "H"}, "callToAction": CALL, "logoImage": IMAGE}},
                ("H", None, "SHOP_NOW", "https://img/1", None),
            ),
            (
                {"demandGenCarouselAd": {"callToActionText": "Go", "carouselCards": [CARD]}},
                (None, None, "Go", "https://img/1", None),
            ),
            ({"imageAd": {"imageAsset": IMAGE}}, (None, None, None, "https://img/1", None)),
            (
                {"localAd": {"headlines": texts("H"), "callToActions": texts("Go"), "marketingImages": [IMAGE]}},
                ("H", None, "Go", "https://img/1", None),
            ),
            (
                {"appEngagementAd": {"descriptions": texts("D"), "images": [IMAGE]}},
                (None, "D", None, "https://img/1", None),
            ),
            ({"legacyResponsiveDisplayAd": {"longHeadline": "L", "description": "D"}}, ("L", "D", None, None, None)),
            # The two kinds of the list that have no member in Ad
            ({"type": "CALL_AD"}, (None,) * 5),
            ({"type": "YOUTUBE_AUDIO_AD"}, (None,) * 5),
            ({"hotelAd": {}}, (None, None, None, None, None)),
            ({"responsiveDisplayAd": {"marketingImages": [{"asset": "customers/1/assets/9"}]}}, (None,) * 5),
        ],
    )
    def test_what_each_kind_of_ad_shows(self, ad: dict[str, Any], shown: tuple[str | None, ...]) -> None:
        rows = [
            {"asset": {"resourceName": "customers/1/assets/1", "imageAsset": {"fullSize": {"url": "https://img/1"}}}},
            {"asset": {"resourceName": "customers/1/assets/2", "youtubeVideoAsset": {"youtubeVideoId": "abc"}}},
            {"asset": {"resourceName": CALL["asset"], "callToActionAsset": {"callToAction": "SHOP_NOW"}}},
            {
                "asset": {
                    "resourceName": CARD["asset"],
                    "demandGenCarouselCardAsset": {"squareMarketingImageAsset": IMAGE["asset"]},
                }
            },
        ]
        body = assets.together(msgspec.json.encode(page([ad_row(ad)])), map(msgspec.json.encode, rows))
        (found,) = read(body, Dataset.ADS, assets.LABEL).objects
        assert isinstance(found, Ad)
        assert tuple(getattr(found, name) for name in SHOWN) == shown
        assert found.landing_page_url == "https://example.com/a"

    def test_an_ad_is_named_by_its_ad_group_too(self) -> None:
        found = one(ad_row({}), Dataset.ADS)
        assert (found.id, found.ad_group_id, found.campaign_id) == ("333", "222", "111")
        assert (found.relevance_score, found.score_scale) == (3, "ad strength 1-4")
        bad = read([ad_row({"id": "333"}, adGroupAd={"startDateTime": "x"})], Dataset.ADS).bad[0]
        assert bad.entity_id == object_key(found)

    def test_an_ad_s_own_dates_come_before_its_campaign_s(self) -> None:
        found = one(ad_row({}), Dataset.ADS)
        assert (found.start_date, found.end_date) == ("2026-01-01", "")
        own = {"startDateTime": "2026-02-01 00:00:00", "endDateTime": "2026-03-01 23:59:59"}
        found = one(ad_row({}, adGroupAd=own), Dataset.ADS)
        assert (found.start_date, found.end_date, found.status) == ("2026-02-01", "2026-03-01", Status.ENDED)

    @pytest.mark.parametrize(
        ("own", "group", "campaign", "policy", "status", "raw"),
        [
            ("ENABLED", "ENABLED", "ENABLED", "APPROVED", Status.ACTIVE, "ENABLED"),
            ("ENABLED", "ENABLED", "ENABLED", "DISAPPROVED", Status.REJECTED, "DISAPPROVED"),
            ("ENABLED", "PAUSED", "ENABLED", "DISAPPROVED", Status.PAUSED, "PAUSED"),
            ("PAUSED", "ENABLED", "REMOVED", "APPROVED", Status.REMOVED, "REMOVED"),
            ("REMOVED", "ENABLED", "ENABLED", "APPROVED", Status.REMOVED, "REMOVED"),
            ("ONE_OF_TOMORROW", "ENABLED", "ENABLED", "", Status.UNKNOWN, "ONE_OF_TOMORROW"),
        ],
    )
    def test_an_ad_runs_only_where_its_parents_do(
        self, own: str, group: str, campaign: str, policy: str, status: Status, raw: str
    ) -> None:
        row = ad_row(
            {},
            adGroupAd={"status": own, "policySummary": {"approvalStatus": policy}},
            adGroup={"id": "222", "status": group},
            campaign=CAMPAIGN | {"status": campaign},
        )
        found = one(row, Dataset.ADS)
        assert (found.status, found.status_raw) == (status, raw)


KEYWORD = {"criterionId": "444", "status": "ENABLED", "keyword": {"text": "running shoes", "matchType": "EXACT"}}


class TestKeywords:
    def test_a_keyword(self) -> None:
        row = {"campaign": CAMPAIGN, "adGroup": {"id": "222"}}
        more = {"qualityInfo": {"qualityScore": 7}, "cpcBidMicros": "250000"}
        found = one(row | {"adGroupCriterion": KEYWORD | more}, Dataset.KEYWORDS)
        assert isinstance(found, Keyword)
        assert (found.id, found.ad_group_id, found.text, found.match_type) == ("444", "222", "running shoes", "exact")
        assert (found.kind, found.quality_score, found.bid) == (KeywordKind.KEYWORD, 7, 250_000)
        assert one(row | {"adGroupCriterion": KEYWORD}, Dataset.KEYWORDS).quality_score is None

    def test_the_negatives_of_two_campaigns_with_one_text_are_two(self) -> None:
        group = one({"campaign": CAMPAIGN, "adGroup": {"id": "222"}, "adGroupCriterion": KEYWORD}, Dataset.NEGATIVES)
        rows = [{"campaign": {"id": each}, "campaignCriterion": KEYWORD} for each in ("111", "112")]
        found = read(rows, Dataset.NEGATIVES, "campaign_negatives").objects
        assert [each.id for each in found if isinstance(each, Keyword)] == ["111-444", "112-444"]
        assert {each.kind for each in (group, *found) if isinstance(each, Keyword)} == {KeywordKind.NEGATIVE}
        broken = [{"campaign": {"id": "111"}, "campaignCriterion": KEYWORD | {"status": 7}}]
        (bad,) = read(broken, Dataset.NEGATIVES, "campaign_negatives").bad
        assert isinstance(found[0], Keyword)
        assert bad.entity_id == object_key(found[0])


def test_what_has_no_objects_is_refused() -> None:
    for dataset in (Dataset.TARGETS, Dataset.AD_DAILY):
        with pytest.raises(BadInput):
            read([{}], dataset)
    with pytest.raises(BadInput):
        read(b'{"page":7', Dataset.ADS, assets.LABEL)
    assert read(b"{}", Dataset.ADS) == ObjectBatch([], [])


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        yield made


def test_the_images_and_videos_that_ads_name_are_looked_up_once(
    stub: StubServer, session: requests.Session, clock: FrozenClock
) -> None:
    # given two pages of ads, of which the first names an image and a video, and a customer with many assets
    wire = GoogleStub(stub)
    named = {
        "responsiveDisplayAd": {"marketingImages": [IMAGE, {"asset": "customers/1/assets/3"}], "youtubeVideos": [VIDEO]}
    }
    rows = [
        {"asset": {"resourceName": f"customers/1/assets/{number}", "imageAsset": {"fullSize": {"url": f"u{number}"}}}}
        for number in range(5)
    ]

    def answer(call: Call) -> Answer:
        if " FROM asset " in query_of(call):
            return Answer(200, page(rows))
        second = b"pageToken" in call.body
        return Answer(200, page([ad_row({}) if second else ad_row(named)], "" if second else "p2"))

    wire.route = answer
    # when the ads are pulled
    first, second = connected(stub, session, clock).pages(task(Dataset.ADS))
    # then the first page has the rows about what it shows, and the second is as it came
    assert (first.label, second.label) == (assets.LABEL, "")
    stored = json.loads(first.content())
    assert [row["asset"]["resourceName"] for row in stored["assets"]] == [
        "customers/1/assets/1",
        "customers/1/assets/2",
    ]
    assert stored["page"]["nextPageToken"] == "p2"
    assert sum(" FROM asset " in query_of(call) for call in wire.calls) == 1
    assert (first.last, first.resume, second.last) == (False, "0:p2", True)


def test_the_image_of_a_carousel_s_card_is_looked_up_behind_the_card(
    stub: StubServer, session: requests.Session, clock: FrozenClock
) -> None:
    wire = GoogleStub(stub)
    card = {"resourceName": CARD["asset"], "demandGenCarouselCardAsset": {"marketingImageAsset": IMAGE["asset"]}}
    image = {"resourceName": IMAGE["asset"], "imageAsset": {"fullSize": {"url": "https://img/1"}}}
    ad = ad_row({"demandGenCarouselAd": {"carouselCards": [CARD]}})
    rows = page([{"asset": image}, {"asset": card}])
    wire.route = lambda call: Answer(200, rows if " FROM asset " in query_of(call) else page([ad]))
    (only,) = connected(stub, session, clock).pages(task(Dataset.ADS))
    assert [row["asset"] for row in json.loads(only.content())["assets"]] == [card, image]
    (found,) = read(only.content(), Dataset.ADS, only.label).objects
    assert isinstance(found, Ad)
    assert found.image_url == "https://img/1"
