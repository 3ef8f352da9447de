"""Loads records of a platform's stream: each adds to an hour of an ad, and the hour is stored as the sum of them all.

Records are differences, come more than once and in any order, so the newest says nothing. They are folded
(`store.folds`): one fold per ad account and hour holds the ids of all records and the sums by dataset, campaign, ad
group and ad. What an object names is then stored from the fold, at the fold's own time, as hourly metrics of the source
`stream`. A worker that dies between the two leaves a fold that knows the records; the next try stores the same sums.

A dataset counts from the first hour that begins after its subscription: of earlier hours the stream brings only what
was corrected since, which may be less than nothing. These are folded too, and not stored. An hour in which a dataset
counted once counts on when its subscription is made anew: the fold knows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from adweir.intake.load import stream_hours
from adweir.intake.load.commit import Allowance, Committer, Origin, named_task
from adweir.intake.load.holding import HeldBack
from adweir.intake.load.repulls import Repulls
from adweir.intake.load.stream_hours import HourSums, StreamedProfile
from adweir.intake.load.stream_records import LocalHour, RecordReader, Records
from adweir.model import trace
from adweir.model.entities import Profile, ProfileStatus
from adweir.model.errors import AdweirError, BadInput, TooLarge, Unavailable
from adweir.model.events import MetricsChanged
from adweir.model.messages import ObjectArrived, Scope
from adweir.model.metrics import BadRow, Grain, Level, Source
from adweir.model.platforms import Platform
from adweir.model.ports import Queue
from adweir.model.times import Clock
from adweir.platforms import Platforms
from adweir.platforms import options as profile_options
from adweir.platforms.streams import ChangedLists, HourDelta
from adweir.quality.quarantine import Quarantine

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.folds import Folds
    from adweir.store.raw.store import RawStore

PREFIX = "stream/"
Note = Callable[[str, str], None]
"""Remembers what the health shows for an hour: what it is about, and why (`store.ledger.faults`)."""
_GONE = (ProfileStatus.REMOVED, ProfileStatus.INACTIVE)


@dataclass(slots=True)
class _Stored:
    """What was stored of one profile and level."""

    days: set[str] = field(default_factory=set)
    slots: int = 0
    keys: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Load:
    """One object on its way: what its records need, what could not be stored, what was."""

    origin: Origin
    allowance: Allowance
    quarantine: Quarantine
    changed: dict[tuple[str, Level], _Stored] = field(default_factory=dict)


class StreamLoader:
    """Loads one object of records."""

    def __init__(
        self,
        stores: tuple[RawStore, Catalog, Folds],
        platforms: Platforms,
        committer: Committer,
        runs: Queue,
        clock: Clock,
        note: Note,
    ) -> None:
        self._raw, self._catalog, self._folds = stores
        self._platforms = platforms
        self._committer = committer
        self._repulls = Repulls(runs, "stream")
        self._clock = clock
        self._note = note

    def load(self, message: ObjectArrived, remaining: Callable[[], float]) -> None:
        """Load an object. Raises BadInput for one that is not of the stream, Throttled, NotReady, Unavailable.

        Repeated, it goes on: what is counted counts once.
        """
        platform = self._platform(message.key)
        trace.add(platform=platform)
        known = self._catalog.profiles(platform=platform)
        profiles = _by_alias(each for each in known if each.alias and each.status not in _GONE)
        reader = RecordReader(self._platforms.stream(platform), profiles, self._clock.now())
        origin = Origin("stream", named_task(message.key), message.key, load=message.load, platform=platform)
        with Quarantine() as quarantine:
            load = _Load(origin, Allowance(remaining), quarantine)
            records = reader.read(self._raw.get_bytes(message.key, message.version_id), quarantine)
            by_id = {each.profile_id: each for several in profiles.values() for each in several}
            for profile_id in sorted({hour.profile_id for hour in records.hours}):
                self._profile(by_id[profile_id], records, load)
            for change in records.changed:
                for profile in profiles[change.alias]:
                    self._pull_again(profile, change)
            quarantine_key = quarantine.store(self._raw, origin.quarantine_key)
            self._announce(load, by_id)
            if quarantine.rows:
                reason = f"rows_quarantined: {', '.join(sorted(quarantine.reasons))}"
                self._committer.breach(origin, reason, rows=quarantine.rows, quarantine_key=quarantine_key)
                first = quarantine.named[0]["message"]
                self._tell(origin, f"refused records: {quarantine.rows}, the first: {first}; all: {quarantine_key}")
            self._committer.hold(origin, HeldBack.of(quarantine, quarantine_key))

    def settle(self, message: ObjectArrived, error: AdweirError) -> None:
        """Report an object that cannot be loaded; it stays. Raises `error` when its key is not of the stream."""
        try:
            platform = self._platform(message.key)
        except BadInput:
            raise error from None
        origin = Origin("stream", named_task(message.key), message.key, platform=platform)
        self._committer.breach(origin, f"{error.code}: {error.message}")
        self._committer.not_moved(message, error)
        self._tell(origin, f"{error.code}: {error.message}")

    def _tell(self, origin: Origin, reason: str) -> None:
        """No ad account's quality has what belongs to none: the health shows it, the newest object of each day."""
        with suppress(Unavailable):
            self._note(origin.key.rpartition("/")[0] + "/", f"{origin.key.rpartition('/')[2]}: {reason}")

    def _platform(self, key: str) -> Platform:
        """Raises BadInput."""
        name = key.removeprefix(PREFIX).partition("/")[0]
        if name not in self._platforms or not self._platforms.spec(Platform(name)).stream:
            raise BadInput(f"no platform's stream: {key[:100]!r}")
        return Platform(name)

    def _profile(self, profile: Profile, records: Records, load: _Load) -> None:
        hours = {hour: found for hour, found in sorted(records.hours.items()) if hour.profile_id == profile.profile_id}
        spec = self._platforms.spec(profile.platform)
        options = profile_options.read(spec.options, profile_options.usable(spec.options, profile.options))
        streamed = StreamedProfile(profile, options)
        found = [each for of_hour in hours.values() for each in of_hour]
        streamed.learn(self._catalog, found, lambda: self._raw.head(load.origin.key).last_modified)
        for hour, of_hour in hours.items():
            self._committer.check_time(load.allowance.remaining)
            try:
                self._hour(streamed, hour, (records.begun[hour], of_hour), load)
            except TooLarge as error:
                self._committer.breach(load.origin, f"{error.code}: {error.message}", rows=len(of_hour))

    def _hour(
        self,
        streamed: StreamedProfile,
        hour: LocalHour,
        records: tuple[datetime, Sequence[HourDelta]],
        load: _Load,
    ) -> None:
        began, found = records
        profile = streamed.profile
        key = stream_hours.fold_key(profile.platform, hour)
        fold = self._folds.add(key, streamed.deltas_of(found, began)).fold
        sums = HourSums(fold, streamed, self._platforms.stream(profile.platform), began)
        for level in stream_hours.LEVELS:
            rows, absurd = stream_hours.brought(sums.rows(hour, level, found))
            for row in absurd:
                fault = {"field": "", "rule": "bound", "message": "is larger than any real figure"}
                load.quarantine.add(BadRow(0, {"entity_id": row.entity_id}, [fault], row.entity_id, row.day))
            if not rows.size:
                continue
            pull = stream_hours.pull_of(profile, hour, level, fold, named_task(key), streamed.options.definition)
            outcome = self._committer.load(pull, rows, load.allowance)
            changed = load.changed.setdefault((profile.profile_id, level), _Stored())
            changed.days.add(hour.day)
            changed.slots += outcome.slots_changed
            changed.keys += outcome.changes_keys

    def _announce(self, load: _Load, profiles: dict[str, Profile]) -> None:
        for (profile_id, level), changed in load.changed.items():
            profile = profiles[profile_id]
            self._committer.announce(
                MetricsChanged(
                    platform=profile.platform,
                    profile_id=profile_id,
                    account_id=profile.account_id,
                    level=level,
                    grain=Grain.HOUR,
                    source=Source.STREAM,
                    start=min(changed.days),
                    end=max(changed.days),
                    slots_changed=changed.slots,
                    changes_keys=changed.keys,
                    task_id=load.origin.task_id,
                )
            )

    def _pull_again(self, profile: Profile, change: ChangedLists) -> None:
        """Start a run for lists that have changed."""
        served = self._platforms.datasets(profile.platform)
        datasets = tuple(each.value for each in change.datasets if each in served)
        scope = Scope(
            accounts=(profile.account_id,),
            platforms=(str(profile.platform),),
            profiles=(profile.profile_id,),
            datasets=datasets,
            slice=change.slice,
        )
        self._repulls.start(scope, self._clock.now(), profile.key, (*datasets, change.slice))


def _by_alias(profiles: Iterable[Profile]) -> dict[str, list[Profile]]:
    found = defaultdict[str, list[Profile]](list)
    for profile in profiles:
        found[profile.alias].append(profile)
    return dict(found)
