"""The smallest web: a request and a response as values, so that a platform's protocol is a function between them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

_EXACT = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` have lower-case names; `base_url` is how the client called this server, without a slash at the end."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str

    def form(self) -> dict[str, str]:
        """The query's parameters and, over them, those of a form or JSON body."""
        values = dict(self.query)
        kind = self.headers.get("content-type", "")
        if self.body and "json" in kind:
            decoded = json.loads(self.body)
            values |= {k: v if isinstance(v, str) else json.dumps(v) for k, v in decoded.items()}
        elif self.body:
            values |= dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        return values


@dataclass(slots=True)
class Response:
    """`cut` sends fewer bytes than promised and hangs up; `wait` is slept before answering, in seconds."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    wait: float = 0.0

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """JSON with Decimals as exact numbers."""
        return cls(status, _EXACT.encode(value), {"Content-Type": "application/json; charset=UTF-8"} | (headers or {}))
