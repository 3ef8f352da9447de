"""Requests and answers of the sandbox's HTTP server, on werkzeug."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from werkzeug.wrappers import Request, Response

_EXACT = msgspec.json.Encoder(decimal_format="number")


class PlatformRequest(Request):
    """A request to a platform; reading a body over 8 MiB raises werkzeug's RequestEntityTooLarge."""

    max_content_length = max_form_memory_size = 8 * 1024 * 1024

    @property
    def server_url(self) -> str:
        """How the client addressed this server, without a slash at the end."""
        return self.host_url.rstrip("/")

    @property
    def bearer(self) -> str:
        """The token of an Authorization header, empty when there is none."""
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    @property
    def parameters(self) -> dict[str, str]:
        """The query's parameters and, over them, those of a form or a JSON object. Raises ValueError for other JSON."""
        values = self.args.to_dict()
        body = self.get_data()
        if not body or "json" not in self.mimetype:
            return values | self.form.to_dict()
        decoded = json.loads(body)
        if not isinstance(decoded, dict):
            raise ValueError("the body must be a JSON object")  # noqa: TRY004 - what json.loads raises too
        return values | {name: v if isinstance(v, str) else json.dumps(v) for name, v in decoded.items()}


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON; Decimals become exact numbers."""
    answer = Response(_EXACT.encode(value), status, content_type="application/json; charset=UTF-8")
    answer.headers.update(headers or {})
    return answer


def broken_off(answer: Response) -> Response:
    """The answer with half of its body and the length of the whole: the server hangs up after such an answer."""
    whole = answer.get_data()
    answer.set_data(whole[: len(whole) // 2])
    answer.content_length = len(whole)
    return answer
