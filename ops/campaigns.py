"""`adweir campaigns`: campaigns across platforms, and their arms. The same checks as through the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any

import typer

from adweir.model.campaigns import Arm, Binding, Campaign
from adweir.model.money import exact_number, to_units
from adweir.pipeline.recorded import arm_changes, campaign_changes
from adweir.runtime.app import App
from adweir.runtime.http import to_json
from ops import deeds
from ops.accounts import account_or_only
from ops.errors import CommandFailed
from ops.options import Json, Yes, app_of, group
from ops.output import confirm, show_outcome
from ops.paging import every_item

campaigns = group("Campaigns across platforms, and their arms.")
_PAGE = 200
_AMOUNTS = ("budget", "bid")
_KINDS = ("campaign", "ad_group", "ad")
_BIND = (
    "bind=PLATFORM/AD_ACCOUNT:campaign=ID (or ad_group=ID, ad=ID; no kind: the whole ad account), which may be repeated"
)
_OF_CAMPAIGN = ("name", "status", "budget", "currency", "start_date", "end_date")
_OF_ARM = ("name", "channel", "creative", "bid", "status")
CampaignId = Annotated[str, typer.Argument(help="The campaign's id, cmp_...", show_default=False)]
ArmId = Annotated[str, typer.Argument(help="The arm's id, arm_...", show_default=False)]
OfCampaign = Annotated[
    list[str] | None,
    typer.Argument(metavar="FIELD=VALUE", help=f"{', '.join(_OF_CAMPAIGN[1:])}, and {_BIND}.", show_default=False),
]
OfArm = Annotated[
    list[str] | None,
    typer.Argument(metavar="FIELD=VALUE", help=f"{', '.join(_OF_ARM)}, and {_BIND}.", show_default=False),
]


@campaigns.command("list")
def list_campaigns(
    context: typer.Context,
    account: Annotated[str, typer.Option(help="Only those of this client account.", show_default=False)] = "",
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Show all campaigns with their arms, and what they are bound to."""
    app = app_of(context)
    found = every_item(lambda token: app.catalog.list_campaigns(_PAGE, token, account))
    _print(found, as_json=as_json)


