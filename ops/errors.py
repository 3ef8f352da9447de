"""How a command ends: 0 done, 1 failed, 2 wrong usage, 130 interrupted; an error is one line on stderr, of
input with several faults one line each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from adweir.model.errors import BadInput


class CommandFailed(Exception):
    """A command could not do what was asked; the message says what to do."""


INTERRUPTED = 130
"""typer's exit code after Ctrl-C."""


def run_main(main: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Run one command line, and turn its faults into lines and an exit code. Ends the process unless
    `standalone_mode` is off. A fault of ours keeps its traceback."""
    standalone = options.get("standalone_mode", True)
    try:
        answer = main(*args, **(options | {"standalone_mode": False}))
        code = answer if isinstance(answer, int) else 0
        if code == INTERRUPTED:
            say_error("interrupted", code)
    except typer.Abort:
        code = say_error("interrupted", INTERRUPTED)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "adweir"
        said = error.format_message().removesuffix(".").replace("Value error, ", "", 1)  # pydantic's, which typer asks
        code = say_error(f"{said}{'' if said.endswith('?') else '.'} See: {where} --help", error.exit_code)
    except Exception as error:
        told = _expected(error)
        if told is None:
            raise
        code = say_error(told, 1)
    if standalone:
        sys.exit(code)
    return code


def _expected(error: Exception) -> str | None:
    """What is said of a fault that ends a command with its message alone (requests' errors are OSErrors); None for any
    other. The product is imported only here, when something failed: the help does not wait for it."""
    from botocore.exceptions import BotoCoreError, ClientError

    from adweir.model.errors import AdweirError, BadInput
    from ops.client import ApiError
    from sandbox.processes import SandboxError

    if isinstance(error, BadInput):
        return all_faults(error)
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror[:1].lower()}{error.strerror[1:]}"
    known = (CommandFailed, ApiError, SandboxError, AdweirError, BotoCoreError, ClientError, OSError)
    return str(error) if isinstance(error, known) else None


def all_faults(error: BadInput) -> str:
    """The message, which names the first fault, and the other faults on lines of their own."""
    others = (f"\n  {one['field']}: {one['message']}" for one in error.details[1:] if "message" in one)
    return error.message + "".join(others)


def say_error(message: str, code: int) -> int:
    """One line to the person at the terminal; returns the exit code."""
    sys.stderr.write(f"adweir: {message}\n")
    return code
