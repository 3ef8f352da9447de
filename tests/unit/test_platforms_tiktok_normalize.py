"""TikTok's pages in our vocabulary."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.money import rounded
from adweir.platforms.tiktok_ads.normalize import NORMALIZER
from adweir.platforms.tiktok_ads.options import TikTokOptions
from support.tiktok_wire import context, envelope, listed, report_row, stored

AD = "1800000000000002~1800000000000003"
OPTIONS = TikTokOptions.model_validate
VALUES = "total_complete_payment_rate + total_onsite_shopping_value + offline_shopping_events_value"


def read(body: Any, dataset: Dataset = Dataset.AD_DAILY, media: str = "json", **changes: Any) -> Any:
    batches = list(NORMALIZER.metric_batches(stored(body, media=media), context(dataset, **changes)))
    return [row for batch in batches for row in batch.rows], [row for batch in batches for row in batch.bad]


def one(row: Any, dataset: Dataset = Dataset.AD_DAILY, **changes: Any) -> MetricRow:
    (found,), bad = read(listed([row]), dataset, **changes)
    assert bad == []
    assert isinstance(found, MetricRow)
    return found


def spoilt(row: Any, dataset: Dataset = Dataset.AD_DAILY) -> BadRow:
    """The bad row that this one is, between two good ones."""
    good = report_row()
    rows, (bad,) = read(listed([good, row, good]), dataset)
    assert len(rows) == 2
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    return bad


# -- the reference's sample -------------------------------------------------------------------------------------------


def test_an_ad_s_day_becomes_a_metric_row() -> None:
    assert one(report_row()) == MetricRow(
        entity_id=AD,
        day="2026-11-01",
        impressions=1200,
        clicks=34,
        conversions=3_000_000,
        spend=45_670_000,
        revenue=310_750_000,
        campaign_id="1800000000000001",
        ad_group_id="1800000000000002",
        currency="USD",
        line=1,
    )


@pytest.mark.parametrize(
    ("dataset", "dimensions", "entity"),
    [
        (Dataset.ACCOUNT_DAILY, {"advertiser_id": "7000000000000000101"}, "7000000000000000101"),
        (Dataset.ACCOUNT_DAILY, {}, "7000000000000000101"),
        (Dataset.CAMPAIGN_DAILY, {"campaign_id": "5"}, "5"),
        (Dataset.AD_GROUP_DAILY, {"adgroup_id": "6"}, "6"),
        (Dataset.AD_BY_AGE_GENDER_DAILY, {"age": "AGE_25_34", "gender": "FEMALE"}, f"{AD}~AGE_25_34/FEMALE"),
        (Dataset.AD_BY_AGE_GENDER_DAILY, {"age": "NONE", "gender": "NONE"}, f"{AD}~NONE/NONE"),
        (Dataset.AD_BY_COUNTRY_DAILY, {"country_code": "US"}, f"{AD}~US"),
        (Dataset.AD_BY_REGION_DAILY, {"province_id": "4896861"}, f"{AD}~4896861"),
        (Dataset.CAMPAIGN_BY_REGION_DAILY, {"campaign_id": "5", "province_id": "4896861"}, "5~4896861"),
        (Dataset.AD_BY_DEVICE_DAILY, {"platform": "IPHONE"}, f"{AD}~IPHONE"),
        (Dataset.AD_BY_PLACEMENT_DAILY, {"placement": "TikTok"}, f"{AD}~TikTok"),
    ],
)
def test_each_dataset_names_its_entities(dataset: Dataset, dimensions: dict[str, str], entity: str) -> None:
    own = {} if dataset.level == "ad" else {"ad_id": None}
    row = one(report_row(own | dimensions), dataset)
    assert row.entity_id == entity
    assert row.campaign_id == {"account": "", "campaign": "5"}.get(dataset.level, "1800000000000001")


def test_an_hour_is_the_advertiser_s_own() -> None:
    row = report_row(
        {"ad_id": None, "campaign_id": "5", "stat_time_day": None, "stat_time_hour": "2026-11-01 23:00:00"}
    )
    found = one(row, Dataset.CAMPAIGN_HOURLY)
    assert (found.day, found.hour) == ("2026-11-01", 23)


# -- what there is not ------------------------------------------------------------------------------------------------


def test_a_dash_is_unknown_and_not_zero() -> None:
    found = one(report_row(spend="-", conversion="-", total_complete_payment_rate="-", impressions="-", clicks="-"))
    assert found.slot == (None, None, None, None, None)


def test_a_metric_that_was_not_asked_for_is_unknown() -> None:
    row = report_row(total_complete_payment_rate=None, conversion=None)
    assert one(row).slot == (1200, 34, None, 45_670_000, None)


def test_a_metric_that_every_row_has_is_missed() -> None:
    assert spoilt(report_row(spend=None)).errors == [{"field": "spend", "rule": "format", "message": "is missing"}]


def test_audience_reports_have_no_purchases_by_place() -> None:
    row = report_row({"country_code": "US"})
    assert one(row, Dataset.AD_BY_COUNTRY_DAILY).slot == (1200, 34, 3_000_000, 45_670_000, None)
    purchases = one(row, Dataset.AD_BY_COUNTRY_DAILY, options=OPTIONS({"conversions": "purchases"}))
    assert purchases.conversions is None


@pytest.mark.parametrize(
    ("dataset", "dimensions"),
    [
        (Dataset.CAMPAIGN_HOURLY, {"campaign_id": "5", "stat_time_hour": "-"}),
        (Dataset.AD_BY_COUNTRY_DAILY, {"country_code": "-"}),
        (Dataset.AD_BY_AGE_GENDER_DAILY, {"age": "AGE_18_24"}),
    ],
)
def test_a_row_that_does_not_say_which_one_is_silent_without_delivery_and_bad_with_it(
    dataset: Dataset, dimensions: dict[str, str]
) -> None:
    silent = report_row(dimensions, impressions="0", clicks="0", spend="0.00")
    assert read(listed([silent]), dataset) == ([], [])
    rows, (bad,) = read(listed([report_row(dimensions)]), dataset)
    assert (rows, bad.errors[0]["message"]) == ([], "is missing")


# -- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "conversions", "revenue", "definition"),
    [
        ({}, 3_000_000, 310_750_000, "conversion; total_complete_payment_rate"),
        ({"conversions": "purchases"}, 2_000_000, 310_750_000, "complete_payment; total_complete_payment_rate"),
        ({"purchases": ["app"]}, 3_000_000, None, "conversion; total_purchase_value"),
        (
            {"conversions": "purchases", "purchases": ["web", "shop", "offline"]},
            2_000_000,
            310_750_000,
            f"complete_payment + onsite_shopping + offline_shopping_events; {VALUES}",
        ),
    ],
)
def test_options_choose_what_counts(
    options: dict[str, Any], conversions: int, revenue: int | None, definition: str
) -> None:
    chosen = OPTIONS(options)
    found = one(report_row(), options=chosen)
    assert (found.conversions, found.revenue, chosen.definition) == (conversions, revenue, definition)


@pytest.mark.parametrize("wrong", [{"purchases": []}, {"purchases": ["web", "web"]}, {"conversions": "clicks"}])
def test_options_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"purchases|conversions"):
        OPTIONS(wrong)


# -- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (report_row(spend="45,67"), "spend"),
        (report_row(impressions="many"), "impressions"),
        (report_row(clicks="1.5"), "clicks"),
        (report_row(conversion="NaN"), "conversion"),
        (report_row(total_complete_payment_rate="1e999"), "total_complete_payment_rate"),
        (report_row({"ad_id": "a/b"}), "ad_id"),
        (report_row({"ad_id": None}), "ad_id"),
        (report_row(adgroup_id="-"), "adgroup_id"),
        (report_row({"stat_time_day": "01.11.2026"}), "stat_time_day"),
        (report_row({"stat_time_day": "2026-11-31 00:00:00"}), "stat_time_day"),
        (report_row({"stat_time_day": None}), "stat_time_day"),
        (report_row({"advertiser_id": "1"}), "advertiser_id"),
    ],
)
def test_a_row_that_cannot_be_read_costs_itself_only(row: Any, field: str) -> None:
    assert spoilt(row).errors[0]["field"] == field


def test_a_bad_row_keeps_its_key_and_the_numbers_that_can_be_read() -> None:
    bad = spoilt(report_row(spend="45,67"))
    assert (bad.entity_id, bad.day, bad.campaign_id) == (AD, "2026-11-01", "1800000000000001")
    assert bad.slot == (1200, 34, 3_000_000, None, 310_750_000)


@pytest.mark.parametrize("row", [7, None, {"metrics": {}}, report_row(spend=45.67), report_row(clicks=[1])])
def test_a_row_of_another_form_costs_itself_only(row: Any) -> None:
    assert spoilt(row).errors[0]["rule"] == "schema"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"code":0}', b'{"data":{"list":7}}', b"<html>", b'{"data":{"list":['])
def test_what_is_no_report_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        read(body)


def test_a_dataset_that_tiktok_does_not_have_is_bad_input() -> None:
    with pytest.raises(BadInput):
        read(listed([]), Dataset.KEYWORD_DAILY)
    with pytest.raises(BadInput):
        list(NORMALIZER.object_batches(stored(listed([{}])), context(Dataset.KEYWORDS)))


# -- properties -------------------------------------------------------------------------------------------------------

AMOUNTS = st.decimals(0, 10**9, allow_nan=False, places=8).map(lambda number: f"{number:f}")
COUNTS = st.integers(0, 10**12).map(str)


@settings(max_examples=40)
@given(st.lists(st.tuples(COUNTS, COUNTS, AMOUNTS, AMOUNTS | st.just("-")), min_size=1, max_size=8))
def test_columns_and_rows_read_the_same_numbers_exactly(found: list[tuple[str, str, str, str]]) -> None:
    rows = [
        report_row({"ad_id": str(at + 1)}, impressions=i, clicks=c, spend=s, total_complete_payment_rate=r)
        for at, (i, c, s, r) in enumerate(found)
    ]
    together, bad = read(listed(rows))
    alone = [one(row) for row in rows]
    assert bad == []
    assert [row.slot for row in together] == [row.slot for row in alone]
    for row, (impressions, clicks, spend, revenue) in zip(together, found, strict=True):
        assert (row.impressions, row.clicks) == (int(impressions), int(clicks))
        assert row.spend == rounded(spend)[0]
        assert row.revenue == (None if revenue == "-" else rounded(revenue)[0])


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.floats(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_whatever_a_row_is_the_others_are_read(noise: Any) -> None:
    good = report_row()
    rows, bad = read(json.dumps(envelope({"list": [good, noise, good]})).encode())
    assert len(rows) == 2
    assert len(bad) == 1


# -- files of asynchronous tasks --------------------------------------------------------------------------------------


def as_file(rows: list[Any], *, bom: bool = False) -> bytes:
    flat = [row["dimensions"] | row["metrics"] for row in rows]
    held = io.StringIO()
    writer = csv.DictWriter(held, flat[0].keys())
    writer.writeheader()
    writer.writerows(flat)
    return (b"\xef\xbb\xbf" if bom else b"") + held.getvalue().encode()


def test_a_file_has_the_rows_of_the_synchronous_answer() -> None:
    rows = [report_row({"ad_id": str(number)}) for number in range(1, 2002)]
    whole, bad = read(listed(rows))
    found, faulty = read(as_file(rows, bom=True), media="csv")
    assert found == whole
    assert faulty == bad == []


def test_a_faulty_line_of_a_file_costs_itself_only() -> None:
    rows, (bad,) = read(as_file([report_row(), report_row(spend="many"), report_row()]), media="csv")
    assert (len(rows), bad.line, bad.errors[0]["field"], bad.entity_id) == (2, 2, "spend", AD)


def test_an_empty_file_has_no_rows_and_one_without_a_column_is_bad_input() -> None:
    assert read(b"", media="csv") == ([], [])
    for body in (b"ad_id,stat_time_day,spend,clicks\r\n", b"Ad ID,Date\r\n1,2\r\n", b"\xff\xfe\r\n"):
        with pytest.raises(BadInput):
            read(body, media="csv")
