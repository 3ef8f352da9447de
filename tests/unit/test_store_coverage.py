"""Coverage: the exact form of its item (docs/data-model.md), and which pull answers for what."""

from __future__ import annotations

from typing import Any

import pytest

from adweir.model.metrics import Level, Mark, Slot
from adweir.model.tasks import Stamp
from adweir.store.metrics.brought import NO_PARENTS, Parents
from adweir.store.metrics.buckets import Partition, StoredSlot
from adweir.store.metrics.coverage import Coverage, ListState, SliceAnswer, newer, read_coverage
from support.metric_store import FakeTable

FIRST, SECOND, THIRD, FOURTH = (Stamp(f"2026-11-2{day}T00:00:00.000000Z", f"t{day}") for day in range(1, 5))
DAY, NEXT = "2026-11-07", "2026-11-08"
ADS = Parents("c1", "", "sp")
NUMBERS: Slot = (1, 1, 1, 1, 1)


def holes(*entities: str) -> Any:
    return lambda _day: frozenset(entities)


WHOLE = holes()


def pulled(*pulls: tuple[Stamp, str, Any]) -> Coverage:
    """The coverage after pulls of one day, each with its slice and holes."""
    coverage = Coverage()
    for stamp, slice_, lacking in pulls:
        coverage = coverage.merged(stamp, slice_, [DAY], lacking)
    return coverage


COVERAGE = Coverage(
    days={
        "2026-11-19": {"all": SliceAnswer(FIRST, {})},
        "2026-11-01": {"all": SliceAnswer(FIRST, {}), "sp": SliceAnswer(SECOND, {"b": None, "a": FIRST})},
        "2026-11-02": {"all": SliceAnswer(FIRST, {}), "sp": SliceAnswer(THIRD, {"ü": None})},
        "2026-11-03": {"all": SliceAnswer(FIRST, {})},
    },
    loading=str(FOURTH),
    fence=12,
    not_applicable={"sd": frozenset({"2026-11-30", "2026-11-29", "2026-11-05"})},
    definitions={THIRD: "clicks", FIRST: "viewsü"},
    missing=frozenset({"2026-11-13"}),
    gone=frozenset({"2026-11-14", "2026-11-15"}),
    adjusted=frozenset({"2026-11-06", "2026-11-10"}),
    at="2026-11-24T00:00:00.000000Z",
    listing=ListState.ALL,
    stopped=(str(FIRST), str(SECOND)),
)
ITEM: dict[str, Any] = {
    "pk": {"S": "meta_ads#1234#ad#day#pull#2026-11"},
    "sk": {"S": "!coverage"},
    "cov": {
        "M": {
            "all": {"M": {str(FIRST): {"S": "01-03 19"}}},
            "sp": {"M": {str(SECOND): {"S": "01"}, str(THIRD): {"S": "02"}}},
        }
    },
    "fence": {"N": "12"},
    "na": {"M": {"sd": {"S": "05 29-30"}}},
    "holes": {
        "M": {
            "2026-11-01": {"M": {"sp": {"M": {"a": {"S": str(FIRST)}, "b": {"S": ""}}}}},
            "2026-11-02": {"M": {"sp": {"M": {"ü": {"S": ""}}}}},
        }
    },
    "def": {"M": {str(FIRST): {"S": "viewsü"}, str(THIRD): {"S": "clicks"}}},
    "miss": {"S": "13"},
    "gone": {"S": "14-15"},
    "adj": {"S": "06 10"},
    "loading": {"S": str(FOURTH)},
    "at": {"S": "2026-11-24T00:00:00.000000Z"},
    "list": {"S": "all"},
    "stopped": {"S": f"{FIRST} {SECOND}"},
}


def test_the_item_names_stamps_once_and_days_as_ranges() -> None:
    item = COVERAGE.encode("meta_ads#1234#ad#day#pull#2026-11")

    assert item == ITEM
    assert list(item["def"]["M"]) == [str(FIRST), str(THIRD)]
    assert list(item["holes"]["M"]["2026-11-01"]["M"]["sp"]["M"]) == ["a", "b"]


