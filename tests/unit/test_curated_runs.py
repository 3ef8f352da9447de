"""What a run of the curator makes anew, what it leaves, and what becomes of it when it ends anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, BinaryIO

import pytest

from adweir.insight.curated import staging
from adweir.insight.curated.layout import STATE
from adweir.insight.curated.months import MonthMaker
from adweir.insight.curated.parts import TooSlow
from adweir.insight.curated.state import MonthPart
from adweir.model import limits
from adweir.model.errors import NotReady, TooLarge
from adweir.model.metrics import MetricRow
from adweir.model.times import DAY
from adweir.store.metrics.coverage import COVERAGE
from adweir.store.metrics.partitions import ItemKey
from support.bounds import at_the_bound, refuses
from support.crash import Killed
from support.curated_world import THREE_MONTHS, CuratedWorld, a_campaign, one_month, three_months
from support.reading_world import ACCOUNT, AD, CAMPAIGN, LOSSY, ONE, a_profile, account, ad, campaign


def made_anew(world: CuratedWorld, puts: int) -> set[str]:
    """The months of the metrics that were put after so many puts."""
    fresh = (key for key in world.bucket.puts[puts:] if key.startswith("curated/metrics/"))
    return {key.partition("month=")[2][:7] for key in fresh}


def tried_months(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The months that are made from now on, whatever becomes of them."""
    make, tried = MonthMaker.make, list[str]()

    def noted(maker: MonthMaker, part: MonthPart, *more: Any) -> Any:
        tried.append(part.month)
        return make(maker, part, *more)

    monkeypatch.setattr(MonthMaker, "make", noted)
    return tried


def test_a_second_run_puts_nothing_and_asks_little() -> None:
    world = three_months()
    world.curate()
    before, puts, asked = world.content, len(world.bucket.puts), len(world.bucket.requests)

    assert world.curate() == {"months": 0, "objects": 0, "left_out": 0}

    assert world.content == before
    assert len(world.bucket.puts) == puts
    assert len(world.bucket.requests) - asked == 6  # the states' list, two states, three datasets of the client


def test_what_is_known_of_a_month_is_read_once_for_all_of_its_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    world, asked, requests = one_month(), Counter[str](), list[int]()
    get_many = world.stored.table.get_many

    def noted(keys: Iterable[ItemKey]) -> list[Any]:
        listed = list(keys)
        asked.update(key.pk for key in listed if key.sk == COVERAGE)
        requests.append(len(listed))
        return get_many(listed)

    monkeypatch.setattr(world.stored.table, "get_many", noted)

    world.curate()

    assert asked
    assert max(asked.values()) == 2  # whether it changed, and what it is
    assert len(requests) == 2


def test_only_the_month_that_changed_is_made_anew() -> None:
    world = three_months()
    world.curate()
    puts = len(world.bucket.puts)

    world.pull(CAMPAIGN, campaign("c2", 9, "2026-10-10"), days=("2026-10-10", "2026-10-10"))
    world.curate()

    assert made_anew(world, puts) == {"2026-10"}


def test_a_new_name_is_shown_in_the_months_that_have_the_object_and_no_other_is_made() -> None:
    world = three_months()
    world.curate()
    puts = len(world.bucket.puts)

    world.listed[0] = a_campaign("c1", "Spring sale")
    world.curate()

    assert made_anew(world, puts) == {"2026-09"}
    rows = world.ask("SELECT DISTINCT campaign_name FROM metrics WHERE campaign_id = 'c1' AND level = 'campaign'")
    assert rows == [{"campaign_name": "Spring sale"}]


def test_a_name_that_becomes_known_later_is_shown_in_earlier_months() -> None:
    world = three_months()
    second = world.listed.pop()
    world.curate()
    puts = len(world.bucket.puts)

    world.listed.append(second)
    world.curate()

    assert made_anew(world, puts) == {"2026-10", "2026-11"}


@pytest.mark.parametrize("name", ["\r", "one\rtwo", 'a "b"\n\r, c', " '; -- ", "N" * 100_000, "NULL"])
def test_a_name_is_shown_whatever_it_is(name: str) -> None:
    world = CuratedWorld(ONE, objects=[a_campaign("c1", name)])
    world.pull(CAMPAIGN, campaign("c1", 4))

    world.curate()

    rows = world.ask("SELECT m.campaign_name, e.name FROM metrics m JOIN entities e ON e.id = m.campaign_id")
    assert {tuple(row.values()) for row in rows} == {(name, name)}


