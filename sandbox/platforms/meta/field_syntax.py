"""Graph's `fields`: names, nested fields and their modifiers (Graph API, Field Expansion)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from sandbox.platforms.meta.errors import GraphError
from sandbox.platforms.meta.parameters import names, split_list

_NAME = re.compile(r"[A-Za-z_]\w*")


class AskedField(NamedTuple):
    """`name.limit(5){inner}`: `modifiers` by name, as they were written. `inner`: None without braces."""

    name: str
    modifiers: Mapping[str, str]
    inner: tuple[AskedField, ...] | None


def parse_fields(params: Mapping[str, str], default: tuple[str, ...] = ()) -> tuple[AskedField, ...]:
    """The fields that a request asks for. Raises Meta's syntax error."""
    return tuple(_field(text) for text in names(params, "fields") or default)


def _field(text: str) -> AskedField:
    """`name`, `name{a,b}`, `name.fields(a,b)`, `name.limit(5){a}`."""
    found = _NAME.match(text)
    if found is None:
        raise _syntax(text, 0)
    at, modifiers, inner = found.end(), dict[str, str](), None
    while at < len(text) and text[at] == ".":
        modifier = _NAME.match(text, at + 1)
        if modifier is None or text[modifier.end() : modifier.end() + 1] != "(":
            raise _syntax(text, at)
        end = _closing(text, modifier.end())
        modifiers[modifier[0]] = text[modifier.end() + 1 : end]
        at = end + 1
    if "fields" in modifiers:
        inner = modifiers.pop("fields")
    if at < len(text) and text[at] == "{":
        end = _closing(text, at)
        inner, at = text[at + 1 : end], end + 1
    if at != len(text):
        raise _syntax(text, at)
    fields = None if inner is None else tuple(_field(part) for part in split_list(inner))
    return AskedField(found[0], modifiers, fields)


def _closing(text: str, at: int) -> int:
    """The place of the bracket that closes the one at `at`."""
    depth = 0
    for place in range(at, len(text)):
        depth += (text[place] in "({[") - (text[place] in ")}]")
        if depth == 0:
            return place
    raise _syntax(text, len(text))


def _syntax(text: str, at: int) -> GraphError:
    return GraphError(f'Syntax error "Expected end of string" at character {at}: {text}', 2500)