def test_coverage_is_read_back_as_it_was_written() -> None:
    assert Coverage.decode(ITEM) == COVERAGE


def test_what_is_empty_is_not_written_and_what_is_absent_is_empty() -> None:
    item: dict[str, Any] = {"pk": {"S": "a#b#2026-11"}, "sk": {"S": "!coverage"}, "cov": {"M": {}}, "fence": {"N": "0"}}

    assert Coverage().encode("a#b#2026-11") == item
    assert Coverage.decode(item) == Coverage.decode(None) == Coverage()


def test_lists_that_are_good_for_nothing_for_good_stay_so() -> None:
    odd = Coverage(listing=ListState.ODD)

    assert odd.encode("a#b#2026-11")["list"] == {"S": "odd"}
    assert Coverage.decode(odd.encode("a#b#2026-11")) == odd


def test_coverage_of_hours_is_of_one_day() -> None:
    coverage = pulled((FIRST, "all", holes("a1")))
    item = coverage.encode("meta_ads#1#ad#hour#pull#2026-11-07")

    assert item["cov"] == {"M": {"all": {"M": {str(FIRST): {"S": "07"}}}}}
    assert Coverage.decode(item) == coverage


def test_two_coverages_share_nothing() -> None:
    Coverage().days[DAY] = {}
    Coverage().not_applicable["sp"] = frozenset()
    Coverage().definitions[FIRST] = ""

    assert Coverage() == Coverage({}, "", 0, {}, {}, frozenset(), frozenset(), frozenset(), "")


def test_the_facts_are_all_but_who_writes() -> None:
    assert COVERAGE.facts == (
        COVERAGE.days,
        COVERAGE.not_applicable,
        COVERAGE.definitions,
        frozenset({"2026-11-13"}),
        frozenset({"2026-11-14", "2026-11-15"}),
        frozenset({"2026-11-06", "2026-11-10"}),
    )


def test_the_size_grows_with_stamps_holes_and_definitions() -> None:
    # spans all, sp twice; holes b, a, ü; definitions
    assert COVERAGE.size == (3 + 120) + 2 * (2 + 120) + (1 + 60) * 2 + (2 + 60) + (6 + 60) + (7 + 60)


def test_entities_with_a_quarantined_row_on_some_day_are_held() -> None:
    assert COVERAGE.held == {"a", "b", "ü"}


def test_partitions_that_nothing_was_loaded_into_have_no_coverage() -> None:
    table = FakeTable()
    table.write([COVERAGE.encode("a#2026-11"), {"pk": {"S": "a#2026-10"}, "sk": {"S": "x"}, "d01": {"L": []}}])
    parts = [Partition(f"a#{month}", month, {}) for month in ("2026-10", "2026-11", "2026-12")]

    assert read_coverage(table, parts) == {"a#2026-11": COVERAGE}


# --- which pull answers


@pytest.mark.parametrize(
    ("pulls", "entity", "answer", "newest"),
    [
        ([], "a1", (None, False), None),
        ([(FIRST, "sb", WHOLE)], "a1", (None, False), None),
        ([(FIRST, "all", WHOLE)], "a1", (FIRST, False), FIRST),
        ([(FIRST, "all", WHOLE), (SECOND, "sp", WHOLE)], "a1", (SECOND, False), SECOND),
        ([(FIRST, "sp", WHOLE), (SECOND, "all", WHOLE)], "a1", (SECOND, False), SECOND),
        ([(SECOND, "all", WHOLE), (THIRD, "campaign=c1", WHOLE)], "a1", (THIRD, False), THIRD),
        ([(FIRST, "all", WHOLE), (SECOND, "sp", holes("a1"))], "a1", (FIRST, True), SECOND),
        ([(FIRST, "all", WHOLE), (SECOND, "sp", holes("a2"))], "a1", (SECOND, False), SECOND),
        ([(FIRST, "sp", holes("a1")), (SECOND, "campaign=c1", WHOLE)], "a1", (SECOND, False), SECOND),
        ([(FIRST, "campaign=c1", holes("a1")), (SECOND, "sp", WHOLE)], "a1", (SECOND, False), SECOND),
        ([(SECOND, "campaign=c1", holes("a1")), (FIRST, "sp", WHOLE)], "a1", (FIRST, True), SECOND),
        ([(FIRST, "all", holes("a1"))], "a1", (None, True), FIRST),
    ],
)
def test_the_newest_pull_of_a_slice_around_an_entity_answers_for_it(
    pulls: list[Any], entity: str, answer: tuple[Stamp | None, bool], newest: Stamp | None
) -> None:
    about = (DAY, Level.AD, entity, ADS)
    coverage = pulled(*pulls)

    assert coverage.answer(*about) == answer
    assert coverage.answered(*about) == answer[0]
    assert coverage.newest(*about) == newest
    assert coverage.answer(NEXT, Level.AD, entity, ADS) == (None, False)
    assert coverage.newest(NEXT, Level.AD, entity, ADS) is None


