"""authorize: `Authorization: Bearer adw_<key id>_<secret>` → the key's id, scopes and accounts, for the HTTP API."""

from __future__ import annotations

from typing import Any

from adweir.runtime.app import build

app = build("authorize")


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """HTTP API authorizer request (payload 2.0) → simple response; any other key is refused."""
    scheme, _, key = ((event.get("headers") or {}).get("authorization") or "").strip().partition(" ")
    found = app.catalog.find_key(key.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        return {"isAuthorized": False}
    context = {"key_id": found.key_id, "scopes": " ".join(found.scopes), "accounts": " ".join(found.accounts)}
    return {"isAuthorized": True, "context": context}
