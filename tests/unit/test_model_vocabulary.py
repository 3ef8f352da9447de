"""Money, windows, stamps, platforms, ids: the exact values on which everything else depends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.datasets import Dataset
from adweir.model.errors import Unprocessable
from adweir.model.metrics import AD_LEVELS, Grain, Level, derive, plus
from adweir.model.money import from_micros, rounded, to_micros
from adweir.model.platforms import Platform
from adweir.model.tasks import Stamp, Task
from adweir.model.times import Window, iso, local_date, parse_instant
from adweir.model.urls import without_secrets
from adweir.platforms import REGISTRY

days = st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 1, 1))
windows = st.tuples(days, st.integers(0, 400)).map(lambda pair: Window(pair[0], pair[0] + timedelta(days=pair[1])))


_ODD = ["1_0", " 1.5 ", "1\n", "\u0661\u0662", "\u00b2", ".", "1e", "1e-999999999", "1e999999999", "1e-7", "1.0000001"]


@given(st.integers(min_value=-(10**17), max_value=10**17))
def test_money_survives_a_round_trip_through_text(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros
    assert to_micros(str(from_micros(micros))) == micros
    assert "E" not in str(from_micros(micros))


@given(st.decimals(min_value=-(10**12) + 1, max_value=10**12 - 1, allow_nan=False, places=None))
def test_rounding_to_millionths_says_exactly_what_it_added(value: Decimal) -> None:
    micros, added = rounded(value)
    assert Fraction(micros) == Fraction(value) * 10**6 + Fraction(added)
    assert abs(added) <= Decimal("0.5")


@pytest.mark.parametrize("text", ["", "abc", "NaN", "1e13", "--1", "1_0"])
def test_what_is_not_a_number_is_not_rounded(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        rounded(text)


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "1e40", "0.0000001", "1" * 30, "--1", *_ODD])
def test_text_that_is_not_an_exact_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a number|six decimals|out of range"):
        to_micros(text)


@given(st.integers(1, 10**30), st.integers(-(10**15), 10**15))
def test_a_decimal_is_exact_or_refused_whatever_its_exponent(digits: int, exponent: int) -> None:
    value = Decimal((0, tuple(map(int, str(digits))), exponent))
    try:
        micros = to_micros(value)
    except ValueError:
        return
    assert micros != 0
    assert from_micros(micros) == value


@given(st.text(alphabet="0123456789.eE+-_ \u0661", max_size=12))
def test_text_is_exactly_what_it_says_or_refused(text: str) -> None:
    try:
        micros = to_micros(text)
    except ValueError:
        return
    assert text == text.strip()
    assert "_" not in text
    assert text.isascii()
    assert from_micros(micros) == Decimal(text)


def test_a_float_is_refused_because_it_lost_the_cents_already() -> None:
    with pytest.raises(TypeError):
        to_micros(45.67)  # type: ignore[arg-type]


@given(windows, st.integers(1, 40))
def test_pieces_cover_a_window_exactly_and_keep_the_limit(window: Window, most: int) -> None:
    pieces = window.pieces(most)
    assert [day for piece in pieces for day in piece.days()] == list(window.days())
    assert max(piece.length for piece in pieces) <= most


@given(windows.filter(lambda window: window.length > 1))
def test_halves_are_the_whole(window: Window) -> None:
    first, second = window.halves()
    assert [*first.days(), *second.days()] == list(window.days())


@given(windows)
def test_a_window_reads_back_what_it_writes(window: Window) -> None:
    assert Window.parse(str(window)) == window


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),  # noqa: DTZ001
    st.integers(-12, 12),
)
def test_instants_keep_their_order_as_text(naive: datetime, offset: int) -> None:
    instant = naive.replace(tzinfo=timezone(timedelta(hours=offset)))
    assert parse_instant(iso(instant)) == instant
    assert iso(instant) < iso(instant + timedelta(microseconds=1))


def test_a_window_that_ends_before_it_begins_and_half_a_day_are_refused() -> None:
    with pytest.raises(ValueError, match="ends before"):
        Window.parse("2026-11-02..2026-11-01")
    with pytest.raises(ValueError, match="no halves"):
        Window.parse("2026-11-02").halves()


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://user:word@h.example/p?a=1&access_token=x#f", "https://h.example/p?a=1"),
        ("https://h.example/p?b=%20&TOKEN=", "https://h.example/p?b=+"),
        ("https://h.example/p?b=%20", "https://h.example/p?b=%20"),
        ("https://[broken/p?access_token=x", "https://[broken/p"),
    ],
)
def test_a_url_is_stored_without_its_secrets(url: str, kept: str) -> None:
    assert without_secrets(url) == kept


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        parse_instant("2026-11-01T00:00:00")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_that_is_in_no_year_of_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="out of range"):
        parse_instant(text)


def test_the_local_date_is_the_profiles() -> None:
    instant = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    assert local_date(instant, "America/Los_Angeles") == date(2026, 11, 19)
    assert local_date(instant, "Asia/Tokyo") == date(2026, 11, 20)


def test_stamps_order_by_time_and_break_ties_by_task() -> None:
    early = Stamp("2026-11-01T00:00:00.000000Z", "b")
    late = Stamp("2026-11-02T00:00:00.000000Z", "a")
    assert early < late
    assert Stamp(late.as_of, "b") > late
    assert Stamp.parse(str(late)) == late


def test_a_platform_is_known_by_any_of_its_names() -> None:
    assert {REGISTRY.parse(name) for name in ("facebook", "Meta", " meta_ads ")} == {Platform("meta_ads")}
    with pytest.raises(Unprocessable, match="known: amazon"):
        REGISTRY.parse("myspace")


def test_ratios_come_from_sums_and_a_zero_denominator_gives_none() -> None:
    ratios = derive((1000, 50, 5_000_000, 25_000_000, 100_000_000))
    assert ratios["ctr"] == Decimal("0.05")
    assert ratios["cpa"] == Decimal(5)
    assert ratios["roas"] == Decimal(4)
    assert ratios["acos"] == Decimal("0.25")
    assert set(derive((0, 0, 0, 0, 0)).values()) == {None}


def test_the_same_question_is_the_same_task_and_a_part_of_it_is_another() -> None:
    def ask(window: Window) -> Task:
        return Task("run", "metrics", "acc", Platform("meta_ads"), "1", Dataset.AD_DAILY, "all", window, deadline=0)

    week = Window(date(2026, 11, 1), date(2026, 11, 7))
    assert ask(week).id == ask(week).id
    first, second = (ask(week).child(window=half) for half in week.halves())
    assert len({ask(week).id, first.id, second.id}) == 3
    assert (first.depth, first.parent) == (1, ask(week).id)


def test_datasets_know_their_level_and_grain() -> None:
    assert (Dataset.AD_DAILY.level, Dataset.AD_DAILY.grain) == (Level.AD, Grain.DAY)
    assert (Dataset.CAMPAIGN_HOURLY.level, Dataset.CAMPAIGN_HOURLY.grain) == (Level.CAMPAIGN, Grain.HOUR)
    assert (Dataset.AD_GROUPS.level, Dataset.AD_GROUPS.grain) == (Level.AD_GROUP, None)


def test_a_breakdown_is_a_dataset_of_the_level_that_it_splits() -> None:
    dataset = Dataset.AD_BY_AGE_GENDER_DAILY
    assert (dataset.level, dataset.grain, dataset.breakdown) == (Level.AD, Grain.DAY, "age_gender")
    assert {each.breakdown for each in Dataset if "_by_" not in each.value} == {""}


def test_every_dataset_has_a_level() -> None:
    assert {dataset.level for dataset in Dataset} == set(AD_LEVELS)


def test_unknown_numbers_are_left_out_of_sums_and_stay_unknown_alone() -> None:
    assert plus((1, 2, None, 4, None), (10, None, 30, 40, None)) == (11, 2, 30, 44, None)


def test_ratios_of_unknown_numbers_are_unknown() -> None:
    ratios = derive((1000, 50, None, 25_000_000, None))
    assert (ratios["ctr"], ratios["cvr"], ratios["cpa"], ratios["roas"]) == (Decimal("0.05"), None, None, None)


def test_a_replay_of_a_pull_comes_after_it_and_before_any_newer_pull() -> None:
    first, newer = Stamp("2026-11-20T01:00:00.000000Z", "t1"), Stamp("2026-11-20T02:00:00.000000Z", "t0")
    replay = first._replace(load=1_800_000_000)
    assert first < replay < newer
    assert [Stamp.parse(str(stamp)) for stamp in (first, replay, newer)] == [first, replay, newer]
