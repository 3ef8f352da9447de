"""api: the HTTP API. Each resource is a file under routes/."""

from __future__ import annotations

from typing import Any

from routes import RESOURCES
from routes.mcp import assistants

from adweir.runtime.app import build
from adweir.runtime.routes import mount

app = build("api")
http = mount(app, (*RESOURCES, assistants))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """HTTP API event (payload 2.0) → answer; every request of a key is written to the API log, without secrets."""
    begin = app.clock.monotonic()
    answer = http.resolve(event, context)
    app.requests.answered(event, answer, seconds=app.clock.monotonic() - begin, private=http.private)
    app.ended()
    return answer
