"""Whether ad accounts were pulled when their schedules say so: a look at each (`model.breaches`).

What is expected follows from the schedules that cover an ad account: the built-in ones and the jobs. After each of
their times a pull has as long as a task has; then the newest successful pull has to be younger than that time. An ad
account that no active schedule covers, because all are paused, is not expected to be pulled. A job that was changed
expects nothing before its next time: until then a breach is neither begun nor ended, except by a pull. Days and hours
are looked at separately. Ad accounts behind a credential that is refused wait for it: that is told on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from adweir.intake.collect.planner import Reach
from adweir.model.breaches import BreachKind, BreachState, Judgement, Look, Subject
from adweir.model.cron import Cron
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile, ProfileStatus
from adweir.model.errors import AdweirError
from adweir.model.flows import StageKind
from adweir.model.jobs import JobState, ScheduledJob, UnderWay
from adweir.model.labels import DEFAULT
from adweir.model.log import log
from adweir.model.messages import Scope
from adweir.model.metrics import Grain
from adweir.model.ports import PlatformParser
from adweir.model.schedules import CronTiming, FiringTimes, Schedule, ScheduleType
from adweir.model.times import DAY, is_zone, iso, parse_instant
from adweir.pipeline.asking import covered_by
from adweir.pipeline.flow_forms import find_flow
from adweir.pipeline.pipelines import read as arguments_of
from adweir.pipeline.workflows import WORKFLOWS, Workflow

if TYPE_CHECKING:
    from adweir.pipeline.watch import SweepView
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings.breaches import KeptBreach

TOGETHER = 3
"""So many ad accounts of a credential, all of them stale, are one cause: it is theirs together."""
_SPANS = (DAY, 8 * DAY, 40 * DAY, 400 * DAY)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GONE = {ProfileStatus.REMOVED, ProfileStatus.INACTIVE}
_BRINGS_NEW = {Reach.FRESH, Reach.SETTLING, Reach.WHOLE}
"""A stage that only fills gaps may have nothing to pull."""


_Whose = tuple[str, str, str]
"""A client's account, a platform, and the label of a credential."""


