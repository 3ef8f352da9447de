"""What somebody plants in the sandbox's world is found, each cause as one incident, and nothing else is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from adweir.insight.anomalies.batches import Learning
from adweir.insight.anomalies.incidents import Watcher
from adweir.insight.anomalies.kept import KeptIncidents, incident_of, shown_incident
from adweir.insight.anomalies.sources import DayRows, NamedEntity, RipeDay
from adweir.insight.anomalies.watched import WatchedEntity, WatchSettings
from adweir.model.metrics import Level, Slot
from adweir.model.times import Window
from adweir.store.findings.anomalies import Anomalies
from ops.demo.anomalies import held
from sandbox.outside import Outside
from sandbox.platforms import population
from sandbox.world import WorldProfile
from sandbox.world.plan import Anomaly
from support.clock import FrozenClock
from support.outlets import MemoryBus

TODAY = date(2026, 11, 23)
LAST, DAYS = TODAY - timedelta(days=31), 130
FIRST = LAST - timedelta(days=DAYS - 1)
SPIKE, OUTAGE, LOST, DEAR, OF_CAMPAIGN = (TODAY - timedelta(days=ago) for ago in (110, 94, 75, 58, 40))


class WorldDays:
    """The settled days of an ad account, as its platform has them: what a pull would have stored."""

    def __init__(self, outside: Outside, profile: WorldProfile) -> None:
        self.watcher = Watcher("acc_1", profile.platform, profile.id, profile.currency)
        self.window, self.arms_mark = Window(FIRST, LAST), ""
        self._numbers: dict[date, dict[WatchedEntity, Slot]] = defaultdict(dict)
        account = (Level.ACCOUNT, profile.id)
        for level in (Level.ACCOUNT, Level.CAMPAIGN, Level.AD):
            for row in outside.world.truth(profile, FIRST, LAST, level.value):
                own = profile.id if level is Level.ACCOUNT else row["entity_id"]
                above = [(Level.CAMPAIGN, row["campaign_id"])] if level is Level.AD else []
                parents = (*above, account) if level is not Level.ACCOUNT else ()
                self._numbers[date.fromisoformat(row["date"])][WatchedEntity(level, own, parents)] = (
                    row["impressions"],
                    row["clicks"],
                    row["conversions_micros"],
                    row["spend_micros"],
                    row["revenue_micros"],
                )

    def ripe(self, _check: Callable[[], None]) -> list[RipeDay]:
        return [RipeDay(day, repr(sorted(self._numbers[day].items())).encode()) for day in self.window.days()]

    def rows(self, window: Window, _check: Callable[[], None]) -> dict[date, DayRows]:
        return {day: DayRows(self._numbers[day]) for day in window.days()}

    def named(self, keys: Iterable[tuple[Level, str]]) -> dict[tuple[Level, str], NamedEntity]:
        return {key: NamedEntity("", is_off=False) for key in keys}


class Story:
    """An ad account of the sandbox that has nothing planted but what a test plants."""

    def __init__(self, clock: FrozenClock) -> None:
        self.outside = Outside(seed=7, anchor=TODAY, today=TODAY, population=population())
        self.clock, self.bus, self.store = clock, MemoryBus(), Anomalies(clock)
        self.profile = next(p for p in self.outside.world.profiles if p.platform == "google_ads")
        plan = self.outside.world.plan(self.profile)
        plan.anomalies, plan.shifts = (), ()

    def plant(self, metric: str, first: date, days: int, per_mille: int, **more: str) -> None:
        last = first + timedelta(days=days - 1)
        body = {"metric": metric, "start": first.isoformat(), "end": last.isoformat(), "per_mille": per_mille, **more}
        self.outside.happen("anomaly", {"profile_id": self.profile.id, **body})

    def look(self) -> int:
        days: Any = WorldDays(self.outside, self.profile)
        kept = KeptIncidents(self.store, self.bus, self.clock, days.watcher, "run_1")
        learned = Learning(self.store, days, kept, WatchSettings(), lambda: None).go()
        kept.tell()
        return learned

    def incidents(self) -> list[dict[str, Any]]:
        page, _ = self.store.page(FIRST, LAST, 100)
        return sorted((shown_incident(incident_of(body)) for _, body in page), key=lambda each: each["first_day"])

    def planted(self) -> dict[str, Any]:
        """What `/_world/planted` says."""
        about = {"platform": self.profile.platform, "profile_id": self.profile.id}

        def listed(anomalies: Iterable[Anomaly]) -> Iterator[dict[str, Any]]:
            for each in anomalies:
                first, last = (self.outside.world.first_day + timedelta(days=n) for n in (each.first, each.last))
                yield about | each._asdict() | {"first": first.isoformat(), "last": last.isoformat()}

        found = listed(self.outside.world.plan(self.profile).anomalies)
        return {"anomalies": list(found), "level_shifts": [], "budget_changes": [], "flights": []}


def days(first: date, count: int) -> list[str]:
    return [(first + timedelta(days=n)).isoformat() for n in range(count)]


@pytest.fixture
def story(tables: None, clock: FrozenClock) -> Story:
    return Story(clock)


def test_each_planted_cause_is_one_incident_and_a_second_run_adds_none(story: Story) -> None:
    # given
    campaign = story.profile.campaigns[0].id
    story.plant("spend", SPIKE, 1, 4000)
    story.plant("spend", OUTAGE, 2, 0)
    story.plant("conversions", LOST, 3, 0)
    story.plant("clicks", DEAR, 2, 400)
    story.plant("spend", OF_CAMPAIGN, 2, 0, campaign_id=campaign)

    # when
    assert story.look() == DAYS

    # then
    found = story.incidents()
    span = (FIRST + timedelta(days=28), LAST)
    verdict = held(story.planted(), found, span)
    assert (verdict.planted, verdict.found) == (5, 5), verdict
    assert verdict.right, verdict
    assert [(each["level"], each["entity_id"], each["days"]) for each in found] == [
        ("account", story.profile.id, days(SPIKE, 1)),
        ("account", story.profile.id, days(OUTAGE, 2)),
        ("account", story.profile.id, days(LOST, 3)),
        ("account", story.profile.id, days(DEAR, 2)),
        ("campaign", campaign, days(OF_CAMPAIGN, 2)),
    ]
    metrics = [{each["metric"] for each in one["metrics"]} for one in found]
    assert all("spend" in each for each in (*metrics[:2], metrics[4]))
    assert [metrics[2] >= {"conversions", "cvr"}, "cpc" in metrics[3]] == [True, True]
    events = len(story.bus.events)
    assert story.look() == 0
    assert story.incidents() == found
    assert len(story.bus.events) == events


def test_a_calm_ad_account_has_no_incident(story: Story) -> None:
    assert story.look() == DAYS
    assert story.incidents() == []
