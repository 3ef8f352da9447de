"""What Google's switches do to a request about a customer, and to its rows."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.google_ads.errors import GoogleAdsError, denied, exhausted, page
from sandbox.platforms.google_ads.facts import camel, fact_of
from sandbox.platforms.google_ads.gaql import GaqlQuery
from sandbox.platforms.google_ads.population import PLATFORM

_SECONDS = 5


def front_end(outside: Outside, customer: str) -> Response | None:
    """Google's front end answers instead of the API: a page of HTML."""
    options = outside.switches.take("html", PLATFORM, customer)
    return None if options is None else page(int(options.get("status", 502)), "Server Error")


def refuse(outside: Outside, customer: str) -> None:
    """Raise when the customer's permission is gone, a quota is used up, or the service is down."""
    options = outside.switches.take("access_denied", PLATFORM, customer)
    if options is not None:
        raise denied(
            str(options.get("code", "USER_PERMISSION_DENIED")), "User doesn't have permission to access customer."
        )
    options = outside.switches.take("throttle", PLATFORM, customer)
    if options is not None:
        raise exhausted({"retry_after": _SECONDS, **options})
    options = outside.switches.take("server_error", PLATFORM, customer)
    if options is not None:
        raise broken(int(options.get("status", 503)))


def broken(status: int) -> GoogleAdsError:
    """The service is down, or too slow."""
    code = "DEADLINE_EXCEEDED" if status == 504 else "INTERNAL_ERROR" if status == 500 else "TRANSIENT_ERROR"
    return GoogleAdsError("internalError", code, "An internal error has occurred.", status=status)


def too_many(outside: Outside, customer: str, rows: int) -> None:
    """Raise when the answer has more rows than the switch allows: the deadline passes, or with `code` a quota."""
    options = outside.switches.take("data_limit", PLATFORM, customer)
    if options is not None and rows > int(options.get("rows", 0)):
        if "code" in options:
            raise exhausted({"scope": "ACCOUNT", **options})
        raise broken(504)


def spoiled(outside: Outside, customer: str, query: GaqlQuery, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, or copies of them with what the switches put in."""
    take = outside.switches.take
    options = take("bad_row", PLATFORM, customer)
    if options is not None and rows:
        rows = [_bad(rows[0], query, str(options.get("mode", "negative"))), *rows[1:]]
    options = take("new_value", PLATFORM, customer)
    if options is not None and rows:
        enums = [path for path in query.select if (fact := fact_of(path)) and fact.kind == "enum" and not fact.repeated]
        path = str(options.get("field", next(iter(enums), "")))
        rows = [_with(rows[0], path, str(options.get("value", "BRAND_NEW")))] * bool(path) + rows[bool(path) :]
    options = take("missing_column", PLATFORM, customer)
    if options is not None:
        path = str(options.get("field", next(iter(reversed(query.select)))))
        rows = [_with(row, path, None) for row in rows]
    return rows


def _bad(row: dict[str, Any], query: GaqlQuery, mode: str) -> dict[str, Any]:
    """A count that is negative or no number, or a row without its resource's id."""
    if mode == "no_key":
        keys = [
            path for path in query.select if path.endswith(("id", "resource_name")) and not path.startswith("customer.")
        ]
        for path in [*keys, f"{query.resource}.resource_name"]:
            row = _with(row, path, None)
        return row
    return _with(row, "metrics.impressions", "-5" if mode == "negative" else "many")


def _with(row: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the row with another value at a path, or (None) without it."""
    first, *rest = camel(path).split(".")
    copy = dict(row)
    if rest:
        copy[first] = _with(copy.get(first, {}), ".".join(rest), value)
    elif value is None:
        copy.pop(first, None)
    else:
        copy[first] = value
    return copy
