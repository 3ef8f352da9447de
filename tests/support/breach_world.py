"""Ad accounts that are monitored: what loads left of their days, breaches in memory, and what people were told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from adweir.model.breaches import Breach, BreachKind, BreachState, Subject
from adweir.model.entities import Profile
from adweir.model.events import BusEvent
from adweir.model.metrics import Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Stamp
from adweir.quality.data_looks import DataLooks
from adweir.quality.monitor import Monitor
from adweir.store.findings.breaches import Breaches, KeptBreach
from adweir.store.findings.tallies import DayTally, TallyKey
from support.clock import FrozenClock
from support.lived_days import LivedDays

META = Platform("meta_ads")
AD = TallyKey("ad", Source.PULL, "all")
_PULLED_AGAIN = 3
"""Days that each pull brings again."""


def late_breach(subject: Subject, about: str = "day", state: BreachState = BreachState.OPEN) -> Breach:
    """No pull of an ad account, or of all behind a credential, came since the night."""
    cause, at = f"freshness#{subject.key}#{about}", "2026-11-21T12:00:00.000000Z"
    due = "2026-11-21T05:30:00.000000Z"
    return Breach(cause, BreachKind.FRESHNESS, subject, state, "No pull.", at, at, since=due, about=about)


@dataclass
class Told:
    """Messages as people got them: (cause, whether it is over). Implements `model.ports.Messenger`."""

    breaches: list[Breach] = field(default_factory=list)

    def send(self, breach: Breach) -> None:
        self.breaches.append(breach)

    @property
    def causes(self) -> list[str]:
        return [f"{'-' if breach.cleared_at else '+'}{breach.cause}" for breach in self.breaches]


class Heard:
    """A bus that keeps what was published."""

    def __init__(self) -> None:
        self.events: list[BusEvent] = []

    def publish(self, *events: BusEvent, measured: bool = True) -> None:
        self.events += events

    def measure(self, *events: BusEvent) -> None:
        raise NotImplementedError


class MemoryBreaches(Breaches):
    """Breaches in memory, with the store's one rule: a change replaces what was read, or nothing."""

    def __init__(self, clock: FrozenClock) -> None:
        super().__init__(clock)
        self.kept: dict[str, KeptBreach] = {}

    def all(self) -> dict[str, KeptBreach]:
        return dict(self.kept)

    def change(self, read: KeptBreach | None, to: Breach, held_until: int = 0) -> KeptBreach | None:
        known = self.kept.get(to.cause)
        if (known.version if known else None) != (read.version if read else None):
            return None
        self.kept[to.cause] = KeptBreach(to, read.version + 1 if read else 1, held_until)
        return self.kept[to.cause]


class MonitoredAccount:
    """One ad account whose days are looked at in turn, as pulls bring them, restated until they are settled.

    `series`: what is pulled of it, `lived` among that. `pulls`: how many pulls bring each day. Days that are
    `incomplete` lack a level; what scores lose, they lose in the dimension `falls_in`.
    """

    def __init__(self, lived: LivedDays, timezone: str = "UTC") -> None:
        self.lived = lived
        self.series = {AD: lived}
        self.pulls = _PULLED_AGAIN
        self.incomplete: set[str] = set()
        self.falls_in = "validity"
        self.clock = FrozenClock(datetime(2026, 8, 1, 6, tzinfo=UTC))
        self.told, self.bus, self.breaches = Told(), Heard(), MemoryBreaches(self.clock)
        self.monitor = Monitor(self.breaches, self.bus, self.told, self.clock)
        self.bills_kept: list[dict[str, Any]] = []
        self.profile = Profile(
            account_id="acme", platform=META, profile_id="1", name="Acme", currency="EUR", timezone=timezone
        )
        findings = SimpleNamespace(tallies=self, scores=SimpleNamespace(days=self._scored, bills=self._bills))
        self.profiles = [self.profile]
        catalog = SimpleNamespace(profiles=lambda account_id: self.profiles)
        self.looks = DataLooks(cast("Any", catalog), cast("Any", findings), self.monitor, self.clock)

    def month(self, days: int = 30) -> list[str]:
        """Look at each of the last days, twice each; what was told of them."""
        for number in range(self.lived.count - days, self.lived.count):
            self.look_on(number)
            self.looks.look("acme")
        return self.told.causes

    def look_on(self, number: int) -> None:
        """Look in the morning after the day of this number."""
        self.clock.advance((self._morning(number) - self.clock.now()).total_seconds())
        self.looks.look("acme")

    def _morning(self, number: int) -> datetime:
        day = self.lived.first + timedelta(days=number + 1)
        return datetime(day.year, day.month, day.day, 6, tzinfo=UTC)

    def months(self, profile_key: str, first: str, last: str) -> Iterator[tuple[TallyKey, Mapping[str, DayTally]]]:
        """As `DayTallies.months` has them: each day from the newest pull that brought it."""
        assert profile_key in {profile.key for profile in self.profiles}
        found: dict[tuple[str, TallyKey], dict[str, DayTally]] = {}
        for key, lived in self.series.items():
            for day in lived.rows:
                if first <= day[:7] <= last and (tally := self._tally(lived, day)):
                    found.setdefault((day[:7], key), {})[day] = tally
        for (_, key), days in sorted(found.items()):
            yield key, days

    def _tally(self, lived: LivedDays, day: str) -> DayTally | None:
        """What the newest pull found in a day; None before the first."""
        number = (date.fromisoformat(day) - self.lived.first).days
        pulls = [self._morning(at) for at in range(number, number + self.pulls)]
        made = [at for at in pulls if at <= self.clock.now()]
        if not made:
            return None
        share = (0.6, 0.95, 1.0)[len(made) - 1]  # the platform restates its newest days
        came, nulls = round(lived.rows[day] * share), round(lived.nulls[day] * share)
        failures = {"null": {"conversions": nulls}} if nulls else {}
        if came and nulls >= came:
            failures = {"absent": {"conversions": came}}
        return DayTally(str(Stamp.of(made[-1], f"task-{day}")), "", came, failures)

    def _scored(self, profile_key: str, first: str, last: str) -> list[dict[str, Any]]:
        assert profile_key in {profile.key for profile in self.profiles}
        known = min(last, (self.clock.now().date() - timedelta(days=1)).isoformat())
        return [self._score(day) for day in self.lived.rows if first <= day <= known]

    def _score(self, day: str) -> dict[str, Any]:
        score = self.lived.scores[day]
        dimensions = {"completeness": 1.0, "validity": 1.0, "accuracy": None} | {self.falls_in: min(1.0, score + 0.02)}
        missing = ["ad all"] if day in self.incomplete else []
        return {"date": day, "score": score, "dimensions": dimensions, "gates": [], "worst": [], "missing": missing}

    def _bills(self, _profile_key: str, first: str, last: str) -> list[dict[str, Any]]:
        return [bill for bill in self.bills_kept if first <= bill["month"] <= last]


def bill(month: date, state: str, unexplained: str = "12.50") -> dict[str, Any]:
    """A bill as `quality.bills` keeps it."""
    numbers = {"billed": "115.00", "measured": "100.00", "unexplained": unexplained, "explained": {"fee": "2.50"}}
    return {"month": f"{month:%Y-%m}", "currency": "EUR", "state": state, **numbers}
