"""Ads of `GET /api/v1/ads` with what is stored of what models say of them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.model.entities import Ad, AdCampaign, Profile
from adweir.model.errors import TooLarge
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.reporting.lists import RecordLists
from adweir.reporting.query import Queries
from adweir.store.catalog.references import ReferenceRow
from adweir.store.metrics.store import PullRows
from support.api import DAYS, META, T1, Call, an_event, fill
from support.bounds import at_the_bound

RANGE = {"start": "2026-11-01", "end": "2026-11-02"}


def copy_of(enrichment: dict[str, Any]) -> dict[str, Any]:
    """What models say of an ad's words."""
    return {name: part for name, part in enrichment.items() if name not in {"performance", "audience"}}


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
    assert copy_of(said["a1"]) == copy_of(said["a2"])
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

    assert (second["ad_id"], copy_of(second["enrichment"])) == ("a2", copy_of(first["ads"][0]["enrichment"]))
    assert second["enrichment"]["performance"]["ctr"]["hits"] == second["clicks"] == 40


def test_in_a_table_it_is_a_column_of_json(api: ModuleType, enriched: str) -> None:
    event = an_event("GET", "/api/v1/ads", format="csv", include="enrichment", fields="ad_id", order="ad_id", **RANGE)
    rows = list(csv.DictReader(io.StringIO(api.handler(event, SimpleNamespace())["body"])))

    assert rows[0].keys() == {"ad_id", "enrichment"}
    assert json.loads(rows[0]["enrichment"])["sentiment"]["provider"] == "local"


# --- how ads did


def performances(call: Call, **asked: str) -> dict[tuple[str, str], dict[str, Any]]:
    """By ad account and ad."""
    ads = call("GET", "/api/v1/ads", include="enrichment", **{**RANGE, **asked})["ads"]
    return {(ad["account_id"], ad["ad_id"]): ad["enrichment"]["performance"] for ad in ads}


def test_an_ad_is_compared_with_all_ads_of_its_kind_whichever_are_listed(call: Call, enriched: str) -> None:
    """Given four ads that were shown 2,000 times in two ad accounts, then each is ranked among them, also when only one
    is asked for."""
    every = performances(call)
    (alone,) = performances(call, ad_id="a2", profile_id="222").values()

    assert alone == every["222", "a2"]
    assert alone["compared_with"] == {"platform": "meta_ads", "objective": None, "format": "text", "ads": 6}
    ctr = alone["ctr"]
    assert (ctr["hits"], ctr["trials"], ctr["ranked"], ctr["percentile"]) == (40, 2000, 4, 75)
    assert ctr["prior"]["mean"] == 0.015
    assert 0.015 < ctr["rate"] < 0.02
    assert ctr["low"] < ctr["rate"] < ctr["high"]
    lowest = every["111", "a1"]["ctr"]
    assert (0.01 < lowest["rate"] < 0.015, lowest["percentile"]) == (True, 25)


def test_an_ad_that_nobody_saw_is_as_likely_clicked_as_its_kind_and_has_no_rank(call: Call, enriched: str) -> None:
    unseen = performances(call)["111", "a3"]["ctr"]

    assert (unseen["rate"], unseen["trials"], unseen["percentile"], unseen["ranked"]) == (0.015, 0, None, 0)


def test_ads_of_another_objective_or_format_are_no_kin(api: ModuleType, call: Call, enriched: str) -> None:
    """Given a video of one ad account, and another objective in the other one, then each kind has its own ads alone."""
    own = {"platform": META, "profile_id": "111", "campaign_id": "c1", "ad_group_id": "g1"}
    later = "2026-11-20T01:00:00.000000Z"
    video = Ad(id="a1", headline="Hello", video_url="https://v.example/1", **own)
    leads = AdCampaign(platform=META, profile_id="222", id="c1", campaign_id="c1", objective="LEADS")
    api.app.catalog.put_objects([video, leads], later)

    kinds = {key: found["compared_with"] for key, found in performances(call).items()}

    assert (kinds["111", "a1"]["format"], kinds["111", "a1"]["ads"]) == ("video", 1)
    assert (kinds["222", "a1"]["objective"], kinds["222", "a1"]["ads"]) == ("LEADS", 2)
    assert kinds["111", "a2"]["ads"] == 3
    lone = performances(call)["111", "a1"]["ctr"]
    assert (lone["prior"], lone["rate"], lone["percentile"], lone["ranked"]) == (None, 0.01, None, 1)


def test_other_clients_ads_and_benchmarks_are_nobody_else_s(api: ModuleType, call: Call, enriched: str) -> None:
    before = performances(call, account_id=enriched)
    other = Profile(account_id="acc_b", platform=META, profile_id="9", name="B", currency="EUR", timezone="UTC")
    seen = MetricRow("g1~b1", "2026-11-01", 9000, 900, 0, 0, 0, "c9", "g1", -1, "EUR")
    rows = PullRows()
    rows.offer(seen)
    ad = Ad(platform=META, profile_id="9", id="b1", campaign_id="c9", ad_group_id="g1", headline="Hello")
    api.app.catalog.put_objects([other, ad], T1)
    api.app.metrics.load(
        Pull(META, "9", Level.AD, Grain.DAY, Source.PULL, "all", DAYS, Stamp(T1, "t9"), complete=True), rows
    )
    cells = {"industry": "shoes", "metric": "ctr", "value": "0.5"}
    api.app.catalog.put_references("acc_b", "benchmarks", [ReferenceRow(Platform("bank"), "k", cells)], T1)

    assert performances(call, account_id=enriched) == before
    assert performances(call)["111", "a2"] == before["111", "a2"]


