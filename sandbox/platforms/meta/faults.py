"""What Meta's switches do to an answer about an ad account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.meta.errors import GraphError, throttled, too_much
from sandbox.platforms.meta.insights import Insights
from sandbox.platforms.meta.population import PLATFORM
from sandbox.web import broken_off, json_answer


def refuse(outside: Outside, profile_id: str) -> None:
    """Raise Meta's error when the ad account is throttled or the platform is down."""
    options = outside.switches.take("throttle", PLATFORM, profile_id)
    if options is not None:
        raise throttled(profile_id, options)
    options = outside.switches.take("server_error", PLATFORM, profile_id)
    if options is not None:
        status = int(options.get("status", 503))
        raise GraphError("(#2) Service temporarily unavailable", 2, status=status, transient=True)


def served_rows(outside: Outside, insights: Insights, *, synchronous: bool) -> list[dict[str, Any]]:
    """The rows that Meta answers: the true ones unless they are too many, hidden or spoiled."""
    profile_id = insights.profile.id
    if outside.switches.take("empty", PLATFORM, profile_id) is not None:
        return []
    rows = outside.remember((PLATFORM, profile_id, insights.key, insights.moment), insights.rows)

    def too_many(options: Mapping[str, Any]) -> bool:
        return bool(synchronous or options.get("async")) and len(rows) > int(options.get("rows", 0))

    def has(options: Mapping[str, Any]) -> bool:
        return any(str(options.get("field", "spend")) in row for row in rows)

    def counts(_: Mapping[str, Any]) -> bool:
        return any("impressions" in row for row in rows)

    if outside.switches.take("data_limit", PLATFORM, profile_id, acts=too_many) is not None:
        raise too_much()
    options = outside.switches.take("missing_column", PLATFORM, profile_id, acts=has)
    if options is not None:
        lost = str(options.get("field", "spend"))
        rows = [{name: value for name, value in row.items() if name != lost} for row in rows]
    options = outside.switches.take("bad_row", PLATFORM, profile_id, acts=counts)
    if options is not None:
        rows = _spoiled(rows, str(options.get("ad_id", "")), str(options.get("mode", "negative")))
    return rows


def listed_items(outside: Outside, profile_id: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects of a list; the first one has a status that nobody knows when a switch says so."""
    if not items or outside.switches.take("new_value", PLATFORM, profile_id) is None:
        return items
    return [{**items[0], "effective_status": "NEVER_HEARD_OF"}, *items[1:]]


def page_limits(outside: Outside, profile_id: str, params: dict[str, str]) -> dict[str, str]:
    """The parameters of a page that may have fewer rows than it was asked for (Graph API, Paginated Results)."""
    options = outside.switches.take("short_pages", PLATFORM, profile_id)
    if options is None:
        return params
    return {**params, "limit": str(min(int(params.get("limit", "25")), int(options.get("rows", 1))))}


def page_answer(outside: Outside, profile_id: str, answer: dict[str, Any], headers: dict[str, str]) -> Response:
    """A page that has a next one, as it goes out: whole, without its paging, without `next`, or cut off."""
    options = outside.switches.take("truncated_paging", PLATFORM, profile_id)
    mode = "" if options is None else str(options.get("mode", "no_paging"))
    if mode == "no_paging":
        del answer["paging"]
    elif mode == "no_next":
        del answer["paging"]["next"]
    response = json_answer(answer, headers=headers)
    return broken_off(response) if mode == "cut" else response


def _spoiled(rows: list[dict[str, Any]], ad_id: str, mode: str) -> list[dict[str, Any]]:
    """A copy of the rows with a malformed one: a negative count, text for a number, or no key."""
    at = next((i for i, row in enumerate(rows) if not ad_id or row.get("ad_id") == ad_id), None)
    if at is None:
        return rows
    row = dict(rows[at])
    if mode == "no_key":
        row.pop("ad_id", None)
    else:
        row["impressions"] = "-5" if mode == "negative" else "many"
    return [*rows[:at], row, *rows[at + 1 :]]
