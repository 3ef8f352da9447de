"""Levels beside the level above: what differs, which causes explain it, and what nothing explains."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adweir.model.datasets import Gap
from adweir.model.metrics import NO_NUMBERS, Level, Mark, Slot, Source
from adweir.quality.reconcile import LevelDay, Reconciled, in_units, judged, reconcile
from adweir.quality.rules import NULL, REPEATED
from adweir.quality.score import Units
from adweir.quality.trend import trend
from adweir.reporting.totals import NOTHING
from adweir.store.metrics.store import Adjustment, StoredRow

M = 1_000_000
PMAX = Gap("campaigns_without_ads", "no ads", frozenset({"performance_max"}))
DELETED = Gap("deleted_objects", "deleted")


def row(spend: int | None, mark: Mark = Mark.NONE, currency: str = "EUR", clicks: int | None = 10) -> StoredRow:
    slot: Slot = (100, clicks, 0, None if spend is None else spend * M, 0)
    return StoredRow("e", "c", "", "", currency, "2026-11-18", -1, slot, Source.PULL, None, mark)


def level(*rows: StoredRow, gaps: tuple[str, ...] = ()) -> LevelDay:
    found = LevelDay()
    for each in rows:
        found.add(each, gaps)
    return found


def spend_of(ours: LevelDay, theirs: LevelDay, *gaps: Gap) -> Reconciled:
    pair = Level.AD, Level.CAMPAIGN
    return next(each for each in reconcile(pair, ours, theirs, gaps) if each.metric == "spend")


def causes(found: Reconciled) -> dict[str, int]:
    return {cause.reason: cause.amount // M for cause in found.causes}


def test_levels_that_agree_have_no_difference() -> None:
    found = spend_of(level(row(3), row(4)), level(row(7)))
    assert (found.theirs, found.ours, found.difference, found.causes) == (7 * M, 7 * M, 0, ())
    assert found.adds_up
    assert found.is_right


def test_campaigns_without_ads_explain_what_they_spent_and_no_more() -> None:
    campaigns = level(row(7))
    campaigns.add(row(20), [PMAX.reason])

    lawful = spend_of(level(row(7)), campaigns, PMAX)
    assert (lawful.difference, causes(lawful), lawful.unexplained) == (20 * M, {PMAX.reason: 20}, 0)
    assert lawful.adds_up

    lost = spend_of(level(row(3)), campaigns, PMAX)
    assert (causes(lost), lost.unexplained, lost.adds_up) == ({PMAX.reason: 20}, 4 * M, False)


def test_deleted_objects_explain_what_is_missing_but_not_what_is_too_much() -> None:
    missing = spend_of(level(row(3)), level(row(7)), DELETED)
    assert (causes(missing), missing.adds_up) == ({DELETED.reason: 4}, True)
    too_much = spend_of(level(row(9)), level(row(7)), DELETED)
    assert (causes(too_much), too_much.unexplained, too_much.adds_up) == ({}, -2 * M, False)


def told(ours: LevelDay, theirs: LevelDay, *gaps: Gap, above: Level = Level.CAMPAIGN) -> dict[str, bool]:
    """What is judged of a pair of levels: metric → whether it passes."""
    compared = [*reconcile((Level.AD, above), ours, theirs, gaps)]
    apart = [*reconcile((Level.AD_GROUP, Level.CAMPAIGN), level(row(5)), level(row(5)), ())]
    found = [*judged([*compared, *apart])]
    assert [each for each in found if each.level is Level.AD_GROUP] == apart, "other levels are judged all the same"
    return {each.metric: each.passes for each in found if each.level is Level.AD}


ALL_PASS = dict.fromkeys(("impressions", "clicks", "conversions", "spend", "revenue"), True)


def test_a_level_that_lacks_what_nobody_can_know_is_judged_by_what_is_too_much_alone() -> None:
    assert told(level(row(7)), level(row(7)), DELETED) == ALL_PASS
    assert told(level(row(700)), level(row(707)), DELETED) == ALL_PASS
    assert told(level(row(3)), level(row(7)), DELETED) == {}
    assert told(level(row(3, clicks=12)), level(row(7)), DELETED) == {"clicks": False}
    # and what is known is judged: spend of campaigns without ads, and without any cause
    campaigns = level(row(7))
    campaigns.add(row(4), [PMAX.reason])
    ours = level(row(7), StoredRow("e", "c", "", "", "EUR", "2026-11-18", -1, (100, 10, 0, 0, 0), Source.PULL, None))
    assert told(ours, campaigns, PMAX) == ALL_PASS
    assert told(level(row(3)), level(row(7))) == ALL_PASS | {"spend": False}


def test_what_was_refused_counts_beside_a_total_also_where_the_rest_cannot_be_known() -> None:
    ours = level(row(3))
    ours.adjust(adjustment((0, 0, 0, 2 * M, 0)))
    assert told(ours, level(row(7)), DELETED, above=Level.ACCOUNT) == {"spend": False}
    assert told(ours, level(row(7)), DELETED) == {}
    assert told(ours, level(row(5)), above=Level.ACCOUNT) == ALL_PASS | {"spend": False}
    assert told(ours, level(row(5))) == ALL_PASS


def test_each_cause_has_as_much_of_a_difference_as_it_can_explain() -> None:
    refused = level(row(8), row(2, Mark.HELD))
    refused.adjust(adjustment((0, 0, 0, 5 * M, 0)))
    found = spend_of(refused, level(row(40)))
    assert (causes(found), found.unexplained, found.is_right) == ({"quarantined": 3}, 27 * M, False)
    deleted = spend_of(refused, level(row(40)), DELETED)
    assert (causes(deleted), deleted.unexplained) == ({"quarantined": 3, "deleted_objects": 27}, 0)

    some = level(row(6))
    some.add(row(4), [PMAX.reason])
    campaigns = level(row(30))
    for _ in range(2):
        campaigns.add(row(10), [PMAX.reason])
    assert (campaigns.rows, LevelDay().rows) == (3, 0)
    found = spend_of(some, campaigns, PMAX)
    assert (causes(found), found.unexplained) == ({PMAX.reason: 16}, 24 * M)


def test_what_was_refused_and_what_nothing_explains_count_together() -> None:
    ours = level(row(10))
    ours.adjust(adjustment((0, 0, 0, 5 * M, 0)))
    assert not spend_of(ours, level(row(20))).is_right


def test_small_numbers_and_nothing_are_compared_as_they_are() -> None:
    found = {
        each.metric: each for each in reconcile((Level.AD, Level.CAMPAIGN), level(row(1)), level(row(1, clicks=11)), ())
    }
    assert (found["clicks"].difference, found["clicks"].causes, found["clicks"].adds_up) == (1, (), True)
    assert (found["revenue"].theirs, found["revenue"].ours) == (0, 0)
    assert spend_of(level(row(99)), level(row(100))).adds_up  # exactly a hundredth


@pytest.mark.parametrize("metric", ["conversions", "spend", "revenue"])
@pytest.mark.parametrize(("apart", "fits"), [(10_000, True), (10_001, False)])
def test_of_small_amounts_a_hundredth_of_a_unit_may_differ(metric: str, apart: int, fits: bool) -> None:
    ours, theirs = LevelDay(), LevelDay()
    theirs.total = (0, 0, apart, apart, apart)
    found = {each.metric: each.adds_up for each in reconcile((Level.AD, Level.CAMPAIGN), ours, theirs, ())}
    assert found[metric] is fits


def test_kept_rows_explain_what_is_too_much() -> None:
    found = spend_of(level(row(7), row(2, Mark.KEPT)), level(row(7)))
    assert (found.difference, causes(found), found.adds_up) == (-2 * M, {"kept": -2}, True)


def adjustment(quarantined: Slot = NO_NUMBERS, cleaned: int = 0) -> Adjustment:
    changed = (Decimal(0), Decimal(0), Decimal(0), Decimal(cleaned), Decimal(0))
    return Adjustment("e", "c", "", "", "2026-11-18", 1, quarantined, changed, "EUR")


def test_refused_rows_explain_a_difference_that_is_ours_all_the_same() -> None:
    ours = level(row(7), row(1, Mark.HELD))
    ours.adjust(adjustment((100, 10, 0, 3 * M, 0)))
    found = spend_of(ours, level(row(10)))
    assert (causes(found), found.unexplained) == ({"quarantined": 2}, 0)
    assert (found.adds_up, found.is_right) == (True, False)


def test_what_cleaning_changed_explains_a_difference() -> None:
    ours = level(row(7))
    ours.adjust(adjustment(cleaned=2 * M))
    assert causes(spend_of(ours, level(row(5)))) == {"cleaned": -2}


def test_a_cause_never_makes_a_difference_larger() -> None:
    ours = level(row(7))
    ours.adjust(adjustment((0, 0, 0, 3 * M, 0)))
    assert spend_of(ours, level(row(7))).causes == ()
    assert causes(spend_of(ours, level(row(8)))) == {"quarantined": 1}


@pytest.mark.parametrize(("theirs", "fits"), [(700, True), (707, True), (708, False), (692, False)])
def test_a_hundredth_of_the_platforms_number_may_differ(theirs: int, fits: bool) -> None:
    found = spend_of(level(row(700)), level(row(theirs)))
    assert (found.adds_up, found.is_right) == (fits, fits)


def test_what_somebody_does_not_know_is_not_compared_nor_money_in_two_currencies() -> None:
    def metrics(ours: LevelDay, theirs: LevelDay) -> set[str]:
        return {each.metric for each in reconcile((Level.AD, Level.CAMPAIGN), ours, theirs, ())}

    assert metrics(level(row(7, clicks=None)), level(row(7))) == {"impressions", "conversions", "spend", "revenue"}
    assert metrics(level(row(7)), level(row(7, clicks=None))) == {"impressions", "conversions", "spend", "revenue"}
    assert metrics(level(row(7)), level(row(7, currency="USD"))) == {"impressions", "clicks", "conversions"}
    assert LevelDay().total == NOTHING


def test_a_kept_comparison_is_shown_in_units() -> None:
    found = in_units(spend_of(level(row(3)), level(row(7)), DELETED).shown())
    assert found == {
        "level": "ad", "above": "campaign", "metric": "spend", "platform": 7, "ours": 3, "difference": 4,
        "why": [{"reason": "deleted_objects", "amount": 4}], "unexplained": 0,
    }  # fmt: skip
    counts = next(reconcile((Level.AD, Level.CAMPAIGN), level(row(1)), level(row(1)), ())).shown()
    assert in_units(counts)["platform"] == 100
    converted = level(row(1))
    converted.total = (0, 0, 2 * M, 0, 0)
    shown = [each.shown() for each in reconcile((Level.AD, Level.CAMPAIGN), converted, converted, ())]
    assert in_units(shown[2])["platform"] == 2


def dimensions(rows: int, failures: dict[tuple[str, str], int], **further: float | None) -> Any:
    units = Units()
    units.add_rows(rows, failures)
    return units.score(further)


def test_each_dimension_is_the_share_of_its_units() -> None:
    found = dimensions(100, {("clicks_over_impressions", "clicks"): 40, (NULL, "revenue"): 50, (REPEATED, ""): 10})
    assert found.dimensions["consistency"] == 0.9  # one of four rules, broken by 40 of 100 rows
    assert found.dimensions["completeness"] == 0.75  # the id of each row, and the revenue of half of them
    assert found.dimensions["uniqueness"] == 0.9
    assert (found.dimensions["validity"], found.dimensions["accuracy"]) == (1.0, None)
    assert found.offenders[0] == {"rule": NULL, "field": "revenue", "rows": 50}
    assert found.gates == []


def test_overall_is_the_weighted_mean_of_what_was_tested_and_capped_by_gates() -> None:
    assert dimensions(10, {}, accuracy=0.8).overall == pytest.approx(
        (0.25 + 0.20 + 0.20 * 0.8 + 0.15 + 0.10) / 0.90, abs=1e-6
    )
    assert dimensions(10, {}, accuracy=0.5).overall == 0.59
    assert dimensions(10, {}, accuracy=0.5).gates == ["accuracy < 0.6"]
    broken = dimensions(1000, {("negative", "spend"): 1})
    assert (broken.overall, broken.gates) == (0.59, ["negative"])
    assert dimensions(0, {}).overall is None


def day(score: float | None) -> dict[str, Any]:
    return {"score": score, "dimensions": {"validity": score}}


def test_the_trend_compares_a_week_with_the_one_before() -> None:
    found = trend([day(0.5)] * 7 + [day(None)] + [day(1.0)] * 7)
    assert (found["change"], found["direction"]) == (0.5, "better")
    assert (found["last"]["days"], found["last"]["dimensions"]["validity"]) == (7, 1.0)
    assert trend([day(1.0)] * 7 + [day(0.9)] * 7)["direction"] == "worse"
    assert trend([day(0.9)] * 14)["direction"] == "steady"
    assert trend([day(0.9)] * 7)["direction"] == "unknown"
    assert trend([])["last"]["score"] is None
