"""Text in any encoding → UTF-8: what a byte order mark says, else what is known of the file."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import NamedTuple

from adweir.model.errors import BadInput

_BOMS = (
    # UTF-32 before UTF-16, whose little-endian mark it begins with.
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARK_BYTES = 4
_UTF8 = "utf-8"
Recoder = Callable[[bytes, bool], bytes]
"""What makes UTF-8 of the next piece of a text; the flag says that it is the last one. Raises BadInput."""


class TextHead(NamedTuple):
    """How a text begins: the length of its byte order mark, and what makes UTF-8 of the rest, None where it is that."""

    mark: int
    recode: Recoder | None


def text_head(head: bytes, encoding: str = "") -> TextHead:
    """How a text with these first bytes, at least four where it has them, is read. Raises BadInput.

    `encoding` is that of a text without a byte order mark; UTF-8 where it is "".
    """
    mark, found = next(((mark, name) for mark, name in _BOMS if head.startswith(mark)), (b"", encoding or _UTF8))
    return TextHead(len(mark), None if _is_utf8(found) else _recoder(found))


def utf8_of(chunks: Iterator[bytes], encoding: str = "") -> Iterator[bytes]:
    """The text that comes in these chunks as UTF-8, without its mark; no chunk is empty. Raises BadInput.

    That UTF-8 is UTF-8 is not checked.
    """
    head = b""
    while len(head) < _MARK_BYTES and (chunk := next(chunks, b"")):
        head += chunk
    mark, recode = text_head(head, encoding)
    chunk = head[mark:]
    while chunk:
        found = recode(chunk, False) if recode else chunk  # noqa: FBT003  as codecs have it
        if found:
            yield found
        chunk = next(chunks, b"")
    if recode and (rest := recode(b"", True)):  # noqa: FBT003  as above
        yield rest


def _is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("_", "-") in {_UTF8, "utf8", "utf-8-sig"}


def _recoder(encoding: str) -> Recoder:
    """Raises BadInput for an unknown encoding."""
    try:
        "".encode(encoding)  # refuses what Python calls a codec and is no encoding of text
        decode = codecs.getincrementaldecoder(encoding)("strict").decode
    except LookupError:
        raise BadInput(f"no encoding {encoding[:40]!r} is known", [{"field": "file", "rule": "encoding"}]) from None

    def recoded(data: bytes, final: bool) -> bytes:  # noqa: FBT001  as codecs have it
        try:
            return decode(data, final).encode()
        except UnicodeError:
            raise BadInput(f"the file is not {encoding} text", [{"field": "file", "rule": "encoding"}]) from None

    return recoded
