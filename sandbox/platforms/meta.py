"""Meta's Marketing API over the world: accounts, nodes, edges, insights and their asynchronous jobs."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sandbox.platforms.meta_errors import GraphError, expired, invalid, missing, throttled, too_much, usage
from sandbox.platforms.meta_insights import Insights, json_parameter, names
from sandbox.platforms.meta_objects import Nodes, project, spoil, visible
from sandbox.web import Request, Response
from sandbox.world import Company, Profile
from sandbox.world.catalog import META, appsecret_proof
from sandbox.world.world import Moment

if TYPE_CHECKING:
    from sandbox.outside import Outside

VERSIONED = re.compile(r"/v\d+\.\d+(/.*)?$")
_EDGES = {"campaigns": "campaign", "adsets": "adset", "ads": "ad", "adcreatives": "creative"}
_MOST_ROWS = 5000


class MetaApi:
    """Answers one request as graph.facebook.com does."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._jobs: dict[str, dict[str, Any]] = outside.state.reports
        self._subscriptions: dict[str, list[dict[str, Any]]] = {}
        self._nodes = Nodes(outside.world)

    def handle(self, request: Request) -> Response:
        """Every fault becomes an `{"error"}` body with usage headers."""
        path = request.path.split("/", 2)[2].strip("/") if request.path.count("/") > 1 else ""
        profile_id = self._profile_id(path)
        headers = usage(profile_id or "0", 12)
        try:
            try:
                params = request.form()
            except (ValueError, AttributeError):
                raise invalid("The body cannot be read") from None
            return self._route(request, path, params, headers)
        except GraphError as error:
            return error.response(headers)

    def _profile_id(self, path: str) -> str:
        head = path.split("/", 1)[0]
        if head.startswith("act_"):
            return head[4:]
        if head in self._jobs:
            return str(self._jobs[head].get("profile_id", ""))
        found = self._nodes.find(head)
        return found.profile.id if found else ""

    def _route(  # noqa: PLR0911 - a table of paths, each with its answer
        self, request: Request, path: str, params: dict[str, str], headers: dict[str, str]
    ) -> Response:
        if path == "oauth/access_token":
            return self._exchange(params)
        if path == "debug_token":
            return self._debug(params)
        company = self._company(request, params)
        head, _, edge = path.partition("/")
        if not head:
            return self._many(request, company, params, headers)
        if head == "me" or edge in ("owned_ad_accounts", "client_ad_accounts"):
            return self._accounts(request, company, edge, params, headers)
        if edge.startswith("subscri"):
            return self._subscribe(request, head, params)
        if head in self._jobs:
            return self._job(request, company, head, edge, params, headers)
        profile = self._profile(company, head)
        self._misbehave(profile.id)
        if not edge:
            return Response.json(self._node(company, head, params), headers=headers)
        return self._edge(request, profile, head, edge, params, headers)

    def _many(self, request: Request, company: Company, params: dict[str, str], headers: dict[str, str]) -> Response:
        """The root: a batch of requests, or several nodes by `ids`."""
        if request.method == "POST" and "batch" in params:
            return self._batch(request, params)
        return Response.json({i: self._node(company, i, params) for i in names(params, "ids")}, headers=headers)

    def _accounts(
        self, request: Request, company: Company, edge: str, params: dict[str, str], headers: dict[str, str]
    ) -> Response:
        """The system user itself, or the ad accounts that its token opens."""
        if not edge:
            return Response.json({"id": "555", "name": f"{company.name} system user"}, headers=headers)
        accounts = [self._nodes.account(p) for p in company.profiles if p.platform == META]
        fields = names(params, "fields") or ["id"]
        return self._list(request, params, [project(a, fields) for a in accounts], headers)

    def _edge(
        self, request: Request, profile: Profile, head: str, edge: str, params: dict[str, str], headers: dict[str, str]
    ) -> Response:
        """What hangs on an ad account, campaign, ad set or ad."""
        if edge == "insights":
            node = "" if head.startswith("act_") else head
            insights = Insights(self._outside.world, profile, params, self._outside.world.moment(profile), node)
            if request.method == "POST":
                return self._create_job(profile, node, params, insights)
            return self._list(request, params, self._rows(profile, insights, sync=True), headers, profile.id)
        if edge == "adimages":
            hashes = json_parameter(params, "hashes") or []
            images = [{"id": f"{profile.id}:{h}", "hash": h, "url": f"https://img.example/{h}.jpg"} for h in hashes]
            return self._list(request, params, images, headers)
        if edge not in _EDGES:
            raise GraphError(f"(#2500) Unknown path components: /{edge}", 2500)
        items = self._nodes.edge(profile, head, _EDGES[edge])
        items = [item for item in items if visible(item, params, _EDGES[edge])]
        fields = names(params, "fields") or ["id"]
        return self._list(request, params, [project(i, fields) for i in items], headers, profile.id)

    # -- who asks ------------------------------------------------------------------------------------------------

    def _company(self, request: Request, params: dict[str, str]) -> Company:
        token = params.get("access_token") or request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            raise GraphError("An active access token must be used to query information about the current user.", 2500)
        for company in self._outside.world.companies:
            if hmac.compare_digest(token.encode(), company.meta["access_token"].encode()):
                break
            if token == f"{company.meta['app_id']}|{company.meta['app_secret']}":
                return company
        else:
            raise GraphError("Invalid OAuth access token - Cannot parse access token", 190, subcode=467, status=401)
        proof = params.get("appsecret_proof")
        if proof is not None and proof != appsecret_proof(token, company.meta["app_secret"]):
            raise GraphError("Invalid appsecret_proof provided in the API argument", 100, kind="GraphMethodException")
        if proof is None and self._outside.switches.take("require_proof", META) is not None:
            raise GraphError(
                "API calls from the server require an appsecret_proof argument", 100, kind="GraphMethodException"
            )
        owned = [p.id for p in company.profiles if p.platform == META]
        if any(self._outside.switches.take("expired_token", META, p) is not None for p in owned):
            raise expired()
        if any(self._outside.switches.take("revoked_credential", META, p) is not None for p in owned):
            message = "Error validating access token: The user has not authorized application."
            raise GraphError(message, 190, subcode=458, status=401)
        return company

    def _profile(self, company: Company, node: str) -> Profile:
        """The ad account that a node is or belongs to; Meta's own refusals when it is unknown or not permitted."""
        if node.startswith("act_"):
            profile = self._outside.world.profile(META, node[4:])
        else:
            found = self._nodes.find(node)
            profile = found.profile if found else None
        if profile is None:
            raise missing(node)
        if (
            profile not in company.profiles
            or self._outside.switches.take("access_denied", META, profile.id) is not None
        ):
            raise GraphError(
                "(#200) Ad account owner has NOT grant ads_management or ads_read permission", 200, status=403
            )
        return profile

    def _misbehave(self, profile_id: str) -> None:
        switches = self._outside.switches
        options = switches.take("throttle", META, profile_id)
        if options is not None:
            raise throttled(profile_id, options)
        options = switches.take("server_error", META, profile_id)
        if options is not None:
            message = "(#2) Service temporarily unavailable"
            raise GraphError(message, 2, status=int(options.get("status", 503)), transient=True)

    # -- answers -------------------------------------------------------------------------------------------------

    def _node(self, company: Company, node: str, params: dict[str, str]) -> dict[str, Any]:
        profile = self._profile(company, node)
        if node.startswith("act_"):
            return project(self._nodes.account(profile), names(params, "fields") or ["id", "account_id"])
        found = self._nodes.find(node)
        if found is None:
            raise missing(node)
        return project(found.fields, names(params, "fields") or ["id"])

    def _list(
        self, request: Request, params: dict[str, str], items: list[dict[str, Any]], headers: dict[str, str],
        profile_id: str = "",
    ) -> Response:  # fmt: skip
        """One page: cursors whenever there are rows, `next` only when more follow."""
        limit_text, after = params.get("limit", "25"), _offset(params.get("after", ""))
        if not limit_text.isdigit() or not int(limit_text):
            raise invalid("limit must be a positive number")
        limit = min(int(limit_text), _MOST_ROWS)
        page = items[after : after + limit]
        if not page:
            return Response.json({"data": []}, headers=headers)
        end = after + len(page)
        paging: dict[str, Any] = {"cursors": {"before": _cursor(after), "after": _cursor(end)}}
        if after:
            before = params | {"before": _cursor(after)}
            paging["previous"] = f"{request.base_url}{request.path}?{urlencode(before)}"
        answer: dict[str, Any] = {"data": page, "paging": paging}
        if params.get("summary") in ("true", "1"):
            answer["summary"] = {"total_count": len(items)}
        if end < len(items):
            paging["next"] = f"{request.base_url}{request.path}?{urlencode(params | {'after': _cursor(end)})}"
            options = self._outside.switches.take("truncated_paging", META, profile_id)
            mode = "" if options is None else str(options.get("mode", "no_paging"))
            if mode == "no_paging":
                del answer["paging"]
            elif mode == "no_next":
                del paging["next"]
            elif mode == "cut":
                response = Response.json(answer, headers=headers)
                response.cut = True
                return response
        return Response.json(answer, headers=headers)

    def _rows(self, profile: Profile, insights: Insights, *, sync: bool) -> list[dict[str, Any]]:
        switches = self._outside.switches
        if switches.take("empty", META, profile.id) is not None:
            return []
        rows = self._outside.remember(("meta", profile.id, insights.key, insights.moment), insights.rows)
        options = switches.take("data_limit", META, profile.id)
        if options is not None and (sync or options.get("async")) and len(rows) > int(options.get("rows", 0)):
            raise too_much()
        options = switches.take("bad_row", META, profile.id)
        if options is not None:
            rows = spoil(rows, str(options.get("ad_id", "")), str(options.get("mode", "negative")))
        return rows

    def _exchange(self, params: dict[str, str]) -> Response:
        for company in self._outside.world.companies:
            if params.get("fb_exchange_token") == company.meta["access_token"]:
                if params.get("client_secret") != company.meta["app_secret"]:
                    raise GraphError("Error validating client secret.", 1)
                token = company.meta["access_token"]
                return Response.json({"access_token": token, "token_type": "bearer", "expires_in": 5183976})
        raise GraphError("Invalid OAuth access token.", 190, status=401)

    def _debug(self, params: dict[str, str]) -> Response:
        company = next(
            (c for c in self._outside.world.companies if c.meta["access_token"] == params.get("input_token")), None
        )
        data: dict[str, Any] = {"is_valid": company is not None, "scopes": ["ads_read"] if company else []}
        if company:
            data |= {"app_id": company.meta["app_id"], "type": "SYSTEM_USER", "expires_at": 0, "user_id": "555"}
        return Response.json({"data": data})

    def _batch(self, request: Request, params: dict[str, str]) -> Response:
        """Up to 50 GETs in one POST; each answer's body is JSON text."""
        answers = []
        for part in (json_parameter(params, "batch") or [])[:50]:
            path, _, query = str(part.get("relative_url", "")).lstrip("/").partition("?")
            inner = dict(Request("", "", {}, {}, query.encode(), "").form())
            shared = {k: v for k, v in params.items() if k in ("access_token", "appsecret_proof")}
            versioned = f"/{path}" if VERSIONED.match(f"/{path}") else f"{request.path.rstrip('/')}/{path}"
            method = str(part.get("method", "GET"))
            answer = self.handle(Request(method, versioned, shared | inner, request.headers, b"", request.base_url))
            listed = [{"name": k, "value": v} for k, v in answer.headers.items()]
            answers.append({"code": answer.status, "headers": listed, "body": answer.body.decode()})
        return Response.json(answers)

    def _subscribe(self, request: Request, head: str, params: dict[str, str]) -> Response:
        held = self._subscriptions.setdefault(head, [])
        if request.method == "GET":
            return Response.json({"data": held})
        if request.method == "DELETE":
            held.clear()
        else:
            hidden = ("access_token", "appsecret_proof", "verify_token")
            held.append({k: v for k, v in params.items() if k not in hidden})
        return Response.json({"success": True})

    # -- asynchronous jobs ---------------------------------------------------------------------------------------

    def _create_job(self, profile: Profile, node: str, params: dict[str, str], insights: Insights) -> Response:
        moment, hidden = insights.moment, ("access_token", "appsecret_proof")
        slow = self._outside.switches.take("slow_report", META, profile.id) or {}
        broken = self._outside.switches.take("broken_report", META, profile.id)
        job = {
            "kind": "meta",
            "profile_id": profile.id,
            "node": node,
            "params": {k: v for k, v in params.items() if k not in hidden},
            "created": time.time(),
            "seconds": float(slow.get("seconds", self._outside.report_seconds)),
            "broken": broken,
            "today": moment.today.isoformat(),
            "hour": moment.hour,
        }
        run_id = self._outside.new_report(job, lambda n: str(6_023_920_000_000 + n))
        return Response.json({"report_run_id": run_id})

    def _job(
        self, request: Request, company: Company, run_id: str, edge: str, params: dict[str, str],
        headers: dict[str, str],
    ) -> Response:  # fmt: skip
        job = self._jobs[run_id]
        profile = self._profile(company, f"act_{job['profile_id']}")
        self._misbehave(profile.id)
        elapsed = (time.time() - job["created"]) / job["seconds"] if job["seconds"] > 0 else 1.0
        status, percent = _progress(elapsed)
        broken = job["broken"]
        if broken is not None and percent == 100:
            status, percent = str(broken.get("status", "Job Failed")), 0
        if not edge:
            since = json.loads(job["params"].get("time_range", "{}") or "{}")
            answer: dict[str, Any] = {
                "id": run_id,
                "account_id": profile.id,
                "time_ref": int(job["created"]),
                "async_status": status,
                "async_percent_completion": percent,
            }
            if percent == 100:
                answer["time_completed"] = int(job["created"] + job["seconds"])
            if since:
                answer |= {"date_start": since.get("since"), "date_stop": since.get("until")}
            if status == "Job Failed":
                message = str((broken or {}).get("reason", "The report could not be made"))
                answer |= {"error_code": -2, "error_subcode": 2490547, "error_message": message}
            return Response.json(answer, headers=headers)
        if edge != "insights":
            raise GraphError(f"(#2500) Unknown path components: /{edge}", 2500)
        if percent < 100:
            raise GraphError("(#2601) Loading async data: the report run is not completed", 2601)
        moment = Moment(Insights.day(job["today"]), int(job["hour"]))
        insights = Insights(self._outside.world, profile, job["params"], moment, job["node"])
        return self._list(request, params, self._rows(profile, insights, sync=False), headers, profile.id)


def _progress(elapsed: float) -> tuple[str, int]:
    """Share of the job's time gone by → async_status and the percentage."""
    if elapsed >= 1:
        return "Job Completed", 100
    if elapsed < 0.2:
        return ("Job Not Started" if elapsed < 0.1 else "Job Started"), 0
    return "Job Running", int(elapsed * 100)


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"row:{offset}".encode()).decode().rstrip("=")


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().removeprefix("row:"))
    except (ValueError, binascii.Error):
        raise invalid("Invalid cursor") from None
