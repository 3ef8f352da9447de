"""Google's rows of numbers → metric rows."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.columns import MetricColumns
from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput
from adweir.model.metrics import MetricRow
from adweir.platforms.connector import RowBatch
from adweir.platforms.google_ads import SPEC
from adweir.platforms.google_ads.countries import country
from adweir.platforms.google_ads.normalize import NORMALIZER
from adweir.platforms.google_ads.options import GoogleOptions
from support.google_wire import CUSTOMER, batch, context, row
from support.meta_wire import StoredPage

ALL = GoogleOptions(conversions="all_conversions")


def read(rows: list[Any] | bytes, dataset: Dataset = Dataset.AD_DAILY, label: str = "", **about: Any) -> RowBatch:
    body = rows if isinstance(rows, bytes) else msgspec.json.encode(batch(rows))
    (found,) = NORMALIZER.metric_batches(StoredPage(1, io.BytesIO(body), label), context(dataset, **about))
    return found


def one(dataset: Dataset = Dataset.AD_DAILY, label: str = "", options: Any = None, **changes: Any) -> MetricRow:
    found = read([row(**changes)], dataset, label, options=options or GoogleOptions())
    assert not found.bad
    return found.rows[0]


def test_a_row_is_exact() -> None:
    found = one()
    assert found.slot == (1200, 34, 2_500_000, 45_670_000, 310_750_000)
    assert (found.entity_id, found.day, found.hour) == ("222~333", "2026-11-01", -1)
    assert (found.campaign_id, found.ad_group_id, found.currency, found.line) == ("111", "222", "USD", 1)


def test_all_conversions_are_another_reading_of_the_same_bytes() -> None:
    assert one(options=ALL).slot == (1200, 34, 3_000_000, 45_670_000, 320_500_000)
    assert GoogleOptions().definition == "conversions and conversions_value by the day of the interaction"
    assert ALL.definition == "all_conversions and all_conversions_value by the day of the interaction"


def test_a_zero_that_is_there_is_zero_and_a_metric_that_is_not_is_unknown() -> None:
    zeros = {"impressions": "0", "clicks": "0", "costMicros": "0", "conversions": 0, "conversionsValue": 0.0}
    assert one(metrics=zeros).slot == (0, 0, 0, 0, 0)
    assert one(metrics=dict.fromkeys(zeros)).slot == (None,) * 5
    assert read([row(metrics=dict.fromkeys(zeros))]).rows.unknown  # type: ignore[attr-defined]
    assert one(metrics={"clicks": None}).slot == (1200, None, 2_500_000, 45_670_000, 310_750_000)
    nulls = json.dumps(batch([row()])).replace('"34"', "null").replace("2.5", "null").encode()
    assert read(nulls).rows[0].slot == (1200, None, None, 45_670_000, 310_750_000)


def test_a_row_with_impressions_and_without_cost_lacks_it_and_keeps_what_is_stored() -> None:
    found = read([row(metrics={"costMicros": None}), row()])
    assert ([each.line for each in found.rows], [bad.line for bad in found.bad]) == ([2], [1])
    assert (found.bad[0].errors[0]["field"], found.bad[0].slot[0]) == ("cost_micros", 1200)
    assert one(metrics={"costMicros": None, "impressions": "0"}).spend is None


def test_a_row_without_metrics_is_unknown() -> None:
    found = row()
    del found["metrics"]
    assert read([found]).rows[0].slot == (None,) * 5


@pytest.mark.parametrize(
    ("text", "micros", "added"),
    [
        ("59.980000000000004", 59_980_000, True),
        ("0.30000000000000004", 300_000, True),
        ("1E-7", 0, True),
        ("1.0E10", 10_000_000_000_000_000, False),
        ("-2.5", -2_500_000, False),
        ("3", 3_000_000, False),
    ],
)
def test_a_double_is_read_from_its_text(text: str, micros: int, added: bool) -> None:
    found = read(json.dumps(batch([row()])).replace("2.5", text).encode()).rows[0]
    assert found.conversions == micros
    assert (found.rounding is not None) is added
    if found.rounding:
        assert found.rounding[2] == micros - Decimal(text) * 1_000_000


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"metrics": {"clicks": "many"}}, "clicks"),
        ({"metrics": {"clicks": 34}}, ""),
        ({"metrics": {"costMicros": "-" + "1" * 30}}, "cost_micros"),
        ({"metrics": {"conversions": "NaN"}}, "conversions"),
        ({"metrics": {"conversionsValue": "x"}}, "conversions_value"),
        ({"segments": {"date": "2026-11-31"}}, "segments.date"),
        ({"segments": {}}, "segments.date"),
        ({"adGroup": {"id": "2~2"}}, "ad_group.id"),
        ({"adGroup": {}}, "ad_group.id"),
        ({"adGroupAd": None}, ""),
        ({"campaign": {"id": ""}}, "campaign.id"),
    ],
)
def test_a_faulty_row_costs_itself_only(changes: dict[str, Any], field: str) -> None:
    found = read([row(), row(**changes), row(segments={"date": "2026-11-02"})])
    assert [each.line for each in found.rows] == [1, 3]
    (bad,) = found.bad
    assert bad.line == 2
    assert bad.errors[0]["field"] == field
    keyed = "segments" not in changes and "adGroup" not in changes and "adGroupAd" not in changes
    assert (bad.entity_id, bad.day) == (("222~333", "2026-11-01") if keyed else ("", ""))
    assert bad.slot[0] == 1200


def test_a_row_that_no_decoder_takes_is_quarantined_and_half_a_character_is_read() -> None:
    good, half = json.dumps(row()), json.dumps(row(more="x")).replace('"x"', '"\\ud83d"')
    body = f'{{"results":[{good},{half},{{"campaign":NaN}},{good}]}}'.encode()
    found = read(body)
    assert [each.line for each in found.rows] == [1, 2, 4]
    assert [bad.line for bad in found.bad] == [3]


@pytest.mark.parametrize("body", [b"{}", b'{"fieldMask":"x","requestId":"r"}', b'{"results":[]}'])
def test_an_answer_without_rows_has_none(body: bytes) -> None:
    found = read(body)
    assert (len(found.rows), found.bad) == (0, [])


@pytest.mark.parametrize("body", [b"<html>", b'{"results":7}', b'{"results":[{', b""])
def test_bytes_that_are_no_page_are_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        read(body)


def test_an_account_s_row_is_its_own() -> None:
    customer = {"id": CUSTOMER, "currencyCode": "USD", "timeZone": "America/New_York"}
    own: dict[str, Any] = {"customer": customer, "campaign": None, "adGroup": None, "adGroupAd": None}
    found = one(Dataset.ACCOUNT_DAILY, **own)
    assert (found.entity_id, found.campaign_id, found.ad_group_id) == (CUSTOMER, "", "")
    other = read([row(**own | {"customer": {"id": "77"}})], Dataset.ACCOUNT_DAILY)
    assert (other.bad[0].errors[0]["field"], other.bad[0].entity_id) == ("customer.id", "")


def test_a_keyword_is_named_by_its_ad_group_and_its_criterion() -> None:
    assert one(Dataset.KEYWORD_DAILY, adGroupCriterion={"criterionId": "444"}).entity_id == "222~444"


def test_an_asset_group_is_never_taken_for_an_ad_group_of_the_same_number() -> None:
    group = one(Dataset.AD_GROUP_DAILY)
    assets = one(
        Dataset.AD_GROUP_DAILY,
        "asset_groups",
        adGroup=None,
        assetGroup={"id": "222"},
        options=ALL,
        metrics={"allConversions": None, "allConversionsValue": None},
    )
    assert (group.entity_id, group.ad_group_id) == ("222", "222")
    assert (assets.entity_id, assets.ad_group_id, assets.campaign_id) == ("asset_group-222", "asset_group-222", "111")
    assert assets.slot == (1200, 34, None, 45_670_000, None)
    bad = read([row(assetGroup={"id": "5"}, metrics={"clicks": "x"})], Dataset.AD_GROUP_DAILY, "asset_groups").bad[0]
    assert (bad.entity_id, bad.ad_group_id, bad.campaign_id) == ("asset_group-5", "asset_group-5", "111")


@pytest.mark.parametrize("hour", [0, 23])
def test_an_hour_s_revenue_is_unknown(hour: int) -> None:
    only: dict[str, Any] = {"metrics": {"conversionsValue": None}, "segments": {"date": "2026-11-01", "hour": hour}}
    found = one(Dataset.CAMPAIGN_HOURLY, **only)
    assert (found.entity_id, found.hour, found.revenue) == ("111", hour, None)


@pytest.mark.parametrize("hour", [-1, 24, None])
def test_an_hour_that_is_none_is_a_fault(hour: int | None) -> None:
    segments = {"date": "2026-11-01"} | ({} if hour is None else {"hour": hour})
    assert read([row(segments=segments)], Dataset.AD_GROUP_HOURLY).bad[0].errors[0]["field"] == "segments.hour"


@pytest.mark.parametrize(
    ("dataset", "changes", "entity"),
    [
        (Dataset.CAMPAIGN_BY_DEVICE_DAILY, {"segments": {"device": "CONNECTED_TV"}}, "111~CONNECTED_TV"),
        (Dataset.CAMPAIGN_BY_DEVICE_DAILY, {"segments": {"device": "ONE_OF_TOMORROW"}}, "111~ONE_OF_TOMORROW"),
        (
            Dataset.CAMPAIGN_BY_PLACEMENT_DAILY,
            {"segments": {"adNetworkType": "SEARCH_PARTNERS"}},
            "111~SEARCH_PARTNERS",
        ),
        (
            Dataset.CAMPAIGN_BY_COUNTRY_DAILY,
            {"geographicView": {"countryCriterionId": "2276", "locationType": "LOCATION_OF_PRESENCE"}},
            "111~DE",
        ),
        (
            Dataset.CAMPAIGN_BY_COUNTRY_DAILY,
            {"geographicView": {"countryCriterionId": "2276", "locationType": "AREA_OF_INTEREST"}},
            "111~DE/AREA_OF_INTEREST",
        ),
        (
            Dataset.CAMPAIGN_BY_CONVERSION_ACTION_DAILY,
            {
                "segments": {
                    "conversionAction": "customers/1/conversionActions/7",
                    "conversionActionName": "Order / web",
                }
            },
            "111~7/Order / web",
        ),
        (
            Dataset.AD_GROUP_BY_AGE_DAILY,
            {"adGroupCriterion": {"criterionId": "1", "ageRange": {"type": "AGE_RANGE_UNDETERMINED"}}},
            "222~AGE_RANGE_UNDETERMINED",
        ),
        (
            Dataset.AD_GROUP_BY_GENDER_DAILY,
            {"adGroupCriterion": {"criterionId": "1", "gender": {"type": "FEMALE"}}},
            "222~FEMALE",
        ),
        (Dataset.AD_GROUP_BY_SEARCH_TERM_DAILY, {"searchTermView": {"searchTerm": "red ~ shoes"}}, "222~red ~ shoes"),
        (
            Dataset.CAMPAIGN_BY_SEARCH_TERM_DAILY,
            {"campaignSearchTermView": {"searchTerm": "red shoes"}},
            "111~red shoes",
        ),
    ],
)
def test_a_breakdown_s_value_follows_its_entity(dataset: Dataset, changes: dict[str, Any], entity: str) -> None:
    segments = {"date": "2026-11-01"} | changes.get("segments", {})
    assert one(dataset, **changes | {"segments": segments}).entity_id == entity
    bad = read([row(**changes | {"segments": segments, "metrics": {"clicks": "x"}})], dataset).bad[0]
    assert bad.entity_id == entity
    assert read([row()], dataset).bad[0].entity_id == ""


@pytest.mark.parametrize("criterion", [{"gender": None}, {"gender": {}}, {"gender": {"type": None}}, {}])
def test_a_row_without_its_breakdown_s_value_costs_itself_only(criterion: dict[str, Any]) -> None:
    good = row(adGroupCriterion={"criterionId": "1", "gender": {"type": "FEMALE"}})
    found = read([good, row(adGroupCriterion=criterion)], Dataset.AD_GROUP_BY_GENDER_DAILY)
    assert ([each.line for each in found.rows], [bad.line for bad in found.bad]) == ([1], [2])


def test_every_metric_dataset_of_the_spec_is_read() -> None:
    for dataset in SPEC.datasets:
        if dataset.grain:
            page = StoredPage(1, io.BytesIO(msgspec.json.encode(batch([]))), "")
            assert not [row for found in NORMALIZER.metric_batches(page, context(dataset)) for row in found.rows]
    with pytest.raises(BadInput):
        read([], Dataset.CAMPAIGNS)


def test_a_country_without_a_code_keeps_its_number() -> None:
    assert [country(number) for number in ("2840", "2004", "2894", "1000", "")] == ["US", "AF", "ZM", "1000", ""]


COUNT = st.integers(0, 2**63 - 1).map(str) | st.none()
AMOUNT = st.floats(0, 1e9).map(lambda number: round(number, 12)) | st.integers(0, 10**9) | st.none()


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "impressions": COUNT,
                "clicks": COUNT,
                "costMicros": COUNT,
                "conversions": AMOUNT,
                "conversionsValue": AMOUNT,
            }
        ).map(lambda numbers: numbers if numbers["costMicros"] else numbers | {"impressions": None}),
        min_size=1,
        max_size=20,
    )
)
def test_rows_by_column_are_the_rows_one_by_one(numbers: list[dict[str, Any]]) -> None:
    # given rows with any numbers, and the same ones behind a row that has them read one by one
    rows = [row(metrics=each) for each in numbers]
    together, single = read(rows), read([row(segments={}), *rows])
    # when both are read
    assert isinstance(together.rows, MetricColumns)
    assert not isinstance(single.rows, MetricColumns)
    # then they are the same but for the line
    assert [each.slot for each in together.rows] == [each.slot for each in single.rows]
    assert [each.rounding for each in together.rows] == [each.rounding for each in single.rows]
    expected = [
        tuple(None if each[name] is None else int(each[name]) for name in ("impressions", "clicks", "costMicros"))
        for each in numbers
    ]
    assert [(each.impressions, each.clicks, each.spend) for each in together.rows] == expected
