"""What the canonical fields of rows hold, in the schema language: of ads, account days and rows of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adweir.model.entities import Status
from adweir.quality.row_rules import KNOWN_RULES
from adweir.quality.schema import RULES

COUNTS = ("impressions", "clicks")
SUMS = (*COUNTS, "conversions", "spend", "revenue")
"""Numbers that add up."""
RATIOS = ("ctr", "cvr", "conversion_rate", "cpa", "cpc", "cpm", "roas", "acos")
DAILY = "daily_"
"""What stands before the numbers of an account day."""
_IDS = (
    "platform",
    "account_id",
    "profile_id",
    "campaign_id",
    "ad_group_id",
    "ad_id",
    "keyword_id",
    "client_account_id",
)
_TEXTS = (
    "name",
    "account_name",
    "headline",
    "description",
    "cta",
    "image_url",
    "video_url",
    "landing_page_url",
    "timezone",
)
_DAYS = ("date", "start_date", "end_date")
_COUNT, _NUMBER = {"type": "integer", "min": 0}, {"type": "number", "min": 0}
_OF_NUMBERS: dict[str, dict[str, Any]] = {
    name: _COUNT if name in COUNTS else _NUMBER for name in (*SUMS, *RATIOS, "relevance_score", "quality_score")
}
FIELDS: Mapping[str, Mapping[str, Any]] = {
    **{name: {"type": "string", "empty": False} for name in _IDS},
    **{name: {"type": "string"} for name in _TEXTS},
    **{name: {"type": "date"} for name in _DAYS},
    "currency": {"type": "string", "regex": "[A-Z]{3}"},
    "status": {"type": "string", "allowed": [str(status) for status in Status]},
    "hour": {"type": "integer", "min": 0, "max": 23},
    "campaign_count": _COUNT,
    "ad_count": _COUNT,
    **_OF_NUMBERS,
    **{DAILY + name: rules for name, rules in _OF_NUMBERS.items()},
}


def canonical_schema(names: Iterable[str], present: Iterable[str] | None = None) -> dict[str, Any]:
    """The schema of those of these fields that are canonical, and the rules about them.

    `present`: all fields that rows have, where these are only some; a rule compares its field with the others.
    """
    fields: dict[str, Any] = {name: FIELDS[name] for name in names if name in FIELDS}
    return _with_rules(fields, set(fields if present is None else present))


def with_rules(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with all rules that compare only its fields; one that names its rules, or a field so, stays as it is."""
    return dict(schema) if RULES in schema else _with_rules(schema, set(schema))


def _with_rules(schema: Mapping[str, Any], present: set[str]) -> dict[str, Any]:
    found = [name for name, each in KNOWN_RULES.items() if each.rule.field in schema and present.issuperset(each.needs)]
    return {**schema, RULES: found} if found else dict(schema)
