"""Which objects an edge lists: parents, statuses, `filtering`, `updated_since`, `sort`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.platforms.meta.errors import invalid
from sandbox.platforms.meta.filters import Condition, conditions
from sandbox.platforms.meta.nodes import GraphNode, Nodes
from sandbox.platforms.meta.parameters import json_list, names
from sandbox.platforms.meta.statuses import STATUS_FILTERS, delivery_info, hidden_statuses
from sandbox.platforms.meta.vocabulary import EFFECTIVE_STATUSES, FIELDS, each_of

_PARENTS = {"campaign": (), "adset": ("campaign",), "ad": ("campaign", "adset")}
_PARENT_PLACE = {"campaign": 0, "adset": 1}


def edge_list(nodes: Nodes, parent: GraphNode, kind: str, params: Mapping[str, str]) -> list[GraphNode]:
    """The nodes of a kind under a node that a request asks for. Raises Meta's errors."""
    found = nodes.below(parent, kind)
    if kind == "image" and "hashes" in params:
        wanted = {str(each) for each in json_list(params, "hashes")}
        found = [node for node in found if node.fields["hash"] in wanted]
    if kind in EFFECTIVE_STATUSES:
        found = _by_status(found, kind, params)
    asked = conditions(params)
    for condition in asked:
        _check(condition, kind)
    found = [node for node in found if all(c.matches(_actual(nodes, node, c)) for c in asked)]
    if "updated_since" in params:
        since = Condition("", "updated_time", "GREATER_THAN", params["updated_since"])
        found = [node for node in found if since.matches(node.fields.get("updated_time"))]
    return _sorted(found, kind, names(params, "sort"))


def _by_status(found: list[GraphNode], kind: str, params: Mapping[str, str]) -> list[GraphNode]:
    """Deleted and archived objects are listed only when the request names their status."""
    asked = each_of("effective_status", names(params, "effective_status"), EFFECTIVE_STATUSES[kind])
    if asked:
        return [node for node in found if node.fields["effective_status"] in asked]
    hidden = hidden_statuses(kind, conditions(params))
    return [node for node in found if node.fields["effective_status"] not in hidden]


def _check(condition: Condition, kind: str) -> None:
    """Raise Meta's error 100 for a field of neither the listed kind nor its parents."""
    concerned = condition.kind or kind
    fields = FIELDS.get(concerned, frozenset())
    if concerned not in (kind, *_PARENTS.get(kind, ())) or condition.name not in fields | STATUS_FILTERS:
        raise condition.unsupported()


def _actual(nodes: Nodes, node: GraphNode, condition: Condition) -> Any:
    """What the node, or the parent that the condition speaks of, has in the field."""
    subject: GraphNode | None = node
    if condition.kind not in ("", node.kind):
        subject = nodes.find(node.parents[_PARENT_PLACE[condition.kind]])
    if subject is None:
        return None
    if condition.name in ("delivery_info", "delivery_status"):
        return delivery_info(subject.fields["effective_status"])
    return subject.fields.get(condition.name)


def _sorted(found: list[GraphNode], kind: str, orders: list[str]) -> list[GraphNode]:
    """`<field>_ascending` or `_descending`; the first order counts most."""
    for order in reversed(orders):
        name, _, direction = order.rpartition("_")
        if direction not in ("ascending", "descending") or name not in FIELDS[kind]:
            raise invalid(f"sort by {order!r} is not supported")
        found = sorted(found, key=lambda node: str(node.fields.get(name, "")), reverse=direction == "descending")
    return found
