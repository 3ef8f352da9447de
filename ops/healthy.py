"""`adweir health`: whether all is well, what is not, and the command that shows more of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from ops.options import Json, app_of
from ops.output import hanging, painted, remark, show_json, show_table, time_text

_MORE = {
    "store": "adweir health --json for AWS's names; docs/operations.md",
    "profiles": "adweir accounts show ACCOUNT, adweir runs",
    "credentials": "adweir connect stores a new one",
    "brakes": "adweir brakes list",
    "dead_letters": "adweir dead-letters list",
    "runs": "adweir runs",
    "jobs": "adweir jobs list",
    "breaches": "adweir breaches",
    "faults": "adweir logs --level WARNING",
}
"""What shows, or mends, a part that is not healthy."""
_NAMED = 3
"""So many commands with ids are shown of a part."""


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
                for command in _commands(name, part):
                    remark(f"  see: {command}")
    if found["status"] != "healthy":
        raise typer.Exit(1)


def _commands(name: str, part: Mapping[str, Any]) -> list[str]:
    """What shows more of a part that is not healthy, or mends it: with the ids of what is wrong, where it names any."""
    named = list(dict.fromkeys(_with_ids(name, part)))
    general = [_MORE[name]] if name in _MORE else []
    return named[:_NAMED] + general if len(named) > _NAMED else named or general


def _with_ids(name: str, part: Mapping[str, Any]) -> Iterator[str]:
    match name:
        case "profiles":
            wrong = (one for one in part.get("items", ()) if "reason" in one)
            yield from (f"adweir accounts show {one['account_id']}" for one in wrong)
        case "credentials":
            for one in (*part.get("broken", ()), *part.get("ending", ())):
                yield f"adweir connect {one['platform']} --account {one['account_id']} --label {one['label']}"
        case "runs":
            yield from (f"adweir run {one['run_id']}" for one in part.get("troubled", ()))
        case "jobs":
            yield from (f"adweir jobs show {one['name']}" for one in part.get("items", ()))
