"""Records with canonical cells become rows: by day, attribution and currency, added up where they are parts."""

from __future__ import annotations

from typing import Any

import pytest

from adweir.model.data_types import DATA_TYPES, StoredAs
from adweir.model.errors import Unprocessable
from adweir.model.metrics import METRICS, BadRow, Grain, Level
from adweir.model.platforms import Platform
from adweir.platforms.files.batches import DropBatch
from adweir.platforms.files.data_types import rows_of
from adweir.platforms.files.file_rows import FileContext, FileRows, NamedObject
from adweir.platforms.files.lines import Record
from adweir.platforms.files.normalize import DropRow, Target
from adweir.platforms.files.sums import RowParts

META = Platform("meta_ads")
OWN = "direct~acc_1"


class Stored:
    """Two campaigns of one ad account on meta_ads; `Twin` is the name of both."""

    def __init__(self) -> None:
        self.asked = 0

    def only_profile(self, platform: Platform, named: str = "") -> str:
        return "111" if platform == META else ""

    def timezone(self, target: Target) -> str:
        return "America/Los_Angeles" if target.profile_id == "111" else ""

    def currency(self, target: Target) -> str:
        return "EUR" if target.profile_id == "111" else ""

    def campaign(self, text: str, platform: str = "") -> NamedObject | None:
        return NamedObject(META, "c1") if text in {"Spring", "c1"} else None

    def ad_group(self, target: Target, own_id: str) -> str:
        return {"a1": "g1"}.get(own_id, "")

    def object_id(self, target: Target, parent: str, name: str) -> str:
        self.asked += 1
        return {"Spring": "c1", "Set": "g1" if parent == "c1" else ""}.get(name, "")


def parse(name: str) -> Platform:
    if name.lower() in {"meta", "meta_ads"}:
        return META
    raise Unprocessable("unknown platform")


def reader(data_type: str, source: str = "shop", *, adds_up: bool = False) -> FileRows:
    context = FileContext(Platform(source), OWN, "America/New_York", parse, lambda name: name == META, Stored())
    return rows_of(DATA_TYPES[data_type], context, adds_up=adds_up)


def read(files: FileRows, *cells: dict[str, str]) -> list[DropRow | BadRow]:
    found = [files.read(Record(n, str(n), {k: str(v) for k, v in each.items()})) for n, each in enumerate(cells, 2)]
    if not files.adds_up:
        return [each for each in found if each]
    sums = RowParts()
    for each in found:
        if isinstance(each, DropRow):
            sums.add(DropBatch(each.target, [each.row], [each.source]))
    made = [
        DropRow(each.target, row, text)
        for each in sums.batches()
        for row, text in zip(each.rows, each.texts, strict=True)
    ]
    return [*(each for each in found if isinstance(each, BadRow)), *made]


def rows(files: FileRows, *cells: dict[str, str]) -> list[DropRow]:
    found = read(files, *cells)
    assert all(isinstance(each, DropRow) for each in found), found
    return [each for each in found if isinstance(each, DropRow)]


def fault(files: FileRows, **cell: str) -> dict[str, Any]:
    (bad,) = read(files, cell)
    assert isinstance(bad, BadRow)
    return bad.errors[0]


def test_orders_of_one_day_and_attribution_add_up() -> None:
    found = rows(
        reader("orders"),
        {"order_id": "1", "date": "2026-11-01", "revenue": "10.50", "refunded": "0.25"},
        {"order_id": "2", "date": "2026-11-01", "revenue": "-3"},
        {"order_id": "3", "date": "2026-11-02", "revenue": "1"},
        {"order_id": "4", "date": "2026-11-02", "revenue": "2", "utm_source": "tik tok"},
    )
    assert [(each.row.entity_id, each.row.day, each.row.slot) for each in found] == [
        ("all", "2026-11-01", (None, None, 2_000_000, None, 7_250_000)),
        ("all", "2026-11-02", (None, None, 1_000_000, None, 1_000_000)),
        ("utm_source=tik tok", "2026-11-02", (None, None, 1_000_000, None, 2_000_000)),
    ]
    assert {each.target for each in found} == {Target(Platform("shop"), OWN, Level.ORDER, Grain.DAY)}