def test_what_was_taken_back_is_gone() -> None:
    world = CuratedWorld(ONE)
    world.pull(AD, ad("a1", 4))
    world.curate()
    assert world.has("metrics")

    world.pull(AD)
    world.curate()

    assert not world.has("metrics")
    assert not world.has("ad_reporting__ad_report")
    assert world.has("coverage")


def test_an_ad_account_that_no_catalog_has_any_more_leaves_nothing() -> None:
    world = CuratedWorld(ONE)
    world.pull(AD, ad("a1", 4))
    world.curate()

    world.catalog._profiles = []
    world.curate()

    assert world.keys == []
    assert not [key for key in world.bucket.objects if key.startswith(f"{STATE}{LOSSY}")]


def test_a_run_without_time_goes_on_where_it_stopped() -> None:
    world, whole = three_months(), three_months()
    whole.curate()
    looks = iter([60.0, 60.0, 1.0])
    with pytest.raises(NotReady):
        world.curate(remaining=lambda: next(looks, 1.0))
    assert 0 < len([key for key in world.keys if "/metrics/" in key]) < len([k for k in whole.keys if "/metrics/" in k])

    world.curate()

    assert world.content == whole.content


@pytest.fixture
def long_month(monkeypatch: pytest.MonkeyPatch) -> list[MetricRow]:
    """Rows of which the last one comes after a look at the time."""
    monkeypatch.setattr(staging, "_LOOKS", 50)
    return [ad(f"a{number}", 1) for number in range(51)]


def test_a_month_that_did_not_fit_once_is_made_by_the_next_invocation(long_month: list[MetricRow]) -> None:
    world, whole = CuratedWorld(ONE), CuratedWorld(ONE)
    for each in (world, whole):
        each.pull(AD, *long_month)
    whole.curate()

    with pytest.raises(NotReady, match="another tries it"):
        world.curate(seconds=1.0)
    world.curate()

    assert world.content == whole.content


def test_a_month_that_never_fits_is_said_to_be_too_large(long_month: list[MetricRow]) -> None:
    world = CuratedWorld(ONE)
    world.pull(AD, *long_month)
    with pytest.raises(NotReady):
        world.curate(seconds=1.0)

    with pytest.raises(TooLarge, match="longer than one invocation"):
        world.curate(seconds=1.0)


def test_a_run_that_dies_after_any_write_is_made_good_by_the_next() -> None:
    """Before a write is after the one before it."""
    world = one_month()
    world.curate()
    whole = world.content
    for write, left_behind in enumerate(world.bucket.after_each[:-1], 1):
        world.bucket.objects = dict(left_behind)

        world.curate()

        assert world.content == whole, write


def test_a_run_that_dies_while_a_month_goes_back_to_what_it_was_leaves_no_trace_of_it() -> None:
    """The object that a dead run has put is not taken for the one before."""
    world = CuratedWorld(ONE)
    world.pull(ACCOUNT, account(4))
    world.curate()
    first = world.ask("SELECT spend FROM metrics WHERE level = 'account'")
    world.pull(ACCOUNT, account(9))
    for write in (2, 3):
        world.bucket.crash.arm(write, after=True)
        with pytest.raises(Killed):
            world.curate()
        world.bucket.crash.arm(0)

    world.pull(ACCOUNT, account(4))
    world.curate()

    assert world.ask("SELECT spend FROM metrics WHERE level = 'account'") == first


