"""What an analyst asks in one call: relative days, the first rows and the rest, names, comparisons, a CSV by GET."""

from __future__ import annotations

import csv
import io
import json
from types import ModuleType, SimpleNamespace

import pytest

from adweir.model.entities import AdCampaign, Status
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.series_ids import series_id
from adweir.model.tasks import Pull, Stamp
from adweir.reporting.chosen import SEGMENTS
from adweir.reporting.filters import FILTERS
from adweir.store.catalog.references import ReferenceRow
from adweir.store.metrics.store import PullRows
from support.api import DAYS, META, T1, Call, an_event, fill
from support.described import Described

YESTERDAY = {"metrics": "spend,roas", "start_date": "2026-11-02", "end_date": "2026-11-02"}


@pytest.fixture
def stored(api: ModuleType) -> ModuleType:
    """Beside the usual world: a third campaign of the ad account in EUR, whose name a spreadsheet would run."""
    fill(api)
    names = {"c1": "Brand", "c2": "=1+1", "c3": "Generic"}
    api.app.catalog.put_objects(
        [
            AdCampaign(platform=META, profile_id="111", id=id_, campaign_id=id_, name=name, status=Status.ACTIVE)
            for id_, name in names.items()
        ],
        "2026-11-20T00:00:01.000000Z",
    )
    rows = PullRows()
    for day in ("2026-11-01", "2026-11-02"):
        for number in (1, 2, 3):
            spend = number * 10_500_000 + (day == "2026-11-02") * 1_000_000
            rows.offer(MetricRow(f"c{number}", day, 1000, 10, 0, spend, 3 * spend, "", "", -1, "EUR"))
    pull = Pull(META, "111", Level.CAMPAIGN, Grain.DAY, Source.PULL, "all", DAYS, Stamp(T1, "t2"), complete=True)
    api.app.metrics.load(pull, rows)
    return api


