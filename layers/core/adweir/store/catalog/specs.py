"""Stored descriptions of APIs: `specs` / `<name>`. They concern the deployment, not one client account."""

from __future__ import annotations

from adweir.model import limits
from adweir.model.entities import SourceSpec
from adweir.model.errors import NotFound
from adweir.store.catalog.named import KindOfDocument, NamedDocuments

_SPECS = KindOfDocument("specs", SourceSpec, "spec")


class SourceSpecs(NamedDocuments):
    """Specs: stored by name, each replacement one version more."""

    def spec(self, name: str) -> SourceSpec:
        """A stored spec. Raises NotFound, UnreadableItem."""
        found = self._document(_SPECS, name)
        if found is None:
            message = f"there is no spec {name[:64]!r}: store it with PUT /api/v1/specs/{name[:64]}"
            raise NotFound(message, [{"field": "spec", "message": "is unknown"}])
        return found

    def spec_text(self, name: str) -> str:
        """The JSON of a stored spec. Raises NotFound, UnreadableItem."""
        # Not self.spec: keys of some accounts may not look at specs, which pulls of their ad accounts still need.
        return SourceSpecs.spec(self, name).body

    def specs(self) -> list[SourceSpec]:
        """All of them, by name."""
        return self._documents(_SPECS)

    def put_spec(self, name: str, body: str) -> SourceSpec:
        """Store a spec that was checked, or replace the one of its name. Raises Conflict."""
        return self._put_document(_SPECS, name, body, limits.MAX_SPECS)

    def delete_spec(self, name: str) -> SourceSpec:
        """Forget a spec. Raises NotFound, Conflict."""
        return self._delete_document(_SPECS, self.spec(name))
