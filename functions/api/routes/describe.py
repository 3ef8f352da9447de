"""The API described: OpenAPI 3.1, and Swagger UI over it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from aws_lambda_powertools.event_handler import Response

from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Request, Route, openapi

VERSION = "1"


def routes(known: tuple[Route, ...]) -> tuple[Route, ...]:
    """The routes that describe the known ones and themselves."""

    def described(request: Request) -> Answer:
        return answer(openapi(request.app.settings.api_title, VERSION, (*known, *mine)))

    @cache
    def page(title: str) -> str:
        """Powertools brings Swagger UI along, so the page needs no other host."""
        from aws_lambda_powertools.event_handler.openapi import swagger_ui

        spec = json.dumps(openapi(title, VERSION, (*known, *mine))).replace("</", "<\\/")
        script, style = (
            files(swagger_ui).joinpath(name).read_text("utf-8")
            for name in ("swagger-ui-bundle.min.js", "swagger-ui.min.css")
        )
        return swagger_ui.generate_swagger_html(spec, script, style, "", None, persist_authorization=True)

    def docs(request: Request) -> Answer:
        html = page(request.app.settings.api_title)
        return Response(200, "text/html; charset=utf-8", html, compress=True)

    mine = (
        Route("GET", "/openapi.json", described, "This API as OpenAPI 3.1", ""),
        Route("GET", "/docs", docs, "This API as a page (Swagger UI)", ""),
    )
    return mine
