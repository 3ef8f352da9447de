"""Changes of bytes, whatever they mean: flips, cuts, splices, other encodings, damaged and exploding gzip."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from functools import cache
from random import Random

_INSERTED = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\r", b"\n", b"\r\n", b'"', b"'", b",", b";", b"\t", b"{",
    b"}", b"[", b"]", b":", b"\\", b"\x1f\x8b", b"%", b"&", b"=", b".", b"-", b"0", b"\x1b", b"PK\x03\x04",
)  # fmt: skip


def _flip(data: bytes, at: int, rng: Random) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _set(data: bytes, at: int, rng: Random) -> bytes:
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _insert(data: bytes, at: int, rng: Random) -> bytes:
    return data[:at] + rng.choice(_INSERTED) * rng.choice((1, 1, 1, 2, 50)) + data[at:]


def _cut_out(data: bytes, at: int, rng: Random) -> bytes:
    return data[:at] + data[at + rng.choice((1, 2, 8, 64)) :]


def _double(data: bytes, at: int, rng: Random) -> bytes:
    piece = data[at : at + rng.choice((1, 8, 64, 512))]
    return data[:at] + piece * rng.choice((2, 2, 30)) + data[at:]


def _truncate(data: bytes, at: int, _rng: Random) -> bytes:
    return data[:at]


def _behead(data: bytes, at: int, _rng: Random) -> bytes:
    return data[at:]


_CHANGES: tuple[Callable[[bytes, int, Random], bytes], ...] = (
    _flip, _flip, _set, _insert, _insert, _cut_out, _double, _truncate, _behead,
)  # fmt: skip


def damaged(data: bytes, rng: Random, others: Sequence[bytes] = ()) -> bytes:
    """The bytes with one to three changes; now and then spliced with another input, or in another encoding."""
    kind = rng.random()
    if kind < 0.05 and others:
        other = rng.choice(others)
        return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]
    if kind < 0.08:
        return data.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-7")))
    for _ in range(rng.randint(1, 3)):
        if data:
            data = rng.choice(_CHANGES)(data, rng.randrange(len(data)), rng)
    return data


def digits(data: bytes, rng: Random) -> bytes:
    """The bytes with some digits changed: dates that do not exist, other codes, other amounts."""
    share = rng.choice((0.0, 0.05, 0.3))
    return bytes(rng.choice(b"0123456789") if 48 <= byte < 58 and rng.random() < share else byte for byte in data)


def packed(data: bytes, rng: Random) -> bytes:
    """Gzip of the bytes: whole, in several members, with something after it, damaged, cut short, twice, or a bomb."""
    made = gzip.compress(data, 1, mtime=0)
    kind = rng.random()
    if kind < 0.3:
        return made
    if kind < 0.4:
        at = rng.randrange(len(data) + 1)
        return gzip.compress(data[:at], 1, mtime=0) + gzip.compress(data[at:], 1, mtime=0)
    if kind < 0.5:
        return made + rng.choice((b"\0" * 512, b"x", b"\x1f\x8b", b"\x1f\x8b\x08\x00"))
    if kind < 0.9:
        return damaged(made, rng)
    if kind < 0.97:
        return gzip.compress(made, 1, mtime=0)
    return bomb(rng)


def bomb(rng: Random) -> bytes:
    """Gzip of one to four mebibytes of the same byte."""
    return _bomb(rng.choice((b"0", b"[", b"\n", b" ", b"\x00")), rng.randint(1, 4))


@cache
def _bomb(byte: bytes, mebibytes: int) -> bytes:
    return gzip.compress(byte * (mebibytes << 20), 9, mtime=0)
