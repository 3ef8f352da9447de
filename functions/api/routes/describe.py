"""The API described: OpenAPI 3.1, and Swagger UI over it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import date
from functools import cache, lru_cache
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple, Self

from aws_lambda_powertools.event_handler import Request, Response

from adweir.runtime.app import App
from adweir.runtime.http import NOTHING, POLICY, Answer, to_json
from adweir.runtime.routes import Here, Resource

_CACHED = {"Cache-Control": "public, max-age=3600", "Vary": "Accept-Encoding"}
"""Nobody needs a key for these: for an hour nobody has to ask again, and then only for what changed."""
_UNCHANGED = {"description": "What If-None-Match names has not changed."}
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
    others={304: _UNCHANGED},
)
def get_openapi(app: Here, request: Request) -> Answer:
    """OpenAPI 3.1. Dates in its examples are those of the last days."""
    return _public(request, "application/json", _json_file(app, app.clock.now().date()))


@description.route(
    "GET",
    "/docs",
    "Get this description as a page",
    scope="",
    content=lambda: {"text/html": {"schema": {"type": "string"}}},
    others={304: _UNCHANGED},
)
def get_docs(app: Here, request: Request) -> Answer:
    """Swagger UI: it lists the operations and calls them with your key."""
    file = _page_file(app, app.clock.now().date())
    return _public(request, "text/html; charset=utf-8", file, **{POLICY: file.policy})


class _File(NamedTuple):
    """What is answered, its entity tag, and of a page its Content-Security-Policy."""

    text: str
    tag: str
    policy: str = ""

    @classmethod
    def of(cls, text: str, policy: str = "") -> Self:
        return cls(text, f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"', policy)


def _public(request: Request, kind: str, file: _File, **more: str) -> Answer:
    """A file that browsers and proxies keep: packed for who takes it so, and nothing for who has it."""
    headers = _CACHED | {"ETag": file.tag, **more}
    asked = {name.lower(): value for name, value in (request.headers or {}).items()}
    if file.tag in asked.get("if-none-match", ""):
        return Response(304, kind, "", headers=headers)
    return Response(200, kind, file.text, headers=headers, compress=True)


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


@lru_cache(maxsize=1)
def _json_file(app: App, day: date) -> _File:
    return _File.of(to_json(_document(app, day)))


@lru_cache(maxsize=1)
def _page_file(app: App, day: date) -> _File:
    script, style = _assets()
    spec = json.dumps(_document(app, day)).replace("</", "<\\/")
    page = _PAGE.format(title=escape(app.settings.api_title), style=style, script=script, spec=spec)
    return _File.of(page, _policy(page))


def _policy(page: str) -> str:
    """The page's own scripts run, by their hashes, and may ask this API; nothing else."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    own = " ".join(f"'sha256-{each}'" for each in hashes)
    return f"{NOTHING}; script-src {own}; style-src 'unsafe-inline'; img-src data:; connect-src 'self'"
