"""What the search for anomalies keeps is bounded."""

from __future__ import annotations

from datetime import date, timedelta

from adweir.insight.anomalies.incidents import Causes, Watcher
from adweir.insight.anomalies.settings import ScoreBasis, Scored
from adweir.insight.anomalies.sources import starts
from adweir.insight.anomalies.watched import Found, WatchedEntity
from adweir.insight.anomalies.wording import says
from adweir.model import limits
from adweir.model.metrics import Level
from support.bounds import at_the_bound

DAY = date(2026, 10, 1)
ACCOUNT = WatchedEntity(Level.ACCOUNT, "1")


def found(entity: WatchedEntity, day: date = DAY, metric: str = "spend", z: float = 6.0) -> Found:
    return Found(entity, metric, day, Scored(0, 9.0, 1.0, z, 0.9, True, ScoreBasis.ROBUST, 3.5))


def causes() -> Causes:
    return Causes(Watcher("acc_1", "meta_ads", "1", "EUR"), [], "2026-11-01T00:00:00.000000Z")


def campaign(number: int) -> WatchedEntity:
    return WatchedEntity(Level.CAMPAIGN, str(number), (ACCOUNT.key,))


@at_the_bound("MAX_ANOMALIES_PER_DAY")
def test_the_furthest_of_a_day_are_kept(size: int, fits: bool) -> None:
    alone = [found(WatchedEntity(Level.ACCOUNT, str(number)), z=4 + number / 1000) for number in range(size)]
    together = causes()
    together.add(DAY, alone, {})
    assert (len(together.incidents) == size) is fits
    assert str(size - 1) in {each.entity_id for each in together.incidents.values()}


@at_the_bound("MAX_ANOMALIES_PER_DAY", as_if=3)
def test_what_is_not_kept_of_a_day_is_counted_and_what_goes_on_is_not_among_it(size: int, fits: bool) -> None:
    """Given an incident of the day before, which is the least far off, when as many begin as may, then it goes on."""
    alone = [found(WatchedEntity(Level.ACCOUNT, str(number)), z=5 + number / 1000) for number in range(size)]
    going_on = WatchedEntity(Level.ACCOUNT, "before")
    together = causes()
    together.add(DAY - timedelta(days=1), [found(going_on, DAY - timedelta(days=1))], {})

    for _ in range(2):
        together.add(DAY, [*alone, found(going_on, z=4)], {})

    begun = [each for each in together.incidents.values() if each.first_day == DAY.isoformat()]
    assert {each.left_out for each in begun} == {0 if fits else 1}
    assert (together.left_out > 0) is not fits
    assert ("Not kept: 1 more incident" in says(begun[0])) is not fits
    (before,) = (each for each in together.incidents.values() if each.entity_id == "before")
    assert (len(before.days), before.left_out) == (2, 0)


@at_the_bound("MAX_ANOMALY_PARTS")
def test_parts_are_named_up_to_a_number_and_all_are_counted(size: int, fits: bool) -> None:
    together = causes()
    together.add(DAY, [found(ACCOUNT), *(found(campaign(number)) for number in range(size))], {})
    (incident,) = together.incidents.values()
    assert (len(incident.parts) == size) is fits
    assert incident.parts_total == size


@at_the_bound("MAX_ANOMALY_DAYS")
def test_the_last_days_of_an_incident_are_named(size: int, fits: bool) -> None:
    together = causes()
    for number in range(size):
        together.add(DAY + timedelta(days=number), [found(ACCOUNT, DAY + timedelta(days=number))], {})
    (incident,) = together.incidents.values()
    assert (len(incident.days) == size) is fits
    assert incident.first_day == DAY.isoformat()


@at_the_bound("MAX_WATCHED_CAMPAIGNS")
def test_campaigns_are_watched_up_to_a_number(size: int, fits: bool) -> None:
    assert starts(campaign(1), (1, 0, 0, 0, 0), size - 1) is fits


@at_the_bound("MAX_WATCHED_ADS")
def test_ads_are_watched_up_to_a_number(size: int, fits: bool) -> None:
    ad = WatchedEntity(Level.AD, "g~a", (ACCOUNT.key,))
    assert starts(ad, (1000, 0, 0, 0, 0), size - 1) is fits
    assert not starts(ad, (999, 0, 0, 0, 0), 0), "an ad of little volume is not"


def test_three_parts_that_show_the_same_are_of_the_whole_and_two_are_not() -> None:
    for size, levels in ((2, {"campaign"}), (3, {"account"})):
        together = causes()
        together.add(DAY, [found(campaign(number)) for number in range(size)], {})
        assert {each.level for each in together.incidents.values()} == levels
    assert limits.MAX_ANOMALY_PARTS >= 3
