"""What the audit says of a request that changed something: by whom, on what, with which fields, what came of it.

Names of fields only, for a value may be a secret; a route that knows better records its change itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adweir.model.deeds import Deed
from adweir.model.errors import BadInput, Unavailable
from adweir.model.times import iso
from adweir.runtime.http import json_body, key_of_request

if TYPE_CHECKING:
    from adweir.runtime.app import App

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_IN_PATH = re.compile(r"/accounts/([^/]+)")


def note_change(app: App, who: str, action: str, subject: str, outcome: str = "done", **more: Any) -> Deed:
    """Record a change that was made; `more` are the other fields of a `Deed`.

    One that cannot be recorded is in the log, and was done all the same: the caller must not take it for refused.
    """
    deed = Deed(who, action, subject, outcome, **more)
    try:
        return app.ledger.audit.note(deed)
    except Unavailable as error:
        app.logger.exception("a change is not in the audit", extra=deed._asdict() | {"fault": error.message})
        return deed._replace(at=iso(app.clock.now()))


def note_request(app: App, about: tuple[str, str, str], event: Mapping[str, Any], answer: object) -> None:
    """Record a request of the API that succeeded: `about` is what it did, to what, and of which kind that is."""
    action, subject, kind = about
    found, body = _answered(answer), _body(event)
    outcome = "; ".join(said for said in (_made(found), _given(body)) if said) or "done"
    account_id = _account(str(event.get("rawPath", "")), body, found)
    note_change(app, key_of_request(event), action, subject, outcome, kind=kind, account_id=account_id)


def _answered(answer: object) -> dict[str, Any]:
    """A mapping, or JSON where a route wrote it itself."""
    try:
        found = answer if isinstance(answer, dict) else json.loads(str(answer or ""))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _made(answer: Mapping[str, Any]) -> str:
    """The ids and the version that the answer names."""
    return ", ".join(
        f"{name} {value}"
        for name, value in answer.items()
        if (name.endswith("_id") or name == "version") and isinstance(value, str | int)
    )


def _body(event: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return json_body(event) or {}
    except BadInput:
        return {}


def _account(path: str, body: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """The client account that the request's path or body names, or the answer; "" for none or several."""
    if found := _IN_PATH.search(path):
        return found[1]
    scope = body.get("scope")
    named = scope.get("accounts") if isinstance(scope, dict) else [answer.get("account_id")]
    return named[0] if isinstance(named, list) and len(named) == 1 and isinstance(named[0], str) else ""


def _given(body: Mapping[str, Any]) -> str:
    """The names of the fields that the request's body has."""
    names = [name for name in body if _NAME.fullmatch(name)]
    return f"with {', '.join(sorted(names))}" if names else ""
