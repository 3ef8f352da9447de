"""Meta answers as tests need them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from adweir.model.datasets import Dataset
from adweir.platforms.connector import PullContext

AS_OF = "2026-11-20T12:00:00.000000Z"


@dataclass
class StoredPage:
    """`platforms.connector.RawPage` from memory."""

    number: int
    stream: BinaryIO
    label: str = ""
    media: str = "json"


def stored(body: bytes | dict[str, Any], number: int = 1) -> StoredPage:
    return StoredPage(number, io.BytesIO(body if isinstance(body, bytes) else msgspec.json.encode(body)))


def insight(**changes: Any) -> dict[str, Any]:
    """An insights row; a change to None leaves the field out."""
    row = {
        "account_id": "1234567890",
        "account_currency": "USD",
        "campaign_id": "111",
        "adset_id": "222",
        "ad_id": "333",
        "impressions": "1200",
        "clicks": "34",
        "spend": "45.67",
        "actions": [
            {"action_type": "link_click", "value": "21"},
            {"action_type": "purchase", "value": "4"},
            {"action_type": "omni_purchase", "value": "3", "7d_click": "2"},
        ],
        "action_values": [
            {"action_type": "purchase", "value": "999"},
            {"action_type": "omni_purchase", "value": "310.75"},
        ],
        "date_start": "2026-11-01",
        "date_stop": "2026-11-01",
    }
    return {name: value for name, value in (row | changes).items() if value is not None}


def page(items: Iterable[Any], following: str = "") -> dict[str, Any]:
    paging: dict[str, Any] = {"cursors": {"before": "MAZDZD", "after": "MjQZD"}}
    return {"data": list(items), "paging": paging | ({"next": following} if following else {})}


def context(dataset: Dataset = Dataset.AD_DAILY, **changes: Any) -> PullContext:
    base = PullContext("acme", "1234567890", dataset, "all", None, AS_OF, "USD", "America/New_York")
    return base._replace(**changes)


def error(code: int, subcode: int = 0, message: str = "why", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode, **more}}
