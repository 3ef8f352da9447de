"""The Model Context Protocol: questions of assistants, answered from stored numbers.

It is not in the API's description: the protocol describes itself, by `server/discover` and `tools/list`.
"""

from typing import Any

from aws_lambda_powertools.event_handler import Request, Response

from adweir.runtime.app import App
from adweir.runtime.http import JSON, Answer, answer, raw_body
from adweir.runtime.routes import Here, Resource
from routes.large import bounds

assistants = Resource("Assistants", "The Model Context Protocol")


@assistants.route("POST", "/mcp", "Answer an assistant", limited=True)
def answer_assistant(app: Here, request: Request) -> Answer:
    """One JSON-RPC message. A key of the scope `read` is enough, and a tool never does more than read."""
    from adweir.ask.wire import INTERNAL_ERROR, ProtocolError, check_accept, check_origin, read

    event: dict[str, Any] = request.resolved_event.raw_event
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    try:
        check_origin(headers, str(event.get("requestContext", {}).get("domainName", "")))
        check_accept(headers)
        asked = read(raw_body(event), headers)
        if asked is None:
            return Response(202, JSON, "")
        try:
            return answer(_answered(app, asked))
        except ProtocolError:
            raise
        except Exception:  # the boundary: the protocol has its own answer to a fault
            app.logger.exception("unexpected fault")
            message = "an internal error; it was logged and can be found by the request id"
            raise ProtocolError(INTERNAL_ERROR, message).of(asked) from None
    except ProtocolError as error:
        return answer(error.body, error.status)


def _answered(app: App, asked: Any) -> dict[str, Any]:
    from adweir.ask.server import respond
    from adweir.ask.tool import Desk

    def desk() -> Desk:
        return Desk(app.queries.within(bounds(app)), app.findings, app.clock.now())

    return respond(asked, desk)
