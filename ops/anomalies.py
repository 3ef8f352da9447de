"""`adweir anomalies`: numbers that left their expected range, and whether they were meant to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, Any

import typer

from adweir.insight.anomalies.kept import anomaly_of, give_feedback, incident_of, shown_incident
from adweir.insight.anomalies.wording import number_text, rounded_text
from adweir.model import limits
from adweir.model.times import iso
from adweir.runtime.http import to_json
from ops.deeds import note as record
from ops.deeds import who
from ops.options import Json, app_of, day, group
from ops.output import hanging, remark, show_table

_DAYS = 90
anomalies = group("Numbers of settled days that left their expected range.")
AnomalyId = Annotated[str, typer.Argument(metavar="ANOMALY", help="Its id, ano_...", show_default=False)]


@anomalies.command("list")
def list_anomalies(
    context: typer.Context,
    start: Annotated[
        date | None, typer.Option(parser=day, metavar="DAY", help="Begun from this day on.", show_default="90 days ago")
    ] = None,
    end: Annotated[
        date | None, typer.Option(parser=day, metavar="DAY", help="Begun until this day.", show_default="today")
    ] = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """List anomalies, the newest first."""
    app = app_of(context)
    last = end or app.clock.now().date()
    first = start or last - timedelta(days=_DAYS)
    page, more = app.findings.anomalies.page(first, last, limits.MAX_ANOMALY_SCAN)
    found = [shown_incident(incident_of(body)) for _, body in page]
    if as_json:
        for each in found:
            typer.echo(to_json(each))
    else:
        for each in found:
            typer.echo("\n".join(_lines(each)))
        if not found:
            remark("there is no anomaly of these days")
    if more:
        remark(f"these are the first {len(found)}: --end asks for those before")


@anomalies.command("show")
def show_anomaly(context: typer.Context, anomaly: AnomalyId, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Show one: its days, its metrics, and the parts that show it."""
    found = shown_incident(anomaly_of(app_of(context).findings.anomalies, anomaly))
    if as_json:
        typer.echo(to_json(found))
        return
    typer.echo("\n".join(_lines(found)))
    own = [each | {"of": found["level"]} for each in found["metrics"]]
    parts = [each | {"of": f"{each['level']} {each['entity_id']}"} for each in found["parts"]]
    rows = [_row(each, found["currency"]) for each in own + parts]
    show_table(("METRIC", "DAY", ">VALUE", ">EXPECTED", ">Z", "OF"), rows, "")
    if found["parts_total"] > len(parts):
        remark(f"{len(parts)} of {found['parts_total']:,} parts")


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    """An anomaly in a few lines that fit."""
    days = dict.fromkeys((found["first_day"], found["last_day"]))
    yield f"{'..'.join(days)}  {found['severity']}  {found['state']}  {found['id']}"
    yield from hanging("  ", found["says"])


def _row(fact: Mapping[str, Any], currency: str) -> tuple[str, ...]:
    metric, expected = fact["metric"], fact["expected"]
    usual = rounded_text(metric, expected, currency) if expected is not None else ""
    return (
        metric,
        fact["date"],
        number_text(metric, fact["value"], currency),
        usual,
        f"{float(fact['z']):.1f}",
        fact["of"],
    )


@anomalies.command("expected")
def expected(
    context: typer.Context,
    anomaly: AnomalyId,
    note: Annotated[str, typer.Option(help="Why.", show_default=False)] = "",
    back: Annotated[bool, typer.Option("--not", help="It was not: takes it back.")] = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Say that it was meant to be so: its series alarm later from the next day on."""
    app = app_of(context)
    store = app.findings.anomalies
    said = {"expected": not back, "at": iso(app.clock.now()), "who": who(), "note": note}
    incident = give_feedback(store, anomaly_of(store, anomaly), said)
    about = "not expected" if back else "expected"
    record(app, "say expected", anomaly, about, kind="anomaly", account_id=incident.account_id, reason=note)
    typer.echo(to_json(shown_incident(incident)) if as_json else f"{incident.id} is {incident.state}")
