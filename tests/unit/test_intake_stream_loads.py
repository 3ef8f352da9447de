"""The stream's records become hours: each trap of Amazon Marketing Stream with its rule, and the whole as a model."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.entities import ProfileStatus
from adweir.model.errors import BadInput, NotReady
from adweir.model.messages import ObjectArrived, StartRun
from adweir.model.metrics import Grain, Level, Series, Source
from adweir.model.times import Window, epoch, local_time
from support.bounds import at_the_bound, refuses
from support.stream_world import AMAZON, HOUR, SINCE, StreamWorld, a_profile, conversion, record, traffic

TRAFFIC, CONVERSION = "sp-traffic", "sp-conversion"
AD, CAMPAIGN = ("g1~a1", 3), ("c1", 3)
Records = list[list[dict[str, Any]]]


# --- what records mean


def test_traffic_and_conversions_of_an_hour_are_one_row_and_each_may_come_without_the_other() -> None:
    world = StreamWorld()
    world.work(
        traffic(1, 100, 4, 1.94),
        conversion(2, 1, 24.99),
        conversion(3, 2, 10, ad_id="a2"),
        traffic(4, 7, 0, 0, ad_id="a3"),
    )
    assert world.hours() == {
        AD: (100, 4, 1_000_000, 1_940_000, 24_990_000),
        ("g1~a2", 3): (0, 0, 2_000_000, 0, 10_000_000),
        ("g1~a3", 3): (7, 0, 0, 0, 0),
    }
    assert world.hours(Level.CAMPAIGN) == {CAMPAIGN: (107, 4, 3_000_000, 1_940_000, 34_990_000)}


def test_keywords_targets_and_placements_of_an_ad_are_added_up() -> None:
    world = StreamWorld()
    world.work(
        traffic(1, 10, 1, 0.1, keyword_id="k1", match_type="EXACT"),
        traffic(2, 20, 0, 0, keyword_id="t9", match_type="TARGETING_EXPRESSION"),
        traffic(3, 30, 2, 0.2, keyword_id="", placement="Detail Page on-Amazon"),
    )
    assert world.hours() == {AD: (60, 3, 0, 300_000, 0)}


def test_corrections_below_zero_are_stored_as_they_are() -> None:
    world = StreamWorld()
    world.work(traffic(1, -5, -1, -0.97))
    assert world.hours() == {AD: (-5, -1, 0, -970_000, 0)}
    world.work(traffic(2, 8, 2, 1.94))
    assert world.hours() == {AD: (3, 1, 0, 970_000, 0)}


def test_an_old_hour_changes_when_its_conversions_are_revised() -> None:
    world = StreamWorld()
    world.subscribe(TRAFFIC, SINCE - timedelta(days=60))
    world.subscribe(CONVERSION, SINCE - timedelta(days=60))
    old = "2026-10-12T03:00:00-07:00"
    world.work(traffic(1, 10, 1, 1, time_window_start=old), conversion(2, 1, 9, time_window_start=old))
    world.work(conversion(3, -1, -9, time_window_start=old))
    assert world.hours(day="2026-10-12") == {AD: (10, 1, 0, 1_000_000, 0)}


def test_sums_are_exact_whatever_the_decimals_of_their_records() -> None:
    world = StreamWorld()
    tiny = [traffic(number, 1, 0, 0.0000004) for number in range(5)]
    world.work(*tiny, traffic(9, 0, 0, 0.1), traffic(10, 0, 0, 0.2))
    assert world.hours()[AD][3] == 300_002


@pytest.mark.parametrize(
    ("options", "kind", "numbers"),
    [
        ({}, "seller", (7_000_000, 70_000_000)),
        ({}, "vendor", (14_000_000, 140_000_000)),
        ({"window": "1d"}, "vendor", (1_000_000, 10_000_000)),
        ({"window": "30d"}, "seller", (30_000_000, 300_000_000)),
        ({"products": "promoted"}, "seller", (5_000_000, 50_000_000)),
        ({"basis": "view"}, "seller", (None, None)),
    ],
)
def test_conversions_count_by_the_options_of_the_profile_as_reports_do(
    options: dict[str, Any], kind: str, numbers: tuple[int | None, int | None]
) -> None:
    world = StreamWorld(a_profile(options=options, kind=kind))
    windows = {"1d": 1, "7d": 7, "14d": 14, "30d": 30}
    world.work(
        traffic(1, 1, 0, 0),
        record(
            CONVERSION,
            2,
            **{f"attributed_conversions_{name}": n for name, n in windows.items()},
            **{f"attributed_sales_{name}": n * 10 for name, n in windows.items()},
            attributed_conversions_7d_same_sku=5,
            attributed_sales_7d_same_sku=50,
        ),
    )
    _, _, conversions, _, revenue = world.hours()[AD]
    assert (conversions, revenue) == numbers


@pytest.mark.parametrize(
    ("dataset", "options", "numbers"),
    [
        ("sb-conversion", {}, (5, 50)),
        ("sb-conversion", {"basis": "click"}, (3, 30)),
        ("sb-conversion", {"basis": "view"}, (2, 20)),
        ("sb-conversion", {"products": "promoted"}, (None, None)),
        ("sd-conversion", {}, (5, 50)),
        ("sd-conversion", {"products": "promoted"}, (1, 10)),
        ("sd-conversion", {"window": "1d"}, (5, 50)),
    ],
)
def test_brands_and_display_count_fourteen_days_and_views_as_the_options_say(
    dataset: str, options: dict[str, Any], numbers: tuple[int | None, int | None]
) -> None:
    world = StreamWorld(a_profile(options=options))
    product = dataset[:2]
    world.subscribe(f"{product}-traffic", SINCE)
    world.subscribe(dataset, SINCE)
    counts = {"attributed_conversions_14d": 3, "view_attributed_conversions_14d": 5,
              "attributed_conversions_14d_same_sku": 1}  # fmt: skip
    world.work(
        record(f"{product}-traffic", 1, impressions=9, view_impressions=4, target_id="t", targeting_text="x"),
        record(dataset, 2, **counts, **{name.replace("conversions", "sales"): n * 10.0 for name, n in counts.items()}),
    )
    _, _, conversions, _, revenue = world.hours()[AD]
    assert (conversions, revenue) == tuple(n if n is None else n * 1_000_000 for n in numbers)


def test_display_without_views_counts_its_clicks() -> None:
    """`view_attributed_…` is for campaigns that pay by view only."""
    world = StreamWorld()
    world.subscribe("sd-conversion", SINCE)
    world.work(record("sd-conversion", 1, attributed_conversions_14d=3, attributed_sales_14d=30))
    assert world.hours() == {AD: (None, None, 3_000_000, None, 30_000_000)}


def test_what_is_not_subscribed_is_unknown_and_what_is_subscribed_is_zero() -> None:
    world = StreamWorld()
    del world.catalog.subscriptions[CONVERSION]
    world.work(traffic(1, 10, 1, 1))
    assert world.hours() == {AD: (10, 1, None, 1_000_000, None)}
    world.subscribe(CONVERSION, SINCE, status="pending")
    world.work(traffic(2, 1, 0, 0))
    assert world.hours() == {AD: (11, 1, 0, 1_000_000, 0)}
    # a subscription that ended says nothing of hours without a record
    world.subscribe(CONVERSION, SINCE, status="paused")
    world.work(traffic(3, 1, 0, 0))
    assert world.hours() == {AD: (12, 1, None, 1_000_000, None)}


# --- whose, when, what


def test_the_day_is_what_is_written_and_never_computed_from_utc() -> None:
    world = StreamWorld()
    world.work(traffic(1, 1, 0, 0, time_window_start="2026-11-19T23:00:00-08:00"))
    assert world.hours(day="2026-11-19") == {("g1~a1", 23): (1, 0, 0, 0, 0)}
    assert world.hours() == {}


def test_both_passes_of_the_hour_of_an_autumn_night_are_kept_and_add_up() -> None:
    world = StreamWorld()
    for dataset in (TRAFFIC, CONVERSION):
        world.subscribe(dataset, SINCE - timedelta(days=30))
    world.work(
        traffic(1, 1, 0, 0, time_window_start="2026-11-01T01:00:00-07:00"),
        traffic(2, 2, 0, 0, time_window_start="2026-11-01T01:00:00-08:00"),
        traffic(3, 4, 0, 0, time_window_start="2026-11-01T02:00:00-08:00"),
    )
    assert {key[6:] for key in sorted(world.fold_objects.objects)} == {
        f"amazon_ads/p1/2026-11-01T{hour}.json" for hour in ("01", "25", "02")
    }
    series, night = Series(AMAZON, "p1", Level.AD, Grain.HOUR), date(2026, 11, 1)
    stored = world.store.read(series, Window(night, night), sources=(Source.STREAM,))
    assert [(row.hour, row.slot[0]) for row in stored] == [(1, 1), (1, 2), (2, 4)]


def test_an_advertiser_is_told_apart_by_its_marketplace() -> None:
    world = StreamWorld(a_profile(), a_profile(profile_id="p2", alias="A1@CA", currency="CAD"))
    world.work(traffic(1, 1, 0, 0), traffic(2, 5, 0, 0, marketplace_id="CA", currency="CAD"))
    assert world.hours() == {AD: (1, 0, 0, 0, 0)}
    assert "folds/amazon_ads/p2/2026-11-20T03.json" in world.fold_objects.objects


def test_a_record_that_two_ad_accounts_could_have_is_nobody_s() -> None:
    """An ad account that was made anew has another id, and is listed before the old one is found to be gone."""
    world = StreamWorld(a_profile(), a_profile(profile_id="p2"))
    world.work(traffic(1, 1, 0, 0))
    assert (world.fold_objects.objects, world.refused) == ({}, ["advertiser_id"])
    world.catalog.known = [a_profile(status=ProfileStatus.REMOVED), a_profile(profile_id="p2")]
    world.work(traffic(1, 1, 0, 0))
    assert list(world.fold_objects.objects) == ["folds/amazon_ads/p2/2026-11-20T03.json"]


def test_amounts_of_two_currencies_are_never_added_up() -> None:
    world = StreamWorld()
    world.work(traffic(1, 10, 1, 1.0))
    world.catalog.known = [a_profile(currency="CAD")]
    world.work(traffic(2, 7, 1, 2.0, currency="CAD"), traffic(1, 10, 1, 1.0))
    assert world.hours() == {AD: (7, 1, 0, 2_000_000, 0)}
    assert world.refused == ["currency"]


def test_a_record_of_another_program_in_sp_conversion_is_left_out() -> None:
    # given a campaign of Sponsored Brands, by the catalog
    world = StreamWorld()
    world.subscribe("sb-conversion", SINCE)
    world.catalog.campaigns["c1"] = "sb"
    # when its conversions come in both datasets, then they count once, as its own
    world.work(conversion(1, 4, 40), record("sb-conversion", 2, view_attributed_conversions_14d=3))
    assert world.hours(Level.CAMPAIGN) == {CAMPAIGN: (None, None, 3_000_000, None, 0)}


def test_a_campaign_that_the_catalog_does_not_know_is_of_the_program_that_has_its_traffic() -> None:
    world = StreamWorld()
    for dataset in ("sb-traffic", "sb-conversion"):
        world.subscribe(dataset, SINCE)
    world.work(conversion(1, 4, 40))
    assert world.hours(Level.CAMPAIGN)[CAMPAIGN][2] == 4_000_000
    world.work(record("sb-traffic", 2, impressions=9, placement_type="Other on-Amazon", viewable_impressions=1))
    assert world.hours(Level.CAMPAIGN) == {CAMPAIGN: (9, 0, 0, 0, 0)}


def test_what_was_stored_of_a_campaign_as_of_another_program_is_taken_back_at_each_level() -> None:
    """Given an ad's row in sp-conversion, when the campaign turns out to be of Brands by the traffic of another ad."""
    world = StreamWorld()
    for dataset in ("sb-traffic", "sb-conversion"):
        world.subscribe(dataset, SINCE)
    world.work(conversion(1, 4, 40, ad_id="a2"))
    assert world.hours() == {("g1~a2", 3): (0, 0, 4_000_000, 0, 40_000_000)}
    world.work(record("sb-traffic", 2, impressions=9))
    assert world.hours() == {AD: (9, 0, 0, 0, 0), ("g1~a2", 3): (0, 0, 0, 0, 0)}
    assert world.hours(Level.CAMPAIGN) == {CAMPAIGN: (9, 0, 0, 0, 0)}


