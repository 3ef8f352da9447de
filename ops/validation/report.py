"""What a checked file's findings look like in a terminal, and as JSON."""

from __future__ import annotations

import json
import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from textwrap import wrap

import typer

from ops.validation.findings import CheckedColumn, FileFindings, FoundFault

WIDTH = 80
_COLUMN, _FIELD = 29, 18
_GOOD, _BAD, _WARNED, _UNREAD = "✓", "✗", "!", "·"
_COLOURS = {_GOOD: typer.colors.GREEN, _BAD: typer.colors.RED, _WARNED: typer.colors.YELLOW, _UNREAD: None}
_MOST_FAULTS = 12
"""Different faults that are shown; the JSON has all."""


def lines_of(found: FileFindings, name: str) -> Iterator[str]:
    """The findings in lines of at most 80 characters: the columns, then what is wrong, then what comes of it."""
    yield typer.style(_cut(name, WIDTH), bold=True)
    yield f"{_rows(found.rows)} {found.read_as}"
    yield ""
    yield from _table(found)
    for mark, faults in ((_BAD, found.refused), (_WARNED, found.warned), (_GOOD, found.repaired)):
        for fault in faults[:_MOST_FAULTS]:
            yield ""
            yield from _fault(mark, fault)
        if len(faults) > _MOST_FAULTS:
            yield ""
            yield f"  and {len(faults) - _MOST_FAULTS} more kinds: --json has them all"
    if found.notes:
        yield ""
    for note in found.notes:
        yield from wrap(note, WIDTH, subsequent_indent="  ")
    yield ""
    yield _verdict(found, name)


def as_json(found: FileFindings, name: str) -> str:
    """The findings for programs."""
    body = {"file": name, "valid": not found.refused} | asdict(found)
    return json.dumps(body, ensure_ascii=False)


def _table(found: FileFindings) -> Iterator[str]:
    refused, warned = _by_field(found.refused), _by_field(found.warned)
    yield f"  {'column':{_COLUMN}} {'field':{_FIELD}} {'filled':>7} {'refused':>9} {'warned':>8}"
    yield f"  {'-' * _COLUMN} {'-' * _FIELD} {'-' * 7} {'-' * 9} {'-' * 8}"
    for column in sorted(found.columns, key=lambda each: not each.field):
        yield _line(column, found.lines, refused.pop(column.field, 0), warned.pop(column.field, 0))
    for field in dict.fromkeys([*refused, *warned]):  # what no column is
        missing = CheckedColumn("(no column)" if field else "(the whole row)", field, -1)
        yield _line(missing, found.lines, refused.get(field, 0), warned.get(field, 0))


def _line(column: CheckedColumn, rows: int, refused: int, warned: int) -> str:
    mark = _BAD if refused else _WARNED if warned else _GOOD if column.field or column.filled < 0 else _UNREAD
    field = column.field or ("" if column.filled < 0 else "not read")
    share = "" if column.filled < 0 or not rows else _share(column.filled, rows)
    line = f"{_cut(column.name, _COLUMN):{_COLUMN}} {_cut(field, _FIELD):{_FIELD}} {share:>7}"
    line += f" {refused or '':>9} {warned or '':>8}"
    styled = typer.style(line.rstrip(), dim=True) if mark == _UNREAD else line.rstrip()
    return f"{_marked(mark)} {styled}"


def _fault(mark: str, fault: FoundFault) -> Iterator[str]:
    told = fault.message if fault.message.startswith(fault.field) else f"{fault.field} {fault.message}"
    first, *others = wrap(" ".join(told.split()), WIDTH - 2) or [fault.rule]
    yield f"{_marked(mark)} {typer.style(first, bold=True)}"
    yield from (f"  {typer.style(line, bold=True)}" for line in others)
    more = ", ..." if fault.rows > len(fault.lines) else ""
    where = (
        f", line{'' if len(fault.lines) == 1 else 's'} {', '.join(map(str, fault.lines))}{more}" if fault.lines else ""
    )
    yield f"  {_rows(fault.rows)}{where}"


def _verdict(found: FileFindings, name: str) -> str:
    if not found.refused:
        then = "" if found.next is None else f": adweir drop {shlex.quote(name)} {found.next}".rstrip()
        return f"{_marked(_GOOD)} all of it is good{then}"
    return f"{_marked(_BAD)} {_rows(found.bad_rows)} of {found.rows:,} would be refused"


def _by_field(faults: Sequence[FoundFault]) -> defaultdict[str, int]:
    counts: defaultdict[str, int] = defaultdict(int)
    for fault in faults:
        counts[fault.field] += fault.rows
    return counts


def _share(filled: int, rows: int) -> str:
    """Whole per cents; neither 0 % nor 100 % where that is not all of the truth."""
    percent = round(100 * filled / rows)
    return f"{percent if filled in {0, rows} else min(max(percent, 1), 99)} %"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _marked(mark: str) -> str:
    return typer.style(mark, fg=_COLOURS[mark])


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
