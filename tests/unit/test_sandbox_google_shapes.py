"""How the sandbox's Google Ads writes its answers: types, names, pages, batches, summaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.platforms.google_ads import search
from sandbox.platforms.google_ads.facts import ENUMS, RESOURCES
from support.google_caller import DAYS, GoogleCaller, column, google, misfits, value_at
from support.google_queries import EVERY, LISTS, REPORTS

ROOT = Path(__file__).parents[2]
CAMPAIGN_DAYS = f"SELECT campaign.id, segments.date, metrics.clicks FROM campaign WHERE {DAYS}"


@pytest.fixture(scope="module")
def caller() -> Iterator[GoogleCaller]:
    """Only read; its account has every type of campaign, and ads that were removed."""
    with google("kestrel", awkward=True) as made:
        yield made


# -- types -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_rows_are_written_as_the_official_classes_have_them(caller: GoogleCaller, name: str) -> None:
    customer = caller.root if name == "tree" else ""
    rows = caller.rows(EVERY[name], customer=customer)
    assert [fault for row in rows for fault in misfits(row)] == []
    assert rows


def test_the_strict_reading_finds_what_is_wrong() -> None:
    wrong = {
        "campaign": {"id": 1, "status": "BRAND_NEW", "startDate": "2026-11-01"},
        "metrics": {"clicks": "many", "conversions": "2.5"},
        "adGroupAd": {"ad": {"finalUrls": [], "responsiveSearchAd": {"headlines": [{"words": "x"}]}}},
    }
    assert len(misfits(wrong)) == 7


def test_large_integers_are_text_and_doubles_are_numbers(caller: GoogleCaller) -> None:
    row = caller.rows(REPORTS["customer"])[0]
    assert type(row["metrics"]["costMicros"]) is str
    assert type(row["metrics"]["conversions"]) in (int, float)
    assert any(type(found) is float for found in column(caller.rows(REPORTS["ad_group_ad"]), "metrics.conversions"))


def test_a_selected_zero_is_there_and_a_ratio_without_denominator_is_not(caller: GoogleCaller) -> None:
    query = f"SELECT ad_group_ad.ad.id, metrics.clicks, metrics.ctr FROM ad_group_ad WHERE {DAYS}"
    idle = [row for row in caller.rows(query) if row["metrics"]["clicks"] == "0"]
    assert idle
    assert all("ctr" not in row["metrics"] for row in idle)


def test_what_is_not_set_is_left_out(caller: GoogleCaller) -> None:
    rows = caller.rows(LISTS["ads"])
    kinds = {value_at(row, "ad_group_ad.ad.type"): row["adGroupAd"]["ad"] for row in rows}
    assert "responsiveSearchAd" in kinds["RESPONSIVE_SEARCH_AD"]
    assert "finalUrls" not in kinds["SHOPPING_PRODUCT_AD"]
    assert set(kinds["CALL_AD"]) == {"resourceName", "id", "type", "name"}
    assert "qualityInfo" not in caller.rows(LISTS["criteria"])[-1]["adGroupCriterion"]


def test_every_type_of_ad_that_has_a_creative_is_there(caller: GoogleCaller) -> None:
    kinds = set(column(caller.rows(LISTS["ads"]), "ad_group_ad.ad.type"))
    assert kinds <= set(ENUMS["AdType"])
    assert len(kinds) == 16


# -- names -----------------------------------------------------------------------------------------------------------


def test_each_selected_resource_brings_its_resource_name(caller: GoogleCaller) -> None:
    row = caller.rows("SELECT customer.id, campaign.id, ad_group_ad.ad.id FROM ad_group_ad LIMIT 1")[0]
    assert row["campaign"]["resourceName"] == f"customers/{caller.profile.id}/campaigns/{row['campaign']['id']}"
    assert row["adGroupAd"]["resourceName"].endswith(f"~{row['adGroupAd']['ad']['id']}")
    assert row["adGroupAd"]["ad"]["resourceName"].endswith(f"/ads/{row['adGroupAd']['ad']['id']}")
    assert "adGroup" not in row


def test_resource_names_that_were_not_selected_can_be_left_out_but_the_main_one(caller: GoogleCaller) -> None:
    query = "SELECT customer.id, campaign.id FROM campaign PARAMETERS omit_unselected_resource_names = true"
    row = caller.rows(query)[0]
    assert set(row["customer"]) == {"id"}
    assert set(row["campaign"]) == {"resourceName", "id"}


def test_the_field_mask_is_the_select_list(caller: GoogleCaller) -> None:
    query = "SELECT ad_group_ad.ad.final_urls, campaign.id FROM ad_group_ad WHERE campaign.id > 0 LIMIT 1"
    assert caller.ask(query).json()["fieldMask"] == "adGroupAd.ad.finalUrls,campaign.id"


# -- pages -----------------------------------------------------------------------------------------------------------


def test_pages_follow_each_other_until_there_is_no_token(caller: GoogleCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    assert search.PAGE_ROWS == 10_000
    monkeypatch.setattr(search, "PAGE_ROWS", 50)
    whole = caller.rows(CAMPAIGN_DAYS)

    # when
    pages = [caller.ask(CAMPAIGN_DAYS).json()]
    while token := pages[-1].get("nextPageToken"):
        pages.append(caller.ask(CAMPAIGN_DAYS, pageToken=token).json())

    # then
    assert [row for page in pages for row in page["results"]] == whole
    assert len(pages) == -(-len(whole) // 50) > 1
    assert ["queryResourceConsumption" in page for page in pages] == [False] * (len(pages) - 1) + [True]
    assert not any("requestId" in page or "totalResultsCount" in page for page in pages)


def test_a_page_size_is_refused(caller: GoogleCaller) -> None:
    answer = caller.ask(CAMPAIGN_DAYS, pageSize=50)
    assert caller.refusal(answer) == (400, "requestError", "PAGE_SIZE_NOT_SUPPORTED")


@pytest.mark.parametrize("changed", ["query", "customer", "token"])
def test_a_page_token_holds_for_the_identical_question_alone(
    caller: GoogleCaller, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    # given
    monkeypatch.setattr(search, "PAGE_ROWS", 50)
    token = caller.ask(CAMPAIGN_DAYS).json()["nextPageToken"]
    other = caller.company.on("google_ads")[1].id

    # when
    answer = {
        "query": lambda: caller.ask(CAMPAIGN_DAYS.replace("clicks", "impressions"), pageToken=token),
        "customer": lambda: caller.ask(CAMPAIGN_DAYS, pageToken=token, customer=other),
        "token": lambda: caller.ask(CAMPAIGN_DAYS, pageToken=f"{token[:-6]}AAAA=="),
    }[changed]()

    # then
    assert caller.refusal(answer) == (400, "requestError", "INVALID_PAGE_TOKEN")


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("returnSummaryRow", "INCONSISTENT_RETURN_SUMMARY_ROW_VALUE"),
        ("returnTotalResultsCount", "TOTAL_RESULTS_COUNT_NOT_ORIGINALLY_REQUESTED"),
    ],
)
def test_a_later_page_asks_for_nothing_that_the_first_did_not(
    caller: GoogleCaller, monkeypatch: pytest.MonkeyPatch, setting: str, code: str
) -> None:
    monkeypatch.setattr(search, "PAGE_ROWS", 50)
    token = caller.ask(CAMPAIGN_DAYS).json()["nextPageToken"]
    answer = caller.ask(CAMPAIGN_DAYS, pageToken=token, searchSettings={setting: True})
    assert caller.refusal(answer) == (400, "requestError", code)


def test_a_page_token_holds_for_two_hours(caller: GoogleCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE_ROWS", 50)
    token = caller.ask(CAMPAIGN_DAYS).json()["nextPageToken"]
    assert search.PAGE_TOKEN_SECONDS == 7_200
    monkeypatch.setattr(search, "PAGE_TOKEN_SECONDS", -1)
    assert caller.refusal(caller.ask(CAMPAIGN_DAYS, pageToken=token)) == (400, "requestError", "EXPIRED_PAGE_TOKEN")


def test_the_total_is_told_when_it_is_asked_for_and_ignores_the_limit(caller: GoogleCaller) -> None:
    whole = len(caller.rows(CAMPAIGN_DAYS))
    body = caller.ask(f"{CAMPAIGN_DAYS} LIMIT 5", searchSettings={"returnTotalResultsCount": True}).json()
    assert (len(body["results"]), body["totalResultsCount"]) == (5, str(whole))


def test_a_query_can_be_validated_without_being_answered(caller: GoogleCaller) -> None:
    assert caller.ask(CAMPAIGN_DAYS, validateOnly=True).json() == {}
    refused = caller.ask("SELECT campaign.start_date FROM campaign", validateOnly=True)
    assert caller.refusal(refused)[2] == "UNRECOGNIZED_FIELD"


# -- streams ---------------------------------------------------------------------------------------------------------


def test_a_stream_is_an_array_of_batches(caller: GoogleCaller) -> None:
    # when
    batches = caller.ask(REPORTS["campaign"], method="searchStream").json()

    # then
    assert len(batches) >= 2
    assert {"results", "fieldMask", "requestId"} <= set(batches[0])
    assert ["queryResourceConsumption" in batch for batch in batches] == [False] * (len(batches) - 1) + [True]
    assert len({batch["requestId"] for batch in batches}) == 1


def test_a_stream_without_rows_is_one_batch_without_results(caller: GoogleCaller) -> None:
    query = "SELECT campaign.id, segments.date, metrics.clicks FROM campaign WHERE segments.date = '2026-12-24'"
    (batch,) = caller.ask(query, method="searchStream").json()
    assert set(batch) == {"fieldMask", "requestId", "queryResourceConsumption"}


def test_an_error_of_a_stream_stands_in_an_array(caller: GoogleCaller) -> None:
    answer = caller.ask("SELECT nothing FROM campaign", method="searchStream")
    assert [set(one) for one in answer.json()] == [{"error"}]
    assert caller.refusal(answer) == (400, "queryError", "UNRECOGNIZED_FIELD")


# -- summaries -------------------------------------------------------------------------------------------------------


def test_a_summary_row_is_the_sum_of_the_rows(caller: GoogleCaller) -> None:
    # given
    rows = caller.rows(CAMPAIGN_DAYS)
    clicks = sum(int(row["metrics"]["clicks"]) for row in rows)

    # when
    page = caller.ask(CAMPAIGN_DAYS, searchSettings={"returnSummaryRow": True}).json()
    only = caller.ask(CAMPAIGN_DAYS, searchSettings={"returnSummaryRow": True, "omitResults": True}).json()
    stream = caller.ask(CAMPAIGN_DAYS, method="searchStream", summaryRowSetting="SUMMARY_ROW_WITH_RESULTS").json()

    # then
    assert page["summaryRow"] == only["summaryRow"] == stream[-1]["summaryRow"] == {"metrics": {"clicks": str(clicks)}}
    assert "results" not in only
    assert [row for batch in stream for row in batch.get("results", [])] == rows


def test_a_summary_needs_metrics(caller: GoogleCaller) -> None:
    refused = caller.ask("SELECT campaign.id FROM campaign", searchSettings={"returnSummaryRow": True})
    assert caller.refusal(refused)[2] == "CANNOT_RETURN_SUMMARY_ROW_FOR_REQUEST_WITHOUT_METRICS"


# -- fields ----------------------------------------------------------------------------------------------------------


def test_a_resource_says_what_may_be_selected_with_it(caller: GoogleCaller) -> None:
    url = f"{caller.server.url}/v26/googleAdsFields"
    hours = {
        name: "segments.hour" in requests.get(f"{url}/{name}", headers=caller.headers, timeout=5).json()["segments"]
        for name in ("customer", "campaign", "ad_group", "ad_group_ad", "keyword_view")
    }
    assert hours == {"customer": True, "campaign": True, "ad_group": True, "ad_group_ad": False, "keyword_view": False}
    action = requests.get(f"{url}/segments.conversion_action", headers=caller.headers, timeout=5).json()
    assert "metrics.conversions" in action["selectableWith"]
    assert "metrics.cost_micros" not in action["selectableWith"]
    status = requests.get(f"{url}/campaign.status", headers=caller.headers, timeout=5).json()
    assert (status["category"], status["dataType"]) == ("ATTRIBUTE", "ENUM")
    assert "REMOVED" in status["enumValues"]
    unknown = requests.get(f"{url}/campaign.start_date", headers=caller.headers, timeout=5)
    assert caller.refusal(unknown) == (404, "requestError", "RESOURCE_NOT_FOUND")


def test_the_list_of_fields_is_of_the_classes_that_make_contract_reads_answers_with() -> None:
    made = (ROOT / "sandbox/platforms/google_ads/facts.txt").read_text().partition("\n")[0]
    pins = (ROOT / "contract/constraints/google-ads.txt").read_text().splitlines()
    assert next(pin.replace("==", " ") for pin in pins if pin.startswith("google-ads==")) in made


def test_every_resource_of_the_list_can_be_queried(caller: GoogleCaller) -> None:
    for name, resource in RESOURCES.items():
        where = " WHERE segments.date = '2026-11-20'" if "date" in resource.segments else ""
        if name == "change_status":
            where = " WHERE change_status.last_change_date_time BETWEEN '2026-11-01' AND '2026-11-20' LIMIT 10"
        answer = caller.ask(f"SELECT {name}.resource_name FROM {name}{where}")
        assert answer.status_code == 200, answer.text
