"""Files of shops, CRMs, web analytics and KPIs in the bucket → what `retrieve` reads: to the cent, in any order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from adweir.model.entities import AdCampaign, Profile
from adweir.model.errors import Unprocessable
from adweir.model.platforms import Platform
from adweir.model.times import iso
from adweir.platforms import REGISTRY
from adweir.reporting.query import Queries
from adweir.reporting.records import RecordRequest, StoredRecords
from support.clock import FrozenClock
from support.crash import Killed
from support.load_world import META, LoadWorld

SHOPIFY = """Name,Email,Financial Status,Paid at,Currency,Total,Created at,Lineitem name,Cancelled at,Refunded Amount
#1001,ann@example.com,paid,2026-11-18 10:00:00 -0500,USD,25.10,2026-11-18 10:00:00 -0500,Boots,,0.00
#1001,ann@example.com,,,,,2026-11-18 10:00:00 -0500,Laces,,
#1002,bob@example.com,partially_refunded,2026-11-18 23:30:00 -0500,USD,10.00,2026-11-18 23:30:00 -0500,Hat,,12.50
#1003,eve@example.com,paid,2026-11-19 01:00:00 -0500,EUR,7.77,2026-11-19 01:00:00 -0500,Hat,,0.00
#1004,joe@example.com,voided,,USD,99.00,2026-11-19 01:00:00 -0500,Hat,,0.00
"""
HUBSPOT = """"Record ID","Deal Name","Deal Stage","Close Date","Amount","Currency","hs_analytics_source_data_1"
"1","Acme, one","Closed Won","2026-11-18","1200.50","USD","Spring"
"2","Acme, two","Closed Won","2026-11-18","300","USD","Spring"
"3","Lost","Closed Lost","2026-11-18","5000","USD","Spring"
"4","Other","Closed Won","2026-11-19","10","USD","No such campaign"
"""
GA4 = """# ----------------------------------------
# Traffic acquisition
# Account: Acme
# ----------------------------------------
Date,Session source,Session medium,Session campaign,Sessions,Views,Key events,Total revenue
20261118,facebook,paid,Spring,120,300,3,12.34
20261118,facebook,paid,Spring,30,40,0,0.66
20261118,google,organic,(not set),10,11,0,0
"""
KPI = """name,date,value,geo
New customers,2026-11-17,12,DE
New customers,2026-11-18,-1.5,DE
EBIT,2026-11-18,250000,
"""


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    """A client in New York with a campaign "Spring" (7) of an ad account on Meta."""
    world = LoadWorld(clock, "adweir-data")
    spring = AdCampaign(platform=META, profile_id="1", id="7", campaign_id="7", name="Spring")
    world.catalog.put_objects([spring], iso(clock.now() + timedelta(seconds=1)))
    return world


def records(world: LoadWorld, data_type: str, **filters: Any) -> list[dict[str, Any]]:
    """What `retrieve` answers of the days of the files."""
    queries = Queries(world.catalog, world.metrics, REGISTRY, world.clock)
    asked = {"date_range": {"start": "2026-11-10", "end": "2026-11-30"}} | filters
    return StoredRecords(world.catalog, queries).retrieve(RecordRequest(data_type, asked), world.clock.now()).records


def shown(found: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(each[name] for name in names) for each in found]


def receipt(world: LoadWorld, key: str) -> dict[str, Any]:
    (found,) = [each for each in world.receipts() if each["key"] == key]
    return found


def test_orders_of_a_shop_are_added_up_by_local_day_and_currency(world: LoadWorld) -> None:
    """Given an export, then an order counts once, refunds reduce it, and the day is the client's own."""
    key = "drops/acme/shopify/orders/orders_export.csv"
    world.arrive(key, SHOPIFY.encode())
    assert shown(records(world, "orders"), "date", "source", "currency", "conversions", "revenue") == [
        ("2026-11-18", "shopify", "USD", 2, Decimal("22.6")),
        ("2026-11-19", "shopify", "EUR", 1, Decimal("7.77")),
    ]
    left = receipt(world, key)
    assert (left["state"], left["rows_read"], left["rows_stored"], left["rows_quarantined"]) == ("loaded", 5, 2, 0)
    assert sum(left["rows_left_out"].values()) == 2
    assert "example.com" not in str(records(world, "orders")) + str(left)


def test_deals_are_found_by_the_campaign_that_they_name(world: LoadWorld) -> None:
    world.arrive("drops/acme/hubspot/deals/deals.csv", HUBSPOT.encode())
    names = ("date", "platform", "campaign_id", "utm_campaign", "conversions", "revenue")
    spring = ("2026-11-18", "meta_ads", "7", "Spring", 2, Decimal("1500.5"))
    other = ("2026-11-19", None, None, "No such campaign", 1, Decimal(10))
    assert shown(records(world, "deals"), *names) == [spring, other]
    assert shown(records(world, "deals", campaign_id="7", platform="meta"), *names) == [spring]


