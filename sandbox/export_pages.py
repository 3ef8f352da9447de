"""The world's doors to files of other tools: which there are, and each one's bytes, to be dropped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from werkzeug import Response

from sandbox.exports import Export, TrueRow, ad_exports, shop_exports
from sandbox.outside import BadQuestion, Outside

_DAYS = 7


def listed(outside: Outside, query: Mapping[str, str]) -> dict[str, Any]:
    """Each file with what has to be stored of it: `account` (default: the first), `start`, `end` (default: 7 days)."""
    found = [
        {"key": each.key, "bytes": len(each.body), "truth": [_stated(row) for row in each.truth]}
        for each in _exports(outside, query)
    ]
    return {"as_of": outside.world.now.isoformat(), "exports": found}


def file(outside: Outside, query: Mapping[str, str]) -> Response:
    """The file of a `key` of the list, for the same account and days. Raises BadQuestion."""
    for each in _exports(outside, query):
        if each.key == query.get("key"):
            return Response(each.body, content_type="application/octet-stream")
    raise BadQuestion(f"no such file: {query.get('key', '')!r}")


def _exports(outside: Outside, query: Mapping[str, str]) -> tuple[Export, ...]:
    yesterday = outside.world.now.date() - timedelta(days=1)
    end = date.fromisoformat(query["end"]) if "end" in query else yesterday
    start = date.fromisoformat(query["start"]) if "start" in query else end - timedelta(days=_DAYS - 1)
    world, company = outside.world, outside.company(query.get("account", ""))
    asked = (world, company, start, end)
    key = ("exports", company.key, start, end, world.now)
    return outside.remember(key, lambda: (*ad_exports(*asked), *shop_exports(*asked)))


def _stated(row: TrueRow) -> dict[str, Any]:
    return {
        "date": row.day.isoformat(),
        "entity": row.entity,
        "impressions": row.impressions,
        "clicks": row.clicks,
        "conversions_micros": row.conversions,
        "spend_micros": row.spend,
        "revenue_micros": row.revenue,
    }
