"""Reports that Athena makes of `curated/` have the rows, and their order, of those that are made from the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.insight.curated.answers import CuratedReports
from adweir.insight.curated.layout import GLUE_TYPES
from adweir.model.errors import AccessDenied, TooLarge, Unprocessable
from adweir.model.times import iso
from adweir.reporting.exported import ExportedReport, ReportExport
from adweir.reporting.query import Answer, Bounds
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.report_names import METRICS
from adweir.reporting.totals import RowSum
from adweir.reporting.warehouse import BulkQuery, BulkQuestion, BulkState, bulk_question
from ops.sql.grammar import check
from support.bounds import at_the_bound
from support.curated_world import TABLES, CuratedWorld
from support.other_athena import OtherAthena
from support.random_story import PLATFORMS, tell_all
from support.reading_world import ACCOUNT, AD, CAMPAIGN, EXACT, NOW, ONE, a_profile, account, ad, campaign

SCHEMA = {
    name: {column: GLUE_TYPES[kind] for column, kind in table.columns.items()}
    | {key.name: "string" for key in table.keys}
    for name, table in TABLES.items()
}
TOKEN = "t" * 64
LATER = NOW + timedelta(seconds=1)
"""When reports are asked for: the world loads at NOW."""


def athena_of(world: CuratedWorld) -> OtherAthena:
    """One that reads a world's tables as they are when it is first asked."""
    return OtherAthena(TABLES["metrics"], lambda: world.content, world.bucket.put)


class Asked:
    """A report of a world, and both ways to make it."""

    def __init__(
        self,
        world: CuratedWorld,
        *dimensions: str,
        at: datetime = LATER,
        athena: OtherAthena | None = None,
        **more: Any,
    ) -> None:
        days = {"start": "2026-09-01", "end": "2026-11-30"} if "words" not in more else {"start": "", "end": ""}
        segments = [{"name": name, "values": values} for name, values in more.pop("segments", {}).items()]
        wanted = {"metrics": METRICS, "dimensions": dimensions, "segments": segments, "live": False, **days, **more}
        stored = ExportedReport(**{"format": "csv", "name": "r", "asked_at": iso(at)} | wanted)
        self.of: ReportExport = stored.made_of(world.queries)
        self.athena = athena or athena_of(world)
        self.reports = CuratedReports(self.athena, world.bucket, world.parts)

    @property
    def question(self) -> BulkQuestion:
        found = bulk_question(self.of)
        assert found is not None
        return found

    def begin(self) -> BulkQuery | None:
        return self.reports.begin(self.question, f"{len(self.athena.asked):064}", lambda: None)

    def by_athena(self) -> list[Mapping[str, Any]]:
        begun = self.begin()
        assert begun is not None
        assert self.reports.state(self.question, begun) is BulkState.READY
        rows = self.reports.rows(self.question, begun.query_id, 0)
        return self._shown(Answer(groups={row.key: RowSum(row.slot) for row in rows}))

    def from_store(self) -> list[Mapping[str, Any]]:
        return list(chain.from_iterable(map(self._shown, self._pieces())))

    def _pieces(self) -> Iterator[Answer]:
        if not self.of.unit:
            yield self.of.answer(self.of.range, Bounds())
            return
        for month in ("09", "10", "11"):
            first = datetime.fromisoformat(f"2026-{month}-01").date()
            last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
            span = self.of.range
            begin, end = max(first, _date(span.start)), min(last, _date(span.end))
            if begin <= end:
                yield self.of.answer(TimeSpan(begin, end, span.relative), Bounds())

    def _shown(self, found: Answer) -> list[Mapping[str, Any]]:
        return [{name: row[name] for name in self.of.columns} for row in self.of.rows(found)]


def _date(moment: Any) -> Any:
    return moment.date() if isinstance(moment, datetime) else moment


@cache
def made() -> CuratedWorld:
    """One that no test changes."""
    return two_months()


