"""Metric buckets: the exact form of keys and items (docs/data-model.md), and what a slice contains."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

import pytest
from msgspec.json import decode

from adweir.model import limits
from adweir.model.metrics import Grain, Level, Series, Slot, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Stamp
from adweir.model.times import Window
from adweir.store.metrics.brought import NO_PARENTS, Parents
from adweir.store.metrics.buckets import (
    LISTS,
    RESERVED,
    Bucket,
    Partition,
    PlainSlots,
    StoredSlot,
    around,
    can_be_key,
    claimed,
    contains,
    encoded,
    partitions,
    places,
    prefix,
)

META = Platform("meta_ads")
ONE: Slot = (10, 2, 1_000_000, 45_670_000, 0)
TWO: Slot = (1, None, None, 5, -7)
STAMP = Stamp("2026-11-20T01:00:00.000000Z", "t1")
REPLAYED = Stamp("2026-11-21T01:00:00.000000Z", "t2", 7)


def listed(*numbers: int | None) -> list[dict[str, Any]]:
    return [{"NULL": True} if number is None else {"N": str(number)} for number in numbers]


BUCKET = Bucket(
    "g1~a1",
    Parents("c1", "g1", "sp"),
    {
        "d09": StoredSlot(TWO, REPLAYED, "USD", "clicks"),
        "d07": StoredSlot(ONE, None, "EUR"),
        "d08": StoredSlot(TWO, STAMP, "USD"),
        "d10": StoredSlot(ONE, None, "EUR", "not kept: it follows from coverage"),
        "d11": StoredSlot(ONE, STAMP, "EUR", "views"),
    },
)
ITEM: dict[str, Any] = {
    "pk": {"S": "meta_ads#1234#ad#day#pull#2026-11"},
    "sk": {"S": "g1~a1"},
    "camp": {"S": "c1"},
    "prod": {"S": "sp"},
    "cur": {"S": "USD"},
    "d07": {"L": [*listed(*ONE), {"M": {"cur": {"S": "EUR"}}}]},
    "d08": {"L": [*listed(*TWO), {"S": "2026-11-20T01:00:00.000000Z#t1"}]},
    "d09": {"L": [*listed(*TWO), {"S": "2026-11-21T01:00:00.000000Z#t2#7"}, {"M": {"def": {"S": "clicks"}}}]},
    "d10": {
        "L": [
            *listed(*ONE),
            {"M": {"cur": {"S": "EUR"}, "def": {"S": "not kept: it follows from coverage"}}},
        ]
    },
    "d11": {
        "L": [
            *listed(*ONE),
            {"S": "2026-11-20T01:00:00.000000Z#t1"},
            {"M": {"cur": {"S": "EUR"}, "def": {"S": "views"}}},
        ]
    },
    "sum": {"L": listed(32, 6, 3_000_000, 137_010_010, -14)},
}


def test_an_item_has_slots_in_order_beside_them_what_differs_and_their_sum() -> None:
    item = decode(BUCKET.encode("meta_ads#1234#ad#day#pull#2026-11"))

    assert item == ITEM
    assert list(item) == list(ITEM)


def test_a_bucket_is_read_back_as_it_was_written() -> None:
    found = Bucket.decode(ITEM)

    assert found == BUCKET
    assert decode(found.encode(ITEM["pk"]["S"])) == ITEM


def test_hours_and_slots_of_one_currency_say_only_their_numbers() -> None:
    bucket = Bucket("c1", NO_PARENTS, {"h07": StoredSlot(ONE, None, "EUR"), "h31": StoredSlot(ONE, None, "EUR")})

    item = decode(bucket.encode("pk"))

    assert item == {
        "pk": {"S": "pk"},
        "sk": {"S": "c1"},
        "cur": {"S": "EUR"},
        "h07": {"L": listed(*ONE)},
        "h31": {"L": listed(*ONE)},
        "sum": {"L": listed(20, 4, 2_000_000, 91_340_000, 0)},
    }
    assert Bucket.decode(item) == bucket


def test_numbers_without_a_currency_have_none() -> None:
    item = decode(Bucket("c1", NO_PARENTS, {"d01": StoredSlot(TWO)}).encode("pk"))

    assert item == {"pk": {"S": "pk"}, "sk": {"S": "c1"}, "d01": {"L": listed(*TWO)}, "sum": {"L": listed(*TWO)}}
    assert Bucket.decode(item).slots == {"d01": StoredSlot(TWO)}


def test_a_definition_is_kept_beside_a_stamp_only() -> None:
    item = decode(Bucket("c1", NO_PARENTS, {"d01": StoredSlot(ONE, None, "EUR", "views")}).encode("pk"))

    assert item["d01"] == {"L": listed(*ONE)}


def test_many_buckets_are_written_as_one_by_one_a_hundred_at_a_time() -> None:
    # given buckets of one or many slots, some with unknown numbers, or of a pull that brought them first
    plain = PlainSlots(("d01", "d02"), [ONE, TWO], "EUR")
    kinds: list[Mapping[str, StoredSlot]] = [plain, BUCKET.slots, {"d03": StoredSlot(ONE, STAMP, "USD", '50 %, "7d"')}]
    buckets = [Bucket(f"a{number}", NO_PARENTS, kinds[number % 3]) for number in range(201)]
    waiting = iter(buckets)

    items = encoded("pk", waiting)

    assert next(items) == buckets[0].encode("pk")
    assert next(waiting) is buckets[100]
    assert list(items) == [bucket.encode("pk") for bucket in buckets[1:] if bucket is not buckets[100]]
    assert [Bucket.decode(decode(bucket.encode("pk"))) for bucket in buckets] == buckets


def test_slots_as_a_pull_brought_them_first_are_as_any() -> None:
    plain = PlainSlots(("h07", "h26"), [ONE, TWO], "EUR")

    assert dict(plain) == {"h07": StoredSlot(ONE, None, "EUR"), "h26": StoredSlot(TWO, None, "EUR")}
    assert (list(plain), len(plain), "h08" in plain, plain.get("h08")) == (["h07", "h26"], 2, False, None)
    with pytest.raises(KeyError, match="h08"):
        plain["h08"]
    assert Bucket("a1", NO_PARENTS, plain).encode("pk") == Bucket("a1", NO_PARENTS, dict(plain)).encode("pk")


def test_slots_that_one_pull_decided_are_written_with_its_stamp_and_definition_beside_each() -> None:
    plain = PlainSlots(("d01", "d02"), [ONE, TWO], "EUR", STAMP, '50 %, "7d"')
    bucket = Bucket("a1", NO_PARENTS, plain)

    assert dict(plain) == {
        name: StoredSlot(slot, STAMP, "EUR", '50 %, "7d"') for name, slot in (("d01", ONE), ("d02", TWO))
    }
    assert bucket.encode("pk") == Bucket("a1", NO_PARENTS, dict(plain)).encode("pk")
    assert Bucket.decode(decode(bucket.encode("pk"))) == bucket


def test_a_slot_key_says_the_slot_s_name_its_day_and_its_hour() -> None:
    days, hours = ("2026-11-01", "2026-11-21"), ("2026-11-01T07", "2026-11-02T26")

    assert places(days) == (("d01", "d21"), days, (-1, -1))
    assert places(hours) == (("h07", "h26"), ("2026-11-01", "2026-11-02"), (7, 26))


def test_lists_of_campaigns_sort_before_everything_else_of_a_partition() -> None:
    assert sorted(["1", f"{RESERVED}coverage", f"{LISTS}1"]) == [f"{LISTS}1", f"{RESERVED}coverage", "1"]


def test_only_days_and_hours_are_slots() -> None:
    others: dict[str, Any] = {name: {"L": listed(*ONE)} for name in ("d1", "d001", "x01", "X01", "D01")}

    assert list(Bucket.decode(ITEM | others | {"day": {"S": "x"}}).slots) == ["d07", "d08", "d09", "d10", "d11"]


@pytest.mark.parametrize(
    ("entity_id", "group", "stored"),
    [
        ("g1~a1", "g1", None),
        ("g1~a1", "g2", "g2"),
        ("g1~a1", "", ""),
        ("g1~a~1", "g1", None),
        ("a1", "", None),
        ("a1", "g1", "g1"),
        ("~a1", "", None),
    ],
)
def test_an_ad_group_is_written_where_the_id_does_not_begin_with_it(
    entity_id: str, group: str, stored: str | None
) -> None:
    item = decode(Bucket(entity_id, Parents("", group, ""), {"d01": StoredSlot(ONE)}).encode("pk"))

    assert item.get("grp") == (None if stored is None else {"S": stored})
    assert Bucket.decode(item).parents == Parents("", group, "")


def test_parents_that_are_known_fill_in_those_that_are_not_and_of_two_the_greater_stays() -> None:
    bucket = Bucket("a1", Parents("c1", "", "sp"), BUCKET.slots)

    assert bucket.with_parents(Parents("", "g1", "sd")) == Bucket("a1", Parents("c1", "g1", "sp"), BUCKET.slots)
    assert bucket.with_parents(Parents("c2", "g1", "")).parents == Parents("c2", "g1", "sp")


def test_days_are_in_partitions_of_months_and_hours_in_partitions_of_days() -> None:
    window = Window(date(2026, 10, 31), date(2026, 11, 2))
    series = Series(META, "1234", Level.AD, Grain.DAY)
    assert list(partitions(series, Source.PULL, window)) == [
        Partition("meta_ads#1234#ad#day#pull#2026-10", "2026-10", {"d31": ("2026-10-31", "2026-10-31")}),
        Partition(
            "meta_ads#1234#ad#day#pull#2026-11",
            "2026-11",
            {"d01": ("2026-11-01", "2026-11-01"), "d02": ("2026-11-02", "2026-11-02")},
        ),
    ]

    hours = list(
        partitions(series._replace(grain=Grain.HOUR), Source.FILE, Window(date(2026, 11, 1), date(2026, 11, 2)))
    )
    assert [(one.pk, one.suffix) for one in hours] == [
        ("meta_ads#1234#ad#hour#file#2026-11-01", "2026-11-01"),
        ("meta_ads#1234#ad#hour#file#2026-11-02", "2026-11-02"),
    ]
    assert hours[0].names == {f"h{hour:02d}": (f"2026-11-01T{hour:02d}", "2026-11-01") for hour in range(48)}
    assert hours[0].days == ["2026-11-01"]


def test_the_days_of_a_partition_are_in_order() -> None:
    names = {"d02": ("2026-11-02", "2026-11-02"), "d01": ("2026-11-01", "2026-11-01")}

    assert Partition("pk", "2026-11", names).days == ["2026-11-01", "2026-11-02"]


def test_a_breakdown_has_keys_of_its_own() -> None:
    series = Series(META, "1234", Level.CAMPAIGN, Grain.DAY, "country")

    assert prefix(series, Source.PULL) == "meta_ads#1234#campaign/country#day#pull"


@pytest.mark.parametrize(
    ("entity_id", "fits"),
    [
        ("", False),
        ("!x", False),
        ("\x20x", False),
        ('"', True),
        ("x", True),
        ("x!", True),
        ("\ud800", False),
        ("ü" * (limits.MAX_ENTITY_KEY_BYTES // 2), True),
        ("ü" * (limits.MAX_ENTITY_KEY_BYTES // 2) + "x", False),
    ],
)
def test_what_sorts_after_the_reserved_keys_and_is_short_enough_can_be_a_key(entity_id: str, fits: bool) -> None:
    assert can_be_key(entity_id) is fits


@pytest.mark.parametrize(
    ("slice_", "level", "parents", "inside"),
    [
        ("all", Level.AD, NO_PARENTS, True),
        ("sp", Level.AD, Parents("", "", "SP"), True),
        ("sp", Level.AD, Parents("", "", "sb"), False),
        ("campaign=e1", Level.AD, Parents("e1", "", ""), True),
        ("campaign=e1", Level.AD, NO_PARENTS, False),
        ("campaign=e1", Level.CAMPAIGN, NO_PARENTS, True),
        ("campaign=e1", Level.CAMPAIGN, Parents("e2", "", ""), False),
        ("campaign=e2", Level.CAMPAIGN, Parents("e2", "", ""), True),
    ],
)
def test_a_slice_contains_what_its_name_says(slice_: str, level: Level, parents: Parents, inside: bool) -> None:
    assert contains(slice_, level, "e1", parents) is inside
    assert (slice_ in around(level, "e1", parents)) is inside


def test_an_object_of_which_nothing_is_known_is_inside_of_all_alone() -> None:
    assert around(Level.AD, "a1", NO_PARENTS) == ("all", "")
    assert around(Level.CAMPAIGN, "c1", Parents("", "", "SP")) == ("all", "campaign=c1", "sp")


def test_a_new_bucket_has_no_slots_and_shares_them_with_no_other() -> None:
    bucket, other = Bucket("a1", NO_PARENTS), Bucket("a2", NO_PARENTS)
    cast("dict[str, StoredSlot]", bucket.slots)["d01"] = StoredSlot(ONE)

    assert other.slots == {}


@pytest.mark.parametrize(
    ("slice_", "parents", "expected"),
    [
        ("all", NO_PARENTS, NO_PARENTS),
        ("sp", NO_PARENTS, Parents("", "", "sp")),
        ("sp", Parents("c1", "", ""), Parents("c1", "", "sp")),
        ("campaign=c1", Parents("", "", "sp"), Parents("c1", "", "sp")),
        ("sp", Parents("c1", "g1", "SP"), Parents("c1", "g1", "SP")),
        ("campaign=c1", Parents("", "g1", ""), Parents("c1", "g1", "")),
        ("campaign=c1", Parents("c2", "", "sp"), Parents("c2", "", "sp")),
    ],
)
def test_what_a_row_leaves_open_of_its_parents_follows_from_the_slice(
    slice_: str, parents: Parents, expected: Parents
) -> None:
    assert claimed(slice_, parents) == expected
