"""How far a run comes, until its end: live on a terminal, a line per change elsewhere. All of it is on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import typer

from adweir.model.runs import Run
from adweir.runtime.app import App
from ops.backfill_lines import lines_of
from ops.errors import CommandFailed
from ops.output import hanging

_POLL_SECONDS = 2.0
_SHARE = 20
"""A look at a run reads all of its tasks: it may cost this part of the time at most."""
_BEGINS_SECONDS = 120.0
"""A run that was asked for begins by then, or its message is stuck."""
_BAR = 24
Look = Callable[[Run], dict[str, Any]]


class Board:
    """A few lines on stderr that are written anew; where that is no terminal, they are written when they changed."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._shown: list[str] = []

    def show(self, lines: list[str]) -> None:
        """Show these in place of those before."""
        if lines == self._shown:
            return
        back = f"\x1b[{len(self._shown)}A\x1b[J" if self._live and self._shown else ""
        typer.echo(back + "\n".join(lines), err=True, color=self._live)
        self._shown = lines


def follow(app: App, run_id: str, look: Look, *, seen: int = -1) -> Iterator[dict[str, Any]]:
    """Show how far a run has come until it has ended; yields each look that differs from the one before, the last one
    at its end. `seen`: a version of the run that has ended, and that is not the end that is waited for.

    Raises CommandFailed when it does not begin.
    """
    board, began, last = Board(), time.monotonic(), ""
    found: dict[str, Any] = {}
    while True:
        asked = time.monotonic()
        run = app.ledger.get_run(run_id)
        waits = run is None or run.version == seen
        if run is None or waits:
            if asked - began > _BEGINS_SECONDS:
                raise CommandFailed(f"run {run_id} has not begun: see adweir health, and adweir dead-letters list")
            board.show([f"{run_id} {'was asked for and has not begun' if run is None else 'is being opened again'}"])
        else:
            found = look(run)
            lines = lines_of_run(found)
            board.show(lines)
            if run.state.is_terminal:
                yield found
                return
            if (said := "\n".join(lines)) != last:
                yield found
                last = said
        time.sleep(max(_POLL_SECONDS, (time.monotonic() - asked) * _SHARE))


def lines_of_run(found: Mapping[str, Any]) -> list[str]:
    """How far a run has come, in lines that fit."""
    if found["backfill"]:
        return list(lines_of(found["backfill"]))
    lines = [f"{found['run_id']} {found['state']}"]
    wide = max((len(stage["name"]) for stage in found["stages"]), default=0)
    lines += [_stage(stage, wide) for stage in found["stages"]]
    if waits := found["waiting_tasks"]:
        first = next((task for task in waits if not task["waits_for"].startswith("not begun")), waits[0])
        more = f" ({found['tasks_waiting']} tasks are open)" if found["tasks_waiting"] > 1 else ""
        lines += hanging("  ", f"waits: {first['waits_for']}{more}", 4)
    return lines


def _stage(stage: Mapping[str, Any], wide: int) -> str:
    name = f"  {stage['name']:<{wide}}  "
    if stage["state"] == "left_out":
        return f"{name}left out"
    failed = f", {stage['failed']:,} failed" if stage["failed"] else ""
    return (
        f"{name}{bar(stage['done'], stage['failed'], stage['total'])} {stage['done']:,} of {stage['total']:,}{failed}"
    )


def bar(done: int, failed: int, total: int) -> str:
    """`[######!-----]`: done, failed and open parts of all. What is not whole is never shown as whole."""
    whole = max(total, 1)
    good, bad = _BAR * done // whole, -(-_BAR * failed // whole) if failed else 0
    good = min(good, _BAR - bad) if total else 0
    return f"[{'#' * good}{'!' * bad}{'-' * (_BAR - good - bad)}]"
