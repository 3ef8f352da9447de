"""`adweir mmm show|history|reallocate`: what a deployment's fits say that each channel brought."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from adweir.insight.mmm.budget import SpendBounds
from adweir.insight.mmm.shown import (
    BudgetAsked,
    SeriesAsked,
    reallocated,
    series_of,
    shown_looks,
    shown_summary,
    shown_version,
    version_of,
)
from adweir.model import limits
from adweir.runtime.http import to_json
from ops.options import Json, app_of
from ops.output import remark, show_parts, show_table, time_text

if TYPE_CHECKING:
    from adweir.runtime.app import App

Asked = TypeVar("Asked", bound=tuple[str, ...])
Subject = Annotated[
    str, typer.Argument(metavar="ID", help="A client company (acc_...) or a campaign (cmp_...).", show_default=False)
]
Series = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME=VALUE...]", help="Of several series: currency, table or kpi.", show_default=False),
]


def amount(text: str) -> Decimal:
    """An amount of money."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal(-1)
    if not (found.is_finite() and 0 <= found <= limits.MAX_PLANNED_AMOUNT):
        most = f"{limits.MAX_PLANNED_AMOUNT:,}"
        raise typer.BadParameter(f"{text!r} is no amount such as 20000 or 1250.50, from 0 to {most}")
    return found


def show(
    context: typer.Context,
    subject: Subject,
    series: Series = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Show the newest coefficients of each series, and why a table has none."""
    app = app_of(context)
    known, asked = known_subject(app, subject), chosen(series, SeriesAsked)
    found = [shown_version(each) for each in app.findings.mix.latest(known) if asked.fits(each.of)]
    if as_json:
        for each in found:
            typer.echo(to_json(each))
    else:
        for each in found:
            _show(each)
    if not found:
        remark(f"{subject} has no coefficients{' of this series' if series else ''}")
    for look in shown_looks(app.findings.mix.looks(known)):
        if look["reason"] and asked.currency in {"", look["currency"]} and asked.table in {"", look["table"]}:
            remark(f"{look['table']} in {look['currency']} is not fitted: {look['reason']}")


def history(
    context: typer.Context,
    subject: Subject,
    series: Series = None,
    number: Annotated[
        int | None, typer.Option("--version", min=1, metavar="N", help="One of them, whole.", show_default=False)
    ] = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """List the versions of a series, the newest first."""
    app = app_of(context)
    store, known, asked = app.findings.mix, known_subject(app, subject), chosen(series, SeriesAsked)
    if number:
        one = shown_version(version_of(store, known, asked, number))
        if as_json:
            typer.echo(to_json(one))
        else:
            _show(one)
        return
    found = [shown_summary(each) for each in store.versions(series_of(store, known, asked).of)]
    if as_json:
        for each in found:
            typer.echo(to_json(each))
        return
    rows = [
        (each["version"], time_text(each["as_of"]), each["last"], one["channel"], _said(one["roi"], ".2f"))
        for each in found
        for one in each["channels"]
    ]
    show_table((">VERSION", "DATA AS OF", "LAST PERIOD", "CHANNEL", "ROI"), rows, "there is no version")


def reallocate(
    context: typer.Context,
    subject: Subject,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CHANNEL=LEAST..MOST...]",
            help="What a channel gets, either end may be left out; of several series currency=, table= or kpi=.",
            show_default=False,
        ),
    ] = None,
    budget: Annotated[
        Decimal | None,
        typer.Option(parser=amount, metavar="AMOUNT", help="In all.", show_default="what is spent now"),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=1, max=limits.MAX_PLANNED_DAYS, help="For so many days.", show_default="as many as were fitted"
        ),
    ] = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Say where a budget brings the most, with the gain and its interval. It changes nothing."""
    app = app_of(context)
    series = [word for word in words or () if word.partition("=")[0] in SeriesAsked._fields]
    bounds = _bounds([word for word in words or () if word not in series])
    store = app.findings.mix
    version = series_of(store, known_subject(app, subject), chosen(series, SeriesAsked))
    found = reallocated(store, version, BudgetAsked(days, budget, bounds))
    if as_json:
        typer.echo(to_json(found))
        return
    names = ("channel", "now", "proposed", "least", "most")
    rows = [[each["channel"], *(f"{each[name]:,.2f}" for name in names[1:])] for each in found["moves"]]
    show_table(("CHANNEL", ">NOW", ">PROPOSED", ">LEAST", ">MOST"), rows, "there is no channel")
    about = f"{found['budget']:,.2f} {found['currency']} over {found['days']} days"
    remark(f"{about} would bring {_said(found['gain'], ',.0f')} more {found['kpi']}; by version {found['version']}")
    _warn(found["warnings"])


def chosen(words: Sequence[str] | None, kind: type[Asked]) -> Asked:
    """`currency=USD table=daily` → which of several is asked for. `kind` is a record of names."""
    names, asked = tuple(inspect.signature(kind).parameters), {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if name not in names or not (equals and value):
            forms = ", ".join(f"{each}={'CODE' if each == 'currency' else 'NAME'}" for each in names)
            raise typer.BadParameter(f"{word!r} is none of {forms}")
        asked[name] = value.upper() if name == "currency" else value
    return kind(**asked)


def _bounds(words: Sequence[str]) -> dict[str, SpendBounds]:
    found: dict[str, SpendBounds] = {}
    for channel, bound in map(_bound, words):
        if channel in found:
            raise typer.BadParameter(f"{channel} is named twice: write both ends in one, {channel}=LEAST..MOST")
        found[channel] = bound
    return found


def _bound(word: str) -> tuple[str, SpendBounds]:
    """`google_ads=1000..5000`; either end may be left out."""
    channel, _, span = word.partition("=")
    least, dots, most = span.partition("..")
    if not (channel and dots and (least or most)):
        raise typer.BadParameter(f"{word!r} is not CHANNEL=LEAST..MOST, such as google_ads=1000..5000")
    return channel, SpendBounds(amount(least) if least else None, amount(most) if most else None)


def known_subject(app: App, subject: str) -> str:
    """Raises NotFound where there is no such client or campaign."""
    if subject.startswith("cmp_"):
        return app.catalog.campaign(subject).campaign_id
    return app.catalog.account(subject).account_id


def _show(found: Mapping[str, Any]) -> None:
    rows = [
        (
            one["channel"],
            f"{one['spend']:,.0f}",
            _said(one["contribution"], ",.0f"),
            _said(one["roi"], ".2f"),
            _said(one["marginal_roi"], ".2f"),
        )
        for one in found["channels"]
    ]
    show_parts(("CHANNEL", ">SPEND", "BROUGHT", "ROI", "MARGINAL ROI"), rows, "there is no channel")
    about = f"{found['kpi']} in {found['currency']}, {found['table']}, {found['first']} to {found['last']}"
    fit = found["fit"]
    remark(f"version {found['version']} of {about}: {fit['family']} saturation, R2 {fit['r2']:.3f}; intervals of 90 %")
    _warn([*found["warnings"], *(f"{one['channel']}: {said}" for one in found["channels"] for said in one["warnings"])])


def _warn(warnings: Sequence[str]) -> None:
    for said in warnings:
        remark(f"warning: {said}")


def _said(one: Mapping[str, Decimal], form: str) -> str:
    """`12 (10 to 15)`."""
    return f"{one['estimate']:{form}} ({one['low']:{form}} to {one['high']:{form}})"
