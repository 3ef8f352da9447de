"""Files whose numbers could be taken for others: what cannot be told for certain is quarantined, nothing is guessed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from adweir.model.entities import AdCampaign
from adweir.model.metrics import Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.model.times import iso
from adweir.platforms import REGISTRY
from adweir.reporting.query import Queries
from adweir.reporting.records import RecordRequest, StoredRecords
from adweir.store.catalog.mappings import StoredMapping
from support.clock import FrozenClock
from support.load_world import DAY, META, LoadWorld

PLACE = "drops/acme/agency/campaign_performance"


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    """A client whose account on Meta is in dollars and has a campaign "Spring" (7)."""
    world = LoadWorld(clock, "adweir-data")
    spring = AdCampaign(platform=META, profile_id="1", id="7", campaign_id="7", name="Spring")
    world.catalog.put_objects([spring], iso(clock.now() + timedelta(seconds=1)))
    return world


def orders(world: LoadWorld, *names: str) -> list[tuple[Any, ...]]:
    asked = RecordRequest("orders", {"date_range": {"start": DAY.start.isoformat(), "end": DAY.end.isoformat()}})
    stored = StoredRecords(world.catalog, Queries(world.catalog, world.metrics, REGISTRY, world.clock))
    return sorted(
        tuple(str(each[name]) for name in names) for each in stored.retrieve(asked, world.clock.now()).records
    )


def dropped(world: LoadWorld, key: str, body: str) -> dict[str, Any]:
    world.arrive(key, body.encode())
    (receipt,) = [each for each in world.receipts() if each["key"] == key]
    return receipt


def map_agency(world: LoadWorld, unit: str = "ones", **constants: str) -> None:
    columns = [
        {"field": "campaign_id", "names": ["Camp"]},
        {"field": "date", "names": ["Day"]},
        {"field": "spend", "names": ["Cost ({currency})", "Cost"], "unit": unit},
    ]
    said = {"source": "agency", "data_type": "campaign_performance", "columns": columns}
    body = said | {"constants": {"platform": "meta"} | constants}
    world.catalog.put_mapping(StoredMapping("acme", "agency", "campaign_performance", body))


@pytest.mark.parametrize(
    "cell", ["€12.50", "EUR 12.50", "12.50 GBP", "£ 12.50", "kr 12.50", "¥12.50", "R 12.50", "CA$12.50"]
)
def test_an_amount_that_names_another_currency_is_not_taken_for_the_account_s(world: LoadWorld, cell: str) -> None:
    map_agency(world)
    body = f"Camp,Day,Cost\n7,2026-11-18,{cell}\n7,2026-11-17,$1.50\n7,2026-11-16,USD 2\n"
    receipt = dropped(world, f"{PLACE}/a.csv", body)
    assert [row[3][3] for row in world.stored()] == [2_000_000, 1_500_000]
    assert (receipt["rows_quarantined"], receipt["first_quarantined"][0]["field"]) == (1, "currency")


def test_a_sign_of_several_currencies_is_of_the_one_that_the_row_or_else_its_ad_account_has(world: LoadWorld) -> None:
    # given a client in dollars whose stations sell in kronor, as an earlier file says
    names = ("platform", "profile_id", "campaign_id", "date", "spend", "currency")
    columns = [{"field": name, "names": [name]} for name in names]
    said = {"source": "agency", "data_type": "campaign_performance", "columns": columns, "decimal": "."}
    world.catalog.put_mapping(StoredMapping("acme", "agency", "campaign_performance", said))
    header = ",".join(names)
    dropped(world, f"{PLACE}/a.csv", f"{header}\nradio,north,1,2026-11-17,5,SEK\n")

    # when amounts have a sign that may be of the row's currency, of the ad account's or of the client's, or may not
    rows = ("radio,north,1,2026-11-18,kr 6,", "radio,south,2,2026-11-18,$7,", "radio,west,3,2026-11-18,A$8,AUD")
    wrong = ("radio,north,4,2026-11-18,$9,", "radio,south,5,2026-11-18,kr 9,", "radio,west,6,2026-11-18,$9,EUR")
    receipt = dropped(world, f"{PLACE}/b.csv", "\n".join((header, *rows, *wrong)))

    # then the others are not stored, and it is said where the other currency stands and what to do
    assert (receipt["rows_stored"], receipt["rows_quarantined"]) == (3, 3)
    assert [(each["line"], each["message"].partition(":")[0]) for each in receipt["first_quarantined"]] == [
        (5, "currency is SEK, but the cell of spend says $"),
        (6, "currency is USD, but the cell of spend says kr"),
        (7, "currency is EUR, but the cell of spend says $"),
    ]


def test_an_order_whose_sign_is_not_of_the_client_s_currency_is_quarantined(world: LoadWorld) -> None:
    body = "order_id,date,revenue,currency\n1,2026-11-18,kr 5.00,\n2,2026-11-18,$7.00,\n3,2026-11-18,kr 9,SEK\n"
    receipt = dropped(world, "drops/acme/shop/orders/a.csv", body)
    assert orders(world, "currency", "revenue") == [("SEK", "9"), ("USD", "7")]
    assert [each["field"] for each in receipt["first_quarantined"]] == ["currency"]


def test_a_sign_in_a_column_s_name_is_not_taken_for_another_currency(world: LoadWorld) -> None:
    map_agency(world)
    receipt = dropped(world, f"{PLACE}/a.csv", "Camp,Day,Cost (kr)\n7,2026-11-18,5\n")
    fits = dropped(world, f"{PLACE}/b.csv", "Camp,Day,Cost ($)\n7,2026-11-18,5\n")
    assert (receipt["rows_stored"], fits["rows_stored"]) == (0, 1)
    assert "the column's name says kr" in receipt["first_quarantined"][0]["message"]


def test_orders_are_in_the_currency_that_their_amounts_name(world: LoadWorld) -> None:
    body = "order_id,date,revenue,currency\n1,2026-11-18,€5.00,\n2,2026-11-18,$7.00,\n3,2026-11-18,€9,GBP\n"
    receipt = dropped(world, "drops/acme/shop/orders/a.csv", body)
    assert orders(world, "currency", "revenue") == [("EUR", "5"), ("USD", "7")]
    assert receipt["reasons"] == {"consistent": 1}


def test_a_row_in_another_currency_than_its_column_says_is_quarantined(world: LoadWorld) -> None:
    map_agency(world, currency="EUR")
    receipt = dropped(world, f"{PLACE}/a.csv", "Camp,Day,Cost (USD)\n7,2026-11-18,12.50\n")
    assert (world.stored(), receipt["reasons"]) == ([], {"consistent": 1})


@pytest.mark.parametrize(
    ("currency", "micros"), [("JPY", 1_250_000_000), ("KWD", 1_250_000), ("EUR", 12_500_000), ("¥", None)]
)
def test_minor_units_are_those_of_a_currency_that_is_named(world: LoadWorld, currency: str, micros: int | None) -> None:
    """Given amounts in a currency's smallest unit, then what it is worth is never guessed: `¥` may have two decimals
    or none."""
    map_agency(world, "minor", platform="quora_ads", profile_id="p")
    dropped(world, f"{PLACE}/a.csv", f"Camp,Day,Cost ({currency})\n7,2026-11-18,1250\n")
    rows = world.metrics.read(Series(Platform("quora_ads"), "p", Level.CAMPAIGN, Grain.DAY), DAY)
    assert [row.slot[3] for row in rows] == ([] if micros is None else [micros])


def test_an_order_that_comes_again_with_other_amounts_is_quarantined(world: LoadWorld) -> None:
    """Given lines of orders with the same number, then one that says the same is left out, one that gives money back
    is not silently; and a line that was at fault does not cost the good one after it."""
    lines = ("1,2026-11-18,5", "1,2026-11-18,5", "1,2026-11-18,", "1,2026-11-18,-5", "2,never,7", "2,2026-11-18,7")
    receipt = dropped(world, "drops/acme/shop/orders/a.csv", "order_id,date,revenue\n" + "\n".join(lines) + "\n")
    assert orders(world, "conversions", "revenue") == [("2", "12")]
    assert (receipt["reasons"], receipt["rows_left_out"]) == ({"conflict": 1, "format": 1}, {"repeated": 2})


def test_an_order_of_one_platform_is_not_given_to_another_platform_s_campaign(world: LoadWorld) -> None:
    body = "order_id,date,platform,utm_campaign,revenue\n1,2026-11-18,google,Spring,5\n2,2026-11-18,meta,Spring,7\n"
    dropped(world, "drops/acme/shop/orders/a.csv", body)
    assert orders(world, "platform", "campaign_id", "revenue") == [("google_ads", "None", "5"), ("meta_ads", "7", "7")]


@pytest.mark.parametrize(
    ("key", "body"),
    [
        (
            "salesforce/deals",
            "Opportunity Name,Opportunity ID,Close Date,Amount,Stage\n{},006A,2026-11-18,5,Closed Won\n",
        ),
        ("microsoft_ads/campaign_performance", "AccountName,TimePeriod,CampaignId,Spend\n{},2026-11-18,1,5\n"),
    ],
)
@pytest.mark.parametrize(
    "name", ["Copyright renewal", "Grand Total Hotel", "Total Wine", "Confidential Information desk"]
)
def test_what_is_only_called_like_a_total_is_not_left_out(world: LoadWorld, key: str, body: str, name: str) -> None:
    receipt = dropped(world, f"drops/acme/{key}/a.csv", body.format(name))
    assert receipt["rows_left_out"] == {}
    assert receipt["rows_stored"] + receipt["rows_quarantined"] == 1


def test_an_id_that_a_spreadsheet_rounded_is_no_id(world: LoadWorld) -> None:
    map_agency(world)
    receipt = dropped(world, f"{PLACE}/a.csv", "Camp,Day,Cost\n1.20212E+17,2026-11-18,1\n")
    assert (world.stored(), receipt["reasons"]) == ([], {"rounded": 1})


def test_three_decimals_in_our_own_columns_are_decimals(world: LoadWorld) -> None:
    """Given a file in which no cell says its decimal mark, then our own columns have the point, as documented."""
    assert dropped(world, "drops/acme/bank/rates/a.csv", "date,base,quote,rate\n2026-11-18,EUR,USD,1.085\n")[
        "rows_stored"
    ]
    assert [row.cells["rate"] for row in world.catalog.references("acme", "rates")] == ["1.085"]
    comma = dropped(world, "drops/acme/bank/rates/b.csv", 'date,base,quote,rate\n2026-11-18,EUR,CHF,"1,085"\n')
    assert comma["state"] == "rejected"
    map_agency(world)
    assert dropped(world, f"{PLACE}/a.csv", "Camp,Day,Cost\n7,2026-11-18,1.085\n")["state"] == "rejected"


def test_a_refused_file_of_orders_shows_none_of_its_cells(world: LoadWorld) -> None:
    for n, cells in enumerate((['"1,234"'], ['"1,5"', "2.5"], ["1/2/2026"])):
        day = cells.pop() if "/" in cells[0] else "2026-11-18"
        lines = "".join(f"{n},{day},{cell}\n" for cell in cells or ["1"])
        assert (
            dropped(world, f"drops/acme/shop/orders/{n}.csv", "order_id,date,revenue\n" + lines)["state"] == "rejected"
        )
    told = json.dumps(world.receipts()) + json.dumps(world.bus.events, default=str)
    assert not [cell for cell in ("1,234", "1,5", "2.5", "1/2/2026") if cell in told]
