"""Reports and lists of Microsoft Advertising as the normalizer reads them; samples follow its documents."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

import adweir
from adweir.model.datasets import Dataset
from adweir.model.entities import ProfileStatus, Status
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow, MetricRow
from adweir.platforms.connector import PageInHand
from adweir.platforms.microsoft_ads.normalize import NORMALIZER
from support.microsoft_wire import ACCOUNT, context

HEADER = (
    "TimePeriod,AccountId,CampaignId,AdGroupId,AdId,CurrencyCode,Impressions,Clicks,Spend,ConversionsQualified,Revenue,"
    "AllConversionsQualified,AllRevenue"
)
ROW = f"2026-11-01,{ACCOUNT},1,2,3,EUR,100,10,12.34,2.5,50.10,4.00,80.00"
PREAMBLE = """"Report Name: x"
"Report Time: 11/1/2026,11/7/2026"
"Time Zone: (GMT) Greenwich Mean Time: Dublin, Edinburgh, Lisbon, London"
"Last Completed Available Day: 11/8/2026 10:15:00 PM (GMT)"
"Last Completed Available Hour: 11/8/2026 10:15:00 PM (GMT)"
"Report Aggregation: Daily"
"Report Filter: "
"Potential Incomplete Data: true"
"Rows: 1"

