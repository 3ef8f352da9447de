"""Packed files: they come out as they went in, and a damaged one never comes out as a whole one."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adweir.model.errors import ReportFailed, TooMuchData
from adweir.platforms.packed import unpacked, unzipped

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


# -- zip archives ----------------------------------------------------------------------------------------------------


class _OneWay(io.BytesIO):
    """A file that cannot be gone back in, so that sizes follow what they are about."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError("one way")


def archive(*contents: bytes, method: int = zipfile.ZIP_DEFLATED, one_way: bool = False, comment: bytes = b"") -> bytes:
    file = _OneWay() if one_way else io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for number, content in enumerate(contents):
            made.writestr(f"{number}.csv", content)
        made.comment = comment
    return file.getvalue()


@given(
    st.binary(max_size=5000),
    st.integers(1, 900),
    st.sampled_from([(zipfile.ZIP_DEFLATED, False), (zipfile.ZIP_DEFLATED, True), (zipfile.ZIP_STORED, False)]),
    st.binary(max_size=20),
)
def test_the_file_of_an_archive_comes_out_whole(content: bytes, size: int, how: tuple[int, bool], note: bytes) -> None:
    packed = archive(content, method=how[0], one_way=how[1], comment=note)
    assert b"".join(unzipped(in_chunks(packed, size), MOST)) == content


@given(st.binary(min_size=1, max_size=2000), st.booleans(), st.data())
def test_an_archive_that_is_cut_short_has_failed(content: bytes, one_way: bool, data: st.DataObject) -> None:
    packed = archive(content, one_way=one_way)
    with pytest.raises(ReportFailed):
        list(unzipped([packed[: data.draw(st.integers(0, len(packed) - 22))]], MOST))


@given(st.binary(min_size=20, max_size=2000), st.booleans(), st.data())
def test_a_damaged_content_is_noticed(content: bytes, one_way: bool, data: st.DataObject) -> None:
    packed = archive(content, method=zipfile.ZIP_DEFLATED, one_way=one_way)
    place = data.draw(st.integers(35, 35 + len(zlib.compress(content)) - 7))  # within the stream of deflate
    damaged = packed[:place] + bytes([packed[place] ^ data.draw(st.integers(1, 255))]) + packed[place + 1 :]
    with suppress(ReportFailed, TooMuchData):
        assert b"".join(unzipped([damaged], MOST)) == content  # a bit that means nothing


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"", "cut short"),
        (b"<html>" + bytes(60), "no zip archive"),
        (archive(), "cut short"),
        (archive(b"one", b"two"), "2 files"),
        (archive(b"one", bytes(200_000), method=zipfile.ZIP_STORED), "more than one file"),
        (archive(b"one", method=zipfile.ZIP_BZIP2), "method 12"),
    ],
)
def test_what_is_no_archive_of_one_file_has_failed(packed: bytes, said: str) -> None:
    with pytest.raises(ReportFailed, match=said):
        list(unzipped([packed], MOST))


def test_an_archive_that_unpacks_to_too_much_is_refused() -> None:
    assert len(b"".join(unzipped([archive(bytes(MOST))], MOST))) == MOST
    with pytest.raises(TooMuchData):
        list(unzipped([archive(bytes(MOST + 1))], MOST))
