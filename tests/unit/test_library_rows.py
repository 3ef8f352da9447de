"""`adweir.normalize`, `adweir.combine` and `adweir.retry_with_backoff`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adweir
from adweir.library.rows import slots
from adweir.model import limits
from adweir.model.errors import AdweirError, BadInput, Conflict, NotReady, Throttled, Transient, Unprocessable
from adweir.model.metrics import MetricRow
from adweir.platforms import REGISTRY
from adweir.store.metrics.brought import PullRows
from support.bounds import at_the_bound

META_ROW = {
    "date_start": "2026-11-01",
    "date_stop": "2026-11-01",
    "account_id": "123",
    "account_currency": "EUR",
    "campaign_id": "1",
    "adset_id": "2",
    "ad_id": "3",
    "impressions": "100",
    "clicks": "10",
    "spend": "12.34",
    "actions": [{"action_type": "purchase", "value": "2"}],
    "action_values": [{"action_type": "purchase", "value": "50.5"}],
}
AMAZON_ROW = {
    "date": "2026-11-01",
    "campaignId": 1,
    "adGroupId": 2,
    "adId": 3,
    "impressions": 100,
    "clicks": 10,
    "cost": 12.34,
    "purchases7d": 2,
    "sales7d": 50.5,
    "campaignBudgetCurrencyCode": "EUR",
}
TIKTOK_ROW = {
    "dimensions": {"ad_id": "3", "stat_time_day": "2026-11-01 00:00:00"},
    "metrics": {
        "campaign_id": "1",
        "adgroup_id": "2",
        "impressions": "100",
        "clicks": "10",
        "spend": "12.34",
        "conversion": "2",
        "total_complete_payment_rate": "50.5",
        "complete_payment": "2",
    },
}
DESK_ROW = {
    "Date": "2026-11-01",
    "Advertiser ID": "123",
    "Advertiser Currency Code": "EUR",
    "Campaign ID": "1",
    "Ad Group ID": "2",
    "Creative ID": "3",
    "Impressions": "100",
    "Clicks": "10",
    "Advertiser Cost (Adv Currency)": "12.34",
    "01 - Click Conversion": "2",
    "01 - Click Conversion Revenue": "50.5",
}
GOOGLE_ROW = {
    "customer": {"id": "123", "currencyCode": "EUR"},
    "campaign": {"resourceName": "customers/123/campaigns/1", "id": "1"},
    "adGroup": {"resourceName": "customers/123/adGroups/2", "id": "2"},
    "adGroupAd": {"ad": {"id": "3"}},
    "segments": {"date": "2026-11-01"},
    "metrics": {
        "impressions": "100",
        "clicks": "10",
        "costMicros": "12340000",
        "conversions": 2.0,
        "conversionsValue": 50.5,
    },
}
NUMBERS = {
    "impressions": 100,
    "clicks": 10,
    "spend": Decimal("12.34"),
    "conversions": Decimal(2),
    "revenue": Decimal("50.5"),
    "currency": "EUR",
    "date": date(2026, 11, 1),
    "campaign_id": "1",
    "ad_group_id": "2",
    "ad_id": "3",
}


ROWS = {"facebook": META_ROW, "amazon": AMAZON_ROW, "tiktok": TIKTOK_ROW, "ttd": DESK_ROW, "google": GOOGLE_ROW}


@pytest.mark.parametrize(("platform", "row"), ROWS.items())
def test_given_rows_of_any_platform_when_they_are_normalized_then_they_have_one_form(platform: str, row: Any) -> None:
    account = {"profile_id": "123", "currency": "EUR"}

    (found,) = adweir.normalize([row], platform, profile=account)

    assert {name: found[name] for name in NUMBERS} == NUMBERS
    assert found["platform"] == REGISTRY.parse(platform)


@pytest.mark.parametrize(
    "data",
    [
        META_ROW,
        [META_ROW],
        {"data": [META_ROW]},
        [{"data": [META_ROW]}],
        json.dumps({"data": [META_ROW]}),
        json.dumps({"data": [META_ROW]}).encode(),
        iter([META_ROW]),
    ],
    ids=["row", "rows", "answer", "answers", "text", "bytes", "iterator"],
)
def test_given_a_row_or_an_answer_in_any_form_when_it_is_normalized_then_it_is_the_same(data: Any) -> None:
    (found,) = adweir.normalize(data, "meta")

    assert {name: found[name] for name in NUMBERS} == NUMBERS
    assert found["account_id"] == "123"


def test_given_rows_of_several_ad_accounts_when_they_are_normalized_then_each_keeps_its_own() -> None:
    rows = list(adweir.normalize([META_ROW, META_ROW | {"account_id": "456"}], "meta"))

    assert {row["account_id"] for row in rows} == {"123", "456"}


def test_given_rows_of_a_level_or_breakdown_when_they_are_normalized_then_they_are_taken_for_the_finest() -> None:
    campaign = {name: value for name, value in META_ROW.items() if name not in {"adset_id", "ad_id"}}
    (by_campaign,) = adweir.normalize([campaign], "meta")
    (by_country,) = adweir.normalize([META_ROW | {"country": "DE"}], "meta")

    assert "ad_id" not in by_campaign
    assert by_campaign["campaign_id"] == "1"
    assert (by_country["country"], by_country["ad_id"]) == ("DE", "3")


def test_given_the_dataset_when_objects_are_normalized_then_they_are_as_the_verbs_yield_them() -> None:
    ads = [{"id": "3", "adset_id": "2", "campaign_id": "1", "account_id": "123", "status": "ACTIVE"}]
    (ad,) = adweir.normalize(ads, "meta", dataset="ads")
    profiles = [{"account_id": "123", "name": "Shop", "currency": "EUR", "timezone_name": "Europe/Berlin"}]
    (profile,) = adweir.normalize({"data": profiles}, "meta", dataset="profiles")

    assert (ad["ad_id"], ad["ad_group_id"], ad["account_id"], ad["spend"]) == ("3", "2", "123", None)
    assert (profile["profile_id"], profile["timezone"]) == ("123", "Europe/Berlin")
    (day,) = adweir.normalize(AMAZON_ROW, "amazon", profile={"profile_id": "9", "currency": "EUR"})
    assert day["account_id"] == "9"


def test_given_options_when_rows_are_normalized_then_they_say_what_a_conversion_is() -> None:
    row = META_ROW | {"actions": [{"action_type": "lead", "value": "7"}], "action_values": []}

    (found,) = adweir.normalize(row, "meta", options={"conversions": ["leads"]})

    assert found["conversions"] == 7


@pytest.mark.parametrize(
    ("data", "further", "said"),
    [
        ([{"id": "1"}], {}, "no rows of meta_ads that can be read.*say what they are with dataset="),
        ([META_ROW], {"dataset": "people"}, "has no dataset 'people'; it has: profiles"),
        ([META_ROW], {"ad_product": "sp"}, "has no ad product 'sp' here; it has: all"),
        ([META_ROW], {"profile": {"name": "x"}}, "profile is an id, or a row of get_profiles"),
        ("<html>", {}, "no rows of meta_ads"),
    ],
)
def test_given_what_cannot_be_normalized_then_the_error_says_what_to_do(data: Any, further: Any, said: str) -> None:
    with pytest.raises(Unprocessable, match=said):
        list(adweir.normalize(data, "meta", **further))


def test_given_a_later_row_that_cannot_be_read_when_rows_are_normalized_then_it_is_not_passed_over() -> None:
    rows = [META_ROW] * 1000 + [META_ROW | {"spend": "many"}]

    with pytest.raises(BadInput, match="1 rows of ad_daily cannot be read: spend"):
        list(adweir.normalize(rows, "meta"))


def test_given_nothing_when_it_is_normalized_then_nothing_comes() -> None:
    assert list(adweir.normalize([], "meta")) == list(adweir.normalize({"data": []}, "meta")) == []


@pytest.mark.parametrize("platform", sorted(map(str, REGISTRY)))
def test_given_any_platform_then_its_rows_can_be_put_into_the_form_of_its_answers(platform: str) -> None:
    normalizer = REGISTRY.normalizer(REGISTRY.parse(platform))

    assert normalizer.account_of({}) == ""
    with pytest.raises(Unprocessable, match="no rows of"):
        list(adweir.normalize([{"nothing": 1}], platform))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.decimals(0, 10**9, places=2), st.integers(1, 28)),
        unique_by=lambda row: row[2],
        max_size=20,
    )
)
def test_given_any_numbers_when_they_are_normalized_then_money_is_exact(rows: list[tuple[int, Decimal, int]]) -> None:
    sent = [
        META_ROW
        | {"date_start": f"2026-11-{day:02}", "date_stop": f"2026-11-{day:02}"}
        | {"impressions": str(impressions), "spend": str(spend)}
        for impressions, spend, day in rows
    ]

    found = list(adweir.normalize(sent, "meta"))

    assert [(row["impressions"], row["spend"], row["date"].day) for row in found] == rows


def test_given_an_hour_that_comes_twice_when_clocks_go_back_then_its_row_is_the_sum_of_both() -> None:
    brought = PullRows()
    for hour, spend in ((1, 5), (2, 10), (26, 30), (27, 7)):
        brought.offer(MetricRow("c1", "2026-10-25", 1, None, 0, spend, 0, hour=hour))

    assert [(key, slot[0], slot[1], slot[3]) for _, key, slot in slots(brought)] == [
        ("2026-10-25T01", 1, None, 5),
        ("2026-10-25T02", 2, None, 40),
        ("2026-10-25T03", 1, None, 7),
    ]


_KEYS = st.sampled_from(
    [
        *META_ROW,
        *AMAZON_ROW,
        *DESK_ROW,
        *TIKTOK_ROW,
        *GOOGLE_ROW,
        "data",
        "list",
        "results",
        "Result",
        "answers",
        "page",
    ]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(map(str, REGISTRY))), st.one_of(_JSON, st.lists(_JSON, max_size=3)))
@settings(max_examples=80, deadline=None)
def test_given_anything_when_it_is_normalized_then_it_is_rows_or_an_expected_error(platform: str, data: Any) -> None:
    with suppress(AdweirError):
        assert all(row["platform"] == platform for row in adweir.normalize(data, platform))


@pytest.mark.parametrize(
    "data", [[META_ROW, None], [META_ROW | {"spend": object()}], 7, [META_ROW | {"ad_id": "\ud800"}]]
)
def test_given_what_no_answer_can_hold_when_it_is_normalized_then_the_error_says_so(data: Any) -> None:
    with pytest.raises(BadInput, match="row"):
        list(adweir.normalize(data, "meta"))


# --- combine


def day(platform: str, spend: int = 1, **about: Any) -> dict[str, Any]:
    return {"platform": platform, "account_id": "1", "date": date(2026, 11, 1), "spend": Decimal(spend)} | about


def test_given_equal_ids_on_two_platforms_when_rows_are_combined_then_their_keys_differ() -> None:
    one, other = adweir.combine([[day("meta_ads", campaign_id="5")], [day("amazon_ads", campaign_id="5")]])

    assert one["key"] == "meta_ads#1#5#2026-11-01"
    assert other["key"] == "amazon_ads#1#5#2026-11-01"


def test_given_a_row_that_comes_twice_when_rows_are_combined_then_it_is_kept_once() -> None:
    assert len(list(adweir.combine([[day("meta_ads"), day("meta_ads")], [day("meta_ads")]]))) == 1


def test_given_two_currencies_of_one_day_when_rows_are_combined_then_they_stay_apart() -> None:
    rows = [day("meta_ads", currency="EUR"), day("meta_ads", currency="USD")]

    assert [row["currency"] for row in adweir.combine([rows])] == ["EUR", "USD"]


def test_given_lines_of_invoices_when_rows_are_combined_then_each_is_one() -> None:
    bill = {"platform": "google_ads", "account_id": "1", "month": "2026-10", "invoice_id": "5", "kind": "spend"}
    rows = [bill | {"line": "1"}, bill | {"line": "2"}, bill | {"invoice_id": "6", "line": "1"}]

    assert len(list(adweir.combine([rows, rows]))) == 3


@pytest.mark.parametrize(
    ("rows", "error", "said"),
    [
        ([day("meta_ads"), day("meta_ads", 2)], Conflict, "two different rows are meta_ads#1#2026-11-01"),
        ([{"spend": 1}], Unprocessable, "row 1 of source 1 has no platform and no account_id"),
    ],
)
def test_given_rows_that_cannot_be_told_apart_when_they_are_combined_then_it_is_an_error(
    rows: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        list(adweir.combine([rows]))


def test_given_endless_sources_when_they_are_combined_then_rows_come_while_they_are_read() -> None:
    def endless() -> Iterator[dict[str, Any]]:
        number = 0
        while True:
            number += 1
            yield day("meta_ads", ad_id=str(number))

    assert next(adweir.combine([endless()]))["ad_id"] == "1"


_NAMES = st.text(st.characters(codec="utf-8"), max_size=4)


@given(st.lists(st.tuples(_NAMES.filter(bool), _NAMES.filter(bool), _NAMES), unique=True, max_size=8))
def test_given_any_ids_when_rows_are_combined_then_different_ones_have_different_keys(ids: list[Any]) -> None:
    rows = [{"platform": platform, "account_id": account, "ad_id": ad} for platform, account, ad in ids]

    assert len({row["key"] for row in adweir.combine([rows])}) == len(ids)


# --- quality.validate


def test_given_rows_of_any_name_of_a_platform_when_they_are_validated_then_it_is_the_platform() -> None:
    schema = {"platform": {"allowed": ["facebook"]}, "spend": {"type": "float", "min": 0}, "date": {"type": "date"}}

    answer = adweir.quality.validate([day("meta_ads"), day("meta_ads", -1), day("amazon_ads")], schema)

    assert [(issue["row"], issue["field"]) for issue in answer["errors"]] == [(1, "spend"), (2, "platform")]
    with pytest.raises(AttributeError, match="no attribute 'quantify'"):
        adweir.quality.quantify([])


# --- retry_with_backoff


def failing(*errors: Exception) -> tuple[Any, list[int]]:
    left, calls = list(errors), list[int]()

    def call(value: int) -> int:
        calls.append(value)
        if left:
            raise left.pop(0)
        return value

    return call, calls


def test_given_a_fault_that_passes_when_it_is_called_then_it_is_called_again_after_growing_waits() -> None:
    slept: list[float] = []
    call, calls = failing(Transient("a"), Transient("b"), Transient("c"))

    decorated = adweir.retry_with_backoff(3, 2.0, sleep=slept.append, chance=lambda: 0.5)(call)

    assert decorated(7) == 7
    assert calls == [7] * 4
    assert slept == [2, 4, 8]


def test_given_a_fault_that_stays_when_it_is_called_then_the_last_error_comes_out() -> None:
    call, calls = failing(*(Transient(str(number)) for number in range(9)))

    with pytest.raises(Transient, match="2"):
        adweir.retry_with_backoff(2, 0, sleep=lambda _: None)(call)(1)

    assert len(calls) == 3


def test_given_another_error_when_it_is_called_then_it_is_not_called_again() -> None:
    call, calls = failing(ValueError("no"))

    with pytest.raises(ValueError, match="no"):
        adweir.retry_with_backoff(errors=KeyError, sleep=lambda _: None)(call)(1)

    assert calls == [1]


@pytest.mark.parametrize("error", [Throttled("slow", retry_after=90), NotReady("soon", after=90)])
def test_given_a_platform_that_says_how_long_then_it_is_waited_at_least_so_long(error: Exception) -> None:
    slept: list[float] = []
    call, _ = failing(error)

    adweir.retry_with_backoff(sleep=slept.append)(call)(1)

    assert slept == [90]


@given(st.floats(0, 1), st.integers(0, 6))
def test_given_any_chance_then_a_wait_lies_between_half_and_one_and_a_half_of_its_step(
    chance: float, attempt: int
) -> None:
    slept: list[float] = []
    call, _ = failing(*[Transient("x")] * (attempt + 1))

    adweir.retry_with_backoff(attempt + 1, 1.0, sleep=slept.append, chance=lambda: chance)(call)(1)

    assert 0.5 * 2**attempt <= slept[-1] <= 1.5 * 2**attempt


@at_the_bound("MAX_BACKOFF_SECONDS")
def test_the_longest_wait_between_two_tries(size: int, fits: bool) -> None:
    slept: list[float] = []
    call, _ = failing(Transient("x"))

    adweir.retry_with_backoff(1, size, sleep=slept.append, chance=lambda: 0.5)(call)(1)

    assert (slept == [size]) is fits
    assert slept[0] <= limits.MAX_BACKOFF_SECONDS


@pytest.mark.parametrize("wrong", [{"max_retries": -1}, {"backoff_factor": -0.5}])
def test_given_a_negative_number_then_the_decorator_is_refused(wrong: Any) -> None:
    with pytest.raises(Unprocessable, match="0 or more"):
        adweir.retry_with_backoff(**wrong)
