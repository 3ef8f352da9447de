"""What a month of an ad account says to people: nothing when it is quiet, one message per cause and one at its end."""

from __future__ import annotations

from datetime import date

import pytest

from adweir.model import limits
from adweir.model.breaches import BreachState
from support.breach_world import MonitoredAccount, bill
from support.lived_days import KINDS, LivedDays

SPOILED = range(76, 84)
"""Days by number: all of them are settled, and back as they were, before the month ends."""


def days_of(world: MonitoredAccount) -> list[str]:
    return list(world.lived.rows)[SPOILED.start : SPOILED.stop]


@pytest.mark.parametrize("kind", sorted(set(KINDS)))
@pytest.mark.parametrize("seed", range(100, 103))
def test_a_quiet_month_of_pulls_that_restate_their_days_gives_no_message(seed: int, kind: str) -> None:
    world = MonitoredAccount(
        LivedDays(seed, kind=kind), timezone=("UTC", "Asia/Tokyo", "America/Los_Angeles")[seed % 3]
    )
    assert world.month() == []
    assert world.bus.events == []


def test_a_planted_fall_of_the_rows_is_one_message_and_one_when_it_is_over() -> None:
    world = MonitoredAccount(LivedDays(104))
    world.lived.drop(SPOILED, 0.3)

    assert world.month() == ["+volume#meta_ads#1", "-volume#meta_ads#1"]

    opened, cleared = world.told.breaches
    assert "The rows of ad per day fell to about" in opened.says
    assert opened.since == days_of(world)[0]
    assert "as usual" in cleared.cleared_because
    assert [event.name for event in world.bus.events] == ["BreachOpened", "BreachCleared"]


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_planted_missing_values_are_one_message_even_where_no_row_has_any(share: float) -> None:
    world = MonitoredAccount(LivedDays(104))
    for day in days_of(world):
        world.lived.nulls[day] = max(round(share * world.lived.rows[day]), world.lived.nulls[day])

    assert world.month() == ["+nulls#meta_ads#1#conversions", "-nulls#meta_ads#1#conversions"]

    assert f"{share:.0%} of the rows of ad have no conversions" in world.told.breaches[0].says


def test_missing_values_that_are_pulled_again_whole_are_over_where_no_day_lacks_any() -> None:
    world = MonitoredAccount(LivedDays(104))
    world.lived.nulls = dict.fromkeys(world.lived.rows, 0)
    for day in days_of(world):
        world.lived.nulls[day] = world.lived.rows[day]
    world.look_on(SPOILED.stop)

    world.lived.nulls = dict.fromkeys(world.lived.rows, 0)
    world.look_on(SPOILED.stop + 1)

    assert world.told.causes == ["+nulls#meta_ads#1#conversions", "-nulls#meta_ads#1#conversions"]


def test_a_planted_drop_of_the_score_is_one_message_and_names_what_fell() -> None:
    world = MonitoredAccount(LivedDays(104))
    for day in days_of(world):
        world.lived.scores[day] -= 0.3

    assert world.month() == ["+score#meta_ads#1", "-score#meta_ads#1"]

    assert "It fell in: validity." in world.told.breaches[0].says


def test_a_bill_is_told_for_as_long_as_it_is_unexplained() -> None:
    world = MonitoredAccount(LivedDays(104))
    month = date(2026, 10, 1)
    world.bills_kept = [bill(month, "incomplete")]
    world.look_on(90)
    assert world.told.causes == []

    world.bills_kept = [bill(month, "unexplained")]
    world.look_on(91)
    world.look_on(92)
    assert world.told.causes == ["+bill#meta_ads#1#2026-10#EUR"]
    assert "differs from the measured spend by 12.50 EUR" in world.told.breaches[0].says

    world.bills_kept = [bill(month, "explained", "0.00")]
    world.look_on(93)
    world.look_on(94)
    assert world.told.causes[1:] == ["-bill#meta_ads#1#2026-10#EUR"]


def test_a_bill_that_is_compared_no_more_is_over() -> None:
    world = MonitoredAccount(LivedDays(104))
    world.bills_kept = [bill(date(2026, 10, 1), "unexplained")]
    world.look_on(91)
    world.bills_kept = []
    world.look_on(92)
    assert world.told.causes == ["+bill#meta_ads#1#2026-10#EUR", "-bill#meta_ads#1#2026-10#EUR"]


def test_several_causes_at_once_are_told_each_on_its_own_and_a_score_that_they_explain_is_not() -> None:
    world = MonitoredAccount(LivedDays(104))
    world.lived.drop(SPOILED, 0.3)
    for day in days_of(world):
        world.lived.nulls[day] = world.lived.rows[day]
    assert sorted(world.month()) == [
        "+nulls#meta_ads#1#conversions",
        "+volume#meta_ads#1",
        "-nulls#meta_ads#1#conversions",
        "-volume#meta_ads#1",
    ]
    assert {kept.breach.state for kept in world.breaches.kept.values()} == {BreachState.CLEARED}


def test_the_limit_of_breaches_holds_for_all_ad_accounts_of_a_client_together(monkeypatch: pytest.MonkeyPatch) -> None:
    world = MonitoredAccount(LivedDays(104))
    world.profiles += [world.profile.model_copy(update={"profile_id": other}) for other in ("2", "3")]
    world.bills_kept = [bill(date(2026, 10, 1), "unexplained")]
    monkeypatch.setattr(limits, "MAX_BREACHES", 2)

    world.look_on(91)

    assert world.told.causes == ["+bill#meta_ads#1#2026-10#EUR", "+bill#meta_ads#2#2026-10#EUR"]
