"""The sandbox's Amazon: columns that follow from others are what Amazon's page of columns says they are."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from support.amazon_caller import AmazonCaller
from support.platform_server import running

RATES: dict[str, dict[str, tuple[str, str, int]]] = {
    "spAdvertisedProduct:advertiser": {
        "clickThroughRate": ("clicks", "impressions", 1),
        "costPerClick": ("cost", "clicks", 1),
        "acosClicks7d": ("cost", "sales7d", 100),
        "roasClicks14d": ("sales14d", "cost", 1),
    },
    "sbCampaigns:campaign": {
        "viewabilityRate": ("viewableImpressions", "impressions", 1),
        "viewClickThroughRate": ("clicks", "viewableImpressions", 1),
        "addToCartRate": ("addToCart", "impressions", 1),
        "eCPAddToCart": ("cost", "addToCart", 1),
        "newToBrandPurchasesPercentage": ("newToBrandPurchasesClicks", "purchasesClicks", 100),
        "newToBrandSalesPercentage": ("newToBrandSalesClicks", "salesClicks", 100),
        "newToBrandDetailPageViewRate": ("newToBrandDetailPageViews", "impressions", 1),
        "newToBrandECPDetailPageView": ("cost", "newToBrandDetailPageViews", 1),
        "video5SecondViewRate": ("video5SecondViews", "impressions", 1),
        "longTermROAS": ("longTermSales", "cost", 1),
    },
    "sdCampaigns:campaign": {
        "viewabilityRate": ("impressionsViews", "impressions", 1),
        "brandedSearchRate": ("brandedSearches", "impressions", 1),
        "eCPBrandSearch": ("cost", "brandedSearches", 1),
        "impressionsFrequencyAverage": ("impressions", "cumulativeReach", 1),
    },
}
SUMS: dict[str, dict[str, tuple[str, ...]]] = {
    "spPurchasedProduct:asin": {"purchases7d": ("purchasesOtherSku7d",), "sales30d": ("salesOtherSku30d",)},
    "sdCampaigns:campaign": {
        "addToCart": ("addToCartClicks", "addToCartViews"),
        "brandedSearches": ("brandedSearchesClicks", "brandedSearchesViews"),
        "newToBrandDetailPageViews": ("newToBrandDetailPageViewClicks", "newToBrandDetailPageViewViews"),
    },
}


@pytest.fixture(scope="module")
def halden() -> Iterator[AmazonCaller]:
    with running() as server:
        server.outside.report_seconds = 0
        yield AmazonCaller(server, "halden")


@pytest.mark.parametrize("report", RATES)
def test_a_rate_is_the_quotient_of_its_columns(halden: AmazonCaller, report: str) -> None:
    # given
    type_id, group = report.split(":")
    rates = RATES[report]
    columns = sorted({"date", *rates, *(name for top, bottom, _ in rates.values() for name in (top, bottom))})

    # when
    rows = halden.report(type_id, [group], columns)

    # then
    for name, (top, bottom, factor) in rates.items():
        assert any(row[name] for row in rows)
        for row in rows:
            expected = Decimal(row[top]) * factor / Decimal(row[bottom]) if row[bottom] else None
            assert (row[name] is None) is (expected is None)
            assert expected is None or abs(row[name] - expected) <= Decimal("0.01")


@pytest.mark.parametrize("report", SUMS)
def test_a_whole_is_the_sum_of_its_parts(halden: AmazonCaller, report: str) -> None:
    # given
    type_id, group = report.split(":")
    wholes = SUMS[report]
    columns = sorted({"date", *wholes, *(name for parts in wholes.values() for name in parts)})

    # when
    rows = halden.report(type_id, [group], columns)

    # then
    for name, parts in wholes.items():
        assert any(row[name] for row in rows)
        assert all(row[name] == sum(row[part] for part in parts) for row in rows)


@pytest.mark.parametrize(
    ("type_id", "group", "smaller", "larger"),
    [
        ("spCampaigns", "campaign", "purchases1d", "purchases7d"),
        ("spCampaigns", "campaign", "purchases7d", "purchases14d"),
        ("spCampaigns", "campaign", "sales14d", "sales30d"),
        ("spCampaigns", "campaign", "unitsSoldSameSku30d", "unitsSoldClicks30d"),
        ("sbCampaigns", "campaign", "newToBrandPurchases", "purchases"),
        ("sbCampaigns", "campaign", "purchasesPromoted", "purchases"),
        ("sbAds", "ads", "videoCompleteViews", "videoFirstQuartileViews"),
        ("sdCampaigns", "campaign", "purchasesPromotedClicks", "purchasesClicks"),
        ("sdCampaigns", "campaign", "purchases", "unitsSold"),
    ],
)
def test_a_part_is_smaller_than_the_whole(
    halden: AmazonCaller, type_id: str, group: str, smaller: str, larger: str
) -> None:
    rows = halden.report(type_id, [group], ["date", smaller, larger], "2026-10-25")
    assert all(row[smaller] <= row[larger] for row in rows)
    assert 0 < sum(row[smaller] for row in rows) < sum(row[larger] for row in rows)


def test_only_videos_are_watched(halden: AmazonCaller) -> None:
    # when
    rows = halden.report("sbAds", ["ads"], ["date", "adId", "videoCompleteViews"])

    # then
    videos = {int(ad.id) for _, _, ad in halden.profile.ads() if "video" in ad.creative}
    assert {row["adId"] for row in rows if row["videoCompleteViews"]} == videos & {row["adId"] for row in rows}
    assert {row["adId"] for row in rows} - videos
