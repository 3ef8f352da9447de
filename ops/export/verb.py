"""`adweir export`: `curated/` copied to a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from adweir.insight.curated.layout import OTHER, PREFIX, CuratedTable, partition_of, tables
from adweir.model.ports import platform_named
from adweir.runtime.app import App
from adweir.store.raw.store import ObjectInfo
from ops.errors import CommandFailed
from ops.export.folder import ExportFolder
from ops.export.views import README, views
from ops.options import app_of
from ops.output import remark
from sandbox.files import replace_text

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_PARTITION = re.compile(r"(\w+)=([^/]+)/")


class _WantedFiles(NamedTuple):
    """What of `curated/` is wanted: all where nothing is named. Months are inclusive."""

    tables: Sequence[str]
    platforms: Sequence[str]
    first: str
    last: str

    def has(self, name: str) -> bool:
        """Whether a file is wanted: `metrics/platform=meta_ads/.../month=2026-11/act_1.parquet`."""
        found = dict(_PARTITION.findall(name))
        month = found.get("month")
        in_range = month is None or ((self.first or month) <= month <= (self.last or month))
        is_platform = not self.platforms or found.get("platform") in self.platforms
        return in_range and is_platform and name.partition("/")[0] in self.tables


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="The folder to fill.")],
    table: Annotated[list[str] | None, typer.Option(help="Only this table (repeatable).", show_default=False)] = None,
    platform: Annotated[
        list[str] | None, typer.Option(help="Only this platform (repeatable).", show_default=False)
    ] = None,
    months: Annotated[
        str,
        typer.Option(
            metavar="FIRST..LAST", help="Only these months: 2026-01..2026-11, or 2026-01.. ", show_default=False
        ),
    ] = "",
    prune: Annotated[bool, typer.Option("--prune", help="Remove files that the bucket no longer has.")] = False,  # noqa: FBT002
) -> None:
    """Copy curated/ to a folder for DuckDB, dbt and notebooks; only what changed since the last time."""
    app = app_of(context)
    known = tables(tuple(sorted(app.platforms)))
    asked = _WantedFiles(_tables(table or [], known), _platforms(app, platform or []), *_months(months))
    target = ExportFolder(folder, app.raw.bucket)
    found = {each.key.removeprefix(PREFIX): each for each in _objects(app, asked)}
    copied, size = target.take(found, app.raw.open_stream)
    gone = target.gone(found, asked.has)
    if prune:
        target.remove(gone)
    replace_text(folder / "views.sql", views(known, target.tables()))
    replace_text(folder / "README.md", README)
    removed = f", {len(gone):,} removed" if prune else ""
    typer.echo(f"{copied:,} files copied ({size:,} bytes), {len(found) - copied:,} as they were{removed}: {folder}")
    if gone and not prune:
        remark(f"{len(gone):,} files are no longer in the bucket: --prune removes them")
    if not found:
        remark("nothing is stored there: curated/ is written at the end of each daily run")


def _objects(app: App, asked: _WantedFiles) -> Iterator[ObjectInfo]:
    for name in asked.tables:
        for each in app.raw.list(f"{PREFIX}{name}/"):
            if asked.has(each.key.removeprefix(PREFIX)):
                yield each


def _tables(given: Sequence[str], known: dict[str, CuratedTable]) -> tuple[str, ...]:
    for name in given:
        if name not in known:
            raise CommandFailed(f"there is no table {name[:60]!r}. Tables: {', '.join(known)}")
    return tuple(dict.fromkeys(given)) or tuple(known)


def _platforms(app: App, given: Sequence[str]) -> tuple[str, ...]:
    names = (name if name == OTHER else platform_named(name, app.platforms.parse) for name in given)
    return tuple(dict.fromkeys(partition_of(name, tuple(app.platforms)) for name in names))


def _months(given: str) -> tuple[str, str]:
    """`2026-01..2026-11`, `2026-01..`, `2026-01` → the first and the last month, "" for an open end."""
    first, dots, last = given.partition("..")
    for month in (first, last):
        if month and not _MONTH.fullmatch(month):
            raise CommandFailed(f"{month[:20]!r} is not a month such as 2026-11")
    return first, last if dots else first
