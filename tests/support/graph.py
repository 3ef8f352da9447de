"""Plain requests to Meta's stand-in, as one client's system user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests

from sandbox.platforms import stand_ins
from sandbox.server import PlatformServer
from sandbox.world import WorldProfile
from support.platform_server import running

WEEK = {"since": "2026-11-08", "until": "2026-11-14"}


@dataclass(frozen=True)
class Client:
    """A client's ad account on Meta, and its token."""

    server: PlatformServer
    profile: WorldProfile
    token: str

    def ask(self, path: str, *, method: str = "GET", version: str = "v26.0", **params: Any) -> requests.Response:
        """A request; `{act}` stands for the ad account, lists and objects are sent as JSON."""
        texts = {name: v if isinstance(v, str) else json.dumps(v) for name, v in params.items()}
        url = f"{self.server.url}/{version}/{path.replace('{act}', f'act_{self.profile.id}')}"
        return requests.request(method, url, params={"access_token": self.token, **texts}, timeout=10)

    def read(self, path: str, **params: Any) -> dict[str, Any]:
        """The answer to a GET that must succeed."""
        answer = self.ask(path, **params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """A whole list, in one page."""
        found: list[dict[str, Any]] = self.read(path, limit="5000", **params)["data"]
        return found

    def insights(self, **params: Any) -> list[dict[str, Any]]:
        """The ad account's insights of a week, in one page."""
        return self.rows("{act}/insights", **{"time_range": WEEK, **params})

    def refused(self, path: str, **params: Any) -> dict[str, Any]:
        """The error of a request that must be refused."""
        answer = self.ask(path, **params)
        assert answer.status_code >= 400, answer.text
        error: dict[str, Any] = answer.json()["error"]
        return error


@contextmanager
def graph(key: str = "halden", *, awkward: bool = False) -> Iterator[Client]:
    """A client of a server of its own."""
    meta = next(stand_in for stand_in in stand_ins() if stand_in.platform == "meta_ads")
    with running([meta], awkward=awkward) as server:
        company = next(c for c in server.outside.world.companies if c.key == key)
        yield Client(server, company.on("meta_ads")[0], company.credentials["meta_ads"]["access_token"])


def total(rows: list[dict[str, Any]], name: str) -> Decimal:
    """The sum of a numeric field."""
    return sum((Decimal(row[name]) for row in rows), Decimal(0))


def action(row: dict[str, Any], kind: str, key: str = "value", name: str = "actions") -> Decimal:
    """One action type's number in a row, 0 without it."""
    return next((Decimal(a.get(key, 0)) for a in row.get(name, []) if a["action_type"] == kind), Decimal(0))
