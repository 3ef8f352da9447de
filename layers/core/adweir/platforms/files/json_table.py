"""JSON as a table: an array of objects, an object with one array of them, or an object per line.

A column is a member of the objects; of an object inside of one, its members are columns named `outer.inner`. Numbers
are texts as they are written (`plain_values`), null is an empty cell, an array its JSON text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import BinaryIO, NamedTuple, cast

import msgspec

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow
from adweir.platforms import json_text
from adweir.platforms.files.content import Content
from adweir.platforms.files.lines import error
from adweir.platforms.files.plain_values import number_text
from adweir.platforms.files.text_lines import Cells, Chunk, TextLines
from adweir.platforms.json_array import read_array
from adweir.platforms.json_items import UNREADABLE

_HEAD = 1 << 20
_TOGETHER = 2_000
_SHOWN = 2_000
_DEEP = 5
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_string = msgspec.json.Decoder(str).decode
_WORDS = {b"null": "", b"true": "true", b"false": "false"}
_SPACE = b" \t\r\n"


class _Item(NamedTuple):
    """An object of the file, as text; None: it is too long."""

    number: int
    text: bytes | None


def begins_json(head: bytes) -> bool:
    """Whether content is JSON by how it begins."""
    return re.match(rb'\s*(\[\s*[\[{\]]|\{\s*["}])', head) is not None


class JsonTable:
    """A JSON file. Raises BadInput where it holds no objects."""

    def __init__(self, open_content: Callable[[], Content]) -> None:
        self._open = open_content
        self._items = _layout(open_content)
        self.header = _columns(self._items())

    def chunks(self) -> Iterator[Chunk]:
        """The rows, by the number of their object, or of their line. Raises BadInput for malformed JSON."""
        items = self._items()
        while some := list(islice(items, _TOGETHER)):
            numbers, texts, rows, bad = list[int](), list[str](), list[Cells](), list[BadRow]()
            for number, text in some:
                shown = (text or b"")[:_SHOWN].decode("utf-8", "replace")
                try:
                    cells = _cells(text)
                except ValueError as fault:
                    bad.append(BadRow(number, shown, [error("", "json", str(fault))]))
                    continue
                numbers.append(number)
                texts.append(shown)
                rows.append([cells.get(name, "") for name in self.header])
            yield Chunk(numbers, texts, rows, bad)


def _columns(items: Iterable[_Item]) -> list[str]:
    """All columns of the file: an object need not have each."""
    found: dict[str, None] = {}
    for _, text in items:
        try:
            cells = _cells(text, names_only=True)
        except ValueError:
            continue  # reported as a row
        if not cells.keys() <= found.keys():
            found |= dict.fromkeys(cells)
            if len(found) > limits.MAX_DROP_COLUMNS:
                most = f"the file has over {limits.MAX_DROP_COLUMNS} columns"
                raise BadInput(most, [{"field": "header", "rule": "columns"}])
    if not found:
        raise BadInput("the file holds no JSON objects", [{"field": "header", "rule": "required"}])
    return list(found)


def _cells(text: bytes | None, *, names_only: bool = False) -> dict[str, str]:
    """An object's cells by column. Raises ValueError that says what is wrong with it."""
    if text is None:
        raise ValueError("is too long")
    made: dict[str, str] = {}
    try:
        _add(made, "", _object(text), names_only=names_only)
    except UNREADABLE:
        whole = json_text.without_half_pairs(text)
        if whole == text:
            raise ValueError("is not a JSON object") from None
        return _cells(whole, names_only=names_only)
    return made


def _add(made: dict[str, str], before: str, members: Mapping[str, msgspec.Raw], *, names_only: bool) -> None:
    for name, raw in members.items():
        value = bytes(raw)
        column = before + name.strip() if before else name.strip()
        if value[:1] == b"{" and column.count(".") < _DEEP:
            _add(made, f"{column}.", _object(value), names_only=names_only)
        else:
            made[column] = "" if names_only else _value(value)


