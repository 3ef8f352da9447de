"""What happens in a cell of the matrix, and what has to be true then. The comparisons are written here, once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from unittest import mock

from adweir.model.datasets import Dataset
from adweir.model.entities import ProfileStatus, Status
from adweir.model.messages import Redrive, Scope, StartRun
from adweir.model.slices import ALL
from faults.matrix import Cell, Remedy
from faults.system import Seen, System, opened
from sandbox.world import Company

RUN = "r"
JITTER = 1.2
"""A wait is at most so much longer than it was asked for (runtime.consumer)."""
COMES_AGAIN = (5.0, 60.0)
"""Seconds after which a message comes again that met a fault of the network or the platform (runtime.consumer)."""
AT_ONCE = 120.0
"""Seconds in which everything is pulled that meets no fault: reports take half a minute, and are polled each minute."""
_USUAL = frozenset({"MetricsChanged", "EntitiesChanged", "RunFinished"})
_MARGIN = 3.0


class Story:
    """A run with a cell's fault, told until nobody works any more."""

    def __init__(self, cell: Cell, system: System) -> None:
        self.cell = cell
        self.system = system
        self.world = system.world
        ids = [profile.id for profile in self.world.profiles]
        self.affected = ids[cell.who]
        self.braked = {ids[place] for place in cell.braked} if cell.brake else {self.affected}
        self.fate = {self.affected, *(ids[place] for place in cell.shares)}
        self.truth = self._truth()

    @classmethod
    @contextmanager
    def told(cls, cell: Cell, *, stored: bool = False) -> Iterator[Story]:
        """Given the fault, and with `stored` the days as an earlier run has stored them, when a run pulls them all."""
        with opened(cell.platform) as system:
            story = cls(cell, system)
            if stored:
                story.pull("before")
                system.world.asked.clear()
            for switch in cell.switches:
                wanted = {"profile_id": story.affected, **switch}
                system.world.turn_on(wanted, (story.affected, cell.amid) if cell.amid else None)
            with ExitStack() as stack:
                for name, value in cell.asks.items():
                    stack.enter_context(mock.patch(name, value))
                story.pull(RUN)
                yield story

    def pull(self, run_id: str) -> None:
        """A run over the cell's days, until nobody works any more."""
        start, end = self.cell.days
        slice_ = _SLICES.get(self.cell.platform, ALL)
        scope = Scope(datasets=self.cell.datasets, slice=slice_, start=start, end=end)
        now = self.system.clock.now()
        self.system.run(StartRun(workflow="repull", scheduled_at=now, run_id=run_id, scope=scope))

    def _truth(self) -> dict[tuple[str, str, str], tuple[int | None, ...]]:
        start, end = map(date.fromisoformat, self.cell.days)
        return {
            (profile.id, row["entity_id"], row["date"]): tuple(row[name] for name in _TRUE)
            for profile in self.world.profiles
            for row in self.world.outside.world.truth(profile, start, end, "ad")
        }

    # --- what has to be true when nobody works any more

    @property
    def _company(self) -> Company:
        return next(one for one in self.world.companies if any(p.id == self.affected for p in one.profiles))

    @property
    def _own(self) -> list[Seen]:
        return [seen for seen in self.system.seen if seen.profile_id == self.affected]

    def check_the_fault(self) -> None:
        """All of it."""
        self.check_seen()
        self.check_wait()
        self.check_brake()
        self.check_reports()
        self.check_objects()
        self.check_token()
        self.check_others()
        self.check_end()
        self.check_operator()

    def check_seen(self) -> None:
        """The right class of the error tree, and no other."""
        ended = {t.error["code"] for t in self.system.tasks(RUN) if t.profile_id == self.affected and t.error}
        found = ended | {seen.code for seen in self._own}
        assert found - {_BEING_MADE} == {self.cell.outcome.code} - {_BEING_MADE, ""}
        assert _BEING_MADE in found or self.cell.outcome.code != _BEING_MADE

    def check_wait(self) -> None:
        """The right delay: who has to wait is asked about again when the wait is over, and not before."""
        waited = [seen for seen in self._own if seen.code == self.cell.outcome.code and seen.seconds]
        if self.cell.waits:
            assert tuple(round(seen.seconds) for seen in waited) == self.cell.waits
        asked = [at.at - self.system.begun for at in self.world.asked if at.profile_id in self.braked]
        for seen in waited:
            early = [at for at in asked if seen.at < at < seen.at + seen.seconds]
            assert early == [], f"asked at {early} in spite of {seen}"
        if self.cell.outcome.code == "transient":
            first = self._own[0]
            following = min((at for at in asked if at > first.at), default=None)
            assert following is not None
            assert COMES_AGAIN[0] <= following - first.at <= COMES_AGAIN[1]
        elif waited and self.cell.outcome.run == "succeeded":
            following = min(at for at in asked if at > waited[0].at)
            assert following <= waited[0].at + waited[0].seconds * JITTER + _MARGIN

    def check_brake(self) -> None:
        """The brake has the right scope: exactly these ad accounts wait."""
        found = {brake.key for brake in self.system.brakes}
        scopes = {key.partition(":")[0] if ":" in key else "profile" for key in found}
        assert scopes == ({self.cell.brake} if self.cell.brake else set()), found
        waiting = {seen.profile_id for seen in self.system.seen if seen.code == "throttled"}
        assert waiting == (self.braked if self.cell.brake else set())

    def check_reports(self) -> None:
        """A report that failed or did not come is asked for once more, after the right time.

        One that serves several ad accounts is so by the first that misses it, and by one that comes when it is used up.
        """
        neighbours = {profile.id for profile in self._company.profiles}
        ours = [made for made in self.world.reports if made.profile_id in neighbours]
        firsts = 1 if self.cell.platform == _SHARING else len({made.profile_id for made in ours})
        again = [made.at - self.system.begun for made in ours[firsts:]]
        assert bool(again) == bool(self.cell.remade)
        assert len(again) <= 2 or "split" in self.cell.outcome.ends
        assert not again or self.cell.remade <= again[0] <= self.cell.remade + 400

    def check_token(self) -> None:
        """An access token that has ended is renewed, where the platform can renew one, and only then."""
        renewed = [at for at in self.world.asked if at.path.endswith(_TOKENS)]
        assert bool(renewed) == self.cell.renews

    def check_others(self) -> None:
        """All other ad accounts have their numbers, and those outside of the brake had them at once."""
        others = {profile.id for profile in self.world.profiles} - self.fate
        stored = self.system.numbers(*self.cell.days)
        assert {key: value for key, value in stored.items() if key[0] in others} == {
            key: value for key, value in self.truth.items() if key[0] in others
        }
        assert stored.items() <= self.truth.items(), "what is stored of the account itself is true as well"
        for profile_id in others - self.braked:
            trouble = [seen for seen in self.system.seen if seen.profile_id == profile_id and seen.code != _BEING_MADE]
            assert trouble == []
            asked = max(at.at for at in self.world.asked if at.profile_id == profile_id)
            assert asked - self.system.begun <= AT_ONCE

    def check_end(self) -> None:
        """What became of the account's tasks, of the account and of the run."""
        system = self.system
        for profile_id in self.fate:
            assert {state.value for state in system.states(RUN, profile_id)} == self.cell.outcome.ends
        assert [run["state"] for run in system.told("RunFinished") if run["run_id"] == RUN] == [self.cell.outcome.run]
        assert system.post.dead == []
        if "parked" not in self.cell.outcome.ends:  # a dead credential can remove nothing
            self._check_schedules()
        denied = [p.profile_id for p in system.app.catalog.profiles() if p.status == ProfileStatus.DENIED]
        assert denied == ([self.affected] if self.cell.outcome.denied else [])

    def _check_schedules(self) -> None:
        """The Trade Desk's schedules are limited in number: none of ours stays."""
        assert self.world.outside.reports(_SHARING) == {}

    def check_operator(self) -> None:
        """The events that go to an operator, and the numbers that ring an alarm: these and no others."""
        assert {name for name, _ in self.system.events.published} - _USUAL == self.cell.outcome.events
        assert self.system.watched() == self.cell.outcome.alarms

    def check_objects(self) -> None:
        """An object with a value that nobody knows is kept, as unknown."""
        listed = [Dataset(name) for name in self.cell.datasets if Dataset(name).grain is None]
        catalog, platform = self.system.app.catalog, self.system.platform
        found = [one for dataset in listed for one in catalog.objects(platform, self.affected, dataset)]
        assert sum(one.status is Status.UNKNOWN for one in found) == self.cell.unknown

    # --- and then

    def mend(self) -> None:
        """The platform behaves again, and an operator does what is to be done."""
        system, cell = self.system, self.cell
        self.world.outside.switches.clear()
        if cell.outcome.remedy is Remedy.NEW_CREDENTIAL:
            for label, body in self._company.bodies(cell.platform).items():
                system.app.registration.register(self._company.key, cell.platform, body, label)
            system.run()
        if cell.outcome.remedy is Remedy.LIST_AND_REDRIVE:
            now = system.clock.now()
            listing = Scope(datasets=("profiles",))
            system.run(StartRun(workflow="daily", scheduled_at=now, run_id="listing", scope=listing))
        if cell.outcome.remedy in (Remedy.REDRIVE, Remedy.LIST_AND_REDRIVE):
            system.run(Redrive(run_id=RUN))
        if cell.outcome.remedy is Remedy.PULL_AGAIN:
            self.pull("again")

    def check_numbers(self) -> None:
        """Every number is the world's, and nothing is stored twice."""
        assert self.system.numbers(*self.cell.days) == self.truth != {}
        assert self.system.slots() == len(self.truth)

    def check_over(self) -> None:
        """No alarm rings, and nothing was left on the platform."""
        assert self.system.watched() == {}
        self._check_schedules()


_SLICES = {"amazon_ads": "sp"}
"""What the small world's ad accounts have; one report instead of three."""
_SHARING = "trade_desk"
"""A partner's report serves all its advertisers."""
_TOKENS = ("/token", "/authentication")
_TRUE = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
_BEING_MADE = "not_ready"
"""A report that is being made is waited for, which is no fault."""