@pytest.mark.parametrize("dataset", ["budget-usage", "sb-clickstream", "sp-budget-recommendations", "something-new"])
def test_states_and_unknown_datasets_are_never_summed(dataset: str) -> None:
    world = StreamWorld()
    world.work({"dataset_id": dataset, "advertiser_id": "A1", "marketplace_id": "US", "budget": 100.0, "clicks": 7})
    assert (world.hours(), world.fold_objects.objects, world.refused) == ({}, {}, [])


@pytest.mark.parametrize(
    ("dataset", "wanted"),
    [
        ("campaigns", ("campaigns",)),
        ("adgroups", ("ad_groups",)),
        ("ads", ("ads",)),
        ("targets", ("keywords", "targets", "negatives")),
        ("ads-campaign-management-campaigns", ("campaigns",)),
        ("ads-campaign-management-ad-groups", ("ad_groups",)),
    ],
)
def test_a_changed_object_has_its_list_pulled_again_once(dataset: str, wanted: tuple[str, ...]) -> None:
    world = StreamWorld()
    change = {"dataset_id": dataset, "advertiser_id": "A1", "marketplace_id": "US", "adProduct": "SPONSORED_BRANDS"}
    world.work(change | {"version": 4}, change | {"version": 3})
    world.work(change | {"version": 5})

    runs = [each for each in world.out.sent if isinstance(each, StartRun)]
    assert {each.scope.datasets for each in runs} == {wanted}
    assert {each.scope.slice for each in runs} == {"sb"}
    assert len({each.run_id for each in runs}) == 1


