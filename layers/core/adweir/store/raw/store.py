"""The raw store: one S3 bucket, one object per task with what the platform sent.

An object is a series of gzip members, one per page (or per block of a page that came in chunks); each begins with a
one-line JSON header `{"length", "url", …}` (`PageHeader`), then exactly `length` bytes of body.
"""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple
from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model.closing import Closing
from adweir.model.errors import AdweirError, BadInput, NotFound, Unavailable
from adweir.store.raw.header import PullHeader
from adweir.store.raw.pages import PageLike, PageSpool, StoredPage, read_pages

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

__all__ = ["ObjectHead", "ObjectInfo", "PageLike", "PullHeader", "RawObject", "RawStore", "RawWriter", "StoredPage"]

_EXISTS = frozenset({"PreconditionFailed", "412"})
_CONFLICT = frozenset({"ConditionalRequestConflict", "409"})
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchBucket", "NotFound", "404"})
_PUT_TRIES = 3
_DELETED_AT_ONCE = 1000
"""S3's limit."""
_BUFFER = 256 << 10


class ObjectInfo(NamedTuple):
    """An entry of a listing."""

    key: str
    size: int
    last_modified: datetime
    etag: str = ""
    """Another one where the content is another."""


class ObjectHead(NamedTuple):
    """The properties of one version of an object."""

    size: int
    last_modified: datetime
    version_id: str
    metadata: dict[str, str]


class RawObject(Closing):
    """A raw object opened for reading, once; a context manager.

    `header` says which pull made it, `last_modified` is S3's time of this version.
    """

    def __init__(
        self,
        header: PullHeader,
        last_modified: datetime,
        version_id: str,
        body: Any,
        sha256: str,
        open_part: Callable[[str], RawObject],
    ) -> None:
        self._open_part = open_part
        self.header = header
        self.last_modified = last_modified
        self.version_id = version_id
        self._body = body
        self._sha256 = sha256

    def pages(self) -> Iterator[StoredPage]:
        """The pages in order, those of earlier parts first, each readable until the next is asked for.

        Memory does not grow with the object.

        Raises BadInput for a truncated or corrupt object, also when only its checksum differs (after the last page:
        use what you read only when the iteration ended), Unavailable when S3 breaks off.
        """
        with self:
            number = 0
            for part in self.header.parts:
                opened = self._open_part(self.header.part_key(part))
                if opened.header.parts:
                    opened.close()
                    raise BadInput("a part of a pull has no parts of its own")
                for page in opened.pages():
                    number += 1
                    yield replace(page, number=number)
            for page in read_pages(_Download(self._body), self._sha256):
                number += 1
                yield replace(page, number=number)

    def close(self) -> None:
        """Release the connection."""
        self._body.close()


class RawWriter(Closing):
    """Writes one raw object: pages go to a thread that compresses and spools them, `commit` puts the object.

    A context manager; leaving it without `commit` puts nothing. `existed` is True when the object had landed before.
    """

    def __init__(self, store: RawStore, header: PullHeader) -> None:
        self._store = store
        self._header = header
        self._spool = PageSpool()
        self.existed = False

    def write(self, page: PageLike) -> None:
        """Hand over a page; waits while several are being packed. Raises the errors of packing an earlier one."""
        self._spool.write(page)

    def commit(self, complete: bool) -> str:  # noqa: FBT001  the contract of the other rooms
        """Put the object unless it is there already (then that one stays), and return its key. Raises Unavailable."""
        digest = self._spool.finish()
        header = replace(self._header, complete=complete)
        self.existed = not self._store.put_once(
            header.key,
            self._spool.file,
            header.metadata() | {"sha256": digest.hex(), "pages": str(self._spool.pages)},
            "application/gzip",
            sha256=digest,
        )
        return header.key

    def keep(self, part: int) -> None:
        """Put what was written as a part of the pull, to be named by the object that ends it. Raises Unavailable."""
        digest = self._spool.finish()
        header = replace(self._header, parts=())
        metadata = header.metadata() | {"sha256": digest.hex()}
        self._store.put_once(header.part_key(part), self._spool.file, metadata, "application/gzip", sha256=digest)

    @property
    def pages(self) -> int:
        """How many pages were written."""
        return self._spool.pages

    @property
    def whole(self) -> bool:
        """Whether each page was written to its end."""
        return self._spool.whole

    def close(self) -> None:
        """Let go of the pages that were not put."""
        self._spool.close()


