"""A client of the sandbox's own endpoints, under `/_world`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import requests

_HTTP_SECONDS = 20


def known_as(profile: Mapping[str, Any]) -> dict[str, str]:
    """An ad account as the world names it. A platform that a spec describes has the name of the spec before each id."""
    name, described, own_id = profile["profile_id"].rpartition("~")
    platform = f"{name}_ads" if described else profile["platform"]
    return {"platform": platform, "profile_id": own_id}


class WorldDoors:
    """Reads the truth of the sandbox's platforms, and makes things happen there."""

    def __init__(self, platforms_url: str) -> None:
        self.platforms_url = platforms_url.rstrip("/")
        self._root = f"{self.platforms_url}/_world"

    def get(self, door: str, **params: str) -> Any:
        response = requests.get(f"{self._root}/{door}", params=params, timeout=_HTTP_SECONDS)
        response.raise_for_status()
        return response.json()

    def read(self, door: str, **params: str) -> bytes:
        """The bytes of a door that answers a file."""
        response = requests.get(f"{self._root}/{door}", params=params, timeout=_HTTP_SECONDS)
        response.raise_for_status()
        return response.content

    @property
    def now(self) -> datetime:
        """The platforms' time."""
        return datetime.fromisoformat(self.get("clock")["now"])

    def day(self, ago: int) -> date:
        """The date so many days before the platforms' today; at noon UTC it is the same in every time zone."""
        return self.now.date() - timedelta(days=ago)

    def spends(self, profile: Mapping[str, Any], days: int) -> bool:
        """Whether an ad account has any numbers in the last days."""
        span = {"start": self.day(days).isoformat(), "end": self.day(1).isoformat()}
        rows = self.get("truth", **known_as(profile), level="account", **span)["rows"]
        return any(row["impressions"] for row in rows)

    def post(self, door: str, body: dict[str, Any]) -> Any:
        response = requests.post(f"{self._root}/{door}", json=body, timeout=_HTTP_SECONDS)
        response.raise_for_status()
        return response.json()
