"""How a command ends: 0 done, 1 failed, 2 wrong usage, 130 interrupted; an error is one line on stderr, of
input with several faults one line each."""

from __future__ import annotations

import sys
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup

from adweir.model.errors import AdweirError, BadInput
from ops.client import ApiError
from sandbox.processes import SandboxError


class CommandFailed(Exception):
    """A command could not do what was asked; the message says what to do."""


EXPECTED = (CommandFailed, ApiError, SandboxError, AdweirError, BotoCoreError, ClientError, OSError)
"""What ends a command with its message alone (requests' errors are OSErrors). Anything else is a fault of ours and
keeps its traceback."""

INTERRUPTED = 130
"""typer's exit code after Ctrl-C."""


class OneLine(TyperGroup):
    """The command line as a whole: it turns faults into lines and an exit code."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run one command line as typer does, and end the process unless `standalone_mode` is off."""
        standalone = options.get("standalone_mode", True)
        try:
            answer = super().main(*args, **(options | {"standalone_mode": False}))
            code = answer if isinstance(answer, int) else 0
            if code == INTERRUPTED:
                say_error("interrupted", code)
        except typer.Abort:
            code = say_error("interrupted", INTERRUPTED)
        except typer.TyperException as error:
            context = getattr(error, "ctx", None)
            where = context.command_path if context else "adweir"
            code = say_error(f"{error.format_message().rstrip('.')}. See: {where} --help", error.exit_code)
        except BadInput as error:
            code = say_error(said(error), 1)
        except EXPECTED as error:
            code = say_error(str(error), 1)
        if standalone:
            sys.exit(code)
        return code


def said(error: BadInput) -> str:
    """The message, which names the first fault, and the other faults on lines of their own."""
    others = (f"\n  {one['field']}: {one['message']}" for one in error.details[1:] if "message" in one)
    return error.message + "".join(others)


def say_error(message: str, code: int) -> int:
    """One line to the person at the terminal; returns the exit code."""
    sys.stderr.write(f"adweir: {message}\n")
    return code
