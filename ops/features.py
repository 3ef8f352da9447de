"""`adweir features`: what ads and ad accounts are like, as it was recorded last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from adweir.insight.ad_features.shown import FeatureFilter, FeaturePages, shown_row
from adweir.runtime.http import to_json
from ops.options import Json, app_of
from ops.output import show_parts
from ops.paging import every_item

_PAGE = 1000
_HEADERS = (
    "PLATFORM",
    "AD ACCOUNT",
    "ENTITY",
    "AS OF",
    ">KNOWN",
    ">SPEND 7",
    ">SPEND 28",
    ">CTR 28",
    ">A DAY",
    ">ROAS 28",
)


def features(
    context: typer.Context,
    profile: Annotated[str, typer.Argument(help="The ad account's id; without it all.", show_default=False)] = "",
    account: Annotated[str, typer.Option(help="Only those of this client account.", show_default=False)] = "",
    level: Annotated[str, typer.Option(help="account or ad; both when left out.", show_default=False)] = "",
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Show the newest features of each ad account and ad."""
    app = app_of(context)
    pages = FeaturePages(app.catalog, app.findings.features)
    only = FeatureFilter(account_id=account, profile_id=profile, level=level)
    found = every_item(lambda token: pages.page(only, _PAGE, token))
    if as_json:
        for row in found:
            typer.echo(to_json(shown_row(row)))
        return
    show_parts(_HEADERS, [_row(each) for each in found], "no features were recorded yet")


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    money = (f"{row[name]:,.2f}" if row[name] is not None else "" for name in ("spend_7", "spend_28"))
    shares = (_share(row[name]) for name in ("ctr_28", "ctr_slope_28"))
    roas = "" if row["roas_28"] is None else f"{row['roas_28']:.2f}"
    known = f"{row['known_days_28']}/28"
    return (row["platform_name"], row["account_id"], row["entity_id"], row["as_of"][:16], known, *money, *shares, roas)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"
