"""Files that a platform sends packed, as gzip or in a zip archive.

They are stored unpacked, so that one gunzip of a raw object reads them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

from adweir.model.errors import ReportFailed, TooMuchData

_GZIP = 31  # zlib's window bits for a gzip member
_MAGIC = b"\x1f\x8b"
_PIECE = 1 << 20
_LOCAL = struct.Struct("<4s2xHH4xIII2H")
"""The header of a file in a zip archive: signature, flags, method, checksum, sizes, lengths of its name and extra."""
_FILE, _SIZES_FOLLOW, _END = b"PK\x03\x04", b"PK\x07\x08", b"PK\x05\x06"
_PLAIN, _DEFLATED = 0, 8
_ENCRYPTED, _FOLLOWS = 1, 8
_MOST_AFTER = 1 << 17
"""What may follow the only file of an archive: its sizes, its line in the directory, a comment of 64 KiB."""


def unpacked(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """A gzip file piece by piece, of any number of members (RFC 1952); what is not gzip comes as it is.

    Raises ReportFailed for a file that is damaged or cut short, TooMuchData when more than `most` bytes come out.
    """
    source = iter(chunks)
    first = b""
    for chunk in source:
        first += chunk
        if len(first) >= len(_MAGIC):  # how a connection cuts the file says nothing about it
            break
    yield from _bounded(_members(first, source) if first.startswith(_MAGIC) else _all(first, source), most)


def unzipped(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The only file of a zip archive piece by piece (PKWARE's APPNOTE, 4.3), checked at its end.

    Raises ReportFailed for an archive that is damaged, cut short, encrypted or has another number of files, TooMuchData
    when more than `most` bytes come out.
    """
    source = _Archive(iter(chunks))
    signature, flags, method, crc, packed, _, *lengths = _LOCAL.unpack(source.take(_LOCAL.size))
    if signature != _FILE or flags & _ENCRYPTED:
        raise ReportFailed("the report's file is no zip archive with a file that can be read")
    source.take(sum(lengths))
    if method == _DEFLATED:
        pieces = source.inflated()
    elif method == _PLAIN and not flags & _FOLLOWS:
        pieces = source.plain(packed)
    else:
        raise ReportFailed(f"the report's file is packed by method {method}")
    found = 0
    for piece in _bounded(pieces, most):
        found = zlib.crc32(piece, found)
        yield piece
    rest = source.rest()
    if flags & _FOLLOWS:
        crc = int.from_bytes(rest.removeprefix(_SIZES_FOLLOW)[:4], "little")
    if found != crc:
        raise ReportFailed("the report's file is damaged: its checksum is another one")
    end = rest.find(_END)  # a comment behind it may have any bytes
    files = int.from_bytes(rest[end + 10 : end + 12], "little") if end >= 0 else 0
    if files != 1:
        raise ReportFailed("the report's file is cut short" if end < 0 else f"the archive has {files} files")


def _bounded(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise TooMuchData(f"the report's file has more than {most} bytes")
        yield piece


class _Archive:
    """The bytes of an archive, each read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""

    def take(self, size: int) -> bytes:
        """The next so many bytes."""
        while len(self._held) < size:
            self._held += self._next()
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    def plain(self, size: int) -> Iterator[bytes]:
        """The next so many bytes, as they come."""
        while size:
            piece = self.take(min(size, max(len(self._held), 1)))
            size -= len(piece)
            yield piece

    def inflated(self) -> Iterator[bytes]:
        """What the next bytes are, inflated, up to the end of their stream."""
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        while not stream.eof:
            packed = stream.unconsumed_tail or self._held or self._next()
            self._held = b""
            try:
                piece = stream.decompress(packed, _PIECE)
            except zlib.error as error:
                raise ReportFailed(f"the report's file is damaged: {error}") from None
            if piece:
                yield piece
        self._held = stream.unused_data

    def rest(self) -> bytes:
        """All that is left."""
        while len(self._held) <= _MOST_AFTER:
            chunk = next(self._chunks, None)
            if chunk is None:
                return self._held
            self._held += chunk
        raise ReportFailed("the archive has more than one file")

    def _next(self) -> bytes:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise ReportFailed("the report's file is cut short")
        return chunk


def _all(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _members(first: bytes, others: Iterable[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(_GZIP)
    for chunk in _all(first, others):
        rest = chunk
        while rest:
            if member.eof:
                rest = rest.lstrip(b"\0")  # padding after a member is allowed
                member = zlib.decompressobj(_GZIP) if rest else member
                continue
            try:
                piece = member.decompress(rest, _PIECE)
            except zlib.error as error:
                raise ReportFailed(f"the report's file is damaged: {error}") from None
            if piece:
                yield piece
            rest = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise ReportFailed("the report's file is cut short")