def test_an_object_that_changes_after_its_list_was_pulled_is_pulled_in_the_next_five_minutes() -> None:
    world = StreamWorld()
    change = {"dataset_id": "campaigns", "advertiser_id": "A1", "marketplace_id": "US"}
    world.work(change | {"version": 1})
    world.clock.advance(200)
    world.work(change | {"version": 2})
    world.clock.advance(100)
    world.work(change | {"version": 3})
    first, second, third = (each for each in world.out.sent if isinstance(each, StartRun))
    assert first.run_id == second.run_id != third.run_id
    assert first.then_id == second.then_id == third.run_id
    assert second.scheduled_at > first.scheduled_at
    assert first.then_at == second.then_at == epoch(third.scheduled_at)


# --- what cannot be loaded


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"advertiser_id": "A2"}, "advertiser_id"),
        ({"marketplace_id": ""}, "marketplace_id"),
        ({"currency": "EUR"}, "currency"),
        ({"idempotency_id": ""}, "idempotency_id"),
        ({"campaign_id": ""}, "campaign_id"),
        ({"campaign_id": "c/1"}, "campaign_id"),
        ({"ad_id": "x" * 201}, "ad_id"),
        ({"time_window_start": "2026-11-20T03:00:00"}, "time_window_start"),
        ({"time_window_start": "2026-11-20T03:00:00Z"}, "time_window_start"),
        ({"time_window_start": "yesterday"}, "time_window_start"),
        ({"time_window_start": "2026-12-24T03:00:00-08:00"}, "time_window_start"),
        ({"clicks": 1 << 60}, "clicks"),
        ({"cost": 1e30}, "cost"),
        ({"cost": "NaN"}, "cost"),
        ({"cost": []}, ""),
        ({"clicks": 1.5}, ""),
        ({"campaign_id": 7}, ""),
    ],
)
def test_a_record_that_cannot_be_loaded_is_kept_aside_and_the_others_are_loaded(
    changes: dict[str, Any], name: str
) -> None:
    world = StreamWorld()
    world.work(traffic(1, 10, 1, 1) | changes, traffic(2, 5, 0, 0))
    assert world.hours() == {AD: (5, 0, 0, 0, 0)}
    assert world.refused == [name]
    (breach,) = [each for each in world.out.events if each.name == "QualityBreached"]
    assert (breach.rows_quarantined, breach.dataset) == (1, "stream")
    assert breach.object_key.startswith("stream/amazon_ads/2026-11-20/")