def two_months() -> CuratedWorld:
    """Campaigns that leave a rest of their account, made into tables."""
    world = CuratedWorld(ONE, a_profile(EXACT))
    for day in ("2026-10-10", "2026-11-10"):
        world.pull(CAMPAIGN, campaign("c1", 3, day), campaign("c2", 4, day), days=(day, day))
        world.pull(ACCOUNT, account(9, day), days=(day, day))
    world.curate()
    return world


@settings(max_examples=3, deadline=None)
@given(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=7),
    st.sampled_from(["UTC", "Pacific/Auckland", "America/Los_Angeles"]),
)
def test_rows_are_to_the_millionth_those_of_the_store_in_the_same_order(seeds: list[int], zone: str) -> None:
    world = CuratedWorld(a_profile(timezone=zone), a_profile(EXACT), platforms=PLATFORMS)
    tell_all(world, seeds)
    world.curate()
    athena = athena_of(world)

    for asked in (
        Asked(world, "date", "account", athena=athena),
        Asked(world, "campaign", "date", "platform", athena=athena),
        Asked(world, "ad_group_id", "campaign_id", "month", "client", athena=athena),
        Asked(world, "ad", "ad_group", "campaign", "week", "profile_id", athena=athena),
        Asked(world, "keyword", "date", metrics=["clicks", "ctr"], athena=athena),
        Asked(world, "campaign", "ad", metrics=["impressions"], words="last_90_days", athena=athena),
        Asked(world, "ad", "date", segments={"campaign": ["c1", "c'2", ""], "platform": ["meta"]}, athena=athena),
        Asked(world, "campaign", "currency", segments={"account": ["p1"], "ad_group": ["g1", "g3"]}, athena=athena),
    ):
        assert asked.by_athena() == asked.from_store()
        assert check(athena.asked[-1], SCHEMA).findings == []


def test_a_part_of_the_result_is_read_from_where_the_one_before_ended() -> None:
    asked = Asked(made(), "campaign", "date")
    begun = asked.begin()
    assert begun is not None

    rows = list(asked.reports.rows(asked.question, begun.query_id, 0))

    assert len(rows) == 6
    for number, row in enumerate(rows[:-1], 1):
        assert list(asked.reports.rows(asked.question, begun.query_id, row.next)) == rows[number:]


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.pull(CAMPAIGN, campaign("c1", 5, "2026-10-10"), days=("2026-10-10", "2026-10-10")),
        lambda world: world.file(AD, ad("a1", 1)),
        lambda world: setattr(world.bucket, "put_at", LATER),
        lambda world: world.bucket.objects.pop("curated/state/meta_ads/p1.json.gz"),
        lambda world: setattr(world, "now", NOW + timedelta(days=1)),
    ],
    ids=["a month was loaded again", "another source came", "made after the question", "not made", "another day"],
)
def test_tables_that_are_not_what_the_store_had_are_not_asked(change: Any) -> None:
    world = two_months()
    assert Asked(world, "campaign", "date").begin() is not None

    change(world)

    asked = Asked(world, "campaign", "date", at=world.now + timedelta(seconds=1))
    assert asked.begin() is None
    assert asked.athena.asked == []


def test_a_month_that_is_not_asked_for_may_have_changed() -> None:
    world = two_months()
    world.pull(CAMPAIGN, campaign("c1", 5, "2026-10-10"), days=("2026-10-10", "2026-10-10"))

    asked = Asked(world, "campaign", "date", start="2026-11-01")

    assert asked.by_athena() == asked.from_store()


def test_an_answer_of_tables_that_changed_while_it_was_made_is_lost() -> None:
    world = two_months()
    asked = Asked(world, "campaign", "date")
    begun = asked.begin()
    assert begun is not None
    world.pull(CAMPAIGN, campaign("c1", 5, "2026-10-10"), days=("2026-10-10", "2026-10-10"))
    assert asked.reports.state(asked.question, begun) is BulkState.READY  # what it read is what there was

    world.curate()

    assert asked.reports.state(asked.question, begun) is BulkState.LOST
    later = Asked(made(), "campaign", "date", at=LATER + timedelta(seconds=1))
    assert later.reports.state(later.question, begun) is BulkState.LOST


