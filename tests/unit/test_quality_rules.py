"""The row loop: clean, check, duplicates, quarantine, score."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.metrics import BadRow, Grain, Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.quality.day_tallies import ABSENT, counts_by_day, day_tallies
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import NULL, RowLoop
from adweir.quality.score import CAP, score, timeliness
from adweir.store.metrics.brought import PullRows
from support.bounds import at_the_bound

DAY = "2026-11-01"
PULL = Pull(
    Platform("meta_ads"),
    "1",
    Level.AD,
    Grain.DAY,
    Source.PULL,
    ALL,
    Window(date(2026, 11, 1), date(2026, 11, 2)),
    Stamp("2026-11-03T00:00:00.000000Z", "t"),
    complete=True,
    currency="USD",
)


def row(entity: str = "g~1", **values: Any) -> MetricRow:
    numbers: dict[str, Any] = {"day": DAY, "impressions": 100, "clicks": 5, "conversions": 0, "spend": 9, "revenue": 0}
    return MetricRow(entity, **(numbers | {"campaign_id": "c", "currency": "USD", "line": 1} | values))


def taken(*rows: MetricRow, bad: tuple[BadRow, ...] = (), pull: Pull = PULL) -> tuple[RowLoop, PullRows, Quarantine]:
    held, quarantine = PullRows(), Quarantine()
    with quarantine:
        loop = RowLoop(pull, [day.isoformat() for day in pull.window.days()], held, quarantine)
        loop.take(rows, bad)
        loop.finish()
    return loop, held, quarantine


def overall(loop: RowLoop) -> Any:
    now = datetime(2026, 11, 3, tzinfo=UTC)
    return score(loop.tally, Grain.DAY, Stamp.of(now, "t"), now)


def test_one_bad_row_among_ten_thousand_costs_only_itself() -> None:
    rows = [row(f"g~{n}") for n in range(9_999)]
    loop, held, quarantine = taken(*rows, row("g~bad", spend=-1))
    assert (held.size, loop.rejected, quarantine.rows) == (9_999, 1, 1)
    assert held.holes(DAY) == {"g~bad"}
    assert not held.incomplete
    assert overall(loop).overall == CAP


def test_a_metric_that_one_row_has_is_missing_from_the_others_also_where_some_repeat_or_are_refused() -> None:
    lacking = [row("g~1", revenue=None), row("g~2", revenue=None)]
    loop, held, _ = taken(*lacking, row("g~3"), row("g~1", revenue=None), row("g~4", revenue=None, spend=-1))

    day = day_tallies(PULL, held, loop.tally, datetime(2026, 11, 3, tzinfo=UTC))[DAY]

    assert loop.tally.sparse == {"revenue": 4}
    assert (day.rows, day.failures.get(NULL), day.failures.get(ABSENT)) == (5, {"revenue": 2}, None)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"source": Source.FILE}, True),
        ({"source": Source.PUSH}, False),
        ({"grain": Grain.HOUR}, False),
        ({"level": Level.LEAD}, False),
        ({"breakdown": "device"}, False),
        ({"slice": "campaign=1"}, False),
    ],
    ids=str,
)
def test_days_are_counted_of_levels_that_a_pull_or_file_brings_by_day_and_whole(
    changes: dict[str, Any], counts: bool
) -> None:
    assert counts_by_day(replace(PULL, **changes)) is counts


def test_a_load_that_is_not_whole_counts_the_days_of_which_rows_came() -> None:
    part = replace(PULL, complete=False)
    loop, held, _ = taken(row(), row("g~2", day="2026-11-09"), pull=part)
    assert [*day_tallies(part, held, loop.tally, datetime(2026, 11, 3, tzinfo=UTC))] == [DAY]


def test_a_metric_that_no_row_has_is_absent() -> None:
    loop, held, _ = taken(row("g~1", revenue=None), row("g~1", revenue=None), row("g~2", revenue=None))

    day = day_tallies(PULL, held, loop.tally, datetime(2026, 11, 3, tzinfo=UTC))[DAY]

    assert loop.tally.sparse == {}
    assert (day.failures.get(NULL), day.failures.get(ABSENT)) == (None, {"revenue": 2})


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"day": "2026-11-09"}, "day"),
        ({"hour": 3}, "hour"),
        ({"impressions": -1}, "negative"),
        ({"clicks": -1}, "negative"),
        ({"conversions": -1}, "negative"),
        ({"spend": -1}, "negative"),
        ({"revenue": -1}, "negative"),
        ({"revenue": 1 << 50}, "bound"),
        ({"currency": "EUR"}, "currency"),
        ({"campaign_id": "c" * 201}, "parent"),
        ({"ad_group_id": "g" * 201}, "parent"),
    ],
)
def test_an_error_rule_quarantines_the_row(values: dict[str, Any], rule: str) -> None:
    loop, held, quarantine = taken(row(), row("g~2", **values))
    assert held.size == 1
    assert quarantine.reasons[rule] == 1
    assert rule in overall(loop).gates


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"clicks": 101}, "clicks_over_impressions"),
        ({"conversions": 6_000_000}, "conversions_over_clicks"),
        ({"impressions": 0, "clicks": 0}, "spend_without_impressions"),
    ],
)
def test_a_warning_stores_the_row_and_lowers_consistency(values: dict[str, Any], rule: str) -> None:
    loop, held, quarantine = taken(row(**values))
    assert (held.size, quarantine.rows) == (1, 0)
    assert {name for name, _ in loop.tally.failures} == {rule}
    assert overall(loop).dimensions["consistency"] < 1


@pytest.mark.parametrize("entity", ["", "  ", "~1", "g~", "!coverage", "\x07", "g~" + "é" * 512, "g~\ud800"])
def test_a_row_without_a_key_makes_the_pull_incomplete(entity: str) -> None:
    _, held, quarantine = taken(row(entity))
    assert held.incomplete
    assert quarantine.rows == 1


def test_an_unreadable_row_with_a_key_leaves_a_hole_and_without_one_makes_the_pull_incomplete() -> None:
    error = [{"field": "spend", "rule": "format", "message": "x"}]
    _, held, _ = taken(bad=(BadRow(1, {}, error, "g~1", DAY),))
    assert (held.incomplete, held.holes(DAY)) == (False, frozenset({"g~1"}))
    for no_key in ("", "!g~1", "g" * 1025):
        _, held, _ = taken(bad=(BadRow(1, {}, error, no_key, DAY),))
        assert (held.incomplete, held.days()) == (True, set())


def test_a_row_with_one_impossible_number_is_quarantined_whole_and_all_its_numbers_are_reported() -> None:
    _, held, quarantine = taken(row(revenue=-3))
    assert (held.size, quarantine.rows, list(held.holes(DAY))) == (0, 1, ["g~1"])
    (adjusted,) = held.adjusting.of(DAY)
    assert adjusted.quarantined == (100, 5, 0, 9, -3)


def test_identical_duplicates_are_dropped_and_of_conflicting_ones_the_second_is_quarantined() -> None:
    loop, held, quarantine = taken(row(), row(), row(spend=10))
    assert (held.size, loop.tally.duplicates, quarantine.reasons["conflict"]) == (1, 1, 1)
    assert held.slots("g~1")[DAY][3] == 9
    assert held.holes(DAY) == frozenset()


def test_unknown_numbers_are_stored_as_such_and_compared_with_nothing() -> None:
    unknown = row(impressions=None, conversions=None, revenue=None, clicks=7)
    loop, held, _ = taken(unknown)
    assert (loop.rejected, dict(loop.tally.failures)) == (0, {})
    assert held.slots("g~1") == {DAY: (None, 7, None, 9, None)}


def test_cleaning_is_logged_and_a_clean_row_is_untouched() -> None:
    loop, held, _ = taken(row(" g~1 ", currency=" usd"), row("g~2", currency=""), row("g~3"))
    assert held.entities() == ["g~1", "g~2", "g~3"]
    assert {(c["rule"], c["field"]): c["count"] for c in loop.cleaning.summary()} == {
        ("currency", "currency"): 2,
        ("trim", "entity_id"): 1,
    }
    assert loop.cleaning.samples[0] == {
        "rule": "trim",
        "field": "entity_id",
        "before": " g~1 ",
        "after": "g~1",
        "line": 1,
    }


def test_the_score_of_nothing_has_no_dimension_but_timeliness() -> None:
    loop, _, _ = taken()
    found = overall(loop)
    assert [name for name, value in found.dimensions.items() if value is not None] == ["timeliness"]


def test_timeliness_falls_to_nothing_at_three_times_the_agreed_age() -> None:
    hour = timedelta(hours=1).total_seconds()
    assert [timeliness(age * hour, hour) for age in (0, 1, 2, 3, 9)] == [1, 1, 0.5, 0, 0]


@pytest.mark.parametrize("metric", ["impressions", "clicks", "conversions", "spend", "revenue"])
@at_the_bound("MAX_FIGURE_BITS")
def test_the_bound_of_a_figure(size: int, fits: bool, metric: str) -> None:
    values: dict[str, Any] = {metric: (1 << size) - 1}
    _, held, quarantine = taken(row(**values))

    assert (held.size, quarantine.reasons["bound"]) == ((1, 0) if fits else (0, 1))


@at_the_bound("MAX_FAILED_RULES_NAMED", as_if=2)
def test_the_bound_of_the_rules_that_a_report_names(size: int, fits: bool) -> None:
    broken: list[dict[str, Any]] = [{"spend": -1}, {"clicks": -1}, {"currency": "EUR"}]
    rows = (row(f"g~{number}", **values) for number, values in enumerate(broken[:size]))
    loop, _, _ = taken(*rows)

    assert (len(overall(loop).offenders) == size) is fits


def test_the_adjustments_of_a_row_whose_parents_are_absurd_stay_small() -> None:
    """DynamoDB refuses an item over 400 kB, and with it the whole load."""
    _, held, _ = taken(row("g~2", campaign_id="c" * 500_000, ad_group_id="g" * 500_000))
    (adjusted,) = held.adjusting.of(DAY)
    assert (adjusted.entity_id, adjusted.campaign_id, adjusted.ad_group_id) == ("g~2", "", "")


def test_a_series_that_belongs_to_no_platform_may_be_negative_within_the_bounds() -> None:
    """Given refunds, then they are stored; a number past the largest real one is quarantined, whatever its sign."""
    most = (1 << limits.MAX_FIGURE_BITS) - 1
    orders = replace(PULL, level=Level.ORDER, complete=False)
    fits = [row("a", revenue=-5), row("b", revenue=-most)]
    loop, held, quarantine = taken(*fits, row("c", revenue=-most - 1), pull=orders)
    assert (held.entities(), loop.rejected, list(quarantine.reasons)) == (["a", "b"], 1, ["bound"])
