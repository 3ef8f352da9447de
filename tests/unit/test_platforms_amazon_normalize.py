"""Amazon's wire bytes become exact rows and objects; what cannot be read becomes a BadRow with its key."""

from __future__ import annotations

import io
import json
import random
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, Keyword, Profile, Status
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.times import Window
from adweir.platforms.amazon_ads import rows
from adweir.platforms.amazon_ads.normalize import AmazonNormalizer
from adweir.platforms.amazon_ads.options import AmazonOptions, CountedBy
from adweir.platforms.connector import PullContext
from support.bounds import at_the_bound

NORMALIZER = AmazonNormalizer()


@dataclass
class StoredPage:
    stream: BinaryIO
    number: int = 1
    label: str = ""
    media: str = "json"


def page(body: Any) -> StoredPage:
    return StoredPage(io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode()))


def context(dataset: Dataset = Dataset.AD_DAILY, slice_: str = "sp", kind: str = "seller") -> PullContext:
    return PullContext(
        account_id="acme",
        profile_id="123",
        dataset=dataset,
        slice=slice_,
        window=Window.parse("2026-11-01..2026-11-07"),
        as_of="2026-11-08T06:00:00.000000Z",
        currency="EUR",
        timezone="Europe/Paris",
        profile_kind=kind,
        country="DE",
    )


ROW = {
    "date": "2026-11-01",
    "campaignId": 111222333,
    "adGroupId": 222,
    "adId": 333,
    "advertisedAsin": "B0EXAMPLE1",
    "impressions": 2216,
    "clicks": 13,
    "clickThroughRate": 0.005866,
    "cost": 14.53,
    "purchases7d": 2,
    "sales7d": 59.98,
    "purchases14d": 3,
    "sales14d": 89.97,
    "campaignBudgetCurrencyCode": "USD",
}
BRAND = {k: v for k, v in ROW.items() if k[-1] != "d" or k in {"adId", "campaignId", "adGroupId"}} | {
    "purchases": 4,
    "sales": 100,
}


def metrics(body: Any, **options: Any) -> tuple[list[MetricRow], list[BadRow]]:
    rows: list[MetricRow] = []
    bad: list[BadRow] = []
    for batch in NORMALIZER.metric_batches(page(body), context(**options)):
        rows += batch.rows
        bad += batch.bad
    return rows, bad


def test_a_sellers_row_counts_seven_days() -> None:
    rows, bad = metrics([ROW])
    assert bad == []
    assert rows == [
        MetricRow(
            entity_id="222~333",
            day="2026-11-01",
            impressions=2216,
            clicks=13,
            conversions=2_000_000,
            spend=14_530_000,
            revenue=59_980_000,
            campaign_id="111222333",
            ad_group_id="222",
            currency="USD",
            ad_product="sp",
            line=1,
        )
    ]


def test_a_vendors_row_counts_fourteen_days() -> None:
    ((row,), _) = metrics([ROW], kind="vendor")
    assert (row.conversions, row.revenue) == (3_000_000, 89_970_000)


@pytest.mark.parametrize("product", ["sb", "sd"])
def test_brands_and_display_have_columns_without_a_window(product: str) -> None:
    ((row,), bad) = metrics([BRAND], slice_=product)
    assert (row.conversions, row.revenue, row.ad_product, bad) == (4_000_000, 100_000_000, product, [])


def test_null_conversions_are_none_and_a_null_currency_is_the_profiles() -> None:
    ((row,), _) = metrics([ROW | {"purchases7d": None, "sales7d": None, "campaignBudgetCurrencyCode": None}])
    assert (row.conversions, row.revenue, row.currency) == (0, 0, "EUR")


@given(st.decimals(min_value=0, max_value=10**9, places=6))
def test_money_is_exact_to_the_micro(cost: Decimal) -> None:
    body = json.dumps([ROW | {"cost": "@"}]).replace('"@"', format(cost, "f")).encode()
    ((row,), _) = metrics(body)
    assert row.spend == int(cost * 10**6)


