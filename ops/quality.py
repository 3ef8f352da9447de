"""`adweir quality`: how good the data of ad accounts is, by day, and where that is going."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

import typer

from adweir.model.entities import Profile
from adweir.quality.shown_days import shown_days
from adweir.runtime.app import App
from adweir.runtime.http import to_json
from ops.errors import CommandFailed
from ops.options import Json, app_of, day
from ops.output import painted, show_table

_DAYS, _NAMED = 30, 10


def quality(
    context: typer.Context,
    platform: Annotated[
        str, typer.Argument(help="The platform; all ad accounts without one.", show_default=False)
    ] = "",
    ad_account: Annotated[str, typer.Argument(metavar="AD_ACCOUNT", help="Its id.", show_default=False)] = "",
    start: Annotated[
        date | None, typer.Option(parser=day, metavar="DAY", help="The first day.", show_default="30 days ago")
    ] = None,
    end: Annotated[
        date | None, typer.Option(parser=day, metavar="DAY", help="The last day.", show_default="today")
    ] = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Show scores of ad accounts, 0 to 1: of each its newest day, or of one its days and bills, and what is wrong."""
    app = app_of(context)
    last = end or app.clock.now().date()
    first = start or last - timedelta(days=_DAYS - 1)
    wanted = _profiles(app, platform, ad_account)
    if not ad_account:
        found = [(one, _of(app, one, first, last)) for one in wanted]
        if as_json:
            for one, body in found:
                typer.echo(to_json({"platform": one.platform, "profile_id": one.profile_id} | body))
        else:
            headings = ("PLATFORM", "AD ACCOUNT", "DAY", ">SCORE", "TREND", "WORST")
            show_table(headings, [_newest(one, body) for one, body in found], "there is no ad account yet")
        return
    body = _of(app, wanted[0], first, last)
    if as_json:
        typer.echo(to_json(body))
        return
    show_table(("DAY", ">SCORE", "WORST"), [_row(each) for each in body["days"]], "no day of these was scored")
    if body["days"]:
        _show_trend(body)


def _of(app: App, profile: Profile, first: date, last: date) -> dict[str, Any]:
    gaps = (gap for spec in app.platforms.served(profile).values() for gap in spec.lacks)
    return shown_days(app.findings.scores, profile.key, first, last, gaps)


def _profiles(app: App, platform: str, ad_account: str) -> list[Profile]:
    """The ad accounts that are meant. Raises CommandFailed."""
    named = app.platforms.parse(platform) if platform else ""
    known = [one for one in app.catalog.profiles() if one.is_listed and named in {"", one.platform}]
    found = [one for one in known if ad_account in {"", one.profile_id}]
    if ad_account and not found:
        ids = [one.profile_id for one in known[:_NAMED]] + (["..."] if len(known) > _NAMED else [])
        raise CommandFailed(f"there is no ad account {ad_account} of {named}: there is {', '.join(ids) or 'none'}")
    return sorted(found, key=lambda one: one.key)


def _newest(profile: Profile, body: Mapping[str, Any]) -> tuple[object, ...]:
    scored = [each for each in body["days"] if each["score"] is not None]
    if not scored:
        return profile.platform, profile.shown_id, "", "", "", "no day was scored yet"
    return profile.platform, profile.shown_id, *_row(scored[-1])[:2], body["trend"]["direction"], _worst(scored[-1])


def _row(scored: Mapping[str, Any]) -> tuple[object, ...]:
    score = "-" if scored["score"] is None else f"{scored['score']:.3f}"
    return scored["date"], score, _worst(scored)


def _worst(scored: Mapping[str, Any]) -> str:
    """What is wrong with a day, in words."""
    wrong = [f"{one['field']} {one['rule']} {one['rows']:,} times" for one in scored["worst"]]
    wrong += [f"{name} was not pulled" for name in scored["missing"]]
    wrong += [
        f"{one['level']} {one['metric']} lacks {one['unexplained']} of {one['platform']}"
        for one in scored["reconciliation"]
        if one["unexplained"]
    ]
    return "; ".join(wrong)


def _show_trend(body: Mapping[str, Any]) -> None:
    trend = body["trend"]
    if trend["change"] is not None:
        now, then = trend["last"]["score"], trend["before"]["score"]
        typer.echo(f"\nthe last week is {painted(trend['direction'])}: {now:.3f}, {then:.3f} the week before")
    if body["bills"]:
        typer.echo()
        rows = [
            (one["month"], one["total"], one["measured"], one["unexplained"], one["state"]) for one in body["bills"]
        ]
        show_table(("MONTH", ">BILLED", ">MEASURED", ">UNEXPLAINED", "STATE"), rows, "")
