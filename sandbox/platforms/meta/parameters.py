"""Graph's parameters: JSON texts, and lists that come in two ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.platforms.meta.errors import invalid


def json_parameter(params: Mapping[str, str], name: str) -> Any:
    """A JSON parameter, or None when it is absent. Raises Meta's error 100 when it is not JSON."""
    if name not in params:
        return None
    try:
        return json.loads(params[name])
    except ValueError:
        raise invalid(f"param {name} must be valid JSON") from None


def json_list(params: Mapping[str, str], name: str) -> list[Any]:
    """A JSON array, empty when it is absent. Raises Meta's error 100 when it is something else."""
    found = json_parameter(params, name)
    if found is not None and not isinstance(found, list):
        raise invalid(f"param {name} must be an array.")
    return found or []


def json_objects(params: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    """A JSON array of objects, empty when it is absent. Raises Meta's error 100 when it is something else."""
    found = json_list(params, name)
    if not all(isinstance(item, dict) for item in found):
        raise invalid(f"param {name} must be an array of objects.")
    return found


def names(params: Mapping[str, str], name: str) -> list[str]:
    """A list, comma-joined or as a JSON array (`fields` comes in both ways); braces keep their commas."""
    text = params.get(name, "").strip()
    if text.startswith("["):
        return [str(item) for item in json_list(params, name)]
    return split_list(text)


def split_list(text: str) -> list[str]:
    """Comma-joined words; commas within brackets do not part."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char in "({[") - (char in ")}]")
        if char == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [part for part in (*parts, text[start:].strip()) if part]
