"""`adweir mmm`: what advertising brought, from a CSV file, on this machine alone."""

from __future__ import annotations

import csv
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_type_hints

import numpy as np
import typer

from adweir.insight.mmm.fit.estimate import fit as fitted
from adweir.insight.mmm.fit.frame import LiftTest, MixFrame
from adweir.insight.mmm.fit.outcome import Interval, MixOutcome
from ops.errors import CommandFailed
from ops.options import Json, group
from ops.output import remark, show_json, show_table

app = group("Media mix: what each channel brought, with intervals.")
_LIFT = ("channel", "first", "last", "spend", "effect", "low", "high")
Names = tuple[str, ...]
Lines = Sequence[Mapping[str, str]]


@app.callback()
def mmm() -> None:
    """Media mix: what each channel brought, with intervals."""


class FitTable(NamedTuple):
    """What is fitted, as its options say it."""

    day: Annotated[str, typer.Option("--date", metavar="COL", help="The first day of each row's day or week.")]
    kpi: Annotated[str, typer.Option("--kpi", metavar="COL", help="What advertising is for: sales, conversions.")]
    channels: Annotated[str, typer.Option("--channels", metavar="A,B", help="Columns of spend.")]
    controls: Annotated[
        str, typer.Option("--controls", metavar="C,D", help="Columns of what else moves the KPI.", show_default=False)
    ] = ""
    lift: Annotated[
        Path | None,
        typer.Option("--lift", exists=True, dir_okay=False, help=f"Experiments, CSV: {', '.join(_LIFT)} (90 %)."),
    ] = None


class FitShown(NamedTuple):
    """What is printed, as its options say it."""

    curves: Annotated[bool, typer.Option("--curves", help="Response curves, too.", show_default=False)] = False
    budget: Annotated[
        bool, typer.Option("--budget", help="Where the same budget brings more, too.", show_default=False)
    ] = False
    as_json: Json = False


def fit(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, a row per period.")],
    **options: Any,
) -> None:
    """Fit a media-mix model to a CSV file. Intervals are of 90 %, warnings say what the data cannot tell."""
    table = FitTable(**{name: options[name] for name in FitTable._fields})
    shown = FitShown(**{name: options[name] for name in FitShown._fields})
    outcome = fitted(read_frame(file, table))
    if shown.as_json:
        show_json(_shown(outcome, curves=shown.curves, budget=shown.budget))
    else:
        _show(outcome, curves=shown.curves, budget=shown.budget)


def _with_records(command: Callable[..., None], *records: type[Any]) -> Callable[..., None]:
    """The command with the records' fields as its options: typer reads a function's signature."""
    known = inspect.signature(command, eval_str=True).parameters.values()
    parameters = [one for one in known if one.kind is not inspect.Parameter.VAR_KEYWORD]
    for record in records:
        for name, form in get_type_hints(record, include_extras=True).items():
            default = record._field_defaults.get(name, inspect.Parameter.empty)
            parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=form))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # inspect's own protocol
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    return command


app.command("fit")(_with_records(fit, FitTable, FitShown))


def read_frame(file: Path, table: FitTable) -> MixFrame:
    """A CSV file with one row per period, in any order. Raises CommandFailed; what is wrong with the numbers, the fit
    says.
    """
    day, kpi, channels, controls = table.day, table.kpi, _names(table.channels), _names(table.controls)
    rows = _rows(file, (day, kpi, *channels, *controls))
    dated = sorted((_day(row[day], file, line), line) for line, row in enumerate(rows, 2))
    for (one, _), (other, line) in pairwise(dated):
        if one == other:
            raise CommandFailed(f"{file.name}: line {line}: {other} is there twice: a file has one row per period")
    lines = [line for _, line in dated]

    def columns(names: Names) -> Any:
        found = [
            [_number(rows[line - 2][name], f"{file.name}: line {line}: {name}") for line in lines] for name in names
        ]
        return np.array(found, dtype=np.float64).reshape(len(names), 1, len(lines))

    return MixFrame(
        dates=tuple(found for found, _ in dated),
        kpi=columns((kpi,))[0],
        channels=channels,
        spend=columns(channels),
        control_names=controls,
        controls=columns(controls),
        lift_tests=tuple(_tests(table.lift)) if table.lift else (),
    )


def _names(text: str) -> Names:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _rows(file: Path, needed: Names) -> Lines:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        header = reader.fieldnames or ()
        missing = [name for name in needed if name not in header]
        if missing:
            raise CommandFailed(f"{file.name} has no column {missing[0]!r}; it has {', '.join(header) or 'none'}")
        rows = []
        for line, row in enumerate(reader, 2):
            if None in row or None in row.values():
                raise CommandFailed(f"{file.name}: line {line} has not as many fields as the header")
            rows.append(row)
        return rows


def _day(text: str, file: Path, line: int) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise CommandFailed(f"{file.name}: line {line}: {text!r} is not a day such as 2026-11-01") from None


def _number(text: str, where: str) -> float:
    """Empty and `nan` are numbers that are missing: the frame says of which day."""
    try:
        return float(text) if text.strip() else float("nan")
    except ValueError:
        raise CommandFailed(f"{where}: {text!r} is not a number") from None


def _tests(file: Path) -> Iterator[LiftTest]:
    for line, row in enumerate(_rows(file, _LIFT), 2):
        spend, effect, low, high = (_number(row[name], f"{file.name}: line {line}: {name}") for name in _LIFT[3:])
        first, last = (_day(row[name], file, line) for name in ("first", "last"))
        yield LiftTest(row["channel"], first, last, spend, effect, low, high)


def _shown(outcome: MixOutcome, *, curves: bool, budget: bool) -> dict[str, Any]:
    found = outcome.shown()
    if curves:
        found["curves"] = outcome.curves()
    if budget and outcome.reallocation:
        found["budget"] = outcome.reallocation.shown()
    return found


def _show(outcome: MixOutcome, *, curves: bool, budget: bool) -> None:
    rows = [
        (
            one.channel,
            f"{one.spend:,.0f}",
            _said(one.contribution, ",.0f"),
            _said(one.roi, ".2f"),
            _said(one.marginal_roi, ".2f"),
        )
        for one in outcome.channels
    ]
    show_table(("CHANNEL", ">SPEND", "BROUGHT", "ROI", "MARGINAL ROI"), rows, "there is no channel")
    about = outcome.fit
    remark(f"{about['family']} saturation, {about['n_obs']} rows, R2 {about['r2']:.3f}; intervals of 90 %")
    if curves:
        points = [
            (one.channel, f"{point.spend:,.0f}", _said(point.contribution, ",.0f"))
            for one in outcome.channels
            for point in one.curve
        ]
        show_table(("CHANNEL", ">SPEND", "BRINGS"), points, "there is no curve")
    if budget and outcome.reallocation:
        moves = [(move.channel, f"{move.spend:,.0f}", f"{move.proposed:,.0f}") for move in outcome.reallocation.moves]
        show_table(("CHANNEL", ">SPENT", "PROPOSED"), moves, "there is no channel")
        remark(f"the same budget would bring {_said(outcome.reallocation.gain, ',.0f')} more")
    for said in (*outcome.warnings, *(f"{one.channel}: {each}" for one in outcome.channels for each in one.warnings)):
        remark(f"warning: {said}")


def _said(one: Interval, form: str) -> str:
    """`12 (10 to 15)`."""
    return f"{one.estimate:{form}} ({one.low:{form}} to {one.high:{form}})"
