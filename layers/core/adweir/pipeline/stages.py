"""What a stage of a run has to plan: which credentials or profiles, which datasets, over which days."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.intake.collect.planner import Coverage, Frame, profile_tasks, profiles_task, span, unplannable
from adweir.model import limits
from adweir.model.arrivals import changes_days
from adweir.model.datasets import Dataset
from adweir.model.entities import ProfileStatus
from adweir.model.errors import AuthExpired, BadInput, Unprocessable
from adweir.model.flows import WORKERS, StageKind
from adweir.model.labels import owner
from adweir.model.log import log
from adweir.model.metrics import Series
from adweir.model.platforms import Platform
from adweir.model.runs import Run
from adweir.model.tasks import AccountTask, AnyTask, Task
from adweir.model.times import Window, epoch, is_zone, parse_instant
from adweir.pipeline.alone import PASSING, explain
from adweir.pipeline.flow_forms import find_flow, flow_of
from adweir.pipeline.lanes import Lane
from adweir.pipeline.workflows import Stage, Workflow
from adweir.platforms.base import told_of

if TYPE_CHECKING:
    from adweir.model.entities import Credential, Profile
    from adweir.model.times import Clock
    from adweir.platforms import Platforms
    from adweir.platforms.base import DatasetSpec
    from adweir.store.catalog.store import Catalog


DEPLOYED = frozenset({StageKind.PULL, *WORKERS})
"""The kinds of stages that there are functions for."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Numbers from the settings; `bucket` is where raw objects are, `deployed` the kinds of stages that there are
    functions for."""

    history_days: int = 60
    task_deadline_seconds: int = 21_600
    stale_after_seconds: int = 1800
    function_timeout_seconds: int = 60
    bucket: str = ""
    deployed: frozenset[StageKind] = DEPLOYED


class Entry(NamedTuple):
    """A credential, a profile's dataset, or a client account, by its key; `tasks()` says what it needs, of a dataset by
    its coverage.

    A task that has an `error` cannot be pulled: store it as failed.
    """

    key: str
    tasks: Callable[[], Sequence[AnyTask]]

    @classmethod
    def of(cls, key: str, lost: Callable[[], Task], tasks: Callable[[], list[Task]]) -> Entry:
        """An entry that costs itself only: where its tasks cannot be made, it has the one task `lost()`, failed."""

        def made() -> list[Task]:
            try:
                return tasks()
            except PASSING:
                raise
            except Exception as error:  # the boundary between one ad account and the next
                log.exception("planning of %s", key)
                return [replace(lost(), error={"code": UNPLANNABLE, "message": explain(error)[:1000]})]

        return cls(key, made)


_LISTS = (Dataset.PROFILES,)
UNPLANNABLE = "unplannable"
"""The code of what could not be planned."""

CoverageOf = Callable[[Series, Window], Coverage]
"""What `MetricStore.days(series, window)` says, by slice."""


class StagePlanner:
    """Reads the catalog and coverage and asks `intake.collect.planner` for the tasks."""

    def __init__(
        self, catalog: Catalog, coverage: CoverageOf, platforms: Platforms, clock: Clock, settings: RunSettings
    ) -> None:
        self.platforms = platforms
        self._catalog = catalog
        self._coverage = coverage
        self._clock = clock
        self._settings = settings

    @property
    def deployed(self) -> frozenset[StageKind]:
        """The kinds of stages that there are functions for."""
        return self._settings.deployed

    def flow(self, name: str, args: Mapping[str, Any]) -> Workflow:
        """A workflow by name, built-in or stored, as its arguments make it. Raises Unprocessable."""
        return find_flow(self._catalog, name, args)

    def entries(self, run: Run, name: str) -> list[Entry]:
        """What a stage of the run has to plan, in the order of its keys."""
        stage = flow_of(run).stage(name)
        if stage.kind is not StageKind.PULL:
            return self._account_entries(run, stage)
        frame = self.frame(run, stage)
        entries: list[Entry] = []
        if Dataset.PROFILES in stage.datasets:
            entries += self._credential_entries(frame, stage, run)
        else:
            for profile in self.profiles(run, stage):
                entries += self._profile_entries(frame, stage, profile)
        return sorted(entries, key=lambda entry: entry.key)

    def profiles(self, run: Run, stage: Stage) -> list[Profile]:
        """The ad accounts that a stage of the run pulls."""
        return [profile for profile in self._active(run) if stage.pulls_from(profile.platform, self.platforms.parse)]

    def lane(self, run: Run, stage: Stage, profile: Profile) -> Lane:
        """The way of an ad account through a patient stage. Raises BadInput for one whose days cannot be determined."""
        if not is_zone(profile.timezone):
            raise BadInput(f"unknown time zone {profile.timezone[:60]!r}")
        frame = self.frame(run, stage)
        chosen = stage.choose(self.serves(profile), frame.scope, profile.requested)
        return Lane(frame, profile, tuple(spec.under(profile.pulled_by) for spec in chosen))

    def serves(self, profile: Profile) -> Mapping[Dataset, DatasetSpec]:
        """What the platform of an ad account has of it."""
        return told_of(profile, self._served(profile.platform)) if profile.is_listed else {}

    def covered(self, profile: Profile, spec: DatasetSpec, days: Window) -> Coverage:
        """What is known of these days of an ad account's dataset; nothing of one without days."""
        level, grain, breakdown = spec.dataset.level, spec.dataset.grain, spec.dataset.breakdown
        if grain is None:
            return {}
        return self._coverage(Series(profile.platform, profile.profile_id, level, grain, breakdown), days)

    def active_accounts(self) -> frozenset[str]:
        """The client accounts that have an active ad account: stages that pull nothing have tasks for them alone."""
        return frozenset(
            profile.account_id for profile in self._catalog.profiles() if profile.status == ProfileStatus.ACTIVE
        )

    def credentials(self) -> list[Credential]:
        """The credentials of all accounts, broken ones included."""
        return self._catalog.credentials()

    def frame(self, run: Run, stage: Stage) -> Frame:
        """What all tasks of a stage have in common."""
        return Frame(
            run_id=run.run_id,
            stage=stage.name,
            scheduled_at=parse_instant(run.scheduled_at),
            scope=run.scope,
            reach=stage.reach,
            history_days=self._settings.history_days,
            deadline=self._deadline(None),
            batch_days=run.args.get("batch_size", 0),
        )

    def _account_entries(self, run: Run, stage: Stage) -> list[Entry]:
        """One task per client account that has an active ad account in scope; none where the run changes no day, and
        nothing that a day's numbers are named by, or follows what changed none. Only scores are made of invoices, and
        only clients with arms have something to learn."""
        asked = {Dataset(name) for name in run.scope.datasets}
        made_of = asked if stage.kind is StageKind.RECONCILE else asked - {Dataset.INVOICES}
        if asked and not any(dataset.changes_days for dataset in made_of):
            return []
        if run.arrived and not changes_days(run.arrived):
            return []
        deadline = self._deadline(None)

        def tasks(account_id: str) -> list[AnyTask]:
            if stage.kind is StageKind.LEARN and not any(each.arms for each in self._catalog.campaigns_of(account_id)):
                return []
            return [AccountTask(run.run_id, stage.name, account_id, stage.kind, deadline, run.reopened)]

        accounts = {profile.account_id for profile in self._active(run)}
        return [Entry(account_id, partial(tasks, account_id)) for account_id in sorted(accounts)]

    def _active(self, run: Run) -> Iterator[Profile]:
        """The active ad accounts in scope."""
        only = frozenset(run.scope.profiles)
        for profile in self._catalog.profiles():
            if profile.status != ProfileStatus.ACTIVE or not self._in(run, profile.account_id, profile.platform):
                continue
            if not only or profile.profile_id in only or profile.key in only:
                yield profile

    def _credential_entries(self, frame: Frame, stage: Stage, run: Run) -> list[Entry]:
        """A list of ad accounts per credential. The next stage, of all of them, begins when all lists have ended."""
        credentials = [
            one
            for one in self._catalog.credentials()
            if self._in(run, one.account_id, one.platform) and stage.pulls_from(one.platform, self.platforms.parse)
        ]
        if len(credentials) > 1:  # one that its platform lets wait must not hold up the others
            soon = epoch(self._clock.now()) + limits.MAX_LISTING_SECONDS
            frame = replace(frame, deadline=min(frame.deadline, soon))
        return [
            Entry.of(
                f"{credential.platform}#{owner(credential.account_id, credential.label)}",
                partial(profiles_task, frame, credential),
                partial(self._credential_tasks, frame, stage, credential),
            )
            for credential in credentials
        ]

    def _profile_entries(self, frame: Frame, stage: Stage, profile: Profile) -> list[Entry]:
        """A profile's datasets; the first datasets of all profiles go before the second ones."""
        served = self.serves(profile)
        try:
            chosen = stage.choose(served, frame.scope, profile.requested)
        except (AttributeError, TypeError, ValueError) as error:
            refused = partial(_refuse, f"the options cannot be read: {explain(error)}")
            first = [served[dataset] for dataset in stage.datasets if dataset in served][:1]
            return [
                Entry.of(f"00#{profile.key}", partial(unplannable, frame, profile, spec), refused) for spec in first
            ]
        return [
            Entry.of(
                f"{rank:02}#{profile.key}",
                partial(unplannable, frame, profile, spec),
                partial(self._profile_tasks, frame, profile, spec),
            )
            for rank, spec in enumerate(chosen)
        ]

    def remarks(self, run: Run, *, pulled: bool) -> str:
        """What the state of an ended run does not say: why it pulled nothing, which credentials list nothing."""
        found = [] if pulled else [self._why_nothing(run)]
        if any(Dataset.PROFILES in stage.datasets for stage in flow_of(run).stages):
            found += self._listing_nothing(run)[: limits.MAX_WARNINGS]
        return "; ".join(found)

    def _listing_nothing(self, run: Run) -> list[str]:
        """The working credentials in scope that bring no ad account: a token of another region lists none, and says so
        with an empty list."""
        reached = {
            (profile.account_id, profile.platform, profile.credential)
            for profile in self._catalog.profiles()
            if profile.status in {ProfileStatus.ACTIVE, ProfileStatus.DENIED}
        }
        found = []
        for credential in self._catalog.credentials():
            key = credential.account_id, credential.platform, credential.label
            known = credential.platform in self.platforms and credential.state == "active"
            if known and key not in reached and self._in(run, credential.account_id, credential.platform):
                why = self.platforms.spec(credential.platform).nothing_listed(credential.route)
                found.append(f"{credential.account_id}'s credential {credential.label} for {credential.platform} {why}")
        return found

    def _why_nothing(self, run: Run) -> str:
        """Why a run had nothing to pull, in a sentence for the caller."""
        if not flow_of(run).pulls:
            return ""
        pulling = [stage.name for stage in flow_of(run).stages if stage.datasets and stage.datasets != _LISTS]
        if any(self.entries(run, name) for name in pulling):
            return "nothing to pull, every day in scope was pulled before"
        return (
            "nothing to pull, no ad account in scope is active. A client account has ad accounts"
            " when a working credential of its own lists them and no other client account listed them first"
        )

    def deadline(self, task: AnyTask) -> int:
        """When a task that is planned now has to be finished, in Unix seconds: its dataset's pace may say so."""
        if not isinstance(task, Task):
            return self._deadline(None)
        return self._deadline(self._served(task.platform).get(task.dataset))

    def _deadline(self, spec: DatasetSpec | None) -> int:
        own = spec.pace.deadline_seconds if spec else None
        return epoch(self._clock.now()) + (self._settings.task_deadline_seconds if own is None else own)

    def _credential_tasks(self, frame: Frame, stage: Stage, credential: Credential) -> list[Task]:
        if not stage.choose(self._served(credential.platform), frame.scope):
            return []
        task = profiles_task(frame, credential)
        if credential.state == "active":
            return [task]
        # Without this failed task the run would count as a success.
        fault = {"code": AuthExpired.code, "message": "the credential is broken: store a new one, then redrive"}
        return [replace(task, error=fault)]

    def _profile_tasks(self, frame: Frame, profile: Profile, spec: DatasetSpec) -> list[Task]:
        spec, frame = spec.under(profile.pulled_by), replace(frame, deadline=self._deadline(spec))
        if not is_zone(profile.timezone):
            # The profile's days depend on its time zone; the other profiles are planned all the same.
            fault = {"code": BadInput.code, "message": f"unknown time zone {profile.timezone[:60]!r}"}
            return [replace(unplannable(frame, profile, spec), error=fault)]
        days = span(frame, profile, spec)
        return profile_tasks(frame, profile, spec, self.covered(profile, spec, days) if days is not None else {})

    def _served(self, platform: Platform) -> Mapping[Dataset, DatasetSpec]:
        """What a platform serves; nothing when credentials are kept for one that is not connected yet."""
        try:
            return self.platforms.datasets(platform)
        except Unprocessable:
            return {}

    def _in(self, run: Run, account_id: str, platform: Platform) -> bool:
        scope = run.scope
        platforms = {self.platforms.parse(name) for name in scope.platforms}
        return (not scope.accounts or account_id in scope.accounts) and (not platforms or platform in platforms)


def _refuse(reason: str) -> list[Task]:
    raise BadInput(reason)
