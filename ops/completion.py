"""`adweir completion`: what makes a shell complete the commands and their options."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from typer.completion import get_completion_inspect_parameters, shell_complete

from ops.frame import COMPLETES


class Shell(StrEnum):
    """The shells that can be helped."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False)],
) -> None:
    """Print a script that makes your shell complete these commands.

    Bash and zsh: add `eval "$(adweir completion bash)"` (or zsh) to ~/.bashrc or ~/.zshrc, in which adweir is on the
    PATH. Fish: adweir completion fish > ~/.config/fish/completions/adweir.fish
    """
    get_completion_inspect_parameters()  # has typer know the shells
    shell_complete(context.find_root().command, {}, "adweir", COMPLETES, f"source_{shell.value}")