@given(st.integers(0, 10**9))
def test_the_rounding_errors_of_a_binary_double_are_dropped(cents: int) -> None:
    ((row,), bad) = metrics([ROW | {"cost": cents / 100 + 0.0, "sales7d": 59.980000000000004}])
    assert (row.spend, row.revenue, bad) == (cents * 10_000, 59_980_000, [])


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"cost": "much"}, ("222~333", "2026-11-01")),
        ({"cost": 1e300}, ("222~333", "2026-11-01")),
        ({"impressions": 1.5}, ("222~333", "2026-11-01")),
        ({"clicks": None}, ("222~333", "2026-11-01")),
        ({"date": "yesterday"}, ("", "")),
        ({"adId": None}, ("", "")),
        ({"adGroupId": True}, ("", "")),
    ],
)
def test_a_bad_row_keeps_its_key_where_it_can_be_read(change: dict[str, Any], key: tuple[str, str]) -> None:
    rows, (bad,) = metrics([ROW, ROW | change, ROW | {"adId": 334}])
    assert [row.line for row in rows] == [1, 3]
    assert (bad.line, (bad.entity_id, bad.day)) == (2, key)
    assert bad.errors[0]["message"]
    json.dumps(bad.raw)


@pytest.mark.parametrize(
    "cost", ["1E99999999999999999999", "1E-99999999999999999999", "9" * 400, "9" * 5000, '"NaN"', '"Infinity"']
)
def test_an_absurd_cost_costs_one_row(cost: str) -> None:
    rows, (bad,) = metrics(json.dumps([ROW, ROW | {"cost": "@"}, ROW | {"adId": 334}]).replace('"@"', cost).encode())
    assert [row.line for row in rows] == [1, 3]
    assert (bad.entity_id, bad.day) == ("222~333", "2026-11-01")
    json.dumps(bad.raw)


def test_a_row_nested_too_deep_costs_itself() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    rows, (bad,) = metrics(json.dumps([ROW, ROW | {"x": "@"}, ROW | {"adId": 334}]).replace('"@"', deep).encode())
    assert [row.line for row in rows] == [1, 3]
    assert bad.errors[0]["message"] == "nested too deep"


@pytest.mark.parametrize(("cost", "micros"), [("0.0000005", 0), ("0.0000015", 2), ("14.53333333333", 14_533_333)])
def test_more_than_six_decimals_are_rounded_half_to_even(cost: str, micros: int) -> None:
    ((row,), bad) = metrics(json.dumps([ROW | {"cost": "@"}]).replace('"@"', cost).encode())
    assert (row.spend, bad) == (micros, [])
    assert row.rounding is not None
    assert row.rounding[3] == micros - Decimal(cost).scaleb(6)


def test_views_are_unknown_when_more_came_after_clicks_than_altogether() -> None:
    options = AmazonOptions(basis=CountedBy.VIEW)
    body = page([BRAND | {"purchasesClicks": 5, "salesClicks": 99.5}])
    (batch,) = NORMALIZER.metric_batches(body, context(slice_="sb")._replace(options=options))
    ((row,), _) = batch
    assert (row.conversions, row.revenue, row.spend) == (None, 500_000, 14_530_000)


def test_a_column_that_an_older_pull_did_not_request_is_unknown() -> None:
    options = AmazonOptions(window="30d")
    (batch,) = NORMALIZER.metric_batches(page([ROW]), context()._replace(options=options))
    ((row,), bad) = batch
    assert (row.conversions, row.revenue, row.spend, bad) == (None, None, 14_530_000, [])


def test_a_keyword_row_without_any_id_has_no_key() -> None:
    row = {name: value for name, value in ROW.items() if name != "adId"}
    rows, (bad,) = metrics([row | {"keywordId": 5}, row | {"keywordId": None}], dataset=Dataset.KEYWORD_DAILY)
    assert [row.entity_id for row in rows] == ["222~5"]
    assert (bad.entity_id, bad.errors[0]["message"]) == ("", "neither keywordId nor targetingId")


def test_a_bad_row_keeps_its_parents_where_they_can_be_read() -> None:
    odd: list[Any] = [None, True, [1], "1" * 201]
    _, bad = metrics([ROW | {"cost": "much", "campaignId": campaign} for campaign in (111, *odd)])
    assert [row.campaign_id for row in bad] == ["111", *[""] * len(odd)]
    assert {(row.entity_id, row.ad_group_id) for row in bad} == {("222~333", "222")}
    _, (bad_campaign,) = metrics([ROW | {"cost": "much"}], dataset=Dataset.CAMPAIGN_DAILY)
    assert (bad_campaign.entity_id, bad_campaign.campaign_id, bad_campaign.ad_group_id) == (
        "111222333",
        "111222333",
        "",
    )