class BuiltIn(NamedTuple):
    """The built-in schedules: workflow → expression of EventBridge Scheduler, and the zone of all of them."""

    expressions: Mapping[str, str]
    timezone: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a schedule is to pull: from when on (`due`; None: its first time since it changed is still to come), and of
    which ad accounts. `words` name it."""

    words: str
    due: datetime | None
    flow: Workflow
    scope: Scope

    def covers(self, profile: Profile, grain: Grain, parse: PlatformParser) -> bool:
        """Whether it is to pull metrics of this grain of an ad account."""
        named = self.scope.profiles
        return (
            (not self.scope.accounts or profile.account_id in self.scope.accounts)
            and (not self.scope.platforms or profile.platform in self.scope.platforms)
            and (not named or profile.profile_id in named or profile.key in named)
            and any(
                stage.kind is StageKind.PULL
                and stage.reach in _BRINGS_NEW
                and stage.pulls_from(profile.platform, parse)
                and any(_wanted(dataset, self.scope, grain) for dataset in stage.datasets)
                for stage in self.flow.stages
            )
        )


class _PulledAt(NamedTuple):
    """When metrics of each ad account (its key) were last pulled, by grain; `iso` text."""

    days: Mapping[str, str]
    hours: Mapping[str, str]


def _pulled_at(successes: Iterable[tuple[str, str, str, str]]) -> _PulledAt:
    """Of what the ledger says succeeded."""
    days: dict[str, str] = {}
    hours: dict[str, str] = {}
    for key, dataset, at, _ in successes:
        for ending, newest in (("_daily", days), ("_hourly", hours)):
            if dataset.endswith(ending):
                newest[key] = max(at, newest.get(key, ""))
    return _PulledAt(days, hours)


class Freshness:
    """Looks at all ad accounts. `slack`: how long a pull may take after its schedule's time."""

    def __init__(self, catalog: Catalog, parse: PlatformParser, built_in: BuiltIn, slack: timedelta) -> None:
        self._catalog = catalog
        self._parse = parse
        self._built_in = built_in
        self._slack = slack

    def looks(self, seen: SweepView, known: Mapping[str, KeptBreach], now: datetime) -> list[Look]:
        """What to tell of every ad account, and of breaches whose ad account is gone. Raises Unavailable."""
        expected, pulled = self._expected(now - self._slack, seen.profiles), _pulled_at(seen.successes)
        working = {(one.account_id, str(one.platform), one.label) for one in seen.credentials if one.state == "active"}
        active = [each for each in seen.profiles if each.is_listed and each.status == ProfileStatus.ACTIVE]
        found: list[Look] = []
        for grain, newest in ((Grain.DAY, pulled.days), (Grain.HOUR, pulled.hours)):
            groups: dict[_Whose, list[Look]] = {}
            for profile in active:
                own = [each for each in expected if each.covers(profile, grain, self._parse)]
                look = _look(profile, grain, own, newest.get(profile.key, ""), known)
                whose = (profile.account_id, str(profile.platform), profile.credential)
                if look is not None:
                    groups.setdefault(whose, []).append(look if whose in working else _waits(look))
            for whose, looks in groups.items():
                found += _grouped(whose, grain, looks, known)
        return found + list(_orphans(known, found, {profile.key: profile for profile in seen.profiles}))

    def _expected(self, until: datetime, profiles: Sequence[Profile]) -> list[Expectation]:
        """What each schedule is to have pulled by now: after its newest time not after `until`."""
        found = []
        for name, timing in self._built_in_times():
            if due := _newest(timing, until):
                words = f"the {name} workflow ({timing.expression}, {timing.timezone})"
                found.append(Expectation(words, due, WORKFLOWS[name], Scope()))
        for job in self._catalog.jobs():
            try:
                found += self._of_job(job, until, profiles)
            except (AdweirError, ValidationError) as error:  # the health names a job that cannot do what it is for
                log.info("job %s is not expected to pull: %s", job.name, error)
        return found

    def _built_in_times(self) -> Iterator[tuple[str, FiringTimes]]:
        if not self._built_in.is_on:
            return
        for name, expression in self._built_in.expressions.items():
            try:
                yield name, _timing(expression, self._built_in.timezone)
            except AdweirError as error:
                log.warning("the schedule %s of %s cannot be read: %s", expression, name, error.message)

    def _of_job(self, job: ScheduledJob, until: datetime, profiles: Sequence[Profile]) -> Iterator[Expectation]:
        if job.state is not JobState.ACTIVE or job.under_way is UnderWay.REMOVAL:
            return
        scope, args = job.scope(), arguments_of(job.workflow, job.arguments())
        if args is not None:
            scope = covered_by(self._catalog, scope, args, profiles)
        if scope.start or scope.end:  # the same days each time: none of them is new
            return
        due = _newest(job.timing(), until)
        is_of_now = due is not None and iso(due) > max(job.changed_at, job.updated_at)  # before it, it had other terms
        words = f"the job {job.name} ({job.workflow}, {job.timezone})"
        flow = find_flow(self._catalog, job.workflow, job.arguments())
        yield Expectation(words, due if is_of_now else None, flow, scope)


def _look(
    profile: Profile, grain: Grain, own: Sequence[Expectation], pulled: str, known: Mapping[str, KeptBreach]
) -> Look | None:
    """What to say of an ad account of which these are expected; None where no schedule is to pull it. Hours are
    expected of one that had any: not every ad account reports them."""
    if not own or (grain is Grain.HOUR and not pulled) or not is_zone(profile.timezone):
        return None
    subject = Subject(profile.account_id, profile.platform, profile.profile_id)
    look = Look(BreachKind.FRESHNESS, subject, Judgement.GOOD, "It was pulled.", grain.value)
    kept = known.get(look.cause)
    due, words = max(((each.due, each.words) for each in own if each.due), default=(None, ""))
    if due is None:
        return look if kept is not None and pulled >= kept.breach.since else _waits(look)
    if pulled and parse_instant(pulled) >= due:
        return look
    if not pulled and (kept is None or _noticed_after(kept, due)):
        return replace(look, judgement=Judgement.NOTICED, says="It was never pulled.")
    what = "hours" if grain is Grain.HOUR else "days"
    return replace(
        look,
        judgement=Judgement.BAD,
        says=f"No pull of its {what} succeeded since {_words(due)}, when {words} was to begin one.",
        value=f"last pulled {_words(parse_instant(pulled))}" if pulled else "never pulled",
        expected=f"a successful pull after {_words(due)}",
        since=iso(due),
        do="`adweir health` says why it waits, `adweir runs` what became of the newest runs. After the repair:"
        f" `adweir sync {profile.account_id}`.",
    )


