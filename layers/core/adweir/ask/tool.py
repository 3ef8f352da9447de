"""Tools: what an assistant may call, with which arguments, and what each reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from adweir.ask.untrusted import cleaned_all
from adweir.model.errors import Unprocessable
from adweir.reporting.query import Queries
from adweir.store.findings import Findings

_TEXT_CHARS = 300
_ANNOTATIONS = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}
Schema = dict[str, Any]
_TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
_OBJECTS: Schema = {"type": "array", "items": {"type": "object"}}
_STANDING: Mapping[str, Schema] = {
    "currency": _TEXTS,
    "as_of": {"type": ["string", "null"]},
    "settled_share": {"type": ["number", "null"]},
    "coverage": {"type": "object"},
    "untrusted": _TEXTS,
    "warnings": _TEXTS,
}
TABLE: Mapping[str, Schema] = {
    "columns": _TEXTS,
    "rows": {"type": "array", "items": {"type": "array"}},
    "row_count": {"type": "integer"},
    "rows_left_out": {"type": "integer"},
    "left_out": _OBJECTS,
    "totals": _OBJECTS,
    "time_range": {"type": "object"},
}
"""Fields of answers that have a table: `rows` are lists in the order of `columns`."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What tools read. `queries` have what the key may see, and a bound of time; of `findings` a tool shows those of
    ad accounts that `queries` have."""

    queries: Queries
    findings: Findings
    now: datetime


class ToolArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a tool takes; none by itself."""


@dataclass(frozen=True, slots=True)
class Tool:
    """`fields`: schemas of the answer's fields beside those that each answer has."""

    name: str
    title: str
    about: str
    takes: type[ToolArguments]
    run: Callable[[Desk, Any], dict[str, Any]]
    fields: Mapping[str, Schema] = field(default_factory=dict)

    def call(self, desk: Desk, arguments: Any) -> dict[str, Any]:
        """The answer; no text in it is long, or has what nobody sees. Raises an AdweirError."""
        try:
            asked = msgspec.convert(arguments, self.takes)
        except msgspec.ValidationError as error:
            message = str(error).replace("`$", "`arguments")
            raise Unprocessable(message, [{"field": "arguments", "message": message}]) from None
        document: dict[str, Any] = cleaned_all(self.run(desk, asked), _TEXT_CHARS)
        return document

    @property
    def described(self) -> dict[str, Any]:
        """As `tools/list` shows it; the schemas are JSON Schema 2020-12."""
        properties = dict(_STANDING) | dict(self.fields)
        required = ["currency", "as_of", "settled_share", "coverage"]
        return {
            "name": self.name,
            "title": self.title,
            "description": self.about,
            "inputSchema": _schema(self.takes),
            "outputSchema": {"type": "object", "required": required, "properties": properties},
            "annotations": {"title": self.title, **_ANNOTATIONS},
        }


def _schema(takes: type[ToolArguments]) -> Schema:
    """The schema of arguments, which are of plain types, so that nothing is referred to."""
    _, components = msgspec.json.schema_components([takes])
    found: Schema = components[takes.__name__]
    return {name: value for name, value in found.items() if name not in {"title", "description"}}
