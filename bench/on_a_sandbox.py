"""What benches of the whole system begin with: a sandbox of their own, and clients in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adweir.store.catalog.keys import SCOPES
from ops.client import Api
from ops.commands import create_key
from ops.target import sandbox_target
from sandbox import lifecycle
from sandbox.lifecycle import Home, Options

_ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def sandbox(options: Options | None = None) -> Iterator[dict[str, Any]]:
    """The description of a sandbox in a temporary folder, which is stopped afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        try:
            make_key = lambda found: create_key(sandbox_target(found), "bench", SCOPES)[1]  # noqa: E731
            yield lifecycle.up(home, _ROOT, options or Options(), make_key).description
        finally:
            lifecycle.down(home)


def register(api: Api, clients: list[dict[str, Any]]) -> list[str]:
    """Create clients, as the world lists them, with their credentials; their accounts' ids."""
    ids = []
    for client in clients:
        body = {"company_name": client["company_name"], "primary_contact_email": client["primary_contact_email"]}
        ids.append(api.post("/api/v1/accounts", body)["account_id"])
        for credential in client["credentials"].values():
            api.post(f"/api/v1/accounts/{ids[-1]}/credentials", credential)
    return ids