def asked(api: ModuleType, **query: str) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The rows of a CSV, and the headers of its answer."""
    answer = api.handler(an_event("GET", "/api/v1/reports", format="csv", **query), SimpleNamespace())
    assert answer["statusCode"] == 200, answer["body"]
    return list(csv.DictReader(io.StringIO(answer["body"]))), answer["headers"]


def test_a_csv_by_get_has_the_first_rows_with_names_and_the_rest(api: ModuleType, stored: ModuleType) -> None:
    rows, headers = asked(
        api, dimensions="campaign", account_id="111", order="-spend", limit="2", names="true",
        compare="previous_period", **YESTERDAY,
    )  # fmt: skip

    assert [(row["campaign_name"], row["spend"], row["spend_before"], row["others"]) for row in rows] == [
        ("Generic", "32.5", "31.5", ""),
        ("'=1+1", "22", "21", ""),
        ("", "11.5", "10.5", "1"),
    ]
    assert [row["spend_change"] for row in rows] == ["0.031746", "0.047619", "0.095238"]
    assert {row["roas_difference"] for row in rows} == {"0.000000"}
    assert (headers["Adweir-As-Of"], headers["Adweir-Days-Missing"]) == (T1, "0")
    assert headers["Adweir-Provisional-From"] == "2026-11-02"


def test_a_report_by_get_is_the_one_by_post(call: Call, stored: ModuleType) -> None:
    body = {
        "time_range": {"start_date": "2026-11-01", "end_date": "2026-11-02"},
        "metrics": [{"name": "spend"}, {"name": "ctr"}],
        "dimensions": [{"name": "campaign"}, {"name": "date"}],
        "segments": [
            {"name": "campaign_name", "contains": ["brand", "generic"]},
            {"name": "currency", "values": ["EUR"]},
        ],
        "order": ["-spend", "date"],
        "limit": 2,
        "limit_per": ["date"],
        "names": True,
        "compare": {"start_date": "2026-10-30", "end_date": "2026-10-31"},
    }
    posted = call("POST", "/api/v1/reports", body)
    got = call(
        "GET", "/api/v1/reports", metrics="spend,ctr", dimensions="campaign,date", start_date="2026-11-01",
        end_date="2026-11-02", campaign_name="brand,generic", currency="EUR", order="-spend,date", limit="2",
        limit_per="date", names="true", compare="2026-10-30..2026-10-31",
    )  # fmt: skip

    assert posted == got
    assert [(row["campaign_name"], row["date"]) for row in posted["data"]] == [
        ("Generic", "2026-11-01"),
        ("Brand", "2026-11-01"),
        ("Generic", "2026-11-02"),
        ("Brand", "2026-11-02"),
    ]
    assert posted["compared"]["with"] == "dates"


def test_relative_days_are_those_of_each_ad_account(call: Call, stored: ModuleType) -> None:
    body = {"metrics": [{"name": "spend"}], "dimensions": [{"name": "date"}], "time_range": "last_19_days"}
    report = call("POST", "/api/v1/reports", body)

    days = {"start_date": "2026-11-01", "end_date": "2026-11-19"}
    assert report["time_range"] == {"relative": "last_19_days", **days, "zones": {"UTC": days}}
    assert {row["date"] for row in report["data"]} == {"2026-11-01", "2026-11-02"}
    fresh = report["freshness"]
    assert (fresh["as_of"], fresh["days"], fresh["days_missing"]) == (T1, 19, 19)  # no account total was pulled
    # a report of the past has the days of then
    assert call("POST", "/api/v1/reports", body | {"as_known_at": "2026-11-03T00:00:00Z"})["time_range"][
        "end_date"
    ] == ("2026-11-02")


def test_retrieve_takes_relative_days(call: Call, stored: ModuleType) -> None:
    body = {"data_type": "campaign_performance", "filters": {"date_range": "last_30_days", "profile_id": "111"}}
    assert call("POST", "/api/v1/data_pipeline/retrieve", body)["result"]["total"] == 6
    error = call("POST", "/api/v1/data_pipeline/retrieve", body | {"filters": {"date_range": "soon"}}, expect=422)[
        "error"
    ]
    assert "last_7_days" in error["message"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"metrics": "spend", "time_range": "yesterday", "start_date": "2026-11-01"}, "query.time_range"),
        ({"metrics": "spend", "time_range": "fortnight"}, "time_range"),
        ({"metrics": "spend", "time_range": "last_9_days", "as_known_at": "0001-01-01T00:00:00Z"}, "as_known_at"),
        ({"metrics": "spend", "order": "-profit"}, "order"),
        ({"metrics": "spend", "limit_per": "date", "dimensions": "date"}, "limit_per"),
        ({"metrics": "spend", "compare": "2026-10-30.."}, "compare"),
        ({"metrics": "spend", "campaign_status": "running"}, "segments[0]"),
        ({"metrics": "profit"}, "metrics[0]"),
    ],
)
def test_what_cannot_be_asked_is_named(call: Call, query: dict[str, str], field: str) -> None:
    assert call("GET", "/api/v1/reports", expect=422, **query)["error"]["details"][0]["field"] == field


def test_a_key_of_other_accounts_sees_no_names(api: ModuleType, stored: ModuleType) -> None:
    """Nor does it choose by them."""
    event = an_event(
        "GET", "/api/v1/reports", metrics="spend", dimensions="campaign", names="true", campaign_name="brand"
    )
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = "acc_other"
    answer = api.handler(event, SimpleNamespace())
    assert json.loads(answer["body"])["data"] == []


def test_a_query_has_a_parameter_for_each_segment(described: Described) -> None:
    operation = next(each for each in described.operations if each.id == "get_report")
    assert {*FILTERS, *SEGMENTS} <= {each["name"] for each in operation.spec["parameters"]}


def test_a_report_by_get_is_of_an_arm_or_of_a_value(call: Call, stored: ModuleType) -> None:
    days = {"metrics": "clicks", "dimensions": "platform", "start_date": "2026-11-01", "end_date": "2026-11-02"}
    wrong = call("GET", "/api/v1/reports", expect=422, arm_id="arm_nobody", **days)["error"]
    assert wrong["details"][0]["field"] == "segments[0].arm_id"
    assert call("GET", "/api/v1/reports", country="DE", **days)["data"] == []


def test_amounts_are_shown_in_one_currency_by_the_client_s_rates(api: ModuleType, call: Call) -> None:
    # given an ad account in EUR, one in USD, and a rate of the second day alone
    fill(api)
    rate = {"base": "EUR", "quote": "USD", "date": "2026-11-02", "rate": "1.0845"}
    api.app.catalog.put_references("acc", "rates", [ReferenceRow(Platform("bank"), series_id(rate), rate)], T1)
    body = {
        "time_range": {"start_date": "2026-11-02", "end_date": "2026-11-02"},
        "metrics": [{"name": "spend"}],
        "dimensions": [{"name": "profile_id"}],
        "convert_to": "eur",
    }

    found = call("POST", "/api/v1/reports", body)

    # then two ads of 1.234567 USD each are two rounded amounts of EUR
    assert [(row["profile_id"], row["currency"], row["spend"]) for row in found["data"]] == [
        ("111", "EUR", 2.469134),
        ("222", "EUR", 2.276748),
    ]
    assert found["conversion"]["rates"] == [
        {
            "client_account_id": "acc",
            "currency": "USD",
            "date": "2026-11-02",
            "source": "bank",
            "rate_date": "2026-11-02",
            "rates": [{"base": "EUR", "quote": "USD", "rate": 1.0845}],
        }
    ]
    # and the day before, of which there is no rate, is a refusal that names it
    days = {"start_date": "2026-11-01", "end_date": "2026-11-02", "metrics": "spend", "convert_to": "EUR"}
    refused = call("GET", "/api/v1/reports", expect=422, **days)
    assert "no rate of USD in EUR on 2026-11-01 or" in refused["error"]["message"]
    assert refused["error"]["details"][0]["field"] == "convert_to"
