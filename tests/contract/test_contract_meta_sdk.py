"""Meta's official SDK, unmodified, against the sandbox: it gets the world's numbers exactly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adreportrun import AdReportRun
from facebook_business.adobjects.business import Business
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from sandbox.server import PlatformServer
from sandbox.world import WorldProfile
from sandbox.world.bills import Bills
from support.platform_server import ANCHOR, owner, running, truth

FIELDS = [
    "ad_id",
    "adset_id",
    "campaign_id",
    "account_currency",
    "impressions",
    "clicks",
    "spend",
    "actions",
    "action_values",
]
WEEK = {"since": "2026-11-08", "until": "2026-11-14"}


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


@pytest.fixture(params=[0, 1], ids=["usd", "eur"])
def profile(request: pytest.FixtureRequest, server: PlatformServer, monkeypatch: pytest.MonkeyPatch) -> WorldProfile:
    """The SDK is initialised for one company's ad account."""
    monkeypatch.setattr(FacebookSession, "GRAPH", server.url)
    company, profile = owner(server, "meta_ads", request.param)
    meta = company.credentials["meta_ads"]
    FacebookAdsApi.init(meta["app_id"], meta["app_secret"], meta["access_token"], api_version="v26.0", crash_log=False)
    return profile


def micros(text: str) -> int:
    scaled = Decimal(text) * 1_000_000
    assert scaled == int(scaled)
    return int(scaled)


def purchase(row: Any, name: str) -> int:
    return next((micros(a["value"]) for a in row.get(name, []) if a["action_type"] == "omni_purchase"), 0)


def as_numbers(rows: list[Any]) -> dict[tuple[str, str], tuple[int, ...]]:
    found: dict[tuple[str, str], tuple[int, ...]] = {}
    for row in rows:
        key = (f"{row['adset_id']}~{row['ad_id']}", row["date_start"])
        assert key not in found
        found[key] = (
            int(row["impressions"]),
            int(row["clicks"]),
            purchase(row, "actions"),
            micros(row["spend"]),
            purchase(row, "action_values"),
        )
    return found


def true_numbers(server: PlatformServer, profile: WorldProfile, start: str, end: str) -> dict[tuple[str, str], Any]:
    names = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
    rows = truth(server, profile, date.fromisoformat(start), date.fromisoformat(end))
    return {key: tuple(row[name] for name in names) for key, row in rows.items()}


def test_accounts_and_account_read(server: PlatformServer, profile: WorldProfile) -> None:
    # when
    accounts = list(User("me").get_ad_accounts(fields=["account_id", "name", "currency"]))
    account = AdAccount(f"act_{profile.id}").api_get(fields=["currency", "timezone_name", "name"])

    # then
    assert [a["account_id"] for a in accounts] == [profile.id]
    assert account["timezone_name"] == profile.timezone
    assert account["currency"] == profile.currency
    assert account["name"] == profile.name


def test_synchronous_insights_paged_are_the_truth(server: PlatformServer, profile: WorldProfile) -> None:
    # when
    rows = list(
        AdAccount(f"act_{profile.id}").get_insights(
            fields=FIELDS,
            params={
                "level": "ad",
                "time_increment": 1,
                "time_range": {"since": "2026-09-23", "until": ANCHOR.isoformat()},
                "action_attribution_windows": ["7d_click", "1d_view"],
                "limit": 100,
            },
        )
    )

    # then
    expected = true_numbers(server, profile, "2026-09-23", ANCHOR.isoformat())
    assert len(rows) > 2000
    assert as_numbers(rows) == expected
    assert {row["account_currency"] for row in rows} == {profile.currency}
    assert any("." in a["value"] for row in rows for a in row.get("actions", []))


def test_an_asynchronous_job_brings_the_same_numbers(server: PlatformServer, profile: WorldProfile) -> None:
    # given
    server.outside.report_seconds = 0.6  # a slow machine still sees its beginning

    # when
    run = AdAccount(f"act_{profile.id}").get_insights(
        fields=FIELDS, params={"level": "ad", "time_increment": 1, "time_range": WEEK}, is_async=True
    )
    status = run.api_get()
    seen = [status["async_percent_completion"]]
    while status["async_status"] != "Job Completed":
        time.sleep(0.01)
        status = run.api_get()
        seen.append(status["async_percent_completion"])
    rows = list(status.get_result(params={"limit": 50}))

    # then
    assert as_numbers(rows) == true_numbers(server, profile, WEEK["since"], WEEK["until"])
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 100)


