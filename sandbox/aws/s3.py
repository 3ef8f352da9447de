"""S3: one bucket, strongly consistent, with conditional puts and checksums. It keeps one version of each object."""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, BinaryIO, Protocol

from botocore.response import StreamingBody

from sandbox.aws.refusals import Refused

_MOST_KEY_BYTES = 1024
_MOST_METADATA_BYTES = 2048
_MOST_DELETED = 1000
_PAGE = 1000
_AFTER_FOLDER = chr(0x10FFFF)
"""Behind all keys of a folder: a page that ends with one goes on after it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object."""

    body: bytes
    metadata: Mapping[str, str]
    at: datetime
    etag: str

    @property
    def size(self) -> int:
        return len(self.body)

    def open(self) -> BinaryIO:
        """Its bytes."""
        return BytesIO(self.body)


class StoredObject(Protocol):
    """An object, wherever its bytes are."""

    @property
    def metadata(self) -> Mapping[str, str]: ...
    @property
    def at(self) -> datetime: ...
    @property
    def etag(self) -> str: ...
    @property
    def size(self) -> int: ...
    def open(self) -> Any: ...


class Incoming(Protocol):
    """Bytes that were sent and that are no object yet."""

    @property
    def sha256(self) -> bytes: ...


class ObjectShelf(Protocol):
    """Where a bucket's objects are."""

    def take_in(self, body: bytes | BinaryIO) -> Any:
        """Read what was sent: an `Incoming`, for `keep`."""
        ...

    def keep(self, key: str, incoming: Any, metadata: Mapping[str, str], at: datetime) -> StoredObject:
        """Make it the object of this key."""
        ...

    def find(self, key: str) -> StoredObject | None:
        """An object."""
        ...

    def forget(self, key: str) -> None:
        """Delete an object; one that is gone is deleted."""
        ...

    def names(self, prefix: str, after: str) -> Iterator[str]:
        """Keys with this prefix behind that one, in the order of their UTF-8 bytes."""
        ...


@dataclass(frozen=True, slots=True)
class _InMemory:
    """Bytes that were sent."""

    data: bytes

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.data).digest()


