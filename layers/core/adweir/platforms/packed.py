"""Files that a platform sends packed: they are stored unpacked, so that one gunzip of a raw object reads them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from adweir.model.errors import ReportFailed, TooMuchData

_GZIP = 31  # zlib's window bits for a gzip member
_MAGIC = b"\x1f\x8b"
_PIECE = 1 << 20


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
    pieces = _members(first, source) if first.startswith(_MAGIC) else _all(first, source)
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise TooMuchData(f"the report's file has more than {most} bytes")
        yield piece


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
