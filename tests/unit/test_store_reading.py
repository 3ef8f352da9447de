"""What readers get: true zeros only, each day's own currency, ids as they came."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.json import decode

from adweir.model.metrics import Grain, Level, MetricRow, Series, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.metrics.brought import Parents, PullRows
from adweir.store.metrics.buckets import Bucket, StoredSlot
from adweir.store.metrics.store import StoredRow
from support.metric_store import StoreWorld

DAY = "2026-11-18"
AMAZON = Platform("amazon_ads")


def row(entity: str, spend: int, *, day: str = DAY, product: str = "", currency: str = "USD") -> MetricRow:
    return MetricRow(
        entity, day, 10, 1, 0, spend, 0, campaign_id="c1", ad_group_id="g1", ad_product=product, currency=currency
    )


def load(
    world: StoreWorld, number: int, *rows: MetricRow, slice_: str = "all", source: Source = Source.PULL, day: str = DAY
) -> None:
    brought = PullRows()
    for each in rows:
        brought.offer(each)
    pull = Pull(
        platform=AMAZON,
        profile_id="p1",
        level=Level.AD,
        grain=Grain.DAY,
        source=source,
        slice=slice_,
        window=Window(date.fromisoformat(day), date.fromisoformat(day)),
        stamp=Stamp(f"2026-11-20T{number:02d}:00:00.000000Z", f"t{number}"),
        complete=source is Source.PULL,
    )
    world.store.load(pull, brought, accept_vanish=True)


def read(world: StoreWorld) -> list[StoredRow]:
    window = Window(date(2026, 11, 1), date(2026, 11, 30))
    return list(world.store.read(Series(AMAZON, "p1", Level.AD, Grain.DAY), window))


def test_a_day_keeps_its_currency_when_the_profile_changes_to_another() -> None:
    # given a day in dollars and a later one in euros, in one item
    world = StoreWorld()
    load(world, 1, row("g1~a1", 100, day="2026-11-10"), day="2026-11-10")
    load(world, 2, row("g1~a1", 7, currency="EUR"))
    # then each is read in its own; in any order the item is the same
    assert [(r.day, r.currency) for r in read(world)] == [("2026-11-10", "USD"), (DAY, "EUR")]
    other = StoreWorld()
    load(other, 2, row("g1~a1", 7, currency="EUR"))
    load(other, 1, row("g1~a1", 100, day="2026-11-10"), day="2026-11-10")
    assert other.table.state() == world.table.state()
    # when the first day is pulled again in euros, then only the currency differs, which is a change
    load(world, 3, row("g1~a1", 100, day="2026-11-10", currency="EUR"), day="2026-11-10")
    assert {r.currency for r in read(world)} == {"EUR"}


def test_a_day_that_all_slices_answer_for_hides_a_files_row_of_an_unknown_product() -> None:
    # given a file's row without an ad product, on a day of which two of three slices were pulled
    world = StoreWorld()
    load(world, 5, row("g1~a1", 999), source=Source.FILE)
    for number, slice_ in enumerate(("sp", "sb"), 1):
        load(world, number, row(f"g~{slice_}", 100, product=slice_), slice_=slice_)
    # then it may belong to the third; once that one is pulled too, the row's ad has no numbers on that day
    assert [r.entity_id for r in read(world) if r.source is Source.FILE] == ["g1~a1"]
    load(world, 3, row("g~sd", 100, product="sd"), slice_="sd")
    assert [r.entity_id for r in read(world) if r.source is Source.FILE] == []


def test_slices_do_not_answer_for_an_ad_that_is_stored_without_a_product() -> None:
    # given an ad that a pull of everything brought without an ad product, and a file's row of it on a later day
    world = StoreWorld()
    load(world, 1, row("g1~a1", 100, day="2026-11-17"), day="2026-11-17")
    load(world, 2, row("g1~a1", 999), source=Source.FILE)
    # when all slices of that day are pulled without it, then nobody knows whether it belongs to one of them
    for number, slice_ in enumerate(("sp", "sb", "sd"), 3):
        load(world, number, slice_=slice_)
    assert [(r.day, r.source) for r in read(world)] == [("2026-11-17", Source.PULL), (DAY, Source.FILE)]


@pytest.mark.parametrize(
    ("entity", "group"),
    [("a~b~1", "a~b"), ("x~y", ""), ("g~1", "g"), ("g~1~25-34", "g"), ("c", ""), ("c", "g"), ("g~1", "h")],
)
def test_an_ad_group_comes_back_as_it_went_in(entity: str, group: str) -> None:
    bucket = Bucket(entity, Parents("c", group, ""), {"d01": StoredSlot((1, 1, 1, 1, None))})
    assert Bucket.decode(decode(bucket.encode("pk"))) == bucket
