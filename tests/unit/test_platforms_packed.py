"""Packed files: they come out as they went in, and a damaged one never comes out as a whole one."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adweir.model.errors import ReportFailed, TooMuchData
from adweir.platforms.packed import unpacked

MOST = 1 << 20


def in_chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.integers(1, 900), st.integers(0, 20))
def test_any_number_of_members_comes_out_whole(members: list[bytes], size: int, padding: int) -> None:
    packed = b"".join(gzip.compress(member) for member in members) + bytes(padding)
    assert b"".join(unpacked(in_chunks(packed, size), MOST)) == b"".join(members)


@given(st.lists(st.binary(max_size=500), max_size=4).filter(lambda it: not b"".join(it).startswith(b"\x1f\x8b")))
def test_what_is_not_packed_comes_as_it_is(chunks: list[bytes]) -> None:
    assert b"".join(unpacked(chunks, MOST)) == b"".join(chunks)


def is_intact(packed: bytes, content: bytes) -> bool:
    """Whether Python's own gzip still reads the content."""
    try:
        return gzip.decompress(packed) == content
    except (EOFError, OSError, zlib.error):
        return False


@given(st.binary(min_size=1, max_size=2000), st.data())
def test_a_damaged_file_has_failed(content: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(content)
    position = data.draw(st.integers(10, len(packed) - 1))
    if data.draw(st.booleans()):
        damaged = packed[:position]
    else:
        damaged = (
            packed[:position] + bytes([packed[position] ^ data.draw(st.integers(1, 255))]) + packed[position + 1 :]
        )
    assume(not is_intact(damaged, content))  # the padding bits after the last block may have any value
    with pytest.raises(ReportFailed):
        list(unpacked([damaged], MOST))


@pytest.mark.parametrize(("size", "fits"), [(MOST, True), (MOST + 1, False)])
def test_a_file_that_unpacks_to_too_much_is_refused(size: int, fits: bool) -> None:
    packed = [gzip.compress(bytes(size))]
    if fits:
        assert sum(map(len, unpacked(packed, MOST))) == size
    else:
        with pytest.raises(TooMuchData):
            list(unpacked(packed, MOST))
