"""A request's parameters: lists and objects are JSON text in a query, and real JSON in a body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from sandbox.platforms.tiktok_ads.answers import wrong


class TikTokParameters:
    """Each reader raises TikTok's 40002 for a value of the wrong kind. An empty text counts as absent."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: value for name, value in values.items() if value not in (None, "")}

    @classmethod
    def of_body(cls, body: bytes) -> TikTokParameters:
        """The members of a JSON object. Raises 40002 for anything else."""
        try:
            values = json.loads(body)
        except ValueError:
            raise wrong("The body is not valid JSON") from None
        if not isinstance(values, dict):
            raise wrong("The body must be a JSON object")
        return cls(values)

    @property
    def names(self) -> frozenset[str]:
        """The parameters that are there."""
        return frozenset(self._values)

    def raw(self, name: str) -> Any:
        """A parameter as it came, or None."""
        return self._values.get(name)

    def text(self, name: str, default: str = "") -> str:
        """A text; a number is taken for its digits, as ids come as both."""
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise wrong(f"{name}: Not a valid string.")
        return str(value)

    def required(self, name: str) -> str:
        """A text that must be there."""
        if name not in self._values:
            raise wrong(f"{name}: Missing data for required field.")
        return self.text(name)

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 1 to `most`."""
        text = self.text(name, str(default))
        if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:12]) <= most:
            raise wrong(f"{name}: Must be between 1 and {most}.")
        return int(text)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean; the official SDK writes it as Python does."""
        value = self._values.get(name, default)
        if isinstance(value, bool):
            return value
        if str(value).lower() not in ("true", "false"):
            raise wrong(f"{name}: Not a valid boolean.")
        return str(value).lower() == "true"

    def day(self, name: str) -> date:
        """A required date, YYYY-MM-DD."""
        text = self.required(name)
        try:
            found = date.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or found.isoformat() != text:
            raise wrong(f"{name}: Not a valid date.")
        return found

    def words(self, name: str, most: int = 1000) -> list[str]:
        """A list of texts; empty when it is absent."""
        found = self._json(name, [])
        if not isinstance(found, list) or any(isinstance(one, bool) or not isinstance(one, str | int) for one in found):
            raise wrong(f"{name}: Not a valid list.")
        if len(found) > most:
            raise wrong(f"{name}: Longer than maximum length {most}.")
        return [str(one) for one in found]

    def members(self, name: str) -> dict[str, Any]:
        """An object; empty when it is absent."""
        found = self._json(name, {})
        if not isinstance(found, dict):
            raise wrong(f"{name}: Not a valid mapping type.")
        return found

    def objects(self, name: str) -> list[dict[str, Any]]:
        """A list of objects; empty when it is absent."""
        found = self._json(name, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise wrong(f"{name}: Not a valid list.")
        return found

    def _json(self, name: str, default: Any) -> Any:
        value = self._values.get(name, default)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise wrong(f"{name}: Not a valid JSON.") from None
