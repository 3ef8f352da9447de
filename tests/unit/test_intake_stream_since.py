"""From which hour on the stream's numbers count: the start of a subscription, and of the one after it."""

from __future__ import annotations

from datetime import UTC, datetime

from adweir.model.metrics import Level
from adweir.model.times import iso
from support.stream_world import SINCE, StreamWorld, conversion, traffic

TRAFFIC, CONVERSION = "sp-traffic", "sp-conversion"
AD, CAMPAIGN = ("g1~a1", 3), ("c1", 3)


def test_hours_that_began_before_the_subscription_are_not_in_any_total() -> None:
    # given a subscription at 03:30
    world = StreamWorld()
    world.subscribe(TRAFFIC, datetime(2026, 11, 20, 11, 30, tzinfo=UTC))
    world.subscribe(CONVERSION, SINCE)
    # when corrections of earlier traffic come, more than that brought
    world.work(
        traffic(1, -40, -4, -4.0),
        conversion(2, 1, 5),
        traffic(3, 10, 1, 1.0, time_window_start="2026-11-20T04:00:00-08:00"),
    )
    # then hour 3 has no traffic, and hour 4 has
    assert world.hours() == {
        AD: (None, None, 1_000_000, None, 5_000_000),
        ("g1~a1", 4): (10, 1, 0, 1_000_000, 0),
    }


def test_an_hour_of_which_nothing_counts_has_no_row() -> None:
    world = StreamWorld()
    world.subscribe(TRAFFIC, datetime(2026, 11, 20, 11, 30, tzinfo=UTC))
    world.subscribe(CONVERSION, datetime(2026, 11, 20, 11, 30, tzinfo=UTC))
    world.work(traffic(1, -40, -4, -4.0))
    assert world.hours() == {}
    assert world.folds.add("folds/amazon_ads/p1/2026-11-20T03.json", []).fold.size == 1


def test_a_subscription_that_nobody_listed_begins_with_its_first_record() -> None:
    world = StreamWorld()
    world.catalog.subscriptions.clear()
    world.raw.received = datetime(2026, 11, 20, 11, 30, tzinfo=UTC)
    world.work(traffic(1, 10, 1, 1))
    assert world.hours() == {}
    assert world.catalog.subscriptions[TRAFFIC].since == iso(world.raw.received)
    # the next object does not move it
    world.raw.received = datetime(2026, 11, 20, 13, 30, tzinfo=UTC)
    world.work(traffic(2, 10, 1, 1, time_window_start="2026-11-20T04:00:00-08:00"))
    assert world.hours() == {("g1~a1", 4): (10, 1, None, 1_000_000, None)}


def test_an_hour_that_counted_still_counts_when_the_subscription_is_made_anew() -> None:
    # given an hour of one subscription, which Amazon suspends, and another one that was made two hours later
    world = StreamWorld()
    world.work(traffic(1, 100, 4, 4.0), conversion(2, 1, 5))
    world.subscribe(TRAFFIC, datetime(2026, 11, 20, 13, 30, tzinfo=UTC))
    # when traffic is invalidated and a conversion is revised later
    world.work(conversion(3, 1, 5))
    world.work(traffic(4, -5, -1, -1.0))
    # then the hour's traffic is not lost, and one between the two subscriptions has none
    world.work(traffic(5, -7, 0, 0, time_window_start="2026-11-20T04:00:00-08:00"))
    assert world.hours(Level.CAMPAIGN) == {
        CAMPAIGN: (95, 3, 2_000_000, 3_000_000, 10_000_000),
        ("c1", 4): (None, None, 0, None, 0),
    }


def test_an_earlier_start_that_becomes_known_counts_what_was_left_out() -> None:
    world = StreamWorld()
    world.subscribe(TRAFFIC, datetime(2026, 11, 20, 11, 30, tzinfo=UTC))
    world.subscribe(CONVERSION, datetime(2026, 11, 20, 11, 30, tzinfo=UTC))
    world.work(traffic(1, 10, 1, 1.0))
    assert world.hours() == {}
    world.subscribe(TRAFFIC, SINCE)
    world.work(traffic(1, 10, 1, 1.0))
    assert world.hours() == {AD: (10, 1, None, 1_000_000, None)}
