"""The API described: OpenAPI 3.1, and Swagger UI over it."""

from __future__ import annotations

import json
from datetime import date
from functools import cache, lru_cache
from html import escape
from importlib.resources import files
from typing import Any

from aws_lambda_powertools.event_handler import Response

from adweir.runtime.app import App
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Here, Resource

_CACHED = {"Cache-Control": "public, max-age=300"}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}: the API</title><style>{style}</style></head>
<body>
<div id="swagger-ui"></div>
<script>{script}</script>
<script>
  const ui = SwaggerUIBundle({{
    dom_id: "#swagger-ui",
    spec: {spec},
    deepLinking: true,
    docExpansion: "list",
    filter: true,
    persistAuthorization: true,
    presets: [SwaggerUIBundle.presets.apis],
    tryItOutEnabled: true,
  }});
  ui.specActions.updateUrl("openapi.json");
</script>
</body>
</html>
"""
description = Resource("Description", "The description of this API")


@description.route(
    "GET",
    "/openapi.json",
    "Get this description",
    scope="",
    content=lambda: {"application/json": {"schema": {"type": "object", "description": "An OpenAPI 3.1 document."}}},
)
def get_openapi(app: Here) -> Answer:
    """OpenAPI 3.1. Dates in its examples are those of the last days."""
    return answer(_document(app, app.clock.now().date()), headers=_CACHED)


@description.route(
    "GET",
    "/docs",
    "Get this description as a page",
    scope="",
    content=lambda: {"text/html": {"schema": {"type": "string"}}},
)
def get_docs(app: Here) -> Answer:
    """Swagger UI: it lists the operations and calls them with your key."""
    return Response(200, "text/html; charset=utf-8", _page(app), headers=_CACHED, compress=True)


@lru_cache(maxsize=1)
def _document(app: App, _day: date) -> dict[str, Any]:
    """Made once per day, because the examples contain dates."""
    from adweir.runtime.openapi import describe
    from routes import RESOURCES
    from routes.examples import EXAMPLES
    from routes.webhooks import WEBHOOKS

    return describe(app, RESOURCES, EXAMPLES, WEBHOOKS)


@cache
def _assets() -> tuple[str, str]:
    """Swagger UI's script and style: Powertools contains them, so the page needs no other host."""
    from aws_lambda_powertools.event_handler.openapi import swagger_ui

    names = ("swagger-ui-bundle.min.js", "swagger-ui.min.css")
    script, style = (files(swagger_ui).joinpath(name).read_text("utf-8") for name in names)
    return script, style


def _page(app: App) -> str:
    script, style = _assets()
    spec = json.dumps(_document(app, app.clock.now().date())).replace("</", "<\\/")
    return _PAGE.format(title=escape(app.settings.api_title), style=style, script=script, spec=spec)
