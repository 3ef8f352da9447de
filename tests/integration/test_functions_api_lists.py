"""Lists of ads, account days, platform campaigns and keywords through the API's handler."""

from __future__ import annotations

import csv
import io
from datetime import date
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from adweir.model import limits
from adweir.model.entities import Ad, AdCampaign, Keyword, KeywordKind, Profile, Status
from adweir.model.invoices import Invoice, InvoiceLine, InvoiceLineKind
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.reporting.active import ActiveCounts
from adweir.reporting.lists import LISTS
from adweir.reporting.query import Queries
from adweir.store.metrics.store import PullRows
from adweir.store.raw.sums import SumsObject, sums_key
from support.ad_schema import AD
from support.api import DAYS, META, T1, Call, an_event, fill
from support.aws_calls import AwsCalls
from support.bounds import at_the_bound

RANGE = {"start": "2026-11-01", "end": "2026-11-02"}
AD_FIELDS = [
    "ad_id",
    "platform",
    "account_id",
    "campaign_id",
    "ad_group_id",
    "headline",
    "description",
    "cta",
    "image_url",
    "video_url",
    "landing_page_url",
    "start_date",
    "end_date",
    "status",
    "impressions",
    "clicks",
    "ctr",
    "spend",
    "conversions",
    "conversion_rate",
    "cpa",
    "roas",
    "relevance_score",
    "quality_score",
]
ACCOUNT_DAY_FIELDS = [
    "account_id",
    "platform",
    "account_name",
    "currency",
    "timezone",
    "date",
    "daily_spend",
    "daily_impressions",
    "daily_clicks",
    "daily_conversions",
    "daily_revenue",
    "daily_roas",
    "campaign_count",
    "ad_count",
]


@pytest.fixture
def stored(api: ModuleType) -> ModuleType:
    """Beside the usual world: an ad that is paused, one that has ended, and keywords of an Amazon profile."""
    fill(api)
    common: dict[str, Any] = {"platform": META, "profile_id": "111", "campaign_id": "c1", "ad_group_id": "g1"}
    paused = Ad(id="a3", status=Status.PAUSED, relevance_score=4, score_scale="meta_quality_ranking_1_5", **common)
    over = Ad(id="a4", status=Status.ACTIVE, start_date="2026-10-01", end_date="2026-11-19", headline="Old", **common)
    ended = AdCampaign(
        platform=META, profile_id="111", id="c2", campaign_id="c2", status=Status.ACTIVE, end_date="2026-11-19",
        budget=12_500_000,
    )  # fmt: skip
    amazon = Platform("amazon_ads")
    shop = Profile(
        account_id="acc", platform=amazon, profile_id="333", name="Shop", currency="EUR", timezone="Europe/Berlin"
    )
    word: dict[str, Any] = {"platform": amazon, "profile_id": "333", "campaign_id": "c3", "ad_group_id": "g3"}
    keywords = [
        Keyword(id="k1", text="boots", match_type="EXACT", bid=1_250_000, status=Status.ACTIVE, **word),
        Keyword(id="k2", text="red boots", match_type="PHRASE", bid=750_000, status=Status.PAUSED, **word),
        Keyword(id="k3", text="free", match_type="EXACT", kind=KeywordKind.NEGATIVE, status=Status.ACTIVE, **word),
    ]
    api.app.catalog.put_objects([paused, over, ended, shop, *keywords], T1)
    line = InvoiceLine(line="1", kind=InvoiceLineKind.SPEND, amount=1_000_000)
    bill = Invoice(platform=META, profile_id="111", invoice_id="5001", month="2026-10", currency="EUR", lines=(line,))
    api.app.catalog.put_invoices([bill], T1)
    return api


def ids(answer: dict[str, Any], name: str, field: str = "id") -> list[str]:
    return [record[field] for record in answer[name]]