def _value(value: bytes) -> str:
    first = value[:1]
    if first == b'"':
        return _string(value).replace("\0", "\ufffd").strip()
    if first in b"[{":
        return value.decode("utf-8", "replace")
    word = _WORDS.get(value)
    return number_text(value.decode()) if word is None else word


def _layout(open_content: Callable[[], Content]) -> Callable[[], Iterator[_Item]]:
    """Where the objects are: what gives them, each time from the first."""
    content = open_content()
    head = content.read(_HEAD)
    while len(head) < _HEAD and (more := content.read(_HEAD)):
        head += more
    start = len(head) - len(head.lstrip(_SPACE))
    if head[start : start + 1] == b"[":
        return lambda: _elements(open_content(), 0, None)
    if _is_by_line(head):
        return lambda: _by_line(open_content())
    start = _array_in(head)
    end = _end_of_array(open_content())
    return lambda: _elements(open_content(), start, end)


def _is_by_line(head: bytes) -> bool:
    """Whether the first line is an object, and either others follow or it is a row itself."""
    first, _, rest = head.lstrip(_SPACE).partition(b"\n")
    try:
        members = _object(first)
    except UNREADABLE:
        return False
    return bool(rest.strip(_SPACE)) or not any(bytes(value)[:2] in {b"[{", b"[]"} for value in members.values())


def _by_line(content: Content) -> Iterator[_Item]:
    lines = TextLines(content)
    while (block := lines.block()) is not None:
        lines.wait(block)
        while lines.waiting:
            line = lines.next()
            if line.data is None or line.data.strip():
                yield _Item(lines.passed_lines, line.data)


def _elements(content: Content, start: int, end: int | None) -> Iterator[_Item]:
    content.skip(start)
    part = cast("BinaryIO", _FirstBytes(content, None if end is None else end - start))
    for piece in read_array(part, msgspec.Raw, max_piece=limits.MAX_DROP_ITEM_BYTES):
        for number, raw in enumerate(piece.rows, piece.first):
            if number > limits.MAX_DROP_LINES:
                most = f"the file has more than {limits.MAX_DROP_LINES} rows; split it"
                raise BadInput(most, [{"field": "file", "rule": "lines"}])
            text = bytes(raw) if isinstance(raw, msgspec.Raw) else raw.raw
            yield _Item(number, text if len(text) <= limits.MAX_DROP_ITEM_BYTES else None)


def _array_in(head: bytes) -> int:
    """Where an object's first array of objects begins."""
    text, decoder = head.decode("utf-8", "replace"), json.JSONDecoder()
    at = text.index("{") + 1
    try:
        while True:
            name = re.compile(r"\s*,?\s*").match(text, at)
            _, at = decoder.raw_decode(text, name.end() if name else at)
            colon = re.compile(r"\s*:\s*").match(text, at)
            if colon is None:
                break
            at = colon.end()
            if re.compile(r"\[\s*\{").match(text, at):
                return len(text[:at].encode())
            _, at = decoder.raw_decode(text, at)
    except (ValueError, RecursionError):
        pass  # refused below
    raise BadInput("the file is a JSON object without an array of objects", [{"field": "file", "rule": "json"}])


def _end_of_array(content: Content) -> int:
    """Where the object's last array ends: what follows it are the object's other members."""
    total, tail = 0, b""
    while data := content.read(_HEAD):
        total, tail = total + len(data), (tail + data)[-_HEAD:]
    at = tail.rfind(b"]")
    while at >= 0:
        try:
            _object(b'{"":0' + tail[at + 1 :])
        except UNREADABLE:
            at = tail.rfind(b"]", 0, at)
        else:
            return total - len(tail) + at + 1
    raise BadInput("the JSON object has no end, or more than one array", [{"field": "file", "rule": "json"}])


class _FirstBytes:
    """The first bytes of a content, as a stream."""

    def __init__(self, content: Content, left: int | None) -> None:
        self._content, self._left = content, left

    def read(self, size: int) -> bytes:
        data = self._content.read(size)
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        return data
