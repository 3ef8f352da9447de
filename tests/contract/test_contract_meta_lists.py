"""The stand-in's lists of fields, edges and enums are the official SDK's."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from facebook_business.adobjects.adsinsights import AdsInsights

from sandbox.platforms.meta.vocabulary import EDGES, EFFECTIVE_STATUSES, FIELDS, INSIGHTS, WRITES

CLASSES = {
    "account": "AdAccount",
    "campaign": "Campaign",
    "adset": "AdSet",
    "ad": "Ad",
    "creative": "AdCreative",
    "image": "AdImage",
    "video": "AdVideo",
    "report": "AdReportRun",
    "user": "User",
    "business": "Business",
    "invoice": "OmegaCustomerTrx",
}


def sdk(kind: str) -> Any:
    return getattr(import_module(f"facebook_business.adobjects.{CLASSES[kind].lower()}"), CLASSES[kind])


def values(enum: Any) -> set[str]:
    return {str(value) for name, value in vars(enum).items() if not name.startswith("_")}


def calls(kind: str, methods: str) -> set[tuple[str, str]]:
    source = Path(str(import_module(sdk(kind).__module__).__file__)).read_text(encoding="utf-8")
    return set(re.findall(rf"method='({methods})',\s+endpoint='/([^']*)'", source))


@pytest.mark.parametrize(
    ("name", "enum"),
    [
        ("fields", AdsInsights.Field),
        ("breakdowns", AdsInsights.Breakdowns),
        ("action_breakdowns", AdsInsights.ActionBreakdowns),
        ("windows", AdsInsights.ActionAttributionWindows),
        ("report_times", AdsInsights.ActionReportTime),
        ("date_presets", AdsInsights.DatePreset),
        ("levels", AdsInsights.Level),
    ],
)
def test_what_insights_may_be_asked_is_the_sdk_s(name: str, enum: Any) -> None:
    assert values(enum) == INSIGHTS[name]


@pytest.mark.parametrize("kind", list(FIELDS))
def test_the_fields_of_each_node_are_the_sdk_s(kind: str) -> None:
    assert values(sdk(kind).Field) == FIELDS[kind]


@pytest.mark.parametrize("kind", list(EDGES))
def test_the_edges_that_can_be_read_are_the_sdk_s(kind: str) -> None:
    assert {edge for _, edge in calls(kind, "GET") if edge} == EDGES[kind]


@pytest.mark.parametrize("kind", list(WRITES))
def test_what_can_be_written_is_the_sdk_s(kind: str) -> None:
    assert {f"{method}:{edge}" for method, edge in calls(kind, "POST|DELETE")} == WRITES[kind]


@pytest.mark.parametrize("kind", list(EFFECTIVE_STATUSES))
def test_the_effective_statuses_are_the_sdk_s(kind: str) -> None:
    assert values(sdk(kind).EffectiveStatus) == EFFECTIVE_STATUSES[kind]