def test_results_before_completion_are_refused(server: PlatformServer, profile: WorldProfile) -> None:
    # given
    server.outside.report_seconds = 60
    run = AdAccount(f"act_{profile.id}").get_insights(fields=["ad_id"], params={"level": "ad"}, is_async=True)

    # when
    with pytest.raises(FacebookRequestError) as refused:
        list(run.get_result())

    # then
    assert refused.value.http_status() == 400


@pytest.mark.parametrize("status", ["Job Failed", "Job Skipped"])
def test_a_broken_report_says_so(server: PlatformServer, profile: WorldProfile, status: str) -> None:
    # given
    server.outside.switches.turn_on({"kind": "broken_report", "times": 1, "status": status, "reason": "out of memory"})
    server.outside.report_seconds = 0

    # when
    run = AdAccount(f"act_{profile.id}").get_insights(fields=["ad_id"], params={"level": "ad"}, is_async=True)
    answer = run.api_get()

    # then
    assert answer["async_status"] == status
    if status == "Job Failed":
        assert answer["error_message"] == "out of memory"
    again = AdAccount(f"act_{profile.id}").get_insights(fields=["ad_id"], params={"level": "ad"}, is_async=True)
    assert again.api_get()[AdReportRun.Field.async_status] == "Job Completed"


@pytest.mark.filterwarnings("ignore:ads does not allow field creative:UserWarning")  # a valid Graph field expansion
def test_entities_with_creatives(server: PlatformServer, profile: WorldProfile) -> None:
    # given
    account = AdAccount(f"act_{profile.id}")

    # when
    campaigns = list(account.get_campaigns(fields=["name", "effective_status", "daily_budget"]))
    adsets = list(account.get_ad_sets(fields=["campaign_id", "start_time"]))
    ads = list(
        account.get_ads(fields=["name", "adset_id", "creative{id,title,body,object_story_spec}"], params={"limit": 10})
    )
    below = list(Campaign(campaigns[0]["id"]).get_ads(fields=["id"]))
    stated = list(account.get_ads(fields=["id"], params={"effective_status": ["PAUSED", "DELETED"]}))

    # then
    assert {c["id"] for c in campaigns} == {c.id for c in profile.campaigns}
    assert {s["id"] for s in adsets} == {g.id for c in profile.campaigns for g in c.groups}
    listed = [(c, a) for c, _, a in profile.ads() if a.status not in ("ARCHIVED", "DELETED")]
    assert len(listed) < len(profile.ads()), "what is gone is listed only when its status is named"
    assert [a["id"] for a in ads] == [a.id for _, a in listed]
    assert ads[3]["creative"]["title"] == profile.ads()[3][2].creative["title"]
    assert ads[0]["creative"]["object_story_spec"]["page_id"] == "999"
    assert {a["id"] for a in below} == {a.id for c, a in listed if c is profile.campaigns[0]}
    assert {a["id"] for a in stated} == {a.id for _, _, a in profile.ads() if a.status in ("PAUSED", "DELETED")}


def test_node_insights_levels_and_filters(server: PlatformServer, profile: WorldProfile) -> None:
    # given
    campaign, _, ad = profile.ads()[0]
    params = {"time_increment": 1, "time_range": WEEK}
    rows = truth(server, profile, date(2026, 11, 8), date(2026, 11, 14))
    spent = sum(row["spend_micros"] for row in rows.values() if row["campaign_id"] == campaign.id)

    # when
    of_campaign = list(Campaign(campaign.id).get_insights(fields=["spend"], params=params))
    of_account = list(AdAccount(f"act_{profile.id}").get_insights(fields=["spend"], params={"time_range": WEEK}))
    condition = {"field": "campaign.id", "operator": "IN", "value": [campaign.id]}
    filtered = list(
        AdAccount(f"act_{profile.id}").get_insights(
            fields=["ad_id", "spend"], params={**params, "level": "ad", "filtering": [condition]}
        )
    )
    of_ad = list(Ad(ad.id).get_insights(fields=["ad_id"], params=params))

    # then
    assert sum(micros(r["spend"]) for r in of_campaign) == spent
    assert sum(micros(r["spend"]) for r in filtered) == spent
    assert [micros(r["spend"]) for r in of_account] == [sum(row["spend_micros"] for row in rows.values())]
    assert {r["ad_id"] for r in of_ad} <= {ad.id}


