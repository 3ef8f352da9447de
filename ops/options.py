"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from sandbox.lifecycle import Home

Stack = Annotated[str, typer.Option(help="Work on this stack on AWS instead of the sandbox.", show_default=False)]


def home_of(context: typer.Context) -> Home:
    """The sandbox's folder that `--home` names."""
    home: Home = context.obj
    return home
