"""Whether each dataset of each platform that is shown has come: what a SPEC promises is stored, and can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.entities import KeywordKind
from adweir.platforms import REGISTRY
from adweir.platforms.base import PlatformSpec
from adweir.reporting.records import data_type_of
from ops.client import Api
from ops.demo import PLATFORMS, READERS

_OBJECTS = {
    Dataset.CREATIVES: "creatives",
    Dataset.CAMPAIGNS: "campaigns",
    Dataset.AD_GROUPS: "ad_groups",
    Dataset.ADS: "ads",
    Dataset.PROFILES: "profiles",
    Dataset.INVOICES: "invoices",
}
_BILLED_DAYS = 62
_KINDS = {
    Dataset.KEYWORDS: {KeywordKind.KEYWORD},
    Dataset.NEGATIVES: {KeywordKind.NEGATIVE},
    Dataset.TARGETS: set(KeywordKind) - {KeywordKind.KEYWORD, KeywordKind.NEGATIVE},
}
"""Datasets that are listed together, and what tells their objects apart."""


def request_all(api: Api, profiles: Iterable[dict[str, Any]]) -> None:
    """Have the first of these ad accounts on each platform pull what is pulled on request only."""
    first = {profile["platform"]: profile for profile in reversed(list(profiles))}
    for spec in _specs():
        wanted = [dataset.value for dataset, each in spec.datasets.items() if each.on_request]
        if wanted and spec.name in first:
            path = f"/api/v1/profiles/{spec.name}/{first[spec.name]['profile_id']}"
            api.patch(path, {"options": {"datasets": wanted}})


def empty(api: Api, starts: Sequence[str], end: str) -> list[str]:
    """The datasets without any record of the days from the last of `starts` to `end`, by platform: `meta_ads ad_daily`.

    The days since each of `starts`, newest first, are read until every platform has a record: most have one at once.
    """

    def filled(dataset: Dataset) -> set[str]:
        kinds, found = _KINDS.get(dataset), set[str]()
        wanted = {str(spec.name) for spec in _specs() if dataset in _stored(spec)}
        for start in starts:
            first = _months_before(start) if dataset is Dataset.INVOICES else start
            records = api.records(_data_type(dataset), {"date_range": {"start": first, "end": end}})
            found |= {each["platform"] for each in records if kinds is None or each["kind"] in kinds}
            if found >= wanted:
                break
        return found

    asked = sorted({dataset for spec in _specs() for dataset in _stored(spec)})
    with ThreadPoolExecutor(READERS) as readers:
        found = dict(zip(asked, readers.map(filled, asked), strict=True))
    return [f"{spec.name} {dataset}" for spec in _specs() for dataset in _lacking(spec, found)]


def _specs() -> list[PlatformSpec]:
    return [spec for spec in REGISTRY.specs() if spec.name in PLATFORMS]


def _lacking(spec: PlatformSpec, found: Mapping[Dataset, set[str]]) -> Sequence[Dataset]:
    return [dataset for dataset in _stored(spec) if spec.name not in found[dataset]]


def _stored(spec: PlatformSpec) -> Sequence[Dataset]:
    """The datasets of which records are kept: what changed comes with the others, subscriptions are no records."""
    return [dataset for dataset in spec.datasets if dataset not in (Dataset.CHANGES, Dataset.STREAMS)]


def _months_before(day: str) -> str:
    """So early that a month is billed: the newest one is billed when it is over."""
    return (date.fromisoformat(day) - timedelta(days=_BILLED_DAYS)).isoformat()


def _data_type(dataset: Dataset) -> str:
    if dataset in _KINDS:
        return "keywords"
    return _OBJECTS.get(dataset) or data_type_of(dataset)