def test_an_ad_has_its_24_fields_and_exact_sums_of_the_range(call: Call, stored: ModuleType) -> None:
    answer = call("GET", "/api/v1/ads", profile_id="111", **RANGE)

    assert all(set(AD_FIELDS) <= set(ad) for ad in answer["ads"])
    first = answer["ads"][0]
    assert (first["ad_id"], first["account_id"], first["client_account_id"]) == ("a1", "111", "acc")
    assert (first["spend"], first["conversions"], first["ctr"], first["cpa"]) == (2.469134, 5, 0.01, 0.493827)
    assert [day["date"] for day in answer["coverage"]] == ["2026-11-01", "2026-11-02"]
    (paused,) = [ad for ad in answer["ads"] if ad["ad_id"] == "a3"]  # it delivered nothing: 0, and no ratio
    assert (paused["spend"], paused["ctr"], paused["roas"]) == (0, None, None)
    assert (paused["relevance_score"], paused["score_scale"]) == (4, "meta_quality_ranking_1_5")


def test_what_was_not_pulled_is_null_and_not_zero(call: Call, stored: ModuleType) -> None:
    answer = call("GET", "/api/v1/ads", profile_id="111", start="2026-10-01", end="2026-10-02")
    assert {(ad["impressions"], ad["spend"], ad["ctr"]) for ad in answer["ads"]} == {(None, None, None)}


def test_an_account_day_has_its_14_fields_and_counts_what_delivered(call: Call, stored: ModuleType) -> None:
    answer = call("GET", "/api/v1/account-days", account_id="111", **RANGE)

    first, second = answer["account_days"]
    assert set(ACCOUNT_DAY_FIELDS) <= set(first)
    assert (first["date"], second["date"]) == ("2026-11-01", "2026-11-02")
    assert (first["daily_spend"], first["daily_roas"]) == (2.469134, 2.430002)
    assert (first["campaign_count"], first["ad_count"], first["account_name"]) == (1, 2, "Main")


def test_lists_are_chosen_by_their_parents_and_by_status(call: Call, stored: ModuleType) -> None:
    def ads(**query: str) -> list[str]:
        return ids(call("GET", "/api/v1/ads", **RANGE, **query), "ads", "ad_id")

    assert ads(platform="facebook", profile_id="111") == ["a1", "a2", "a3", "a4"]
    assert ads(profile_id="111", status="paused,ended") == ["a3", "a4"]
    assert ads(ad_id="a1,a2", account_id="222") == ["a1", "a2"]
    assert ads(campaign_id="c9") == ads(ad_group_id="g9") == ads(platform="amazon") == []
    campaigns = call("GET", "/api/v1/platform-campaigns", profile_id="111", status="ended")
    assert ids(campaigns, "platform_campaigns") == ["c2"]  # active, and its last day is behind it
    assert campaigns["platform_campaigns"][0]["budget"] == 12.5
    words = call("GET", "/api/v1/keywords", match_type="EXACT", account_id="333")
    assert ids(words, "keywords") == ["k1", "k3"]
    assert ids(call("GET", "/api/v1/keywords", kind="keyword", status="paused"), "keywords") == ["k2"]
    assert ids(call("GET", "/api/v1/keywords", keyword_id="k1", ad_group_id="g3"), "keywords") == ["k1"]


def test_a_list_is_ordered_and_cut_to_the_fields_that_are_asked(call: Call, stored: ModuleType) -> None:
    asked = {"profile_id": "111", "fields": "ad_id,clicks", **RANGE}
    assert call("GET", "/api/v1/ads", order="-clicks", **asked)["ads"] == [
        {"ad_id": "a2", "clicks": 40},
        {"ad_id": "a1", "clicks": 20},
        {"ad_id": "a3", "clicks": 0},
        {"ad_id": "a4", "clicks": 0},
    ]
    by_end = call("GET", "/api/v1/ads", order="end_date", profile_id="111", fields="ad_id,end_date")["ads"]
    assert [ad["ad_id"] for ad in by_end] == ["a4", "a1", "a2", "a3"]  # ongoing ones have no end: last
    dear = call("GET", "/api/v1/keywords", order="-bid", fields="id,bid")["keywords"]
    assert dear == [{"id": "k1", "bid": 1.25}, {"id": "k2", "bid": 0.75}, {"id": "k3", "bid": None}]


