"""The story of a page's leads: what the world tells, what is true of it, and what is counted."""

from __future__ import annotations

from typing import Any

from support.river import River

_MORI_S_DAYS = "Asia/Tokyo"
"""An account's own days are those of the first of its ad accounts; Mori's page has another time zone."""


def _days(river: River) -> dict[str, str]:
    return {"start": river.day(3), "end": river.day(2)}


def told_leads(river: River) -> dict[str, Any]:
    """What the door of the world is asked to tell of Mori's leads, in any order and some of them twice."""
    mori = river.clients["mori"]
    url = f"{river.description['api_url']}/webhook/meta/{mori.account_id}"
    return _days(river) | {"account": "mori", "url": url, "attempts": 2}


def true_leads(river: River) -> dict[tuple[str, str], int]:
    """(campaign, day) → leads, as the world has them."""
    asked = _days(river) | {"platform": "meta_ads", "profile_id": river.clients["mori"].meta, "timezone": _MORI_S_DAYS}
    return {(row["campaign_id"], row["date"]): row["leads"] for row in river.world.get("leads", **asked)["rows"]}


def counted_leads(river: River) -> dict[tuple[str, str], int]:
    """The same as the API answers it, without those that no ad brought."""
    filters = {"account_id": river.clients["mori"].account_id, "source": "meta"}
    records = river.api.records("leads", filters)
    return {(row["campaign_id"], row["date"]): row["conversions"] for row in records if row["campaign_id"]}