def _noticed_after(kept: KeptBreach, due: datetime) -> bool:
    """Whether an ad account that was never pulled was first seen after this time: then it is not late yet."""
    breach = kept.breach
    is_noticed = breach.state is BreachState.NOTICED and parse_instant(breach.opened_at) > due
    return is_noticed or breach.state is BreachState.CLEARED


def _grouped(whose: _Whose, grain: Grain, looks: list[Look], known: Mapping[str, KeptBreach]) -> Iterator[Look]:
    """The looks at the ad accounts of a credential. Where all of them are stale, that is told of all together, also
    where fewer of them are left by now. An ad account that is only noticed says nothing of the others."""
    account_id, platform, label = whose
    bad = [look for look in looks if look.judgement is Judgement.BAD]
    noticed = [look for look in looks if look.judgement is Judgement.NOTICED]
    about = grain.value if label == DEFAULT else f"{label}#{grain.value}"
    together = Look(BreachKind.FRESHNESS, Subject(account_id, platform), Judgement.GOOD, "Some were pulled.", about)
    kept = known.get(together.cause)
    least = 1 if kept is not None and kept.breach.state.is_open else TOGETHER
    if len(bad) < least or len(bad) + len(noticed) < len(looks):
        yield from looks
        if len(looks) >= least:
            yield together if any(look.judgement is Judgement.GOOD for look in looks) else _waits(together)
        return
    yield from noticed
    yield from (_waits(look) for look in bad)
    says = f"None of the {len(bad)} ad accounts of this credential ({label}) was pulled: {bad[0].says}"
    yield replace(bad[0], subject=together.subject, about=about, says=says, value=f"{len(bad)} ad accounts are stale")


def _orphans(known: Mapping[str, KeptBreach], found: Iterable[Look], profiles: Mapping[str, Profile]) -> Iterator[Look]:
    """Open breaches that nothing looks at any more: of pulls that nobody expects, and all of an ad account that is
    gone. `profiles` are all that there are, those of dropped files as well, whose days are scored. Refused rows are
    looked at wherever they came from."""
    looked = {look.cause for look in found}
    for cause, kept in known.items():
        breach = kept.breach
        if cause in looked or not breach.state.is_open or breach.kind is BreachKind.REFUSED:
            continue
        profile = profiles.get(breach.subject.key)
        if breach.kind is BreachKind.FRESHNESS or profile is None or profile.status in _GONE:
            yield Look(breach.kind, breach.subject, Judgement.GOOD, _over(breach.subject, profile), breach.about)


def _over(subject: Subject, profile: Profile | None) -> str:
    """Why nothing is expected of ad accounts any more."""
    if not subject.profile_id:
        return "No ad account of this credential is expected to be pulled any more."
    if profile is None or profile.status == ProfileStatus.REMOVED:
        return "The ad account is not there any more."
    if profile.status != ProfileStatus.ACTIVE:
        return f"The ad account is {profile.status}: it is not pulled any more."
    return "No schedule that is active pulls it any more."


def _waits(look: Look) -> Look:
    return replace(look, judgement=Judgement.UNSURE)


def _wanted(dataset: Dataset, scope: Scope, grain: Grain) -> bool:
    return dataset.grain is grain and (not scope.datasets or dataset in scope.datasets)


def _newest(timing: FiringTimes, until: datetime) -> datetime | None:
    """The newest of a schedule's times that is not after `until`; None without any in the last year."""
    for span in _SPANS:
        times = list(takewhile(lambda at: at <= until, timing.after(until - span)))
        if times:
            return times[-1]
    return None


def _timing(expression: str, timezone: str) -> FiringTimes:
    """The times of a built-in schedule's expression. Raises BadInput."""
    if expression.startswith("rate("):
        return Schedule(type=ScheduleType.INTERVAL, every=expression[5:-1]).timing(timezone, _EPOCH)
    return CronTiming(Cron.parse(expression), timezone)


def _words(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
