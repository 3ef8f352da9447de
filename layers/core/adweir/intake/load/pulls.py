"""Loads raw objects: a pull's pages → stored metrics or catalog objects, and the end of its task."""

from __future__ import annotations

from collections.abc import Callable

from adweir.intake.collect.outcomes import describe
from adweir.intake.load.commit import Origin, Stores, store_rows
from adweir.model.entities import PlatformObject, Profile
from adweir.model.errors import AdweirError, DeadlinePassed, MassVanish, Throttled
from adweir.model.events import EntitiesChanged, QualityBreached
from adweir.model.messages import Advance, ObjectArrived
from adweir.model.metrics import BadRow
from adweir.model.tasks import TaskState
from adweir.model.times import epoch
from adweir.platforms.base import PullContext
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import can_be_key
from adweir.store.raw.header import PullHeader
from adweir.store.raw.store import RawObject


class PullLoader:
    """Loads what `collect` and `poll_reports` landed. Everything may be repeated, after any crash, with one result."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def load(self, message: ObjectArrived, _remaining: Callable[[], float]) -> None:
        """Load the object and finish its task. Raises BadInput for an object that cannot be read at all, Throttled."""
        with self._stores.raw.open(message.key, message.version_id) as raw:
            header = raw.header
            work = self._objects if header.dataset.grain is None else self._metrics
            try:
                counts = work(raw, message.key)
            except Throttled:
                self._check_deadline(header)
                raise
            except MassVanish as error:
                self._finish(header, TaskState.QUARANTINED, error=error)
                return
        self._finish(header, TaskState.LOADED, counts=counts)

    def settle(self, message: ObjectArrived, error: AdweirError) -> None:
        """A raw object that cannot be read: its task ends quarantined with the reason; the object itself stays.

        Raises `error` when not even the metadata says whose it is: then the dead-letter queue keeps the message.
        """
        try:
            header = PullHeader.parse(self._stores.raw.head(message.key, message.version_id).metadata)
        except AdweirError:
            raise error from None
        state = TaskState.FAILED if isinstance(error, DeadlinePassed) else TaskState.QUARANTINED
        self._stores.bus.publish(
            QualityBreached(
                platform=header.platform,
                profile_id=header.profile_id,
                account_id=header.account_id,
                dataset=header.dataset,
                reason=f"{error.code}: {error.message}"[:500],
                score=None,
                rows_quarantined=0,
                task_id=header.task_id,
            )
        )
        self._finish(header, state, error=error)

    def _metrics(self, raw: RawObject, key: str) -> dict[str, int]:
        header = raw.header
        pull = header.pull()
        origin = _origin(header, key)
        rows = PullRows()
        normalizer = self._stores.normalizer(header.platform)
        context = _context(header)
        with Quarantine() as quarantine:
            loop = RowLoop(pull, [day.isoformat() for day in pull.window.days()], rows, quarantine)
            for page in raw.pages():
                for batch in normalizer.metric_batches(page, context):
                    loop.take(batch.rows, batch.bad, page.number)
            loop.finish()
            quarantine_key = quarantine.store(self._stores.raw, origin.quarantine_key)
        task = self._stores.ledger.get_task(header.run_id, header.task_id)
        accept = task is not None and task.generation == header.generation and task.accept_vanish
        return store_rows(self._stores, pull, rows, loop, origin, quarantine_key=quarantine_key, accept=accept)

    def _objects(self, raw: RawObject, key: str) -> dict[str, int]:
        """Objects go to the catalog as they come; only a complete pull whose every id was read may remove some."""
        stores, header = self._stores, raw.header
        origin = _origin(header, key)
        normalizer = stores.normalizer(header.platform)
        context = _context(header)
        seen: set[str] = set()
        added = changed = unchanged = removed = 0
        all_read = True
        with Quarantine() as quarantine:
            for page in raw.pages():
                for batch in normalizer.object_batches(page, context):
                    named = [(_id(found), found) for found in batch.objects]
                    storable = [found for identity, found in named if can_be_key(identity)]
                    new, newer, same = stores.catalog.put_objects(storable, header.as_of)
                    added, changed, unchanged = added + new, changed + newer, unchanged + same
                    seen.update(identity for identity, _ in named)
                    for bad in [*batch.bad, *(_no_key(found) for identity, found in named if not can_be_key(identity))]:
                        quarantine.add(bad, page.number)
                        seen.add(bad.entity_id)
                        all_read &= bool(bad.entity_id)
            quarantine_key = quarantine.store(stores.raw, origin.quarantine_key)
            held_back = quarantine.rows
        if header.complete and all_read:
            removed = self._remove_missing(header, seen)
        if added or changed or removed:
            stores.bus.publish(
                EntitiesChanged(
                    platform=header.platform,
                    profile_id=header.profile_id,
                    account_id=header.account_id,
                    dataset=header.dataset,
                    added=added,
                    changed=changed,
                    removed=removed,
                    task_id=header.task_id,
                )
            )
        if held_back:
            stores.bus.publish(
                QualityBreached(
                    platform=header.platform,
                    profile_id=header.profile_id,
                    account_id=header.account_id,
                    dataset=header.dataset,
                    reason="rows_quarantined",
                    score=None,
                    rows_quarantined=held_back,
                    quarantine_key=quarantine_key,
                    task_id=header.task_id,
                )
            )
        return {
            "rows_read": added + changed + unchanged + held_back,
            "rows_stored": added + changed + unchanged,
            "rows_quarantined": held_back,
            "added": added,
            "changed": changed,
            "removed": removed,
            "complete": int(header.complete),
        }

    def _remove_missing(self, header: PullHeader, seen: set[str]) -> int:
        return self._stores.catalog.remove_missing(
            header.platform,
            header.profile_id,
            header.dataset,
            header.slice,
            seen,
            header.as_of,
            account_id=header.account_id,
        )

    def _check_deadline(self, header: PullHeader) -> None:
        """Waiting for a partition ends with the task. Raises DeadlinePassed."""
        task = self._stores.ledger.get_task(header.run_id, header.task_id)
        if task is None or task.generation != header.generation or task.state.is_terminal:
            return
        if task.deadline and epoch(self._stores.clock.now()) >= task.deadline:
            raise DeadlinePassed("the partition was still being written at the task's deadline")

    def _finish(
        self,
        header: PullHeader,
        state: TaskState,
        *,
        counts: dict[str, int] | None = None,
        error: AdweirError | None = None,
    ) -> None:
        told = describe(error) if error else None
        self._stores.ledger.finish(header.run_id, header.task_id, header.generation, state, counts=counts, error=told)
        self._stores.runs_queue.send(Advance(run_id=header.run_id, task_id=header.task_id), group=header.run_id)


def _origin(header: PullHeader, key: str) -> Origin:
    return Origin(str(header.dataset), header.task_id, key, header.generation)


def _id(found: PlatformObject | Profile) -> str:
    return found.profile_id if isinstance(found, Profile) else found.id


def _no_key(found: PlatformObject | Profile) -> BadRow:
    fault = {"field": "id", "rule": "id", "message": "the id is missing or no key that can be stored"}
    return BadRow(0, found.model_dump(mode="json"), [fault])


def _context(header: PullHeader) -> PullContext:
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
    )
