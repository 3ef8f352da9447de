"""`adweir agents`: what bandits know of the arms of cross-platform campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from adweir.insight.agents.shown import shown_state
from adweir.model.campaigns import Arm
from adweir.runtime.http import to_json
from ops.options import Json, app_of
from ops.output import remark, show_parts
from ops.paging import every_item

_PAGE = 200
_NUMBERS = (">TRIALS", ">REWARDS", ">RATE", ">BEST", ">SHARE", ">RISK")
_HEADERS = ("ARM", "PLATFORM", *_NUMBERS, "THROUGH", "STATUS", "NAME")
_NOTHING = "no arm was learned yet: the next run learns all that adweir campaigns list shows; adweir sync starts one"


def agents(
    context: typer.Context,
    campaign: Annotated[
        str, typer.Argument(help="The campaign's id, cmp_...; without it all.", show_default=False)
    ] = "",
    account: Annotated[str, typer.Option(help="Only those of this client account.", show_default=False)] = "",
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Show what is known of each arm: its conversion rate, and its chance to be the campaign's best."""
    app = app_of(context)
    if campaign:
        campaigns = [app.catalog.campaign(campaign)]
    else:
        campaigns = list(every_item(lambda token: app.catalog.list_campaigns(_PAGE, token, account)))
    found, arms = list[dict[str, Any]](), dict[str, Arm]()
    for each in campaigns:
        states = app.findings.agents.of(each.campaign_id)
        arms |= {arm.arm_id: arm for arm in each.arms if arm.arm_id in states}
        found += [shown_state(states[arm.arm_id]) for arm in each.arms if arm.arm_id in states]
    if as_json:
        for state in found:
            typer.echo(to_json(state))
        return
    show_parts(_HEADERS, [_row(each, arms[each["arm_id"]]) for each in found], _NOTHING)
    if any(each["p_best"] is None for each in found):
        remark("an arm that is paused, ended or archived has no BEST, SHARE and RISK; the others share without it")
    if any(not each["delay"]["measured"] for each in found):
        remark("of some platforms too few restatements were seen: a table says how late their conversions come")


def _row(state: Mapping[str, Any], arm: Arm) -> tuple[str, ...]:
    shares = (_percent(state[name]) for name in ("reward_mean", "p_best", "allocation", "risk_score"))
    counts = f"{state['trials']:,}", f"{state['rewards']:,f}"
    return (state["arm_id"], state["platform"], *counts, *shares, state["through"], arm.status, arm.name)


def _percent(share: Any) -> str:
    return "" if share is None else f"{100 * share:.2f} %"
