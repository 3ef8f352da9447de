"""`adweir.aggregate`."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adweir
from adweir.model.errors import BadInput, TooLarge, Unprocessable
from support.bounds import at_the_bound, refuses

META = {"platform": "meta_ads", "account_id": "1", "currency": "USD"}


def ad(day: Any, clicks: int | None, spend: Any, **more: Any) -> dict[str, Any]:
    numbers = {"date": day, "impressions": 100, "clicks": clicks, "spend": spend}
    return META | {"ad_id": "a", "campaign_id": "c"} | numbers | more


def test_rows_are_summed_by_fields_and_ratios_follow_from_the_sums() -> None:
    rows = [
        ad(date(2026, 11, 1), 1, Decimal("0.10")),
        ad("2026-11-01", 3, 0.2, ad_id="b"),
        ad(date(2026, 11, 2), 5, 1, ad_id="b", conversions=Decimal("0.5")),
    ]

    (first, second) = adweir.aggregate(rows, by=["platform", "campaign"], grain="day")

    assert (first["platform"], first["campaign_id"], first["date"], first["currency"]) == (
        "meta_ads", "c", date(2026, 11, 1), "USD",
    )  # fmt: skip
    assert (first["impressions"], first["clicks"], first["spend"]) == (200, 4, Decimal("0.3"))
    assert (first["ctr"], first["cpc"], first["conversions"]) == (Decimal("0.02"), Decimal("0.075"), None)
    assert first["unknown"] == {"conversions": 2, "revenue": 2}
    assert (second["conversions"], second["cpa"]) == (Decimal("0.5"), Decimal(2))


@pytest.mark.parametrize(
    ("grain", "periods"),
    [
        ("day", [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2)]),
        ("week", [date(2026, 10, 26), date(2026, 11, 2)]),
        ("month", ["2026-10", "2026-11"]),
    ],
)
def test_a_period_is_a_day_a_week_from_monday_or_a_month(grain: str, periods: list[Any]) -> None:
    rows = [ad(date(2026, 10, 31) + timedelta(days=n), 1, 1) for n in range(3)]
    rows.append(ad(datetime(2026, 11, 1, 12), 1, 1))  # noqa: DTZ001  a local time

    found = adweir.aggregate(rows, grain=grain)

    assert [row[{"day": "date"}.get(grain, grain)] for row in found] == periods
    assert sum(row["spend"] for row in found) == 4


def test_amounts_of_two_currencies_are_never_added() -> None:
    rows = [ad("2026-11-01", 1, 1), ad("2026-11-01", 1, 2, account_id="2", currency="EUR")]

    assert [(row["currency"], row["spend"]) for row in adweir.aggregate(rows)] == [("EUR", 2), ("USD", 1)]


def test_a_platform_goes_by_any_of_its_names_and_its_levels_are_never_added() -> None:
    rows = [ad("2026-11-01", 1, 1), ad("2026-11-01", 1, 2, platform="Facebook")]
    assert [(row["platform"], row["spend"]) for row in adweir.aggregate(rows, by="platform")] == [("meta_ads", 3)]

    campaign = META | {"platform": "meta", "campaign_id": "c", "spend": 3}
    with pytest.raises(Unprocessable, match="count twice"):
        adweir.aggregate([*rows, campaign])


def test_account_days_are_summed_by_their_daily_numbers() -> None:
    days = [META | {"date": date(2026, 11, day), "daily_spend": Decimal("1.5"), "daily_clicks": 2} for day in (1, 2)]

    (found,) = adweir.aggregate(days, "account")

    assert (found["account_id"], found["spend"], found["clicks"], found["impressions"]) == ("1", 3, 4, None)


@pytest.mark.parametrize(
    "other",
    [{"ad_id": None}, {"hour": 5}, {"keyword_id": "k"}, {"device": "mobile"}, {"ad_id": None, "campaign_id": None}],
)
def test_rows_that_would_count_twice_are_refused(other: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable, match="count twice"):
        adweir.aggregate([ad("2026-11-01", 1, 1), ad("2026-11-01", 1, 1, **other)])

    assert adweir.aggregate([ad("2026-11-01", 1, 1), ad("2026-11-01", 1, 1, account_id="2", **other)])[0]["clicks"] == 2
    rest = {"ad_id": None, "unattributed": True}
    assert adweir.aggregate([ad("2026-11-01", 1, 1), ad("2026-11-01", 1, 1, **rest)])[0]["clicks"] == 2


@pytest.mark.parametrize(
    "row",
    [
        ad("2026-11-01", 1, float("nan")),
        ad("2026-11-01", 1, "1.5"),
        ad("2026-11-01", True, 1),
        ad("2026-11-01", 1, Decimal("1E+30")),
        ad("2026-11-01", 1, 1) | {"clicks": 1.5},
        ad("soon", 1, 1),
        ad(None, 1, 1),
        ad("2026-11-01", 1, 1, campaign_id=["c"]),
        ["no row"],
    ],
)
def test_a_row_that_cannot_be_added_is_named(row: Any) -> None:
    with pytest.raises(BadInput, match="row 1 "):
        adweir.aggregate([ad("2026-11-01", 1, 1), row], "campaign_id", "day")


def test_an_ad_account_may_be_called_anything() -> None:
    assert adweir.aggregate([ad("2026-11-01", 1, 1, account_id=["1"], platform={})])[0]["clicks"] == 1


def test_unknown_fields_and_grains_are_refused() -> None:
    with pytest.raises(Unprocessable, match="placement"):
        adweir.aggregate([ad("2026-11-01", 1, 1)], ["campaign", "placement"])
    with pytest.raises(Unprocessable, match="hour"):
        adweir.aggregate([], grain="hour")
    assert adweir.aggregate([], "anything") == []


@at_the_bound("MAX_QUERY_GROUPS", as_if=3)
def test_groups_have_a_bound(size: int, fits: bool) -> None:
    with refuses(TooLarge, fits=fits):
        adweir.aggregate((ad("2026-11-01", 1, 1, ad_id=str(n)) for n in range(size)), "ad")


ROWS = st.lists(
    st.builds(
        ad,
        st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        st.none() | st.integers(0, 10**9),
        st.none() | st.decimals(0, 10**6, places=6),
        campaign_id=st.sampled_from("abc"),
        account_id=st.sampled_from("12"),
        currency=st.sampled_from(["USD", "EUR"]),
    ),
    max_size=20,
)


@given(
    ROWS,
    st.sampled_from(["day", "week", "month", "total"]),
    st.sets(st.sampled_from(["campaign", "account", "ad_id"])),
)
def test_sums_are_exact_however_rows_are_grouped(rows: list[dict[str, Any]], grain: str, by: set[str]) -> None:
    expected: Counter[str] = Counter()
    for row in rows:
        expected[row["currency"]] += row["spend"] or 0

    found = adweir.aggregate(rows, sorted(by), grain)

    sums: Counter[str] = Counter()
    for row in found:
        sums[row["currency"]] += row["spend"] or 0
    assert +sums == +expected
    assert sum(row["clicks"] or 0 for row in found) == sum(row["clicks"] or 0 for row in rows)
