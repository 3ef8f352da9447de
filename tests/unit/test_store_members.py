"""Lists of campaigns: a question about some entities reads these alone, and misses none, whatever was killed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.metrics import Grain, Level, MetricRow, Series
from adweir.model.times import Window
from adweir.reporting.filters import Filters
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan
from adweir.store.metrics.buckets import LISTS, RESERVED, Raw
from adweir.store.metrics.coverage import COVERAGE
from adweir.store.metrics.partitions import ItemKey
from adweir.store.metrics.store import Only, StoredRow
from support.bounds import at_the_bound
from support.crash import Killed
from support.metric_store import FakeTable, StoreWorld
from support.reading_world import DAY, LOSSY, ReadingWorld, campaign

EARLIER, UNPULLED = "2026-10-18", "2026-09-10"
DAYS = {EARLIER: ("2026-10-01", "2026-10-31"), DAY: ("2026-11-01", "2026-11-20")}
"""A day with numbers in each of two months, and the days that are pulled with it."""
ADS = Series(LOSSY, "p1", Level.AD, Grain.DAY)
YEAR = TimeSpan(date(2025, 12, 1), date(2026, 11, 20))
CAMPAIGNS = {"c1": ["g1~a1", "g1~a2", "g2~a3"], "c2": ["g3~a1", "g3~a4"], "": ["g4~a5"]}
GROUPS = {"g1": ["g1~a1", "g1~a2"], "g4": ["g4~a5"]}


class WatchedTable(FakeTable):
    """Notes the entities whose buckets are read."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def get_many(self, keys: Iterable[ItemKey]) -> list[Raw]:
        return [self._noted(item) for item in super().get_many(keys)]

    def query(self, pk: str) -> Iterator[Raw]:
        return map(self._noted, super().query(pk))

    def _noted(self, item: Raw) -> Raw:
        if not item["sk"]["S"].startswith(RESERVED):
            self.seen.append(item["sk"]["S"])
        return item


def an_ad(entity: str, campaign_id: str, day: str, spend: int = 5, **more: Any) -> MetricRow:
    about: dict[str, Any] = {"campaign_id": campaign_id, "ad_group_id": entity.partition("~")[0], "currency": "USD"}
    return MetricRow(entity, day, 10, 1, 0, spend, 0, **about | more)


def filled() -> tuple[ReadingWorld, WatchedTable]:
    """Two months of ads of three campaigns, one of which is not known."""
    world, table = ReadingWorld(), WatchedTable()
    world.stored = StoreWorld(table)
    world.store = world.stored.store
    for day, days in DAYS.items():
        rows = [an_ad(entity, name, day) for name, entities in CAMPAIGNS.items() for entity in entities]
        world.pull(Level.AD, *rows, days=days)
        world.pull(Level.CAMPAIGN, campaign("c1", 15, day), campaign("c2", 10, day), days=days)
    table.seen.clear()
    return world, table


def asked(world: ReadingWorld, filters: dict[str, set[str]], *dimensions: str) -> set[Any]:
    """The groups of an answer over a year."""
    kept = Filters({name: frozenset(values) for name, values in filters.items()})
    return {key[0] for key in world.queries.answer(Query(YEAR, dimensions, kept)).groups}


