"""What Meta's objects are called: fields, edges and enums, from the official SDK's own lists (sdk_lists.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from sandbox.platforms.meta.errors import invalid


def _section(name: str) -> Mapping[str, frozenset[str]]:
    return {key: frozenset(text.split()) for key, text in _LISTS[name].items()}


_LISTS = tomllib.loads((Path(__file__).parent / "sdk_lists.toml").read_text(encoding="utf-8"))
INSIGHTS = _section("insights")
FIELDS = _section("fields")
"""By kind of node."""
EDGES = _section("edges")
"""By kind of node: what GET reads."""
WRITES = _section("writes")
"""By kind of node: `<method>:<edge>`; the edge is empty for the node itself."""
EFFECTIVE_STATUSES = _section("effective_statuses")
INVOICE_TYPES = _section("invoices")["types"]
ANY_EDGE = frozenset().union(*EDGES.values())
NODE_TYPES = {
    "account": "AdAccount",
    "campaign": "AdCampaignGroup",
    "adset": "AdCampaign",
    "ad": "AdGroup",
    "creative": "AdCreative",
    "image": "AdImage",
    "video": "Video",
    "report": "AdReportRun",
    "user": "User",
    "business": "Business",
    "invoice": "OmegaCustomerTrx",
}
"""What Graph's messages call each kind."""


def one_of(name: str, value: str, allowed: frozenset[str]) -> str:
    """The value of an enum parameter. Raises Meta's error 100, which lists what it may be."""
    if value not in allowed:
        raise invalid(f"{name} must be one of the following values: {', '.join(sorted(allowed))}")
    return value


def each_of(name: str, values: list[str], allowed: frozenset[str]) -> list[str]:
    """The values of a list of enums. Raises Meta's error 100."""
    return [one_of(f"{name}[{at}]", value, allowed) for at, value in enumerate(values)]
