"""The inside of a raw object: pages as gzip members, packed by a thread, read as a stream."""

from __future__ import annotations

import gzip
import hashlib
import io
import tempfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
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
_BLOCK = 1 << 20
_BUFFER = 256 << 10


class PageLike(Protocol):
    """A page to write, such as `platforms.connector.Page`."""

    @property
    def body(self) -> bytes | Iterable[bytes]: ...
    @property
    def url(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def media(self) -> str: ...


class PageHeader(msgspec.Struct, omit_defaults=True):
    """The line before each block of a page.

    A body that came in chunks has several blocks: `more` says that the next one goes on with the same page.
    """

    length: int
    url: str = ""
    status: int = 200
    label: str = ""
    media: str = "json"
    more: bool = False


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A stored page: `number` counts from 1, `stream` yields the body once.

    `label` and `media` are the connector's: what the page is about, and how it is written.
    """

    number: int
    url: str
    status: int
    label: str
    media: str
    stream: BinaryIO


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(PageHeader).decode


def pack(page: PageLike, block: bytes, *, more: bool = False) -> bytes:
    """One block of a page as a gzip member, at level 1."""
    header = PageHeader(len(block), without_secrets(page.url), page.status, page.label, page.media, more)
    member = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    return b"".join((member.compress(_ENCODE(header) + b"\n"), member.compress(block), member.flush()))


def blocks(body: bytes | Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """A body in blocks of about a mebibyte, each with whether more follow; bytes are one block as they are."""
    if isinstance(body, bytes):
        yield body, False
        return
    waiting: list[bytes] = []
    size = 0
    for chunk in body:
        if size >= _BLOCK:
            yield b"".join(waiting), True
            waiting, size = [], 0
        waiting.append(chunk)
        size += len(chunk)
    yield b"".join(waiting), False


class PageSpool:
    """A temporary file (memory while small) of packed pages: a thread compresses while the caller fetches the next."""

    def __init__(self) -> None:
        # Closed in close(): the file outlives this function.
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._digest = hashlib.sha256()
        self._packers = ThreadPoolExecutor(_PACKERS, thread_name_prefix="raw-packer")
        self._packing: deque[Future[bytes]] = deque()
        self.pages = 0
        self.whole = True
        """False after a page that broke off: some of its blocks may be here already."""

    @property
    def file(self) -> BinaryIO:
        """The spooled bytes; to be read after `finish`."""
        return cast("BinaryIO", self._file)

    def write(self, page: PageLike) -> None:
        """Take a page; waits while too many blocks are being packed. Raises the errors of its chunks or of packing."""
        self.pages += 1
        self.whole = False
        for block, more in blocks(page.body):
            while self._packing and (self._packing[0].done() or len(self._packing) >= _WAITING_PAGES):
                self._store_first()
            self._packing.append(self._packers.submit(pack, page, block, more=more))
        self.whole = True

    def finish(self) -> bytes:
        """Wait until everything is written; returns the SHA-256 digest. Raises the errors of packing."""
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
        body = _PageBody(cast("BinaryIO", members), outer, header)
        yield StoredPage(number, header.url, header.status, header.label, header.media, cast("BinaryIO", body))
        body.drain()
    if sha256 and hashed.digest.hexdigest() != sha256:
        raise BadInput("the object's bytes are not those that were written (checksum differs)")


def _header(line: bytes) -> PageHeader:
    try:
        header = _DECODE(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"a page's header cannot be read: {error}") from None
    if header.length < 0:
        raise BadInput(f"a page's header makes no sense: length {header.length}")
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


class _PageBody(io.RawIOBase):
    """The blocks of one page, one after the other."""

    def __init__(self, source: BinaryIO, lines: _Checked, header: PageHeader) -> None:
        self._source = source
        self._lines = lines
        self._more = header.more
        self._block = _Checked(source, header.length)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(_BUFFER), b""))
        data = self._block.read(size)
        while not data and size and self._more:
            header = _header(self._lines.line())
            self._more, self._block = header.more, _Checked(self._source, header.length)
            data = self._block.read(size)
        return data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def drain(self) -> None:
        """Skip what was not read."""
        while self.read(_BUFFER):
            pass
