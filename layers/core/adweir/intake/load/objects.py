"""Loads lists of objects: a pull's pages → profiles, campaigns, ad groups, ads and keywords in the catalog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adweir.intake.load.commit import Committer, Origin
from adweir.intake.load.holding import HeldBack
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.events import EntitiesChanged
from adweir.model.metrics import BadRow
from adweir.platforms.connector import Normalizer, ObjectBatch, PullContext
from adweir.quality.quarantine import Quarantine
from adweir.store.catalog.objects import ObjectListing, object_key
from adweir.store.catalog.profiles import Listing
from adweir.store.metrics.buckets import can_be_key
from adweir.store.raw.header import PullHeader
from adweir.store.raw.store import RawObject

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore


class ObjectLists:
    """Brings the catalog to what a pull listed."""

    def __init__(self, raw: RawStore, catalog: Catalog, committer: Committer) -> None:
        self._raw = raw
        self._catalog = catalog
        self._committer = committer

    def load(
        self,
        pulled: RawObject,
        origin: Origin,
        normalizer: Normalizer,
        context: PullContext,
        remaining: Callable[[], float],
    ) -> dict[str, int]:
        """Put the objects as they come; only a complete pull whose every id was read may remove some.

        Returns the counts. Raises NotReady when time runs out: what was put is not written again.
        """
        header = pulled.header
        found = FoundObjects()
        with Quarantine() as quarantine:
            for page in pulled.pages():
                for batch in normalizer.object_batches(page, context):
                    self._committer.check_time(remaining)
                    self._put(batch, header, found, quarantine, page.number)
            quarantine_key = quarantine.store(self._raw, origin.quarantine_key)
            held_back, held = quarantine.rows, HeldBack.of(quarantine, quarantine_key)
        removed = 0
        if header.complete and found.all_read:
            self._committer.check_time(remaining)
            removed = self._remove_missing(header, found.seen, remaining)
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
        self._committer.hold(origin, held)
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
        self, batch: ObjectBatch, header: PullHeader, found: FoundObjects, quarantine: Quarantine, page_number: int
    ) -> None:
        """Put one batch of objects; those that no item can hold go to quarantine."""
        unstorable = {number: bad for number, one in enumerate(batch.objects) if (bad := _unstorable(one))}
        storable = [one for number, one in enumerate(batch.objects) if number not in unstorable]
        added, changed, unchanged = self._catalog.put_objects(storable, header.as_of, header.label)
        found.added, found.changed = found.added + added, found.changed + changed
        found.unchanged += unchanged
        found.seen.update(map(_key, batch.objects))
        for bad in [*batch.bad, *unstorable.values()]:
            quarantine.add(bad, page_number)
            found.seen.add(bad.entity_id)
            found.all_read &= bool(bad.entity_id)

    def _remove_missing(self, header: PullHeader, seen: set[str], remaining: Callable[[], float]) -> int:
        platform, as_of = header.platform, header.as_of
        if header.dataset is Dataset.PROFILES:
            listed = Listing(platform, header.account_id, header.label, as_of)
            return self._catalog.remove_missing_profiles(listed, seen)
        ours = ObjectListing(platform, header.profile_id, header.dataset, header.slice, as_of)
        return self._catalog.remove_missing(ours, seen, lambda: self._committer.check_time(remaining))


@dataclass(slots=True)
class FoundObjects:
    """What an entity pull brought so far: counts of objects, the keys seen, and whether each id could be read."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    all_read: bool = True
    seen: set[str] = field(default_factory=set)


def _key(found: PlatformObject | Profile) -> str:
    return found.profile_id if isinstance(found, Profile) else object_key(found)


def _unstorable(found: PlatformObject | Profile) -> BadRow | None:
    """What is wrong with an object that cannot be stored; None of one that can."""
    if not can_be_key(found.profile_id if isinstance(found, Profile) else found.id):
        fault = {"field": "id", "rule": "id", "message": "the id is missing or cannot be a key in the store"}
        return BadRow(0, found.model_dump(mode="json"), [fault])
    if len(found.model_dump_json(exclude={"as_of"}).encode()) > limits.MAX_OBJECT_BYTES:
        fault = {"field": "", "rule": "size", "message": f"has more than {limits.MAX_OBJECT_BYTES} bytes"}
        return BadRow(0, found.model_dump(mode="json"), [fault], _key(found))
    return None
