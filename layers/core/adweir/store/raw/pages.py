"""The inside of a raw object: pages as gzip members, packed by a thread, read as a stream."""

from __future__ import annotations

import gzip
import hashlib
import io
import tempfile
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

import msgspec

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.model.urls import without_secrets

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_GZIP = 31  # zlib's window bits for a gzip member; its header carries no time, so the same pages give the same bytes
_IN_MEMORY = 4 << 20
_PACKERS = 1  # a second one only competes with the fetching thread: bench/pull.py
_WAITING_PAGES = 4
_BUFFER = 256 << 10


class PageLike(Protocol):
    """What a page to write has; `platforms.base.Page` does."""

    @property
    def body(self) -> bytes: ...
    @property
    def url(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def encoding(self) -> str: ...


class PageHeader(msgspec.Struct):
    """The line before each body. `encoding` is "gzip" when the body itself is a gzip file."""

    length: int
    url: str = ""
    status: int = 200
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A stored page: `number` counts from 1, `stream` yields the body once, decompressed if it was a gzip file."""

    number: int
    url: str
    status: int
    encoding: str
    stream: BinaryIO


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(PageHeader).decode


def pack(page: PageLike) -> bytes:
    """One page as a gzip member, at level 1 (0 where the body is compressed already)."""
    header = PageHeader(len(page.body), without_secrets(page.url), page.status, page.encoding)
    member = zlib.compressobj(0 if page.encoding else 1, zlib.DEFLATED, _GZIP)
    return b"".join((member.compress(_ENCODE(header) + b"\n"), member.compress(page.body), member.flush()))


class PageSpool:
    """A temporary file (memory while small) of packed pages: a thread compresses while the caller fetches the next."""

    def __init__(self) -> None:
        # Closed in close(): the file outlives this function.
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._digest = hashlib.sha256()
        self._packers = ThreadPoolExecutor(_PACKERS, thread_name_prefix="raw-packer")
        self._packing: deque[Future[bytes]] = deque()
        self.pages = 0

    @property
    def file(self) -> BinaryIO:
        """The spooled bytes; to be read after `finish`."""
        return cast("BinaryIO", self._file)

    def write(self, page: PageLike) -> None:
        """Take a page; waits while too many are in work. Raises what packing an earlier one met."""
        while self._packing and (self._packing[0].done() or len(self._packing) >= _WAITING_PAGES):
            self._store_first()
        self.pages += 1
        self._packing.append(self._packers.submit(pack, page))

    def finish(self) -> bytes:
        """Wait until everything is written; returns the SHA-256 digest. Raises what packing met."""
        while self._packing:
            self._store_first()
        return self._digest.digest()

    def close(self) -> None:
        """Stop the thread and drop the file."""
        self._packers.shutdown(cancel_futures=True)
        self._file.close()

    def _store_first(self) -> None:
        member = self._packing.popleft().result()
        self._digest.update(member)
        self._file.write(member)


def read_pages(source: io.RawIOBase, sha256: str = "") -> Iterator[StoredPage]:
    """Stream the pages of a raw object. Raises BadInput for truncated, corrupt or (by `sha256`, hex) altered bytes."""
    hashed = _Hashed(source)
    members = gzip.GzipFile(fileobj=io.BufferedReader(hashed, _BUFFER), mode="rb")
    outer = _Checked(cast("BinaryIO", members), None)
    number = 0
    while line := outer.line():
        number += 1
        header = _header(line)
        body = _Checked(cast("BinaryIO", members), header.length)
        stream: io.RawIOBase = body
        if header.encoding == "gzip":
            stream = _Checked(cast("BinaryIO", gzip.GzipFile(fileobj=io.BufferedReader(body, _BUFFER))), None)
        yield StoredPage(number, header.url, header.status, header.encoding, cast("BinaryIO", stream))
        body.drain()
    if sha256 and hashed.digest.hexdigest() != sha256:
        raise BadInput("the object's bytes are not those that were written (checksum differs)")


def _header(line: bytes) -> PageHeader:
    try:
        header = _DECODE(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"a page's header cannot be read: {error}") from None
    if header.length < 0 or header.encoding not in {"", "gzip"}:
        raise BadInput(f"a page's header makes no sense: length {header.length}, encoding {header.encoding[:20]!r}")
    return header


class _Hashed(io.RawIOBase):
    """Passes bytes through and hashes them."""

    def __init__(self, source: io.RawIOBase) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        count = self._source.readinto(view) or 0
        self.digest.update(view[:count])
        return count


class _Checked(io.RawIOBase):
    """`length` bytes of a stream (None: to its end); gzip's faults and an early end become BadInput."""

    def __init__(self, source: BinaryIO, length: int | None) -> None:
        self._source = source
        self._left = length

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if self._left is not None:
            size = self._left if size < 0 else min(size, self._left)
        if size == 0:
            return b""
        try:
            data = self._source.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BadInput(f"the object is truncated or corrupt: {error}") from None
        if self._left is not None:
            self._left -= len(data)
            if not data and self._left:
                raise BadInput(f"the object ends {self._left} bytes too early")
        return data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def line(self) -> bytes:
        """A header line, b"" at the end."""
        try:
            line = self._source.readline(limits.MAX_PAGE_HEADER_BYTES)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BadInput(f"the object is truncated or corrupt: {error}") from None
        if line and not line.endswith(b"\n"):
            raise BadInput("a page's header does not end")
        return line

    def drain(self) -> None:
        """Skip what was not read."""
        while self._left and self.read(_BUFFER):
            pass
