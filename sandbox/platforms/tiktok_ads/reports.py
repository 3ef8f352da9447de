"""GET /report/integrated/get/: the synchronous report, with its pages and totals.

Pages are made anew for each request: with the switch `drifting_pages` they do not fit together (second reading, C32).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.tiktok_ads.answers import TikTokRefusal
from sandbox.platforms.tiktok_ads.faults import page_info, paged
from sandbox.platforms.tiktok_ads.metrics import METRICS, NONE, ReportFacts
from sandbox.platforms.tiktok_ads.parameters import TikTokParameters
from sandbox.platforms.tiktok_ads.population import PLATFORM
from sandbox.platforms.tiktok_ads.questions import ReportAsked, read_question
from sandbox.platforms.tiktok_ads.report_rows import TikTokRow, report_rows
from sandbox.world import WorldProfile
from sandbox.world.numbers import ZERO, add
from sandbox.world.world import Moment

_MOST_IDS = 20_000
"""More ads than this, and a report silently covers the newest ones alone."""
_THROTTLED = {"X-Tt-Ads-Throttle": "1"}


class TikTokReports:
    """Answers synchronous reports over one outside world."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def get(self, profiles: Sequence[WorldProfile], query: TikTokParameters) -> Response:
        """A page of the report."""
        asked = read_question(query, self._outside.world.first_day)
        page, size = query.number("page", 1, 10**6), query.number("page_size", 10, 1000)
        profile_id = profiles[0].id
        rows = [row for profile in profiles for row in self.rows(profile, asked)]
        if self._outside.switches.take("empty", PLATFORM, profile_id) is not None:
            rows = []
        found = self._outside.switches.take("data_limit", PLATFORM, profile_id)
        if found is not None and len(rows) > int(found.get("rows", 0)):
            raise TikTokRefusal(40067)
        rows, headers = self._cut(profile_id, asked, rows)
        bodies = [row.body for row in _ordered(rows, asked)]
        listed, total = self._page(profile_id, bodies, page, size)
        data: dict[str, Any] = {"list": self._spoiled(profile_id, listed), "page_info": page_info(total, page, size)}
        if asked.totals:
            data = {"total_metrics": _totals(asked, rows)} | data
        return paged(self._outside, profile_id, data, headers)

    def rows(self, profile: WorldProfile, asked: ReportAsked, moment: Moment | None = None) -> list[TikTokRow]:
        """The advertiser's rows as they are now, or were at a moment."""
        world = self._outside.world
        when = moment or world.moment(profile)
        question = (
            asked.dimensions,
            asked.metrics,
            asked.start,
            asked.end,
            asked.level,
            asked.audience,
            asked.together,
        )
        key = (PLATFORM, profile.id, when, question, asked.filters.key)
        return self._outside.remember(key, lambda: report_rows(world, profile, asked, when))

    def _cut(
        self, profile_id: str, asked: ReportAsked, rows: list[TikTokRow]
    ) -> tuple[list[TikTokRow], dict[str, str]]:
        """Of too many ids only the newest, with code 0 and a header: what names campaigns or ad groups is whole."""
        found = self._outside.switches.take("silent_cut", PLATFORM, profile_id)
        most = _MOST_IDS if found is None else int(found.get("ids", 1))
        if (asked.filters.narrowed and not (found or {}).get("narrowed")) or not asked.id_name:
            return rows, {}
        ids = sorted({row.body["dimensions"][asked.id_name] for row in rows})
        if len(ids) <= most:
            return rows, {}
        newest = frozenset(ids[-most:])
        return [row for row in rows if row.body["dimensions"][asked.id_name] in newest], _THROTTLED

    def _page(
        self, profile_id: str, rows: list[dict[str, Any]], page: int, size: int
    ) -> tuple[list[dict[str, Any]], int]:
        """The page's rows and the number of all; drifting, a page begins with the last row of the page before."""
        start, total = (page - 1) * size, len(rows)
        found = self._outside.switches.take("drifting_pages", PLATFORM, profile_id) if page > 1 else None
        if found is not None and found.get("mode") == "total":
            return rows[start : start + size], total + 1
        if found is not None:
            start -= 1
        return rows[start : start + size], total

    def _spoiled(self, profile_id: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A row that is malformed, or lacks a metric that was asked for."""
        found = self._outside.switches.take("missing_column", PLATFORM, profile_id)
        if found is not None:
            lost = str(found.get("metric", "spend"))
            rows = [{**row, "metrics": {k: v for k, v in row["metrics"].items() if k != lost}} for row in rows]
        found = self._outside.switches.take("bad_row", PLATFORM, profile_id)
        if found is None or not rows:
            return rows
        mode, wanted = str(found.get("mode", "negative")), str(found.get("ad_id", ""))
        at = next((i for i, row in enumerate(rows) if not wanted or wanted in row["dimensions"].values()), None)
        if at is None:
            return rows
        dimensions, metrics = dict(rows[at]["dimensions"]), dict(rows[at]["metrics"])
        if mode == "no_key":
            dimensions.pop(next(name for name in dimensions if name.endswith(("_id", "_v2"))), None)
        elif mode == "no_metric":
            metrics.pop(str(found.get("metric", "spend")), None)
        else:
            text = {"negative": "-5", "comma": "1.234,56"}.get(mode, "many")
            metrics[str(found.get("metric", "impressions"))] = text
        return [*rows[:at], {"dimensions": dimensions, "metrics": metrics}, *rows[at + 1 :]]


def _ordered(rows: list[TikTokRow], asked: ReportAsked) -> list[TikTokRow]:
    name, descending = asked.order
    if not name:
        return rows

    def rank(row: TikTokRow) -> Decimal:
        text = METRICS[name].value(row.facts)
        return Decimal(text) if text != NONE else Decimal(0)

    return sorted(rows, key=rank, reverse=descending)


def _totals(asked: ReportAsked, rows: list[TikTokRow]) -> dict[str, str]:
    """The sums of all pages; what describes an object has none."""
    if not rows:
        return dict.fromkeys(asked.metrics, "0")
    facts = ReportFacts(
        rows[0].facts.profile,
        asked.level,
        add([row.facts.numbers for row in rows]) if rows else ZERO,
        add([row.facts.real_time for row in rows]),
        sum(row.facts.film for row in rows),
        whole_money=asked.together,
    )
    return {name: NONE if METRICS[name].group == "attribute" else METRICS[name].value(facts) for name in asked.metrics}