def test_windows_appear_only_when_asked_for_and_dead_ones_stay_empty(
    server: PlatformServer, profile: WorldProfile
) -> None:
    # when
    asked = {"level": "account", "time_range": WEEK, "action_attribution_windows": ["7d_click", "7d_view", "28d_view"]}
    row = next(iter(AdAccount(f"act_{profile.id}").get_insights(fields=["actions"], params=asked)))

    # then
    action = next(a for a in row["actions"] if a["action_type"] == "omni_purchase")
    assert set(action) == {"action_type", "value", "7d_click"}


@pytest.mark.parametrize(
    ("switch", "code", "subcode", "transient"),
    [
        ({"kind": "throttle"}, 80000, 2446079, False),
        ({"kind": "throttle", "code": 17}, 17, 2446079, False),
        ({"kind": "throttle", "code": 4}, 4, 1504022, False),
        ({"kind": "expired_token"}, 190, 463, False),
        ({"kind": "revoked_credential"}, 190, 458, False),
        ({"kind": "access_denied"}, 200, None, False),
        ({"kind": "server_error"}, 2, None, True),
        ({"kind": "data_limit", "rows": 10}, 1, None, False),
    ],
)
def test_errors_as_the_sdk_reads_them(
    server: PlatformServer,
    profile: WorldProfile,
    switch: dict[str, Any],
    code: int,
    subcode: int | None,
    transient: bool,
) -> None:
    # given
    server.outside.switches.turn_on(switch | {"platform": "meta_ads", "profile_id": profile.id})

    # when
    with pytest.raises(FacebookRequestError) as refused:
        list(AdAccount(f"act_{profile.id}").get_insights(fields=["spend"], params={"level": "ad", "time_range": WEEK}))

    # then
    assert refused.value.api_error_code() == code
    assert refused.value.api_error_subcode() == subcode
    assert bool(refused.value.api_transient_error()) is transient
    assert "x-business-use-case-usage" in {name.lower() for name in refused.value.http_headers()}


def test_a_wrong_app_secret_and_a_foreign_account_are_refused(server: PlatformServer, profile: WorldProfile) -> None:
    # given
    foreign = next(p for p in server.outside.world.profiles if p.platform == "meta_ads" and p is not profile)
    with pytest.raises(FacebookRequestError) as denied:
        AdAccount(f"act_{foreign.id}").api_get(fields=["name"])
    company = next(c for c in server.outside.world.companies if profile in c.profiles)
    meta = company.credentials["meta_ads"]
    FacebookAdsApi.init(meta["app_id"], "wrong", meta["access_token"], api_version="v26.0", crash_log=False)

    # when
    with pytest.raises(FacebookRequestError) as forged:
        AdAccount(f"act_{profile.id}").api_get(fields=["name"])

    # then
    assert denied.value.api_error_code() == 200
    assert "appsecret_proof" in forged.value.api_error_message()


def test_invoices_are_the_world_s_bills(server: PlatformServer, profile: WorldProfile) -> None:
    # given: the first company pays by invoice, the second by card
    bills = Bills(server.outside.world).truth(profile, date.min, date.max)
    expected = {bill["number"]: abs(bill["total_micros"]) for bill in bills}
    fields = ["invoice_id", "type", "amount", "billed_amount_details", "ad_account_ids"]

    # when
    (owner,) = User("me").get_businesses(fields=["id"])
    asked = {"start_date": "2025-01-01", "end_date": "2026-12-01", "limit": 10}
    found = list(Business(owner["id"]).get_business_invoices(fields=fields, params=asked))

    # then
    billed = [invoice for invoice in found if invoice["type"] != "PRO_FORMA"]
    assert {invoice["invoice_id"]: micros(invoice["amount"]) for invoice in billed} == expected
    assert all(invoice["ad_account_ids"] == [profile.id] for invoice in found)
    if found:
        campaigns = found[0].get_campaigns()
        assert {row["campaign_id"] for row in campaigns} <= {campaign.id for campaign in profile.campaigns}
