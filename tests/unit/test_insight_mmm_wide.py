"""The wide table and its gates: tables that no media-mix model may get."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.insight.mmm.gates import Severity, check
from adweir.insight.mmm.sums import ChannelSums
from adweir.insight.mmm.wide import Cadence, Sums, Wide, build
from adweir.model.metrics import Slot
from adweir.model.times import Window

START = date(2026, 9, 1)


def window(days: int) -> Window:
    return Window(START, START + timedelta(days=days - 1))


def sums_of(*slots: tuple[int, str, Slot]) -> Sums:
    sums = Sums()
    for offset, platform, slot in slots:
        sums.add(START + timedelta(days=offset), platform, slot)
    return sums


def spend(amount: int, *, impressions: int = 100, conversions: int = 1, revenue: int = 0) -> Slot:
    return (impressions, 10, conversions * 1_000_000, amount, revenue)


def errors(wide: Wide, uncovered: tuple[date, ...] = ()) -> set[str]:
    return {finding.gate for finding in check(wide, uncovered) if finding.severity is Severity.ERROR}


def test_a_pulled_day_without_delivery_is_zero_in_a_full_grid() -> None:
    sums = sums_of((0, "meta_ads", spend(1_250_000)), (2, "meta_ads", spend(2_000_000, conversions=3)))

    wide = build(sums, window(3), ["meta_ads"], Cadence.DAILY)

    assert wide.times == ["2026-09-01", "2026-09-02", "2026-09-03"]
    assert wide.columns["meta_ads_spend"] == [Decimal("1.25"), Decimal(0), Decimal(2)]
    assert list(wide.rows())[1][:3] == ["2026-09-01", "100", "1.25"]
    assert errors(wide) == set()


def test_a_day_that_was_never_pulled_is_not_passed_off_as_zero() -> None:
    sums = sums_of((0, "meta_ads", spend(1)), (2, "meta_ads", spend(2, conversions=3)))
    wide = build(sums, window(3), ["meta_ads"], Cadence.DAILY)
    assert errors(wide, (date(2026, 9, 2),)) == {"coverage"}


@pytest.mark.parametrize(
    ("given_spend", "settled"),
    [
        ({"a": 2, "b": -3, "d": 2}, {"a": 0, "b": 0, "d": 1}),
        ({"a": 5, "b": -3, "c": -1}, {"a": 1, "b": 0, "c": 0}),
        ({"a": 1, "b": -3}, {"a": 0, "b": -2}),
    ],
)
def test_what_campaigns_exceed_their_account_by_leaves_no_channel_below_zero(
    given_spend: dict[str, int], settled: dict[str, int]
) -> None:
    sums = ChannelSums()
    for channel, amount in given_spend.items():
        sums.add(START, "meta_ads", channel, spend(amount))

    found = sums.by_channel().days[START]

    assert {channel: slot[3] for channel, slot in found.items()} == settled


def test_channels_that_a_model_would_refuse_are_left_out_with_their_reason() -> None:
    days = [(day, "meta_ads", spend(day + 1, impressions=100 + day, conversions=day)) for day in range(5)]
    constant = [(day, "tiktok_ads", spend(7)) for day in range(5)]
    unpaid = [(day, "trade_desk", spend(0, impressions=day + 1)) for day in range(5)]

    wide = build(
        sums_of(*days, *constant, *unpaid),
        window(5),
        ["meta_ads", "tiktok_ads", "trade_desk", "google_ads"],
        Cadence.DAILY,
    )

    assert wide.channels == ["meta_ads"]
    assert wide.organic == ["trade_desk"]
    assert {dropped.channel: dropped.reason.split()[0] for dropped in wide.dropped} == {
        "google_ads": "no",
        "tiktok_ads": "impressions",
        "trade_desk": "no",
    }
    assert errors(wide) == set()


def test_weeks_begin_on_mondays_and_only_whole_ones_count() -> None:
    sums = sums_of(*((day, "meta_ads", spend(day, conversions=day)) for day in range(30)))

    wide = build(sums, window(30), ["meta_ads"], Cadence.WEEKLY)

    assert {date.fromisoformat(time).weekday() for time in wide.times} == {0}
    assert (wide.times[0], len(wide.times)) == ("2026-09-07", 3)
    assert sum(wide.columns["meta_ads_spend"]) == Decimal(sum(range(6, 27))) / 1_000_000


def test_revenue_per_conversion_is_never_undefined() -> None:
    sums = sums_of(
        (0, "meta_ads", spend(5, conversions=2, revenue=40_000_000)),
        (1, "meta_ads", spend(6, conversions=0)),
        (2, "meta_ads", spend(7, conversions=1, revenue=50_000_000)),
    )
    wide = build(sums, window(3), ["meta_ads"], Cadence.DAILY)
    assert wide.columns["revenue_per_conversion"] == [Decimal(20), Decimal(20), Decimal(50)]


def test_nothing_to_model_is_an_error() -> None:
    wide = build(Sums(), window(1), ["meta_ads"], Cadence.DAILY)
    assert errors(wide) == {"channels", "times", "kpi"}


def test_too_few_periods_are_a_warning() -> None:
    wide = build(
        sums_of((0, "meta_ads", spend(1)), (1, "meta_ads", spend(2, conversions=4))),
        window(2),
        ["meta_ads"],
        Cadence.DAILY,
    )
    assert [(finding.gate, finding.severity) for finding in check(wide, ())] == [("rows", Severity.WARN)]


def test_a_table_that_no_model_reads_is_refused_gate_by_gate() -> None:
    good = build(
        sums_of(*((day, "meta_ads", spend(day + 1, conversions=day)) for day in range(3))),
        window(3),
        ["meta_ads"],
        Cadence.DAILY,
    )
    columns = dict(good.columns)
    assert errors(replace(good, times=["2026-09-01", "2026-09-02", "2026-09-04"])) == {"times"}
    assert errors(replace(good, columns=columns | {"Meta Spend": columns["meta_ads_spend"]})) == {"names"}
    assert errors(replace(good, columns=columns | {"short": columns["meta_ads_spend"][:2]})) == {"grid"}
    assert errors(replace(good, columns=columns | {"negative": [Decimal(-1)] * 3})) == {"numbers"}
    assert errors(replace(good, columns=columns | {"undefined": [Decimal("NaN")] * 3})) == {"numbers"}


def test_of_many_days_that_were_not_pulled_the_first_are_named() -> None:
    days = tuple(START + timedelta(days=number) for number in range(7))
    (coverage, *_) = check(build(Sums(), window(7), [], Cadence.DAILY), days)
    assert coverage.message.endswith("2026-09-05 and 2 more")


slots = st.tuples(*[st.integers(0, 10**9)] * 5)


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["meta_ads", "amazon_ads"]), slots), max_size=60))
def test_every_cent_of_the_window_is_in_the_daily_table_or_its_channel_was_dropped(
    rows: list[tuple[int, str, Slot]],
) -> None:
    wide = build(sums_of(*rows), window(41), ["meta_ads", "amazon_ads"], Cadence.DAILY)
    for channel in wide.channels:
        expected = sum(slot[3] or 0 for _, platform, slot in rows if platform == channel)
        assert sum(wide.columns[f"{channel}_spend"]) == Decimal(expected) / 1_000_000
    assert len(wide.times) == 41


@pytest.mark.parametrize("cadence", list(Cadence))
def test_an_empty_window_never_crashes(cadence: Cadence) -> None:
    assert check(build(Sums(), window(3), [], cadence), ()) != []