def test_a_bad_search_term_row_keeps_its_key() -> None:
    row = {name: value for name, value in ROW.items() if name != "adId"} | {"searchTerm": "shoes", "targetingId": 7}
    _, (bad,) = metrics(
        [row | {"keywordId": None, "cost": "much"}], dataset=Dataset.KEYWORD_BY_SEARCH_TERM_DAILY, slice_="sb"
    )
    assert (bad.entity_id, bad.day) == ("222~7~shoes", "2026-11-01")


def test_a_missing_column_is_named() -> None:
    _, (bad,) = metrics([{k: v for k, v in ROW.items() if k != "sales7d"}])
    assert "sales7d" in bad.errors[0]["message"]


def test_an_element_that_is_not_an_object_makes_a_bad_row_without_a_key() -> None:
    rows, (bad,) = metrics([ROW, 7])
    assert (len(rows), bad.line, bad.entity_id, bad.raw) == (1, 2, "", 7)


@pytest.mark.parametrize("body", [b"", b"{}", b'[{"date":"2026-11-01"'])
def test_a_file_that_is_not_a_report_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        metrics(body)


def test_an_unknown_slice_is_bad_input() -> None:
    with pytest.raises(BadInput, match="st"):
        metrics([ROW], slice_="st")


def objects(body: Any, dataset: Dataset, slice_: str = "sp") -> tuple[list[Any], list[BadRow]]:
    (batch,) = NORMALIZER.object_batches(page(body), context(dataset, slice_))
    return batch.objects, batch.bad


def test_profiles_keep_their_kind_and_become_text_ids() -> None:
    wire = {
        "profileId": 1234567890123456,
        "countryCode": "US",
        "currencyCode": "USD",
        "dailyBudget": 999999999.0,
        "timezone": "America/Los_Angeles",
        "accountInfo": {"marketplaceStringId": "ATVPDKIKX0DER", "id": "A1", "type": "vendor", "name": "Acme US"},
    }
    ((profile,), (bad,)) = objects([wire, {"profileId": 1}], Dataset.PROFILES, "all")
    assert profile == Profile(
        account_id="acme",
        platform="amazon_ads",
        profile_id="1234567890123456",
        name="Acme US",
        currency="USD",
        timezone="America/Los_Angeles",
        country="US",
        kind="vendor",
        alias="A1@ATVPDKIKX0DER",
        as_of="2026-11-08T06:00:00.000000Z",
    )
    assert bad.line == 2


def test_sponsored_products_entities() -> None:
    campaign = {
        "campaignId": "1",
        "name": "SP brand",
        "state": "ENABLED",
        "targetingType": "MANUAL",
        "budget": {"budget": 50.25, "budgetType": "DAILY"},
        "startDate": "2026-01-01",
        "endDate": None,
    }
    ((found,), _) = objects({"campaigns": [campaign], "totalResults": 1}, Dataset.CAMPAIGNS)
    assert isinstance(found, AdCampaign)
    assert (found.budget, found.budget_type, found.targeting_type) == (50_250_000, "daily", "manual")
    assert (found.status, found.status_raw, found.start_date, found.end_date) == ("active", "ENABLED", "2026-01-01", "")

    group = {"adGroupId": "2", "campaignId": "1", "name": "g", "state": "PAUSED", "defaultBid": 0.75}
    ((found,), _) = objects({"adGroups": [group]}, Dataset.AD_GROUPS)
    assert isinstance(found, AdGroup)
    assert (found.bid, found.status, found.campaign_id) == (750_000, Status.PAUSED, "1")

    ad = {
        "adId": "3",
        "adGroupId": "2",
        "campaignId": "1",
        "asin": "B0EXAMPLE1",
        "state": "ARCHIVED",
        "customText": "Hi",
    }
    seller = {"adId": "4", "adGroupId": "2", "campaignId": "1", "sku": "SKU-1", "state": "ENABLING"}
    (vendors, sellers), _ = objects({"productAds": [ad, seller]}, Dataset.ADS)
    assert isinstance(vendors, Ad)
    assert vendors.landing_page_url == "https://www.amazon.de/dp/B0EXAMPLE1"
    assert (vendors.headline, vendors.status) == ("Hi", Status.ARCHIVED)
    assert (sellers.landing_page_url, sellers.headline, sellers.status) == (None, None, Status.PENDING)

    word = {
        "keywordId": "5",
        "adGroupId": "2",
        "campaignId": "1",
        "keywordText": "running shoes",
        "matchType": "EXACT",
        "state": "OTHER",
        "bid": None,
    }
    ((found,), _) = objects({"keywords": [word]}, Dataset.KEYWORDS)
    assert isinstance(found, Keyword)
    assert (found.text, found.match_type, found.bid, found.status) == ("running shoes", "exact", None, Status.UNKNOWN)


