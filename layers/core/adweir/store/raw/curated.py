"""The objects of `curated/`, which are replaced where their content differs, and what they were made of."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from adweir.model.errors import NotFound

if TYPE_CHECKING:
    from adweir.store.raw.store import RawStore

_PARQUET, _GZIP = "application/vnd.apache.parquet", "application/gzip"
_ENDING = ".json.gz"


class CuratedObjects:
    """Parquet objects, each with the hash of its content in its metadata. All methods raise Unavailable."""

    def __init__(self, objects: RawStore) -> None:
        self._objects = objects

    def keep(
        self, key: str, file: Path | None, about: Mapping[str, str], ensure: Callable[[], None] = lambda: None
    ) -> bool:
        """Have the object be this file, or not be there for None; says whether that changed anything.

        `ensure` is called right before something changes, and may raise.
        """
        try:
            before = self._objects.metadata(key).get("sha256", "")
        except NotFound:
            before = None
        if file is None:
            if before is not None:
                ensure()
                self._objects.delete([key])
            return before is not None
        with file.open("rb") as body:
            digest = hashlib.file_digest(body, "sha256").hexdigest()
            if before == digest:
                return False
            body.seek(0)
            ensure()
            self._objects.put(key, body, {**about, "sha256": digest}, _PARQUET)
        return True

    def fetch(self, key: str, target: Path) -> bool:
        """Copy an object into a file; False where there is none."""
        try:
            target.write_bytes(self._objects.get_bytes(key))
        except NotFound:
            return False
        return True

    def state(self, key: str) -> dict[str, Any]:
        """What was put under a key with `put_state`; empty without any."""
        try:
            found: dict[str, Any] = msgspec.json.decode(gzip.decompress(self._objects.get_bytes(f"{key}{_ENDING}")))
        except NotFound:
            return {}
        return found

    def state_put_at(self, key: str) -> datetime:
        """S3's time of a state, in whole seconds. Raises NotFound."""
        return self._objects.head(f"{key}{_ENDING}").last_modified

    def worker(self, key: str) -> str:
        """Whose state is kept under a key; "" without any."""
        try:
            return self._objects.metadata(f"{key}{_ENDING}").get("worker", "")
        except NotFound:
            return ""

    def put_state(self, key: str, state: Mapping[str, Any], worker: str = "") -> None:
        """Keep a state in place of the one before."""
        body = gzip.compress(msgspec.json.encode(state), compresslevel=1, mtime=0)
        self._objects.put(f"{key}{_ENDING}", BytesIO(body), {"worker": worker}, _GZIP)

    def states(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix that have a state."""
        for found in self._objects.list(prefix):
            yield found.key.removesuffix(_ENDING)

    def forget_state(self, key: str) -> None:
        """Delete a state; one that is gone is deleted."""
        self._objects.delete([f"{key}{_ENDING}"])
