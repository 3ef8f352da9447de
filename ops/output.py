"""What commands print. Data goes to stdout: tables for people, of 80 columns or those of the terminal, or JSON for
programs, an object per line. Everything else (remarks, questions, progress) goes to stderr.

Colour only says again what a word says; there is none where stdout is no terminal, or NO_COLOR is set.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from textwrap import wrap
from typing import Any

import typer

from ops.errors import CommandFailed
from ops.options import where_of

WIDTH = 80
_NARROWEST = 60
_LEAST_LAST = 12
"""With less room than this, or than its longest word, a row's last column begins on a line of its own."""
_COLOURS = {
    typer.colors.GREEN: {"healthy", "succeeded", "loaded", "active", "works"},
    typer.colors.YELLOW: {"degraded", "partial", "parked", "quarantined", "paused", "held", "half_open", "expired"},
    typer.colors.RED: {"unhealthy", "failed", "rejected", "broken", "open", "revoked"},
    typer.colors.CYAN: {"running", "waiting_report", "landed", "replaying"},
}
_COLOUR_OF = {word: colour for colour, words in _COLOURS.items() for word in words}
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")
"""What a terminal would take for a command."""
_SPACES = str.maketrans("\t\n\x0b\x0c\r", "     ")


def width() -> int:
    """The columns to fill."""
    if not sys.stdout.isatty():
        return WIDTH
    return max(_NARROWEST, shutil.get_terminal_size((WIDTH, 24)).columns)


def show_table(headings: Sequence[str], rows: Iterable[Sequence[object]], nothing: str) -> None:
    """Print a table; where there is no row, say so on stderr."""
    found = [[_text(cell) for cell in row] for row in rows]
    if not found:
        remark(nothing)
    for line in table(headings, found):
        typer.echo(line)


def show_parts(headings: Sequence[str], rows: Iterable[Sequence[object]], nothing: str, *, keys: int = 1) -> None:
    """Print a table; where it is wider than the width, print its columns in several, one below the other. Each begins
    with the first `keys` columns."""
    found = [[_text(cell) for cell in row] for row in rows]
    if not found:
        remark(nothing)
    wide = [max(len(row[place]) for row in (headings, *found)) + 2 for place in range(len(headings))]
    parts, left = [[keys]], width() + 2 - sum(wide[: keys + 1])
    for place in range(keys + 1, len(headings)):
        left -= wide[place]
        if left < 0:
            parts.append([])
            left = width() + 2 - sum(wide[:keys]) - wide[place]
        parts[-1].append(place)
    for number, part in enumerate(parts if found else ()):
        if number:
            typer.echo()
        places = [*range(keys), *part]
        for line in table([headings[at] for at in places], [[row[at] for at in places] for row in found]):
            typer.echo(line)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, last_is_text: bool = True) -> Iterator[str]:
    """Rows in aligned columns. The last one, where it is text, is wrapped to what is left of the width; no other is
    ever cut, so that ids can be copied. Headings that begin with `>` are of numbers. Nothing for no rows."""
    if not rows:
        return
    names = [heading.removeprefix(">") for heading in headings]
    wide = [max(len(row[place]) for row in (names, *rows)) for place in range(len(names))]
    left = sum(each + 2 for each in wide[:-1])
    room = width() - left
    for row in (names, *rows):
        cells = [
            painted(cell.rjust(wide[place]) if headings[place].startswith(">") else cell.ljust(wide[place]))
            for place, cell in enumerate(row)
        ]
        if last_is_text:
            last = row[-1].rjust(wide[-1]) if headings[-1].startswith(">") and wide[-1] <= room else row[-1]
            yield from _ended("".join(f"{cell}  " for cell in cells[:-1]), last, left, room)
        else:
            yield "  ".join(cells).rstrip()


