"""S3: one bucket, strongly consistent, with conditional puts and checksums. It keeps one version of each object."""

from __future__ import annotations

import base64
import hashlib
from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from botocore.response import StreamingBody

from simulation.aws.refusals import Refused

_MOST_KEY_BYTES = 1024
_MOST_METADATA_BYTES = 2048
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """An object."""

    body: bytes
    metadata: Mapping[str, str]
    at: datetime
    etag: str

    @property
    def head(self) -> dict[str, Any]:
        return {
            "ContentLength": len(self.body),
            "LastModified": self.at,
            "ETag": self.etag,
            "Metadata": dict(self.metadata),
        }


class S3:
    """The bucket. `arrived` is told the key of each object that was put."""

    def __init__(self, bucket: str, now: Callable[[], datetime]) -> None:
        self._bucket = bucket
        self._now = now
        self.objects: dict[str, Stored] = {}
        self._order: list[bytes] = []
        self.arrived: Callable[[str], None] = lambda _key: None

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One API call. Raises Refused."""
        calls: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "PutObject": self._put,
            "GetObject": self._get,
            "HeadObject": self._head,
            "ListObjectsV2": self._list,
        }
        if operation not in calls:
            raise NotImplementedError(f"the simulation has no double of S3's {operation}: add it to {__file__}")
        if params["Bucket"] != self._bucket:
            raise Refused("NoSuchBucket", "The specified bucket does not exist", 404)
        return calls[operation](params)

    def _put(self, params: Mapping[str, Any]) -> dict[str, Any]:
        key, body = params["Key"], params.get("Body", b"")
        data = body if isinstance(body, bytes) else body.read()
        metadata = {name.lower(): value for name, value in params.get("Metadata", {}).items()}
        if len(key.encode()) > _MOST_KEY_BYTES:
            raise Refused("KeyTooLongError", "Your key is too long")
        if sum(len(name) + len(value) for name, value in metadata.items()) > _MOST_METADATA_BYTES:
            raise Refused("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
        checksum = params.get("ChecksumSHA256")
        if checksum and base64.b64encode(hashlib.sha256(data).digest()).decode() != checksum:
            raise Refused("BadDigest", "The SHA256 you specified did not match the calculated checksum.")
        if params.get("IfNoneMatch") == "*" and key in self.objects:
            raise Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        wanted = params.get("IfMatch")
        if wanted and key not in self.objects:
            raise Refused("NoSuchKey", "The specified key does not exist.", 404)
        if wanted and self.objects[key].etag != wanted:
            raise Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        if key not in self.objects:
            insort(self._order, key.encode())
        etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        self.objects[key] = Stored(data, metadata, self._now(), etag)
        self.arrived(key)
        return {"ETag": etag}

    def _get(self, params: Mapping[str, Any]) -> dict[str, Any]:
        found = self.objects.get(params["Key"])
        if found is None:
            raise Refused("NoSuchKey", "The specified key does not exist.", 404)
        return found.head | {"Body": StreamingBody(BytesIO(found.body), len(found.body))}

    def _head(self, params: Mapping[str, Any]) -> dict[str, Any]:
        found = self.objects.get(params["Key"])
        if found is None:
            raise Refused("404", "Not Found", 404)  # an answer without a body has no other code
        return found.head

    def _list(self, params: Mapping[str, Any]) -> dict[str, Any]:
        prefix, most = params.get("Prefix", ""), min(params.get("MaxKeys", _PAGE), _PAGE)
        after = (params.get("ContinuationToken") or params.get("StartAfter", "")).encode()
        begin = prefix.encode()
        keys = [key.decode() for key in self._order if key.startswith(begin) and key > after]
        page = keys[:most]
        answer: dict[str, Any] = {"IsTruncated": len(keys) > most, "KeyCount": len(page)}
        if page:
            found = ((key, self.objects[key]) for key in page)
            answer["Contents"] = [
                {"Key": key, "Size": len(each.body), "LastModified": each.at, "ETag": each.etag} for key, each in found
            ]
        if len(keys) > most:
            answer["NextContinuationToken"] = page[-1]
        return answer