def test_a_campaign_is_inside_of_its_own_slice_by_its_id() -> None:
    coverage = pulled((FIRST, "campaign=c1", WHOLE))

    assert coverage.answered(DAY, Level.CAMPAIGN, "c1", NO_PARENTS) == FIRST
    assert coverage.answered(DAY, Level.AD, "c1", NO_PARENTS) is None

    about = (DAY, Level.CAMPAIGN, "c1", NO_PARENTS)
    held = coverage.merged(SECOND, "campaign=c1", [DAY], holes("c1"))
    assert held.newest(*about) == SECOND
    assert held.shown(StoredSlot(NUMBERS, None), *about) == (FIRST, Mark.HELD)
    assert held.shown(StoredSlot(NUMBERS, SECOND), *about) == (SECOND, Mark.NONE)


@pytest.mark.parametrize(
    ("pulls", "stamp", "shown"),
    [
        ([], None, (None, Mark.NONE)),
        ([], FIRST, (FIRST, Mark.NONE)),
        ([(SECOND, "all", WHOLE)], None, (SECOND, Mark.NONE)),
        ([(SECOND, "all", WHOLE)], FIRST, (FIRST, Mark.KEPT)),
        ([(SECOND, "all", WHOLE)], SECOND, (SECOND, Mark.NONE)),
        ([(SECOND, "all", WHOLE)], THIRD, (THIRD, Mark.NONE)),
        ([(FIRST, "all", WHOLE), (THIRD, "all", holes("a1"))], None, (FIRST, Mark.HELD)),
        ([(FIRST, "all", WHOLE), (THIRD, "all", holes("a1"))], SECOND, (SECOND, Mark.HELD)),
        ([(SECOND, "all", WHOLE), (THIRD, "all", holes("a1"))], FIRST, (FIRST, Mark.HELD)),
        ([(FIRST, "all", WHOLE), (THIRD, "all", holes("a1"))], THIRD, (THIRD, Mark.NONE)),
        ([(FIRST, "all", holes("a1"))], SECOND, (SECOND, Mark.HELD)),
    ],
)
def test_a_stored_slot_is_shown_with_its_pull_and_whether_that_is_older_than_the_answer(
    pulls: list[Any], stamp: Stamp | None, shown: tuple[Stamp | None, Mark]
) -> None:
    assert pulled(*pulls).shown(StoredSlot(NUMBERS, stamp), DAY, Level.AD, "a1", ADS) == shown


def test_the_newest_pull_of_a_day_may_be_of_any_slice() -> None:
    coverage = pulled((FIRST, "sp", WHOLE), (THIRD, "sb", WHOLE), (SECOND, "sd", WHOLE))

    assert coverage.newest_of_day(DAY) == THIRD
    assert coverage.newest_of_day(NEXT) is None


def test_a_pull_is_the_answer_when_it_is_the_newest_of_its_slice_on_all_days() -> None:
    coverage = Coverage().merged(FIRST, "sp", [DAY, NEXT], WHOLE).merged(SECOND, "sp", [NEXT], WHOLE)

    assert coverage.is_answer(FIRST, "sp", [DAY])
    assert not coverage.is_answer(FIRST, "sp", [DAY, NEXT])
    assert not coverage.is_answer(FIRST, "all", [DAY])
    assert not coverage.is_answer(FIRST, "sp", ["2026-11-30"])


