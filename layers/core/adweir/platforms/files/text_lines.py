"""The lines of a content, in blocks or one by one, and the rows that are made of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow
from adweir.platforms.files.content import Content

_BLOCK = 1 << 18

Cells = list[str]


class Lines(Sequence[str]):
    """The lines of a text, whose last one has no end. They are split only for those who ask: good rows need none."""

    __slots__ = ("_count", "_split", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._count = text.count("\n") + 1
        self._split: list[str] | None = None

    def has_longer(self, most: int) -> bool:
        """Whether a line has more characters."""
        half = most // 2  # a longer line fills a whole piece of that length
        pieces = range(0, len(self._text) - half + 1, half)
        return any(self._text.find("\n", at, at + half) < 0 for at in pieces) and len(max(self, key=len)) > most

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        return self._lines()[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines())

    def __len__(self) -> int:
        return self._count

    def _lines(self) -> list[str]:
        if self._split is None:
            self._split = self._text.split("\n")
        return self._split


class Chunk:
    """Some consecutive rows: their 1-based numbers, texts for quarantine, and cells; and the faults among them.

    The cells are given by row or by column, and made the other way only when asked for.
    """

    __slots__ = ("_columns", "_rows", "bad", "numbers", "texts")

    def __init__(
        self,
        numbers: Sequence[int],
        texts: Sequence[str],
        rows: Sequence[Cells] | None,
        bad: Sequence[BadRow],
        columns: Sequence[Sequence[str]] | None = None,
    ) -> None:
        self.numbers, self.texts, self.bad = numbers, texts, bad
        self._rows, self._columns = rows, columns

    @property
    def rows(self) -> Sequence[Cells]:
        """The cells of each row."""
        if self._rows is None:
            self._rows = list(map(list, zip(*self.columns, strict=True)))
        return self._rows

    @property
    def columns(self) -> Sequence[Sequence[str]]:
        """The cells of each column; none of no rows."""
        if self._columns is None:
            self._columns = list(zip(*self._rows or (), strict=True))
        return self._columns

    def part(self, start: int, end: int) -> Chunk:
        """Some of the rows, without the faults among them."""
        columns = [column[start:end] for column in self.columns]
        return Chunk(self.numbers[start:end], self.texts[start:end], None, (), columns)


class FilePlace(NamedTuple):
    """A place in a content: the bytes and lines before it."""

    offset: int = 0
    number: int = 0


_START = FilePlace()


class TextLine(NamedTuple):
    """A line without its end, and how many bytes it took with it; None: it was too long."""

    data: bytes | None
    length: int


class TextLines:
    """The lines of a content in blocks or one by one; counts those that were passed. Memory is that of a few blocks."""

    def __init__(self, content: Content, place: FilePlace = _START) -> None:
        self.passed_lines = place.number
        self.waiting: deque[TextLine] = deque()
        self._blocks = _blocks(content)

    def block(self) -> bytes | int | None:
        """Some whole lines, or the length of one that is too long; None at the end. Not while lines are waiting."""
        return next(self._blocks, None)

    def wait(self, block: bytes | int) -> None:
        """Let the lines of a block wait, to be read one by one."""
        if isinstance(block, int):
            self.waiting.append(TextLine(None, block))
            return
        whole = block.endswith(b"\n")
        lines = block.removesuffix(b"\n").split(b"\n")
        for left, line in zip(range(len(lines) - 1, -1, -1), lines, strict=True):
            data = line.rstrip(b"\r")
            fits = len(data) <= limits.MAX_DROP_LINE_BYTES
            self.waiting.append(TextLine(data if fits else None, len(line) + (whole or left > 0)))

    def next(self) -> TextLine:
        """The next waiting line, which is passed."""
        line = self.waiting.popleft()
        self.passed(1)
        return line

    def peek(self, ahead: int) -> TextLine | None:
        """The line that is so many after the next one; None where there is none."""
        while ahead >= len(self.waiting):
            block = self.block()
            if block is None:
                return None
            self.wait(block)
        return self.waiting[ahead]

    def passed(self, lines: int) -> int:
        """Count lines; returns the number of the first of them. Raises BadInput for too many."""
        before = self.passed_lines
        self.passed_lines += lines
        if self.passed_lines > limits.MAX_DROP_LINES:
            most = f"the file has more than {limits.MAX_DROP_LINES} lines; split it"
            raise BadInput(most, [{"field": "file", "rule": "lines"}])
        return before + 1


def _blocks(content: Content) -> Iterator[bytes | int]:
    """Pieces of whole lines; of a line that is too long, its length."""
    held, long = b"", 0
    while chunk := content.read(_BLOCK):
        if long:
            end = chunk.find(b"\n") + 1
            long += end or len(chunk)
            if not end:
                continue
            yield long
            chunk, long = chunk[end:], 0
        data = held + chunk
        end = data.rfind(b"\n") + 1
        if end:
            yield data[:end]
        held = data[end:]
        if len(held) > limits.MAX_DROP_LINE_BYTES + 1:  # with less, it may be a line and half of its end
            held, long = b"", len(held)
    if held or long:
        yield held or long
