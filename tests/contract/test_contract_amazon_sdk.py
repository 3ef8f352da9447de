"""The community's Amazon Ads client, unmodified, against the sandbox: it gets the world's numbers exactly."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from sandbox.server import PlatformServer
from sandbox.world import WorldProfile
from sandbox.world.bills import Bills
from support.amazon_sdk import END, START, SdkClient, micros, sdk_server
from support.platform_server import truth

from ad_api.api import Invoices, Profiles  # isort: skip - after support.amazon_sdk, which imports the package in order
from ad_api.api.sp import AdGroupsV3, CampaignsV3, KeywordsV3, ProductAdsV3  # isort: skip
from ad_api.auth import access_token_client  # isort: skip
from ad_api.base import AdvertisingApiException, Utils  # isort: skip


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with sdk_server() as started:
        yield started


@pytest.fixture(params=[0, 1], ids=["usd-seller", "jpy-vendor"])
def client(request: pytest.FixtureRequest, server: PlatformServer) -> SdkClient:
    return SdkClient(server, request.param)


def test_profiles(client: SdkClient) -> None:
    # when
    [profile] = Profiles(**client.bound).list_profiles().payload

    # then
    assert profile["profileId"] == int(client.profile.id)
    assert profile["currencyCode"] == client.profile.currency
    assert profile["timezone"] == client.profile.timezone
    assert profile["accountInfo"]["type"] == client.profile.kind


@pytest.mark.parametrize("product", ["sp", "sb", "sd"])
def test_a_report_is_the_truth(client: SdkClient, product: str) -> None:
    # when
    created = client.create(client.report_body(product))
    answer = client.finished(created["reportId"])
    rows = client.rows(answer["url"])

    # then
    days = {"sp": {"seller": "7d", "vendor": "14d"}[client.profile.kind]}.get(product, "")
    found = {
        (f"{row['adGroupId']}~{row['adId']}", row["date"]): (
            row["impressions"],
            row["clicks"],
            micros(row[f"purchases{days}"]),
            micros(row["cost"]),
            micros(row[f"sales{days}"]),
        )
        for row in rows
    }
    names = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
    every = truth(client.server, client.profile, date.fromisoformat(START), date.fromisoformat(END))
    expected = {k: tuple(r[n] for n in names) for k, r in every.items() if r["ad_product"] == product}
    assert created["status"] == "PENDING"
    assert len(found) == len(rows) > 0
    assert found == expected
    assert all(type(row["adId"]) is int for row in rows)
    assert answer["fileSize"] > 0


def test_keyword_and_summary_reports(client: SdkClient) -> None:
    # given
    configuration = {
        "reportTypeId": "spTargeting",
        "groupBy": ["targeting"],
        "timeUnit": "SUMMARY",
        "columns": ["startDate", "endDate", "keywordId", "adGroupId", "clicks"],
    }

    # when
    body = client.report_body(configuration=configuration)
    rows = client.rows(client.finished(client.create(body)["reportId"])["url"])

    # then
    every = truth(client.server, client.profile, date.fromisoformat(START), date.fromisoformat(END), "keyword")
    clicks: dict[str, int] = {}
    for row in every.values():
        if row["ad_product"] == "sp":
            clicks[row["entity_id"]] = clicks.get(row["entity_id"], 0) + row["clicks"]
    assert {str(r["keywordId"]): r["clicks"] for r in rows} == clicks
    assert {(r["startDate"], r["endDate"]) for r in rows} == {(START, END)}


def test_entity_lists_page_to_the_end(client: SdkClient) -> None:
    # when
    ads: list[Any] = []
    token = None
    while True:
        body = {"maxResults": 20} | ({"nextToken": token} if token else {})
        page = ProductAdsV3(**client.bound).list_product_ads(body=json.dumps(body)).payload
        ads += page["productAds"]
        token = page.get("nextToken")
        if not token:
            break
    campaigns = CampaignsV3(**client.bound).list_campaigns(body='{"maxResults": 100}').payload
    groups = AdGroupsV3(**client.bound).list_ad_groups(body='{"maxResults": 100}').payload
    keywords = KeywordsV3(**client.bound).list_keywords(body='{"maxResults": 100}').payload

    # then
    sp = [c for c in client.profile.campaigns if c.product == "sp"]
    assert [a["adId"] for a in ads] == [a.id for c in sp for g in c.groups for a in g.ads]
    assert ("sku" in ads[0]) is (client.profile.kind == "seller")
    assert {c["campaignId"] for c in campaigns["campaigns"]} == {c.id for c in sp}
    assert len(groups["adGroups"]) == groups["totalResults"] == sum(len(c.groups) for c in sp)
    assert all(isinstance(k["keywordId"], str) for k in keywords["keywords"])


def test_the_same_question_while_pending_is_a_duplicate(client: SdkClient) -> None:
    # given
    client.server.outside.report_seconds = 60
    created = client.create(client.report_body())

    # when
    with pytest.raises(AdvertisingApiException) as refused:
        client.create(client.report_body())

    # then
    assert refused.value.code == 425
    assert refused.value.error["detail"] == f"The Request is a duplicate of : {created['reportId']}"
    assert client.create(client.report_body(endDate="2026-11-20"))["reportId"] != created["reportId"]


@pytest.mark.parametrize(
    "changes",
    [
        {"startDate": "2026-10-21"},
        {"startDate": "2026-08-01", "endDate": "2026-08-05"},
        {"endDate": "2026-11-25", "startDate": "2026-11-24"},
        {"configuration": {"columns": ["date", "adId", "vanity"]}},
        {"configuration": {"timeUnit": "SUMMARY"}},
        {"configuration": {"columns": ["date", "startDate", "adId"]}},
        {"configuration": {"reportTypeId": "spNothing"}},
        {"configuration": {"groupBy": ["campaign"]}},
    ],
    ids=["32 days", "retention", "future", "unknown column", "date in summary", "startDate in daily", "type", "group"],
)
def test_a_wrong_question_is_refused(client: SdkClient, changes: dict[str, Any]) -> None:
    # when
    with pytest.raises(AdvertisingApiException) as refused:
        client.create(client.report_body(**changes))

    # then
    assert refused.value.code == 400
    assert refused.value.error["detail"]


def test_a_failed_report_has_a_reason(client: SdkClient) -> None:
    # given
    client.server.outside.switches.turn_on({"kind": "broken_report", "times": 1, "reason": "upstream is down"})

    # when
    answer = client.finished(client.create(client.report_body())["reportId"])

    # then
    assert (answer["status"], answer["failureReason"]) == ("FAILED", "upstream is down")
    assert answer["url"] is None


@pytest.mark.parametrize("wait", [3, None])
def test_throttling_with_and_without_retry_after(client: SdkClient, wait: int | None) -> None:
    # given
    client.server.outside.switches.turn_on({"kind": "throttle", "times": 1, "retry_after": wait})

    # when
    with pytest.raises(AdvertisingApiException) as refused:
        client.create(client.report_body())

    # then
    assert refused.value.code == 429
    assert refused.value.headers.get("Retry-After") == (None if wait is None else "3")


def test_the_download_refuses_credentials_and_expires(client: SdkClient) -> None:
    # given
    report_id = client.create(client.report_body())["reportId"]
    url = client.finished(report_id)["url"]

    # when
    with_header = requests.get(url, headers={"Authorization": "Bearer x"}, timeout=5)
    forged = requests.get(url[:-1] + ("0" if url[-1] != "0" else "1"), timeout=5)
    client.server.outside.url_seconds = -1
    late = requests.get(client.finished(report_id)["url"], timeout=5)

    # then
    assert with_header.status_code == 400
    assert forged.status_code == 403
    assert late.status_code == 403
    assert "expired" in late.text


def test_vendor_types_scope_and_region_are_enforced(client: SdkClient, server: PlatformServer) -> None:
    # given
    amazon = client.company.credentials["amazon_ads"]
    form = {"grant_type": "refresh_token", **{k: amazon[k] for k in ("client_id", "client_secret", "refresh_token")}}
    token = requests.post(f"{server.url}/auth/o2/token", data=form, timeout=5).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Amazon-Advertising-API-ClientId": amazon["client_id"]}
    scoped = headers | {"Amazon-Advertising-API-Scope": client.profile.id}

    # when
    plain = requests.post(f"{server.url}/sp/campaigns/list", json={}, headers=scoped, timeout=5)
    unscoped = requests.post(f"{server.url}/sp/campaigns/list", json={}, headers=headers, timeout=5)
    elsewhere = requests.get(f"{server.url}/eu/v2/profiles", headers=headers, timeout=5)
    here = requests.get(f"{server.url}/{client.profile.region.lower()}/v2/profiles", headers=headers, timeout=5)

    # then
    assert plain.status_code == 415
    assert (unscoped.status_code, unscoped.json()["details"]) == (401, "Scope header is missing")
    assert elsewhere.json() == []
    assert len(here.json()) == 1


def test_tokens_expire_and_credentials_are_revoked(client: SdkClient, server: PlatformServer) -> None:
    # given
    Profiles(**client.bound).list_profiles()
    requests.post(f"{server.url}/_world/switches", json={"kind": "expired_token", "platform": "amazon_ads"}, timeout=5)

    # when
    with pytest.raises(AdvertisingApiException) as stale:
        Profiles(**client.bound).list_profiles()
    time.sleep(0.002)
    access_token_client.cache.clear()
    fresh = Profiles(**client.bound).list_profiles().payload
    server.outside.switches.turn_on({"kind": "revoked_credential", "platform": "amazon_ads"})
    access_token_client.cache.clear()
    with pytest.raises(Exception, match="refresh_token") as revoked:
        Profiles(**client.bound).list_profiles()

    # then
    assert stale.value.code == 401
    assert len(fresh) == 1
    assert type(revoked.value).__name__ == "AuthorizationError"


def test_the_profile_is_not_another_companys(client: SdkClient, server: PlatformServer) -> None:
    # given
    foreign: WorldProfile = next(
        p for p in server.outside.world.profiles if p.platform == "amazon_ads" and p is not client.profile
    )
    client.bound["credentials"]["profile_id"] = foreign.id

    # when
    with pytest.raises(AdvertisingApiException) as refused:
        CampaignsV3(**client.bound).list_campaigns(body="{}")

    # then
    assert refused.value.code == 401


def test_invoices_are_the_world_s_bills(client: SdkClient, server: PlatformServer) -> None:
    # given
    billed = Bills(server.outside.world).truth(client.profile, date.min, date.max)
    expected = {bill["number"]: (bill["total_micros"], bill["tax_micros"]) for bill in billed}

    @Utils.load_all_pages(throttle_by_seconds=0, next_token_param="cursor")  # type: ignore[untyped-decorator]
    def pages(**query: Any) -> Any:
        return Invoices(**client.bound).list_invoices(**query)

    # when
    asked = {"invoiceStatuses": "ISSUED,PAID_IN_PART,PAID_IN_FULL", "count": "5"}
    summaries = [i for page in pages(**asked) for i in page.payload["payload"]["invoiceSummaries"]]
    newest = Invoices(**client.bound).get_invoice(invoiceId=summaries[0]["id"]).payload["payload"]

    # then
    def due(summary: dict[str, Any]) -> tuple[int, int]:
        amounts = (summary[name]["amount"] for name in ("amountDue", "taxAmountDue"))
        total, tax = (round(amount * 1_000_000) for amount in amounts)
        return total, tax

    assert {summary["id"]: due(summary) for summary in summaries} == expected
    assert newest["invoiceSummary"] == summaries[0]
    assert {line["campaignName"] for line in newest["invoiceLines"]} <= {c.name for c in client.profile.campaigns}
