"""Documents of the deployment that are stored whole, by name: each replacement is one version more.

A document that is deleted leaves its item without its text, so that a new one of its name goes on counting versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from adweir.model.entities import NamedDocument
from adweir.model.errors import Conflict
from adweir.model.times import iso
from adweir.store.catalog.items import Item, Items, as_read, version_of

D = TypeVar("D", bound=NamedDocument)
_TRIES = 5
_ACTIVE, _DELETED = "active", "deleted"


@dataclass(frozen=True, slots=True)
class KindOfDocument(Generic[D]):
    """Documents of one partition: `pk` / `<name>`. `noun` is one of them in messages."""

    pk: str
    model: type[D]
    noun: str

    def taken(self) -> Conflict:
        """Somebody else was quicker."""
        return Conflict(f"someone else is replacing this {self.noun} at the same moment; try again")


class NamedDocuments(Items):
    """What all kinds have in common."""

    def _document(self, kind: KindOfDocument[D], name: str) -> D | None:
        """A document, or None. Raises UnreadableItem."""
        item = self._fetch(kind.pk, name) if name else None
        return None if item is None or item.state == _DELETED else self._entity(kind.model, item)

    def _documents(self, kind: KindOfDocument[D]) -> list[D]:
        """All of a kind, by name."""
        return list(self._entities(kind.model, (item for item in self._query(kind.pk) if item.state != _DELETED)))

    def _put_document(
        self, kind: KindOfDocument[D], name: str, body: str, most: int, taken: str = "", *, read: int | None = None
    ) -> D:
        """Store a document, or replace the one of its name. Raises Conflict: for one more than `most`, and where there
        is one with the words `taken`, if any. `read` is the version that the caller means to replace, 0 for none: where
        there is another by now, that is a Conflict too."""
        now = iso(self._clock.now())
        for _ in range(_TRIES):
            item = self._fetch(kind.pk, name)
            known = item is not None and item.state != _DELETED
            if known and taken:
                raise Conflict(taken)
            if read is not None and read != (version_of(item) if known else 0):
                break
            if not known and len(self._documents(kind)) >= most:
                raise Conflict(f"there are {most} {kind.noun}s: delete one that nobody uses")
            begun = self._entity(kind.model, item).created_at if item is not None and known else now
            version = version_of(item) + 1
            fresh = kind.model(name=name, body=body, version=version, created_at=begun, updated_at=now)
            if self._put(_item(kind, fresh, _ACTIVE), as_read(item)):
                return fresh
        raise kind.taken()

    def _delete_document(self, kind: KindOfDocument[D], found: D) -> D:
        """Forget a document as it was read. Raises Conflict."""
        gone = found.model_copy(update={"body": "", "version": found.version + 1, "updated_at": iso(self._clock.now())})
        if not self._put(_item(kind, gone, _DELETED), Item.version == found.version):
            raise kind.taken()
        return gone


def _item(kind: KindOfDocument[D], document: D, state: str) -> Item:
    return Item(kind.pk, document.name, state=state, version=document.version, body=document.model_dump(mode="json"))
