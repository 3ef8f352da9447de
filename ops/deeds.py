"""What the command line changes is in the audit, as what the API changes is: `cli:<user>` did it."""

from __future__ import annotations

import getpass
import os
from typing import Any

from adweir.model.deeds import Deed
from adweir.model.errors import AdweirError
from adweir.runtime.app import App
from ops.errors import say_error


def who() -> str:
    """The person at this terminal, as the audit names them."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):  # a container may have no name for its user
        return f"cli:{os.getuid()}"


def note(app: App, action: str, subject: str, outcome: str = "done", **more: Any) -> None:
    """Record what a command changed; `more` are the other fields of a `Deed`. What cannot be recorded was done all the
    same, and is said on standard error."""
    try:
        app.ledger.audit.note(Deed(who(), action, subject, outcome, **more))
    except AdweirError as error:
        say_error(f"done, but it is not in the audit: {error.message}", 0)
