"""Marketing Stream's records: deltas that sum to the world's hours, in the forms of each program."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.platforms.amazon_ads import STAND_IN
from sandbox.platforms.amazon_ads.stream_cells import local_hours, pieces
from support.platform_server import ANCHOR, running
from support.queue_list import open_policy
from support.stream_caller import QUEUE, StreamCaller

Records = list[dict[str, Any]]
_TRAFFIC = {"impressions": "impressions", "clicks": "clicks", "spend_micros": "cost"}
_WINDOWS = {"sp": "attributed_{}_7d", "sb": "view_attributed_{}_14d", "sd": "view_attributed_{}_14d"}


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[StreamCaller, Records]]:
    """A stream that began on a day's morning, with the records of a first burst then and of a second a day later."""
    with running([STAND_IN]) as server:
        stream = StreamCaller(server)
        stream.active(*(f"{program}-{kind}" for program in ("sp", "sb", "sd") for kind in ("traffic", "conversion")))
        stream.outside.move(timedelta(hours=6))
        records = stream.burst()
        stream.outside.move(timedelta(days=1, hours=3))
        yield stream, records + stream.burst(days=8)


@pytest.fixture
def stream() -> Iterator[StreamCaller]:
    with running([STAND_IN]) as server:
        yield StreamCaller(server)


def once(records: Records) -> Records:
    return list({record["idempotency_id"]: record for record in records}.values())


def summed(records: Records, products: dict[str, str]) -> dict[tuple[str, str], dict[str, int]]:
    """(ad, hour) → what its records sum to, as the truth writes it. Other programs' rows are left out."""
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for record in once(records):
        program, _, kind = record["dataset_id"].partition("-")
        if products[record["campaign_id"]] != program:
            continue
        bought, worth = (_WINDOWS[program].format(name) for name in ("conversions", "sales"))
        names = _TRAFFIC if kind == "traffic" else {"conversions_micros": bought, "revenue_micros": worth}
        row = sums.setdefault((f"{record['ad_group_id']}~{record['ad_id']}", record["time_window_start"]), {})
        for name, field in names.items():
            value = Decimal(record[field]) * (1_000_000 if name.endswith("_micros") else 1)
            row[name] = row.get(name, 0) + int(value)
    return sums


def products(stream: StreamCaller) -> dict[str, str]:
    return {campaign.id: campaign.product for campaign in stream.caller.profile.campaigns}


def test_records_once_each_sum_to_the_truth_in_any_order(told: tuple[StreamCaller, Records]) -> None:
    # given
    stream, records = told
    truth = {(row["entity_id"], row["time_window_start"]): row for row in stream.truth()["rows"]}

    # when
    sums = summed(list(reversed(records)), products(stream))

    # then
    assert len(sums) > 1000
    assert sums.keys() == truth.keys()
    for key, row in sums.items():
        assert row == {name: truth[key][name] for name in row}
        assert all(truth[key][name] == 0 for name in (*_TRAFFIC, "conversions_micros") if name not in row)


def test_the_truth_of_whole_hours_is_the_world_s(told: tuple[StreamCaller, Records]) -> None:
    # given
    stream, _ = told
    world, profile = stream.outside.world, stream.caller.profile
    names = ("impressions", "clicks", "spend_micros", "conversions_micros", "revenue_micros")

    # when
    true = {
        (row["entity_id"], row["date"], row["hour"]): tuple(row[name] for name in names)
        for row in world.truth(profile, ANCHOR, date.max, hourly=True)
    }
    sent = {
        (row["entity_id"], row["date"], row["hour"]): tuple(row[name] or 0 for name in names)
        for row in stream.truth(start=ANCHOR.isoformat())["rows"]
        if not row["before_start"]
    }

    # then
    assert sent == {key: numbers for key, numbers in true.items() if key[1:] >= (ANCHOR.isoformat(), 4)}


def test_what_nobody_subscribed_to_is_unknown_and_the_hour_of_the_start_is_no_whole_one(stream: StreamCaller) -> None:
    # given
    stream.outside.move(timedelta(minutes=30))
    stream.active("sp-traffic")

    # when
    stream.outside.move(timedelta(hours=2))
    stream.burst()

    # then
    rows = stream.truth()["rows"]
    assert {row["conversions_micros"] for row in rows} == {None}
    assert {row["hour"]: row["before_start"] for row in rows} == {4: True, 5: False}


def test_campaigns_sum_their_ads(told: tuple[StreamCaller, Records]) -> None:
    # given
    stream, _ = told

    # when
    ads, campaigns = stream.truth()["rows"], stream.truth(level="campaign")["rows"]

    # then
    for name in ("impressions", "spend_micros", "conversions_micros"):
        assert sum(row[name] or 0 for row in ads) == sum(row[name] or 0 for row in campaigns) != 0


