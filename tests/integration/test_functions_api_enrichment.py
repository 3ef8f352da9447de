"""Ads of `GET /api/v1/ads` with what is stored of what models say of them."""

from __future__ import annotations

import csv
import io
import json
from types import ModuleType, SimpleNamespace

import pytest

from adweir.model.entities import Ad
from support.api import META, T1, Call, an_event, fill

RANGE = {"start": "2026-11-01", "end": "2026-11-02"}


@pytest.fixture
def enriched(api: ModuleType, account_id: str) -> str:
    """The usual world of a client, enriched; since then an ad has come, and there is one without words."""
    fill(api, account_id)
    own = {"platform": META, "profile_id": "111", "campaign_id": "c1", "ad_group_id": "g1"}
    api.app.catalog.put_objects([Ad(id="a3", **own)], T1)
    api.app.enricher.enrich(account_id, lambda: 300.0, 1.0)
    api.app.catalog.put_objects([Ad(id="a4", headline="$40 off all boots", **own)], T1)
    return account_id


def test_ads_have_what_models_said_of_them_or_why_nothing(call: Call, enriched: str) -> None:
    ads = call("GET", "/api/v1/ads", profile_id="111", include="enrichment", **RANGE)["ads"]

    said = {ad["ad_id"]: ad["enrichment"] for ad in ads}
    assert said["a1"] == said["a2"]
    assert said["a1"]["sentiment"]["polarity"] in {"positive", "neutral", "negative"}
    assert said["a1"]["topics"]["topics"][0]["topic"] == "unknown"
    assert (said["a1"]["entities"]["entities"], said["a1"]["reason"]) == ([], None)
    assert {said[ad_id]["reason"] for ad_id in ("a3", "a4")} == {"the ad has no words", "no run has enriched it yet"}


def test_amounts_that_ads_name_are_exact_numbers(api: ModuleType, call: Call, enriched: str) -> None:
    api.app.enricher.enrich(enriched, lambda: 300.0, 1.0)

    asked = {"ad_id": "a4", "include": "enrichment", "fields": "ad_id"}
    (ad,) = call("GET", "/api/v1/ads", **asked)["ads"]

    assert ad.keys() == {"ad_id", "enrichment"}
    assert ad["enrichment"]["entities"]["entities"] == [
        {"kind": "discount", "text": "$40 off", "value": 40, "unit": "USD"}
    ]


def test_ads_that_are_asked_for_without_it_have_none(call: Call, enriched: str) -> None:
    assert all("enrichment" not in ad for ad in call("GET", "/api/v1/ads", **RANGE)["ads"])


def test_later_pages_have_it_too(call: Call, enriched: str) -> None:
    asked = {"profile_id": "111", "include": "enrichment", "order": "ad_id", "limit": "1", **RANGE}
    first = call("GET", "/api/v1/ads", **asked)

    (second,) = call("GET", "/api/v1/ads", next_token=first["next_token"], **asked)["ads"]

    assert (second["ad_id"], second["enrichment"]) == ("a2", first["ads"][0]["enrichment"])


def test_in_a_table_it_is_a_column_of_json(api: ModuleType, enriched: str) -> None:
    event = an_event("GET", "/api/v1/ads", format="csv", include="enrichment", fields="ad_id", order="ad_id", **RANGE)
    rows = list(csv.DictReader(io.StringIO(api.handler(event, SimpleNamespace())["body"])))

    assert rows[0].keys() == {"ad_id", "enrichment"}
    assert json.loads(rows[0]["enrichment"])["sentiment"]["provider"] == "local"
