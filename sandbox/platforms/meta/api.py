"""Meta's Marketing API over the world: accounts, nodes, edges, insights, batches."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.base import PlatformApi
from sandbox.platforms.meta.access import Access
from sandbox.platforms.meta.errors import GraphError, invalid, missing, nonexisting_field, unknown_path, usage
from sandbox.platforms.meta.faults import page_answer, refuse, served_rows
from sandbox.platforms.meta.insights import Insights
from sandbox.platforms.meta.jobs import Jobs
from sandbox.platforms.meta.objects import Nodes, project, visible
from sandbox.platforms.meta.paging import page
from sandbox.platforms.meta.parameters import json_list, json_objects, names
from sandbox.platforms.meta.population import PLATFORM
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import Company, WorldProfile

VERSIONED = re.compile(r"/v\d+\.\d+(/.*)?$")
_EDGES = {"campaigns": "campaign", "adsets": "adset", "ads": "ad", "adcreatives": "creative"}
_ROUTES = Map(
    [
        Rule("/oauth/access_token", endpoint="exchange"),
        Rule("/debug_token", endpoint="debug"),
        Rule("/", endpoint="batch", methods=["POST"]),
        Rule("/", endpoint="many", methods=["GET"]),
        Rule("/me", endpoint="me", methods=["GET"]),
        Rule("/me/adaccounts", endpoint="accounts", methods=["GET"]),
        Rule("/<business>/owned_ad_accounts", endpoint="accounts", methods=["GET"]),
        Rule("/<business>/client_ad_accounts", endpoint="accounts", methods=["GET"]),
        Rule("/<node>/subscriptions", endpoint="subscriptions", methods=["GET", "POST", "DELETE"]),
        Rule("/<node>/subscribed_apps", endpoint="subscriptions", methods=["GET", "POST", "DELETE"]),
        Rule("/<node>", endpoint="node", methods=["GET"]),
        Rule("/<node>/insights", endpoint="insights", methods=["GET"]),
        Rule("/<node>/insights", endpoint="new_job", methods=["POST"]),
        Rule("/<node>/adimages", endpoint="images", methods=["GET"]),
        *(Rule(f"/<node>/{edge}", endpoint="edge", defaults={"edge": edge}, methods=["GET"]) for edge in _EDGES),
    ],
    strict_slashes=False,
    merge_slashes=False,
    redirect_defaults=False,
).bind("graph.facebook.com")


@dataclass(frozen=True)
class GraphCall:
    """One call: whose token it carries, the parameters of query and body, the usage headers of its answer."""

    request: PlatformRequest
    company: Company
    params: dict[str, str]
    headers: dict[str, str]

    def answer(self, value: Any) -> Response:
        """JSON with the usage headers."""
        return json_answer(value, headers=self.headers)


class MetaApi(PlatformApi):
    """Answers as graph.facebook.com does."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self._access = Access(outside)
        self._jobs = Jobs(outside)
        self._nodes = Nodes(outside)
        self._subscriptions: dict[str, list[dict[str, Any]]] = {}
        self._open = {"exchange": self._access.exchange, "debug": self._access.debug}
        self._endpoints: dict[str, Callable[..., Response]] = {
            "batch": self._batch,
            "many": self._many,
            "me": self._me,
            "accounts": self._accounts,
            "subscriptions": self._subscribe,
            "node": self._node,
            "insights": self._insights,
            "new_job": self._new_job,
            "images": self._images,
            "edge": self._edge,
        }

    def profile_id(self, request: PlatformRequest) -> str:
        """The ad account that the path names, or to which its node or job belongs."""
        head = _path(request).strip("/").partition("/")[0]
        if head.startswith("act_"):
            return head[4:]
        job = self._jobs.find(head)
        if job is not None:
            return str(job["profile_id"])
        found = self._nodes.find(head)
        return found.profile.id if found else ""

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
        """Call the path's endpoint; the token is checked before a path or method is called unknown."""
        path = _path(request)
        endpoint, values, fault = "", dict[str, str](), None
        try:
            endpoint, found = _ROUTES.match(path, method=request.method)
            values = dict(found)
        except MethodNotAllowed:
            fault = missing(path.strip("/").partition("/")[0], request.method)
        except NotFound:
            head, _, edge = path.strip("/").partition("/")
            fault = nonexisting_field(edge, "User") if head == "me" else unknown_path(edge)
        if endpoint in self._open:
            return self._open[endpoint](params)
        token = params.get("access_token") or request.bearer
        company = self._access.company(token, params.get("appsecret_proof"))
        if fault is not None:
            raise fault
        return self._endpoints[endpoint](GraphCall(request, company, params, headers), **values)

    # -- who and what --------------------------------------------------------------------------------------------

    def _me(self, call: GraphCall) -> Response:
        return call.answer({"id": "555", "name": f"{call.company.name} system user"})

    def _accounts(self, call: GraphCall, **_business: str) -> Response:
        """The ad accounts that the token opens."""
        accounts = [self._nodes.account(profile) for profile in call.company.on(PLATFORM)]
        fields = names(call.params, "fields") or ["account_id", "id"]
        return self._list(call, [project(account, fields) for account in accounts])

    def _profile(self, call: GraphCall, node: str) -> WorldProfile:
        """The ad account that a node is or belongs to. Raises Meta's errors when it is unknown or not permitted."""
        if node.startswith("act_"):
            profile = self.outside.world.profile(PLATFORM, node[4:])
        else:
            found = self._nodes.find(node)
            profile = found.profile if found else None
        if profile is None:
            raise missing(node)
        denied = self.outside.switches.take("access_denied", PLATFORM, profile.id)
        if denied is not None and int(denied.get("code", 200)) == 100:
            raise missing(node)
        if denied is not None or profile not in call.company.profiles:
            message = "(#200) Ad account owner has NOT grant ads_management or ads_read permission"
            raise GraphError(message, 200, status=403)
        return profile

    def _open_profile(self, call: GraphCall, node: str) -> WorldProfile:
        """The node's ad account, unless a switch makes the platform fail."""
        profile = self._profile(call, node)
        refuse(self.outside, profile.id)
        return profile

    def _node(self, call: GraphCall, node: str) -> Response:
        job = self._jobs.find(node)
        if job is not None:
            self._open_profile(call, f"act_{job['profile_id']}")
            return call.answer(self._jobs.describe(node, job))
        return call.answer(self._fields(call, node, self._open_profile(call, node)))

    def _fields(self, call: GraphCall, node: str, profile: WorldProfile) -> dict[str, Any]:
        """The asked-for fields of a node that is or belongs to the ad account."""
        fields = names(call.params, "fields")
        found = self._nodes.find(node)
        if found is None:
            return project(self._nodes.account(profile), fields or ["id", "account_id"])
        return project(found.fields, fields or ["id"])

    def _many(self, call: GraphCall) -> Response:
        """Several nodes by `ids`."""
        nodes = names(call.params, "ids")
        return call.answer({node: self._fields(call, node, self._profile(call, node)) for node in nodes})

    # -- edges ---------------------------------------------------------------------------------------------------

    def _edge(self, call: GraphCall, node: str, edge: str) -> Response:
        """Campaigns, ad sets, ads or creatives under an ad account or a node."""
        profile = self._open_profile(call, node)
        items = [i for i in self._nodes.edge(profile, node, _EDGES[edge]) if visible(i, call.params, _EDGES[edge])]
        fields = names(call.params, "fields") or ["id"]
        return self._list(call, [project(item, fields) for item in items], profile.id)

    def _images(self, call: GraphCall, node: str) -> Response:
        profile = self._open_profile(call, node)
        hashes = [str(h) for h in json_list(call.params, "hashes")]
        images = [{"id": f"{profile.id}:{h}", "hash": h, "url": f"https://img.example/{h}.jpg"} for h in hashes]
        return self._list(call, images)

    def _question(self, call: GraphCall, node: str) -> Insights:
        profile = self._open_profile(call, node)
        narrowed = "" if node.startswith("act_") else node
        return Insights(self.outside.world, profile, call.params, self.outside.world.moment(profile), narrowed)

    def _insights(self, call: GraphCall, node: str) -> Response:
        """A synchronous answer, or the rows of a complete job."""
        job = self._jobs.find(node)
        if job is None:
            question = self._question(call, node)
        else:
            question = self._jobs.question(job, self._open_profile(call, f"act_{job['profile_id']}"))
        rows = served_rows(self.outside, question, synchronous=job is None)
        return self._list(call, rows, question.profile.id)

    def _new_job(self, call: GraphCall, node: str) -> Response:
        return json_answer(self._jobs.create(call.params, self._question(call, node)))

    def _list(self, call: GraphCall, items: list[dict[str, Any]], profile_id: str = "") -> Response:
        answer = page(items, call.params, call.request.server_url + call.request.path)
        if "next" in answer.get("paging", ()):
            return page_answer(self.outside, profile_id, answer, call.headers)
        return call.answer(answer)

    def _subscribe(self, call: GraphCall, node: str) -> Response:
        """Webhook subscriptions of an app or an ad account: kept, listed, removed; notifications are sent by hand."""
        held = self._subscriptions.setdefault(node, [])
        if call.request.method == "GET":
            return json_answer({"data": held})
        if call.request.method == "DELETE":
            held.clear()
        else:
            hidden = ("access_token", "appsecret_proof", "verify_token")
            held.append({k: v for k, v in call.params.items() if k not in hidden})
        return json_answer({"success": True})

    def _batch(self, call: GraphCall) -> Response:
        """Up to 50 requests in one POST; each answer's body is JSON text."""
        shared = {k: v for k, v in call.params.items() if k in ("access_token", "appsecret_proof")}
        answers = []
        for part in json_objects(call.params, "batch")[:50]:
            path, _, query = str(part.get("relative_url", "")).lstrip("/").partition("?")
            if not VERSIONED.match(f"/{path}"):
                path = f"{call.request.path.strip('/')}/{path}"
            params: dict[str, str] = shared | dict(parse_qsl(query))
            inner = EnvironBuilder(
                f"/{path}", call.request.server_url, query_string=urlencode(params),
                method=str(part.get("method", "GET")), headers=[("Authorization", f"Bearer {call.request.bearer}")],
            )  # fmt: skip
            answer = self.handle(PlatformRequest(inner.get_environ()))
            listed = [{"name": k, "value": v} for k, v in answer.headers.items()]
            answers.append({"code": answer.status_code, "headers": listed, "body": answer.get_data(as_text=True)})
        return json_answer(answers)


def _path(request: PlatformRequest) -> str:
    """The path below the version."""
    return "/" + request.path.lstrip("/").partition("/")[2]
