"""What Graph's GETs of the Marketing API answer: nodes, edges and insights of the ad accounts that a token opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.meta.edge_lists import edge_list
from sandbox.platforms.meta.errors import GraphError, invalid, missing, no_capability, nonexisting_field, unknown_path
from sandbox.platforms.meta.faults import listed_items, page_answer, page_limits, refuse, served_rows
from sandbox.platforms.meta.field_syntax import parse_fields
from sandbox.platforms.meta.insight_question import read_question
from sandbox.platforms.meta.insights import Insights, own_level
from sandbox.platforms.meta.jobs import Jobs
from sandbox.platforms.meta.nodes import GraphNode, Nodes
from sandbox.platforms.meta.paging import overlapping, page, with_total_count
from sandbox.platforms.meta.parameters import names
from sandbox.platforms.meta.population import PLATFORM
from sandbox.platforms.meta.selection import INVOICE_DEFAULTS, INVOICES, LISTED, Selection, within
from sandbox.platforms.meta.vocabulary import ANY_EDGE, EDGES, FIELDS, NODE_TYPES
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import Company
from sandbox.world.world import Moment

_ACCOUNT_EDGES = ("adaccounts", "assigned_ad_accounts")
_BUSINESS_EDGES = ("owned_ad_accounts", "client_ad_accounts")
_MOST_IDS = 50
MIXED_ONLY = "mixed_report_time"


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


class GraphReads:
    """Reads nodes and edges."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.nodes, self.jobs = Nodes(outside), Jobs(outside)
        self._selection = Selection(self.nodes, self._nested_insights)

    def kind(self, node: str) -> str:
        """The kind of a node; empty for an unknown one."""
        if node == "me":
            return "user"
        found = self.nodes.find(node)
        return "report" if self.jobs.find(node) else found.kind if found else ""

    def profile_id(self, node: str) -> str:
        """The ad account that a node is or belongs to; empty for an unknown one."""
        job = self.jobs.find(node)
        if job is not None:
            return str(job["profile_id"])
        found = self.nodes.find(node)
        return found.profile.id if found else node.removeprefix("act_") if node.startswith("act_") else ""

    # -- nodes ---------------------------------------------------------------------------------------------------

    def node(self, call: GraphCall, node: str) -> Response:
        """One node's fields."""
        if node == "me":
            me = {"id": "555", "name": f"{call.company.name} system user"}
            wanted = parse_fields(call.params, ("id", "name"))
            for field in wanted:
                if field.name not in FIELDS["user"]:
                    raise nonexisting_field(field.name, NODE_TYPES["user"])
            return call.answer({"id": me["id"]} | {f.name: me[f.name] for f in wanted if f.name in me})
        job = self.jobs.find(node)
        if job is None:
            return call.answer(self._read(call, self._open(call, node)))
        self._open(call, f"act_{job['profile_id']}")
        answer = self.jobs.describe(node, job)
        asked = parse_fields(call.params)
        for field in asked:
            if field.name not in FIELDS["report"]:
                raise nonexisting_field(field.name, NODE_TYPES["report"])
        chosen = {"id", *(field.name for field in asked)} if asked else set(answer)
        return call.answer({name: value for name, value in answer.items() if name in chosen})

    def many(self, call: GraphCall) -> Response:
        """Several nodes by `ids`."""
        ids = names(call.params, "ids")
        if not ids or len(ids) > _MOST_IDS:
            raise invalid(f"Too many IDs. Maximum: {_MOST_IDS}. Provided: {len(ids)}" if ids else "ids is required")
        return call.answer({node: self._read(call, self._permitted(call, node)) for node in ids})

    def _read(self, call: GraphCall, node: GraphNode) -> dict[str, Any]:
        default = ("id", "account_id") if node.kind == "account" else ("id",)
        return self._selection.of(node, parse_fields(call.params, default))

    def _permitted(self, call: GraphCall, node: str) -> GraphNode:
        """A node. Raises Meta's errors when it is unknown or its ad account is not permitted."""
        found = self.nodes.find(node)
        if found is None:
            raise missing(node)
        denied = self._outside.switches.take("access_denied", PLATFORM, found.profile.id)
        if denied is not None and int(denied.get("code", 200)) == 100:
            raise missing(node)
        if denied is not None or found.profile not in call.company.profiles:
            message = "(#200) Ad account owner has NOT grant ads_management or ads_read permission"
            raise GraphError(message, 200, status=403)
        return found

    def _open(self, call: GraphCall, node: str) -> GraphNode:
        """A node, unless a switch makes the platform fail."""
        found = self._permitted(call, node)
        refuse(self._outside, found.profile.id)
        return found

    # -- edges ---------------------------------------------------------------------------------------------------

    def edge(self, call: GraphCall, node: str, edge: str) -> Response:
        """An edge. Raises Meta's errors for one that the node's kind, or any kind, does not have."""
        kind = self.kind(node)
        if kind == "user" and edge in _ACCOUNT_EDGES:
            return self._accounts(call)
        if kind == "user" and edge == "businesses":
            return self._businesses(call)
        if kind in ("business", "invoice"):
            return self._of_business(call, self._open(call, node), edge)
        if kind == "report" and edge == "insights":
            return self._finished(call, node)
        if not kind:
            raise missing(node) if edge in ANY_EDGE else unknown_path(edge)
        if kind == "user":
            raise nonexisting_field(edge, NODE_TYPES[kind])
        found = self._open(call, node)
        if edge == "insights":
            return self._insights(call, found)
        if edge not in EDGES.get(kind, ()):
            raise nonexisting_field(edge, NODE_TYPES[kind]) if edge in ANY_EDGE else unknown_path(edge)
        if edge not in LISTED:
            raise no_capability()
        fields = parse_fields(call.params, ("id",))
        listed = edge_list(self.nodes, found, LISTED[edge], call.params)
        items = listed_items(self._outside, found.profile.id, [self._selection.of(item, fields) for item in listed])
        return self._list(call, items, found.profile.id)

    def _accounts(self, call: GraphCall) -> Response:
        """The ad accounts that the token opens."""
        fields = parse_fields(call.params, ("account_id", "id"))
        owned = [self.nodes.account(profile) for profile in call.company.on(PLATFORM)]
        return self._list(call, [self._selection.of(account, fields) for account in owned])

    def _businesses(self, call: GraphCall) -> Response:
        """The businesses that own the token's ad accounts."""
        fields = parse_fields(call.params, ("id", "name"))
        owners = [self.nodes.business(profile) for profile in call.company.on(PLATFORM)]
        return self._list(call, [self._selection.of(owner, fields) for owner in owners])

    def _of_business(self, call: GraphCall, node: GraphNode, edge: str) -> Response:
        """A business's ad accounts or invoices, or the campaigns of an invoice, which tell everything by default."""
        asked = parse_fields(call.params)
        if node.kind == "business" and edge in _BUSINESS_EDGES:
            return self._accounts(call)
        if node.kind == "business" and edge == INVOICES:
            found = self.nodes.invoices(node, call.params)
            items = [self._selection.of(each, asked or INVOICE_DEFAULTS) for each in found]
        elif node.kind == "invoice" and edge == "campaigns":
            items = [within(each, asked) if asked else each for each in node.fields[edge]]
        else:
            raise nonexisting_field(edge, NODE_TYPES[node.kind])
        return self._list(call, items, node.profile.id)

    def _list(self, call: GraphCall, items: list[dict[str, Any]], profile_id: str = "") -> Response:
        answer = self._page(call, items, profile_id)
        return self._paged(call, with_total_count(answer, items, call.params), profile_id)

    def _page(self, call: GraphCall, items: list[dict[str, Any]], profile_id: str) -> dict[str, Any]:
        params = page_limits(self._outside, profile_id, call.params)
        answer = page(items, params, call.request.server_url + call.request.path)
        drifts = self._outside.switches.take("drifting_pages", PLATFORM, profile_id) is not None
        return overlapping(answer, items) if drifts else answer

    def _paged(self, call: GraphCall, answer: dict[str, Any], profile_id: str) -> Response:
        if "next" in answer.get("paging", ()):
            return page_answer(self._outside, profile_id, answer, call.headers)
        return call.answer(answer)

    # -- insights ------------------------------------------------------------------------------------------------

    def question(self, node: GraphNode, params: Mapping[str, str], moment: Moment) -> Insights:
        """A node's insights as a request asks for them. Raises Meta's errors."""
        profile, level = node.profile, own_level(node)
        mixed = self._outside.switches.take(MIXED_ONLY, PLATFORM, profile.id) is not None
        question = read_question(params, level, moment.today, only_mixed=mixed)
        narrowed = "" if node.kind == "account" else node.fields["id"]
        return Insights(self._outside.world, profile, moment, narrowed, question)

    def new_job(self, call: GraphCall, node: str) -> Response:
        """Begin an asynchronous report."""
        found = self._open(call, node)
        insights = self.question(found, call.params, self._outside.world.moment(found.profile))
        return json_answer(self.jobs.create(call.params, insights))

    def _insights(self, call: GraphCall, node: GraphNode) -> Response:
        insights = self.question(node, call.params, self._outside.world.moment(node.profile))
        rows = served_rows(self._outside, insights, synchronous=True)
        answer = self._with_summary(self._page(call, rows, node.profile.id), insights)
        return self._paged(call, answer, node.profile.id)

    def _finished(self, call: GraphCall, run_id: str) -> Response:
        """The rows of a complete job."""
        job = self.jobs.find(run_id) or {}
        account = self._open(call, f"act_{job['profile_id']}")
        moment = self.jobs.moment(job)
        node = self.nodes.find(job["node"]) if job["node"] else account
        insights = self.question(node or account, job["params"], moment)
        rows = served_rows(self._outside, insights, synchronous=False)
        answer = self._with_summary(self._page(call, rows, account.profile.id), insights)
        return self._paged(call, answer, account.profile.id)

    def _with_summary(self, answer: dict[str, Any], insights: Insights) -> dict[str, Any]:
        return answer | {"summary": insights.summary()} if insights.question.summary else answer

    def _nested_insights(self, node: GraphNode, params: Mapping[str, str]) -> list[dict[str, Any]]:
        insights = self.question(node, params, self._outside.world.moment(node.profile))
        return served_rows(self._outside, insights, synchronous=True)
