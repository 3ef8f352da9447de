"""Meta's Marketing API over the world: versions, tokens, routes, writes and batches."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.base import PlatformApi
from sandbox.platforms.meta.access import Access
from sandbox.platforms.meta.errors import GraphError, invalid, missing, not_permitted_to_write, unknown_path, usage
from sandbox.platforms.meta.graph import GraphCall, GraphReads
from sandbox.platforms.meta.lead_notices import lead_node
from sandbox.platforms.meta.parameters import json_objects
from sandbox.platforms.meta.population import PLATFORM
from sandbox.platforms.meta.versions import check_version
from sandbox.platforms.meta.vocabulary import WRITES
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import Company

VERSIONED = re.compile(r"/v\d+\.\d+(/.*)?$")
_SUBSCRIPTIONS = frozenset({"subscriptions", "subscribed_apps"})
_MOST_PARTS = 50


class MetaApi(PlatformApi):
    """Answers as graph.facebook.com does."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self._access = Access(outside)
        self._graph = GraphReads(outside)
        self._subscriptions: dict[str, list[dict[str, Any]]] = {}
        self._open = {("oauth", "access_token"): self._access.exchange, ("debug_token",): self._access.debug}

    def profile_id(self, request: PlatformRequest) -> str:
        """The ad account that the path names, or to which its node or job belongs."""
        parts = _path(request)[1]
        return self._graph.profile_id(parts[0]) if parts else ""

    def handle(self, request: PlatformRequest) -> Response:
        """Every fault becomes an `{"error"}` body with usage headers."""
        headers = usage(self.profile_id(request) or "0", 12)
        try:
            try:
                params = request.parameters
            except ValueError:
                raise invalid("The body cannot be read") from None
            return self._route(request, params, headers)
        except GraphError as error:
            return error.answer(headers)

    def _route(self, request: PlatformRequest, params: dict[str, str], headers: dict[str, str]) -> Response:
        """The token is checked before a path or method is called unknown."""
        version, parts = _path(request)
        check_version(version, "/".join(parts))
        if parts in self._open:
            return self._open[parts](params)
        company = self._access.company(params.get("access_token") or request.bearer, params.get("appsecret_proof"))
        call = GraphCall(request, company, params, headers)
        # A POST may carry the method that is meant, for texts too long for a URL (Graph API, Overview).
        method = params.get("method", "POST").upper() if request.method == "POST" else request.method
        if not parts:
            return self._batch(call) if method == "POST" else self._graph.many(call)
        if len(parts) > 2:
            raise unknown_path("/".join(parts[1:]))
        if len(parts) == 2 and parts[1] in _SUBSCRIPTIONS:
            return self._subscribe(call, parts[0], method)
        if method == "GET" and len(parts) == 1 and (lead := lead_node(self.outside, company, parts[0])):
            return self._lead(company, lead, params)
        if method == "GET":
            return self._graph.edge(call, *parts) if len(parts) == 2 else self._graph.node(call, parts[0])
        return self._write(call, method, *parts)

    def _lead(self, company: Company, lead: dict[str, Any], params: dict[str, str]) -> Response:
        """A lead with its personal data. Raises code 200 where the Leads Access Manager gives them to others."""
        if any(self.outside.switches.take("no_lead_access", PLATFORM, p.id) is not None for p in company.on(PLATFORM)):
            raise GraphError("Requires leads_retrieval permission to manage the object", 200, status=403)
        fields = [name for name in params.get("fields", "id,created_time,field_data").split(",") if name in lead]
        return json_answer({"id": lead["id"]} | {name: lead[name] for name in fields})

    def _write(self, call: GraphCall, method: str, node: str, edge: str = "") -> Response:
        """Insights jobs are begun; nothing else may be written with a token for reading."""
        kind = self._graph.kind(node)
        if f"{method}:{edge}" not in WRITES.get(kind, ()):
            raise missing(node, method)
        if (method, edge) == ("POST", "insights"):
            return self._graph.new_job(call, node)
        raise not_permitted_to_write()

    def _subscribe(self, call: GraphCall, node: str, method: str) -> Response:
        """Webhook subscriptions of an app or an ad account: kept, listed, removed; notifications are sent by hand."""
        held = self._subscriptions.setdefault(node, [])
        if method == "GET":
            return json_answer({"data": held})
        if method == "DELETE":
            held.clear()
        elif method == "POST":
            hidden = ("access_token", "appsecret_proof", "verify_token")
            held.append({k: v for k, v in call.params.items() if k not in hidden})
        else:
            raise missing(node, method)
        return json_answer({"success": True})

    def _batch(self, call: GraphCall) -> Response:
        """Up to 50 requests in one POST; each answer's body is JSON text."""
        shared = {k: v for k, v in call.params.items() if k in ("access_token", "appsecret_proof")}
        asked = json_objects(call.params, "batch")
        if not 1 <= len(asked) <= _MOST_PARTS:
            raise invalid(f"Too many requests in batch message. Maximum batch size is {_MOST_PARTS}")
        answers = []
        for part in asked:
            path, _, query = str(part.get("relative_url", "")).lstrip("/").partition("?")
            if not VERSIONED.match(f"/{path}"):
                path = f"{call.request.path.strip('/')}/{path}"
            params: dict[str, str] = shared | dict(parse_qsl(query)) | dict(parse_qsl(str(part.get("body", ""))))
            inner = EnvironBuilder(
                f"/{path}", call.request.server_url, query_string=urlencode(params),
                method=str(part.get("method", "GET")), headers=[("Authorization", f"Bearer {call.request.bearer}")],
            )  # fmt: skip
            answer = self.handle(PlatformRequest(inner.get_environ()))
            listed = [{"name": k, "value": v} for k, v in answer.headers.items()]
            answers.append({"code": answer.status_code, "headers": listed, "body": answer.get_data(as_text=True)})
        return json_answer(answers)


def _path(request: PlatformRequest) -> tuple[str, tuple[str, ...]]:
    """The version, and the words of the path below it."""
    version, _, rest = request.path.lstrip("/").partition("/")
    return version, tuple(part for part in rest.strip("/").split("/") if part)
