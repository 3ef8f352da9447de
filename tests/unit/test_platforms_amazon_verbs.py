"""The plain verbs: answers in our vocabulary, over real wire traffic to a loopback server."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from adweir.model.entities import Profile
from adweir.model.errors import BadInput, NotReady, ReportFailed
from adweir.model.times import Window
from adweir.platforms.amazon_ads import AmazonCredential
from adweir.platforms.amazon_ads.api import AmazonCalls, Hosts
from adweir.platforms.amazon_ads.client import AmazonConnector
from adweir.platforms.connector import ReportState
from adweir.platforms.http import Http
from support.amazon_stub import AmazonStub, Answer, amazon_stub
from support.clock import FrozenClock

WEEK = Window.parse("2026-11-01..2026-11-07")
SECRET = {"client_id": "amzn1.x", "client_secret": "s3cret", "refresh_token": "Atzr|1"}


class OneToken:
    def get(self, key: str, refresh: Any) -> str:
        return str(refresh()[0])

    def forget(self, key: str) -> None:
        """Nothing is kept."""


def row(ad: int, day: str, **numbers: Any) -> dict[str, Any]:
    base = {"date": day, "campaignId": 1, "adGroupId": 2, "adId": ad, "impressions": 100, "clicks": 10, "cost": 1.25}
    windows = {"purchases7d": 1, "sales7d": 5.5, "purchases14d": 9, "sales14d": 9, "purchases": 1, "sales": 5.5}
    return base | windows | {"campaignBudgetCurrencyCode": "USD"} | numbers


@pytest.fixture
def stub() -> Iterator[AmazonStub]:
    with amazon_stub() as server:
        server.profiles = [
            {
                "profileId": 123,
                "countryCode": "US",
                "currencyCode": "USD",
                "timezone": "America/New_York",
                "accountInfo": {"type": "seller", "name": "Acme"},
            }
        ]
        server.lists["/sp/campaigns/list"] = [{"campaignId": "1", "name": "SP", "state": "ENABLED"}]
        server.lists["/sd/campaigns"] = [{"campaignId": 9, "name": "SD", "state": "paused"}]
        server.lists["/sp/productAds/list"] = [
            {"adId": str(ad), "adGroupId": "2", "campaignId": "1", "state": "ENABLED", "asin": f"B{ad}"}
            for ad in (3, 4)
        ]
        server.lists["/sp/keywords/list"] = [
            {
                "keywordId": "5",
                "adGroupId": "2",
                "campaignId": "1",
                "keywordText": "shoes",
                "matchType": "EXACT",
                "state": "ENABLED",
            }
        ]
        yield server


@pytest.fixture
def amazon(stub: AmazonStub, clock: FrozenClock) -> Iterator[AmazonConnector]:
    """A connector for whom every report is ready after one wait: two days of ad 3 in Sponsored Products."""
    rows = [row(3, "2026-11-01"), row(3, "2026-11-02", cost=0.75)]

    def wait(seconds: float) -> None:
        clock.advance(seconds)
        for report_id, report in stub.reports.items():
            if report["status"] == "PENDING":
                kind = report["configuration"]["adProduct"]
                stub.put_file(report_id, rows if kind == "SPONSORED_PRODUCTS" else [])

    with requests.Session() as session:
        yield AmazonConnector(
            AmazonCalls(
                AmazonCredential.read(SECRET),
                Hosts(stub.base, f"{stub.base}/auth/o2/token"),
                Http(session, clock, random.Random(1), sleep=lambda _: None),
                clock,
                OneToken(),
            ),
            clock,
            account_id="acme",
            sleep=wait,
        )


@pytest.fixture
def profile(amazon: AmazonConnector) -> Profile:
    (found,) = amazon.get_profiles()
    return found


def test_entities(amazon: AmazonConnector, profile: Profile) -> None:
    assert (profile.profile_id, profile.kind, profile.account_id) == ("123", "seller", "acme")
    assert [(c.id, c.ad_product) for c in amazon.get_campaigns(profile)] == [("1", "sp"), ("9", "sd")]
    assert [k.text for k in amazon.get_keywords(profile)] == ["shoes"]


def test_ads_carry_the_sums_of_the_range(amazon: AmazonConnector, profile: Profile) -> None:
    first, second = amazon.get_ads(profile, WEEK)
    assert (first["spend"], first["revenue"], first["impressions"]) == (Decimal(2), Decimal(11), 200)
    assert (first["ctr"], first["roas"]) == (Decimal("0.1"), Decimal("5.5"))
    assert first["landing_page_url"] == "https://www.amazon.com/dp/B3"
    assert (second["ad_id"], second["spend"], second["ctr"]) == ("4", 0, None)
    assert amazon.get_ads(profile, WEEK, ["ad_id", "spend"], 1) == [{"ad_id": "3", "spend": Decimal(2)}]


def test_account_stats_are_the_days_summed_over_products(amazon: AmazonConnector, profile: Profile) -> None:
    days = amazon.get_account_stats(profile, WEEK, ["spend", "conversions"])
    assert days == [
        {"date": "2026-11-01", "currency": "USD", "spend": Decimal("1.25"), "conversions": Decimal(1)},
        {"date": "2026-11-02", "currency": "USD", "spend": Decimal("0.75"), "conversions": Decimal(1)},
    ]


def test_a_long_range_is_asked_in_pieces(amazon: AmazonConnector, stub: AmazonStub, profile: Profile) -> None:
    amazon.get_account_stats(profile, Window.parse("2026-10-01..2026-11-07"))
    assert len(stub.reports) == 6


def test_a_product_that_the_profile_does_not_use_is_left_out(
    amazon: AmazonConnector, stub: AmazonStub, profile: Profile
) -> None:
    refused = Answer(403, {"code": "403", "details": "Advertiser is not authorized for Sponsored Display."})
    stub.script("/sd/campaigns", refused)
    stub.script("/sd/productAds", refused)
    assert [campaign.id for campaign in amazon.get_campaigns(profile)] == ["1"]
    assert len(amazon.get_ads(profile, WEEK)) == 2


def test_an_unknown_field_is_named(amazon: AmazonConnector, profile: Profile) -> None:
    with pytest.raises(BadInput, match="colour"):
        amazon.get_ads(profile, WEEK, ["colour"])


def test_a_report_by_hand(amazon: AmazonConnector, stub: AmazonStub, profile: Profile) -> None:
    made = amazon.create_report_request(profile, WEEK, "sd")
    assert amazon.get_report(profile, made.id).state is ReportState.PENDING
    stub.put_file(made.id, [{"adId": 1}])
    assert amazon.get_report(profile, made.id).state is ReportState.READY
    assert amazon.download_report(profile, made.id) == b'[{"adId": 1}]'


def test_patience_ends(amazon: AmazonConnector, profile: Profile) -> None:
    with pytest.raises(NotReady):
        amazon.get_account_stats(profile, WEEK, patience=0)


def test_a_failed_report_is_reported_as_such(amazon: AmazonConnector, stub: AmazonStub, profile: Profile) -> None:
    made = amazon.create_report_request(profile, WEEK)
    stub.reports[made.id].update(status="FAILED", failureReason="internal")
    with pytest.raises(ReportFailed):
        amazon.download_report(profile, made.id)


def test_rows_that_cannot_be_read_are_not_passed_over(
    amazon: AmazonConnector, stub: AmazonStub, profile: Profile
) -> None:
    made = amazon.create_report_request(profile, WEEK)
    stub.put_file(made.id, [row(3, "2026-11-01", impressions="many")])
    stub.script("/reporting/reports", Answer(200, stub.reports[made.id]))
    with pytest.raises(BadInput, match="1 rows"):
        amazon.get_account_stats(profile, WEEK)
