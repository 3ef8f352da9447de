"""The mappings that users store, and which of them counts for the files of an account's source and data type.

The nearest does: the account's own, stored through the API, else in the bucket
(`mappings/<account>/<source>/<data type>.json`); then the deployment's, in the same two places
(`mappings/<source>/<data type>.json`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adweir.model import limits
from adweir.model.errors import BadInput, NotFound
from adweir.model.mappings import Mapping, parse_mapping
from adweir.store.catalog.mappings import EVERYONE

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore

PREFIX = "mappings/"


class FileMappings:
    """The stored mappings of accounts and of the deployment."""

    def __init__(self, catalog: Catalog, raw: RawStore) -> None:
        self._catalog = catalog
        self._raw = raw

    def find(self, account_id: str, source: str, data_type: str) -> Mapping | None:
        """The mapping that counts, None where none is stored. Raises BadInput for an object that is no mapping."""
        stored = {each.account_id: each.body for each in self._catalog.mappings_for(account_id, source, data_type)}
        for owner in (account_id, EVERYONE):
            if owner in stored:
                return parse_mapping(stored[owner])
            found = self._in_bucket("/".join(part for part in (owner, source, data_type) if part), source, data_type)
            if found is not None:
                return found
        return None

    def _in_bucket(self, name: str, source: str, data_type: str) -> Mapping | None:
        key = f"{PREFIX}{name}.json"
        try:
            with self._raw.open_stream(key) as stream:
                body = stream.read(limits.MAX_BODY_BYTES)
        except NotFound:
            return None
        try:
            mapping = parse_mapping(body)  # of one that was cut off it says that it is no JSON
        except BadInput as error:
            raise BadInput(f"the mapping in {key}: {error.message}", error.details) from None
        if (mapping.source, mapping.data_type) != (source, data_type):
            raise BadInput(f"the mapping in {key} is of {mapping.source}/{mapping.data_type}: put it under its own key")
        return mapping
