"""`data_pipeline/process` and `validate`: what is calculated, added and found; nothing is stored."""

from __future__ import annotations

from datetime import date
from types import ModuleType
from typing import Any

import pytest

from adweir.model.data_types import DATA_TYPES
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.metrics.store import PullRows
from support.api import META, T1, Call, fill, stored
from support.bounds import at_the_bound

CAMPAIGN = {"campaign_id": "c1", "impressions": 1000, "clicks": 50, "spend": 25.5, "conversions": 5, "revenue": 100}
DAY = "2026-11-02"


def body(*records: Any, data_type: str = "campaign_performance", **more: Any) -> dict[str, Any]:
    return {"data_type": data_type, "data": {"records": [*records]}} | more


def processed(pipeline: Call, *records: Any, audience: bool = False, **more: Any) -> Any:
    options = {"calculate_metrics": True, "enrich_with_audience_data": audience}
    return pipeline("process", body(*records, processing_options=options, **more))


@pytest.fixture
def audience(api: ModuleType, account_id: str) -> None:
    """Ads of the campaign c1 of an ad account, of which age and gender, and countries were pulled for a day."""
    fill(api, account_id)
    for breakdown, values in (
        ("age_gender", {"18-24/female": 300, "18-24/male": 100, "25-34/female": 600}),
        ("country", {"DE": 750, "AT": 250}),
    ):
        rows = PullRows()
        for value, impressions in values.items():
            slot = (impressions, impressions // 100, None, impressions * 10_000, None)
            rows.offer(MetricRow(f"g1~a1~{value}", DAY, *slot, "c1", "g1", -1, "EUR"))
        window = Window(date(2026, 11, 2), date(2026, 11, 2))
        stamp = Stamp(T1, f"t-{breakdown}")
        api.app.metrics.load(
            Pull(
                META, "111", Level.AD, Grain.DAY, Source.PULL, "all", window, stamp, complete=True, breakdown=breakdown
            ),
            rows,
        )


def test_ratios_follow_from_a_record_s_own_numbers(api: ModuleType, pipeline: Call) -> None:
    before = stored(api)
    result = processed(pipeline, CAMPAIGN, {"campaign_id": "c2", "impressions": 10, "clicks": 0, "cost": "1.5"})
    whole, poor = result["records"]
    assert {name: whole[name] for name in ("ctr", "cvr", "conversion_rate", "cpa", "cpc", "cpm", "roas", "acos")} == {
        "ctr": 0.05,
        "cvr": 0.1,
        "conversion_rate": 0.1,
        "cpa": 5.1,
        "cpc": 0.51,
        "cpm": 25.5,
        "roas": 3.921569,
        "acos": 0.255,
    }
    assert whole.keys() >= CAMPAIGN.keys()
    assert (sorted(whole["added"]), whole["not_added"]) == (
        sorted(["ctr", "cvr", "conversion_rate", "cpa", "cpc", "cpm", "roas", "acos"]),
        {},
    )
    assert (poor["ctr"], poor["cpm"], poor["cpc"], poor["roas"]) == (0, 150, None, None)
    assert poor["not_added"]["cpc"] == "clicks is 0"
    assert poor["not_added"]["roas"] == "revenue unknown"
    assert stored(api) == before


def test_every_data_type_is_processed_or_says_why_nothing_is_added(pipeline: Call) -> None:
    given = {
        "web_analytics": ({"sessions": 10, "pageviews": 25, "revenue": 5}, {"pageviews_per_session": 2.5}),
        "orders": ({"order_id": "1", "revenue": 10.1, "refunded": 0.2, "conversions": 2}, {"net_revenue": 9.9}),
        "invoices": ({"amount": 100.25, "tax": 19}, {"total": 119.25}),
        "rates": ({"base": "EUR", "quote": "USD", "rate": 1.1}, {}),
    }
    for name in DATA_TYPES:
        record, expected = given.get(name, ({"clicks": 1, "impressions": 4}, {}))
        (found,) = processed(pipeline, record, data_type=name, audience=True)["records"]
        assert {field: found[field] for field in expected} == expected
        assert found["added"] or found["not_added"]
        assert found["audience"] is None
        assert found["not_added"]["audience"]


@pytest.mark.parametrize(
    ("record", "field"),
    [({"clicks": -1}, "clicks"), ({"clicks": 1.5}, "clicks"), ({"spend": "much"}, "spend"), ({"spend": [1]}, "spend")],
)
def test_a_number_that_is_none_is_refused(pipeline: Call, record: dict[str, Any], field: str) -> None:
    refused = pipeline("process", body(CAMPAIGN, record), expect=422)
    assert [each["field"] for each in refused["details"]] == [f"data.records.1.{field}"]


def test_no_record_is_processed_into_none(pipeline: Call) -> None:
    assert processed(pipeline)["records"] == []


@pytest.mark.usefixtures("audience")
def test_the_shares_of_a_campaign_s_audience_are_added(pipeline: Call) -> None:
    """Given breakdowns of a campaign, then each record of it has their shares, and another says that it has none."""
    other = CAMPAIGN | {"campaign_id": "c2", "date": DAY}
    result = processed(pipeline, CAMPAIGN | {"date": DAY, "platform": "facebook"}, other, audience=True)
    mine, none = result["records"]
    assert result["audience_days"] == {"start": DAY, "end": DAY}
    assert {value: share["impressions"] for value, share in mine["audience"]["age"].items()} == {
        "18-24": 0.4,
        "25-34": 0.6,
    }
    assert {value: share["spend"] for value, share in mine["audience"]["gender"].items()} == {
        "female": 0.9,
        "male": 0.1,
    }
    assert {value: share["clicks"] for value, share in mine["audience"]["country"].items()} == {
        "DE": 0.777778,
        "AT": 0.222222,
    }
    assert "audience" in mine["added"]
    assert none["audience"] is None
    assert "no breakdown" in none["not_added"]["audience"]


@pytest.mark.usefixtures("audience")
def test_spend_in_several_currencies_has_no_shares(api: ModuleType, pipeline: Call) -> None:
    """Given an ad account that changed its currency, then counts have shares, and amounts that nobody can add none."""
    rows = PullRows()
    rows.offer(MetricRow("g1~a1~DE", "2026-11-03", 1000, 10, None, 10_000_000, None, "c1", "g1", -1, "USD"))
    window = Window(date(2026, 11, 3), date(2026, 11, 3))
    stamp = Stamp("2026-11-20T00:00:00.000000Z", "t-later")
    by_country = Pull(
        META, "111", Level.AD, Grain.DAY, Source.PULL, "all", window, stamp, complete=True, breakdown="country"
    )
    api.app.metrics.load(by_country, rows)

    days = (CAMPAIGN | {"date": day} for day in (DAY, "2026-11-03"))
    record, _ = processed(pipeline, *days, audience=True)["records"]

    shares = record["audience"]["country"]
    assert {value: (each["impressions"], each["spend"]) for value, each in shares.items()} == {
        "AT": (0.125, None),
        "DE": (0.875, None),
    }
    assert record["audience"]["gender"]["female"]["spend"] == 0.9


@pytest.mark.usefixtures("audience")
def test_the_audience_of_another_day_platform_or_ad_account_is_not_added(pipeline: Call) -> None:
    (later,) = processed(pipeline, CAMPAIGN | {"date": "2026-11-05"}, audience=True)["records"]
    (google,) = processed(pipeline, CAMPAIGN | {"date": DAY}, audience=True, source="google")["records"]
    (other,) = processed(pipeline, CAMPAIGN | {"date": DAY, "profile_id": "222"}, audience=True)["records"]
    assert [each["audience"] for each in (later, google, other)] == [None, None, None]
    (undated,) = processed(pipeline, CAMPAIGN, audience=True)["records"]
    assert undated["audience"]["country"]["DE"]["impressions"] == 0.75


def test_ads_come_with_what_models_say_of_them(api: ModuleType, pipeline: Call) -> None:
    """Given an ad with words and one without, when kinds are named, then each says which it has and why not."""
    before, options = stored(api), {"calculate_metrics": False, "enrich_with": ["entities", "sentiment"]}
    given = body({"ad_id": "1", "headline": "Socks, 20% off"}, {"ad_id": "2"}, data_type="ads")

    said, silent = pipeline("process", given | {"processing_options": options})["records"]

    assert (said["ad_id"], said["headline"]) == ("1", "Socks, 20% off")
    assert said["added"] == ["enrichment.entities", "enrichment.sentiment"]
    assert said["enrichment"].keys() == {"content_hash", "entities", "sentiment"}
    assert said["enrichment"]["entities"]["entities"] == [
        {"kind": "discount", "text": "20% off", "value": 20, "unit": "%"}
    ]
    assert (silent["added"], silent["enrichment"]["sentiment"]) == ([], None)
    assert silent["not_added"] == dict.fromkeys(said["added"], "the ad has no words")
    assert stored(api) == before


@at_the_bound("MAX_ENRICH_KINDS")
def test_so_many_kinds_may_be_named(pipeline: Call, size: int, fits: bool) -> None:
    given = body({"ad_id": "1"}, data_type="ads", processing_options={"enrich_with": ["topics"] * size})
    pipeline("process", given, expect=200 if fits else 422)


@pytest.mark.parametrize(
    ("data_type", "kind", "message"),
    [
        ("ads", "colour", "'colour' is not one of sentiment, topics, entities"),
        ("campaign_performance", "topics", "enrich_with is for the data type ads"),
    ],
)
def test_what_nothing_can_be_enriched_with_is_refused(pipeline: Call, data_type: str, kind: str, message: str) -> None:
    given = body(CAMPAIGN, data_type=data_type, processing_options={"enrich_with": [kind]})
    refused = pipeline("process", given, expect=422)
    assert refused["details"][0]["field"] == "processing_options.enrich_with"
    assert message in refused["message"]


def test_records_that_take_too_long_to_enrich_are_too_many(
    api: ModuleType, pipeline: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = api.app.settings.model_copy(update={"function_timeout_seconds": -1})
    monkeypatch.setattr(api.app, "settings", short)
    given = body({"ad_id": "1"}, data_type="ads", processing_options={"enrich_with": ["topics"]})
    assert "send fewer per call" in pipeline("process", given, expect=413)["message"]


def test_without_rules_records_are_checked_as_store_checks_them(api: ModuleType, pipeline: Call) -> None:
    before = stored(api)
    bad = [CAMPAIGN | {"clicks": -1}, {"impressions": 1}]
    found = pipeline("validate", body(CAMPAIGN, *bad))
    assert (found["validation_passed"], found["issues_found"]) == (False, 2)
    assert [(each["row"], each["field"], each["value"]) for each in found["issues"]] == [
        (1, "clicks", -1),
        (2, "campaign_id", None),
    ]
    assert pipeline("validate", body(CAMPAIGN))["validation_passed"] is True
    assert pipeline("validate", body(CAMPAIGN | {"spend": "x"}))["issues"][0]["field"] == "spend"
    found = pipeline("validate", body({"amount": 1}, {"tax": 1}, data_type="invoices"))
    assert [(each["row"], each["field"], each["rule"]) for each in found["issues"]] == [
        (0, "month", "required"),
        (1, "month", "required"),
    ]
    assert stored(api) == before


def test_required_and_numeric_fields_of_the_reference(pipeline: Call) -> None:
    rules = {"required_fields": ["campaign_id", "spend"], "numeric_fields": ["spend", "clicks"]}
    found = pipeline("validate", body(CAMPAIGN, {"spend": "x", "clicks": 3}, validation_rules=rules))
    assert (found["validation_passed"], found["issues_found"]) == (False, 2)
    assert {(each["row"], each["field"]) for each in found["issues"]} == {(1, "campaign_id"), (1, "spend")}
