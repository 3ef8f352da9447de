"""What a month of an ad account says to people: nothing when it is quiet, one message per cause and one at its end."""

from __future__ import annotations

from datetime import date

import pytest

from adweir.model import limits
from adweir.model.breaches import BreachState
from adweir.model.metrics import Source
from support.breach_world import AD, MonitoredAccount, bill
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
    world.looks.look("acme")
    assert world.told.causes == ["+bill#meta_ads#1#2026-10#EUR"]
    assert "differs from the measured spend by 12.50 EUR" in world.told.breaches[0].says
    assert world.told.breaches[0].value == "billed 115.00 EUR, measured 100.00; its lines explain: fee 2.50"

    world.bills_kept = [bill(month, "explained", "0.00")]
    world.look_on(93)
    world.look_on(94)
    assert world.told.causes[1:] == ["-bill#meta_ads#1#2026-10#EUR"]


def test_bills_of_two_ad_accounts_are_two_causes() -> None:
    world = MonitoredAccount(LivedDays(104))
    world.profiles.append(world.profile.model_copy(update={"profile_id": "2"}))
    world.bills_kept = [bill(date(2026, 10, 1), "unexplained")]
    world.look_on(91)
    world.looks.look("acme")
    assert world.told.causes == ["+bill#meta_ads#1#2026-10#EUR", "+bill#meta_ads#2#2026-10#EUR"]


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


def test_days_that_are_pulled_once_alone_are_looked_at_some_days_later() -> None:
    world = MonitoredAccount(LivedDays(104))
    world.pulls = 1
    world.lived.drop(SPOILED, 0.3)
    assert world.month() == ["+volume#meta_ads#1", "-volume#meta_ads#1"]


def test_what_files_bring_is_not_expected_to_go_on() -> None:
    world = MonitoredAccount(LivedDays(104))
    world.series = {AD._replace(source=Source.FILE): world.lived}
    world.lived.drop(SPOILED, 0.3)
    assert world.month() == []


def test_the_score_of_a_day_counts_when_the_day_is_pulled_again_and_whole() -> None:
    world = MonitoredAccount(LivedDays(104))
    last = world.lived.count - 2
    for day in list(world.lived.rows)[last - 2 : last + 1]:
        world.lived.scores[day] -= 0.3
        world.incomplete.add(day)
    world.look_on(last + 1)
    assert world.told.causes == []

    world.incomplete.clear()
    world.look_on(last)
    assert world.told.causes == []
    world.look_on(last + 1)
    assert world.told.causes == ["+score#meta_ads#1"]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_score_that_fell_by_missing_values_is_told_where_these_are_not(share: float) -> None:
    world = MonitoredAccount(LivedDays(104))
    world.falls_in = "completeness"
    for day in days_of(world):
        world.lived.scores[day] -= 0.3
        world.lived.nulls[day] = max(round(share * world.lived.rows[day]), world.lived.nulls[day])
    cause = "nulls#meta_ads#1#conversions" if share else "score#meta_ads#1"
    assert world.month() == [f"+{cause}", f"-{cause}"]


def test_of_several_levels_the_worst_is_named_and_one_of_few_days_holds_no_end_up() -> None:
    # given two levels that lose values, one of them less, and a third of a few days
    world, other, new = MonitoredAccount(LivedDays(104)), LivedDays(104), LivedDays(104)
    new.rows = {day: new.rows[day] for day in days_of(world)}
    world.series |= {AD._replace(level="ad_group"): other, AD._replace(level="campaign"): new}
    for day in days_of(world):
        world.lived.nulls[day] = round(0.5 * world.lived.rows[day])
        other.nulls[day] = round(0.9 * other.rows[day])

    assert world.month() == ["+nulls#meta_ads#1#conversions", "-nulls#meta_ads#1#conversions"]

    assert "of the rows of ad_group have no conversions" in world.told.breaches[0].says


def test_a_breach_of_several_levels_is_over_when_the_last_of_them_is_as_usual() -> None:
    world, other = MonitoredAccount(LivedDays(104)), LivedDays(104)
    world.series[AD._replace(level="ad_group")] = other
    world.lived.drop(SPOILED[:-2], 0.3)
    other.drop(SPOILED, 0.3)

    assert world.month() == ["+volume#meta_ads#1", "-volume#meta_ads#1"]

    # three days as usual, the last of which is settled two mornings later
    assert world.told.breaches[1].cleared_at[:10] == list(other.rows)[SPOILED.stop + 2 + 2]


def test_an_ad_account_of_which_no_day_can_be_told_holds_no_other_up() -> None:
    world = MonitoredAccount(LivedDays(104))
    world.profiles.insert(0, world.profile.model_copy(update={"profile_id": "2", "timezone": "Mars/Olympus"}))
    world.bills_kept = [bill(date(2026, 10, 1), "unexplained")]
    world.look_on(91)
    assert world.told.causes == ["+bill#meta_ads#1#2026-10#EUR"]


def test_what_days_that_are_pulled_no_more_said_is_over_some_weeks_later() -> None:
    # given an ad account whose newest days have few rows, and no conversions
    world = MonitoredAccount(LivedDays(104))
    newest = range(92, 100)
    world.lived.drop(newest, 0.3)
    world.lived.nulls |= {day: world.lived.rows[day] for day in list(world.lived.rows)[newest.start :]}
    opened = ["+volume#meta_ads#1", "+nulls#meta_ads#1#conversions"]
    assert world.month() == opened

    # when its dataset is switched off
    world.look_on(99 + 19)
    assert world.told.causes == opened
    world.look_on(99 + 23)

    # then it is over, and not for a reason that nobody knows
    assert world.told.causes == [*opened, "-volume#meta_ads#1", "-nulls#meta_ads#1#conversions"]
    assert {each.cleared_because for each in world.told.breaches[2:]} == {"None of the last 21 days was pulled."}
