"""Reading fewer items and adding up while reading changes no answer: compared with the plain way on random stories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.errors import Unprocessable
from adweir.model.metrics import SOURCE_ORDER, Grain, Level, MetricRow, Source
from adweir.reporting.filters import Filters
from adweir.reporting.query import Answer, Queries, Query
from adweir.reporting.ranges import TimeSpan
from support.clock import FrozenClock
from support.reading_world import ACCOUNT, AD, CAMPAIGN, EXACT, LOSSY, ReadingWorld
from support.whole_reading import WholeReader

DAYS = ("2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03", "2026-11-20")
"""The last one is today."""
KEYWORD = Level.KEYWORD
ENTITIES = {
    ACCOUNT: ["p1"],
    CAMPAIGN: ["c1", "c2", "c3"],
    AD: ["g1~a1", "g1~a2", "g2~a1", "g2~a3", "a4"],
    KEYWORD: ["g1~k1", "g2~k2"],
}
CAMPAIGNS = ("c1", "c2", "c3", "")


@dataclass(frozen=True)
class Load:
    """One load of a story: `rows` (entity, day, campaign, ad product, spend)."""

    level: Level
    source: Source
    slice: str
    window: tuple[str, str]
    complete: bool
    has_totals: bool
    rows: tuple[tuple[str, str, str, str, int | None], ...]
    bad: tuple[tuple[str, str], ...]


@st.composite
def loads(draw: st.DrawFn) -> Load:
    level = draw(st.sampled_from([ACCOUNT, CAMPAIGN, CAMPAIGN, AD, AD, AD, KEYWORD]))
    source = draw(st.sampled_from([Source.PULL] * 6 + [Source.FILE, Source.PUSH]))
    slice_ = draw(st.sampled_from(["all", "all", "all", "sp", "campaign=c1", "campaign=c2"]))
    first = draw(st.integers(0, 3))
    days = DAYS[first : draw(st.integers(min(first + 2, 4), 4)) + 1]
    rows, bad = [], []
    for entity in ENTITIES[level]:
        campaign = entity if level is CAMPAIGN else slice_.removeprefix("campaign=")
        campaign = campaign if campaign in CAMPAIGNS else draw(st.sampled_from(CAMPAIGNS))
        product = "sp" if slice_ == "sp" else draw(st.sampled_from(["sp", "sb", ""]))
        for day in days:
            fate = draw(st.integers(0, 19))
            if fate == 19:
                bad.append((entity, day))
            elif fate > 2:
                rows.append((entity, day, campaign, product, None if fate == 18 else fate % 5))
    complete = source is Source.PULL and draw(st.integers(0, 3)) > 0
    return Load(level, source, slice_, (days[0], days[-1]), complete, draw(st.booleans()), tuple(rows), tuple(bad))


QUESTIONS: list[tuple[tuple[str, ...], dict[str, set[str]], bool]] = [
    ((), {}, True),
    (("ad_group_id", "ad_id"), {}, False),
    (("ad_id", "month", "source"), {}, True),
    (("campaign_id", "week"), {}, False),
    (("ad_id", "date"), {}, True),
    (("week", "month"), {"campaign_id": {"c1"}}, False),
    (("campaign_id",), {"campaign_id": {"c2", "nobody"}}, True),
    (("ad_id",), {"campaign_id": {"c1", ""}}, True),
    (("date", "ad_id"), {"ad_group_id": {"g1"}}, False),
    (("ad_id",), {"ad_id": {"a1", "a4"}}, True),
    (("month",), {"campaign_id": {"c1"}, "ad_id": {"a1"}}, False),
    (("keyword_id",), {"campaign_id": {"c1", "c2"}}, False),
]
"""Dimensions, filters, whether adjustments are asked for."""


def told(loads: list[Load]) -> ReadingWorld:
    """A world in which these loads were made, one after another, on both platforms."""
    world = ReadingWorld()
    for number, load in enumerate(loads):
        currency = "EUR" if number % 4 == 3 else "USD"
        rows = [
            MetricRow(
                *(entity, day, 10, 1, spend, spend, 7, campaign, entity.partition("~")[0] if "~" in entity else ""),
                currency=currency,
                ad_product=product,
            )
            for entity, day, campaign, product, spend in load.rows
        ]
        about: dict[str, Any] = {"source": load.source, "complete": load.complete, "has_totals": load.has_totals}
        about |= {"slice_": load.slice, "days": load.window, "bad": load.bad, "currency": currency}
        for platform in (LOSSY, EXACT):
            world.pull(load.level, *rows, platform=platform, **about)
    return world


def shown(queries: Queries, query: Query) -> Any:
    """Everything that an answer says."""
    try:
        found: Answer = queries.answer(query)
    except Unprocessable as error:
        return error.message
    groups = {key: (total.slot, total.unknown, total.marks) for key, total in found.groups.items()}
    return groups, found.coverage.answer(), found.adjustments.answer(), found.warnings, found.pulled


@settings(max_examples=25, deadline=None)
@given(st.lists(loads(), min_size=3, max_size=7))
def test_an_answer_is_what_reading_everything_gives(story: list[Load]) -> None:
    # given a story of pulls, files and pushes at several levels, with moved ads, held rows and unknown numbers
    world = told(story)
    plain = WholeReader(world.stored.table, world.store._slices)
    queries = world.queries
    whole = Queries(world.catalog, world.store, world.platforms, FrozenClock(world.now), plain)
    span = TimeSpan(date.fromisoformat(DAYS[0]), date.fromisoformat(DAYS[-1]))
    # then each question has the answer that it has when everything is read, row by row
    for dimensions, given_filters, adjusted in QUESTIONS:
        filters = Filters({name: frozenset(values) for name, values in given_filters.items()})
        query = Query(span, dimensions, filters, Grain.DAY, sources=SOURCE_ORDER, adjusted=adjusted)
        assert shown(queries, query) == shown(whole, query)
