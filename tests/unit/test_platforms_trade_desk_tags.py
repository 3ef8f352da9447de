"""A numbered conversion column counts what its campaign's lists said on that day, not what they say today."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest

from adweir.model.conversion_columns import ConversionColumn, continued, on
from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign
from adweir.model.errors import BadInput
from adweir.model.metrics import MetricRow
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.times import Window
from adweir.platforms.connector import PageInHand, PullContext
from adweir.platforms.trade_desk.columns import COST
from adweir.platforms.trade_desk.normalize import NORMALIZER
from adweir.platforms.trade_desk.options import TradeDeskOptions
from support.bounds import at_the_bound

WINDOW = Window(date(2026, 11, 1), date(2026, 11, 7))
HEADER = [
    "Date", "Campaign ID", "Ad Group ID", "Creative ID", "Impressions", "Clicks", COST,
    "01 - Click Conversion", "01 - Click Conversion Revenue", "02 - Click Conversion", "02 - Click Conversion Revenue",
]  # fmt: skip
BEFORE, AFTER = "2026-11-02", "2026-11-05"


def column(number: str, tag: str, since: str = "", model: str = "") -> ConversionColumn:
    return ConversionColumn(column=number, tag_id=tag, tag_name=f"{tag} page", model=model, since=since)


SWAPPED = (
    column("01", "buy"),
    column("02", "news"),
    column("01", "news", "2026-11-04"),
    column("02", "buy", "2026-11-04"),
)


def read(*campaigns: tuple[ConversionColumn, ...], **options: Any) -> dict[tuple[str, str], MetricRow]:
    """A row per campaign and day: 3 and 30.00 in column 01, 5 and 50.00 in column 02."""
    text = io.StringIO()
    numbers = ["100", "9", "1.00", "3", "30.00", "5", "50.00"]
    rows = [[day, f"c{n}", "g", "k", *numbers] for n in range(1, len(campaigns) + 2) for day in (BEFORE, AFTER)]
    csv.writer(text, lineterminator="\n").writerows([HEADER, *rows])
    listed = [
        AdCampaign(platform=Platform("trade_desk"), profile_id="p", id=f"c{n}", conversion_columns=columns)
        for n, columns in enumerate(campaigns, 1)
    ]
    context = PullContext(
        "a", "p", Dataset.CAMPAIGN_DAILY, ALL, WINDOW, "now", "USD", "UTC",
        options=TradeDeskOptions.model_validate(options), objects=lambda _: listed,
    )  # fmt: skip
    page = PageInHand(1, "", "csv", io.BytesIO(text.getvalue().encode()))
    found = [row for batch in NORMALIZER.metric_batches(page, context) for row in batch.rows]
    return {(row.entity_id, row.day): row for row in found}


@pytest.mark.parametrize("chosen", ["buy", "buy page"])
def test_a_pixel_is_counted_in_the_column_that_it_had_on_the_day(chosen: str) -> None:
    # given two campaigns with opposite columns, of which one's were exchanged, and one that no list has named
    found = read(SWAPPED, (column("01", "news"), column("02", "buy")), conversions=[chosen])
    # then each day of each campaign has the pixel's own column, and what is not known is unknown
    assert {key: (row.conversions, row.revenue) for key, row in found.items()} == {
        ("c1", BEFORE): (3_000_000, 30_000_000),
        ("c1", AFTER): (5_000_000, 50_000_000),
        ("c2", BEFORE): (5_000_000, 50_000_000),
        ("c2", AFTER): (5_000_000, 50_000_000),
        ("c3", BEFORE): (None, None),
        ("c3", AFTER): (None, None),
    }


def test_a_number_is_a_number_whatever_it_counts() -> None:
    found = read(SWAPPED, conversions=["01"])
    assert {row.conversions for row in found.values()} == {3_000_000}


def test_a_campaign_without_the_pixel_has_unknown_conversions_and_no_zero() -> None:
    found = read((column("01", "news"),), conversions=["buy"])
    assert found["c1", BEFORE].conversions is None


def test_two_pixels_are_added_and_one_that_stands_twice_counts_once() -> None:
    assert (
        read((column("01", "buy"), column("02", "news")), conversions=["buy", "news"])["c1", BEFORE].conversions
        == 8_000_000
    )
    assert read((column("01", "buy"), column("02", "buy")), conversions=["buy"])["c1", BEFORE].conversions == 3_000_000


def test_one_pixel_by_two_cross_device_models_is_a_choice_to_make() -> None:
    both = (column("01", "buy", model="Person"), column("02", "buy", model="Household"))
    with pytest.raises(BadInput, match="choose one: Household, Person"):
        read(both, conversions=["buy"])
    assert read(both, conversions=["buy"], cross_device="Household")["c1", BEFORE].conversions == 5_000_000


@pytest.mark.parametrize("chosen", ["buy page", "Purchase", "buy"])
def test_a_renamed_pixel_is_the_same_one_by_either_name(chosen: str) -> None:
    """Campaigns that were listed before and after know it by different names."""
    known = dumped(column("01", "buy"))
    renamed = [known[0] | {"tag_name": "Purchase"}]
    history = tuple(map(ConversionColumn.model_validate, continued(renamed, known, "2026-11-04")))
    young, old = (ConversionColumn.model_validate(renamed[0]),), (column("02", "buy"),)
    found = read(history, young, old, conversions=[chosen])
    assert [found[key].conversions for key in (("c1", BEFORE), ("c1", AFTER))] == [3_000_000] * 2
    assert [found[key, AFTER].conversions for key in ("c2", "c3")] == [3_000_000, 5_000_000]


# -- what lists have said ---------------------------------------------------------------------------------------------


def dumped(*columns: ConversionColumn) -> list[dict[str, Any]]:
    return [one.model_dump(exclude_defaults=True) for one in columns]


def test_a_column_means_something_else_from_the_day_of_the_list_that_says_so() -> None:
    known = dumped(column("01", "buy"), column("02", "news"))
    assert continued(known, [], "2026-11-01") == known
    assert continued(known, known, "2026-11-02") == known
    swapped = continued(dumped(column("01", "news"), column("02", "buy")), known, "2026-11-04")
    history = [ConversionColumn.model_validate(one) for one in swapped]
    assert {number: one.tag_id for number, one in on(history, "2026-11-03").items()} == {"01": "buy", "02": "news"}
    assert {number: one.tag_id for number, one in on(history, "2026-11-04").items()} == {"01": "news", "02": "buy"}
    # and one that is left out counts nothing from then on, once
    gone = continued(dumped(column("01", "news")), swapped, "2026-11-06")
    assert gone[-1] == {"column": "02", "tag_id": "", "since": "2026-11-06"}
    assert continued(dumped(column("01", "news")), gone, "2026-11-07") == gone


@at_the_bound("MAX_COLUMN_CHANGES", as_if=4)
def test_the_oldest_meanings_are_forgotten_first(size: int, fits: bool) -> None:
    history = dumped(column("01", "tag0"))
    for change in range(1, size):
        history = continued(dumped(column("01", f"tag{change}")), history, f"2026-11-{change + 1:02d}")
    assert (history[0]["tag_id"] == "tag0", history[-1]["tag_id"]) == (fits, f"tag{size - 1}")
    assert len(history) == 4
