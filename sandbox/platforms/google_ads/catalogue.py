"""GoogleAdsFieldService: what each resource, field, segment and metric goes with."""

from __future__ import annotations

from typing import Any

from sandbox.platforms.google_ads.errors import GoogleAdsError
from sandbox.platforms.google_ads.facts import CATEGORIES, ENUMS, RESOURCES, FieldFact, fact_of
from sandbox.platforms.google_ads.lines import ACTION_SEGMENTS, SEGMENTS
from sandbox.platforms.google_ads.metrics import BY_ACTION, NOT_BY_HOUR

_DATES = ("date", "week", "month", "quarter")


def described(name: str) -> dict[str, Any]:
    """`googleAdsFields/{name}`. Raises Google's error for an unknown name."""
    if name in RESOURCES:
        return _resource(name)
    fact = fact_of(name)
    if fact is None:
        text = f"The resource 'googleAdsFields/{name}' was not found."
        raise GoogleAdsError("requestError", "RESOURCE_NOT_FOUND", text, status=404)
    head, _, rest = name.partition(".")
    category = {"metrics": "METRIC", "segments": "SEGMENT"}.get(head, "ATTRIBUTE")
    simple = not fact.repeated and fact.kind != "message"
    found: dict[str, Any] = {
        "resourceName": f"googleAdsFields/{name}",
        "category": category,
        "name": name,
        "selectable": True,
        "filterable": fact.kind != "message",
        "sortable": simple,
    }
    if head in CATEGORIES:
        found["selectableWith"] = sorted(_companions(head, rest))
    found |= _type(name, fact)
    return found


def _resource(name: str) -> dict[str, Any]:
    resource = RESOURCES[name]
    metrics = [f"metrics.{metric}" for metric in sorted(resource.metrics)]
    segments = [f"segments.{segment}" for segment in sorted(resource.segments & SEGMENTS)]
    others = sorted(resource.attributed)
    lists = {
        "selectableWith": [*others, *metrics, *segments],
        "attributeResources": others,
        "metrics": metrics,
        "segments": segments,
    }
    fixed = {"resourceName": f"googleAdsFields/{name}", "category": "RESOURCE", "name": name}
    fixed |= {"selectable": False, "filterable": False, "sortable": False}  # type: ignore[dict-item]
    return fixed | {key: value for key, value in lists.items() if value} | {"dataType": "MESSAGE"}


def _companions(head: str, name: str) -> set[str]:
    """What a metric or a segment may be selected with."""
    found = {resource.name for resource in RESOURCES.values() if resource.has(head, name)}
    if head == "metrics":
        return found | {f"segments.{segment}" for segment in SEGMENTS if _agree(segment, name)}
    found |= {f"segments.{segment}" for segment in SEGMENTS - {name}}
    return found | {f"metrics.{metric}" for metric in CATEGORIES["metrics"] if _agree(name, metric)}


def _agree(segment: str, metric: str) -> bool:
    if segment in ACTION_SEGMENTS:
        return metric in BY_ACTION
    if segment == "ad_network_type":
        return not metric.startswith("historical_")
    return segment != "hour" or metric not in NOT_BY_HOUR


def _type(name: str, fact: FieldFact) -> dict[str, Any]:
    kind = {"segments." + date: "DATE" for date in _DATES}.get(name, fact.kind.upper())
    kind = {"BOOL": "BOOLEAN"}.get(kind, kind)
    if fact.kind == "string" and name.endswith("resource_name"):
        kind = "RESOURCE_NAME"
    more: dict[str, Any] = {"dataType": kind, "isRepeated": fact.repeated}
    if fact.kind == "enum":
        more["enumValues"] = list(ENUMS[fact.name])
        more["typeUrl"] = f"google.ads.googleads.v26.enums.{fact.name}Enum.{fact.name}"
    return more
