"""Exports of other tools: their forms are those of real files, and what they hold adds up to the world's numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from sandbox.exports import Export, TrueRow, ad_exports, shop_exports, totals
from sandbox.exports.base import counted, german, grouped, parts, units
from sandbox.outside import Outside
from sandbox.platforms import everyone, population
from support.platform_server import ANCHOR

START, END = ANCHOR - timedelta(days=4), ANCHOR - timedelta(days=3)


@pytest.fixture(scope="module")
def world_of() -> Outside:
    return Outside(anchor=ANCHOR, population=population(everyone()))


@pytest.fixture(scope="module", params=[0, 1], ids=["halden", "mori"])
def exports(request: pytest.FixtureRequest, world_of: Outside) -> Mapping[str, Export]:
    world = world_of.world
    of = (world, world.companies[request.param], START, END)
    return {export.key: export for export in (*ad_exports(*of), *shop_exports(*of))}


def text(export: Export) -> str:
    encoding = "utf-16" if export.body.startswith(b"\xff\xfe") else "utf-8-sig"
    return export.body.decode(encoding)


def table(export: Export, *, skip: int = 0, delimiter: str = ",") -> list[dict[str, str]]:
    """The records below so many lines."""
    below = "".join(text(export).splitlines(keepends=True)[skip:])
    return list(csv.DictReader(io.StringIO(below, newline=""), delimiter=delimiter))


def micros(written: str) -> int:
    return int(Decimal(written.replace(",", "")) * 1_000_000)


def column(rows: list[dict[str, str]], name: str) -> int:
    return sum(int(row[name].replace(",", "")) for row in rows)


def money(rows: list[dict[str, str]], name: str) -> int:
    return sum(micros(row[name]) for row in rows)


def test_every_tool_has_files_with_a_truth(exports: Mapping[str, Export]) -> None:
    sources = {export.source for export in exports.values()}
    assert sources == {
        "adweir", "fivetran", "google_ads", "meta_ads", "microsoft_ads", "amazon_ads", "linkedin_ads", "pinterest_ads",
        "snapchat_ads", "reddit_ads", "twitter_ads", "apple_search_ads", "shopify", "hubspot", "salesforce", "ga4",
    }  # fmt: skip
    assert len(exports) == 21
    assert all(export.truth for export in exports.values())


def test_no_file_names_anybody(exports: Mapping[str, Export]) -> None:
    for export in exports.values():
        assert set(re.findall(r"\w@([\w.]+)", text(export))) <= {"example.com"}


def test_google_in_english_has_title_range_thousands_signs_and_totals(exports: Mapping[str, Export]) -> None:
    export = exports["google_ads/campaign_performance/Campaign report.csv"]
    assert not export.body.startswith(b"\xef\xbb\xbf")
    assert text(export).splitlines()[:2] == ["Campaign report", '"November 17, 2026 - November 18, 2026"']
    rows = table(export, skip=2)
    own = [row for row in rows if not row["Campaign"].startswith("Total: ")]
    whole = totals(export.truth)
    assert (column(own, "Impr."), money(own, "Cost")) == (whole.impressions, whole.spend)
    assert (money(own, "Conversions"), money(own, "Conv. value")) == (whole.conversions, whole.revenue)
    account = rows[-1]
    assert (account["Campaign"], account["Day"]) == ("Total: Account", " --")
    assert micros(account["Cost"]) > (whole.spend or 0)
    assert any("," in row["Impr."] for row in own)
    assert not any("," in row["Cost"] for row in rows)


def test_google_in_german_is_utf_16_with_tabs_and_decimal_commas(exports: Mapping[str, Export]) -> None:
    export = exports["google_ads/campaign_performance/Kampagnenbericht.csv"]
    assert export.body.startswith(b"\xff\xfe")
    assert text(export).splitlines()[:2] == ["Kampagnenbericht", "17. November 2026 - 18. November 2026"]
    rows = table(export, skip=2, delimiter="\t")
    own = [{name: german(cell) for name, cell in row.items()} for row in rows if ":" not in row["Kampagne"]]
    whole = totals(export.truth)
    assert (column(own, "Klicks"), money(own, "Kosten"), money(own, "Conv.-Wert")) == (*whole[3:5], whole.revenue)
    assert [row["Kampagne"] for row in rows[-2:]] == ["Gesamt: Kampagnen", "Gesamt: Konto"]


def test_meta_has_a_mark_its_currency_in_the_header_and_a_first_row_of_totals(exports: Mapping[str, Export]) -> None:
    export = exports["meta_ads/campaign_performance/Ads-Manager-Campaigns.csv"]
    assert export.body.startswith(b"\xef\xbb\xbf")
    first, *rows = table(export)
    (spent,) = (name for name in first if re.fullmatch(r"Amount spent \((USD|EUR)\)", name))
    whole = totals(export.truth)
    assert (first["Campaign name"], micros(first[spent])) == ("", money(rows, spent))
    assert (money(rows, spent), column(rows, "Clicks (all)"), money(rows, "Purchases")) == (
        whole.spend, whole.clicks, whole.conversions,
    )  # fmt: skip
    german_truth = exports["meta_ads/campaign_performance/Werbeanzeigenmanager-Kampagnen.csv"].truth
    assert totals(german_truth)[4:7] == (whole.spend, None, None)


def test_tables_of_the_warehouse_have_their_units_and_add_up(exports: Mapping[str, Export]) -> None:
    def of(source: str, name: str) -> tuple[list[dict[str, str]], TrueRow]:
        found = next(e for e in exports.values() if e.source == source and e.name == f"{name}.csv")
        return table(found), totals(found.truth)

    rows, whole = of("microsoft_ads", "campaign_performance_daily_report")
    assert len(rows) == 2 * len({(row["campaign_id"], row["date"]) for row in rows})
    assert (column(rows, "clicks"), money(rows, "spend"), money(rows, "revenue")) == (*whole[3:5], whole.revenue)
    rows, whole = of("pinterest_ads", "campaign_report")
    assert column(rows, "impression_1") + column(rows, "impression_2") == whole.impressions
    assert column(rows, "spend_in_micro_dollar") == whole.spend
    rows, whole = of("snapchat_ads", "campaign_hourly_report")
    assert {datetime.fromisoformat(row["date"]).hour for row in rows} == {9, 11, 13, 14}
    assert (column(rows, "swipes"), column(rows, "spend")) == (whole.clicks, whole.spend)
    rows, whole = of("twitter_ads", "campaign_report")
    assert (column(rows, "billed_charge_local_micro"), column(rows, "clicks")) == (whole.spend, whole.clicks)
    rows, whole = of("linkedin_ads", "ad_analytics_by_campaign")
    assert money(rows, "cost_in_local_currency") == whole.spend != money(rows, "cost_in_usd")
    rows, whole = of("reddit_ads", "campaign_report")
    assert (column(rows, "spend"), whole.conversions) == (whole.spend, None)
    rows, whole = of("apple_search_ads", "campaign_report")
    assert (column(rows, "taps"), money(rows, "local_spend_amount"), whole.revenue) == (whole.clicks, whole.spend, None)


def test_reports_of_platforms_have_their_lines_above_and_below_and_their_signs(exports: Mapping[str, Export]) -> None:
    microsoft = exports["microsoft_ads/campaign_performance/Campaigns.csv"]
    lines = text(microsoft).splitlines()
    assert (lines[0], lines[7], lines[-2]) == ('"Report Name: Campaigns"', "", "")
    assert lines[-1] == '"@2026 Microsoft Corporation. All rights reserved. "'
    rows = [row for row in table(microsoft, skip=8) if row["Spend"]]
    assert lines[6] == f'"Rows: {len(rows)}"'
    assert (money(rows, "Spend"), money(rows, "Revenue")) == (
        totals(microsoft.truth).spend, totals(microsoft.truth).revenue,
    )  # fmt: skip
    (amazon,) = (export for export in exports.values() if export.source == "amazon_ads")
    sold = table(amazon, delimiter=";")
    assert {row["Ausgaben"][-1] for row in sold} <= {"$", "€", "¥"}
    spent = sum(micros(german(row["Ausgaben"][:-2])) for row in sold)
    assert spent == totals(amazon.truth).spend
    assert len(sold) == 2 * len(amazon.truth)


def test_shopify_has_an_order_per_name_and_several_lines(exports: Mapping[str, Export]) -> None:
    export = exports["shopify/orders/orders_export_1.csv"]
    rows = table(export)
    assert len(rows[0]) == 79
    first = [row for row in rows if row["Financial Status"]]
    assert len(first) == len({row["Name"] for row in rows}) < len(rows)
    sold = [row for row in first if row["Financial Status"] in ("paid", "refunded", "partially_refunded")]
    whole = totals(export.truth)
    assert len(sold) * 1_000_000 == whole.conversions
    assert money(sold, "Total") - money(sold, "Refunded Amount") == whole.revenue
    assert len(sold) < len(first)
    assert any(micros(row["Refunded Amount"]) for row in sold)


def test_an_order_has_one_number_in_exports_of_any_days(world_of: Outside) -> None:
    """As in a shop: by its number, an order that is exported again is known again, and no other has it."""
    world = world_of.world

    def ids(start: date, end: date) -> dict[str, str]:
        made = {export.key: export for export in shop_exports(world, world.companies[0], start, end)}
        return {row["ID"]: row["AMOUNT"] for row in table(made["salesforce/deals/opportunities.csv"])}

    first, second, both = ids(START, START), ids(END, END), ids(START, END)
    assert (len(first) + len(second), first | second) == (len(both), both)


def test_orders_add_up_to_what_the_campaigns_brought(exports: Mapping[str, Export], world_of: Outside) -> None:
    export = exports["adweir/orders/orders.csv"]
    google = totals(exports["adweir/metrics/own.csv"].truth)
    rows = table(export)
    assert money(rows, "revenue") <= (google.revenue or 0)
    assert {row["utm_campaign"] for row in rows} == {row.entity for row in export.truth}
    by_day = dict.fromkeys((START, END), 0)
    for row in rows:
        by_day[date.fromisoformat(row["date"][:10])] += micros(row["revenue"]) - micros(row["refunded"])
    truth = {day: sum(row.revenue or 0 for row in export.truth if row.day == day) for day in by_day}
    assert by_day == truth


def test_deals_that_were_won_are_the_orders(exports: Mapping[str, Export]) -> None:
    hubspot = next(export for export in exports.values() if export.source == "hubspot")
    loader, report = (exports[f"salesforce/deals/{name}.csv"] for name in ("opportunities", "report"))
    assert hubspot.truth == loader.truth == report.truth
    whole = totals(hubspot.truth)
    won = [row for row in table(hubspot) if row["Deal Stage"] == "Closed Won"]
    assert money(won, "Amount") == whole.revenue
    assert money([row for row in table(loader) if row["ISWON"] == "true"], "AMOUNT") == whole.revenue
    footer = text(report).splitlines()[-3:]
    assert footer[1] == '"Confidential Information - Do Not Distribute"'
    assert re.fullmatch(r'"Grand Totals \(\d+ records\)"', footer[0])
    assert '"500' not in text(loader)[:3]
    assert re.search(r'"\d+\.0"', text(loader))


def test_ga4_has_comments_days_without_dashes_and_nameless_sources(exports: Mapping[str, Export]) -> None:
    (export,) = (each for each in exports.values() if each.source == "ga4")
    assert text(export).startswith("# ---")
    rows = table(export, skip=9)
    assert {row["Date"] for row in rows} == {"20261117", "20261118"}
    assert {"(direct)", "(not set)"} < {row["Session campaign"] for row in rows}
    whole = totals(export.truth)
    assert (column(rows, "Sessions"), money(rows, "Key events"), money(rows, "Total revenue")) == (
        whole.clicks, whole.conversions, whole.revenue,
    )  # fmt: skip


def test_numbers_are_written_as_the_tools_do() -> None:
    assert (units(4_838_800_000), units(4_838_800_000, 2), grouped(4_838_800_000)) == ("4838.8", "4838.80", "4,838.80")
    assert (counted(795_836), german("4,838.80"), units(None)) == ("795,836", "4.838,80", "")
    assert list(parts(10, (5, 3))) == [6, 4]
    assert list(parts(None, (5, 3))) == [None, None]