def test_a_record_of_an_unknown_ad_account_is_noted_for_the_health_with_its_object_and_what_was_refused() -> None:
    world = StreamWorld()
    world.work(traffic(1, 10, 1, 1) | {"advertiser_id": "A2"}, name="x")
    (breach,) = [each for each in world.out.events if each.name == "QualityBreached"]
    assert world.noted == {
        "stream/amazon_ads/2026-11-20/": (
            "x.jsonl.gz: refused records: 1, the first: advertiser_id names no ad account that is known here: A2@US; "
            f"all: {breach.quarantine_key}"
        )
    }


def test_records_that_are_loaded_are_not_noted() -> None:
    world = StreamWorld()
    world.work(traffic(1, 10, 1, 1))
    assert world.noted == {}


def test_an_account_that_is_gone_takes_no_records() -> None:
    world = StreamWorld(a_profile(status=ProfileStatus.INACTIVE))
    world.work(traffic(1, 10, 1, 1))
    assert world.refused == ["advertiser_id"]


def test_unknown_fields_change_nothing() -> None:
    world = StreamWorld()
    world.work(traffic(1, 10, 1, 1, brand_new={"a": [1]}))
    assert world.hours()[AD][0] == 10


def test_an_absurd_amount_does_not_spoil_its_hour_for_good() -> None:
    """A record that is in an hour's sum stays in it."""
    world = StreamWorld()
    world.work(traffic(1, 10, 1, 2_000_000_000))
    world.work(traffic(2, 10, 1, 1))
    assert world.refused == ["cost"]
    assert world.hours()[AD][0] == 10