def test_memory_is_counted_once_for_each_order_in_whatever_lines_it_comes() -> None:
    def held(*lines: tuple[str, str, bool]) -> int:
        files = reader("orders")
        for own_id, day, counts in lines:
            files.read(Record(1, "", {"order_id": own_id, "date": day, "revenue": "5"}, counts))
        return files.held

    day, never = "2026-11-18", "never"
    once = [("1", day, True), ("2", day, True), ("3", day, False)]
    again = [("1", day, False), ("2", never, True), ("2", never, False), *once, ("1", day, True), ("3", day, False)]
    assert held(*again) == held(*once) > held(*once[:2]) > held(once[0])
    assert held(("1", never, True)) == held(("3", day, False)) > held(("", day, False)) == 0


def test_an_order_that_comes_twice_in_a_file_counts_once() -> None:
    """The further lines of an order in a shop's export have its number and no total; nor does it count a bad one."""
    files = reader("orders")
    found = read(
        files,
        {"order_id": "1", "date": "2026-11-01", "revenue": "10"},
        {"order_id": "1", "date": "", "revenue": ""},
        {"order_id": "2", "date": "yesterday", "revenue": "5"},
        {"order_id": "2", "date": "2026-11-01"},
    )
    assert files.left_out == {"repeated": 2}
    bad, sold = found
    assert isinstance(bad, BadRow)
    assert isinstance(sold, DropRow)
    assert (bad.line, sold.row.slot) == (4, (None, None, 1_000_000, None, 10_000_000))


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-11-01", "2026-11-01"),
        ("2026-11-01T23:30:00", "2026-11-01"),
        ("2026-11-02T03:30:00Z", "2026-11-01"),
        ("2026-11-02 03:30:00 +0000", "2026-11-01"),
        ("2026-11-02T03:30:00-05:00", "2026-11-02"),
    ],
)
def test_the_day_of_an_order_is_the_local_one_of_the_account(written: str, day: str) -> None:
    (found,) = rows(reader("orders"), {"order_id": "1", "date": written})
    assert found.row.day == day


@pytest.mark.parametrize(
    "written", ["", "01.11.2026", "2026-11-01T25:00:00", "2026-13-01", "0001-01-01T00:00:00+14:00"]
)
def test_a_date_that_cannot_be_read_is_a_fault(written: str) -> None:
    assert fault(reader("orders"), order_id="1", date=written)["field"] == "date"


def test_a_row_is_found_by_the_campaign_that_it_names() -> None:
    """Its id or its only name; the entity keeps the file's own words, whatever is stored by then."""
    say = {"date": "2026-11-01", "revenue": "1"}
    found = rows(
        reader("leads"),
        {"lead_id": "1", "platform": "meta", "campaign_id": "c9", **say},
        {"lead_id": "2", "utm_campaign": "Spring", **say},
        {"lead_id": "3", "utm_campaign": "Twin", **say},
        {"lead_id": "4", "campaign_id": "c7", **say},
    )
    assert [(each.row.entity_id, each.row.ad_product, each.row.campaign_id) for each in found] == [
        ("platform=meta_ads~campaign_id=c9", "meta_ads", "c9"),
        ("utm_campaign=Spring", "meta_ads", "c1"),
        ("utm_campaign=Twin", "", ""),
        ("campaign_id=c7", "", "c7"),
    ]


def test_currencies_of_a_file_are_kept_apart() -> None:
    found = rows(
        reader("deals"),
        {"deal_id": "1", "date": "2026-11-01", "revenue": "1", "currency": "eur"},
        {"deal_id": "2", "date": "2026-11-01", "revenue": "2"},
        {"deal_id": "3", "date": "2026-11-01", "revenue": "4", "currency": "EUR"},
    )
    assert [(each.target.currency, each.row.entity_id, each.row.revenue) for each in found] == [
        ("EUR", "currency=EUR", 5_000_000),
        ("", "all", 2_000_000),
    ]


