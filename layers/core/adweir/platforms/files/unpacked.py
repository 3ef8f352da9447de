"""What is inside of a dropped file: itself, one gzip stream, or the one file of a zip archive.

Nothing is ever written under a name that stands in an archive, and nothing is unpacked that was packed twice.
"""

from __future__ import annotations

import gzip
import io
import re
from typing import BinaryIO, NoReturn, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

from adweir.model import limits
from adweir.model.errors import BadInput

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_SPREADSHEET = "is a spreadsheet; save the sheet as CSV"
_OTHERS = (
    (b"7z\xbc\xaf\x27\x1c", "is packed by 7-Zip; pack it by gzip or zip"),
    (b"Rar!", "is packed by RAR; pack it by gzip or zip"),
    (b"BZh", "is packed by bzip2; pack it by gzip or zip"),
    (b"\xfd7zXZ", "is packed by xz; pack it by gzip or zip"),
    (b"\x28\xb5\x2f\xfd", "is packed by Zstandard; pack it by gzip or zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _SPREADSHEET),
    (b"%PDF-", "is a PDF; export the numbers as CSV"),
)
_IN_SPREADSHEETS = re.compile(r"xl/|\[Content_Types\]\.xml$|content\.xml$|Index/")
_LITTER = re.compile(r"__MACOSX/|.*\.DS_Store$|.*/$")
"""What systems put into archives beside the files: folders, and notes of their own."""
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x1 | 0x40


def unpacked(stream: BinaryIO, most: int) -> BinaryIO:
    """The content of a seekable stream, unread, of at most `most` bytes where an archive says how many it has.

    Raises BadInput for what is packed in another way, twice, or is a known format that is no table.
    """
    head = _head(stream)
    check_head(head)
    if head.startswith(GZIP):
        return cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb"))
    if head.startswith((ZIP, _EMPTY_ZIP)):
        return _only_file(stream, most)
    return stream


def check_head(head: bytes, *, inside: bool = False) -> None:
    """Raises BadInput for content that begins as no table does; `inside` an archive also for an archive."""
    for magic, says in _OTHERS:
        if head.startswith(magic):
            _refuse(f"the file {says}")
    if inside and head.startswith((GZIP, ZIP)):
        _refuse("the file is packed twice; pack it once")


def _head(stream: BinaryIO) -> bytes:
    stream.seek(0)
    head = stream.read(8)
    stream.seek(0)
    return head


def _only_file(stream: BinaryIO, most: int) -> BinaryIO:
    try:
        archive = ZipFile(cast("BinaryIO", _Frugal(stream)))
        info = _chosen(archive, most)
        return cast("BinaryIO", archive.open(info))
    except (BadZipFile, ValueError, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        _refuse(f"the zip archive is damaged: {str(error)[:200]}")


def _chosen(archive: ZipFile, most: int) -> ZipInfo:
    names = [info.filename for info in archive.infolist()]
    for name in names:
        parts = re.split(r"[/\\]", name)
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or not name.isprintable():
            _refuse(f"the zip archive has a file whose name leads out of it: {name[:100]!r}")
    if any(map(_IN_SPREADSHEETS.match, names)):
        _refuse(f"the file {_SPREADSHEET}")
    files = [info for info in archive.infolist() if not _LITTER.match(info.filename)]
    if len(files) != 1:
        _refuse(f"the zip archive has {len(files)} files; drop each on its own, or one per archive")
    (info,) = files
    if info.flag_bits & _ENCRYPTED:
        _refuse("the zip archive is encrypted; drop the file without a password")
    if info.compress_type not in {_STORED, _DEFLATED}:
        _refuse(f"the zip archive is packed by method {info.compress_type}; pack it by Deflate")
    if info.file_size > most:
        _refuse(f"the file unpacks to more than {most} bytes", "size")
    return info


class _Frugal(io.RawIOBase):
    """A seekable stream whose single reads are bounded: a directory says itself how large it is."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if size > limits.MAX_ZIP_DIRECTORY_BYTES:
            raise ValueError(f"its directory has more than {limits.MAX_ZIP_DIRECTORY_BYTES} bytes")
        return self._stream.read(size)  # without a size, it is the 64 KiB in which an archive ends

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _refuse(message: str, rule: str = "format") -> NoReturn:
    raise BadInput(message, [{"field": "file", "rule": rule}])