def test_metrics_are_read_only_where_something_needs_them(
    call: Call, stored: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ActiveCounts, "read", None)
    days = call("GET", "/api/v1/account-days", account_id="111", fields="date,daily_spend", **RANGE)["account_days"]
    assert [day["daily_spend"] for day in days] == [2.469134, 2.469134]  # whose ads nobody counted
    monkeypatch.setattr(Queries, "answer", None)
    answer = call("GET", "/api/v1/ads", fields="ad_id,headline", order="-ad_id", profile_id="111")
    assert ids(answer, "ads", "ad_id") == ["a4", "a3", "a2", "a1"]
    assert answer["coverage"] == []


def test_pages_hold_each_record_once_in_order_whatever_is_loaded_meanwhile(call: Call, stored: ModuleType) -> None:
    asked = {"ads": {"order": "-spend", **RANGE}, "account_days": {"order": "-daily_spend", **RANGE}}
    paths = {name: f"/api/v1/{name.replace('_', '-')}" for name in asked}
    whole = {name: call("GET", paths[name], limit="100", **query) for name, query in asked.items()}
    first = {name: call("GET", paths[name], limit="3", **query) for name, query in asked.items()}
    rows = PullRows()
    rows.offer(MetricRow("g1~a4", "2026-11-01", 1, 1, 0, 99_000_000, 0, "c1", "g1", -1, "EUR"))
    newer = Stamp("2026-11-20T06:00:00.000000Z", "t9")
    stored.app.metrics.load(Pull(META, "111", Level.AD, Grain.DAY, Source.PULL, "all", DAYS, newer, False), rows)
    for name, query in asked.items():
        token = first[name]["next_token"]
        rest = call("GET", paths[name], limit="100", next_token=token, **query)
        assert first[name][name] + rest[name] == whole[name][name]
        assert first[name]["coverage"] == rest["coverage"] == whole[name]["coverage"]
        assert rest["next_token"] is None
        call("GET", paths[name], limit="3", next_token=token, **query | {"start": "2026-11-02"}, expect=400)


def test_what_a_list_does_not_have_is_refused_by_name(call: Call) -> None:
    wrong: list[tuple[str, dict[str, str], str]] = [
        ("ads", {"fields": "ad_id,colour"}, "query.fields"),
        ("ads", {"order": "-colour"}, "query.order"),
        ("ads", {"order": "landing_page"}, "query.order"),
        ("ads", {"status": "asleep"}, "query.status"),
        ("ads", {"platform": "myspace"}, "platform"),
        ("ads", {"start": "yesterday"}, "query.date_range"),
        ("account-days", {"order": "spend"}, "query.order"),
        ("keywords", {"kind": "word"}, "query.kind"),
        ("platform-campaigns", {"fields": "spend"}, "query.fields"),
        ("platform-campaigns", {"order": "totals.today.spend"}, "query.order"),
    ]
    for path, query, field in wrong:
        error = call("GET", f"/api/v1/{path}", expect=422, **query)["error"]
        assert [detail["field"] for detail in error["details"]] == [field], (path, query)


def test_each_field_of_a_list_can_be_asked_for(call: Call, stored: ModuleType) -> None:
    for name, kind in LISTS.items():
        path = f"/api/v1/{name.replace('_', '-')}"
        whole = call("GET", path, fields=",".join(kind.fields), **(RANGE if kind.metrics else {}))[name]
        assert whole
        assert all(set(record) == set(kind.fields) for record in whole), name


