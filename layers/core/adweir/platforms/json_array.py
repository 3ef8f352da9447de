"""Streams one huge JSON array of objects, typed, in bounded memory.

Amazon's reports are a single JSON array of up to gigabytes. The stream is read in pieces of about a quarter of a
mebibyte, which stay in a processor's cache, and each is cut where one object ends and the next begins (`},{`, white
space allowed). Such text may also stand inside a string or a nested array, but then the text before it is not a
sequence of whole elements and does not decode: a cut that decodes is right, and one that does not is moved. So no
hand-written parser is needed, and the speed is msgspec's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Generic, NamedTuple, TypeVar, cast

import msgspec

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.platforms import json_text

T = TypeVar("T")
U = TypeVar("U")

CHUNK = 1 << 18

_SPACE = b" \t\r\n"
BOUNDARY = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")
_TRIES = 4
_RAW = msgspec.json.Decoder(list[msgspec.Raw])


class Unreadable(NamedTuple):
    """An element that is well-formed JSON but not of the requested type: its bytes and what is wrong with it."""

    raw: bytes
    message: str


class Piece(NamedTuple, Generic[T]):
    """Some consecutive elements; `first` is the 1-based position of the first one in the array, `text` an array of them
    alone."""

    first: int
    rows: list[T | Unreadable]
    text: bytes

    def again(self, row_type: type[U]) -> Piece[U]:
        """The same elements as another type. Raises BadInput where that shows that they are not well-formed."""
        rows = _decode(self.text, msgspec.json.Decoder(list[row_type]))  # type: ignore[valid-type]
        if rows is None:
            raise BadInput(f"malformed JSON after row {self.first - 1}", row=self.first)
        return Piece(self.first, rows, self.text)


def read_array(
    stream: BinaryIO,
    row_type: type[T],
    *,
    chunk: int = CHUNK,
    max_piece: int = limits.MAX_PIECE_BYTES,
    boundary: re.Pattern[bytes] = BOUNDARY,
) -> Iterator[Piece[T]]:
    """Yield the array's elements, in order, decoded as `row_type`.

    An element of another type comes as `Unreadable`. Raises BadInput, after the elements before the fault, when the
    bytes are not a JSON array, end too early, go on after its end, or hold a single element over `max_piece` bytes.
    Where elements hold many objects of their own, as the batches of a stream do, `boundary` finds the places between
    elements: it matches from the `}` before to the `{` after, whose neighbourhood it may look at.
    """
    decoder = msgspec.json.Decoder(list[row_type])  # type: ignore[valid-type]
    cut = partial(_cut, decoder=decoder, pattern=boundary)
    buffer, first, want = _opening(stream, chunk), 1, chunk
    longest = max_piece + len(",{")  # with less, the end of an element of that length cannot be seen
    while True:
        read = stream.read(max(want - len(buffer), chunk))
        if not read:
            break
        buffer += read
        if len(buffer) < want:
            continue
        piece, used = cut(buffer, first)
        if piece:
            yield piece
            first += len(piece.rows)
            buffer, want = buffer[used:], chunk
        elif len(buffer) >= longest:
            raise BadInput(f"no row ends within {max_piece} bytes after row {first - 1}", row=first)
        else:
            want = min(len(buffer) * 2, longest)
    yield from _closing(buffer, decoder, first)


def _opening(stream: BinaryIO, chunk: int) -> bytes:
    """Read up to and without the array's opening bracket; return the bytes read beyond it."""
    head = b""
    while True:
        read = stream.read(chunk)
        head = (head + read).removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
        if head.startswith(b"["):
            return head[1:]
        if not read or len(head) > 2:
            raise BadInput("not a JSON array" if head else "empty document")


def _cut(
    buffer: bytes, first: int, decoder: msgspec.json.Decoder[list[T]], pattern: re.Pattern[bytes]
) -> tuple[Piece[T] | None, int]:
    """Decode the elements before one of the last boundaries: (elements, bytes used), or (None, 0) if none fits."""
    end = len(buffer)
    for _ in range(_TRIES):
        found = _last_boundary(buffer, end, pattern)
        if found is None:
            break
        end, after = found
        text = b"[" + buffer[:end] + b"]"
        rows = _decode(text, decoder)
        if rows is not None:
            return Piece(first, rows, text), after
    return None, 0


def _last_boundary(buffer: bytes, before: int, pattern: re.Pattern[bytes]) -> tuple[int, int] | None:
    """The last boundary that starts before byte `before - 1`: (end of its element, start of the next)."""
    span = 1 << 14
    stop = before
    while stop > 0:
        start = max(0, stop - span)
        found = None
        for found in pattern.finditer(buffer, start, before):  # noqa: B007  the last one is wanted
            pass
        if found:
            return found.start() + 1, found.end() - 1
        stop, span = start, span * 4
    return None


def _closing(buffer: bytes, decoder: msgspec.json.Decoder[list[T]], first: int) -> Iterator[Piece[T]]:
    rest = buffer.rstrip(_SPACE)
    if not rest.endswith(b"]"):
        raise BadInput(f"the JSON array is truncated after row {first - 1}", row=first)
    if rest == b"]" and first > 1:
        raise BadInput(f"a row is missing after row {first - 1}", row=first)
    text = b"[" + rest
    rows = _decode(text, decoder)
    if rows is None:
        raise BadInput(f"malformed JSON after row {first - 1}", row=first)
    if rows:
        yield Piece(first, rows, text)


def _decode(array: bytes, decoder: msgspec.json.Decoder[list[T]]) -> list[T | Unreadable] | None:
    """Elements of a small array, one by one where one of them is wrong; None when its brackets do not match.

    Half of a surrogate pair is read as U+FFFD; an element that no parser takes (NaN, nesting too deep) is `Unreadable`.
    """
    try:
        return cast("list[T | Unreadable]", decoder.decode(array))
    except msgspec.ValidationError:
        found = _elements(array)
    except RecursionError:
        found = _elements_by_brackets(array)
    except (msgspec.DecodeError, UnicodeDecodeError):
        whole = json_text.without_half_pairs(array)
        if whole != array:
            return _decode(whole, decoder)
        found = _elements_by_brackets(array)
    if found is None:
        return None
    return [row for element in found for row in _one(element, decoder)]


def _elements(array: bytes) -> list[bytes] | None:
    try:
        return [bytes(element) for element in _RAW.decode(array)]
    except (msgspec.DecodeError, RecursionError):
        return _elements_by_brackets(array)


def _elements_by_brackets(array: bytes) -> list[bytes] | None:
    try:
        return list(json_text.elements(array))
    except ValueError:
        return None


def _one(element: bytes, decoder: msgspec.json.Decoder[list[T]]) -> list[T] | list[Unreadable]:
    """The one element, in a list."""
    try:
        return decoder.decode(b"[" + element + b"]")
    except RecursionError:
        return [Unreadable(element, "nested too deep")]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return [Unreadable(element, str(error).replace(" - at `$[0]", " - at `$"))]
