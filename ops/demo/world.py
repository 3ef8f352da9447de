"""A client of the sandbox's own endpoints, under `/_world`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import requests

_HTTP_SECONDS = 20


class WorldDoors:
    """Reads the truth of the sandbox's platforms, and makes things happen there."""

    def __init__(self, platforms_url: str) -> None:
        self._root = f"{platforms_url.rstrip('/')}/_world"

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
        about = {"platform": profile["platform"], "profile_id": profile["profile_id"], "level": "account"}
        rows = self.get("truth", **about, start=self.day(days).isoformat(), end=self.day(1).isoformat())["rows"]
        return any(row["impressions"] for row in rows)

    def post(self, door: str, body: dict[str, Any]) -> Any:
        response = requests.post(f"{self._root}/{door}", json=body, timeout=_HTTP_SECONDS)
        response.raise_for_status()
        return response.json()
