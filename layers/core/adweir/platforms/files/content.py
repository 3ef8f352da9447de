"""A dropped file's content: unpacked, as UTF-8, and never larger than is reasonable."""

from __future__ import annotations

import zlib
from typing import BinaryIO
from zipfile import BadZipFile

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.platforms.encodings import text_head
from adweir.platforms.files.unpacked import check_head, unpacked

_PEEK = 8


class Content:
    """The file from its first byte on, without a byte order mark.

    The stream must be seekable; it is read from its start. `size` is the stored file's, to recognise a bomb. `encoding`
    is that of a file without a byte order mark; UTF-8 is not checked here, so that a line can be at fault alone.
    """

    def __init__(self, stream: BinaryIO, size: int, encoding: str = "") -> None:
        self._most = min(
            limits.MAX_DROP_UNPACKED_BYTES, max(limits.MIN_DROP_UNPACKED_BYTES, size * limits.MAX_DROP_RATIO)
        )
        self._source = unpacked(stream, self._most)
        self._total = 0
        self._ready = b""
        head = self._take(_PEEK)
        check_head(head, inside=self._source is not stream)
        mark, self._decode = text_head(head, encoding)
        self._held = head[mark:]

    def read(self, size: int) -> bytes:
        """About so many bytes; none at the end.

        Raises BadInput when packed data is corrupt or cut off, for text that is not in its encoding, and when it is
        more than is reasonable.
        """
        if self._ready:
            data, self._ready = self._ready, b""
            return data
        while True:
            data = self._held + self._take(size)
            self._held = b""
            if self._decode is None:
                return data
            text = self._decode(data, not data)
            if text or not data:
                return text

    def skip(self, size: int) -> None:
        """Leave out so many bytes of what `read` gives."""
        while size > 0:
            data = self.read(min(size, 1 << 20))
            if not data:
                return
            self._ready, size = data[size:], size - len(data)

    def _take(self, size: int) -> bytes:
        try:
            data = self._source.read(size)
        except (OSError, EOFError, zlib.error, BadZipFile) as error:
            raise BadInput(f"the packed file is damaged: {error}", [{"field": "file", "rule": "packed"}]) from None
        self._total += len(data)
        if self._total > self._most:
            raise BadInput(f"the file unpacks to more than {self._most} bytes", [{"field": "file", "rule": "size"}])
        return data