@pytest.mark.parametrize(
    ("filters", "dimension", "own"),
    [
        ({"campaign_id": {"c1"}}, "ad_id", CAMPAIGNS["c1"]),
        ({"campaign_id": {""}}, "ad_id", CAMPAIGNS[""]),
        ({"campaign_id": {"c1", "nobody"}}, "ad_group_id", CAMPAIGNS["c1"]),
        ({"campaign_id": {"c2"}}, "campaign_id", ["c2"]),
        ({"ad_group_id": {"g1"}}, "ad_id", GROUPS["g1"]),
        ({"ad_group_id": {"g1", "g4"}, "campaign_id": {"c1"}}, "ad_id", GROUPS["g1"]),
        ({"ad_id": {"a1"}}, "ad_id", ["g1~a1", "g3~a1"]),
        ({"ad_id": {"a1"}, "ad_group_id": {"g1"}}, "ad_id", ["g1~a1"]),
        ({"ad_id": {"a1", "a4"}, "campaign_id": {"c2"}}, "ad_id", CAMPAIGNS["c2"]),
        ({"ad_id": {"nobody"}}, "ad_id", []),
        ({"campaign_id": {"c1" * 600, "\ud800", "!coverage", ""}}, "campaign_id", []),
    ],
)
def test_a_question_about_some_entities_reads_their_items_alone(
    filters: dict[str, set[str]], dimension: str, own: list[str]
) -> None:
    # given two months with data
    world, table = filled()
    # when a year is asked for
    found = asked(world, filters, dimension)
    # then each item of theirs is read once, and no other's
    assert sorted(table.seen) == sorted([*own, *own])
    assert bool(found) == bool(own)


def test_a_list_has_who_moved_to_its_campaign_and_answers_for_the_past() -> None:
    world, table = filled()
    before = world.stored.clock.now()
    world.stored.clock.advance(60)
    # when the numbers of one ad are pulled again, and it belongs to another campaign
    rows = [an_ad(entity, name, DAY) for name, entities in CAMPAIGNS.items() for entity in entities[1:]]
    world.pull(Level.AD, an_ad("g1~a1", "c9", DAY), *rows, days=(DAY, DAY))
    table.seen.clear()
    # then it is read with its new one, and as it was then with its old one
    assert asked(world, {"campaign_id": {"c9"}}, "ad_id") == {"a1"}
    assert table.seen == ["g1~a1"]
    window = Window.parse(f"{DAY}..{DAY}")
    only = Only(campaigns=frozenset({"c1"}))
    now = {row.entity_id for row in world.store.read(ADS, window, only=only) if row.campaign_id == "c1"}
    then = {row.entity_id for row in world.store.known_at(before).read(ADS, window, only=only)}
    assert (now, then) == ({"g1~a2", "g2~a3"}, set(CAMPAIGNS["c1"]))


def test_a_partition_of_an_earlier_version_is_read_whole_until_it_is_loaded_again() -> None:
    # given two months without lists
    world, table = filled()
    for key in list(table.items):
        table.items[key].pop("list", None)
        if key[1].startswith(LISTS):
            del table.items[key]
    assert asked(world, {"campaign_id": {"c2"}}, "ad_id") == {"a1", "a4"}
    everybody = sorted(entity for entities in CAMPAIGNS.values() for entity in entities)
    assert sorted(table.seen) == sorted(everybody * 2)
    # when a push brings one ad of one of them
    world.pull(Level.AD, an_ad("g3~a9", "c2", DAY), days=(DAY, DAY), complete=False)
    table.seen.clear()
    # then only the other one is read whole
    assert asked(world, {"campaign_id": {"c2"}}, "ad_id") == {"a1", "a4", "a9"}
    assert sorted(table.seen) == sorted([*everybody, *CAMPAIGNS["c2"], "g3~a9"])


def test_ids_that_do_not_begin_with_their_parent_s_make_readers_read_everything() -> None:
    # given an ad whose file says that it is in another ad group than its id says, after others were listed
    world, _ = filled()
    day = (UNPULLED, UNPULLED)
    world.file(Level.AD, an_ad("g1~a6", "c1", UNPULLED), days=day)
    world.file(Level.AD, an_ad("g1~a8", "c1", UNPULLED, ad_group_id="g7"), days=day)
    # then it is found by the ad group that it says
    assert asked(world, {"ad_group_id": {"g7"}}, "ad_id") == {"a8"}
    assert asked(world, {"ad_group_id": {"g7"}, "ad_id": {"a8"}}, "ad_id") == {"a8"}
    # and stays found when the next load knows nothing of it
    world.file(Level.AD, an_ad("g1~a7", "c1", UNPULLED), days=day)
    assert asked(world, {"ad_group_id": {"g7"}}, "ad_id") == {"a8"}


