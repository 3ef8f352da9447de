"""Stored workflows: `workflows` / `<name>`. They concern the deployment, not one client account."""

from __future__ import annotations

from adweir.model import limits
from adweir.model.entities import StoredWorkflow
from adweir.model.errors import NotFound
from adweir.store.catalog.named import KindOfDocument, NamedDocuments

_WORKFLOWS = KindOfDocument("workflows", StoredWorkflow, "workflow")


class StoredWorkflows(NamedDocuments):
    """Workflows by name, each replacement one version more."""

    def stored_workflow(self, name: str) -> StoredWorkflow | None:
        """A stored workflow, or None. Raises UnreadableItem."""
        return self._document(_WORKFLOWS, name)

    def stored_workflows(self) -> list[StoredWorkflow]:
        """All of them, by name."""
        return self._documents(_WORKFLOWS)

    def put_workflow(self, name: str, body: str, *, replace: bool = True, read: int | None = None) -> StoredWorkflow:
        """Store a workflow that was checked, or replace the one of its name. Raises Conflict, also where there is one
        that is not to be replaced, or that has not the version that was `read` (0: there was none)."""
        taken = "" if replace else f"there is a workflow {name}: replace it with PUT /api/v1/workflows/{name}"
        return self._put_document(_WORKFLOWS, name, body, limits.MAX_WORKFLOWS, taken, read=read)

    def delete_workflow(self, name: str, read: int | None = None) -> StoredWorkflow:
        """Forget a workflow; its runs that are open go on. Raises NotFound, and Conflict where it has not the version
        that was `read`, if one is given."""
        found = self.stored_workflow(name)
        if found is None:
            raise NotFound(f"there is no stored workflow {name[:64]!r}", [{"field": "name", "message": "is unknown"}])
        if read not in {None, found.version}:
            raise _WORKFLOWS.taken()
        return self._delete_document(_WORKFLOWS, found)