def test_visits_are_added_up_by_what_brought_them(world: LoadWorld) -> None:
    world.arrive("drops/acme/ga4/web_analytics/traffic.csv", GA4.encode())
    found = records(world, "web_analytics")
    names = ("utm_source", "campaign_id", "sessions", "pageviews", "conversions", "revenue")
    assert sorted(shown(found, *names)) == [
        ("facebook", "7", 150, 340, 3, Decimal(13)),
        ("google", None, 10, 11, 0, 0),
    ]


def test_kpis_need_no_mapping_where_their_columns_have_our_names(world: LoadWorld) -> None:
    world.arrive("drops/acme/erp/kpi_series/kpi.csv", KPI.encode())
    assert shown(records(world, "kpi_series", name="New customers"), "date", "geo", "value", "source") == [
        ("2026-11-17", "DE", 12, "erp"),
        ("2026-11-18", "DE", Decimal("-1.5"), "erp"),
    ]
    assert shown(records(world, "kpi_series", name="EBIT"), "value") == [(250000,)]


def test_a_source_s_own_figures_are_announced_and_no_ad_account_of_it_is_listed_as_stale(world: LoadWorld) -> None:
    world.arrive("drops/acme/erp/kpi_series/kpi.csv", KPI.encode())
    (event,) = [each for each in world.bus.events if type(each).__name__ == "MetricsChanged"]
    assert (event.platform, event.profile_id, event.level, event.source) == ("erp", "direct~acme", "kpi", "file")
    own = world.catalog.profile(Platform("erp"), "direct~acme")
    assert isinstance(own, Profile)
    assert (own.is_listed, own.has_ads, own.currency, own.timezone) == (False, False, "USD", "America/New_York")


def orders(*rows: tuple[str, str, str]) -> bytes:
    return ("order_id,date,revenue\n" + "".join(f"{n},{day},{sum_}\n" for n, day, sum_ in rows)).encode()


FIRST = orders(("1", "2026-11-17", "1"), ("2", "2026-11-18", "2"))
SECOND = orders(("2", "2026-11-18", "2"), ("3", "2026-11-18", "3.33"))
THIRD = orders(("4", "2026-11-18", "-0.01"))
FILES = (FIRST, SECOND, THIRD)
WRITES = 11
"""To the bucket and to the metrics, of a file in two currencies."""