def _ended(begin: str, last: str, left: int, room: int) -> Iterator[str]:
    """A row whose last cell takes as many lines as it needs."""
    if len(last) <= room:
        yield f"{begin}{painted(last)}".rstrip()
    elif room >= max(_LEAST_LAST, *map(len, last.split())):
        first, *more = folded(last, room)
        yield f"{begin}{first}"
        yield from (f"{' ' * left}{line}" for line in more)
    else:
        yield begin.rstrip()
        yield from (f"    {line}" for line in folded(last, room + left - 4))


def show_fields(fields: Mapping[str, object]) -> None:
    """Print a name and a value per line; what is empty is left out."""
    given = {name: text for name, value in fields.items() if (text := _text(value))}
    wide = max(map(len, given), default=0)
    for name, text in given.items():
        for line in _ended(f"{name.ljust(wide)}  ", text, wide + 2, width() - wide - 2):
            typer.echo(line)


def show_json(record: object) -> None:
    """Print an object on a line."""
    typer.echo(json.dumps(record, ensure_ascii=False, default=str))


def show_outcome(record: Mapping[str, object], text: str, *, as_json: bool) -> None:
    """Print what came of a command: the record for programs, the text for people."""
    if as_json:
        show_json(record)
    else:
        typer.echo(text)


def remark(text: str) -> None:
    """Say something that is no data."""
    typer.echo(text, err=True)


def printable(text: str) -> str:
    """Text that others wrote: what a terminal would take for a command is written as `\\x1b`."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def folded(text: str, columns: int) -> list[str]:
    """Printable text in lines of so many columns; a longer word, such as a key, keeps its line to itself."""
    return _wrapped(text, max(columns, 1), "", "") or [""]


def hanging(begin: str, text: str, indent: int | None = None) -> list[str]:
    """`begin` and the text behind it, in lines that fit; the further lines have so many spaces in front, or are below
    the text."""
    below = " " * (len(begin) if indent is None else indent)
    return _wrapped(text, width(), begin, below) or [begin]


def _wrapped(text: str, columns: int, begin: str, below: str) -> list[str]:
    return wrap(
        printable(text.translate(_SPACES)),
        columns,
        initial_indent=begin,
        subsequent_indent=below,
        break_long_words=False,
        break_on_hyphens=False,
    )


def painted(cell: str) -> str:
    """A state in its colour, where there are colours."""
    colour = _COLOUR_OF.get(cell.strip())
    return typer.style(cell, fg=colour) if colour and has_colours() else cell


def has_colours() -> bool:
    """Whether stdout is a terminal with colours, and they are wanted (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def confirm(context: typer.Context, question: str, *, yes: bool) -> None:
    """Ask whether somebody is sure. Raises CommandFailed when not, or when nobody can be asked."""
    if not yes and not typer.confirm(f"{question} on {where_of(context).words}?", err=can_ask(context, "add --yes")):
        raise CommandFailed("nothing was done")


def ask(context: typer.Context, question: str, instead: str, *, hidden: bool = False) -> str:
    """Ask for a value. Raises CommandFailed, which says what to give `instead`, when nobody can be asked."""
    return str(typer.prompt(question, hide_input=hidden, err=can_ask(context, instead)))


def can_ask(context: typer.Context, instead: str) -> bool:
    """True when there is somebody to ask, on stderr. Raises CommandFailed."""
    if where_of(context).no_input or not sys.stdin.isatty():
        raise CommandFailed(f"there is nobody to ask: {instead}")
    return True


def time_text(at: str | None) -> str:
    """`2026-11-21 05:30` of an ISO time, in UTC; "" for none."""
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M}" if at else ""


def span_text(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 20 min`, `2 d 5 h`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def argument_text(value: Any) -> str:
    """An argument as it is given on the command line."""
    if isinstance(value, dict):
        return f"{value.get('start')}..{value.get('end')}"
    if isinstance(value, (list, tuple)):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple, set, frozenset)):
        return printable(", ".join(map(str, value)))
    return f"{value:,}" if isinstance(value, int) else printable(str(value))
