"""Which level answers for a day, and what the finer ones leave of the account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import pytest

from adweir.model.metrics import SOURCE_ORDER, Grain, Level, MetricRow, Series, Source
from adweir.model.times import Window
from adweir.store.metrics.coverage import COVERAGE
from adweir.store.metrics.partitions import ItemKey
from adweir.store.metrics.read import Reader
from support.reading_world import (
    ACCOUNT,
    AD,
    CAMPAIGN,
    DAY,
    EXACT,
    LOSSY,
    TWO,
    ReadingWorld,
    a_profile,
    account,
    ad,
    campaign,
    spends,
)


def total(world: ReadingWorld, **more: Any) -> Any:
    return sum(row["spend"] for row in world.report("date", **more).rows)


def test_one_campaigns_repull_at_ad_level_does_not_hide_the_other_campaigns() -> None:
    # given a day whose campaigns were pulled whole
    world = ReadingWorld()
    world.pull(CAMPAIGN, campaign("c1", 100), campaign("c2", 50))
    before = total(world)
    # when a notification has one campaign pulled again, at the ad level
    world.pull(AD, ad("a1", 100), slice_="campaign=c1")
    # then it does not answer for the day
    assert (before, total(world)) == (150, 150)
    assert spends(world.report("campaign"), "campaign") == {"c1": 100, "c2": 50}


def test_what_the_levels_of_a_report_rest_on_is_looked_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # given a day whose account and campaigns were pulled whole
    world = ReadingWorld(a_profile())
    world.pull(ACCOUNT, account(100))
    world.pull(CAMPAIGN, campaign("c1", 90))
    asked, get_many = list[set[str]](), world.stored.table.get_many

    def noted(keys: Iterable[ItemKey]) -> list[Any]:
        listed = list(keys)
        asked.append({key.pk for key in listed if key.sk == COVERAGE})
        return get_many(listed)

    monkeypatch.setattr(world.stored.table, "get_many", noted)
    # when their rows are asked for
    assert spends(world.report("campaign"), "campaign") == {"c1": 90, None: 10}
    # then one request has the coverage of both levels and of every source
    assert [len(each) for each in asked if each] == [2 * len(SOURCE_ORDER)]


def test_a_level_that_was_pulled_whole_answers_for_itself() -> None:
    # given a deleted ad: the campaign has spent more than the ads that are listed
    world = ReadingWorld()
    world.pull(CAMPAIGN, campaign("c1", 100))
    world.pull(AD, ad("a1", 60))
    assert total(world) == 100


def test_a_finer_level_answers_where_it_sums_to_its_parent() -> None:
    world = ReadingWorld()
    for slice_ in TWO:
        world.pull(AD, ad(slice_, 30, ad_product=slice_), platform=EXACT, slice_=slice_)
    # given that one campaign was pulled again by itself
    world.pull(CAMPAIGN, campaign("c1", 1, ad_product="sp"), platform=EXACT, slice_="campaign=c1")
    # then the ads answer for the campaigns and the account
    assert spends(world.report("campaign"), "campaign") == {"c1": 60}
    assert total(world) == 60


def test_a_slice_that_is_not_applicable_is_not_missing() -> None:
    world = ReadingWorld()
    world.pull(AD, ad("a1", 30, ad_product="sp"), platform=EXACT, slice_="sp")
    world.skip(AD, "sb")
    report = world.report("campaign")
    assert spends(report, "campaign") == {"c1": 30}
    assert [day["missing"] for day in report.coverage if day["date"] == DAY] == [MISSING_ON_THE_OTHER]


def test_a_finer_level_that_does_not_sum_does_not_overrule_a_part_of_the_level_that_is_asked() -> None:
    world = ReadingWorld()
    world.pull(AD, ad("a1", 60), ad("a2", 5, campaign_id="c2"))
    world.pull(CAMPAIGN, campaign("c1", 70), slice_="campaign=c1")
    # the campaigns answer for themselves; what they lack is not lost
    assert spends(world.report("campaign"), "campaign") == {"c1": 70, None: -5}
    # and for the account what is whole comes before what is not
    assert total(world) == 65


def test_a_partly_pulled_day_is_not_hidden_by_a_finer_part() -> None:
    world = ReadingWorld()
    world.pull(CAMPAIGN, campaign("c1", 100, ad_product="sp"), platform=EXACT, slice_="sp")
    world.pull(AD, ad("a1", 40, ad_product="sp"), platform=EXACT, slice_="campaign=c1")
    assert spends(world.report("campaign"), "campaign") == {"c1": 100}
    assert total(world) == 100


def test_a_day_without_pulls_is_answered_by_files_of_the_level_that_is_asked_first() -> None:
    world = ReadingWorld()
    world.file(CAMPAIGN, campaign("c1", 100))
    world.file(AD, ad("a1", 40))
    assert spends(world.report("campaign"), "campaign") == {"c1": 100}
    assert total(world) == 100
    assert spends(world.report("ad"), "ad") == {"a1": 40, None: 60}


def test_a_whole_pull_comes_before_a_coarser_file() -> None:
    world = ReadingWorld()
    world.pull(CAMPAIGN, campaign("c1", 100))
    world.file(AD, ad("a1", 900))
    assert total(world) == 100
    assert spends(world.report("ad"), "ad") == {"a1": 900, None: -800}


def test_without_pulls_among_the_sources_no_pull_answers() -> None:
    world = ReadingWorld()
    world.pull(ACCOUNT, account(100))
    world.file(AD, ad("a1", 40))
    page = world.records("account_performance", {"source": "file"})
    assert [(record["daily_spend"], record["source"]) for record in page.records] == [(40, "file")]
    assert page.coverage == []


# --- unattributed


def test_what_the_ads_leave_of_the_account_is_a_row_without_ids() -> None:
    world = ReadingWorld()
    world.pull(ACCOUNT, account(100))
    world.pull(AD, ad("a1", 60), ad("a2", 15, campaign_id="c2"))
    records = world.records("ad_performance").records
    assert [(r["campaign_id"], r["ad_group_id"], r["ad_id"], r["spend"], r.get("unattributed")) for r in records] == [
        ("c1", "g1", "a1", 60, None),
        ("c2", "g1", "a2", 15, None),
        (None, None, None, 25, True),
    ]
    assert (records[2]["profile_id"], records[2]["date"], records[2]["clicks"]) == ("p1", DAY, 25)
    assert sum(record["impressions"] for record in records) == 1000


def test_there_is_one_rest_per_profile_day_and_currency_and_none_where_nothing_is_left() -> None:
    world = ReadingWorld()
    days = ("2026-11-16", "2026-11-18")
    world.pull(ACCOUNT, account(10, "2026-11-16"), account(10, "2026-11-17"), account(10), days=days)
    world.pull(AD, ad("a1", 10, "2026-11-16"), ad("a1", 4, "2026-11-17"), ad("a1", 12), days=days)
    found = spends(world.report("date", "ad", days=days), "date", "ad")
    assert found == {
        ("2026-11-16", "a1"): 10,
        ("2026-11-17", "a1"): 4,
        ("2026-11-17", None): 6,
        ("2026-11-18", "a1"): 12,
        ("2026-11-18", None): -2,
    }
    assert [row["spend"] for row in world.report("week", "campaign", days=days).rows] == [26, 4]


def test_a_rest_that_is_zero_in_one_metric_is_shown_for_the_others() -> None:
    world = ReadingWorld()
    world.pull(ACCOUNT, account(10, revenue=21_000_000))
    world.pull(AD, ad("a1", 10))
    (_, rest) = world.records("ad_performance").records
    assert (rest["spend"], rest["revenue"], rest["clicks"]) == (0, 1, 0)


@pytest.mark.parametrize("filters", [{"campaign_id": "c1"}, {"ad_id": "a1"}, {"ad_group_id": "g1"}])
def test_of_some_objects_nothing_can_be_left(filters: dict[str, str]) -> None:
    world = ReadingWorld()
    world.pull(ACCOUNT, account(100))
    world.pull(AD, ad("a1", 60))
    assert [record["spend"] for record in world.records("ad_performance", filters).records] == [60]
    # a filter on the ad account leaves the rest as it is
    assert [r["spend"] for r in world.records("ad_performance", {"profile_id": "p1"}).records] == [60, 40]


def test_an_account_that_was_pulled_in_part_is_no_measure() -> None:
    world = ReadingWorld()
    world.pull(CAMPAIGN, campaign("c1", 10, ad_product="sp"), platform=EXACT, slice_="sp")
    world.pull(AD, ad("a1", 7, ad_product="sb"), platform=EXACT, slice_="sb")
    assert spends(world.report("ad"), "ad") == {"a1": 7}


def test_an_unknown_number_of_the_account_leaves_an_unknown_rest() -> None:
    world = ReadingWorld()
    world.pull(ACCOUNT, account(100, conversions=None))
    world.pull(AD, ad("a1", 60))
    (_, rest) = world.records("ad_performance").records
    assert (rest["spend"], rest["conversions"]) == (40, None)
    assert rest["unknown"] == {"conversions": 1}


# --- what is read


class Reads:
    """The series that a store reads, and of those only the ones whose rows it reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: list[tuple[str, Level, Grain, tuple[Source, ...]]] = []
        self.days: list[Level] = []
        sums, days, noted, noted_days = Reader.sums, Reader.days, self.rows, self.days

        def note(reader: Reader, series: Series, *window: Any, sources: Sequence[Source], **more: Any) -> Any:
            noted.append((series.platform, series.level, series.grain, tuple(sources)))
            return sums(reader, series, *window, sources=sources, **more)

        def note_days(reader: Reader, series: Series, window: Window) -> Any:
            noted_days.append(series.level)
            return days(reader, series, window)

        monkeypatch.setattr(Reader, "sums", note)
        monkeypatch.setattr(Reader, "days", note_days)

    @property
    def levels(self) -> list[Level]:
        return [level for platform, level, _, _ in self.rows if platform == LOSSY]


