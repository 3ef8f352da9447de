"""`adweir mmm features`: what the series of a media mix are like, and what each period has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from adweir.insight.mmm.featured import FeaturesAsked, featured
from adweir.runtime.http import to_json
from ops.mix_stored import Subject, chosen, known_subject
from ops.options import Json, app_of
from ops.output import remark, show_parts

_LAST = 14
_FACTS = ("CHANNEL", "SERIES", ">SHARE", ">MEAN", ">CV", ">OVERDISPERSION", ">WEEKLY", "TREND")


def features(
    context: typer.Context,
    subject: Subject,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE...]",
            help="currency=EUR, table=weekly; channel=NAME shows each period of that channel.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Show seasonality, trend and variation of each channel; lags, adstock and saturation of each period."""
    app, asked = app_of(context), chosen(words, FeaturesAsked)
    known = known_subject(app, subject)
    campaign = known if subject.startswith("cmp_") else ""
    owner = app.catalog.campaign(campaign).account_id if campaign else known
    found = featured(app.raw, owner, campaign, asked)
    if as_json:
        typer.echo(to_json(found))
        return
    show_parts(_FACTS, [*_facts(found)], "there is no channel", keys=2)
    if asked.channel:
        typer.echo()
        last = found["periods"][-_LAST:]
        headings = ["TIME", *(f">{name}" for name in last[0]["channel"])]
        rows = [(each["time"], *map(_short, each["channel"].values())) for each in last]
        show_parts(headings, rows, "there is no period")
        remark(f"the last {len(last)} of {len(found['periods'])} periods; --json has all, the KPI's and the calendar")


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for channel in found["channels"]:
        for name in ("spend", "exposure"):
            share = f"{100 * channel['share_of_spend']:.1f} %" if name == "spend" else ""
            yield channel["channel"], name, share, *_facts_of(channel[name])
    yield "", found["kpi"]["name"], "", *_facts_of(found["kpi"])


def _facts_of(facts: Mapping[str, Any]) -> tuple[str, ...]:
    variation, season, trend = facts["variation"], facts["seasonality"], facts["trend"]
    said = "" if trend is None else f"{trend['direction']} {_short(trend['slope'])} (p {trend['p_value']:.2g})"
    weekly = "" if season is None else f"{season['strength']:.2f}"
    return (*(_short(variation[name]) for name in ("mean", "cv", "overdispersion")), weekly, said)


def _short(value: Any) -> str:
    """Four digits."""
    return "" if value is None else f"{float(value):,.4g}"
