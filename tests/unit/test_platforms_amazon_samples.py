"""The samples of Amazon's documentation go through the connector's lists and reports and through the normalizer."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import KeywordKind, Status
from adweir.model.slices import ALL
from adweir.model.times import Window
from adweir.platforms.amazon_ads.lists import LISTS, ObjectList
from adweir.platforms.amazon_ads.normalize import NORMALIZER
from adweir.platforms.amazon_ads.options import AmazonOptions, CountedBy
from adweir.platforms.amazon_ads.reports import PRODUCTS, REPORTS, ReportKind
from adweir.platforms.connector import PullContext
from support.amazon_samples import METRICS, OBJECTS

SAMPLES = Path(__file__).parents[1] / "samples/amazon_ads"
NOT_PULLED = {
    "errors",
    "portfolios",
    "sb_ad_creatives",  # one request per ad; an ad's list has its current creative
    "report_sbAdGroup",
    "report_sdAdGroup",
    "report_sdCampaigns_matchedTarget",
    "report_spCampaigns_adGroup",
    "report_sbPurchasedProduct",
    "report_sdPurchasedProduct",
    "report_spPurchasedProduct",
}


@dataclass
class Sampled:
    stream: BinaryIO
    label: str
    number: int = 0
    media: str = "json"


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


def context(dataset: Dataset, slice_: str, **options: Any) -> PullContext:
    return PullContext(
        account_id="acme",
        profile_id="123",
        dataset=dataset,
        slice=slice_,
        window=Window.parse("2026-11-01..2026-11-07"),
        as_of="2026-11-08T06:00:00.000000Z",
        currency="USD",
        timezone="America/Los_Angeles",
        profile_kind="seller",
        country="US",
        options=AmazonOptions(**options),
    )


def read(dataset: Dataset, slice_: str, body: Any, label: str = "") -> list[Any]:
    page = Sampled(io.BytesIO(json.dumps(body).encode()), label)
    (batch,) = NORMALIZER.object_batches(page, context(dataset, slice_))
    assert batch.bad == []
    return list(batch.objects)


def objects(dataset: Dataset, slice_: str) -> list[Any]:
    names = OBJECTS[dataset, slice_]
    lists = LISTS[dataset, slice_]
    return [
        found
        for name, asked in zip(names, lists, strict=True)
        for found in read(dataset, slice_, sample(name)["answer"], asked.name)
    ]


def rows(dataset: Dataset, slice_: str, **options: Any) -> list[Any]:
    page = Sampled(io.BytesIO(json.dumps(sample(METRICS[dataset, slice_])["rows"]).encode()), "")
    (batch,) = NORMALIZER.metric_batches(page, context(dataset, slice_, **options))
    assert batch.bad == []
    return list(batch.rows)


def test_every_sample_is_read_or_named_as_one_that_is_not_pulled() -> None:
    ours = {name for names in OBJECTS.values() for name in names} | set(METRICS.values()) | {"profiles"} | NOT_PULLED
    assert {path.stem for path in SAMPLES.glob("*.json")} == ours
    assert set(LISTS) == set(OBJECTS)
    assert set(REPORTS) == set(METRICS)


@pytest.mark.parametrize(
    ("asked", "name"),
    [pair for key, names in OBJECTS.items() for pair in zip(LISTS[key], names, strict=True)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_list_is_asked_for_as_its_sample_was(asked: ObjectList, name: str) -> None:
    told = sample(name)
    assert told["request"].split()[1] == asked.path
    assert told.get("accept", asked.accept) == asked.accept
    held = told["answer"][asked.key] if asked.key else told["answer"]
    assert isinstance(held, list)


@pytest.mark.parametrize(("key", "name"), METRICS.items(), ids=lambda value: value if isinstance(value, str) else "")
def test_each_report_is_asked_for_as_its_sample_was(key: tuple[Dataset, str], name: str) -> None:
    told, kind = sample(name)["request"], REPORTS[key]
    assert isinstance(kind, ReportKind)
    assert (told["adProduct"], told["reportTypeId"]) == (PRODUCTS[key[1]], kind.type_id)
    assert told["groupBy"] == list(kind.group_by)


@pytest.mark.parametrize(("dataset", "slice_"), OBJECTS)
def test_every_object_of_a_list_is_read(dataset: Dataset, slice_: str) -> None:
    found = objects(dataset, slice_)
    assert found
    assert all(one.id.isdigit() and one.ad_product == slice_ and one.status is not Status.UNKNOWN for one in found)


@pytest.mark.parametrize(("dataset", "slice_"), METRICS)
def test_every_row_of_a_report_is_read(dataset: Dataset, slice_: str) -> None:
    found = rows(dataset, slice_)
    assert len(found) == len(sample(METRICS[dataset, slice_])["rows"])
    assert {row.slot[:2] for row in found} == {(2216, 13)}
    assert {(row.spend, row.ad_product, row.currency, row.day) for row in found} == {
        (14_500_000, slice_, "USD", "2026-11-05")
    }
    assert {row.slot[2::2] for row in found} == {
        (2_000_000, 59_980_000) if slice_ == "sp" else (5_000_000, 149_950_000)
    }
    assert len({row.entity_id for row in found}) == len(found)


def test_a_row_is_named_by_what_its_level_is() -> None:
    named = {key: [row.entity_id for row in rows(*key)] for key in METRICS}
    group, word = "72320882861500", "88368653576677"
    assert named[Dataset.AD_DAILY, "sd"] == ["239470166910761~125773733335504"]
    assert named[Dataset.CAMPAIGN_DAILY, "sb"] == ["38789817437281"]
    assert named[Dataset.KEYWORD_DAILY, "sp"] == [
        f"{group}~{word}",
        f"{group}~231060819625654",
        f"{group}~27674318672023",
    ]
    assert named[Dataset.KEYWORD_DAILY, "sb"] == ["557450367668505~296549504515464", "557450367668505~365490413814773"]
    assert named[Dataset.KEYWORD_DAILY, "sd"] == ["239470166910761~124150067548052"]
    assert named[Dataset.KEYWORD_BY_SEARCH_TERM_DAILY, "sp"][0] == f"{group}~{word}~best trail shoes"
    assert named[Dataset.CAMPAIGN_BY_PLACEMENT_DAILY, "sb"] == [
        "38789817437281~Top of Search on-Amazon",
        "38789817437281~Other Placements",
    ]


@pytest.mark.parametrize(
    ("slice_", "options", "counted"),
    [
        ("sp", {"window": "1d"}, (1_000_000, 29_990_000)),
        ("sp", {"window": "14d"}, (3_000_000, 89_970_000)),
        ("sp", {"window": "30d"}, (3_000_000, 89_970_000)),
        ("sp", {"products": "promoted"}, (1_000_000, 29_990_000)),
        ("sp", {"basis": CountedBy.CLICK}, (2_000_000, 59_980_000)),
        ("sp", {"basis": CountedBy.VIEW}, (None, None)),
        ("sp", {"basis": CountedBy.CLICK_OR_VIEW}, (None, None)),
        ("sb", {"window": "1d"}, (5_000_000, 149_950_000)),
        ("sb", {"basis": CountedBy.CLICK}, (3_000_000, 89_970_000)),
        ("sb", {"basis": CountedBy.VIEW}, (2_000_000, 59_980_000)),
        ("sb", {"basis": CountedBy.CLICK_OR_VIEW}, (5_000_000, 149_950_000)),
        ("sb", {"products": "promoted"}, (2_000_000, 59_980_000)),
        ("sb", {"products": "promoted", "basis": CountedBy.CLICK}, (None, None)),
        ("sd", {"basis": CountedBy.CLICK}, (3_000_000, 89_970_000)),
        ("sd", {"products": "promoted"}, (1_000_000, 29_990_000)),
        ("sd", {"products": "promoted", "basis": CountedBy.CLICK_OR_VIEW}, (None, None)),
    ],
)
def test_options_choose_among_the_columns_and_what_amazon_does_not_report_is_unknown(
    slice_: str, options: dict[str, Any], counted: tuple[int | None, int | None]
) -> None:
    (row,) = rows(Dataset.AD_DAILY, slice_, **options)
    assert (row.conversions, row.revenue) == counted
    assert (row.impressions, row.clicks, row.spend) == (2216, 13, 14_500_000)


def test_search_terms_of_brands_have_no_promoted_products() -> None:
    (row,) = rows(Dataset.KEYWORD_BY_SEARCH_TERM_DAILY, "sb", products="promoted")
    assert (row.conversions, row.revenue) == (None, None)


def test_targets_say_what_they_are_and_keep_amazons_words() -> None:
    automatic, category = objects(Dataset.TARGETS, "sp")
    assert (automatic.kind, automatic.text, automatic.match_type) == (
        KeywordKind.AUTOMATIC,
        "QUERY_HIGH_REL_MATCHES",
        "query_high_rel_matches",
    )
    assert (category.kind, category.bid) == (KeywordKind.PRODUCT_TARGET, 900_000)
    assert category.text == 'ASIN_CATEGORY_SAME_AS="679433011" ASIN_PRICE_LESS_THAN="50"'
    assert category.name == 'ASIN_CATEGORY_SAME_AS="Hiking Shoes" ASIN_PRICE_LESS_THAN="50"'
    brands, theme = objects(Dataset.TARGETS, "sb")
    assert (brands.kind, brands.match_type) == (KeywordKind.PRODUCT_TARGET, "asin_category_same_as")
    assert (theme.kind, theme.text, theme.bid) == (KeywordKind.AUTOMATIC, "KEYWORDS_RELATED_TO_YOUR_BRAND", 1_000_000)
    similar, audience = objects(Dataset.TARGETS, "sd")
    assert (similar.kind, similar.status) == (KeywordKind.AUTOMATIC, Status.ACTIVE)
    assert (audience.kind, audience.status, audience.campaign_id) == (KeywordKind.AUDIENCE, Status.PAUSED, "")
    assert audience.text == 'views=(asinCategorySameAs="12345678" lookback="30")'
    assert audience.name == 'views="category="12345678" lookback=30"'


def test_negatives_of_all_lists_are_negatives_of_their_ad_group_or_campaign() -> None:
    products, brands = objects(Dataset.NEGATIVES, "sp"), objects(Dataset.NEGATIVES, "sb")
    assert {one.kind for one in products + brands + objects(Dataset.NEGATIVES, "sd")} == {KeywordKind.NEGATIVE}
    assert [one.ad_group_id == "" for one in products] == [False, True, False, True]
    assert [one.match_type for one in (*products[:2], brands[0])] == [
        "negative_exact",
        "negative_phrase",
        "negative_exact",
    ]


def test_creatives_keep_their_pictures_and_pages() -> None:
    collection, spotlight, video = objects(Dataset.CREATIVES, "sb")
    assert (collection.id, collection.kind, collection.headline) == (
        "500126580158321",
        "PRODUCT_COLLECTION",
        "For the trail",
    )
    assert collection.image_url == "https://m.media-amazon.com/images/S/sample.png"
    assert collection.landing_page_url == "https://www.amazon.com/sample/list"
    assert (spotlight.image_url, video.landing_page_url) == (None, "https://www.amazon.com/dp/B0SAMPLE01")
    image, film = objects(Dataset.CREATIVES, "sd")
    assert (image.kind, image.status, image.headline) == ("IMAGE", Status.PENDING, "Ready for winter")
    assert (film.kind, film.status, film.ad_group_id) == ("VIDEO", Status.ACTIVE, "239470166910762")


def test_ads_and_campaigns_of_brands_and_display() -> None:
    collection, _, video = objects(Dataset.ADS, "sb")
    assert (collection.headline, collection.landing_page_url) == ("For the trail", "https://www.amazon.com/sample/list")
    assert (video.headline, video.landing_page_url) == (None, "https://www.amazon.com/dp/B0SAMPLE01")
    reported, left_out = objects(Dataset.CAMPAIGNS, "sb")
    assert (reported.reported, left_out.reported, left_out.budget_type) == (True, False, "lifetime")
    display, reach = objects(Dataset.CAMPAIGNS, "sd")
    assert (display.budget_type, display.start_date, display.end_date) == ("daily", "2026-02-08", "2026-12-15")
    assert (reach.status, reach.reported) == (Status.ARCHIVED, True)


def test_profiles() -> None:
    seller, vendor = read(Dataset.PROFILES, ALL, sample("profiles")["answer"])
    assert (seller.profile_id, seller.kind, vendor.kind) == ("3312910000000001", "seller", "vendor")