def test_ads_pass_the_schema_with_which_users_check_them_but_for_what_a_platform_lacks(
    call: Call, api: ModuleType
) -> None:
    """Given one ad with all that the schema requires, and one that lacks a headline and runs on."""
    profile = Profile(account_id="acc", platform=META, profile_id="1", name="n", currency="EUR", timezone="UTC")
    common: dict[str, Any] = {"platform": META, "profile_id": "1", "campaign_id": "c", "ad_group_id": "g"}
    whole = Ad(id="whole", headline="Hello", start_date="2026-10-01", end_date="2026-12-31", **common)
    lacking = Ad(id="lacking", **common)
    api.app.catalog.put_objects([profile, whole, lacking], T1)
    rows = PullRows()
    for ad, conversions in ((whole, 2_000_000), (lacking, 2_500_000)):
        rows.offer(MetricRow(f"g~{ad.id}", "2026-11-01", 1000, 10, conversions, 1_234_567, 0, "c", "g", -1, "EUR"))
    day = Window(date(2026, 11, 1), date(2026, 11, 1))
    api.app.metrics.load(Pull(META, "1", Level.AD, Grain.DAY, Source.PULL, "all", day, Stamp(T1, "t"), True), rows)

    ads = call("GET", "/api/v1/ads", order="-ad_id", start="2026-11-01", end="2026-11-01")["ads"]
    body = {"data_type": "ads", "data": {"records": ads}, "schema": AD}
    found = call("POST", "/api/v1/data_pipeline/validate", body)["result"]

    assert [ad["ad_id"] for ad in ads] == ["whole", "lacking"]
    assert {(issue["row"], issue["field"]) for issue in found["issues"]} == {
        (1, name) for name in ("headline", "start_date", "end_date", "conversions")
    }


@at_the_bound("MAX_LIST_FILTER_CHARS")
def test_a_filter_of_a_list(size: int, fits: bool, call: Call) -> None:
    call("GET", "/api/v1/ads", ad_id="9" * size, expect=200 if fits else 422)