def test_a_deal_that_was_not_won_counts_nothing() -> None:
    files = reader("deals")
    found = rows(
        files,
        {"deal_id": "1", "date": "2026-11-01", "revenue": "1", "won": "false"},
        {"deal_id": "2", "date": "2026-11-01", "revenue": "2", "won": "TRUE"},
    )
    assert [each.row.revenue for each in found] == [2_000_000]
    assert files.left_out == {"not_won": 1}
    assert fault(reader("deals"), deal_id="3", date="2026-11-01", won="maybe")["field"] == "won"


def test_visits_keep_what_is_unknown_apart_from_zero() -> None:
    found = rows(
        reader("web_analytics"),
        {"date": "2026-11-01", "sessions": "10", "pageviews": "30"},
        {"date": "2026-11-01", "sessions": "5"},
    )
    assert [each.row.slot for each in found] == [(30, 15, None, None, None)]
    assert fault(reader("web_analytics"), date="2026-11-01")["rule"] == "required"


def test_a_value_of_a_series_may_be_negative_and_is_not_added_up() -> None:
    found = rows(
        reader("kpi_series"),
        {"name": "EBIT #1", "date": "2026-11-01", "value": "-12.5", "geo": "DE"},
        {"name": "EBIT #1", "date": "2026-11-01", "value": "3", "geo": "AT~CH"},
    )
    assert [(each.row.entity_id, each.row.conversions) for each in found] == [
        ("name=EBIT %231~geo=DE", -12_500_000),
        ("name=EBIT %231~geo=AT%7ECH", 3_000_000),
    ]


@pytest.mark.parametrize(
    ("data_type", "cell", "field"),
    [
        ("orders", {"date": "2026-11-01"}, "order_id"),
        ("orders", {"order_id": "1", "date": "2026-11-01", "revenue": "ten"}, "revenue"),
        ("orders", {"order_id": "1", "date": "2026-11-01", "revenue": "1", "refunded": "-1"}, "refunded"),
        ("orders", {"order_id": "1", "date": "2026-11-01", "revenue": "1", "currency": "EURO"}, "currency"),
        ("orders", {"order_id": "1", "date": "2026-11-01", "utm_source": "a\x00b"}, "utm_source"),
        ("orders", {"order_id": "1", "date": "2026-11-01", "utm_source": "a" * 201}, "utm_source"),
        ("orders", {"order_id": "1", "date": "2026-11-01", "platform": "a b"}, "platform"),
        ("controls", {"date": "2026-11-01", "value": "1"}, "name"),
        ("controls", {"name": "promo", "date": "2026-11-01"}, "value"),
        ("controls", {"name": "promo", "date": "2026-11-01", "value": "0.1234567"}, "value"),
    ],
)
def test_what_cannot_be_stored_is_told_by_its_column(data_type: str, cell: dict[str, str], field: str) -> None:
    assert fault(reader(data_type), **cell)["field"] == field


def test_an_export_without_ids_is_of_the_only_ad_account_and_the_only_campaign_with_the_name() -> None:
    say = {"date": "2026-11-01", "spend": "1.5"}
    named = {"campaign_name": "Spring", "ad_group_name": "Set"}
    (campaign,) = rows(reader("campaign_performance", "meta_ads"), {**say, **named})
    assert campaign.target == Target(META, "111", Level.CAMPAIGN, Grain.DAY)
    assert (campaign.row.entity_id, campaign.row.slot) == ("c1", (None, None, None, 1_500_000, None))
    files = reader("ad_performance", "meta_ads")
    (ad,) = rows(files, {**say, **named, "ad_id": "a1"})
    assert (ad.row.entity_id, ad.row.campaign_id, ad.row.ad_group_id) == ("g1~a1", "c1", "g1")
    bad = fault(reader("campaign_performance", "meta_ads"), **say, campaign_name="Twin")
    assert (bad["field"], bad["rule"]) == ("campaign_name", "known")
    assert fault(reader("ad_performance", "meta_ads"), **say, ad_id="a9")["field"] == "ad_group_id"
    bad = fault(reader("campaign_performance"), **say, platform="meta", campaign_id="")
    assert bad["field"] == "campaign_id"


