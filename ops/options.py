"""Options that several commands take."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from sandbox.lifecycle import Home

Stack = Annotated[str, typer.Option(help="Work on this stack on AWS instead of the sandbox.", show_default=False)]


def moment(text: str) -> datetime:
    """ISO 8601 → UTC; a time without a zone is UTC."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time such as 2026-11-21T05:30Z") from None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def home_of(context: typer.Context) -> Home:
    """The sandbox's folder that `--home` names."""
    home: Home = context.obj
    return home