def test_a_list_of_too_many_records_says_what_to_do(
    call: Call, stored: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_KEPT_RECORDS", 5)
    assert len(call("GET", "/api/v1/ads", profile_id="111")["ads"]) == 4
    error = call("GET", "/api/v1/ads", expect=422)["error"]
    assert "ask for less" in error["message"]


def test_totals_take_as_many_requests_as_the_page_has_buckets_and_none_where_no_one_asks_for_them(
    call: Call, api: ModuleType
) -> None:
    """Given 120 campaigns with half a year of days, when a page of 50 is listed."""
    profile = Profile(account_id="acc", platform=META, profile_id="1", name="n", currency="EUR", timezone="UTC")
    names = [f"c{number:03d}" for number in range(120)]
    campaigns = [AdCampaign(platform=META, profile_id="1", id=each, campaign_id=each) for each in names]
    api.app.catalog.put_objects([profile, *campaigns], T1)
    rows = PullRows()
    for name in names:
        for month in range(6, 12):
            rows.offer(MetricRow(name, f"2026-{month:02d}-02", 1000, 10, 0, 1_000_000, 0, name, "", -1, "EUR"))
    days = Window(date(2026, 6, 1), date(2026, 11, 19))
    api.app.metrics.load(
        Pull(META, "1", Level.CAMPAIGN, Grain.DAY, Source.PULL, "all", days, Stamp(T1, "t"), True), rows
    )

    def requests(**query: str) -> int:
        with AwsCalls().counting() as calls:
            calls.about = "list"
            found = call("GET", "/api/v1/platform-campaigns", limit="50", **query)["platform_campaigns"]
        assert [each["id"] for each in found] == names[:50]
        assert "totals" not in found[0] or {each["totals"]["lifetime"]["spend"] for each in found} == {6}
        return calls.of("dynamodb")

    without = requests(fields="id,status")
    assert without <= 5  # clients with their patterns, ad accounts, campaigns, the API log
    # 300 buckets are 3 of them, names of clients and ad accounts 2, where to look for five years of days the others
    assert requests() - without <= 16


def table(api: ModuleType, path: str, **query: str) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The rows of a list as CSV, and the headers of its answer."""
    answer = api.handler(an_event("GET", path, format="csv", **query), SimpleNamespace())
    assert answer["statusCode"] == 200, answer["body"]
    return list(csv.DictReader(io.StringIO(answer["body"]))), answer["headers"]


def test_a_list_is_a_table_for_spreadsheets(stored: ModuleType) -> None:
    word = {"platform": Platform("amazon_ads"), "profile_id": "333", "campaign_id": "c3", "ad_group_id": "g3"}
    stored.app.catalog.put_objects([Keyword(id="k9", text="=cmd|' /C calc'!A0", status=Status.ACTIVE, **word)], T1)
    # given more records than a page has, when no limit is asked for, then all are in it
    ads, headers = table(stored, "/api/v1/ads", order="-spend", platform="meta", **RANGE)
    assert [row["ad_id"] for row in ads][:2] == ["a1", "a2"]
    assert (len(ads), ads[0]["spend"], ads[0]["account_name"]) == (6, "2.469134", "Main")
    assert (headers["Adweir-As-Of"], headers["Adweir-Complete-Through"]) == (T1, "2026-11-02")
    # and totals have a column each, texts begin no formula
    words, _ = table(stored, "/api/v1/keywords", fields="text,totals,kind")
    assert [row["text"] for row in words] == ["boots", "red boots", "'=cmd|' /C calc'!A0", "free"]
    assert words[0].keys() > {"totals.as_of", "totals.last_7_days.spend", "totals.lifetime.days_pulled", "kind"}
    assert {row["totals.through"] for row in words} == {"2026-11-19", ""}  # a negative has none
    # and with a limit the first ones
    assert len(table(stored, "/api/v1/ads", limit="2", **RANGE)[0]) == 2


def test_parts_of_a_record_are_json_in_a_table(stored: ModuleType) -> None:
    rows, headers = table(stored, "/api/v1/platform-campaigns", fields="id,reported,conversion_columns,name_parts")
    assert {(row["reported"], row["conversion_columns"], row["name_parts"]) for row in rows} == {("true", "[]", "")}
    assert not any(name.startswith("Adweir") for name in headers)


def test_a_campaign_has_its_earlier_budgets_in_units(call: Call, stored: ModuleType) -> None:
    """Given a campaign whose budget a later list raised, both are there; nothing is ordered by them."""
    of = {"platform": META, "profile_id": "111", "id": "c2", "campaign_id": "c2", "budget_type": "daily"}
    for budget, as_of in ((12_500_000, "2026-11-21T00:00:00.000000Z"), (30_000_000, "2026-11-22T00:00:00.000000Z")):
        stored.app.catalog.put_objects([AdCampaign(**of, budget=budget)], as_of)

    found = call("GET", "/api/v1/platform-campaigns", profile_id="111", fields="id,budget,budgets")[
        "platform_campaigns"
    ]

    assert {each["id"]: each["budgets"] for each in found} == {
        "c1": [],
        "c2": [
            {"amount": 12.5, "kind": "", "since": ""},
            {"amount": 12.5, "kind": "daily", "since": "2026-11-21"},
            {"amount": 30, "kind": "daily", "since": "2026-11-22"},
        ],
    }
    call("GET", "/api/v1/platform-campaigns", order="budgets", expect=422)


def test_lists_are_chosen_by_names_and_currencies(call: Call, stored: ModuleType) -> None:
    word = {"platform": META, "profile_id": "111", "campaign_id": "c1", "ad_group_id": "g1"}
    stored.app.catalog.put_objects(
        [Ad(id="a7", name="Summer Blue", **word), Ad(id="a8", name="summer red", **word)], T1
    )

    def ads(**query: str) -> list[str]:
        return ids(call("GET", "/api/v1/ads", fields="ad_id", **query), "ads", "ad_id")

    assert ads(name="SUMMER") == ["a7", "a8"]
    assert ads(name="blue,nothing") == ["a7"]
    assert ads(currency="USD") == ["a1", "a2"]
    assert ids(call("GET", "/api/v1/keywords", name="boots", fields="id"), "keywords") == ["k1", "k2"]
    days = call("GET", "/api/v1/account-days", name="mai", currency="EUR", **RANGE)["account_days"]
    assert {day["account_id"] for day in days} == {"111"}
    assert call("GET", "/api/v1/account-days", name="shop", **RANGE)["account_days"] == []


def test_names_stand_beside_ids(call: Call, stored: ModuleType) -> None:
    account = call(
        "POST", "/api/v1/accounts", {"company_name": "Halden", "primary_contact_email": "a@b.example"}, expect=201
    )
    own = {"account_id": account["account_id"], "platform": META, "profile_id": "444"}
    stored.app.catalog.put_objects(
        [
            Profile(name="Own", currency="EUR", timezone="UTC", **own),
            AdCampaign(platform=META, profile_id="444", id="c1", campaign_id="c1", name="Spring"),
            Ad(platform=META, profile_id="444", id="a1", campaign_id="c1", ad_group_id="g1"),
        ],
        T1,
    )
    fields = "account_name,client_name,campaign_name,ad_group_name"
    (ad,) = call("GET", "/api/v1/ads", profile_id="444", fields=fields)["ads"]
    assert ad == {"account_name": "Own", "client_name": "Halden", "campaign_name": "Spring", "ad_group_name": None}
    (campaign,) = call("GET", "/api/v1/platform-campaigns", profile_id="444")["platform_campaigns"]
    assert (campaign["name"], campaign["account_name"], campaign["client_name"]) == ("Spring", "Own", "Halden")


def test_lists_take_words_for_days_and_say_which_they_are(call: Call, stored: ModuleType) -> None:
    answer = call("GET", "/api/v1/account-days", profile_id="111", time_range="last_19_days", limit="1")

    days = {"start_date": "2026-11-01", "end_date": "2026-11-19"}
    assert answer["time_range"] == {"relative": "last_19_days", **days, "zones": {"UTC": days}}
    assert (answer["freshness"]["as_of"], answer["freshness"]["days"]) == (T1, 19)
    again = call(
        "GET", "/api/v1/account-days", profile_id="111", time_range="last_19_days", next_token=answer["next_token"]
    )
    assert (again["time_range"], again["freshness"]) == (answer["time_range"], answer["freshness"])
    totals = call("GET", "/api/v1/platform-campaigns", profile_id="111")["platform_campaigns"][0]["totals"]
    assert totals["provisional_from"] == "2026-11-01"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"time_range": "yesterday", "start": "2026-11-01"}, "query.time_range"),
        ({"time_range": "soon"}, "query.time_range"),
        ({"format": "xlsx"}, "query.format"),
        ({"name": "boots,"}, "query.name"),
        ({"include": "colour"}, "query.include"),
        ({"include": "colour", "format": "csv"}, "query.include"),
    ],
)
def test_what_a_list_cannot_be_is_named(call: Call, query: dict[str, str], field: str) -> None:
    assert call("GET", "/api/v1/ads", expect=422, **query)["error"]["details"][0]["field"] == field


def test_a_table_that_is_too_large_for_an_answer_is_a_file(stored: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_INLINE_REPORT_BYTES", 100)
    answer = stored.handler(an_event("GET", "/api/v1/ads", format="csv", **RANGE), SimpleNamespace())
    assert (answer["statusCode"], answer["body"], answer["headers"]["Adweir-As-Of"]) == (303, "", T1)
    key = "exports/" + urlsplit(answer["headers"]["Location"]).path.partition("exports/")[2]
    assert stored.app.raw.get_bytes(key).startswith(b"ad_id,platform,account_id,")


def test_the_sums_of_a_client_are_listed_with_links(call: Call, api: ModuleType) -> None:
    api.app.catalog.create_account("acc_example", "Example", "a@b.example")
    empty = SumsObject(left_out="1")
    week = SumsObject("3", "1", "2026-11-16", "2026-11-16", T1, "2026-11-19")
    for grain, about in (("day", empty), ("week", week)):
        api.app.raw.put(sums_key("acc_example", "campaign", grain), b"rows", about.metadata)
    api.app.raw.put("aggregates/acc_example/notes.txt", b"of somebody else")
    api.app.raw.put(sums_key("acc_example2", "campaign", "day"), b"of another client")

    listed = call("GET", "/api/v1/accounts/acc_example/aggregates")["aggregates"]

    for each, grain in zip(listed, ("day", "week"), strict=True):
        key = f"aggregates/acc_example/campaign_{grain}.parquet"
        assert (each.pop("key"), key in each.pop("url")) == (key, True)
    nothing = {"first": None, "last": None, "as_of": None, "covered_until": None}
    assert listed == [
        {"level": "campaign", "grain": "day", "rows": 0, "incomplete_rows": 0, **nothing, "left_out": 1},
        {
            "level": "campaign", "grain": "week", "rows": 3, "incomplete_rows": 1, "first": "2026-11-16",
            "last": "2026-11-16", "as_of": T1, "covered_until": "2026-11-19", "left_out": 0,
        },
    ]  # fmt: skip