@pytest.mark.parametrize(("ended", "state"), [("RUNNING", BulkState.RUNNING), ("FAILED", BulkState.LOST)])
def test_a_query_that_goes_on_is_looked_at_again_and_one_that_failed_is_not(ended: str, state: BulkState) -> None:
    asked = Asked(made(), "campaign", "date")
    begun = asked.begin()
    assert begun is not None

    asked.athena.ended = ended

    assert asked.reports.state(asked.question, begun) is state


@pytest.mark.parametrize("error", [AccessDenied("no"), Unprocessable("no")])
def test_what_athena_refuses_is_made_from_the_store(error: Exception) -> None:
    asked = Asked(made(), "campaign", "date")

    asked.athena.refuses = error

    assert asked.begin() is None


def test_ad_accounts_that_the_tables_cannot_tell_apart_and_days_before_them_are_made_from_the_store() -> None:
    world = CuratedWorld(ONE, ONE)
    world.curate()
    assert Asked(world, "campaign", "date").begin() is None
    assert Asked(made(), "campaign", "date", start="2014-12-31", end="2015-01-31").begin() is None
    assert Asked(made(), metrics=["clicks"]).begin() is None


def test_without_time_to_look_at_all_ad_accounts_nothing_is_asked() -> None:
    asked = Asked(made(), "campaign", "date")

    with pytest.raises(TooLarge):
        asked.reports.begin(asked.question, TOKEN, Bounds(remaining=lambda: 1.0, margin=2.0).check_time)

    assert asked.athena.asked == []


@at_the_bound("MAX_SQL_BYTES")
def test_a_statement_that_athena_does_not_take_is_not_asked(*, size: int, fits: bool) -> None:
    world = made()
    length = len(_statement(world, "c").encode())
    name = "c" * (size - length + 1)

    assert (Asked(world, "campaign", "date", segments={"campaign": [name]}).begin() is not None) is fits


def _statement(world: CuratedWorld, name: str) -> str:
    asked = Asked(world, "campaign", "date", segments={"campaign": [name]})
    assert asked.begin() is not None
    return asked.athena.asked[0]


@pytest.mark.parametrize(
    "other",
    [
        {"format": "json"},
        {"live": True},
        {"as_known_at": "2026-11-19T00:00:00Z"},
        {"changed_since": "2026-11-19T00:00:00Z"},
        {"compare": "previous_period"},
        {"order": ["spend"]},
        {"limit": 3, "order": ["-spend"]},
        {"names": True},
        {"dimensions": ["hour"]},
        {"dimensions": ["country", "date"]},
        {"dimensions": ["arm", "date"]},
        {"segments": {"campaign_name": "x"}},
        {"report_of": "orders", "metrics": [], "dimensions": ["date"]},
    ],
    ids=lambda other: next(iter(other)) + str(next(iter(other.values())))[:12],
)
def test_what_the_tables_cannot_answer_is_not_asked_of_them(other: dict[str, Any]) -> None:
    asked = Asked(made(), "campaign", "date")
    assert bulk_question(asked.of) is not None
    segments = [{"name": "campaign_name", "contains": "x"}] if "segments" in other else []

    more = {name: value for name, value in other.items() if name not in {"dimensions", "segments"}}
    dimensions = other.get("dimensions", ["campaign", "date"])
    stored = ExportedReport(
        **{
            "format": "csv", "name": "r", "start": "2026-11-01", "end": "2026-11-10", "metrics": ["spend"],
            "dimensions": dimensions, "segments": segments, "live": False, "asked_at": iso(LATER),
        } | more
    )  # fmt: skip

    assert bulk_question(stored.made_of(made().queries)) is None