"""
FOOTER = '\n"@2026 Microsoft Corporation. All rights reserved. "\n'


def read(
    text: str | bytes, dataset: Dataset = Dataset.AD_DAILY, **options: Any
) -> tuple[list[MetricRow], list[BadRow]]:
    body = text if isinstance(text, bytes) else text.encode()
    page = PageInHand(1, "", "csv", io.BytesIO(body))
    batches = list(NORMALIZER.metric_batches(page, context(dataset, **options)))
    return [row for batch in batches for row in batch.rows], [bad for batch in batches for bad in batch.bad]


def objects(dataset: Dataset, body: Any) -> Any:
    page = PageInHand(1, "", "json", io.BytesIO(json.dumps(body).encode()))
    (batch,) = NORMALIZER.object_batches(page, context(dataset))
    return batch


def test_a_row_has_its_ids_its_day_and_exact_amounts() -> None:
    ((row,), bad) = read(f"{HEADER}\n{ROW}\n")
    assert not bad
    assert (row.entity_id, row.campaign_id, row.ad_group_id, row.day, row.hour) == ("2~3", "1", "2", "2026-11-01", -1)
    assert row.slot == (100, 10, 2_500_000, 12_340_000, 50_100_000)
    assert row.currency == "EUR"


def test_all_conversions_are_another_reading_of_the_same_bytes() -> None:
    ((row,), _) = read(f"{HEADER}\n{ROW}\n", conversions="all_conversions")
    assert row.slot[2:] == (4_000_000, 12_340_000, 80_000_000)


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{HEADER}\r\n{ROW}\r\n",
        "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in (HEADER, ROW)),
        f"{PREAMBLE}{HEADER}\n{ROW}\n{FOOTER}",
        f'{PREAMBLE}{HEADER}\n{ROW}\n\n"©2026 Microsoft Corporation. All rights reserved. "\n',
    ],
)
def test_a_byte_order_mark_quotes_the_report_s_own_header_and_its_footer_change_nothing(text: str) -> None:
    rows, bad = read(text)
    assert ([row.slot for row in rows], bad) == ([(100, 10, 2_500_000, 12_340_000, 50_100_000)], [])


def test_columns_are_found_by_name_in_any_order_and_among_others() -> None:
    pairs = [*zip(HEADER.split(","), ROW.split(","), strict=True), ("Ctr", "10.00%")]
    text = "\n".join(",".join(column) for column in zip(*reversed(pairs), strict=True))
    ((row,), _) = read(text)
    assert (row.entity_id, row.slot) == ("2~3", (100, 10, 2_500_000, 12_340_000, 50_100_000))


@pytest.mark.parametrize(
    ("cell", "micros"),
    [('"1,234,567.89"', 1_234_567_890_000), ("--", None), ("", None), ("12.3456789", 12_345_679), ("-0.5", -500_000)],
)
def test_an_amount_may_have_commas_and_many_decimals_and_may_be_unknown(cell: str, micros: int | None) -> None:
    ((row,), bad) = read(f"{HEADER}\n{ROW.replace('50.10', cell)}\n")
    assert (row.revenue, bad) == (micros, [])


def test_a_count_may_have_commas_and_a_column_that_was_not_asked_for_is_unknown() -> None:
    header, row = HEADER.removesuffix(",AllConversionsQualified,AllRevenue"), ROW.removesuffix(",4.00,80.00")
    grouped = row.replace(",100,", ',"1,100",')
    ((found,), _) = read(f"{header}\n{grouped}\n", conversions="all_conversions")
    assert found.slot == (1100, 10, None, 12_340_000, None)


def test_levels_breakdowns_and_hours_have_their_entities() -> None:
    numbers = "Impressions,Clicks,Spend,ConversionsQualified,Revenue"
    ((account,), _) = read(f"TimePeriod,AccountId,{numbers}\n2026-11-01,{ACCOUNT},1,2,3,4,5\n", Dataset.ACCOUNT_DAILY)
    assert (account.entity_id, account.campaign_id, account.currency) == (ACCOUNT, "", "EUR")
    hours, _ = read(
        f"TimePeriod,CampaignId,{numbers}\n2026-11-01|7,1,1,2,3,4,5\n2026-11-01|23,1,1,2,3,4,5\n",
        Dataset.CAMPAIGN_HOURLY,
    )
    assert [(row.entity_id, row.day, row.hour) for row in hours] == [("1", "2026-11-01", 7), ("1", "2026-11-01", 23)]
    ages, _ = read(
        f"TimePeriod,CampaignId,AdGroupId,AgeGroup,{numbers}\n2026-11-01,1,2,65+,1,2,3,4,5\n2026-11-01,1,2,,1,2,3,4,5\n",
        Dataset.AD_GROUP_BY_AGE_DAILY,
    )
    assert [row.entity_id for row in ages] == ["2~65+", "2~unknown"]
    split = "2026-11-01,1,2,65+,Female,1,2,3,4,5\n2026-11-01,1,2,65+,Male,10,20,30,40,50\n"
    ((both,), _) = read(
        f"TimePeriod,CampaignId,AdGroupId,AgeGroup,Gender,{numbers}\n{split}", Dataset.AD_GROUP_BY_AGE_DAILY
    )
    assert (both.entity_id, both.slot) == ("2~65+", (11, 22, 44_000_000, 33_000_000, 55_000_000))
    ((keyword,), _) = read(
        f"TimePeriod,CampaignId,AdGroupId,KeywordId,{numbers}\n2026-11-01,1,2,4,1,2,3,4,5\n", Dataset.KEYWORD_DAILY
    )
    assert (keyword.entity_id, keyword.campaign_id, keyword.ad_group_id) == ("2~4", "1", "2")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("2026-11-01", "11/1/2026", "TimePeriod"),
        ("2026-11-01", "2026-11-31", "TimePeriod"),
        (",3,", ",x,", "column 5"),
        (",3,", ",,", "column 5"),
        (",100,", ",1e3,", "Impressions"),
        (",12.34,", ",12.34 EUR,", "spend"),
        (ACCOUNT, "999", "AccountId"),
    ],
)
def test_a_row_that_cannot_be_read_costs_itself_only(old: str, new: str, field: str) -> None:
    rows, (bad,) = read(f"{HEADER}\n{ROW}\n{ROW.replace(old, new)}\n{ROW}\n")
    assert len(rows) == 2
    assert (bad.line, bad.errors[0]["field"]) == (3, field)


def test_a_bad_number_keeps_its_row_s_key_and_its_other_numbers() -> None:
    _, (bad,) = read(f"{HEADER}\n{ROW.replace('12.34', 'much')}\n")
    assert (bad.entity_id, bad.day, bad.campaign_id, bad.ad_group_id) == ("2~3", "2026-11-01", "1", "2")
    assert bad.slot == (100, 10, 2_500_000, None, 50_100_000)


def test_a_row_with_other_cells_than_the_header_is_bad_and_an_empty_file_has_no_rows() -> None:
    rows, (bad,) = read(f"{HEADER}\n{ROW}\n{ROW},1\n")
    assert (len(rows), bad.line) == (1, 3)
    assert read("") == read(b"\xef\xbb\xbf") == read(f"{HEADER}\n") == ([], [])


@pytest.mark.parametrize(
    "header", [HEADER.replace("Spend", "Cost"), HEADER.replace("AdId,", ""), f"{HEADER},Clicks", "<html>"]
)
def test_a_file_without_what_is_needed_is_refused(header: str) -> None:
    with pytest.raises(BadInput):
        read(f"{header}\n")


# -- objects ----------------------------------------------------------------------------------------------------------


def test_an_ad_account_is_reached_through_its_customer_and_has_its_days_in_utc() -> None:
    account = {
        "Id": ACCOUNT, "Name": "Halden", "CurrencyCode": "EUR", "ParentCustomerId": "25", "Number": "F1",
        "TimeZone": "EasternTimeUSCanada", "AccountLifeCycleStatus": "Active", "BusinessAddress": {"CountryCode": "DE"},
    }  # fmt: skip
    batch = objects(Dataset.PROFILES, {"Accounts": [account, None, {"Id": "x"}]})
    (profile,) = batch.objects
    assert (profile.profile_id, profile.name, profile.currency, profile.country) == (ACCOUNT, "Halden", "EUR", "DE")
    assert (profile.timezone, profile.route, profile.status_raw) == ("UTC", "25", "Active")
    assert [bad.entity_id for bad in batch.bad] == ["x"]
    (gone,) = objects(Dataset.PROFILES, {"Accounts": [account | {"AccountLifeCycleStatus": "Inactive"}]}).objects
    assert (profile.status, gone.status) == (ProfileStatus.ACTIVE, ProfileStatus.REMOVED)


def test_a_campaign_s_budget_may_be_shared_or_for_its_life() -> None:
    one = {
        "Id": "1",
        "Name": "A",
        "Status": "Active",
        "CampaignType": "Search",
        "DailyBudget": 20.5,
        "BudgetType": "DailyBudgetStandard",
    }
    shared = one | {"Id": "2", "BudgetId": "9", "Status": "BudgetPaused"}
    life = one | {
        "Id": "3",
        "BudgetType": "LifetimeBudgetStandard",
        "StartDate": "2026-01-02T00:00:00",
        "EndDate": "2050-01-01T00:00:00",
    }
    batch = objects(Dataset.CAMPAIGNS, {"Campaigns": [one, shared, life]})
    assert [(each.budget, each.budget_type) for each in batch.objects] == [
        (20_500_000, "daily"), (20_500_000, "shared daily"), (20_500_000, "lifetime"),
    ]  # fmt: skip
    assert [each.status for each in batch.objects] == [Status.ACTIVE, Status.PAUSED, Status.ACTIVE]
    assert (batch.objects[2].start_date, batch.objects[2].end_date) == ("2026-01-02", "")


def within(*entries: Any, campaign: str = "Active", group: str = "Active") -> Any:
    about = {"Id": "2", "Status": group, "StartDate": {"Day": 3, "Month": 2, "Year": 2026}, "EndDate": None}
    return {"Answers": [{"Campaign": {"Id": "1", "Status": campaign}, "AdGroup": about, "Entries": list(entries)}]}


def text(words: str) -> Any:
    return {"Asset": {"Id": "5", "Type": "TextAsset", "Text": words}, "PinnedField": None}


def test_an_ad_shows_its_first_texts_whatever_its_type() -> None:
    search = {
        "Id": "3", "Type": "ResponsiveSearch", "Status": "Active", "EditorialStatus": "Active",
        "Headlines": [text("Tents"), text("More")], "Descriptions": [text("Dry nights")], "FinalUrls": ["https://e.example/a"],
    }  # fmt: skip
    expanded = {
        "Id": "4",
        "Type": "ExpandedText",
        "Status": "Active",
        "TitlePart1": "Boots",
        "Text": "Warm",
        "FinalUrls": [],
    }
    audience = {
        "Id": "5",
        "Type": "ResponsiveAd",
        "Status": "Active",
        "LongHeadline": text("Long"),
        "Text": "T",
        "CallToAction": "ShopNow",
    }
    batch = objects(Dataset.ADS, within(search, expanded, audience))
    assert [(ad.headline, ad.description, ad.cta, ad.landing_page_url) for ad in batch.objects] == [
        ("Tents", "Dry nights", None, "https://e.example/a"), ("Boots", "Warm", None, None),
        ("Long", "T", "ShopNow", None),
    ]  # fmt: skip
    (first, *_) = batch.objects
    assert (first.campaign_id, first.ad_group_id, first.start_date, first.end_date) == ("1", "2", "2026-02-03", "")


@pytest.mark.parametrize(
    ("own", "editorial", "group", "campaign", "expected"),
    [
        ("Active", "Active", "Active", "Active", (Status.ACTIVE, "Active")),
        ("Active", "ActiveLimited", "Active", "BudgetPaused", (Status.PAUSED, "BudgetPaused")),
        ("Active", "Active", "Expired", "Paused", (Status.ENDED, "Expired")),
        ("Paused", "Active", "Active", "Active", (Status.PAUSED, "Paused")),
        ("Inactive", "Disapproved", "Active", "Active", (Status.REJECTED, "Disapproved")),
        ("Inactive", "Inactive", "Active", "Active", (Status.PENDING, "Inactive")),
        ("Strange", None, "Active", "Active", (Status.UNKNOWN, "Strange")),
    ],
)
def test_a_keyword_runs_while_it_and_its_parents_do(
    own: str, editorial: str | None, group: str, campaign: str, expected: tuple[Status, str]
) -> None:
    keyword = {
        "Id": "4",
        "Text": "tent",
        "MatchType": "Phrase",
        "Status": own,
        "EditorialStatus": editorial,
        "Bid": {"Amount": 0.55},
    }
    (found,) = objects(Dataset.KEYWORDS, within(keyword, group=group, campaign=campaign)).objects
    assert (found.status, found.status_raw) == expected
    assert (found.text, found.match_type, found.bid, found.id) == ("tent", "phrase", 550_000, "4")


def test_an_ad_shows_the_original_of_its_image_and_its_video() -> None:
    ad = {"Id": "3", "Status": "Active", "Images": [{"Asset": {"Id": 7}}], "Videos": [{"Asset": {"Id": "8"}}]}
    sizes = [{"Name": "Thumbnail", "Url": "https://t.example"}, {"Name": "Original", "Url": "https://o.example"}]
    more = {
        "Media": [{"Id": "7", "Representations": sizes}, 5],
        "Videos": [{"Id": "8", "SourceUrl": "https://v.example"}],
    }
    (found,) = objects(Dataset.ADS, within(ad) | more).objects
    assert (found.image_url, found.video_url) == ("https://o.example", "https://v.example")


def test_an_ad_group_has_its_campaign_and_an_odd_one_costs_itself_only() -> None:
    group = {"Id": "2", "Name": "G", "Status": "Active", "CpcBid": {"Amount": 1.1}}
    batch = objects(
        Dataset.AD_GROUPS, {"Answers": [{"Campaign": {"Id": "1"}, "AdGroup": None, "Entries": [group, {"Id": []}]}]}
    )
    assert [(each.id, each.campaign_id, each.bid) for each in batch.objects] == [("2", "1", 1_100_000)]
    assert len(batch.bad) == 1


# -- the library ------------------------------------------------------------------------------------------------------


def test_the_library_reads_rows_of_reports_and_of_lists_that_another_program_fetched() -> None:
    sent = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
    (row,) = adweir.normalize([sent], "bing")
    assert (row["account_id"], row["ad_id"], str(row["spend"]), row["currency"]) == (ACCOUNT, "3", "12.34", "EUR")
