"""`adweir keys`: API keys, which are shown once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

import typer

from adweir.model import limits
from adweir.model.entities import ApiKey
from adweir.pipeline.recorded import key_changes
from adweir.reporting.key_list import shown_keys
from adweir.runtime.app import App
from adweir.store.catalog.keys import SCOPES
from ops import deeds
from ops.commands import create_key
from ops.options import Json, Yes, app_of, group, target_of
from ops.output import confirm, remark, show_json, show_table, time_text

app = group("API keys: create, list, rotate, revoke.")
KeyId = Annotated[str, typer.Argument(metavar="KEY", help="The key's id, key_..., as the list has it.")]


@app.command("list")
def list_keys(context: typer.Context, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """List the keys: what each may do, until when, and when it was last used."""
    target = app_of(context)
    found = list(shown_keys(target.ledger, list(_stored(target)), target.clock.now()))
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
) -> None:
    """Create an API key and print it. It is not shown again."""
    wanted = [scope.strip() for scope in scopes.split(",")]
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(SCOPES)}", param_hint="--scopes")
    typer.echo(create_key(target_of(context), name, wanted, account or (), days))


@app.command()
def rotate(
    context: typer.Context,
    key: KeyId,
    overlap: Annotated[
        int, typer.Option(min=0, max=limits.MAX_KEY_OVERLAP_HOURS, help="Hours that the value before works, too.")
    ] = 24,
) -> None:
    """Give a key a new value and print it. It is not shown again; --overlap 0 is for a value that leaked."""
    target = app_of(context)
    was, now, plain = target.catalog.rotate_key(key, timedelta(hours=overlap))
    deeds.note(target, "rotate key", key, f"named {now.name}", kind="key", changes=key_changes(was, now))
    typer.echo(plain)
    if now.previous_ends_at:
        remark(f"the value before works until {time_text(now.previous_ends_at)} UTC")


@app.command()
def revoke(context: typer.Context, key: KeyId, yes: Yes = False) -> None:  # noqa: FBT002 - a flag
    """Revoke a key for good. It stops working within a minute."""
    target = app_of(context)
    was = target.catalog.key(key)
    confirm(context, f"Revoke key {key}{f', named {was.name},' if was else ''}", yes=yes)
    now = target.catalog.revoke_key(key)
    deeds.note(target, "revoke key", key, f"named {now.name}", kind="key", changes=key_changes(was, now))
    typer.echo(f"revoked {key}, named {now.name}")


def _stored(target: App) -> Iterator[ApiKey]:
    found, token = target.catalog.list_keys(limits.MAX_PAGE_ITEMS)
    yield from found
    while token:
        found, token = target.catalog.list_keys(limits.MAX_PAGE_ITEMS, token)
        yield from found
