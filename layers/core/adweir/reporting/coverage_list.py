"""The coverage of stored metrics as a list: per profile, dataset and day, what was pulled, when, by which task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.errors import Unprocessable
from adweir.model.metrics import Grain, Level, Series
from adweir.model.ports import ServedDataset
from adweir.model.times import DAY, Window
from adweir.reporting.filters import Filters
from adweir.reporting.levels import NO_STATE, Rung
from adweir.reporting.query import Queries
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.reading import ProfileQuestion, is_due
from adweir.reporting.records import PERFORMANCE, data_type_of

_Live = dict[tuple[Level, Window], set[date]]
"""A profile's live days by the level that decides them, and the window that they were asked for."""


@dataclass(frozen=True, slots=True)
class CoverageRequest:
    """Which coverage to list. `data_type` "" means every one that the platforms serve."""

    range: TimeSpan
    filters: Filters
    data_type: str = ""


class _Place(NamedTuple):
    """A position in the list."""

    profile: str = ""
    dataset: str = ""
    date: str = ""


class CoveragePage(NamedTuple):
    """Some entries, the position after them ("" at the end), and a warning for each profile that is left out."""

    entries: list[dict[str, Any]]
    position: str
    warnings: list[str]


class CoverageList:
    """Lists coverage in order of profile, dataset and day."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def page(self, asked: CoverageRequest, limit: int, position: str) -> CoveragePage:
        """At most `limit` entries after a position. Raises Unprocessable that lists the data types, Unavailable."""
        if asked.data_type and asked.data_type not in PERFORMANCE:
            known = sorted(PERFORMANCE)
            message = f"unknown data_type {asked.data_type[:40]!r}; known: {', '.join(known)}"
            raise Unprocessable(message, [{"field": "query.data_type", "message": "is unknown", "known": known}])
        profiles, warnings = self._queries.dated_profiles(asked.filters)
        after = _Place(*position.split("\n")) if position.count("\n") == 2 else _Place()
        entries: list[dict[str, Any]] = []
        last = after
        for place, entry in self._entries(profiles, asked, after):
            if len(entries) == limit:
                return CoveragePage(entries, "\n".join(last), warnings)
            entries.append(entry)
            last = place
        return CoveragePage(entries, "", warnings)

    def _entries(
        self, profiles: list[Profile], asked: CoverageRequest, after: _Place
    ) -> Iterator[tuple[_Place, dict[str, Any]]]:
        for profile in sorted(profiles, key=lambda each: each.key):
            if profile.key < after.profile:
                continue
            live: _Live = {}
            for dataset, spec in self._datasets(profile, asked.data_type):
                same = profile.key == after.profile
                if same and dataset < after.dataset:
                    continue
                begin = after.date if same and dataset == after.dataset else ""
                for entry in self._days(profile, spec, asked.range, begin, live):
                    yield _Place(profile.key, dataset, entry["date"]), entry

    def _datasets(self, profile: Profile, data_type: str) -> list[tuple[str, ServedDataset]]:
        served = self._queries.served(profile)
        return sorted(
            (dataset.value, spec)
            for dataset, spec in served.items()
            if dataset.grain and (not data_type or data_type_of(dataset) == data_type)
        )

    def _days(
        self, profile: Profile, spec: ServedDataset, span: TimeSpan, after: str, live: _Live
    ) -> Iterator[dict[str, Any]]:
        today = self._queries.today(profile)
        window = span.window(profile.timezone)
        first = max(window.start, date.fromisoformat(after) + DAY) if after else window.start
        last = min(window.end, today)
        if first > last:
            return
        for piece in Window(first, last).pieces(limits.MAX_LIVE_DAYS):
            rung = self._rung(profile, spec, piece)
            if is_due(profile, spec) or rung.days:
                by_hours = self._live_days(profile, spec.dataset, piece, live)
                for day in piece.days():
                    is_live = day in by_hours or (spec.dataset.grain is Grain.HOUR and day == today)
                    yield _entry(profile, rung, day, today) | {"live": is_live}

    def _live_days(self, profile: Profile, dataset: Dataset, piece: Window, live: _Live) -> set[date]:
        """The days that hours answer for, of a dataset by day."""
        if dataset.grain is not Grain.DAY or dataset.breakdown:
            return set()
        measure = Level.KEYWORD if dataset.level is Level.KEYWORD else Level.ACCOUNT
        if (measure, piece) not in live:
            live[measure, piece] = self._queries.reader(profile, ProfileQuestion(piece, measure)).live_days()
        return live[measure, piece]

    def _rung(self, profile: Profile, spec: ServedDataset, window: Window) -> Rung:
        dataset = spec.dataset
        grain = dataset.grain or Grain.DAY
        series = Series(profile.platform, profile.profile_id, dataset.level, grain, dataset.breakdown)
        return Rung(dataset.level, spec, self._queries.days(series, window))


def _entry(profile: Profile, rung: Rung, day: date, today: date) -> dict[str, Any]:
    state, spec = rung.days.get(day, NO_STATE), rung.spec
    return {
        "platform": str(profile.platform),
        "profile_id": profile.profile_id,
        "account_id": profile.profile_id,
        "client_account_id": profile.account_id,
        "data_type": data_type_of(spec.dataset) if spec else "",
        "level": rung.level.value,
        "date": day.isoformat(),
        "slices": [
            {"slice": name, "pulled_at": each.as_of, "task_id": each.task_id, "definition": each.definition}
            for name, each in sorted(state.slices.items())
        ],
        "missing": list(rung.missing(day)) if spec and is_due(profile, spec) else [],
        "not_applicable": sorted(state.not_applicable),
        "settled": rung.settled(day, today, profile.timezone),
    }