def test_a_pull_is_held_among_the_answers_and_while_it_is_written() -> None:
    coverage = Coverage(loading=str(SECOND)).merged(FIRST, "sp", [DAY], WHOLE)

    assert [coverage.holds(stamp) for stamp in (FIRST, SECOND, THIRD)] == [True, True, False]
    assert not Coverage().holds(FIRST)


# --- merging


@pytest.mark.parametrize(
    ("pulls", "expected"),
    [
        # a newer pull replaces the older one, which remains in the newer one's holes
        ([(FIRST, "sp", WHOLE), (SECOND, "sp", WHOLE)], {"sp": (SECOND, {})}),
        ([(FIRST, "sp", WHOLE), (SECOND, "sp", holes("a"))], {"sp": (SECOND, {"a": FIRST})}),
        ([(FIRST, "sp", holes("a")), (SECOND, "sp", holes("a", "b"))], {"sp": (SECOND, {"a": None, "b": FIRST})}),
        # an older one that comes late fills holes, where nothing newer does
        ([(SECOND, "sp", holes("a")), (FIRST, "sp", WHOLE)], {"sp": (SECOND, {"a": FIRST})}),
        ([(SECOND, "sp", holes("a")), (FIRST, "sp", holes("a"))], {"sp": (SECOND, {"a": None})}),
        ([(FIRST, "sp", WHOLE), (THIRD, "sp", holes("a")), (SECOND, "sp", WHOLE)], {"sp": (THIRD, {"a": SECOND})}),
        ([(SECOND, "sp", WHOLE), (THIRD, "sp", holes("a")), (FIRST, "sp", WHOLE)], {"sp": (THIRD, {"a": SECOND})}),
        ([(SECOND, "sp", holes("a")), (FIRST, "sp", WHOLE), (FIRST, "sp", WHOLE)], {"sp": (SECOND, {"a": FIRST})}),
        # the same pull again changes nothing
        ([(FIRST, "sp", holes("a")), (FIRST, "sp", WHOLE)], {"sp": (FIRST, {"a": None})}),
        # all replaces narrower slices that are not newer
        ([(FIRST, "sp", WHOLE), (SECOND, "all", WHOLE)], {"all": (SECOND, {})}),
        ([(SECOND, "sp", WHOLE), (FIRST, "all", WHOLE)], {"all": (FIRST, {}), "sp": (SECOND, {})}),
        ([(FIRST, "sp", WHOLE), (FIRST, "all", WHOLE)], {"all": (FIRST, {}), "sp": (FIRST, {})}),
        # but where all has a hole that the narrower one fills
        ([(FIRST, "sp", WHOLE), (SECOND, "all", holes("a"))], {"all": (SECOND, {"a": None}), "sp": (FIRST, {})}),
        (
            [(SECOND, "all", WHOLE), (FIRST, "sp", WHOLE), (THIRD, "all", holes("a"))],
            {"all": (THIRD, {"a": SECOND})},
        ),
        # and where an older pull of all fills that hole later
        (
            [(THIRD, "all", holes("a")), (FIRST, "sp", WHOLE), (SECOND, "all", WHOLE)],
            {"all": (THIRD, {"a": SECOND})},
        ),
        (
            [(THIRD, "all", holes("a")), (SECOND, "sp", WHOLE), (SECOND, "all", WHOLE)],
            {"all": (THIRD, {"a": SECOND})},
        ),
        (
            [(THIRD, "all", holes("a")), (SECOND, "sp", WHOLE), (FIRST, "all", WHOLE)],
            {"all": (THIRD, {"a": FIRST}), "sp": (SECOND, {})},
        ),
        # a narrower one's hole is answered by all where that is as new
        ([(FIRST, "all", WHOLE), (SECOND, "sp", holes("a"))], {"all": (FIRST, {}), "sp": (SECOND, {"a": None})}),
        (
            [(FIRST, "sp", WHOLE), (THIRD, "sp", holes("a")), (SECOND, "all", WHOLE)],
            {"all": (SECOND, {}), "sp": (THIRD, {"a": None})},
        ),
        (
            [(SECOND, "sp", WHOLE), (THIRD, "sp", holes("a")), (FIRST, "all", WHOLE)],
            {"all": (FIRST, {}), "sp": (THIRD, {"a": SECOND})},
        ),
        (
            [(SECOND, "sp", WHOLE), (THIRD, "sp", holes("a")), (FOURTH, "all", holes("a"))],
            {"all": (FOURTH, {"a": None}), "sp": (THIRD, {"a": SECOND})},
        ),
    ],
)
def test_each_slice_keeps_its_newest_pull_and_what_answers_in_its_holes(pulls: list[Any], expected: Any) -> None:
    assert pulled(*pulls).days == {DAY: {name: SliceAnswer(*answer) for name, answer in expected.items()}}


