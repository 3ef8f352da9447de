"""Stored descriptions of APIs: `specs` / `<name>`. They concern the deployment, not one client account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adweir.model import limits
from adweir.model.entities import SourceSpec
from adweir.model.errors import Conflict, NotFound
from adweir.model.times import iso
from adweir.store.catalog.items import Item, Items

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

_PK = "specs"
_TRIES = 5
_ACTIVE, _DELETED = "active", "deleted"


class SourceSpecs(Items):
    """Specs: stored by name, each replacement one version more."""

    def spec(self, name: str) -> SourceSpec:
        """A stored spec. Raises NotFound, UnreadableItem."""
        item = self._fetch(_PK, name) if name else None
        if item is None or item.state == _DELETED:
            message = f"there is no spec {name[:64]!r}: store it with PUT /api/v1/specs/{name[:64]}"
            raise NotFound(message, [{"field": "spec", "message": "is unknown"}])
        return self._entity(SourceSpec, item)

    def spec_text(self, name: str) -> str:
        """The JSON of a stored spec. Raises NotFound, UnreadableItem."""
        # Not self.spec: keys of some accounts may not look at specs, which pulls of their ad accounts still need.
        return SourceSpecs.spec(self, name).body

    def specs(self) -> list[SourceSpec]:
        """All of them, by name."""
        return list(self._entities(SourceSpec, (item for item in self._query(_PK) if item.state != _DELETED)))

    def put_spec(self, name: str, body: str) -> SourceSpec:
        """Store a spec that was checked, or replace the one of its name. Raises Conflict."""
        now = iso(self._clock.now())
        for _ in range(_TRIES):
            item = self._fetch(_PK, name)
            known = item is not None and item.state != _DELETED
            if not known and len(self.specs()) >= limits.MAX_SPECS:
                raise Conflict(f"there are {limits.MAX_SPECS} specs: delete one that nobody uses")
            begun = self._entity(SourceSpec, item).created_at if item is not None and known else now
            version = 1 if item is None else int(item.version or 0) + 1
            fresh = SourceSpec(name=name, body=body, version=version, created_at=begun, updated_at=now)
            if self._put(_item(fresh, _ACTIVE), _as_read(item)):
                return fresh
        raise Conflict("someone else is replacing this spec at the same moment; try again")

    def delete_spec(self, name: str) -> SourceSpec:
        """Forget a spec. Raises NotFound, Conflict."""
        found = self.spec(name)
        gone = found.model_copy(update={"version": found.version + 1, "updated_at": iso(self._clock.now())})
        if not self._put(_item(gone, _DELETED), Item.version == found.version):
            raise Conflict("someone else is replacing this spec at the same moment; try again")
        return gone


def _item(spec: SourceSpec, state: str) -> Item:
    return Item(_PK, spec.name, state=state, version=spec.version, body=spec.model_dump(mode="json"))


def _as_read(item: Item | None) -> Condition:
    return Item.pk.does_not_exist() if item is None else Item.version == item.version