def test_a_display_ad_without_a_product_has_a_name_and_a_page() -> None:
    ad = {"adId": 3, "adGroupId": 2, "campaignId": 1, "state": "enabled"}
    shown = {"adName": "Winter", "landingPageURL": "https://shop.test/winter"}
    ((found,), _) = objects([ad | shown], Dataset.ADS, "sd")
    assert (found.name, found.landing_page_url) == ("Winter", "https://shop.test/winter")


def test_brands_and_display_campaigns() -> None:
    brand = {"campaignId": "1", "name": "b", "state": "ENABLED", "budget": 10, "budgetType": "DAILY", "goal": "VISIT"}
    ((found,), _) = objects({"campaigns": [brand]}, Dataset.CAMPAIGNS, "sb")
    assert (found.budget, found.objective, found.ad_product) == (10_000_000, "VISIT", "sb")
    display = {
        "campaignId": 2,
        "name": "d",
        "state": "paused",
        "budget": 1.5,
        "budgetType": "daily",
        "startDate": "20260131",
    }
    ((found,), _) = objects([display], Dataset.CAMPAIGNS, "sd")
    assert (found.id, found.status, found.start_date, found.budget) == ("2", "paused", "2026-01-31", 1_500_000)
    assert found.budget_type == "daily"


@pytest.mark.parametrize(
    ("body", "slice_"), [([], "sp"), ({"ads": []}, "sp"), (b"<html>", "sp"), ({}, "sd"), ([], "st")]
)
def test_a_page_that_is_not_a_list_is_bad_input(body: Any, slice_: str) -> None:
    with pytest.raises(BadInput):
        objects(body, Dataset.CAMPAIGNS, slice_)


def test_a_page_of_a_list_that_the_dataset_does_not_have_is_bad_input() -> None:
    named = replace(page({"themes": []}), label="themes")
    with pytest.raises(BadInput, match="themes"):
        list(NORMALIZER.object_batches(named, context(Dataset.TARGETS, "sp")))


def test_half_of_a_surrogate_pair_in_a_name_costs_no_object() -> None:
    body = rb'{"campaigns": [{"campaignId": "1", "name": "a\ud800", "state": "ENABLED"}, {"campaignId": "2"}]}'
    ((found,), (bad,)) = objects(body, Dataset.CAMPAIGNS)
    assert (found.name, bad.entity_id) == ("a\ufffd", "2")


def test_rows_of_a_large_report_come_in_batches_and_all_of_them() -> None:
    rng = random.Random(1)
    rows = [ROW | {"adId": i, "cost": rng.randint(0, 10**6) / 100} for i in range(12_000)]
    batches = list(NORMALIZER.metric_batches(page(rows), context()))
    assert len(batches) > 2
    assert [row.line for batch in batches for row in batch.rows] == list(range(1, 12_001))


@at_the_bound("MAX_KNOWN_ENTITIES", as_if=3)
def test_so_many_entities_ids_are_kept_and_with_one_more_all_are_made_anew(size: int, fits: bool) -> None:
    reader = rows._ReportReader(rows._SHAPES[Dataset.AD_DAILY], rows._reported, context())
    ids: list[tuple[int | str | None, ...]] = [(1, ad) for ad in range(size)]

    first, again = (reader._entities(ids * 2) for _ in range(2))

    assert first == again == [f"1~{ad}" for ad in range(size)] * 2
    assert all(one is other for one, other in zip(first, again, strict=True)) is fits
