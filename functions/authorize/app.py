"""authorize: `Authorization: Bearer adw_<key id>_<secret>` → what the key is and may do, for the HTTP API.

The gateway remembers the answer for up to 60 seconds. `ends_at` is in it so that `api` refuses a key on time all the
same.
"""

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
    context = {
        "key_id": found.key.key_id,
        "scopes": " ".join(found.key.scopes),
        "accounts": " ".join(found.key.accounts),
        "ends_at": found.ends_at,
        "value": "previous" if found.previous else "current",
    }
    return {"isAuthorized": True, "context": context}