def test_the_first_day_is_net_negative_as_only_corrections_of_it_are_sent(told: tuple[StreamCaller, Records]) -> None:
    # given
    stream, _ = told

    # when
    before = [row for row in stream.truth()["rows"] if row["before_start"]]

    # then
    assert sum(row["spend_micros"] for row in before) < 0
    assert any(row["impressions"] == 0 and row["conversions_micros"] for row in before)


def test_records_are_deltas_some_of_them_negative_some_sent_twice_in_any_order(
    told: tuple[StreamCaller, Records],
) -> None:
    # given
    _, records = told
    traffic = [record for record in records if record["dataset_id"] == "sp-traffic"]

    # when
    ids, hours = [r["idempotency_id"] for r in traffic], [r["time_window_start"] for r in traffic]

    # then
    assert len(set(ids)) < len(ids)
    assert hours != sorted(hours)
    assert any(record["impressions"] < 0 for record in traffic)
    keys = [(record["ad_id"], record["time_window_start"]) for record in once(traffic)]
    assert len(set(keys)) < len(keys)


def test_other_programs_rows_come_in_sp_conversion(told: tuple[StreamCaller, Records]) -> None:
    # given
    stream, records = told

    # when
    owners = {products(stream)[r["campaign_id"]] for r in records if r["dataset_id"] == "sp-conversion"}

    # then
    assert owners > {"sp"}


@pytest.mark.parametrize(
    ("dataset", "there", "absent"),
    [
        ("sp-traffic", {"keyword_id", "keyword_text", "match_type", "placement"}, {"keyword_type", "target_id"}),
        ("sp-conversion", {"attributed_sales_30d_same_sku", "placement"}, {"keyword_text", "clicks", "match_type"}),
        ("sb-traffic", {"keyword_type", "placement_type", "viewable_impressions"}, {"match_type", "placement"}),
        (
            "sb-conversion",
            {"attributed_conversions_14d", "view_attributed_orders_new_to_brand_14d"},
            {"attributed_conversions_7d", "attributed_conversions_30d"},
        ),
        ("sd-traffic", {"target_id", "targeting_text", "view_impressions"}, {"keyword_id", "placement"}),
        (
            "sd-conversion",
            {"attributed_conversions_1d", "view_attributed_sales_14d", "attributed_sales_new_to_brand_14d"},
            {"targeting_text", "attributed_units_ordered_7d_same_sku"},
        ),
    ],
)
def test_each_program_has_the_members_of_its_own_schema(
    told: tuple[StreamCaller, Records], dataset: str, there: set[str], absent: set[str]
) -> None:
    # when
    record = next(record for record in told[1] if record["dataset_id"] == dataset)

    # then
    assert there <= record.keys()
    assert not absent & record.keys()
    assert record["time_window_start"].endswith(":00:00-08:00")
    assert isinstance(record["campaign_id"], str)


def test_an_autumn_night_has_both_of_its_hours() -> None:
    # given
    with running([STAND_IN], anchor=date(2026, 11, 1)) as server:
        stream = StreamCaller(server)
        stream.outside.move(timedelta(hours=-6))
        stream.active("sp-traffic")
        stream.outside.move(timedelta(hours=6))

        # when
        records = stream.burst()

        # then
        starts = {record["time_window_start"] for record in records}
        assert {f"2026-11-01T01:00:00-0{hours}:00" for hours in (7, 8)} <= starts
        night = [row for row in stream.truth(start="2026-11-01")["rows"] if row["hour"] == 1]
        assert len({row["time_window_start"] for row in night}) == 2
        world = server.outside.world.truth(stream.caller.profile, date(2026, 11, 1), date(2026, 11, 1), hourly=True)
        expected = sum(row["impressions"] for row in world if row["hour"] == 1 and row["ad_product"] == "sp")
        assert sum(row["impressions"] for row in night) == expected


def test_an_hour_that_a_spring_night_leaves_out_is_the_next() -> None:
    # when
    gone, usual = (local_hours(date(2026, 3, 8), hour, "America/Los_Angeles") for hour in (2, 3))

    # then
    assert gone == usual
    assert [hour.isoformat() for hour in gone] == ["2026-03-08T03:00:00-07:00"]


@pytest.mark.parametrize("luck", range(6))
@pytest.mark.parametrize("delta", [(120, 3, 194), (-7, 0, -11), (0, 0, 1)])
def test_pieces_of_a_delta_sum_to_it(luck: int, delta: tuple[int, ...]) -> None:
    # when
    parts = list(pieces(delta, luck))

    # then
    assert tuple(map(sum, zip(*parts, strict=True))) == delta


def test_a_burst_may_come_in_order_in_envelopes_or_whole_twice(stream: StreamCaller) -> None:
    # given
    stream.active("sp-traffic")
    stream.outside.move(timedelta(hours=2))

    # when
    wrapped = stream.burst(in_order=True, wrapped=True, times=2)
    nothing_new = stream.burst()

    # then
    assert {message["Type"] for message in wrapped} == {"Notification"}
    bodies = [message["Message"] for message in wrapped]
    half = len(bodies) // 2
    assert bodies[:half] == bodies[half:]
    assert len(set(bodies)) == half > 10
    assert nothing_new == []