@pytest.mark.parametrize(
    ("data_type", "profile", "day", "hour"),
    [
        ("campaign_performance", "", "2026-11-20", -1),
        ("campaign_performance_hourly", "", "2026-11-20", 23),
        ("campaign_performance", "222", "2026-11-21", -1),
    ],
)
def test_a_moment_is_of_the_day_in_the_zone_of_the_ad_account(
    data_type: str, profile: str, day: str, hour: int
) -> None:
    files = reader(data_type, "meta_ads" if not profile else "linkedin_ads")
    (found,) = rows(
        files, {"profile_id": profile, "campaign_id": "c1", "date": "2026-11-21T07:30:00+00:00", "clicks": "1"}
    )

    assert (found.row.day, found.row.hour) == (day, hour)


def test_an_ad_without_an_ad_group_is_of_the_one_that_is_listed_with_it() -> None:
    (found,) = rows(reader("ad_performance", "meta_ads"), {"ad_id": "a1", "date": "2026-11-01", "clicks": "1"})

    assert (found.row.entity_id, found.row.ad_group_id) == ("g1~a1", "g1")
    unknown = fault(reader("ad_performance", "meta_ads"), ad_id="a2", date="2026-11-01", clicks="1")
    assert unknown["message"] == "ad_group_id or ad_group_name is required"
    elsewhere = fault(reader("ad_performance", "linkedin_ads"), ad_id="a1", date="2026-11-01", clicks="1")
    assert elsewhere["field"] == "ad_group_id"


def test_the_only_ad_account_is_not_guessed() -> None:
    context = FileContext(Platform("google_ads"), OWN, "UTC", parse, lambda _: True, Stored())
    bad = fault(rows_of(DATA_TYPES["account_performance"], context), date="2026-11-01", spend="1")
    assert (bad["field"], bad["rule"]) == ("profile_id", "known")


def test_of_a_platform_that_nothing_lists_the_words_of_the_file_are_the_ids() -> None:
    say = {"date": "2026-11-01", "spend": "1", "currency": "EUR"}
    (own,) = rows(reader("campaign_performance", "radio"), {**say, "campaign_name": "Morning #1"})
    assert own.target == Target(Platform("radio"), OWN, Level.CAMPAIGN, Grain.DAY, "EUR")
    assert own.row.entity_id == "Morning %231"
    files = reader("campaign_performance", "fivetran")
    (other,) = rows(files, {**say, "platform": "Pinterest_Ads", "profile_id": "p1", "campaign_id": "c1"})
    assert other.target == Target(Platform("pinterest_ads"), "p1", Level.CAMPAIGN, Grain.DAY, "EUR")
    again = {**say, "platform": "pinterest_ads", "profile_id": "p1", "campaign_id": "c1", "currency": "USD"}
    assert fault(files, **again)["field"] == "currency"


def test_rows_of_a_split_export_add_up() -> None:
    say = {"date": "2026-11-01", "campaign_id": "c1", "hour": "7", "impressions": "5", "spend": "1.1"}
    split = reader("campaign_performance_hourly", "meta_ads", adds_up=True)
    (found,) = rows(split, say, {**say, "clicks": "1"})
    assert (found.row.hour, found.row.slot) == (7, (10, 1, None, 2_200_000, None))
    assert fault(reader("campaign_performance_hourly", "meta_ads"), **say | {"hour": ""})["field"] == "hour"


def test_rows_that_name_their_level_are_read_as_in_our_own_columns() -> None:
    own = {"platform": "meta", "profile_id": "1", "level": "campaign", "date": "2026-11-01", "campaign_id": "c1"}
    (found,) = rows(reader("metrics"), {**own, "impressions": "1", "clicks": "0", "spend": "2"})
    assert (found.target.level, found.row.spend) == (Level.CAMPAIGN, 2_000_000)
    assert fault(reader("metrics"), **own | {"level": "order"})["field"] == "level"


def test_the_table_of_data_types_agrees_with_itself() -> None:
    for name, each in DATA_TYPES.items():
        assert name == each.name
        assert len(set(each.names)) == len(each.names), name
        assert {*each.one_of, *each.key, *filter(None, [each.known_by])} <= set(each.names), name
        assert {column.number for column in each.columns} - {""} <= set(METRICS), name
        assert (each.stored_as is StoredAs.SERIES) == (each.level not in {None, *list(Level)[:5]}), name
    assert {each.name for each in DATA_TYPES.values() if each.personal} == {"orders", "deals", "leads"}