def rows_of(world: StoreWorld, campaign_id: str, only: Only | None) -> list[StoredRow]:
    window = Window.parse("2026-10-01..2026-11-30")
    return [row for row in world.store.read(ADS, window, only=only) if row.campaign_id == campaign_id]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("complete", [True, False])
def test_no_kill_between_two_writes_hides_an_entity(complete: bool, after: bool) -> None:
    writes = 1
    while writes:
        # given a partition with some ads, when a load of new and moved ones is killed at its n-th write
        world = ReadingWorld()
        stored = world.stored
        world.pull(Level.AD, an_ad("g1~a1", "c1", DAY), an_ad("g1~a2", "c1", DAY), days=(DAY, DAY))
        stored.crash.arm(writes, after=after)
        rows = [an_ad("g1~a1", "c2", DAY), an_ad("g1~a2", "c1", DAY, 7), an_ad("g1~a3", "c1", DAY)]
        try:
            world.pull(Level.AD, *rows, an_ad("g2~a4", "c3", DAY), days=(DAY, DAY), complete=complete)
            writes = 0
        except Killed:
            stored.leases.expire()
            writes += 1
        stored.crash.arm(0)
        # then each campaign's rows are those that reading everything finds, also after a push of one more
        for _ in range(2):
            for name in ("c1", "c2", "c3", "c4"):
                only = Only(campaigns=frozenset({name}))
                assert rows_of(stored, name, only) == rows_of(stored, name, None)
            world.pull(Level.AD, an_ad("g2~a5", "c4", DAY), days=(DAY, DAY), complete=False)


def test_a_load_that_brings_nobody_new_writes_no_list() -> None:
    world, table = filled()
    lists = {key: item for key, item in table.items.items() if key[1].startswith(LISTS)}
    assert sorted(key[1] for key in lists) == sorted(["!!", "!!c1", "!!c2"] * len(DAYS))
    for key in lists:
        del table.items[key]
    rows = [an_ad(entity, name, DAY, 6) for name, entities in CAMPAIGNS.items() for entity in entities]
    world.pull(Level.AD, *rows, days=(DAY, DAY))
    assert not [key for key in table.items if key[1].startswith(LISTS)]
    assert all(item["list"] == {"S": "all"} for key, item in table.items.items() if key[1] == COVERAGE)


@at_the_bound("MAX_MEMBERS_BYTES", as_if=60)
def test_a_list_has_at_most_so_many_bytes(monkeypatch: pytest.MonkeyPatch, size: int, fits: bool) -> None:
    # given that the longest list's ads take all there is: ids and three bytes each
    monkeypatch.setattr(limits, "MAX_MEMBERS_BYTES", len("g1~a1g1~a2g2~a3") + 9 - (size - 60))
    world, table = filled()
    # then a question about its campaign reads what it names, or everything; others are as they were
    assert asked(world, {"campaign_id": {"c1"}}, "ad_id") == {"a1", "a2", "a3"}
    assert (len(table.seen) == 6) is fits
    table.seen.clear()
    assert asked(world, {"campaign_id": {"c2"}}, "ad_id") == {"a1", "a4"}
    assert len(table.seen) == 4
    # and one that is full takes no more
    world.pull(Level.AD, an_ad("g1~a0", "c1", DAY), days=(DAY, DAY), complete=False)
    assert "a0" in asked(world, {"campaign_id": {"c1"}}, "ad_id")


@at_the_bound("MAX_CHOSEN_ENTITIES", as_if=3)
def test_so_many_entities_of_a_partition_are_read_one_by_one(
    monkeypatch: pytest.MonkeyPatch, size: int, fits: bool
) -> None:
    monkeypatch.setattr(limits, "MAX_CHOSEN_ENTITIES", 3 - (size - 3))
    world, table = filled()
    asked(world, {"campaign_id": {"c1"}}, "ad_id")
    assert (len(table.seen) == 6) is fits