def test_a_burst_whose_sending_failed_comes_again_under_the_same_ids(stream: StreamCaller) -> None:
    # given
    stream.active("sp-traffic")
    stream.outside.move(timedelta(hours=2))
    stream.queues.failing_after = 20
    with pytest.raises(RuntimeError):
        stream.burst()
    half = stream.queues.taken()

    # when
    stream.queues.failing_after = None
    whole = stream.burst()

    # then
    assert len(half) == 20
    assert {record["idempotency_id"] for record in half} < {record["idempotency_id"] for record in whole}


def test_what_is_taken_back_is_a_negative_delta(stream: StreamCaller) -> None:
    # given
    stream.active("sp-traffic")
    stream.outside.move(timedelta(hours=2))
    ad = stream.burst()[0]["ad_id"]
    stream.outside.move(timedelta(days=1, hours=2))
    stream.burst()
    body = {"profile_id": stream.caller.profile.id, "ad_id": ad, "keep": 0}
    stream.outside.happen("credit", body | {"start": ANCHOR.isoformat(), "end": ANCHOR.isoformat()})

    # when
    records = [record for record in stream.burst() if record["ad_id"] == ad]

    # then
    assert sum(record["clicks"] for record in records) < 0
    day = [row for row in stream.truth(start=ANCHOR.isoformat(), end=ANCHOR.isoformat())["rows"] if row["ad_id"] == ad]
    assert {row["clicks"] for row in day if not row["before_start"]} == {0}


def test_budget_usage_is_a_state_without_an_idempotency_id(stream: StreamCaller) -> None:
    # given
    stream.active("budget-usage")

    # when
    stream.outside.move(timedelta(hours=8))
    first = stream.burst(in_order=True)
    unchanged = stream.burst()
    stream.outside.move(timedelta(hours=14))
    later = stream.burst(in_order=True)

    # then
    assert first
    assert unchanged == []
    assert all("idempotency_id" not in record for record in first)
    assert all(record["budget_usage_percentage"] % 5 == 0 for record in first + later)
    newest = {record["budget_scope_id"]: record["budget_usage_percentage"] for record in first + later}
    assert newest == {state["id"]: state["per_cent"] for state in stream.truth()["states"]}


def test_objects_come_whole_at_first_and_then_with_a_higher_version_beside_the_old_one(stream: StreamCaller) -> None:
    # given
    stream.active("campaigns", "adgroups", "ads", "targets")
    first = stream.burst(in_order=True)
    ad = next(record["adId"] for record in first if record["dataset_id"] == "ads" and record["state"] == "ENABLED")

    # when
    stream.outside.happen("archive", {"profile_id": stream.caller.profile.id, "ad_id": ad})
    changed = stream.burst(in_order=True)

    # then
    assert {record["dataset_id"] for record in first} == {"campaigns", "adgroups", "ads", "targets"}
    assert {record["version"] for record in first} == {1}
    assert [(r["adId"], r["version"], r["state"]) for r in changed] == [(ad, 1, "ENABLED"), (ad, 2, "ARCHIVED")]


def test_a_subscription_whose_queue_or_access_is_gone_is_suspended_and_never_wakes(stream: StreamCaller) -> None:
    # given
    lost, forbidden = stream.active("sp-traffic", "sb-traffic")
    stream.outside.move(timedelta(hours=2))
    stream.queues.missing.add(QUEUE)
    stream.burst(datasets=["sp-traffic"])
    stream.queues.missing.clear()

    # when
    stream.outside.switches.turn_on({"kind": "access_denied", "platform": "amazon_ads", "times": 1})
    silent = stream.burst() + stream.burst()

    # then
    assert silent == []
    assert [stream.status(one) for one in (lost, forbidden)] == ["SUSPENDED", "SUSPENDED"]


def test_a_stream_goes_on_after_a_restart_where_it_stopped(stream: StreamCaller) -> None:
    # given
    stream.active("sp-traffic")
    stream.outside.move(timedelta(hours=2))
    stream.burst()
    before = stream.truth()

    # when
    kept = stream.outside.state.kept
    with running([STAND_IN]) as server:
        again = StreamCaller(server)
        server.outside.state.kept = kept
        again.outside.move(timedelta(hours=2))

        # then
        assert again.burst() == []
        assert again.truth() == before


def test_a_policy_that_is_as_documented_lets_the_topic_of_its_dataset_in(stream: StreamCaller) -> None:
    # given
    stream.queues.policies[QUEUE] = open_policy(QUEUE, "arn:aws:sns:us-east-1:709476672186:*")

    # when
    stream.made("sb-traffic")

    # then
    (message,) = stream.queues.taken()
    assert message["TopicArn"].startswith("arn:aws:sns:us-east-1:709476672186:")