class RawStore:
    """The bucket: raw objects, and plain objects of the other prefixes.

    All methods raise NotFound for a missing object and Unavailable when S3 does not do what was asked.
    """

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket

    def writer(self, header: PullHeader) -> RawWriter:
        """A writer for the one object of this header's task and generation."""
        return RawWriter(self, header)

    def open(self, key: str, version_id: str = "") -> RawObject:
        """Open a raw object. Raises NotFound, BadInput (metadata that is not a pull's), Unavailable."""
        answer = self._get(key, version_id)
        try:
            header = PullHeader.parse(answer["Metadata"])
        except AdweirError:
            answer["Body"].close()
            raise
        return RawObject(
            header,
            answer["LastModified"],
            answer.get("VersionId", ""),
            answer["Body"],
            answer["Metadata"].get("sha256", ""),
            self.open,
        )

    def put_once(
        self,
        key: str,
        body: bytes | BinaryIO,
        metadata: Mapping[str, str] | None = None,
        content_type: str = "application/octet-stream",
        *,
        sha256: bytes | None = None,
    ) -> bool:
        """Put an object if the key is free (`If-None-Match: *`). Returns whether this call made it.

        With `sha256` (the digest) S3 checks what it received.
        """
        check: dict[str, Any] = {} if sha256 is None else {"ChecksumSHA256": base64.b64encode(sha256).decode()}
        for attempt in range(1, _PUT_TRIES + 1):
            if not isinstance(body, bytes):
                body.seek(0)
            try:
                self._s3.put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=body,
                    Metadata=dict(metadata or {}),
                    ContentType=content_type,
                    IfNoneMatch="*",
                    **check,
                )
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in _EXISTS:
                    return False
                # Another writer is putting the same key at this moment; S3 asks to try again.
                if code not in _CONFLICT or attempt == _PUT_TRIES:
                    raise _translated(error, key) from error
            except BotoCoreError as error:
                raise _translated(error, key) from error
            else:
                return True
        raise AssertionError("unreachable: the last attempt returns or raises")

    def put(
        self,
        key: str,
        body: bytes | BinaryIO,
        metadata: Mapping[str, str] | None = None,
        content_type: str = "application/octet-stream",
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Put an object, replacing what is there. It has the tags from its first moment.

        Returns the version's id, "" in a bucket that keeps none.
        """
        tagging: dict[str, Any] = {"Tagging": urlencode(tags)} if tags else {}
        with _errors(key):
            answer = self._s3.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                Metadata=dict(metadata or {}),
                ContentType=content_type,
                **tagging,
            )
            return str(answer.get("VersionId", ""))

    def tagged(self, key: str) -> tuple[bytes, str] | None:
        """A whole object and the tag by which `swap` knows it again; None where there is none."""
        try:
            with _errors(key):
                answer = self._s3.get_object(Bucket=self.bucket, Key=key)
                return answer["Body"].read(), answer["ETag"]
        except NotFound:
            return None

    def swap(self, key: str, body: bytes, tag: str) -> bool:
        """Replace an object that still is the one with this tag, or make it where the tag is ""; False if it is not.

        A try whose answer was lost may have replaced it: False then, as if somebody else had.
        """
        return bool(self.swapped(key, body, tag))

    def swapped(
        self,
        key: str,
        body: bytes,
        tag: str,
        metadata: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> str:
        """The same as `swap`: the tag of what is there then, "" where nothing was replaced."""
        condition: dict[str, Any] = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
        try:
            answer = self._s3.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                Metadata=dict(metadata or {}),
                ContentType=content_type,
                **condition,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _EXISTS | _CONFLICT | {"NoSuchKey"}:  # it may have expired
                return ""
            raise _translated(error, key) from error
        except BotoCoreError as error:
            raise _translated(error, key) from error
        return str(answer["ETag"])

    def tag(self, key: str, tags: Mapping[str, str], version_id: str = "") -> None:
        """Give a version of an object these tags, by which it may expire, instead of those that it has."""
        extra: dict[str, Any] = {"VersionId": version_id} if version_id else {}
        named: list[Any] = [{"Key": name, "Value": value} for name, value in tags.items()]
        with _errors(key):
            self._s3.put_object_tagging(Bucket=self.bucket, Key=key, Tagging={"TagSet": named}, **extra)

    def get_bytes(self, key: str, version_id: str = "") -> bytes:
        """A whole object: for small ones."""
        with _errors(key):
            body: bytes = self._get(key, version_id)["Body"].read()
            return body

    def open_stream(self, key: str, version_id: str = "", begin: int = 0) -> BinaryIO:
        """An object as a binary stream, from its byte `begin` on; the caller closes it."""
        return io.BufferedReader(_Download(self._get(key, version_id, begin)["Body"]), _BUFFER)

    def metadata(self, key: str) -> dict[str, str]:
        """An object's user metadata."""
        return self.head(key).metadata

    def head(self, key: str, version_id: str = "") -> ObjectHead:
        """Size, time, version and user metadata, without the body."""
        extra: dict[str, Any] = {"VersionId": version_id} if version_id else {}
        with _errors(key):
            answer = self._s3.head_object(Bucket=self.bucket, Key=key, **extra)
            return ObjectHead(
                answer["ContentLength"], answer["LastModified"], answer.get("VersionId", ""), dict(answer["Metadata"])
            )

    def probe(self) -> None:
        """Ask the bucket for nothing. Raises Unavailable when it does not answer, or is not there."""
        try:
            self._s3.list_objects_v2(Bucket=self.bucket, Prefix="health", MaxKeys=1)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"the bucket answers {_code(error)}") from error

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        try:
            self.metadata(key)
        except NotFound:
            return False
        return True

    def list(self, prefix: str, start_after: str = "") -> Iterator[ObjectInfo]:
        """Objects under a prefix in key order, page by page."""
        with _errors(prefix):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix, StartAfter=start_after
            )
            for page in pages:
                for item in page.get("Contents", []):
                    yield ObjectInfo(item["Key"], item["Size"], item["LastModified"], item.get("ETag", ""))

    def folders(self, prefix: str) -> Iterator[str]:
        """The names between a prefix and the next slash behind it, in order. Ten thousand objects below one are one."""
        with _errors(prefix):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
            for page in pages:
                for item in page.get("CommonPrefixes", []):
                    yield item["Prefix"][len(prefix) : -1]

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is gone is deleted."""
        left = [*keys]
        for at in range(0, len(left), _DELETED_AT_ONCE):
            named: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in left[at : at + _DELETED_AT_ONCE]]
            with _errors(left[at]):
                answer = self._s3.delete_objects(Bucket=self.bucket, Delete={"Objects": named, "Quiet": True})
            for error in answer.get("Errors", ()):
                raise Unavailable(f"cannot delete {error.get('Key', '')}: {error.get('Code', '')}")

    def presign(self, key: str, seconds: int = 900) -> str:
        """A URL that downloads the object without other credentials, valid for this many seconds.

        A browser stores it as a file, and never shows it as a page of the bucket's.
        """
        saved = f'attachment; filename="{key.rpartition("/")[2]}"'
        params = {"Bucket": self.bucket, "Key": key, "ResponseContentDisposition": saved}
        return self._s3.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds)

    def _get(self, key: str, version_id: str, begin: int = 0) -> Any:
        extra: dict[str, Any] = {"VersionId": version_id} if version_id else {}
        extra |= {"Range": f"bytes={begin}-"} if begin else {}
        with _errors(key):
            return self._s3.get_object(Bucket=self.bucket, Key=key, **extra)


class _Download(io.RawIOBase):
    """A get_object body as a stream whose faults are ours: Unavailable instead of botocore's."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        with _errors("an object while it was read"):
            data: bytes = self._body.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


def _code(error: ClientError | BotoCoreError) -> str:
    """AWS's word for it; of a request without an answer, botocore's."""
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__


def _translated(error: ClientError | BotoCoreError, key: str) -> AdweirError:
    code = _code(error)
    if code in _MISSING:
        return NotFound(f"no object {key}", key=key)
    return Unavailable(f"S3 answers {code} for {key}", key=key, aws_code=code)


@contextlib.contextmanager
def _errors(key: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise _translated(error, key) from error