def test_a_question_about_an_account_reads_no_ads(monkeypatch: pytest.MonkeyPatch) -> None:
    world = ReadingWorld()
    world.pull(ACCOUNT, account(100))
    world.pull(AD, ad("a1", 60))
    reads = Reads(monkeypatch)
    assert total(world, segments={"platform": ["meta"]}) == 100
    assert (reads.levels, reads.days) == ([ACCOUNT], [ACCOUNT])


def test_today_has_no_pulls_of_finer_levels_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most ranges include today, whose days are not pulled yet: nobody reads a month of ads for that."""
    world = ReadingWorld()
    world.pull(ACCOUNT, account(100))
    world.file(AD, ad("a1", 3, "2026-11-20"), days=("2026-11-20", "2026-11-20"))
    reads = Reads(monkeypatch)
    assert total(world, days=(DAY, "2026-11-20"), segments={"platform": ["meta"]}) == 103
    of_ads = [sources for _, level, _, sources in reads.rows if level is AD]
    others = (Source.FILE, Source.STREAM, Source.PUSH)
    assert of_ads == [(Source.PULL, *others), others]  # the 19th was pulled by nobody either
    assert reads.levels.count(ACCOUNT) == 1
    reads.rows.clear()
    assert total(world, days=("2026-11-20", "2026-11-20"), segments={"platform": ["meta"]}) == 3
    assert [sources for _, level, _, sources in reads.rows if level is AD] == [others]


@pytest.mark.parametrize("first", ["2026-10-20", DAY, "2026-11-20"])
def test_a_day_that_is_not_over_has_the_same_rows_alone_and_in_any_range(first: str) -> None:
    # given a pull of today's ads that broke off, and a file of one of them
    world = ReadingWorld()
    today = ("2026-11-20", "2026-11-20")
    world.pull(AD, ad("a1", 7, today[0]), ad("a2", 2, today[0]), days=today, complete=False)
    world.file(AD, ad("a1", 3, today[0]), days=today)
    # when the account is asked for, alone or with days before that were not pulled either
    found = spends(world.report("date", "ad_group", days=(first, today[1])), "date", "ad_group")
    # then the day is answered alike
    assert found == {("2026-11-20", "g1"): 3}


def test_no_level_is_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    world = ReadingWorld()
    world.pull(ACCOUNT, account(100))
    world.pull(AD, ad("a1", 60))
    world.file(CAMPAIGN, campaign("c1", 5, "2026-11-17"), days=("2026-11-17", "2026-11-17"))
    reads = Reads(monkeypatch)
    world.report("ad", days=("2026-11-10", DAY), segments={"platform": ["meta"]})
    assert len(reads.levels) == len(set(reads.levels))
    assert len(reads.days) == len(set(reads.days))


def test_a_year_is_answered_by_whoever_was_pulled_on_each_day() -> None:
    """Before account totals were pulled, the ads answer."""
    world = ReadingWorld()
    world.pull(AD, ad("a1", 5, "2026-10-01"), days=("2026-10-01", "2026-10-01"))
    world.pull(ACCOUNT, account(9, "2026-10-02"), days=("2026-10-02", "2026-10-02"))
    days = ("2026-10-01", "2026-10-02")
    assert spends(world.report("date", days=days), "date") == {"2026-10-01": 5, "2026-10-02": 9}
    assert date.fromisoformat(days[0]) < world.now.date()


MISSING_ON_THE_OTHER = [{"platform": "meta_ads", "profile_id": "p1", "slice": "all"}]


def test_what_the_account_does_not_know_of_is_an_unknown_rest() -> None:
    """Given an account row without numbers, then its ads do not sum to more than what is known of it."""
    world = ReadingWorld()
    unknown = MetricRow("p1", DAY, None, None, None, None, None, currency="USD")
    world.pull(Level.AD, ad("a1", 5), has_totals=True)
    world.pull(Level.ACCOUNT, unknown)

    rest = [row for row in world.report("ad").rows if row.get("unattributed")]

    assert [row["spend"] for row in rest] == [None]
