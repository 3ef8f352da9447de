"""CSV of any tool (RFC 4180, and what spreadsheets make of it): blocks of lines, rows of cells.

Most blocks are split at once. One with a fault, or with a line break inside quotes, is read line by line. A quote that
does not end must not take the rest of the file with it, so a record of several lines is one only if it has the
header's number of cells, is no longer than a line may be, and no line inside of it looks like a record itself. Else its
first line alone is at fault.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow
from adweir.platforms.files.content import Content
from adweir.platforms.files.lines import error
from adweir.platforms.files.text_lines import Cells, Chunk, FilePlace, Lines, TextLines

_DELIMITERS = (",", ";", "\t", "|")
_SEP = re.compile(r'"?sep=(.)"?\s*')
"""What Excel reads and writes as the first line."""
_SHOWN = 2_000
_SAMPLE_LINES = 20
"""Lines after a header that tell which delimiter it is."""
_TELLING_CELLS = 4
"""Cells of a line inside quotes that looks like a record: fewer are found in any text."""
_TOGETHER = 2_000
"""Records that were read one by one and are handed on together."""


@dataclass(frozen=True)
class Form:
    """What is known of a file's form; what is not is found out.

    `preamble`: lines before the header. Without it, the header is the first line whose cells `is_header` takes, and
    where none does, the first that is neither empty nor a comment. `is_footer` says of the cells of a row that has
    another number of them than the header whether it is no record, such as a total.
    """

    delimiter: str = ""
    encoding: str = ""
    preamble: int | None = None
    is_header: Callable[[Sequence[str]], bool] | None = None
    is_footer: Callable[[Sequence[str]], bool] | None = None


ANY = Form()


class Delimited:
    """A CSV file: its header's cells, then its rows. Raises BadInput where it has no header."""

    def __init__(self, open_content: Callable[[], Content], form: Form = ANY) -> None:
        self._open = open_content
        self._is_footer = form.is_footer
        self.delimiter, self.header, self._start = _header(TextLines(open_content()), form)
        self._width = len(self.header)

    def chunks(self) -> Iterator[Chunk]:
        """The rows. Raises BadInput when the file as a whole cannot be read, also after good rows."""
        content = self._open()
        content.skip(self._start.offset)
        lines = TextLines(content, self._start)
        while (block := lines.block()) is not None:
            found = self._split(block, lines) if isinstance(block, bytes) else None
            if found is None:
                lines.wait(block)
                yield from self._one_by_one(lines)
            else:
                yield found

    def _split(self, block: bytes, lines: TextLines) -> Chunk | None:
        """The rows of a block in which there is nothing special."""
        try:
            text = block.decode()
        except UnicodeDecodeError:
            return None
        text = text.replace("\r\n", "\n") if "\r" in text else text
        texts, mark = Lines(text.removesuffix("\n")), self.delimiter
        # A character has at most four bytes.
        if "\0" in text or "\r" in text or texts.has_longer(limits.MAX_DROP_LINE_BYTES // 4):
            return None
        columns = None if '"' in text else self._columns(text, len(texts))
        if columns is not None:
            first = lines.passed(len(texts))
            return Chunk(range(first, first + len(texts)), texts, None, (), columns)
        try:
            rows = list(csv.reader(texts, delimiter=mark, strict=True)) if '"' in text else []
        except csv.Error:
            return None
        if len(rows) != len(texts) or set(map(len, rows)) != {self._width} or (self._width == 1 and "" in texts):
            return None
        first = lines.passed(len(texts))
        return Chunk(range(first, first + len(texts)), texts, rows, ())

    def _columns(self, text: str, count: int) -> list[list[str]] | None:
        """The columns of lines without quotes, split at once: half of the time; None where a line has other cells."""
        width, mark = self._width, self.delimiter
        cells = text.removesuffix("\n").replace("\n", f"{mark}\n{mark}").split(mark)
        # One cell that is a line's end follows each line but the last: then all have their cells.
        if width == 1 or len(cells) + 1 != (width + 1) * count or set(cells[width :: width + 1]) - {"\n"}:
            return None
        return [cells[place :: width + 1] for place in range(width)]

    def _one_by_one(self, lines: TextLines) -> Iterator[Chunk]:
        """The rows of the lines that are waiting, and those that a record among them goes on with."""
        numbers, texts, rows, bad = list[int](), list[str](), list[Cells](), list[BadRow]()
        while lines.waiting:
            number = lines.passed_lines + 1
            found = self._record(lines, number)
            if isinstance(found, BadRow):
                bad.append(found)
            elif found is not None:
                text, cells = found
                if len(cells) == self._width:
                    numbers.append(number)
                    texts.append(text)
                    rows.append(cells)
                elif not (self._is_footer and self._is_footer([cell.strip() for cell in cells])):
                    fault = error("", "fields", f"has {len(cells)} fields, the header {self._width}")
                    bad.append(BadRow(number, text[:_SHOWN], [fault]))
            if len(numbers) + len(bad) >= _TOGETHER:
                yield Chunk(numbers, texts, rows, bad)
                numbers, texts, rows, bad = [], [], [], []
        yield Chunk(numbers, texts, rows, bad)

    def _record(self, lines: TextLines, number: int) -> tuple[str, Cells] | BadRow | None:
        """The next record of one line or more; None for an empty line."""
        line = lines.next()
        if line.data is None:
            return BadRow(number, "", [error("", "length", f"is longer than {limits.MAX_DROP_LINE_BYTES} bytes")])
        if not line.data.strip() and not self._has_all_cells(line.data):
            return None
        try:
            return _text(line.data), _cells(_text(line.data), self.delimiter)
        except ValueError as fault:
            whole = self._joined(line.data, lines) if line.data.count(b'"') % 2 else None
            return whole or BadRow(
                number, line.data[:_SHOWN].decode("utf-8", "replace"), [error("", "csv", str(fault))]
            )

    def _joined(self, first: bytes, lines: TextLines) -> tuple[str, Cells] | None:
        """The record of several lines that a line with an open quote begins; None where it does not begin one."""
        parts, length, inside = [first], len(first), True
        for ahead in range(limits.MAX_DROP_RECORD_LINES - 1):
            line = lines.peek(ahead)
            if line is None or line.data is None:
                return None
            length += line.length
            inside ^= line.data.count(b'"') % 2 == 1
            parts.append(line.data)
            if length > limits.MAX_DROP_LINE_BYTES or (inside and self._looks_like_a_record(line.data)):
                return None
            if not inside:
                break
        try:
            text = "\n".join(map(_text, parts))
            cells = _cells(text, self.delimiter)
        except ValueError:
            return None
        if inside or len(cells) != self._width:
            return None
        for _ in parts[1:]:
            lines.next()
        return text, cells

    def _looks_like_a_record(self, data: bytes) -> bool:
        return self._width >= _TELLING_CELLS and self._has_all_cells(data)

    def _has_all_cells(self, data: bytes) -> bool:
        """Whether a line has as many marks as a record: tabs alone may be a record of empty cells, nothing is none."""
        return self._width > 1 and data.count(self.delimiter.encode()) + 1 == self._width


def _text(data: bytes) -> str:
    """Raises ValueError that says what is wrong."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8: save the file as UTF-8, or name its encoding in the mapping") from None
    if "\0" in text:
        raise ValueError("has a NUL character")
    return text


def _cells(text: str, delimiter: str) -> Cells:
    """A record's cells. Raises ValueError that says what is wrong."""
    if '"' not in text:
        return text.split(delimiter)
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as fault:
        raise ValueError(f"is not CSV: {fault}") from None
    return rows[0] if rows else []


def _header(lines: TextLines, form: Form) -> tuple[str, Cells, FilePlace]:
    """The delimiter, the header's cells, stripped, and where the rows begin."""
    lines.peek(limits.MAX_PREAMBLE_LINES + _SAMPLE_LINES)
    found = list(lines.waiting)[: limits.MAX_PREAMBLE_LINES + _SAMPLE_LINES]
    texts = [line.data.decode("utf-8", "replace") if line.data is not None else "" for line in found]
    told = _SEP.fullmatch(texts[0]) if texts else None
    given = form.delimiter or (told[1] if told else "")
    if told:
        texts[0] = ""
    marks = [given] if given else list(_DELIMITERS)
    at = _place_of_header(texts, marks, form)
    if at is None or found[at].data is None:
        raise BadInput("the file has no header line", [{"field": "header", "rule": "required"}])
    mark = marks[0] if len(marks) == 1 else _delimiter(texts[at:], form)
    try:
        cells = [cell.strip() for cell in _cells(_text(found[at].data or b""), mark)]
    except ValueError as fault:
        raise BadInput(f"the header {fault}", [{"field": "header", "rule": "csv"}]) from None
    if len(cells) > limits.MAX_DROP_COLUMNS:
        most = f"the header is wrong: it has over {limits.MAX_DROP_COLUMNS} columns"
        raise BadInput(most, [{"field": "header", "rule": "columns"}])
    return mark, cells, FilePlace(sum(line.length for line in found[: at + 1]), at + 1)


def _place_of_header(texts: Sequence[str], marks: Sequence[str], form: Form) -> int | None:
    if form.preamble is not None:
        return form.preamble if form.preamble < len(texts) else None
    looked = texts[: limits.MAX_PREAMBLE_LINES + 1]
    for at, text in enumerate(looked if form.is_header else ()):
        if text.strip() and any(form.is_header(cells) for mark in marks if (cells := _tried(text, mark))):  # type: ignore[misc]
            return at
    return next((at for at, text in enumerate(looked) if text.strip() and not text.startswith("#")), None)


def _delimiter(texts: Sequence[str], form: Form) -> str:
    """That by which the first text is a header, and the others have as many cells as it has."""
    header, rows = texts[0], [text for text in texts[1 : _SAMPLE_LINES + 1] if text.strip()]

    def fits(mark: str) -> tuple[bool, bool, int, int]:
        cells = _tried(header, mark)
        agree = sum(len(_tried(row, mark)) == len(cells) for row in rows)
        return bool(form.is_header and form.is_header(cells)), len(cells) > 1, agree, len(cells)

    return max(_DELIMITERS, key=fits)


def _tried(text: str, mark: str) -> Cells:
    """A line's cells, stripped; none where it is not CSV."""
    try:
        return [cell.strip() for cell in _cells(text, mark)]
    except ValueError:
        return []
