"""The outside world as one object: the world, its switches, its open reports and a cache of rendered answers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sandbox.queues import NoOutsideQueues, OutsideQueues
from sandbox.served import ServedFaults
from sandbox.state import SEED, State
from sandbox.switches import EVERYWHERE, Switches
from sandbox.world import Company, World
from sandbox.world.bills import Bills
from sandbox.world.world import DRIVER

T = TypeVar("T")
_MOST_REPORTS = 2000
_MOST_ANSWERS = 64
_STRONGEST = 2000
"""Per mille: hidden demand that moves spend by at most three fifths."""


class BadQuestion(ValueError):
    """A request to /_world that cannot be answered; becomes a 400."""


@dataclass(frozen=True)
class Population:
    """The companies of an outside world, and the platforms' switches.

    `companies`: the clients of a seed, with the awkward ones or without, those of a crowd with so many ad accounts, and
    what they have on each platform.
    `awkward`: whether the awkward ones live there. `switches`: by platform, what each kind
    of misbehaviour does there. `id_prefixes`: what platforms write before an ad account's id.
    """

    companies: Callable[[int, bool, int], tuple[Company, ...]]
    switches: Mapping[str, Mapping[str, str]]
    id_prefixes: tuple[str, ...] = ()
    awkward: bool = False


class Outside:
    """What the platforms share.

    `report_seconds`: how long a report takes; `url_seconds`: how long a download URL is valid. `queues`: those of AWS
    that platforms may send to.
    """

    def __init__(
        self,
        *,
        seed: int = SEED,
        anchor: date | None = None,
        today: date | None = None,
        state_path: Path | None = None,
        report_seconds: float = 0.5,
        population: Population,
    ) -> None:
        """`today`: the calendar's, by default the machine's; an explicit `anchor` makes the world independent of it.

        `population`: who lives in it, `sandbox.platforms.population()` or some of its platforms; awkward clients never
        leave a world that is kept.
        """
        today = today or datetime.now(UTC).date()
        self._path = state_path
        self.state = State.load(state_path, seed, anchor, today, awkward=population.awkward)
        companies = population.companies(self.state.seed, self.state.awkward, self.state.crowd)
        self.world = World(self.state.seed, date.fromisoformat(self.state.anchor), companies)
        self.bills = Bills(self.world)
        self.world.offset = timedelta(seconds=self.state.offset_seconds)
        if self.state.follow and self.world.now.date() < today:
            self.world.offset = timedelta(days=(today - self.world.anchor).days)
        for event in self.state.happenings:
            self.world.happen(event)
        self.switches = Switches({name: {**own, **EVERYWHERE} for name, own in population.switches.items()})
        self.served = ServedFaults()
        self._id_prefixes = population.id_prefixes
        self.report_seconds = report_seconds
        self.url_seconds = 3600
        self.queues: OutsideQueues = NoOutsideQueues()
        self._lock = threading.Lock()
        self._keeping = threading.RLock()
        self._cache: OrderedDict[Hashable, Any] = OrderedDict()
        self.save()

    def company(self, key: str) -> Company:
        """A company by its key or the id of one of its ad accounts; the first when empty. Raises BadQuestion."""
        for company in self.world.companies:
            profiles = (*company.profiles, *company.elsewhere.profiles)
            if key in ("", company.key) or any(p.id == self.bare_id(key) for p in profiles):
                return company
        raise BadQuestion(f"unknown account {key!r}")

    def bare_id(self, profile_id: str) -> str:
        """An ad account's id without what its platform writes before it."""
        for prefix in self._id_prefixes:
            if profile_id.startswith(prefix):
                return profile_id.removeprefix(prefix)
        return profile_id

    def move(self, offset: timedelta) -> None:
        """Set how far the world's clock is from noon of its anchor day, and remember it."""
        self.world.offset = offset
        self.save()

    def happen(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Something happens to an ad account now (`world.happenings`), and stays so over a restart."""
        profile_id = self.bare_id(str(body["profile_id"]))
        everywhere = (*self.world.profiles, *self.world.elsewhere)
        owner = next((p for p in everywhere if p.id == profile_id), None)
        if owner is None:
            raise BadQuestion(f"no ad account {profile_id!r}")
        today = self.world.moment(owner).today.isoformat()
        event = {**body, "kind": kind, "platform": owner.platform, "profile_id": profile_id, "day": today}
        self._keep(event)
        return event

    def drive(self, per_mille: int) -> None:
        """Give hidden demand a strength, 0 for none. The numbers of every day change, and stay so over a restart."""
        if not 0 <= per_mille <= _STRONGEST:
            raise BadQuestion(f"per_mille is 0 to {_STRONGEST}")
        day = self.world.now.date().isoformat()
        self._keep({"kind": DRIVER, "per_mille": per_mille, "platform": "", "profile_id": "", "day": day})

    def _keep(self, event: dict[str, Any]) -> None:
        with self._lock:
            self.world.happen(event)
            self.state.happenings.append(event)
            self._cache.clear()
        self.save()

    @property
    def changes(self) -> int:
        """How many things have happened; who keeps what the world contains looks at it."""
        return self.world.changes

    @contextmanager
    def kept(self, platform: str) -> Iterator[dict[str, Any]]:
        """What a platform remembers beside reports, to read and to change: JSON, one caller at a time."""
        with self._keeping:
            yield self.state.kept.setdefault(platform, {})

    def save(self) -> None:
        """Write the state file."""
        with self._keeping, self._lock:
            self.state.offset_seconds = int(self.world.offset.total_seconds())
            self.state.save(self._path)

    def new_report(self, report: dict[str, Any], name: Callable[[int], str]) -> str:
        """Keep a report under an id made from an unused number; of more than 2,000 the oldest are dropped."""
        with self._lock:
            self.state.report_number += 1
            report_id = name(self.state.report_number)
            self.state.reports[report_id] = report
            while len(self.state.reports) > _MOST_REPORTS:
                del self.state.reports[next(iter(self.state.reports))]
        return report_id

    def reports(self, platform: str) -> dict[str, dict[str, Any]]:
        """A platform's reports by id, each with its `platform`."""
        with self._lock:
            held = list(self.state.reports.items())
        return {report_id: report for report_id, report in held if report.get("platform") == platform}

    def report(self, platform: str, report_id: str) -> dict[str, Any] | None:
        """One of a platform's reports, or None."""
        found = self.state.reports.get(report_id)
        return found if found is not None and found.get("platform") == platform else None

    def forget_report(self, report_id: str) -> None:
        """Delete a report, if it exists."""
        with self._lock:
            self.state.reports.pop(report_id, None)

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """`make()`, or what it made for this key since something last happened; the least used answers are dropped."""
        with self._lock:
            key = (self.changes, key)
            if key in self._cache:
                self._cache.move_to_end(key)
                found: T = self._cache[key]
                return found
        made = make()
        with self._lock:
            self._cache[key] = made
            while len(self._cache) > _MOST_ANSWERS:
                self._cache.popitem(last=False)
        return made