@campaigns.command()
def show(
    context: typer.Context,
    campaign: CampaignId,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Show a campaign with its arms."""
    _print([app_of(context).catalog.campaign(campaign)], as_json=as_json)


@campaigns.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The campaign's name.", show_default=False)],
    fields: OfCampaign = None,
    account: Annotated[str, typer.Option(help="Whose it is; needed where there are several clients.")] = "",
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Create a campaign: adweir campaigns create Summer budget=12000 bind=meta/111:campaign=c1"""
    given = _read(fields or [], _OF_CAMPAIGN) | {"name": name}
    app = app_of(context)
    made = app.campaigns.create(account_or_only(app, account), given)
    _note(app, "create campaign", None, made)
    _print([made], as_json=as_json)


@campaigns.command()
def change(
    context: typer.Context,
    campaign: CampaignId,
    fields: OfCampaign = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Change fields of a campaign; the others stay. `bind=` alone unbinds everything."""
    given = _read(_some(fields), _OF_CAMPAIGN)
    app = app_of(context)
    was, fresh = app.campaigns.change(campaign, given)
    _note(app, "change campaign", was, fresh)
    _print([fresh], as_json=as_json)


@campaigns.command()
def delete(
    context: typer.Context,
    campaign: CampaignId,
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Delete a campaign and its arms. What was measured stays, under the ids of the platforms."""
    app = app_of(context)
    was = app.catalog.campaign(campaign)
    confirm(context, f"Delete campaign {was.name} ({campaign}) with its {len(was.arms)} arms", yes=yes)
    gone = app.campaigns.delete(campaign)
    about = {"kind": "campaign", "account_id": gone.account_id}
    deeds.note(app, "delete campaign", campaign, f"named {gone.name}, with {len(gone.arms)} arms", **about)
    record = {"campaign_id": campaign, "arms": len(gone.arms), "status": "deleted"}
    show_outcome(record, f"deleted {campaign}", as_json=as_json)


@campaigns.command("add-arm")
def add_arm(
    context: typer.Context,
    campaign: CampaignId,
    platform: Annotated[str, typer.Argument(help="Of all that it is bound to.", show_default=False)],
    fields: OfArm = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Add an arm. One that is bound to nothing takes pushed metrics by itself."""
    given = _read(fields or [], _OF_ARM)
    app = app_of(context)
    fresh, arm = app.campaigns.create_arm(campaign, platform, given)
    _note_arm(app, "create arm", fresh, None, arm)
    _print([fresh], as_json=as_json)


@campaigns.command("change-arm")
def change_arm(
    context: typer.Context,
    arm: ArmId,
    fields: OfArm = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Change fields of an arm; the others stay. `bind=` alone unbinds everything."""
    given = _read(_some(fields), _OF_ARM)
    app = app_of(context)
    was, campaign, fresh = app.campaigns.change_arm(arm, given)
    _note_arm(app, "change arm", campaign, was, fresh)
    _print([campaign], as_json=as_json)


@campaigns.command("delete-arm")
def delete_arm(
    context: typer.Context,
    arm: ArmId,
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Delete an arm. What it was bound to is free again."""
    app = app_of(context)
    campaign, was = app.campaigns.arm(arm)
    confirm(context, f"Delete arm {arm} ({was.platform}) of campaign {campaign.name}", yes=yes)
    campaign, gone = app.campaigns.delete_arm(arm)
    _note_arm(app, "delete arm", campaign, gone, None)
    show_outcome({"arm_id": arm, "status": "deleted"}, f"deleted {arm}", as_json=as_json)


def _some(fields: Sequence[str] | None) -> Sequence[str]:
    if not fields:
        raise CommandFailed("nothing to change: name a field as FIELD=VALUE")
    return fields


def _read(given: Sequence[str], known: Sequence[str]) -> dict[str, Any]:
    """`FIELD=VALUE` texts as the fields of a campaign or an arm. Raises CommandFailed."""
    fields: dict[str, Any] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or name not in {*known, "bind"}:
            raise CommandFailed(f"{text!r} is not FIELD=VALUE; fields: {', '.join(known)}, bind")
        if name == "bind":
            fields.setdefault("bindings", []).extend([_binding(value)] if value else [])
        else:
            fields[name] = _number(name, value) if name in _AMOUNTS else value
    return fields


def _number(name: str, text: str) -> Decimal | None:
    try:
        return exact_number(text) if text else None
    except ValueError:
        raise CommandFailed(f"{name} is a number, and {text[:20]!r} is not") from None


def _binding(text: str) -> dict[str, str]:
    """`meta/111:ad_group=g1:ad=a1` → what a binding names. Raises CommandFailed."""
    where, *kinds = text.split(":")
    platform, _, profile_id = where.partition("/")
    found = {"platform": platform, "profile_id": profile_id}
    for each in kinds:
        kind, separator, id_ = each.partition("=")
        if not separator or kind not in _KINDS:
            raise CommandFailed(f"{text!r} names nothing to bind: {_BIND}")
        found[f"{kind}_id"] = id_
    return found


def _print(found: Iterable[Campaign], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            arms = [arm.model_dump(mode="json") | {"bid": to_units(arm.bid)} for arm in each.arms]
            typer.echo(to_json(each.model_dump(mode="json") | {"budget": to_units(each.budget), "arms": arms}))
        return
    for campaign in found:
        for line in _lines(campaign):
            typer.echo(line)


def _lines(campaign: Campaign) -> Iterator[str]:
    """A campaign as people read it."""
    money = "" if campaign.budget is None else f", {to_units(campaign.budget):f} {campaign.currency}"
    days = f", {campaign.start_date}..{campaign.end_date}" if campaign.start_date or campaign.end_date else ""
    yield f"{campaign.campaign_id} {campaign.name}: {campaign.status}{money}{days} (of {campaign.account_id})"
    yield from _bindings(campaign.bindings, 2)
    for arm in campaign.arms:
        bid = "" if arm.bid is None else f"bid {to_units(arm.bid):f}"
        said = ", ".join(each for each in (arm.name, str(arm.platform), arm.channel, arm.creative, bid) if each)
        yield f"  {arm.arm_id}: {said}, {arm.status}"
        yield from _bindings(arm.bindings, 4)
        if not arm.bindings:
            yield "    takes pushed metrics by itself"


def _bindings(bindings: Iterable[Binding], indent: int) -> Iterator[str]:
    return (f"{' ' * indent}bound to {binding}" for binding in bindings)


def _note(app: App, deed: str, was: Campaign | None, fresh: Campaign) -> None:
    about = {"kind": "campaign", "account_id": fresh.account_id, "changes": campaign_changes(was, fresh)}
    deeds.note(app, deed, fresh.campaign_id, f"version {fresh.version}", **about)


def _note_arm(app: App, deed: str, campaign: Campaign, was: Arm | None, arm: Arm | None) -> None:
    (arm_id, *_) = (one.arm_id for one in (was, arm) if one)
    about = {"kind": "arm", "account_id": campaign.account_id, "changes": arm_changes(was, arm)}
    deeds.note(app, deed, arm_id, f"version {campaign.version} of {campaign.campaign_id}", **about)
