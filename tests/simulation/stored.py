"""What is stored at the end of a simulated run, and what should be: numbers, tables for SQL, features."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from operator import itemgetter
from typing import Any

from adweir.insight.ad_features.offline import OfflineFeatures
from adweir.insight.curated.layout import PREFIX
from adweir.model.times import Window
from adweir.runtime.app import App
from adweir.store.raw.curated import CuratedObjects
from sandbox.aws.botocore_calls import answered_by
from simulation.containers import ALL, PLATFORMS, SharedClients, settings_of
from simulation.platform import NAME, SLICES
from simulation.rules import SERIES
from simulation.scheduler import SimulatedClock
from simulation.simulation import Simulation
from simulation.story import ACCOUNT, PROFILE

_FEATURES = f"{PREFIX}features/"
Stored = Mapping[tuple[str, str, str], Any]
"""By series, day and entity the numbers that are stored."""


def numbers(run: Simulation) -> Stored:
    """All numbers that are stored."""
    first = run.story.start.date()
    window = Window(first - timedelta(days=9), first + timedelta(days=9))
    with answered_by(run.calls):
        metrics = run._reader().metrics
        return {
            (name, row.day, row.entity_id): tuple(row.slot)
            for name, series in SERIES.items()
            for row in metrics.read(series, window)
        }


def truth(run: Simulation) -> Stored:
    """What the platform says of these days now."""
    scope = next(iter(run.story.runs.values())).scope
    window = Window(date.fromisoformat(scope.start), date.fromisoformat(scope.end))
    found: dict[tuple[str, str, str], Any] = {}
    sums: dict[str, list[int]] = {}
    for slice_ in SLICES:
        for (day, campaign), row in run.world._of(window, slice_, 0).items():
            found["campaign_daily", day, campaign] = row
            total = sums.setdefault(day, [0] * len(row))
            sums[day] = [a + b for a, b in zip(total, row, strict=True)]
    return found | {("account_daily", day, PROFILE): tuple(total) for day, total in sums.items()}


def tables(run: Simulation) -> dict[str, bytes]:
    """The tables for SQL, and what they were made of, byte for byte: they say when which task pulled what."""
    return {
        key: stored.body
        for key, stored in run.s3.objects.items()
        if key.startswith(PREFIX) and not key.startswith(_FEATURES)
    }


def recorded(run: Simulation) -> Iterator[str]:
    """Where the offline table of features and the newest rows differ: in these runs rows are recorded once."""
    app = _whole_app(run)
    with answered_by(run.calls):
        (profile,) = (each for each in app.catalog.profiles(account_id=ACCOUNT) if each.profile_id == PROFILE)
        newest = [row for _, row in app.findings.features.rows(profile.key)]
        offline = OfflineFeatures(CuratedObjects(app.raw), [NAME]).rows(profile, newest[0]["as_of"])
    key = itemgetter("level", "entity_id")
    if sorted(offline, key=key) != sorted(newest, key=key):
        yield f"the newest features are {newest}, and the offline table has {offline}"


def tables_anew(run: Simulation) -> dict[str, bytes]:
    """The same when all of them are made of what is stored in the end."""
    for key in tables(run):
        del run.s3.objects[key]
    with answered_by(run.calls):
        _whole_app(run).curator.curate(ACCOUNT, lambda: 600.0, 0.0)
    return tables(run)


def _whole_app(run: Simulation) -> App:
    clock, platforms = SimulatedClock(run.scheduler), PLATFORMS[run.story.habits.spec]
    app = App(settings_of(ALL[0]), clock, random.Random(1), service="curate", platforms=platforms)
    app.__dict__["_session"] = SharedClients()
    return app
