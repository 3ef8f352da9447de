"""What TikTok's switches do to an answer."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.tiktok_ads.answers import PARTIAL, TikTokRefusal, envelope
from sandbox.platforms.tiktok_ads.population import PLATFORM
from sandbox.web import broken_off

_HTML = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Access denied</body></html>"


def gateway_answer(outside: Outside, profile_id: str) -> Response | None:
    """What the gateway says instead of the API: a status of its own, or a page in HTML with status 200.

    Raises TikTok's own code where the switch names one.
    """
    found = outside.switches.take("html", PLATFORM, profile_id)
    if found is not None:
        return Response(_HTML, int(found.get("status", 200)), content_type="text/html; charset=utf-8")
    found = outside.switches.take("server_error", PLATFORM, profile_id)
    if found is None:
        return None
    if "code" in found:
        raise TikTokRefusal(int(found["code"]), str(found.get("message", "")))
    return Response("upstream request timeout", int(found.get("status", 503)), content_type="text/plain")


def listed_answer(
    outside: Outside, profile_id: str, found: list[dict[str, Any]], page: int = 1, size: int = 1000
) -> Response:
    """A page of a list, spoiled where a switch says so."""
    rows = found[(page - 1) * size : page * size]
    if outside.switches.take("new_value", PLATFORM, profile_id) is not None and rows:
        rows = [{**rows[0], "secondary_status": "AD_STATUS_NEVER_HEARD_OF"}, *rows[1:]]
    return paged(outside, profile_id, {"list": rows, "page_info": page_info(len(found), page, size)})


def page_info(total: int, page: int, size: int) -> dict[str, int]:
    """`page_info`: pages are counted from 1."""
    return {"page": page, "page_size": size, "total_number": total, "total_page": -(-total // size)}


def paged(outside: Outside, profile_id: str, data: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """An answer with a page: whole, of a partial success, without its `page_info`, or cut off."""
    found = outside.switches.take("partial", PLATFORM, profile_id)
    if found is not None:
        raise TikTokRefusal(PARTIAL, str(found.get("message", "")), data)
    info = data["page_info"]
    if info["page"] < info["total_page"]:
        found = outside.switches.take("truncated_paging", PLATFORM, profile_id)
        if found is not None and found.get("mode") == "cut":
            return broken_off(envelope(data))
        if found is not None:
            data = {name: value for name, value in data.items() if name != "page_info"}
    return envelope(data, headers=headers)