def test_a_merge_changes_the_days_of_the_pull_only_and_leaves_the_old_coverage_alone() -> None:
    before = Coverage(loading="x", fence=3, missing=frozenset({DAY}), at="then").merged(FIRST, "all", [DAY], WHOLE)

    after = before.merged(SECOND, "all", [NEXT], WHOLE)

    assert before.days == {DAY: {"all": SliceAnswer(FIRST, {})}}
    assert after.days == before.days | {NEXT: {"all": SliceAnswer(SECOND, {})}}
    assert (after.loading, after.fence, after.missing, after.at) == ("x", 3, frozenset({DAY}), "then")


def test_each_day_has_holes_of_its_own() -> None:
    coverage = Coverage().merged(FIRST, "all", [DAY, NEXT], lambda day: frozenset({f"a of {day}"}))

    assert {day: set(coverage.days[day]["all"].holes) for day in (DAY, NEXT)} == {
        DAY: {f"a of {DAY}"},
        NEXT: {f"a of {NEXT}"},
    }


def test_definitions_are_kept_of_the_pulls_that_answer_also_in_holes() -> None:
    coverage = Coverage().merged(FIRST, "sp", [DAY], WHOLE, "views")
    assert coverage.definitions == {FIRST: "views"}

    held = coverage.merged(SECOND, "sp", [DAY], holes("a"), "clicks")
    assert held.definitions == {FIRST: "views", SECOND: "clicks"}
    assert held.merged(THIRD, "sp", [DAY], WHOLE).definitions == {}
    assert Coverage().merged(FIRST, "sp", [DAY], WHOLE).definitions == {}


def test_a_slice_that_is_not_applicable_is_known_until_a_pull_answers() -> None:
    coverage = Coverage().skipped("sd", [DAY, NEXT]).skipped("sd", ["2026-11-09"]).skipped("sb", [DAY])
    assert coverage.not_applicable == {"sd": frozenset({DAY, NEXT, "2026-11-09"}), "sb": frozenset({DAY})}
    assert coverage.known(DAY) == {"sd", "sb"}
    assert coverage.known("2026-11-10") == frozenset()

    # when it or all is pulled on a day, then that day is answered
    own = coverage.merged(FIRST, "sb", [DAY], WHOLE)
    assert own.not_applicable == {"sd": frozenset({DAY, NEXT, "2026-11-09"})}
    assert own.known(DAY) == {"sd", "sb"}
    assert coverage.merged(FIRST, "all", [NEXT], WHOLE).not_applicable["sd"] == frozenset({DAY, "2026-11-09"})
    # and a day that was answered before stays so
    assert own.skipped("sb", [DAY, NEXT]).not_applicable["sb"] == frozenset({NEXT})


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(None, None, None), (FIRST, None, FIRST), (None, FIRST, FIRST), (FIRST, SECOND, SECOND), (SECOND, FIRST, SECOND)],
)
def test_the_newer_of_two_stamps_either_of_which_may_be_none(
    one: Stamp | None, other: Stamp | None, expected: Stamp | None
) -> None:
    assert newer(one, other) == expected
