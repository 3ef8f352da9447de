"""What the audit says of a request that changed something: by whom, on what, with which fields, what came of it.

Names of fields only: a value may be a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adweir.model import limits
from adweir.model.errors import BadInput, Unavailable
from adweir.runtime.http import json_body, key_of_request

if TYPE_CHECKING:
    from adweir.runtime.app import App

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def note_change(app: App, operation: str, path: Mapping[str, str], event: Mapping[str, Any], answer: object) -> None:
    """Record a request of the API that succeeded. One that cannot be recorded is in the log, and was done all the same:
    the caller must not take it for refused."""
    who, action, subject = key_of_request(event), operation.replace("_", " "), "/".join(path.values())
    outcome = "; ".join(said for said in (_made(answer), _given(event)) if said) or "done"
    try:
        app.ledger.audit.note(who, action, subject, "", outcome[: limits.MAX_REASON_CHARS])
    except Unavailable as error:
        about = {"who": who, "action": action, "subject": subject, "outcome": outcome, "reason": error.message}
        app.logger.exception("a change is not in the audit", extra=about)


def _made(answer: object) -> str:
    """The ids and the version that the answer names: a mapping, or JSON where a route wrote it itself."""
    try:
        found = answer if isinstance(answer, dict) else json.loads(str(answer or ""))
    except ValueError:
        return ""
    named = found.items() if isinstance(found, dict) else ()
    return ", ".join(
        f"{name} {value}"
        for name, value in named
        if (name.endswith("_id") or name == "version") and isinstance(value, str | int)
    )


def _given(event: Mapping[str, Any]) -> str:
    """The names of the fields that the request's body has."""
    try:
        body = json_body(event)
    except BadInput:
        return ""
    names = [name for name in body if _NAME.fullmatch(name)] if isinstance(body, dict) else []
    return f"with {', '.join(sorted(names))}" if names else ""
