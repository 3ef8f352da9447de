"""Quarantine: the rows that cannot be stored, each with its reasons and its place in the source."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Protocol

import msgspec

from adweir.model import limits
from adweir.model.closing import Closing
from adweir.model.metrics import BadRow
from adweir.quality.values import as_date

_IN_MEMORY = 1 << 20
_ENCODER = msgspec.json.Encoder(enc_hook=str)


class KeepsObjects(Protocol):
    """Where quarantined rows are put (`store.raw`)."""

    def put(
        self,
        key: str,
        body: Any,
        metadata: Mapping[str, str] | None,
        content_type: str,
        tags: Mapping[str, str] | None,
        /,
    ) -> object: ...


class ReadsObjects(Protocol):
    """Where quarantined rows are read from (`store.raw`)."""

    def open_stream(self, key: str, /) -> BinaryIO: ...


class Quarantine(Closing):
    """Collects bad rows as gzipped JSON lines in a spooled file; memory does not grow with their number.

    A line is `{"line", "page", "row", "errors", "entity_id", "day"}`. The bytes depend on the rows alone, so writing
    the same quarantine twice changes nothing. A context manager.

    `named` has the first rows with their first reason, `shows` says whether in words, which may name a cell.
    """

    def __init__(self, *, shows: bool = True) -> None:
        self.rows = 0
        self.named: list[dict[str, Any]] = []
        self._shows = shows
        self.reasons: Counter[str] = Counter()
        self._days = ("~", "")  # the first and the last; "~" follows every day
        self._is_dated = True
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  closed by `close`
        self._gzip = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=1, mtime=0, filename="")

    def add(self, bad: BadRow, page: int = 0) -> None:
        """Take a bad row of a page."""
        self.rows += 1
        self._is_dated = self._is_dated and bool(as_date(bad.day))
        self._days = min(self._days[0], bad.day), max(self._days[1], bad.day)
        for error in bad.errors:
            self.reasons[str(error.get("rule", ""))] += 1
        if len(self.named) < limits.MAX_QUARANTINED_NAMED:
            told = ("field", "rule", "message") if self._shows else ("field", "rule")
            fault = bad.errors[0] if bad.errors else {}
            self.named.append({"line": bad.line} | {name: fault[name] for name in told if name in fault})
        entry: dict[str, Any] = {
            "line": bad.line,
            "page": page,
            "row": bad.raw,
            "errors": bad.errors,
            "entity_id": bad.entity_id,
            "day": bad.day,
        }
        self._gzip.write(_line(entry))

    @property
    def days(self) -> tuple[str, str]:
        """The first and the last day of the rows; empty where there are none, or a row does not say its day."""
        return self._days if self.rows and self._is_dated else ("", "")

    def store(self, raw: KeepsObjects, key: str, tags: Mapping[str, str] | None = None) -> str:
        """Put the rows under `key`, with tags, and return it; "" when there are none. Raises Unavailable."""
        if not self.rows:
            return ""
        self._gzip.close()
        self._file.seek(0)
        raw.put(key, self._file, {"rows": str(self.rows)}, "application/gzip", tags)
        return key

    def close(self) -> None:
        """See `Closing`."""
        self._gzip.close()
        self._file.close()


def held_lines(raw: ReadsObjects, keys: Iterable[str], most: int) -> Iterator[dict[str, Any]]:
    """The rows that `Quarantine` stored under these keys, at most so many, as it describes its lines. Raises NotFound,
    Unavailable."""
    for key in keys:
        with raw.open_stream(key) as packed, gzip.GzipFile(fileobj=packed) as lines:
            for line in lines:
                if most <= 0:
                    return
                most -= 1
                yield json.loads(line)


def _line(entry: dict[str, Any]) -> bytes:
    try:
        return _ENCODER.encode(entry) + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON may hold and UTF-8 may not
        return json.dumps(entry, default=str).encode() + b"\n"
