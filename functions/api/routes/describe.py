"""The API described: OpenAPI 3.1, and a page that lists it."""

from __future__ import annotations

from html import escape

from aws_lambda_powertools.event_handler import Response

from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Request, Route, openapi

VERSION = "1"
_STYLE = "body{font:15px system-ui;margin:2rem;max-width:60rem}td{padding:.2rem .8rem .2rem 0}code{font-size:14px}"


def routes(known: tuple[Route, ...]) -> tuple[Route, ...]:
    """The routes that describe the known ones and themselves."""

    def described(request: Request) -> Answer:
        return answer(openapi(request.app.settings.api_title, VERSION, (*known, *mine)))

    def page(request: Request) -> Answer:
        title = escape(request.app.settings.api_title)
        lines = "".join(
            f"<tr><td><code>{route.method}</code></td><td><code>{escape(route.path)}</code></td>"
            f"<td>{escape(route.summary)}</td><td>{route.scope or 'open'}</td></tr>"
            for route in (*known, *mine)
        )
        html = (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
            f"<h1>{title}</h1><p>Send <code>Authorization: Bearer adw_…</code>. "
            f"Machines read <a href=openapi.json>openapi.json</a>.</p><table>{lines}</table>"
        )
        return Response(200, "text/html; charset=utf-8", html)

    mine = (
        Route("GET", "/openapi.json", described, "This API as OpenAPI 3.1", ""),
        Route("GET", "/docs", page, "This API as a page", ""),
    )
    return mine