@pytest.fixture
def dated(world: LoadWorld, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The time at which each object was written, by key."""
    head, times = world.raw.head, dict[str, Any]()
    monkeypatch.setattr(world.raw, "head", lambda *key: head(*key)._replace(last_modified=times[key[0]]))
    return times


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_each_order_counts_once_whatever_order_the_files_are_loaded_in(
    world: LoadWorld, dated: dict[str, Any], order: tuple[int, ...]
) -> None:
    """Given three files with some orders in two, then each counts once; twice the same file changes nothing."""
    keys = [f"drops/acme/shop/orders/{n}.csv" for n in range(3)]
    dated |= {key: world.clock.now() + timedelta(minutes=n) for n, key in enumerate(keys)}
    for n in order:
        world.arrive(keys[n], FILES[n])
        world.arrive(keys[n])
    assert shown(records(world, "orders"), "date", "conversions", "revenue") == [
        ("2026-11-17", 1, 1),
        ("2026-11-18", 3, Decimal("5.32")),
    ]
    again = "drops/acme/shop/orders/again.csv"
    dated[again] = world.clock.now() + timedelta(hours=1)
    world.arrive(again, FIRST)
    assert receipt(world, again)["state"] == "duplicate"
    assert shown(records(world, "orders"), "revenue") == [(1,), (Decimal("5.32"),)]


@pytest.mark.parametrize("at", range(1, WRITES + 1, 2))
def test_a_load_that_was_killed_is_made_whole_by_the_next(world: LoadWorld, at: int, monkeypatch: Any) -> None:
    """Given a file in two currencies, when its loader dies at a write, then the same message again stores it once."""
    body = b"order_id,date,revenue,currency\n1,2026-11-18,5,USD\n2,2026-11-18,7,EUR\n3,2026-11-19,1,USD\n"
    key = "drops/acme/shop/orders/a.csv"
    monkeypatch.setattr(world.raw, "put", world.crash.around(world.raw.put))
    monkeypatch.setattr(world.raw, "put_once", world.crash.around(world.raw.put_once))
    table = world.metrics._table
    monkeypatch.setattr(table, "put", world.crash.around(table.put))
    monkeypatch.setattr(table, "write", world.crash.around(table.write))
    world.raw.put(key, body)
    world.crash.arm(at)
    with pytest.raises(Killed):
        world.arrive(key)
    world.clock.advance(120)
    world.arrive(key)
    assert shown(records(world, "orders"), "date", "currency", "revenue") == [
        ("2026-11-18", "EUR", 7),
        ("2026-11-18", "USD", 5),
        ("2026-11-19", "USD", 1),
    ]
    assert receipt(world, key)["state"] == "loaded"


def test_what_was_known_before_a_file_is_still_known(world: LoadWorld, dated: dict[str, Any]) -> None:
    """Given a day that a later file states again, then the past is there to be asked for."""
    first, later = (f"drops/acme/shop/orders/{n}.csv" for n in "13")
    dated |= {first: world.clock.now(), later: world.clock.now() + timedelta(hours=2)}
    world.arrive(first, FIRST)
    world.clock.advance(3600)
    between = world.clock.now()
    world.clock.advance(3600)
    world.arrive(later, THIRD)
    assert shown(records(world, "orders"), "revenue") == [(1,), (Decimal("1.99"),)]
    queries = Queries(world.catalog, world.metrics, REGISTRY, world.clock)
    asked = RecordRequest("orders", {"date_range": {"start": "2026-11-18", "end": "2026-11-18"}})
    past = StoredRecords(world.catalog, queries.known_at(between)).retrieve(asked, world.clock.now())
    assert shown(past.records, "revenue") == [(2,)]


def test_exports_without_ad_account_or_ids_are_of_the_only_ones(world: LoadWorld) -> None:
    """Given a file of the platform's web page, then it is of the only ad account and of the campaign so called."""
    body = b"Campaign name,Day,Amount spent (USD),Impressions\nSpring,2026-11-18,1.25,10\nAutumn,2026-11-18,9,9\n"
    key = "drops/acme/meta/campaign_performance/ui.csv"
    world.arrive(key, body)
    assert [(row[0], row[3][3]) for row in world.stored()] == [("7", 1_250_000)]
    assert receipt(world, key)["reasons"] == {"known": 1}


def test_a_platform_that_nothing_pulls_is_reported_by_its_name(world: LoadWorld) -> None:
    """Given a file that names the ad account of another platform, then reports of ads have it, in its currency."""
    body = b"platform,date,profile_id,campaign_id,spend,currency\nquora_ads,2026-11-18,p1,c1,3.5,GBP\n"
    world.arrive("drops/acme/agency/campaign_performance/a.csv", body)
    (found,) = records(world, "campaign_performance", platform="quora_ads")
    assert (found["platform"], found["profile_id"], found["spend"], found["currency"]) == (
        "quora_ads", "p1", Decimal("3.5"), "GBP",
    )  # fmt: skip
    with pytest.raises(Unprocessable, match="unknown platform 'quora'"):
        records(world, "campaign_performance", platform="quora")
    world.catalog.create_account("rival", "Rival", "a@example.com")
    world.arrive("drops/rival/agency/campaign_performance/a.csv", body + b"\n")
    rival = receipt(world, "drops/rival/agency/campaign_performance/a.csv")
    assert (rival["rows_stored"], rival["reasons"]) == (0, {"known": 1})


def test_campaigns_of_the_client_s_own_are_shown_as_direct(world: LoadWorld) -> None:
    world.arrive("drops/acme/radio/campaign_performance/a.csv", b"date,campaign_name,spend\n2026-11-18,Morning,100\n")
    (found,) = records(world, "campaign_performance")
    assert (found["platform"], found["profile_id"], found["account_id"]) == ("radio", "direct", "direct")
    assert (found["campaign_id"], found["spend"], found["currency"]) == ("Morning", 100, "USD")
    own = world.catalog.profile(Platform("radio"), "direct~acme")
    assert own is not None
    world.arrive("drops/acme/radio/kpi_series/kpi.csv", KPI.encode())
    assert world.catalog.profile(Platform("radio"), "direct~acme") == own  # and it still has ads
    assert own.has_ads


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("my-shop/orders", "a source is 2 to 40 lower-case letters"),
        ("shop/weather", "no files of shop/weather are read; data types: account_performance"),
    ],
)
def test_a_source_or_data_type_that_cannot_be_is_refused_with_what_can(world: LoadWorld, place: str, says: str) -> None:
    world.arrive(f"drops/acme/{place}/a.csv", FIRST)
    (left,) = world.receipts()
    assert (left["state"], says in left["reason"]) == ("rejected", True)


def test_the_same_bytes_as_another_data_type_are_another_file(world: LoadWorld) -> None:
    """Given a file that was put into the wrong place, when it is put into the right one, then it is loaded there."""
    world.arrive("drops/acme/erp/controls/a.csv", KPI.encode())
    world.arrive("drops/acme/erp/kpi_series/a.csv", KPI.encode())
    world.arrive("drops/acme/erp/kpi_series/b.csv", KPI.encode())
    assert sorted(each["state"] for each in world.receipts()) == ["duplicate", "loaded", "loaded"]
    assert len(records(world, "kpi_series")) == len(records(world, "controls")) == 3
