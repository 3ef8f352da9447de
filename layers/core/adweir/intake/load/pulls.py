"""Loads raw objects: a pull's pages → stored metrics, or objects in the catalog, and the end of its task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from adweir.intake.load.announced import AnnouncedChanges
from adweir.intake.load.commit import Allowance, Committer, Origin
from adweir.intake.load.ends import TaskEnds
from adweir.intake.load.holding import HeldBack
from adweir.intake.load.invoices import InvoiceLists
from adweir.intake.load.objects import ObjectLists
from adweir.model import limits, trace
from adweir.model.arrivals import Arrival
from adweir.model.datasets import Dataset
from adweir.model.deeds import Deed
from adweir.model.errors import AdweirError, DeadlinePassed, MassVanish, NotReady, Throttled, TooLarge
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import Grain, Level
from adweir.model.platforms import Platform
from adweir.model.ports import Queue
from adweir.model.tasks import Cause, Pull, TaskState
from adweir.platforms import Platforms, options
from adweir.platforms.base import Applies, ProfileOptions
from adweir.platforms.connector import PullContext
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.store.metrics.brought import PullRows
from adweir.store.raw.header import PullHeader
from adweir.store.raw.store import RawObject

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore


PREFIX = "raw/"
_STORING = 0.25
"""The part of an invocation that is kept for storing. Storing goes on in another one, reading begins anew there."""
_STUCK_TRIES = 3
"""An invocation that stored nothing may have been slow. When the fourth one stores nothing, none will."""


class PullLoader:
    """Loads what `collect` and `poll_reports` landed. Every step may be repeated, with the same result."""

    def __init__(
        self,
        raw: RawStore,
        catalog: Catalog,
        platforms: Platforms,
        committer: Committer,
        ends: TaskEnds,
        landing: Queue,
    ) -> None:
        self._raw = raw
        self._catalog = catalog
        self._platforms = platforms
        self._lists = ObjectLists(raw, catalog, committer)
        self._announced = AnnouncedChanges(raw, catalog, committer, platforms, ends)
        self._invoices = InvoiceLists(raw, catalog, committer)
        self._committer = committer
        self._ends = ends
        self._landing = landing
        self._used: dict[tuple[Platform, str], tuple[float, Mapping[str, Any]]] = {}
        """Options of ad accounts and when they were read, by the monotonic clock."""

    def load(self, message: ObjectArrived, remaining: Callable[[], float]) -> None:
        """Load the object and finish its task, or its part of a replay.

        Raises BadInput for an object that cannot be read at all, Throttled, NotReady where time ran out.
        """
        ends = self._ends.of(message)
        with self._raw.open(message.key, message.version_id) as raw:
            header = raw.header
            trace.add(
                run_id=header.run_id,
                task_id=header.task_id,
                platform=header.platform,
                profile_id=header.profile_id,
                dataset=header.dataset,
            )
            if header.not_applicable:
                self._skip(header, ends)
                return
            context = self._context(header, used_before=not message.load)
            try:
                counts = self._store(raw, message, context, remaining)
            except (Throttled, NotReady) as error:
                ends.check_deadline(header, error)
                if error.context.get("is_stuck") and message.stuck >= _STUCK_TRIES:
                    raise TooLarge("the object takes too long to store: pull fewer days at a time") from error
                raise
            except MassVanish as error:
                self._committer.not_moved(message, error)
                ends.refused(header, TaskState.QUARANTINED, error)
                return
        self._apply_newer_options(header, message, context.options)
        self._note_listing(header, counts)
        if message.load and header.dataset.grain is None:
            self._committer.arrived(header.account_id, Arrival.REPLAY)
        ends.loaded(header, counts)

    def _skip(self, header: PullHeader, ends: TaskEnds) -> None:
        try:
            self._committer.skip(header.pull())
        except Throttled as error:
            ends.check_deadline(header, error)
            raise
        ends.skipped(header)

    def _apply_newer_options(self, header: PullHeader, message: ObjectArrived, used: ProfileOptions) -> None:
        """Load the object once more when the profile's options changed meanwhile: their replay may have missed it."""
        if header.dataset.grain is None:
            return
        changes = options.differences(type(used), used, self._options(header))
        if any(how is not Applies.NEXT_RUN for how in changes.values()):
            load = self._ends.next_load(header)
            again = message.model_copy(update={"load": load, "cause": Cause.OPTIONS, "attempt": 0, "stuck": 0})
            self._landing.send(again, group=f"{header.platform}#{header.profile_id}")
            subject, done = f"{header.platform}#{header.profile_id}", f"{message.key} is loaded again"
            why = f"its options changed while it was loaded: {', '.join(changes)}"
            deed = Deed("", "replay options", subject, done, why, kind="replay", account_id=header.account_id)
            self._ends.note(deed)

    def _note_listing(self, header: PullHeader, counts: Mapping[str, int]) -> None:
        """Record that a listing changed which ad accounts are pulled, or what is known of them."""
        effects = [f"{counts[each]} {each}" for each in ("added", "changed", "removed") if counts.get(each)]
        if header.dataset is Dataset.PROFILES and effects:
            subject = f"{header.platform} {header.label} of {header.account_id}"
            done = f"{', '.join(effects)}, by task {header.task_id} of run {header.run_id}"
            deed = Deed("", "list profiles", subject, done, kind="profile", account_id=header.account_id)
            self._ends.note(deed)

    def _context(self, header: PullHeader, *, used_before: bool) -> PullContext:
        """What the normalizer needs to know. Raises BadInput for profile options that the platform does not know."""
        return PullContext(
            account_id=header.account_id,
            profile_id=header.profile_id,
            dataset=header.dataset,
            slice=header.slice,
            window=header.window,
            as_of=header.as_of,
            currency=header.currency,
            timezone=header.timezone,
            profile_kind=header.profile_kind,
            country=header.country,
            route=header.route,
            options=self._options(header, used_before=used_before),
            objects=partial(self._catalog.objects, header.platform, header.profile_id),
            spec=self._catalog.spec_text,
        )

    def _options(self, header: PullHeader, *, used_before: bool = False) -> ProfileOptions:
        """The profile's options as they are now, so that a replay applies them; read only for metrics.

        With `used_before` those of this container's last load will do, if they are not too old: a load ends by looking
        at them again.
        """
        model = self._platforms.spec(header.platform).options
        if not (model.model_fields and header.profile_id and header.dataset.grain is not None):
            return options.read(model, {})
        key = header.platform, header.profile_id
        now = self._ends.clock.monotonic()
        read_at, known = self._used.get(key, (-inf, {}))
        if not used_before or now - read_at > limits.MAX_OPTIONS_AGE_SECONDS:
            profile = self._catalog.profile(*key)
            known = dict(profile.options) if profile else {}
            self._used.pop(key, None)
            self._used[key] = now, known
            if len(self._used) > limits.MAX_KNOWN_OPTIONS:
                del self._used[next(iter(self._used))]
        return options.read(model, known)

    def settle(self, message: ObjectArrived, error: AdweirError) -> None:
        """A raw object that cannot be read: its task ends quarantined with the reason; the object itself stays.

        Days that take too long are pulled again, half of them at a time.

        Raises `error` when not even the metadata can be read: then the message is quarantined.
        """
        try:
            header = PullHeader.parse(self._raw.head(message.key, message.version_id).metadata)
        except AdweirError:
            raise error from None
        ends = self._ends.of(message)
        if isinstance(error, TooLarge) and ends.narrowed(header):
            return
        state = TaskState.FAILED if isinstance(error, DeadlinePassed) else TaskState.QUARANTINED
        self._committer.breach(_origin(header, message), f"{error.code}: {error.message}")
        self._committer.not_moved(message, error)
        ends.refused(header, state, error)

    def _has_totals(self, header: PullHeader) -> bool:
        """Whether account totals decide which rows that the pull did not bring are gone: its rows add up to them."""
        dataset = header.dataset
        sums = dataset.grain is Grain.DAY and dataset.level is not Level.ACCOUNT and not dataset.breakdown
        if not sums or not self._platforms.spec(header.platform).described:
            return sums and Dataset.ACCOUNT_DAILY in self._platforms.datasets(header.platform)
        profile = self._catalog.profile(header.platform, header.profile_id)
        return profile is not None and Dataset.ACCOUNT_DAILY in self._platforms.served(profile)

    def _store(
        self, raw: RawObject, message: ObjectArrived, context: PullContext, remaining: Callable[[], float]
    ) -> dict[str, int]:
        header, origin = raw.header, _origin(raw.header, message)
        if header.dataset is Dataset.INVOICES:
            reader = self._platforms.invoices(header.platform)
            return self._invoices.load(raw, origin, reader, context, remaining)
        normalizer = self._platforms.normalizer(header.platform)
        if header.dataset.grain is None:
            lists = self._announced if header.dataset is Dataset.CHANGES else self._lists
            return lists.load(raw, origin, normalizer, context, remaining)
        pull = replace(_pull(header, message, context.options), has_totals=self._has_totals(header))
        self._committer.check_time(remaining)  # with no time left at the beginning, no object would seem small enough
        brought, least = PullRows(), remaining() * _STORING
        with Quarantine() as quarantine:
            loop = RowLoop(pull, [day.isoformat() for day in pull.window.days()], brought, quarantine)
            for page in raw.pages():
                for batch in normalizer.metric_batches(page, context):
                    loop.take(batch.rows, batch.bad, page.number)
                    if remaining() < least:
                        raise TooLarge("the object takes too long to read: pull fewer days at a time")
            loop.finish()
            quarantine_key = quarantine.store(self._raw, origin.quarantine_key)
            held = HeldBack.of(quarantine, quarantine_key)
        may_vanish = not pull.has_totals and self._ends.accepts_vanish(header)
        allowance = Allowance(remaining, may_vanish, is_new=message.attempt == 0)
        counts = self._committer.store(pull, brought, loop, origin, quarantine_key, allowance)
        days = pull.window.start.isoformat(), pull.window.end.isoformat()
        first, last = quarantine.days
        held = held._replace(start=days[0], end=days[1], slice=pull.slice, first_day=first, last_day=last)
        self._committer.hold(origin, held)
        return counts


def _pull(header: PullHeader, message: ObjectArrived, used: ProfileOptions) -> Pull:
    """The pull as the metric store loads it: counted by these options, and answering as the replay that it may be."""
    pull = replace(header.pull(), definition=used.definition)
    if not message.load:
        return pull
    return replace(pull, stamp=header.stamp._replace(load=message.load), cause=message.cause or Cause.REPLAY)


def _origin(header: PullHeader, message: ObjectArrived) -> Origin:
    return Origin(
        dataset=str(header.dataset),
        task_id=header.task_id,
        key=message.key,
        generation=header.generation,
        load=message.load,
        platform=header.platform,
        profile_id=header.profile_id,
        account_id=header.account_id,
    )