@at_the_bound("MAX_STREAM_AGE_DAYS")
def test_an_hour_is_changed_as_long_as_its_fold_lives(size: int, fits: bool) -> None:
    world = StreamWorld()
    start = local_time(world.clock.now() - timedelta(days=size) + timedelta(seconds=1), "America/Los_Angeles")
    start -= timedelta(seconds=0 if fits else 1)
    world.work(traffic(1, 10, 1, 1, time_window_start=start.isoformat()))
    assert (world.refused == []) is fits


@pytest.mark.parametrize(("ahead", "fits"), [(timedelta(hours=36), True), (timedelta(days=2, seconds=1), False)])
def test_an_hour_may_be_as_far_ahead_as_a_sandbox_that_was_moved_by_a_day(ahead: timedelta, fits: bool) -> None:
    world = StreamWorld()
    start = local_time(world.clock.now() + ahead, "America/Los_Angeles")
    world.work(traffic(1, 10, 1, 1, time_window_start=start.isoformat()))
    assert (world.refused == []) is fits


@at_the_bound("MAX_STREAM_BYTES", as_if=5000)
def test_the_records_of_an_object(size: int, fits: bool) -> None:
    with refuses(BadInput, fits=fits):
        StreamWorld().work(" " * (size - 1))


@pytest.mark.parametrize("body", [b"no gzip", b"\x1f\x8b\x08\x00"])
def test_an_object_that_cannot_be_unpacked_is_reported(body: bytes) -> None:
    world = StreamWorld()
    message = ObjectArrived(bucket="b", key="stream/amazon_ads/2026-11-20/x.jsonl.gz")
    world.raw.bodies[message.key] = body
    with pytest.raises(BadInput) as caught:
        world.loader.load(message, lambda: 99.0)
    world.loader.settle(message, caught.value)
    assert [each.name for each in world.out.events] == ["QualityBreached"]
    assert list(world.noted) == ["stream/amazon_ads/2026-11-20/"]


@pytest.mark.parametrize("key", ["stream/", "stream/meta_ads/2026-11-20/x", "stream/nobody/x", "raw/x"])
def test_an_object_of_no_stream_is_refused(key: str) -> None:
    world, message = StreamWorld(), ObjectArrived(bucket="b", key=key)
    with pytest.raises(BadInput):
        world.loader.load(message, lambda: 99.0)
    with pytest.raises(BadInput):
        world.loader.settle(message, BadInput("x"))


def test_a_load_without_time_goes_on_in_another_invocation() -> None:
    world = StreamWorld()
    with pytest.raises(NotReady):
        world.work(traffic(1, 10, 1, 1), remaining=5.0)


def test_a_full_hour_is_reported_and_does_not_hold_up_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FOLDED_RECORDS", 2)
    world = StreamWorld()
    other = "2026-11-20T02:00:00-08:00"
    world.work(*(traffic(number, 1, 0, 0) for number in range(3)), traffic(9, 1, 0, 0, time_window_start=other))
    assert world.hours() == {("g1~a1", 2): (1, 0, 0, 0, 0)}
    assert [each.reason.partition(":")[0] for each in world.out.events if each.name == "QualityBreached"] == [
        "too_large"
    ]


def test_what_changed_is_announced_once_per_level() -> None:
    world = StreamWorld()
    world.work(traffic(1, 10, 1, 1), traffic(2, 10, 1, 1, time_window_start="2026-11-19T03:00:00-08:00"))
    changed = [each for each in world.out.events if each.name == "MetricsChanged"]
    assert [(each.level, each.start, each.end, each.slots_changed, each.source) for each in changed] == [
        ("campaign", "2026-11-19", "2026-11-20", 2, "stream"),
        ("ad", "2026-11-19", "2026-11-20", 2, "stream"),
    ]
    assert HOUR.startswith(changed[0].end)
