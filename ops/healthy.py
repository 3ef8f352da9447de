"""`adweir health`: whether all is well, what is not, and the command that shows more of it."""

from __future__ import annotations

import typer

from ops.options import Json, app_of
from ops.output import hanging, painted, remark, show_json, show_table, time_text

_MORE = {
    "store": "adweir health --json for AWS's names; docs/operations.md",
    "profiles": "adweir accounts show ACCOUNT, adweir runs",
    "credentials": "adweir connect stores a new one",
    "brakes": "adweir brakes list",
    "dead_letters": "adweir dead-letters list",
    "runs": "adweir runs, adweir redrive RUN",
    "jobs": "adweir jobs list",
    "breaches": "adweir breaches",
    "faults": "adweir logs",
}
"""What shows, or mends, a part that is not healthy."""


def health(context: typer.Context, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Show whether all is well, part by part, and what is not; exits with 1 unless all is."""
    found = app_of(context).health()
    if as_json:
        show_json(found)
    else:
        typer.echo(f"{painted(found['status'])}, as of {time_text(found['checked_at'])} UTC\n")
        parts = found["parts"]
        show_table(("PART", "STATUS"), [(name.replace("_", " "), part["status"]) for name, part in parts.items()], "")
        for name, part in parts.items():
            if part.get("reason"):
                typer.echo(f"\n{name.replace('_', ' ')}: {part['status']}")
                typer.echo("\n".join(hanging("  ", str(part["reason"]))))
                if name in _MORE:
                    remark(f"  see: {_MORE[name]}")
    if found["status"] != "healthy":
        raise typer.Exit(1)
