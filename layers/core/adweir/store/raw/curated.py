"""The objects of `curated/`, which are replaced where their content differs, and what they were made of."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from adweir.model.errors import NotFound, UnreadableItem

if TYPE_CHECKING:
    from adweir.store.raw.store import RawStore

_PARQUET = "application/vnd.apache.parquet"
_ENDING = ".json.gz"
_WORKER, _DIGEST = "worker", "digest"
UNKNOWN = "?"
"""In place of a digest: something may be there."""
_hash = partial(hashlib.blake2b, digest_size=16)


class Kept(NamedTuple):
    """What an object is now: a digest of its content, "" where it is not there; and whether that is new."""

    digest: str
    is_new: bool


class TaggedState(NamedTuple):
    """A state, and the tag by which it is known again; "" without any."""

    document: dict[str, Any]
    tag: str


class CuratedObjects:
    """Parquet objects, each with a digest of its content in its metadata. All methods raise Unavailable."""

    def __init__(self, objects: RawStore) -> None:
        self._objects = objects

    def keep(
        self, key: str, file: Path | None, before: str | None = None, ensure: Callable[[], None] = lambda: None
    ) -> Kept:
        """Have the object be this file, or not be there for None.

        `before`: its digest now, as far as the caller knows; None has it looked up. `ensure` is called right before
        something changes, and may raise.
        """
        there = self.digest(key) if before is None else before
        if file is None:
            if there:
                ensure()
                self._objects.delete([key])
            return Kept("", bool(there))
        with file.open("rb") as body:
            digest = hashlib.file_digest(body, _hash).hexdigest()
            if there == digest:
                return Kept(digest, is_new=False)
            body.seek(0)
            ensure()
            self._objects.put(key, body, {_DIGEST: digest}, _PARQUET)
        return Kept(digest, is_new=True)

    def digest(self, key: str) -> str:
        """Of the content of an object, as it was put with it; "" where there is none."""
        try:
            return self._objects.metadata(key).get(_DIGEST, UNKNOWN)
        except NotFound:
            return ""

    def fetch(self, key: str, target: Path) -> str:
        """Copy an object into a file: a digest of its content, "" where there is none."""
        try:
            body = self._objects.get_bytes(key)
        except NotFound:
            return ""
        target.write_bytes(body)
        return _hash(body).hexdigest()

    def tagged(self, key: str) -> tuple[bytes, str] | None:
        """A whole object and the tag by which it is known again; None where there is none."""
        return self._objects.tagged(key)

    def swap(self, key: str, body: bytes, tag: str) -> bool:
        """Put an object in place of the one with this tag, of none for ""; False where another one is there by now."""
        return bool(self._objects.swapped(key, body, tag, content_type=_PARQUET))

    def state(self, key: str) -> TaggedState:
        """What was put under a key; empty without any. Raises UnreadableItem, which names the object."""
        found = self._objects.tagged(f"{key}{_ENDING}")
        if found is None:
            return TaggedState({}, "")
        body, tag = found
        try:
            return TaggedState(msgspec.json.decode(gzip.decompress(body), type=dict[str, Any]), tag)
        except (OSError, EOFError, zlib.error, msgspec.DecodeError) as error:
            name = f"{key}{_ENDING}"
            raise UnreadableItem(f"the object {name} cannot be read: {error}"[:300], key=name) from error

    def state_put_at(self, key: str) -> datetime:
        """S3's time of a state, in whole seconds. Raises NotFound."""
        return self._objects.head(f"{key}{_ENDING}").last_modified

    def worker(self, key: str) -> str:
        """Whose state is kept under a key; "" without any."""
        try:
            return self._objects.metadata(f"{key}{_ENDING}").get(_WORKER, "")
        except NotFound:
            return ""

    def swap_state(self, key: str, state: Mapping[str, Any], tag: str, worker: str = "") -> str:
        """Keep a state in place of the one with this tag: its tag. "" where another one is there by now."""
        return self._objects.swapped(f"{key}{_ENDING}", _packed(state), tag, {_WORKER: worker})

    def states(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix that have a state."""
        for found in self._objects.list(prefix):
            yield found.key.removesuffix(_ENDING)

    def forget_state(self, key: str) -> None:
        """Delete a state; one that is gone is deleted."""
        self._objects.delete([f"{key}{_ENDING}"])


def _packed(state: Mapping[str, Any]) -> bytes:
    return gzip.compress(msgspec.json.encode(state), compresslevel=1, mtime=0)
