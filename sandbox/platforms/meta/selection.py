"""The asked-for fields of a node: its own, nested ones, and its edges (Graph API, Field Expansion)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.platforms.meta.edge_lists import edge_list
from sandbox.platforms.meta.errors import no_capability, nonexisting_field
from sandbox.platforms.meta.field_syntax import AskedField
from sandbox.platforms.meta.nodes import GraphNode, Nodes
from sandbox.platforms.meta.paging import page
from sandbox.platforms.meta.vocabulary import EDGES, FIELDS, NODE_TYPES

LISTED = {
    "campaigns": "campaign",
    "adsets": "adset",
    "ads": "ad",
    "adcreatives": "creative",
    "adimages": "image",
    "advideos": "video",
}
"""The edges that list nodes here, with the nodes' kind."""
INVOICES = "business_invoices"
INVOICE_DEFAULTS = tuple(AskedField(name, {}, None) for name in ("id", "billing_period"))
"""What an invoice tells when no field is asked for (Month-End Invoicing, Sample Response)."""
_REFERENCES = frozenset({"campaign", "adset", "creative"})

InsightsOf = Callable[[GraphNode, Mapping[str, str]], list[dict[str, Any]]]


class Selection:
    """Reads fields of nodes. `insights`: the rows of a node's insights for the parameters of a request."""

    def __init__(self, nodes: Nodes, insights: InsightsOf) -> None:
        self._nodes, self._insights = nodes, insights

    def of(self, node: GraphNode, fields: Sequence[AskedField]) -> dict[str, Any]:
        """The id and the wanted fields that the node has. Raises Meta's error 100 for a field of no such node."""
        found: dict[str, Any] = {}
        for field in fields:
            if field.name in FIELDS[node.kind]:
                value = self._field(node, field)
            elif field.name in EDGES.get(node.kind, ()):
                value = self._edge(node, field)
            else:
                raise nonexisting_field(field.name, NODE_TYPES[node.kind])
            if value is not None:
                found[field.modifiers.get("as", field.name)] = value
        return found | {"id": node.fields["id"]}

    def _field(self, node: GraphNode, field: AskedField) -> Any:
        value = node.fields.get(field.name)
        if value is not None and field.name in _REFERENCES:
            target = self._nodes.find(value)
            return None if target is None else self.of(target, field.inner or ())
        return value if field.inner is None else within(value, field.inner)

    def _edge(self, node: GraphNode, field: AskedField) -> dict[str, Any] | None:
        """An edge within a field: a first page without links; insights without rows are left out."""
        params = {"limit": "25", **field.modifiers}
        if field.name == "insights":
            if field.inner is not None:
                params["fields"] = ",".join(inner.name for inner in field.inner)
            items = self._insights(node, params)
        elif node.kind == "invoice":
            items = [each if field.inner is None else within(each, field.inner) for each in node.fields["campaigns"]]
        elif field.name == INVOICES:
            found = self._nodes.invoices(node, field.modifiers)
            items = [self.of(item, field.inner or INVOICE_DEFAULTS) for item in found]
        elif field.name in LISTED:
            listed = edge_list(self._nodes, node, LISTED[field.name], field.modifiers)
            items = [self.of(item, field.inner or ()) for item in listed]
        else:
            raise no_capability()
        answer = page(items, params, "")
        for link in ("next", "previous"):
            answer.get("paging", {}).pop(link, None)
        return answer if items else None


def within(value: Any, inner: Sequence[AskedField]) -> Any:
    """The wanted keys of an object that is no node, or of each object of a list."""
    if isinstance(value, list):
        return [within(item, inner) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {field.name: value[field.name] for field in inner if field.name in value}
    return {"id": value["id"], **kept} if "id" in value else kept
