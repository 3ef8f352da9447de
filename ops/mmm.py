"""`adweir mmm`: what advertising brought. `fit` says it of a CSV file, on this machine alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from adweir.insight.mmm.fit.estimate import fit as fitted
from adweir.insight.mmm.fit.outcome import Interval, MixOutcome
from ops.errors import CommandFailed
from ops.frame import Leaf
from ops.mix_features import features
from ops.mix_files import LIFT_COLUMNS, ColumnRoles, names_of, read_frame
from ops.mix_stored import history, reallocate, show
from ops.options import Json, group, with_records
from ops.output import remark, show_json, show_parts, show_table

_PEOPLE = 1000
app = group("Media mix: what each channel brought, with intervals.")


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
    geo: Annotated[
        str,
        typer.Option(
            "--geo", metavar="COL", help="Rows are of regions: the column of their names.", show_default=False
        ),
    ] = ""
    population: Annotated[
        str, typer.Option("--population", metavar="COL", help="The people of each region.", show_default=False)
    ] = ""
    lift: Annotated[
        Path | None,
        typer.Option("--lift", exists=True, dir_okay=False, help=f"Experiments, CSV: {', '.join(LIFT_COLUMNS)}."),
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
    outcome = fitted(read_frame(file, _roles(table), table.lift))
    if shown.as_json:
        show_json(_shown(outcome, curves=shown.curves, budget=shown.budget))
    else:
        _show(outcome, curves=shown.curves, budget=shown.budget)


def _roles(table: FitTable) -> ColumnRoles:
    if bool(table.geo) != bool(table.population):
        missing = "--population COL, the people of each region" if table.geo else "--geo COL, the regions' names"
        raise CommandFailed(f"regions have both: add {missing}")
    channels, controls = names_of(table.channels), names_of(table.controls)
    return ColumnRoles(table.day, table.kpi, channels, controls, table.geo, table.population)


app.command("fit")(with_records(fit, FitTable, FitShown))
for stored in (show, history, features, reallocate):
    app.command(stored.__name__, cls=Leaf)(stored)


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
    show_parts(("CHANNEL", ">SPEND", "BROUGHT", "ROI", "MARGINAL ROI"), rows, "there is no channel")
    about = outcome.fit
    remark(f"{about['family']} saturation, {about['n_obs']} rows, R2 {about['r2']:.3f}; intervals of 90 %")
    _show_geos(outcome)
    if curves:
        typer.echo()
        points = [
            (one.channel, f"{point.spend:,.0f}", _said(point.contribution, ",.0f"))
            for one in outcome.channels
            for point in one.curve
        ]
        show_table(("CHANNEL", ">SPEND", "BRINGS"), points, "there is no curve")
    if budget and outcome.reallocation:
        typer.echo()
        moves = [(move.channel, f"{move.spend:,.0f}", f"{move.proposed:,.0f}") for move in outcome.reallocation.moves]
        show_table(("CHANNEL", ">SPENT", ">PROPOSED"), moves, "there is no channel")
        remark(f"the same budget would bring {_said(outcome.reallocation.gain, ',.0f')} more")
    for said in (*outcome.warnings, *(f"{one.channel}: {each}" for one in outcome.channels for each in one.warnings)):
        remark(f"warning: {said}")


def _show_geos(outcome: MixOutcome) -> None:
    rows = [
        (
            one.channel,
            geo.geo,
            _said(geo.contribution, ",.0f"),
            _said(geo.per_period, ",.0f"),
            _said(geo.per_person.times(_PEOPLE), ",.2f"),
        )
        for one in outcome.channels
        for geo in one.geos
    ]
    if rows:
        typer.echo()
        headings = ("CHANNEL", "GEO", "BROUGHT", "PER PERIOD", "PER 1,000 PEOPLE")
        show_parts(headings, rows, "there is no region", keys=2)
        remark("what each channel brought in each period is in the JSON (--json)")


def _said(one: Interval, form: str) -> str:
    """`12 (10 to 15)`."""
    return f"{one.estimate:{form}} ({one.low:{form}} to {one.high:{form}})"
