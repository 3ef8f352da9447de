"""Series that belong to no ad platform: read back by their names, in no total of ads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adweir.model.errors import Unprocessable
from adweir.model.metrics import Level, MetricRow
from adweir.model.platforms import Platform
from adweir.reporting.ranges import parse_range
from adweir.reporting.reports import ReportRequest, plan
from support.reading_world import DAY, TODAY, ReadingWorld, a_profile, account

SHOP, CRM = Platform("shop"), Platform("crm")
OWN = "direct~acc_a"
SPRING = "platform=meta_ads~campaign_id=c1~utm_medium=paid%7Esocial"


def row(entity: str, day: str = DAY, **more: Any) -> MetricRow:
    numbers = {"impressions": None, "clicks": None, "conversions": None, "spend": None, "revenue": None}
    return MetricRow(entity, day, **numbers | {"currency": "EUR"} | more)


def own(source: Platform, account_id: str = "acc_a") -> Any:
    profile_id = f"direct~{account_id}"
    return a_profile(source, profile_id, account_id=account_id, credential="", currency="EUR")


def a_world() -> ReadingWorld:
    """An ad account with 5 USD, orders of a shop and KPIs of another system of the same client."""
    world = ReadingWorld(a_profile(), own(SHOP), own(CRM), own(CRM, "acc_b"))
    world.pull(Level.ACCOUNT, account(5))
    of_shop: dict[str, Any] = {"platform": SHOP, "profile_id": OWN, "currency": "EUR"}
    attributed = {"campaign_id": "c1", "ad_product": "meta_ads"}
    world.file(
        Level.ORDER,
        row(SPRING, conversions=2_000_000, revenue=-1_250_000, **attributed),
        row("all", conversions=1_000_000, revenue=10_000_001),
        row("all", TODAY, conversions=1_000_000, revenue=4),
        **of_shop | {"days": (DAY, TODAY)},
    )
    world.file(
        Level.ORDER,
        row("currency=USD", conversions=1_000_000, revenue=7, currency="USD"),
        **of_shop | {"currency": "USD"},
    )
    of_crm = {"platform": CRM, "profile_id": OWN, "currency": "EUR"}
    world.file(Level.KPI, row("name=EBIT~geo=DE", conversions=-3_500_000), row("name=Visits", conversions=9), **of_crm)
    world.file(Level.KPI, row("name=EBIT", conversions=1), **of_crm | {"profile_id": "direct~acc_b"})
    return world


def test_orders_are_read_back_by_what_they_are_attributed_to() -> None:
    """Given orders, when they are retrieved, then each day, attribution and currency is a record, to the millionth."""
    page = a_world().records("orders", days=(DAY, TODAY))
    assert page.total == 4
    shown = [
        (each["date"], each["platform"], each["campaign_id"], each["revenue"], each["currency"])
        for each in page.records
    ]
    assert shown == [
        (DAY, None, None, Decimal("10.000001"), "EUR"),
        (DAY, None, None, Decimal("0.000007"), "USD"),
        (DAY, "meta_ads", "c1", Decimal("-1.25"), "EUR"),
        (TODAY, None, None, Decimal("0.000004"), "EUR"),
    ]
    (spring,) = [each for each in page.records if each["campaign_id"]]
    assert spring == {
        "date": DAY,
        "source": "shop",
        "platform": "meta_ads",
        "campaign_id": "c1",
        "utm_source": None,
        "utm_medium": "paid~social",
        "utm_campaign": None,
        "channel": None,
        "geo": None,
        "conversions": 2,
        "revenue": Decimal("-1.25"),
        "currency": "EUR",
        "account_id": "direct",
        "client_account_id": "acc_a",
    }


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"source": "shop"}, 4),
        ({"source": ["crm"]}, 0),
        ({"campaign_id": "c1"}, 1),
        ({"campaign_id": "c1", "platform": "facebook"}, 1),
        ({"campaign_id": "c1", "platform": "radio"}, 0),
        ({"currency": "USD"}, 1),
        ({"client_account_id": "acc_b"}, 0),
        ({"account_id": "acc_a", "utm_medium": "paid~social"}, 1),
        ({"account_id": "direct"}, 4),
    ],
)
def test_orders_are_found_by_what_they_say(filters: dict[str, Any], count: int) -> None:
    assert a_world().records("orders", filters, days=(DAY, TODAY)).total == count


def test_no_total_of_ads_sums_what_belongs_to_no_platform() -> None:
    world = a_world()
    assert [each["spend"] for each in world.report().rows] == [5]
    assert [each["revenue"] for each in world.report("platform", metrics=("revenue",)).rows] == [10]
    assert world.records("account_performance").total == 1
    assert {each["platform"] for each in world.records("campaign_performance").records} == {"meta_ads"}


def test_a_kpi_is_read_back_by_its_name() -> None:
    page = a_world().records("kpi_series", {"name": "EBIT"})
    shown = [(each["name"], each["geo"], each["value"], each["client_account_id"]) for each in page.records]
    assert sorted(shown, key=str) == [
        ("EBIT", "DE", Decimal("-3.5"), "acc_a"),
        ("EBIT", None, Decimal("0.000001"), "acc_b"),
    ]


def test_a_later_file_replaces_what_it_states_again() -> None:
    """Given a day of orders, when a later file states a part of it again, then the new number counts."""
    world = a_world()
    world.file(Level.ORDER, row("all", conversions=5_000_000, revenue=1), platform=SHOP, profile_id=OWN, currency="EUR")
    found = world.records("orders", {"currency": "EUR"}).records
    assert [(each["conversions"], each["revenue"]) for each in found] == [
        (5, Decimal("0.000001")),
        (2, Decimal("-1.25")),
    ]


def test_a_report_of_orders_has_their_names_and_exact_totals() -> None:
    made = a_world().report(
        "source", "campaign", metrics=("revenue", "conversions"), data_type="orders", days=(DAY, TODAY)
    )
    assert made.columns == ("source", "campaign", "currency", "revenue", "conversions")
    assert {(each["currency"], each["revenue"], each["conversions"]) for each in made.totals} == {
        ("EUR", Decimal("8.750005"), 4),
        ("USD", Decimal("0.000007"), 1),
    }
    only = a_world().report(metrics=("conversions",), data_type="orders", segments={"campaign": ["c1"]})
    assert [each["conversions"] for each in only.rows] == [2]


def test_kpis_of_several_names_are_not_added_up_unless_one_is_named() -> None:
    world = a_world()
    with pytest.raises(Unprocessable, match="each name of kpi_series is a series of its own"):
        world.report(metrics=("value",), data_type="kpi_series")
    named = world.report("name", metrics=("value",), data_type="kpi_series")
    assert {each["name"] for each in named.rows} == {"EBIT", "Visits"}
    assert world.report("geo", metrics=("value",), data_type="kpi_series", segments={"name": ["EBIT"]}).rows


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"data_type": "weather"}, "known: orders"),
        ({"data_type": "orders", "metrics": ("spend",)}, "known: conversions, revenue"),
        ({"data_type": "orders", "dimensions": ("ad",)}, "unknown dimensions 'ad'"),
        ({"data_type": "orders", "dimensions": ("hour",)}, "unknown dimensions 'hour'"),
        ({"data_type": "orders", "segments": [{"name": "name", "values": ["x"]}]}, "orders has no filter 'name'"),
        ({"data_type": "orders", "segments": [{"name": "source", "values": ["x y"]}]}, "lower-case letters"),
        ({"data_type": "orders", "segments": [{"name": "source", "values": [1.5]}]}, "text or a list"),
    ],
)
def test_what_a_series_does_not_have_is_refused_with_what_it_has(asked: dict[str, Any], message: str) -> None:
    more = {"metrics": ("conversions",)} | asked
    request = ReportRequest("r", parse_range(DAY, DAY, ReadingWorld().now.date()), **more)
    with pytest.raises(Unprocessable, match=message):
        plan(a_world().queries, request)
