"""Media mix through the API: coefficients, their versions, reallocations; of client companies and campaigns."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from adweir.model.campaigns import Campaign
from adweir.store.findings.coefficients import LookResult, MixLook
from support.api import Call, an_event
from support.mix_versions import effect, outcome, put_version

OWN = "acc_own"
PATH = f"/api/v1/accounts/{OWN}/mmm"
T1, T2 = "2026-11-19T00:00:00.000000Z", "2026-11-20T00:00:00.000000Z"
REFUSED = MixLook("USD", "weekly", "revenue", LookResult.NOT_READY, T1, "run_1", "not pulled: 2026-11-01")

MANIFEST: dict[str, Any] = {
    "account_id": OWN,
    "account_name": "Own Company",
    "currency": "USD",
    "first_date": "2026-11-01",
    "last_date": "2026-11-19",
    "last_settled_date": None,
    "files": {},
    "tables": {},
}


@pytest.fixture
def world(api: ModuleType) -> ModuleType:
    api.app.catalog.create_account(OWN, "Own Company", "a@own.example")
    return api


@pytest.fixture
def campaign(world: ModuleType) -> Campaign:
    found: Campaign = world.app.campaigns.create(OWN, {"name": "Summer"})
    return found


def test_coefficients_are_shown_with_intervals_curves_and_exact_numbers(world: ModuleType, call: Call) -> None:
    put_version(world.app.findings.mix, OWN)

    (found,) = call("GET", PATH)["coefficients"]

    assert (found["currency"], found["table"], found["kpi"], found["version"]) == ("USD", "daily", "revenue", 1)
    meta = found["channels"][0]
    assert meta["channel"] == "meta_ads"
    assert meta["contribution"] == {"estimate": 30000, "low": 15000, "high": 45000}
    assert meta["roi"] == meta["fitted_roi"] == {"estimate": 3, "low": 1.5, "high": 4.5}
    assert meta["saturation"]["family"] == "hill"
    assert meta["saturation"]["beta"]["estimate"] == 600
    assert meta["adstock"] == {"type": "geometric", "theta": 0.4, "l_max": 36, "normalize": True}
    assert [point["spend"] for point in meta["curve"]] == [0, 5000, 10000, 15000, 20000]
    assert found["fit"]["r2"] == 0.91
    assert sum(move["proposed"] for move in found["reallocation"]["moves"]) == found["reallocation"]["budget"] == 15000
    assert found["reallocation"]["gain"]["estimate"] > 0
    assert '"scale":75.5' in world.handler(an_event("GET", PATH), None)["body"]


def test_why_there_is_no_fit_is_shown_of_the_last_look_at_each_table(world: ModuleType, call: Call) -> None:
    store = world.app.findings.mix
    store.note(OWN, REFUSED)
    store.note(OWN, REFUSED._replace(kpi="conversions", at=T2, reason="no channel"))
    store.note(OWN, REFUSED._replace(table="daily", result=LookResult.FITTED, reason="", version=3))

    answer = call("GET", PATH)

    assert answer["coefficients"] == []
    shown = [(look["table"], look["result"], look["reason"], look["version"]) for look in answer["looks"]]
    assert shown == [("daily", "fitted", "", 3), ("weekly", "not_ready", "no channel", 0)]
    refused = call("GET", f"{PATH}/versions", expect=404)["error"]
    assert "weekly in USD: no channel" in refused["message"]


def test_versions_are_listed_newest_first_and_one_is_shown_whole(world: ModuleType, call: Call) -> None:
    store = world.app.findings.mix
    for roi in (2.0, 3.0):
        put_version(store, OWN, outcome(effect("meta_ads", 10_000.0, roi), effect("amazon_ads", 5_000.0, 1.0)))

    listed = call("GET", f"{PATH}/versions")["versions"]

    assert [(each["version"], each["channels"][0]["roi"]["estimate"]) for each in listed] == [(2, 3), (1, 2)]
    assert "curve" not in listed[0]["channels"][0]
    first = call("GET", f"{PATH}/versions/1")
    assert (first["version"], first["run_id"], len(first["channels"][0]["curve"])) == (1, "run_1", 5)
    assert "no version 3" in call("GET", f"{PATH}/versions/3", expect=404)["error"]["message"]


def test_of_several_series_the_caller_names_one(world: ModuleType, call: Call) -> None:
    store = world.app.findings.mix
    for table, currency in (("daily", "USD"), ("geo_daily", "USD"), ("daily", "EUR")):
        put_version(store, OWN, table=table, currency=currency)

    refused = call("POST", f"{PATH}/reallocation", {}, expect=422)["error"]

    assert "currency=EUR table=daily kpi=revenue" in refused["message"]
    assert [each["field"] for each in refused["details"]] == ["currency", "table"]
    assert call("GET", f"{PATH}/versions", table="geo_daily")["versions"][0]["table"] == "geo_daily"
    found = call("POST", f"{PATH}/reallocation", {"currency": "eur", "table": "daily"})
    assert (found["currency"], found["version"]) == ("EUR", 1)


def test_a_budget_goes_where_it_brings_most_within_bounds(world: ModuleType, call: Call) -> None:
    """Given square roots of which one brings more per unit, then it gets more, up to its bound."""
    put_version(world.app.findings.mix, OWN)

    free = call("POST", f"{PATH}/reallocation", {"days": 73, "budget": 3000})
    assert (free["budget"], free["days"]) == (3000, 73)
    now = {move["channel"]: (move["now"], move["least"], move["most"]) for move in free["moves"]}
    assert now == {"meta_ads": (2000, 1000, 3000), "amazon_ads": (1000, 500, 1500)}
    assert {move["channel"]: move["proposed"] for move in free["moves"]}["meta_ads"] == 2500
    gain = free["gain"]
    assert 0 < gain["low"] < gain["estimate"] < gain["high"]

    bounds = {"meta_ads": {"least": 2100, "most": 2200}}
    held = call("POST", f"{PATH}/reallocation", {"days": 73, "budget": 3000, "bounds": bounds})
    assert {move["channel"]: move["proposed"] for move in held["moves"]} == {"meta_ads": 2200, "amazon_ads": 800}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"budget": 1}, "does not lie between"),
        ({"bounds": {"television": {"least": 1}}}, "'television' is no channel of this fit"),
        ({"bounds": {"meta_ads": {"least": 9, "most": 5}}}, "bounds.meta_ads"),
        ({"budget": 10**9}, "the data say nothing of more than 30,000.00"),
        ({"budget": 1e30}, "less than or equal to 1000000000000"),
        ({"budget": "Infinity"}, "finite number"),
        ({"bounds": {"meta_ads": {"most": 1e30}}}, "less than or equal to 1000000000000"),
        ({"days": 0}, "days"),
        ({"days": True}, "valid integer"),
        ({"bugdet": 5}, "bugdet"),
    ],
)
def test_what_cannot_be_distributed_is_refused_with_what_to_do(
    world: ModuleType, call: Call, body: dict[str, Any], says: str
) -> None:
    put_version(world.app.findings.mix, OWN)
    error = call("POST", f"{PATH}/reallocation", body, expect=422)["error"]
    assert says in json.dumps(error)


def test_a_number_that_json_does_not_have_is_refused_with_its_place(world: ModuleType) -> None:
    event = an_event("POST", f"{PATH}/reallocation", {}) | {"body": '{"budget": NaN}'}

    answer = world.handler(event, None)

    assert answer["statusCode"] == 400
    (detail,) = json.loads(answer["body"])["error"]["details"]
    assert detail == {"field": "body", "message": "is not JSON: invalid character (byte 11)"}


def test_a_campaign_has_its_own_coefficients_and_datasets(world: ModuleType, call: Call, campaign: Campaign) -> None:
    store, key = world.app.findings.mix, campaign.campaign_id
    put_version(store, OWN)
    put_version(store, key, outcome(effect("meta_ads", 100.0, 2.0)))
    for place, of in (("", None), (f"/campaign={key}", key)):
        manifest = MANIFEST | {"campaign_id": of}
        world.app.raw.put(f"mmm/{OWN}/USD{place}/mmm_manifest.json", json.dumps(manifest).encode())
    path = f"/api/v1/campaigns/{key}/mmm"

    found = call("GET", path)

    assert [each["campaign_id"] for each in found["datasets"]] == [key]
    assert [each["channels"][0]["spend"] for each in found["coefficients"]] == [100]
    assert found["coefficients"][0]["reallocation"] is None
    assert [each["version"] for each in call("GET", f"{path}/versions")["versions"]] == [1]
    assert call("GET", f"{path}/versions/1")["channels"][0]["channel"] == "meta_ads"
    assert call("POST", f"{path}/reallocation", {"days": 73})["budget"] == 20
    assert len(call("GET", PATH)["datasets"]) == 2
    for method, end in (("GET", ""), ("GET", "/versions"), ("GET", "/versions/1"), ("POST", "/reallocation")):
        body: Any = {} if method == "POST" else None
        call(method, f"/api/v1/campaigns/cmp_unknown/mmm{end}", body, expect=404)
