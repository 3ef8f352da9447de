"""Days of an ad account that are scored: its levels are pulled by the real loop and committer, on moto."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from adweir.intake.load.commit import Allowance, Committer, Origin
from adweir.model.entities import AdCampaign
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window, iso
from adweir.platforms import REGISTRY
from adweir.quality.days import DayScorer
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.reporting.invoices import MonthlyBills
from adweir.reporting.query import Queries
from adweir.store.findings import Findings
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.store import MetricStore, Patience
from support.clock import FrozenClock
from support.metric_store import FakeObjects
from support.world import World

M = 1_000_000
GOOGLE = Platform("google_ads")


class ScoredWorld(World):
    """An ad account of Google: campaign 1 of search, campaign 2 of Performance Max. Its yesterday is 2026-11-19."""

    platform = GOOGLE
    profile_id = "1"
    slice: str = ALL
    source = Source.PULL
    """Whose, and of which slice and source, the rows are that `pull` stores."""

    def __init__(self, clock: FrozenClock) -> None:
        super().__init__(clock)
        self.add_profile("1")
        self.findings = Findings(clock)
        self.metrics = MetricStore(Patience(clock, 60, lambda _: None), self.ledger, FakeObjects())
        self.committer = Committer(
            (self.metrics, self.findings, self.ledger.unfollowed), self.bus, clock, threshold=0.8
        )
        kinds = {"1": "search", "2": "performance_max"}
        campaigns = [
            AdCampaign(platform=self.platform, profile_id="1", id=each, campaign_id=each, objective=kind)
            for each, kind in kinds.items()
        ]
        self.catalog.put_objects(campaigns, iso(clock.now()))
        self.queries = Queries(self.catalog, self.metrics, REGISTRY, clock)

    @property
    def yesterday(self) -> date:
        return self.clock.now().date() - timedelta(days=1)

    def pull(
        self,
        level: Level,
        spends: Mapping[str, int | None],
        day: date | None = None,
        *,
        at: datetime | None = None,
        load: int = 0,
        **row: Any,
    ) -> None:
        """Pull a day of a level whole: by entity what it spent, None where its row does not say; an ad's entity is
        `<group>~<ad>`, of campaign 1. With `load`, the object of the pull `at` that moment is loaded again."""
        day, at = day or self.yesterday, at or self.clock.now()
        own = {Level.ACCOUNT: "", Level.CAMPAIGN: ""}.get(level, "1")
        found = [
            MetricRow(**{
                "entity_id": entity, "day": day.isoformat(), "impressions": (spend or 0) * 10, "clicks": spend or 0,
                "conversions": 0, "spend": None if spend is None else spend * M, "revenue": 0, "currency": "USD",
                "campaign_id": own or (entity if level is Level.CAMPAIGN else ""), "line": line, **row,
            })
            for line, (entity, spend) in enumerate(spends.items(), 1)
        ]  # fmt: skip
        stamp = Stamp.of(at, f"{level}-{iso(at)}")._replace(load=load)
        pull = Pull(
            self.platform, self.profile_id, level, Grain.DAY, self.source, self.slice, Window(day, day), stamp,
            complete=True, currency="USD", account_id=self.account_id, has_totals=level is not Level.ACCOUNT,
        )  # fmt: skip
        rows = PullRows()
        with Quarantine() as quarantine:
            loop = RowLoop(pull, [day.isoformat()], rows, quarantine)
            loop.take(found, ())
            loop.finish()
        origin = Origin(f"{level}_daily", pull.stamp.task_id, "raw/x")
        self.committer.store(pull, rows, loop, origin, "", Allowance())

    def pull_all(self, day: date | None = None, *, search: int = 7, pmax: int = 20, ads: int | None = None) -> None:
        """Pull each level of a day: search has two ads, Performance Max none."""
        of_ads = search if ads is None else ads
        self.pull(Level.AD, {"5~8": of_ads - 1, "5~9": 1}, day)
        self.pull(Level.AD_GROUP, {"5": of_ads}, day)
        self.pull(Level.CAMPAIGN, {"1": search, "2": pmax}, day)
        self.pull(Level.KEYWORD, {"5~k": 1}, day)
        self.clock.advance(60)
        self.pull(Level.ACCOUNT, {"1": search + pmax}, day)

    def score(self) -> int:
        """Score the client's days; how many were scored."""
        bills = MonthlyBills(self.catalog, self.queries)
        scorer = DayScorer(self.catalog, self.metrics, self.findings, REGISTRY, self.clock, bills)
        return scorer.score(self.account_id, lambda: 300.0, 30.0)

    def scored(self, day: date | None = None) -> dict[str, Any]:
        """A day's score as it is kept."""
        at = (day or self.yesterday).isoformat()
        (found,) = self.findings.scores.days(f"{self.platform}#{self.profile_id}", at, at)
        return found


def compared(day: dict[str, Any], level: str, metric: str = "spend") -> dict[str, Any]:
    """What a day's score says of a metric of a level beside the one above."""
    found: dict[str, Any]
    (found,) = [each for each in day["reconciliation"] if (each["level"], each["metric"]) == (level, metric)]
    return found
