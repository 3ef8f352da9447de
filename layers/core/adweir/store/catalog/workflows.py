"""Stored workflows: `workflows` / `<name>`. They concern the deployment, not one client account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adweir.model import limits
from adweir.model.entities import StoredWorkflow
from adweir.model.errors import Conflict, NotFound
from adweir.model.times import iso
from adweir.store.catalog.items import Item, Items

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

_PK = "workflows"
_TRIES = 5
_ACTIVE, _DELETED = "active", "deleted"


class StoredWorkflows(Items):
    """Workflows by name, each replacement one version more."""

    def stored_workflow(self, name: str) -> StoredWorkflow | None:
        """A stored workflow, or None. Raises UnreadableItem."""
        item = self._fetch(_PK, name) if name else None
        return None if item is None or item.state == _DELETED else self._entity(StoredWorkflow, item)

    def stored_workflows(self) -> list[StoredWorkflow]:
        """All of them, by name."""
        return list(self._entities(StoredWorkflow, (item for item in self._query(_PK) if item.state != _DELETED)))

    def put_workflow(self, name: str, body: str, *, replace: bool = True) -> StoredWorkflow:
        """Store a workflow that was checked, or replace the one of its name. Raises Conflict, also where there is one
        that is not to be replaced."""
        now = iso(self._clock.now())
        for _ in range(_TRIES):
            item = self._fetch(_PK, name)
            known = item is not None and item.state != _DELETED
            if known and not replace:
                raise Conflict(f"there is a workflow {name}: replace it with PUT /api/v1/workflows/{name}")
            if not known and len(self.stored_workflows()) >= limits.MAX_WORKFLOWS:
                raise Conflict(f"there are {limits.MAX_WORKFLOWS} workflows: delete one that nobody uses")
            begun = self._entity(StoredWorkflow, item).created_at if item is not None and known else now
            version = 1 if item is None else int(item.version or 0) + 1
            fresh = StoredWorkflow(name=name, body=body, version=version, created_at=begun, updated_at=now)
            if self._put(_item(fresh, _ACTIVE), _as_read(item)):
                return fresh
        raise Conflict("someone else is replacing this workflow at the same moment; try again")

    def delete_workflow(self, name: str) -> StoredWorkflow:
        """Forget a workflow; its runs that are open go on. Raises NotFound, Conflict."""
        found = self.stored_workflow(name)
        if found is None:
            raise NotFound(f"there is no stored workflow {name[:64]!r}", [{"field": "name", "message": "is unknown"}])
        gone = found.model_copy(update={"body": "", "version": found.version + 1, "updated_at": iso(self._clock.now())})
        if not self._put(_item(gone, _DELETED), Item.version == found.version):
            raise Conflict("someone else is replacing this workflow at the same moment; try again")
        return gone


def _item(workflow: StoredWorkflow, state: str) -> Item:
    return Item(_PK, workflow.name, state=state, version=workflow.version, body=workflow.model_dump(mode="json"))


def _as_read(item: Item | None) -> Condition:
    return Item.pk.does_not_exist() if item is None else Item.version == item.version
