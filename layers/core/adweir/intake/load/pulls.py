"""Loads raw objects: a pull's pages → stored metrics or catalog objects, and the end of its task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import ValidationError

from adweir.intake.load.commit import Committer, Origin
from adweir.intake.load.ends import TaskEnds
from adweir.model import trace
from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.errors import AdweirError, BadInput, DeadlinePassed, MassVanish, Throttled
from adweir.model.events import EntitiesChanged
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import BadRow
from adweir.model.tasks import TaskState
from adweir.platforms import Platforms
from adweir.platforms.base import ProfileOptions
from adweir.platforms.connector import ObjectBatch, PullContext
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import can_be_key
from adweir.store.raw.header import PullHeader
from adweir.store.raw.store import RawObject

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore


PREFIX = "raw/"


class PullLoader:
    """Loads what `collect` and `poll_reports` landed. Every step may be repeated, with the same result."""

    def __init__(
        self,
        raw: RawStore,
        catalog: Catalog,
        platforms: Platforms,
        committer: Committer,
        ends: TaskEnds,
    ) -> None:
        self._raw = raw
        self._catalog = catalog
        self._platforms = platforms
        self._committer = committer
        self._ends = ends

    def load(self, message: ObjectArrived, _remaining: Callable[[], float]) -> None:
        """Load the object and finish its task. Raises BadInput for an object that cannot be read at all, Throttled."""
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
                self._skip(header)
                return
            work = self._objects if header.dataset.grain is None else self._metrics
            try:
                counts = work(raw, message.key)
            except Throttled:
                self._ends.check_deadline(header)
                raise
            except MassVanish as error:
                self._ends.refused(header, TaskState.QUARANTINED, error)
                return
        self._ends.loaded(header, counts)

    def _skip(self, header: PullHeader) -> None:
        try:
            self._committer.skip(header.pull())
        except Throttled:
            self._ends.check_deadline(header)
            raise
        self._ends.skipped(header)

    def _context(self, header: PullHeader) -> PullContext:
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
            options=self._options(header),
        )

    def _options(self, header: PullHeader) -> ProfileOptions:
        """The profile's options as they are now, so that a replay applies them; read only where there can be any."""
        model = self._platforms.spec(header.platform).options
        profile = None
        if model.model_fields and header.profile_id:
            profile = self._catalog.profile(header.platform, header.profile_id)
        try:
            return model.model_validate(profile.options if profile else {})
        except ValidationError as error:
            raise BadInput(
                f"the options of {header.profile_id} are not the platform's: {error.error_count()}"
            ) from None

    def settle(self, message: ObjectArrived, error: AdweirError) -> None:
        """A raw object that cannot be read: its task ends quarantined with the reason; the object itself stays.

        Raises `error` when not even the metadata can be read: then the dead-letter queue keeps the message.
        """
        try:
            header = PullHeader.parse(self._raw.head(message.key, message.version_id).metadata)
        except AdweirError:
            raise error from None
        state = TaskState.FAILED if isinstance(error, DeadlinePassed) else TaskState.QUARANTINED
        self._committer.breach(_origin(header, message.key), f"{error.code}: {error.message}")
        self._ends.refused(header, state, error)

    def _metrics(self, raw: RawObject, key: str) -> dict[str, int]:
        header = raw.header
        pull = header.pull()
        origin = _origin(header, key)
        brought = PullRows()
        normalizer = self._platforms.normalizer(header.platform)
        context = self._context(header)
        with Quarantine() as quarantine:
            loop = RowLoop(pull, [day.isoformat() for day in pull.window.days()], brought, quarantine)
            for page in raw.pages():
                for batch in normalizer.metric_batches(page, context):
                    loop.take(batch.rows, batch.bad, page.number)
            loop.finish()
            quarantine_key = quarantine.store(self._raw, origin.quarantine_key)
        accept = self._ends.accepts_vanish(header)
        return self._committer.store(pull, brought, loop, origin, quarantine_key, accept=accept)

    def _objects(self, raw: RawObject, key: str) -> dict[str, int]:
        """Objects go to the catalog as they come; only a complete pull whose every id was read may remove some."""
        header = raw.header
        origin = _origin(header, key)
        normalizer = self._platforms.normalizer(header.platform)
        context = self._context(header)
        found = _Found()
        with Quarantine() as quarantine:
            for page in raw.pages():
                for batch in normalizer.object_batches(page, context):
                    self._put(batch, header, found, quarantine, page.number)
            quarantine_key = quarantine.store(self._raw, origin.quarantine_key)
            held_back = quarantine.rows
        removed = 0
        if header.complete and found.all_read:
            removed = self._remove_missing(header, found.seen)
        if found.added or found.changed or removed:
            self._committer.announce(
                EntitiesChanged(
                    platform=header.platform,
                    profile_id=header.profile_id,
                    account_id=header.account_id,
                    dataset=header.dataset,
                    added=found.added,
                    changed=found.changed,
                    removed=removed,
                    task_id=header.task_id,
                )
            )
        if held_back:
            self._committer.breach(origin, "rows_quarantined", rows=held_back, quarantine_key=quarantine_key)
        stored = found.added + found.changed + found.unchanged
        return {
            "rows_read": stored + held_back,
            "rows_stored": stored,
            "rows_quarantined": held_back,
            "added": found.added,
            "changed": found.changed,
            "removed": removed,
            "complete": int(header.complete),
        }

    def _put(
        self, batch: ObjectBatch, header: PullHeader, found: _Found, quarantine: Quarantine, page_number: int
    ) -> None:
        """Put one batch of objects; those without an id that can be a key go to quarantine."""
        named = [(_id(one), one) for one in batch.objects]
        storable = [one for identity, one in named if can_be_key(identity)]
        added, changed, unchanged = self._catalog.put_objects(storable, header.as_of)
        found.added, found.changed = found.added + added, found.changed + changed
        found.unchanged += unchanged
        found.seen.update(identity for identity, _ in named)
        for bad in [*batch.bad, *(_no_key(one) for identity, one in named if not can_be_key(identity))]:
            quarantine.add(bad, page_number)
            found.seen.add(bad.entity_id)
            found.all_read &= bool(bad.entity_id)

    def _remove_missing(self, header: PullHeader, seen: set[str]) -> int:
        platform, as_of = header.platform, header.as_of
        if header.dataset is Dataset.PROFILES:
            return self._catalog.remove_missing_profiles(platform, header.account_id, seen, as_of)
        return self._catalog.remove_missing(platform, header.profile_id, header.dataset, header.slice, seen, as_of)


@dataclass(slots=True)
class _Found:
    """What an entity pull brought so far: counts of objects, the ids seen, and whether each id could be read."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    all_read: bool = True
    seen: set[str] = field(default_factory=set)


def _origin(header: PullHeader, key: str) -> Origin:
    return Origin(
        dataset=str(header.dataset),
        task_id=header.task_id,
        key=key,
        generation=header.generation,
        platform=header.platform,
        profile_id=header.profile_id,
        account_id=header.account_id,
    )


def _id(found: PlatformObject | Profile) -> str:
    return found.profile_id if isinstance(found, Profile) else found.id


def _no_key(found: PlatformObject | Profile) -> BadRow:
    fault = {"field": "id", "rule": "id", "message": "the id is missing or cannot be a key in the store"}
    return BadRow(0, found.model_dump(mode="json"), [fault])
