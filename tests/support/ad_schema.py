"""The schema of an ad with its eleven fields, as users of Cerberus write it."""

from __future__ import annotations

from typing import Any

PLATFORMS = ["facebook", "google", "amazon", "tiktok"]
AD: dict[str, dict[str, Any]] = {
    "ad_id": {"type": "string", "required": True},
    "headline": {"type": "string", "required": True, "max_length": 200},
    "description": {"type": "string", "required": False},
    "platform": {"type": "string", "required": True, "allowed": PLATFORMS},
    "impressions": {"type": "integer", "required": True, "min": 0},
    "clicks": {"type": "integer", "required": True, "min": 0},
    "ctr": {"type": "float", "required": False, "min": 0, "max": 1},
    "spend": {"type": "float", "required": True, "min": 0},
    "conversions": {"type": "integer", "required": False, "min": 0},
    "start_date": {"type": "date", "required": True},
    "end_date": {"type": "date", "required": True},
}
