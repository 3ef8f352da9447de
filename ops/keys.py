"""`adweir keys`: API keys, which are shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from adweir.model import limits
from adweir.model.entities import ApiKey
from adweir.pipeline.recorded import key_changes
from adweir.reporting.key_list import shown_keys
from adweir.store.catalog.keys import SCOPES
from ops import deeds
from ops.commands import create_key
from ops.options import Json, Yes, app_of, group, target_of
from ops.output import confirm, remark, show_json, show_outcome, show_table, time_text
from ops.paging import every_item

app = group("API keys: create, list, rotate, revoke.")
KeyId = Annotated[str, typer.Argument(metavar="KEY", help="The key's id, key_..., as the list has it.")]


@app.command("list")
def list_keys(context: typer.Context, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """List the keys: what each may do, until when, and when it was last used."""
    target = app_of(context)
    stored = list(every_item(lambda token: target.catalog.list_keys(limits.MAX_PAGE_ITEMS, token)))
    found = list(shown_keys(target.ledger, stored, target.clock.now()))
    if as_json:
        for key in found:
            show_json(key)
        return
    rows = []
    for key in found:
        may = ",".join(key["scopes"]) + (f" of {', '.join(key['accounts'])}" if key["accounts"] else "")
        end, used = time_text(key["expires_at"])[:10], time_text(key["last_used_at"])[:10]
        rows.append((key["key_id"], key["status"], end, used, f"{key['name']}: {may}"))
    show_table(("KEY", "STATUS", "ENDS", "LAST USED", "NAME: MAY"), rows, "there is no key: adweir keys create")


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="What the key is for.", show_default=False)],
    scopes: Annotated[str, typer.Option(help="Comma-separated: read, write, admin.")] = "read",
    account: Annotated[list[str] | None, typer.Option(help="Limit it to this client account; repeatable.")] = None,
    days: Annotated[int, typer.Option(min=0, max=3650, help="It stops working after so many days; 0: never.")] = 0,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Create an API key and print it. It is not shown again."""
    wanted = [scope.strip() for scope in scopes.split(",")]
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(SCOPES)}", param_hint="--scopes")
    key, plain = create_key(target_of(context), name, wanted, account or (), days)
    show_outcome(_record(key, plain), plain, as_json=as_json)


@app.command()
def rotate(
    context: typer.Context,
    key: KeyId,
    overlap: Annotated[
        int, typer.Option(min=0, max=limits.MAX_KEY_OVERLAP_HOURS, help="Hours that the value before works, too.")
    ] = 24,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Give a key a new value and print it. It is not shown again; --overlap 0 is for a value that leaked."""
    target = app_of(context)
    was, now, plain = target.catalog.rotate_key(key, timedelta(hours=overlap))
    deeds.note(target, "rotate key", key, f"named {now.name}", kind="key", changes=key_changes(was, now))
    show_outcome(_record(now, plain), plain, as_json=as_json)
    if now.previous_ends_at:
        remark(f"the value before works until {time_text(now.previous_ends_at)} UTC")


@app.command()
def revoke(
    context: typer.Context,
    key: KeyId,
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Revoke a key for good. It stops working within a minute."""
    target = app_of(context)
    was = target.catalog.key(key)
    confirm(context, f"Revoke key {key}{f', named {was.name},' if was else ''}", yes=yes)
    now = target.catalog.revoke_key(key)
    deeds.note(target, "revoke key", key, f"named {now.name}", kind="key", changes=key_changes(was, now))
    show_outcome(_record(now), f"revoked {key}, named {now.name}", as_json=as_json)


def _record(key: ApiKey, plain: str = "") -> dict[str, str | None]:
    """A key for programs, with its value where that is new. Nothing is read for it: the value cannot be lost."""
    ends = {"expires_at": key.expires_at or None, "previous_ends_at": key.previous_ends_at or None}
    value = {"key": plain} if plain else {}
    return {"key_id": key.key_id, "name": key.name, "status": key.status, **ends, **value}
