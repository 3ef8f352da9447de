"""A client with arms, its stored days, and what `learn` makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from math import inf

from adweir.insight.agents.learner import Learner, LearnParts
from adweir.model.campaigns import Arm, Binding, Campaign
from adweir.model.entities import Profile
from adweir.model.metrics import Level, MetricRow
from adweir.model.tasks import Stamp
from adweir.store.findings.agents import AgentState, AgentStates
from support.clock import FrozenClock
from support.reading_world import LOSSY, ReadingWorld, a_profile

TODAY = date(2026, 11, 20)
CAMPAIGN_ID = "cmp_a"
_LONG_AGO = 60


class AgentsWorld:
    """`pull` stores campaigns' days, as they are pulled so many days later; `learn` learns them, and `states` are the
    states of the campaign that has `arms`, by arm."""

    def __init__(self, *arms: Arm, profiles: Sequence[Profile] = ()) -> None:
        self.reading = ReadingWorld(*(profiles or (a_profile(),)))
        self.clock = FrozenClock(self.reading.now)
        self.store = AgentStates(self.clock)
        self.has(*arms)

    def has(self, *arms: Arm) -> None:
        """The campaign has these arms now."""
        self.reading.catalog.campaigns = [
            Campaign(campaign_id=CAMPAIGN_ID, account_id="acc_a", name="Summer", arms=tuple(arms))
        ]

    def pull(
        self, rows: Iterable[MetricRow], *, level: Level = Level.CAMPAIGN, lag: int = _LONG_AGO, breakdown: str = ""
    ) -> None:
        """Load one complete pull per day of some rows, as long after the day."""
        by_day: dict[str, list[MetricRow]] = {}
        for row in rows:
            by_day.setdefault(row.day, []).append(row)
        for day, found in by_day.items():
            on = date.fromisoformat(day) + timedelta(days=lag)
            stamp = Stamp(f"{on}T06:00:00.000000Z", f"t-{on}-{level}-{breakdown}-{day}")
            self.reading.pull(level, *found, days=(day, day), stamp=stamp, breakdown=breakdown)

    def learn(
        self, *, run_id: str = "run_1", remaining: Callable[[], float] = lambda: inf, clock: FrozenClock | None = None
    ) -> dict[str, int]:
        """What a task does."""
        reading = self.reading
        parts = LearnParts(reading.catalog, reading.queries, reading.store, self.store, clock or self.clock)
        return Learner(parts).learn("acc_a", remaining, 1.0, run_id)

    @property
    def states(self) -> dict[str, AgentState]:
        return self.store.of(CAMPAIGN_ID)


def arm(name: str, *campaigns: str, **more: str) -> Arm:
    """An arm that is bound to campaigns of the only ad account."""
    bound = tuple(Binding(platform=LOSSY, profile_id="p1", campaign_id=each) for each in campaigns)
    return Arm(arm_id=f"arm_{name}", platform=LOSSY, bindings=bound, **more)


def sold(campaign_id: str, clicks: int, conversions: int, *, ago: int = 60, entity_id: str = "") -> MetricRow:
    """A day of a campaign: a click costs a third of a unit, of ten impressions one is clicked on."""
    return MetricRow(
        entity_id or campaign_id,
        (TODAY - timedelta(days=ago)).isoformat(),
        clicks * 10,
        clicks,
        conversions * 1_000_000,
        clicks * 333_333,
        conversions * 20_000_000,
        campaign_id=campaign_id,
        currency="USD",
    )
