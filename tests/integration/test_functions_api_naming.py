"""Names by a client's pattern and landing pages through the API's handler, and what of them cannot be read."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from adweir.model.entities import Ad, AdCampaign, AdGroup, Profile
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.tasks import Pull, Stamp
from adweir.store.metrics.store import PullRows
from support.api import DAYS, META, T1, Call
from support.bounds import at_the_bound

RANGE = {"start": "2026-11-01", "end": "2026-11-02"}
PATTERN = "{market}_{channel}"
PAGE = "https://shop.example.com/spring?utm_source=meta&utm_campaign=spring"


@pytest.fixture
def stored(api: ModuleType, account_id: str) -> str:
    """Three campaigns, of which one has no name by the pattern; ads with and without a landing page, one is deleted."""
    common: dict[str, Any] = {"platform": META, "profile_id": "1"}
    profile = Profile(account_id=account_id, name="n", currency="EUR", timezone="UTC", **common)
    names = {"c1": "DE_social", "c2": "FR_social", "c3": "Black Friday"}
    campaigns = [AdCampaign(id=each, campaign_id=each, name=name, **common) for each, name in names.items()]
    group = AdGroup(id="g1", campaign_id="c1", ad_group_id="g1", name="broad", **common)
    pages = {"a1": PAGE, "a2": "fb://page/1", "a3": None}
    ads = [
        Ad(id=each, campaign_id=f"c{each[1]}", ad_group_id="g1", landing_page_url=page, name=each, **common)
        for each, page in pages.items()
    ]
    api.app.catalog.put_objects([profile, *campaigns, group, *ads], T1)
    for level, ids in ((Level.CAMPAIGN, ("c1", "c2", "c3")), (Level.AD, ("g1~a1", "g1~a2", "g1~a3", "g1~gone"))):
        rows = PullRows()
        for number, entity in enumerate(ids, 1):
            parents = ("", "") if level is Level.CAMPAIGN else (f"c{number}", "g1")
            rows.offer(MetricRow(entity, "2026-11-01", 100, 10, 0, number * 1_000_000, 0, *parents, -1, "EUR"))
        stamp = Stamp(T1, f"t-{level}")
        api.app.metrics.load(Pull(META, "1", level, Grain.DAY, Source.PULL, "all", DAYS, stamp, True), rows)
    return account_id


def named(call: Call, account_id: str, **patterns: str | None) -> dict[str, str]:
    found: dict[str, str] = call("PATCH", f"/api/v1/accounts/{account_id}", {"naming": patterns})["naming"]
    return found


def findings(call: Call, **query: str) -> dict[str, dict[str, Any]]:
    found = call("GET", "/api/v1/quality/naming", **(RANGE | query))["findings"]
    return {each["subject"]: each for each in found}


def test_given_a_pattern_when_campaigns_and_ads_are_read_then_names_and_pages_have_their_parts(
    call: Call, stored: str
) -> None:
    assert (
        call("GET", "/api/v1/platform-campaigns", fields="name_parts")["platform_campaigns"]
        == [{"name_parts": None}] * 3
    )
    assert named(call, stored, campaign=PATTERN) == {"campaign": PATTERN}

    campaigns = call("GET", "/api/v1/platform-campaigns", fields="id,name_parts")["platform_campaigns"]
    ads = call("GET", "/api/v1/ads", fields="ad_id,landing_page")["ads"]
    body = {"data_type": "campaigns"}
    retrieved = call("POST", "/api/v1/data_pipeline/retrieve", body)["result"]["records"]

    assert [each["name_parts"] for each in campaigns] == [
        {"market": "DE", "channel": "social"},
        {"market": "FR", "channel": "social"},
        None,
    ]
    assert [each["name_parts"] for each in retrieved] == [each["name_parts"] for each in campaigns]
    assert [each["landing_page"] for each in ads] == [
        {"host": "shop.example.com", "path": "/spring", "utm": {"source": "meta", "campaign": "spring"}},
        None,
        None,
    ]


def test_given_names_that_do_not_fit_when_asked_then_they_are_a_finding_with_their_share_of_spend(
    call: Call, stored: str
) -> None:
    assert set(findings(call)) == {"landing_page"}  # without a pattern no name is wrong
    named(call, stored, campaign=PATTERN, ad_group="{audience}")

    found = findings(call)

    campaigns = found["campaign_name"]
    assert (campaigns["spend"], campaigns["unparsed"], campaigns["unparsed_spend"]) == (6, 1, 3)
    assert (campaigns["share_of_spend"], campaigns["pattern"], campaigns["absent"]) == (0.5, PATTERN, 0)
    assert campaigns["examples"] == [{"id": "c3", "text": "Black Friday", "spend": 3}]
    assert (found["ad_group_name"]["spend"], found["ad_group_name"]["unparsed"]) == (10, 0)
    pages = found["landing_page"]
    assert (pages["spend"], pages["unparsed_spend"], pages["share_of_spend"]) == (10, 2, 0.2)
    assert pages["examples"] == [{"id": "a2", "text": "fb://page/1", "spend": 2}]
    # one ad has no page, and one is in no list any more
    assert (pages["absent"], pages["absent_spend"]) == (2, 7)
    assert findings(call, platform="amazon") == {}


def test_given_days_that_were_not_pulled_when_asked_then_no_share_is_told(call: Call, stored: str) -> None:
    pages = findings(call, start="2026-10-01", end="2026-10-02")["landing_page"]
    assert (pages["spend"], pages["unparsed"], pages["share_of_spend"], pages["currency"]) == (0, 0, None, "EUR")


def test_given_patterns_when_one_is_changed_then_the_others_stay_and_null_removes_one(call: Call, stored: str) -> None:
    assert named(call, stored, campaign=PATTERN, ad="{size}") == {"campaign": PATTERN, "ad": "{size}"}
    assert named(call, stored, ad=None) == {"campaign": PATTERN}
    assert call("GET", f"/api/v1/accounts/{stored}")["naming"] == {"campaign": PATTERN}
    error = call("PATCH", f"/api/v1/accounts/{stored}", {"naming": {"ad": "{a}{b}"}}, expect=422)["error"]
    assert error["details"][0]["field"] == "naming.ad"
    assert call("GET", f"/api/v1/accounts/{stored}")["naming"] == {"campaign": PATTERN}


@at_the_bound("MAX_UNPARSED_NAMED", as_if=2)
def test_the_examples_of_a_finding(size: int, fits: bool, call: Call, stored: str) -> None:
    named(call, stored, campaign="{a}-{b}" if size == 3 else "{a} {b}")  # three names do not fit, or two
    found = findings(call)["campaign_name"]
    assert (found["unparsed"], len(found["examples"]) == found["unparsed"]) == (size, fits)
    assert found["examples"][0]["spend"] == (2 if fits else 3)
