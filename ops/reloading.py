"""`adweir reload`: stored objects are loaded again as they are."""

from __future__ import annotations

from typing import Annotated

import typer

from adweir.pipeline.object_replays import send_again
from ops import deeds
from ops.options import Json, Yes, app_of
from ops.output import confirm, remark, show_outcome


def load_again(
    context: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="Its key; or all below one that ends with /.", show_default=False)
    ],
    reason: Annotated[str, typer.Option(help="Why, for the audit.", show_default=False)] = "",
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Load a stored object again as if it had just arrived, or all below a prefix: a file, a delivery, an answer.

    What was loaded before changes nothing; what could not be loaded before a repair can be now.
    """
    app, one = app_of(context), not key.endswith("/")
    if not one:
        confirm(context, f"Load all objects below {key} again", yes=yes)
    first, last, sent, more = "", "", 0, True
    try:
        while more:
            found = send_again(app.raw, app.queues.landing, key, last, one=one)
            first, last, sent, more = first or found.keys[0], found.keys[-1], sent + len(found.keys), found.more
            if more:
                remark(f"{sent:,} are sent, and there are more")
    finally:
        if sent:
            said = f"sent {sent} objects, {first} to {last}"
            deeds.note(app, "replay objects", key, said, reason=reason, kind="replay")
    said = f"{'1 object is' if sent == 1 else f'{sent:,} objects are'} being loaded again"
    show_outcome({"sent": sent, "first_key": first, "last_key": last}, said, as_json=as_json)
    remark("what comes of it: adweir receipts, adweir logs --since 5m")
