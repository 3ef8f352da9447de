"""api: the HTTP API. Each resource is a file under routes/."""

from __future__ import annotations

from typing import Any

from routes import RESOURCES

from adweir.model.errors import AdweirError
from adweir.runtime.app import build
from adweir.runtime.routes import mount

app = build("api")
http = mount(app, RESOURCES)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """HTTP API event (payload 2.0) → answer; every request of a key is written to the API log, without its body."""
    begin = app.clock.monotonic()
    answer = http.resolve(event, context)
    request = event.get("requestContext", {})
    caller = (request.get("authorizer") or {}).get("lambda") or {}
    key = caller.get("key_id")
    if key:
        try:
            app.ledger.api_log.add(
                str(request.get("requestId", ""))[:100],
                method=str(request.get("http", {}).get("method", "")),
                path=str(event.get("rawPath", ""))[:200],
                status=answer["statusCode"],
                success=answer["statusCode"] < 400,
                key_id=str(key)[:64],
                milliseconds=round((app.clock.monotonic() - begin) * 1000),
            )
            app.ledger.key_uses.used(str(key)[:64], previous=caller.get("value") == "previous")
        except AdweirError as error:  # the request was carried out, so its answer stands
            app.logger.warning("request not logged", extra={"code": error.code, "reason": error.message})
    app.memory.look()
    return answer
