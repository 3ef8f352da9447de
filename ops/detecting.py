"""`adweir detect`: the detector of anomalies on any CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from adweir.insight.anomalies.series import score_series, step_of, within_lookback
from adweir.insight.anomalies.settings import DAY_SECONDS, Method, Note, Scored, SeriesSettings
from adweir.insight.anomalies.times import number_of, repeated, seconds_of
from adweir.model import limits
from adweir.model.errors import BadInput, TooLarge
from ops.errors import CommandFailed
from ops.options import Json, with_records
from ops.output import remark, show_json, show_table, span_text

_MARKS = ",;\t|"
_NAMED = 10
_SHOWN = 60
_MANY = 0.2


class SeriesRow(NamedTuple):
    text: str
    at: int
    value: float | None


class Scoring(NamedTuple):
    """How a file is scored and shown, as its options say it."""

    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Deviations from which on it is an anomaly. Default: 3.5 for days, 5 below, z-score 3."
        ),
    ] = None
    method: Annotated[Method, typer.Option(help="How a value is compared.")] = Method.ROBUST
    lookback: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="DAYS", help="Score by the last days up to the newest time alone; that one is provisional."
        ),
    ] = None
    as_json: Json = False


def detect(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV with a header, UTF-8.")],
    time: Annotated[str, typer.Option(metavar="COL", help="The column of times: ISO 8601, or Unix seconds.")],
    value: Annotated[str, typer.Option(metavar="COL", help="The column of values.")],
    **options: Any,
) -> None:
    """Score each value of a series against those before it. Gaps and times that come twice may be there."""
    asked = Scoring(**options)
    rows = _rows_of(file, time, value)
    is_within = within_lookback([row.at for row in rows], asked.lookback and asked.lookback * DAY_SECONDS)
    kept = [row for row, is_kept in zip(rows, is_within, strict=True) if is_kept]
    step = step_of(row.at for row in kept)
    settings = SeriesSettings.of_step(step, asked.threshold, asked.method)
    of_kept = iter(score_series([(row.at, row.value) for row in kept], settings))
    scored = [
        next(of_kept) if is_kept else Scored(row.at, row.value or 0.0, note=Note.BEFORE_LOOKBACK)
        for row, is_kept in zip(rows, is_within, strict=True)
    ]
    newest = None if asked.lookback is None else max(row.at for row in rows)
    if asked.as_json:
        for row, found in zip(rows, scored, strict=True):
            show_json(_record(row, found) | ({} if newest is None else {"provisional": row.at == newest}))
    else:
        _show(rows, scored, step, settings)
    if before := len(rows) - len(kept):
        remark(f"{before:,} of the values are from before the last {asked.lookback:,} days, and are left out")
    again = repeated(row.at for row in rows)
    if again > _MANY * len(rows):
        remark(f"{again:,} of {len(rows):,} times come again: if the file holds several series, give them one by one")


def _record(row: SeriesRow, found: Scored) -> dict[str, object]:
    return {
        "timestamp": row.text,
        "value": row.value,
        "score": round(found.score, 6),
        "z": round(found.z, 4),
        "anomaly": found.anomaly,
        "expected": found.expected,
        "severity": found.severity,
        "note": found.note,
    }


def _show(rows: Sequence[SeriesRow], scored: Sequence[Scored], step: int, settings: SeriesSettings) -> None:
    alarms = [(row, found) for row, found in zip(rows, scored, strict=True) if found.anomaly]
    table = (
        (row.text, _shown(row.value or 0.0), _shown(found.expected or 0.0), f"{found.z:.1f}", found.severity)
        for row, found in alarms
    )
    show_table(("time", ">value", ">expected", ">z", "severity"), table, "no anomalies")
    least = settings.threshold if settings.method is Method.ROBUST else settings.cold_threshold
    many = f"{len(alarms):,} {'anomaly' if len(alarms) == 1 else 'anomalies'} beyond {least:g} deviations"
    count = sum(row.value is not None for row in rows)
    values = f"{count:,} {'value' if count == 1 else 'values'}"
    apart = f", one every {_step_text(step)}" if len(rows) > 1 else ""
    empty = f", and {len(rows) - count:,} empty" if count < len(rows) else ""
    remark(f"{values}{apart}{empty}: {many}")
    if all(found.note for found in scored):
        remark(f"none was scored: the first {settings.min_values} values are only learned")


def _step_text(step: int) -> str:
    days, rest = divmod(step, DAY_SECONDS)
    return span_text(step) if rest else f"{days} days" if days > 1 else "day"


def _shown(value: float) -> str:
    """A number that is read, not calculated with: three decimals at most."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) >= 1 or not value else f"{value:.3g}"


def _rows_of(file: Path, time: str, value: str) -> list[SeriesRow]:
    """The rows of a file. Raises CommandFailed, BadInput that names the lines that cannot be read, TooLarge."""
    rows: list[SeriesRow] = []
    faults: list[dict[str, object]] = []
    try:
        for line, when, what in _cells(file, time, value):
            if len(rows) >= limits.MAX_SCORED_ROWS:
                raise TooLarge(f"{file.name} has more than {limits.MAX_SCORED_ROWS:,} rows: score it in parts")
            try:
                rows.append(SeriesRow(when, seconds_of(when), number_of(what)))
            except ValueError as error:
                faults.append({"field": f"line {line}", "message": str(error)})
                if len(faults) >= _NAMED:
                    break
    except (UnicodeDecodeError, csv.Error) as error:
        raise CommandFailed(f"{file.name} cannot be read as CSV in UTF-8: {error}") from None
    if faults:
        raise BadInput(f"{file.name}, {faults[0]['field']}: {faults[0]['message']}", faults)
    if not rows:
        raise CommandFailed(f"{file.name} has no rows below its header")
    return rows


def _cells(file: Path, time: str, value: str) -> Iterator[tuple[int, str, str]]:
    """Line number, time and value of each row that is not blank."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        first = stream.readline()
        stream.seek(0)
        lines = csv.reader(stream, delimiter=max(_MARKS, key=first.count))
        header = [name.strip() for name in next(lines, [])]
        places = _place(header, time, file), _place(header, value, file)
        for cells in lines:
            if cells:
                if len(cells) > len(header):
                    raise CommandFailed(
                        f"{file.name}, line {lines.line_num}: {len(cells)} fields, where the header has {len(header)}:"
                        " write numbers without separators of thousands, or put them in quotes"
                    )
                when, what = (cells[place].strip() if place < len(cells) else "" for place in places)
                yield lines.line_num, when, what


def _place(header: Sequence[str], name: str, file: Path) -> int:
    if name in header:
        return header.index(name)
    shown = ", ".join(header)[:_SHOWN]
    raise CommandFailed(f"{file.name} has no column {name!r}: its first line, the header, has {shown or 'nothing'}")


with_records(detect, Scoring)