def test_rates_stand_beside_the_newest_benchmarks_that_the_client_dropped(
    api: ModuleType, call: Call, enriched: str
) -> None:
    """Given benchmarks of two days, of another platform, of money and of nothing, then those that fit are shown with
    their source and day."""
    fits = {"industry": "shoes", "platform": "facebook", "publisher": "Weir", "metric": "ctr"}
    rows = [
        fits | {"date": "2025-01-01", "value": "0.5"},
        fits | {"date": "2026-01-01", "value": "0.01"},
        fits | {"platform": "google", "value": "0.3"},
        fits | {"platform": "unheard_of", "value": "0.3"},
        fits | {"metric": "cpc", "value": "0.3"},
        fits | {"industry": "hats", "value": "0"},
        {"industry": "all", "metric": "conversion_rate", "value": "0.25"},
    ]
    named = [ReferenceRow(Platform("bank"), str(number), cells) for number, cells in enumerate(rows)]
    api.app.catalog.put_references(enriched, "benchmarks", named, T1)

    found = performances(call)["111", "a2"]

    (ctr,), (cvr,) = found["ctr"]["benchmarks"], found["cvr"]["benchmarks"]
    assert ctr == {
        "source": "bank", "publisher": "Weir", "industry": "shoes", "geo": None, "platform": "meta_ads",
        "date": "2026-01-01", "value": 0.01, "ratio": pytest.approx(100 * found["ctr"]["rate"], abs=1e-6),
    }  # fmt: skip
    assert (cvr["platform"], cvr["date"], cvr["value"]) == (None, None, 0.25)


@at_the_bound("MAX_SHOWN_BENCHMARKS")
def test_so_many_benchmarks_of_a_rate_are_shown(
    api: ModuleType, call: Call, enriched: str, size: int, fits: bool
) -> None:
    rows = [{"industry": str(number), "metric": "ctr", "value": "0.1"} for number in range(size)]
    named = [ReferenceRow(Platform("bank"), str(number), cells) for number, cells in enumerate(rows)]
    api.app.catalog.put_references(enriched, "benchmarks", named, T1)

    assert (len(performances(call)["111", "a2"]["ctr"]["benchmarks"]) == size) == fits


def test_a_portfolio_that_is_too_large_leaves_the_rest_as_it_is(
    call: Call, enriched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = RecordLists.all

    def narrow(self: RecordLists, asked: Any, now: Any) -> Any:
        if "ad_id" not in asked.filters:
            raise TooLarge("too many")
        return whole(self, asked, now)

    monkeypatch.setattr(RecordLists, "all", narrow)
    (ad,) = call("GET", "/api/v1/ads", include="enrichment", ad_id="a2", profile_id="111", **RANGE)["ads"]

    assert ad["enrichment"]["performance"] is None
    assert ad["enrichment"]["sentiment"]


# --- whom they reached


@pytest.fixture
def reached(api: ModuleType, enriched: str) -> None:
    """Of the campaign of one ad account, ages of a day: one clicks twice as often as another, one was hardly seen."""
    rows = PullRows()
    for value, impressions, clicks in (("18-24", 4000, 120), ("25-34", 6000, 90), ("65+", 999, 0)):
        slot = (impressions, clicks, None, 1_000_000, None)
        rows.offer(MetricRow(f"g1~a1~{value}/female", "2026-11-01", *slot, "c1", "g1", -1, "EUR"))
    pull = Pull(META, "111", Level.AD, Grain.DAY, Source.PULL, "all", DAYS, Stamp(T1, "t-ages"), complete=True)
    api.app.metrics.load(replace(pull, breakdown="age_gender"), rows)


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize("days", [RANGE, {"time_range": "last_30_days"}])
def test_segments_have_an_index_of_their_click_rate(call: Call, days: dict[str, str]) -> None:
    ads = call("GET", "/api/v1/ads", include="enrichment", **days)["ads"]
    found = {(ad["account_id"], ad["ad_id"]): ad["enrichment"]["audience"] for ad in ads}

    assert found["111", "a1"] == found["111", "a2"]
    assert found["222", "a1"] is None
    older, younger, few = found["111", "a1"]["age"]
    assert (older["value"], older["impressions"], older["clicks"]) == ("25-34", 6000, 90)
    overall = 210 / 10_999
    assert younger["index"] == pytest.approx(0.03 / overall, abs=1e-6)
    assert (younger["low"] > 1, older["high"] < 1) == (True, True)
    assert (few["value"], few["index"], few["low"], few["high"]) == ("65+", None, None, None)
    assert "country" not in found["111", "a1"]


@pytest.mark.usefixtures("reached")
def test_segments_that_take_too_long_are_left_out(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Queries.answer

    def slow(self: Queries, query: Any) -> Any:
        if "age" in query.dimensions:
            raise TooLarge("too long")
        return whole(self, query)

    monkeypatch.setattr(Queries, "answer", slow)
    ads = call("GET", "/api/v1/ads", include="enrichment", profile_id="111", **RANGE)["ads"]

    assert {ad["enrichment"]["audience"] for ad in ads} == {None}


def test_a_list_without_ads_has_nothing_to_enrich(call: Call, enriched: str) -> None:
    assert call("GET", "/api/v1/ads", include="enrichment", ad_id="none", **RANGE)["ads"] == []
