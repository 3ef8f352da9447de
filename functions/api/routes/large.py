"""Answers that take too long to make: how much time they have, and the exports that they become."""

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Response

from adweir.runtime.app import App
from adweir.runtime.http import Answer, answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adweir.reporting.delivery import DeliveredReport
    from adweir.reporting.exported import Asked
    from adweir.reporting.moments import Moments
    from adweir.reporting.query import Bounds

EXPORT: dict[str, Any] = {
    "description": "It takes too long to make: it becomes an export. Ask at Location how far it is.",
    "headers": {"Location": {"schema": {"type": "string", "format": "uri-reference"}}},
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["export_id", "state"],
                "properties": {"export_id": {"type": "string"}, "state": {"type": "string", "enum": ["running"]}},
            }
        }
    },
}
"""The description of a 202."""
LARGE = {
    "description": "It is too large for an answer: download it from Location within 15 minutes.",
    "headers": {"Location": {"schema": {"type": "string", "format": "uri"}}},
    "content": {kind: {"schema": {"type": "string", "maxLength": 0}} for kind in ("application/json", "text/csv")},
}
"""The description of a 303."""
_READING = 0.75
"""Of the function's time."""


def bounds(app: App) -> "Bounds":
    """What is left of the time for reading, so that writing the answer has the rest."""
    from adweir.reporting.query import Bounds

    end = app.clock.monotonic() + app.settings.function_timeout_seconds * _READING
    return Bounds(remaining=lambda: end - app.clock.monotonic())


def export(app: App, asked: "Asked", moments: "Moments") -> Answer:
    """Ask for an export, and say where to ask for it."""
    from adweir.reporting.asking import ask_for

    accounts = app.accounts or frozenset()
    export_id = ask_for(app.ledger.exports, app.queues.etl, asked, accounts, moments.answered_at)
    return answer({"export_id": export_id, "state": "running"}, 202, {"Location": f"/api/v1/exports/{export_id}"})


def sent(delivered: "DeliveredReport", freshness: "Mapping[str, Any] | None") -> Answer:
    """The answer with a text, or the redirect to its file; with `freshness` in headers, where it is given."""
    headers = {"Cache-Control": "no-store"} | ({"Location": delivered.location} if delivered.location else {})
    headers |= freshness_headers(freshness) if freshness else {}
    return Response(303 if delivered.location else 200, delivered.content_type, delivered.text, headers=headers)


def freshness_headers(freshness: "Mapping[str, Any]") -> dict[str, str]:
    """How fresh an answer is (`reporting.freshness`) that has no place for it, as headers; nothing for what is null."""
    said = {name: freshness[name] for name in ("as_of", "complete_through", "provisional_from", "days_missing")}
    return {f"Adweir-{name.replace('_', '-').title()}": str(value) for name, value in said.items() if value is not None}