class MemoryObjects:
    """`ObjectShelf` in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self._order: list[bytes] = []

    def take_in(self, body: bytes | BinaryIO) -> _InMemory:
        return _InMemory(body if isinstance(body, bytes) else body.read())

    def keep(self, key: str, incoming: _InMemory, metadata: Mapping[str, str], at: datetime) -> Stored:
        if key not in self.objects:
            insort(self._order, key.encode())
        self.objects[key] = Stored(incoming.data, metadata, at, etag_of(incoming.sha256))
        return self.objects[key]

    def find(self, key: str) -> Stored | None:
        return self.objects.get(key)

    def forget(self, key: str) -> None:
        if self.objects.pop(key, None) is not None:
            del self._order[bisect_left(self._order, key.encode())]

    def names(self, prefix: str, after: str) -> Iterator[str]:
        first = max(prefix.encode(), after.encode() + b"\0" if after else b"")
        for place in range(bisect_left(self._order, first), len(self._order)):
            if not self._order[place].startswith(prefix.encode()):
                return
            yield self._order[place].decode()


class S3:
    """The bucket. `arrived` is told the key of each object that was put."""

    def __init__(self, bucket: str, now: Callable[[], datetime], shelf: ObjectShelf | None = None) -> None:
        self._bucket = bucket
        self._now = now
        memory = MemoryObjects()
        self._shelf: ObjectShelf = shelf or memory
        self.objects = memory.objects
        """The objects, where they are in memory."""
        self.arrived: Callable[[str], None] = lambda _key: None

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One API call. Raises Refused."""
        calls: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "PutObject": self._put,
            "GetObject": self._get,
            "HeadObject": self._head,
            "ListObjectsV2": self._list,
            "DeleteObjects": self._delete,
        }
        if operation not in calls:
            raise NotImplementedError(f"there is no double of S3's {operation}: add it to {__file__}")
        if params["Bucket"] != self._bucket:
            raise Refused("NoSuchBucket", "The specified bucket does not exist", 404)
        return calls[operation](params)

    def _put(self, params: Mapping[str, Any]) -> dict[str, Any]:
        key, body = params["Key"], params.get("Body", b"")
        metadata = {name.lower(): value for name, value in params.get("Metadata", {}).items()}
        if len(key.encode()) > _MOST_KEY_BYTES:
            raise Refused("KeyTooLongError", "Your key is too long")
        if sum(len(name) + len(value) for name, value in metadata.items()) > _MOST_METADATA_BYTES:
            raise Refused("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
        incoming = self._shelf.take_in(body)
        checksum = params.get("ChecksumSHA256")
        if checksum and base64.b64encode(incoming.sha256).decode() != checksum:
            raise Refused("BadDigest", "The SHA256 you specified did not match the calculated checksum.")
        there = self._shelf.find(key)
        if params.get("IfNoneMatch") == "*" and there is not None:
            raise Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        wanted = params.get("IfMatch")
        if wanted and there is None:
            raise Refused("NoSuchKey", "The specified key does not exist.", 404)
        if wanted and there is not None and there.etag != wanted:
            raise Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        stored = self._shelf.keep(key, incoming, metadata, self._now())
        self.arrived(key)
        return {"ETag": stored.etag}

    def _get(self, params: Mapping[str, Any]) -> dict[str, Any]:
        found = self._shelf.find(params["Key"])
        if found is None:
            raise Refused("NoSuchKey", "The specified key does not exist.", 404)
        return about(found) | {"Body": StreamingBody(found.open(), found.size)}

    def _head(self, params: Mapping[str, Any]) -> dict[str, Any]:
        found = self._shelf.find(params["Key"])
        if found is None:
            raise Refused("404", "Not Found", 404)  # an answer without a body has no other code
        return about(found)

    def _list(self, params: Mapping[str, Any]) -> dict[str, Any]:
        most = min(params.get("MaxKeys", _PAGE), _PAGE)
        prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
        after = params.get("ContinuationToken") or params.get("StartAfter", "")
        page: list[str] = []
        folders: dict[str, None] = {}
        is_whole, last = True, ""
        for key in self._shelf.names(prefix, after):
            name, mark, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            folder = f"{prefix}{name}{mark}" if mark else ""
            if folder in folders:
                continue
            if len(page) + len(folders) == most:
                is_whole = False
                break
            if folder:
                folders[folder] = None
            else:
                page.append(key)
            last = f"{folder}{_AFTER_FOLDER}" if folder else key
        answer: dict[str, Any] = {"IsTruncated": not is_whole, "KeyCount": len(page) + len(folders)}
        if folders:
            answer["CommonPrefixes"] = [{"Prefix": folder} for folder in folders]
        found = [(key, stored) for key in page if (stored := self._shelf.find(key)) is not None]
        if found:
            answer["Contents"] = [
                {"Key": key, "Size": each.size, "LastModified": each.at, "ETag": each.etag} for key, each in found
            ]
        if not is_whole:
            answer["NextContinuationToken"] = last
        return answer

    def _delete(self, params: Mapping[str, Any]) -> dict[str, Any]:
        named = [each["Key"] for each in params["Delete"]["Objects"]]
        if not 1 <= len(named) <= _MOST_DELETED:
            raise Refused("MalformedXML", "The XML you provided was not well-formed or did not validate")
        for key in named:
            self._shelf.forget(key)
        return {} if params["Delete"].get("Quiet") else {"Deleted": [{"Key": key} for key in named]}


def etag_of(sha256: bytes) -> str:
    """An object's tag."""
    return f'"{sha256.hex()[:32]}"'


def about(stored: StoredObject) -> dict[str, Any]:
    """What an answer says of an object, beside its bytes."""
    return {
        "ContentLength": stored.size,
        "LastModified": stored.at,
        "ETag": stored.etag,
        "Metadata": dict(stored.metadata),
    }