@pytest.mark.parametrize("request_", ["swapped", "metadata"], ids=["as it announces what it makes", "as it puts that"])
def test_a_worker_that_is_overtaken_writes_nothing_over_newer_tables(
    request_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = one_month()
    world.curate()
    world.pull(ACCOUNT, account(9))
    asked = getattr(world.bucket, request_)

    def stalled(*about: Any) -> Any:
        """The first worker stands still before its request, and another one does all."""
        monkeypatch.setattr(world.bucket, request_, asked)
        world.pull(ACCOUNT, account(20))
        world.curate()
        return asked(*about)

    monkeypatch.setattr(world.bucket, request_, stalled)
    with pytest.raises(NotReady, match="another worker"):
        world.curate()

    assert world.ask("SELECT spend FROM metrics WHERE level = 'account'") == [{"spend": 20}]
    assert world.curate() == {"months": 0, "objects": 0, "left_out": 0}


def test_changes_that_come_one_by_one_are_all_there() -> None:
    world = CuratedWorld(ONE)
    for spend in (4, 9, 6):
        world.pull(AD, ad("a1", spend))
        world.curate()

    rows = world.ask("SELECT old_spend, new_spend, cause FROM changes WHERE level = 'ad' ORDER BY changed_at")
    assert [(row["old_spend"], row["new_spend"], row["cause"]) for row in rows] == [
        (None, 4, "pull"),
        (4, 9, "pull"),
        (9, 6, "pull"),
    ]


@at_the_bound("MAX_KNOWN_CHANGES_FILES", as_if=3)
def test_a_changes_file_is_read_once(size: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_KNOWN_CHANGES_FILES", 3)
    world, opened = CuratedWorld(ONE), list[str]()
    open_stream = world.stored.objects.open_stream

    def noted(key: str) -> BinaryIO:
        opened.append(key)
        return open_stream(key)

    for spend in range(1, size + 2):
        world.pull(AD, ad("a1", spend))
        with monkeypatch.context() as patch:
            patch.setattr(world.stored.objects, "open_stream", noted)
            world.curate()

    assert (len(opened) == size + 1) == fits
    rows = world.ask("SELECT new_spend FROM changes WHERE level = 'ad' ORDER BY changed_at")
    assert [row["new_spend"] for row in rows] == [*range(1, size + 2)]


def test_nobody_looks_for_an_object_that_the_state_knows() -> None:
    world = three_months()
    world.curate()
    asked = len(world.bucket.requests)

    world.pull(CAMPAIGN, campaign("c2", 9, "2026-10-10"), days=("2026-10-10", "2026-10-10"))
    world.curate()

    looks = {
        each for each in world.bucket.requests[asked:] if each.startswith("HEAD") and "/platform=other/" not in each
    }
    unchanged = "curated/changes/platform=meta_ads/level=account/grain=day/month=2026-10/p1"
    state = f"{STATE}{LOSSY}/p1"
    assert looks == {f"HEAD {key}" for key in world.bucket.objects if key.startswith((state, unchanged))}


def test_changes_of_long_ago_are_of_who_has_the_ad_account_now(monkeypatch: pytest.MonkeyPatch) -> None:
    world = CuratedWorld(ONE)
    for spend in (4, 9, 6):
        world.pull(AD, ad("a1", spend))
        monkeypatch.setattr(world.catalog, "name", f"Owner {spend}")
        world.curate()
        world.stored.clock.advance(3 * 86_400)

    rows = world.ask("SELECT DISTINCT client_name FROM changes WHERE level = 'ad'")
    assert rows == [{"client_name": "Owner 6"}]


@at_the_bound("MAX_CURATED_ROWS", as_if=3)
def test_a_month_of_a_level_has_so_many_rows(size: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CURATED_ROWS", 3)
    world = CuratedWorld(ONE)
    world.pull(AD, *(ad(f"a{number}", 1) for number in range(size)))

    with refuses(TooLarge, fits=fits):
        world.curate()


def test_an_ad_account_that_is_too_large_keeps_no_other_from_its_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CURATED_ROWS", 3)
    world = CuratedWorld(ONE, a_profile(profile_id="p2"))
    world.pull(AD, *(ad(f"a{number}", 1) for number in range(4)))
    world.pull(ACCOUNT, account(7), profile_id="p2")

    with pytest.raises(TooLarge, match="p1 has more than 3 rows of a level: the tables"):
        world.curate()

    assert world.ask("SELECT SUM(spend) AS spend FROM metrics WHERE level = 'account'") == [{"spend": 7}]


def test_a_month_that_is_too_large_keeps_no_other_from_its_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a newest month of too many rows, then those before it are made, once."""
    monkeypatch.setattr(limits, "MAX_CURATED_ROWS", 3)
    world = CuratedWorld(ONE)
    world.pull(AD, ad("a1", 5, "2026-09-10"), days=("2026-09-10", "2026-09-10"))
    world.pull(AD, *(ad(f"a{n}", 1, "2026-11-10") for n in range(4)), days=("2026-11-10", "2026-11-10"))

    for _ in range(2):
        world.bucket.puts.clear()
        with pytest.raises(TooLarge, match="p1 has more than 3 rows"):
            world.curate()

    assert world.ask("SELECT month, spend FROM metrics WHERE level = 'ad' AND NOT unattributed") == [
        {"month": "2026-09", "spend": 5}
    ]
    assert [key for key in world.bucket.puts if "month=2026-09" in key] == []


def test_a_month_that_no_invocation_has_time_for_is_the_last_one_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    world, make = CuratedWorld(ONE), MonthMaker.make
    for day in ("2026-09-10", "2026-10-10"):
        world.pull(AD, ad("a1", 5, day), days=(day, day))

    def slow(maker: MonthMaker, part: MonthPart, *more: Any) -> Any:
        if part.month == "2026-10":
            raise TooSlow("a month of an ad account takes longer than one invocation")
        return make(maker, part, *more)

    with monkeypatch.context() as patch:
        patch.setattr(MonthMaker, "make", slow)
        with pytest.raises(NotReady):
            world.curate()
        with pytest.raises(TooLarge, match="longer than one invocation"):
            world.curate()
    months = "SELECT DISTINCT month FROM metrics ORDER BY 1"
    assert world.ask(months) == [{"month": "2026-09"}]

    world.curate()

    assert world.ask(months) == [{"month": "2026-09"}, {"month": "2026-10"}]
    before = len(world.bucket.puts)
    world.curate()
    assert len(world.bucket.puts) == before


def test_a_month_that_is_too_large_comes_after_the_others_where_the_time_is_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Given a newest month of too many rows, at which the time of the invocation ends."""
    monkeypatch.setattr(limits, "MAX_CURATED_ROWS", 3)
    world = CuratedWorld(ONE)
    world.pull(AD, ad("a1", 5, "2026-09-10"), days=("2026-09-10", "2026-09-10"))
    world.pull(AD, *(ad(f"a{n}", 1, "2026-11-10") for n in range(4)), days=("2026-11-10", "2026-11-10"))
    tried = tried_months(monkeypatch)
    with pytest.raises(NotReady):
        world.curate(remaining=lambda: 0.0 if tried else 60.0)
    with pytest.raises(TooLarge, match="p1 has more than 3 rows"):
        world.curate()

    assert tried == ["2026-11", "2026-10", "2026-09", "2026-11"]


def test_months_that_are_too_large_take_no_time_of_another_ad_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given an ad account of which each month has too many rows; an invocation has time for two."""
    monkeypatch.setattr(limits, "MAX_CURATED_ROWS", 3)
    monkeypatch.setattr(staging, "_LOOKS", 1)
    world, tried = CuratedWorld(ONE, a_profile(profile_id="p2")), tried_months(monkeypatch)
    for day in THREE_MONTHS:
        world.pull(AD, *(ad(f"a{n}", 1, day) for n in range(4)), days=(day, day))
        world.pull(ACCOUNT, account(7, day), profile_id="p2", days=(day, day))

    for _ in range(8):
        tried.clear()
        with suppress(NotReady, TooLarge):
            world.curate(remaining=lambda: 0.0 if len(tried) > 2 else 60.0)

    months = world.ask("SELECT month FROM metrics WHERE account_id = 'p2' AND level = 'account' ORDER BY 1")
    assert [each["month"] for each in months] == ["2026-09", "2026-10", "2026-11"]


def test_each_day_another_one_of_the_months_that_are_too_large_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given three of them; one is all that an invocation has time for."""
    monkeypatch.setattr(limits, "MAX_CURATED_ROWS", 3)
    world, first = CuratedWorld(ONE), list[str]()
    for day in THREE_MONTHS:
        world.pull(AD, *(ad(f"a{n}", 1, day) for n in range(4)), days=(day, day))
    with pytest.raises(TooLarge):
        world.curate()
    tried = tried_months(monkeypatch)

    for _ in range(3):
        tried.clear()
        with pytest.raises(TooLarge, match="p1 has more than 3 rows"):
            world.curate(remaining=lambda: 0.0 if tried else 60.0)
        first += tried[:1]
        world.now += DAY

    assert sorted(first) == ["2026-09", "2026-10", "2026-11"]


@at_the_bound("MAX_CURATED_OBJECTS", as_if=3)
def test_an_ad_account_has_so_many_objects(size: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CURATED_OBJECTS", 3)
    world = CuratedWorld(ONE, objects=[a_campaign(f"c{number}", "x") for number in range(size)])

    with refuses(TooLarge, fits=fits):
        world.curate()
