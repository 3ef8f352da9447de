"""What the demonstration prints: live progress on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from ops.demo.money import count, ratio, shown
from ops.demo.truth import Compared

COLUMNS = ("platform", "profile", "rows", "spend", "clicks", "conv.", "ROAS", "score")
_ROOMY = 100
"""From this width on, two spaces separate the columns."""


class Stages:
    """Progress by stage: bars on a terminal; otherwise one line for each stage that is complete."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._plain = not console.is_terminal
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:25}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=self._plain,
        )
        self._bars: dict[str, TaskID] = {}
        self._said: dict[str, int] = {}

    @contextmanager
    def shown(self) -> Iterator[None]:
        with self._progress:
            yield

    def show(self, name: str, done: int, total: int) -> None:
        """State that `done` of `total` of a stage are done."""
        if self._plain:
            if done == total and self._said.get(name) != total:
                self._said[name] = total
                self._console.print(f"{name}: {done} of {total}", highlight=False, soft_wrap=True)
            return
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=max(total, 1))
        self._progress.update(self._bars[name], completed=done if total else 1, total=max(total, 1))


def cells(result: Compared) -> tuple[str, ...]:
    """An ad account's line of the table, by COLUMNS."""
    sums = result.total
    return (
        result.platform,
        result.profile_id,
        f"{len(result.stored):,}",
        shown(sums.spend, result.currency),
        f"{sums.clicks:,}",
        count(sums.conversions),
        ratio(sums.roas),
        "-" if result.score is None else f"{result.score:.3f}",
    )


def table(results: Sequence[Compared], width: int) -> Table:
    """All ad accounts. It fits 80 columns; a longer id is folded, never cut."""
    gap = 1 if width >= _ROOMY else 0
    made = Table(box=SIMPLE_HEAD, show_edge=False, header_style="bold", pad_edge=False, padding=(0, gap))
    for number, name in enumerate(COLUMNS):
        made.add_column(name, no_wrap=name != "profile", overflow="fold", justify="left" if number < 2 else "right")
    for result in results:
        made.add_row(*cells(result))
    return made
