"""What tables `curated/` has: their columns, their partitions, and where their objects are. The one place that says it.

An object is of one ad account (of one client, for what belongs to no ad account) and, where there are months, of one
month. template.yaml declares the same tables for Athena (tests/template/test_template_curated.py compares them); ADR:
docs/decisions.md, "curated".

Partition values are enumerable, so that Athena finds partitions by computing them. What belongs to none of the
connected platforms is in the partition `other`, and `platform_name` says whose it is. The nine `ad_reporting__*` tables
have exactly the columns of dbt_ad_reporting 2.3.0: Athena sees them without partitions, since a partition is a column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from adweir.model.datasets import Dataset
from adweir.model.feature_columns import TYPES as FEATURE_COLUMNS
from adweir.model.metrics import AD_LEVELS, SERIES_LEVELS, Grain, Level

PREFIX = "curated/"
STATE = f"{PREFIX}state/"
"""Below it is what each ad account's objects were made of. It is no table."""
OTHER = "other"
"""The partition of what is not connected: platforms of files and described APIs, and the client's own figures."""
FIRST_MONTH = "2015-01"
"""The first month that Athena computes. What is stored of earlier months is in no table."""
MONTH_FORMAT = "yyyy-MM"

_TEXT, _COUNT, _MONEY = "VARCHAR", "BIGINT", "DECIMAL(24,6)"
_DAY, _MOMENT, _FLAG, _SMALL, _SCORE = "DATE", "TIMESTAMP", "BOOLEAN", "INTEGER", "DOUBLE"
GLUE_TYPES: Mapping[str, str] = {
    _TEXT: "string",
    _COUNT: "bigint",
    _MONEY: "decimal(24,6)",
    _DAY: "date",
    _MOMENT: "timestamp",
    _FLAG: "boolean",
    _SMALL: "int",
    _SCORE: "double",
}
"""SQL type of a column in Parquet → its type in the Glue Data Catalog."""


class PartitionKey(NamedTuple):
    """A partition of a table. `values`: all that there can be; none for months."""

    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CuratedTable:
    """A table. `columns` are those of its files: name → SQL type.

    `folders` are the parts of the path; they are columns of the table too, unless it is `plain`.
    """

    name: str
    folders: tuple[PartitionKey, ...]
    columns: Mapping[str, str]
    plain: bool = False

    @property
    def prefix(self) -> str:
        """Where its objects are."""
        return f"{PREFIX}{self.name}/"

    @property
    def keys(self) -> tuple[PartitionKey, ...]:
        """The columns that the path says."""
        return () if self.plain else self.folders

    def key(self, values: Sequence[str], name: str) -> str:
        """The key of an object: the values of its folders, and whose it is."""
        path = "/".join(f"{folder.name}={value}" for folder, value in zip(self.folders, values, strict=True))
        return f"{self.prefix}{path}/{file_name(name)}"


def file_name(name: str) -> str:
    """An object's last part. Readers leave out files whose names begin with _ or ., and take * for a pattern."""
    quoted = quote(name, safe="")
    hidden = quoted[:1] in {"_", "."}
    return f"%{ord(quoted[0]):02X}{quoted[1:]}.parquet" if hidden else f"{quoted}.parquet"


def owner_name(platform: str, profile_id: str, platforms: Sequence[str]) -> str:
    """What an ad account's objects are called; of several platforms in one partition they are told apart."""
    return profile_id if platform in platforms else f"{platform}~{profile_id}"


def partition_of(platform: str, platforms: Sequence[str]) -> str:
    """The partition of a platform, of the connected ones."""
    return platform if platform in platforms else OTHER


def level_name(level: Level, breakdown: str = "") -> str:
    """A level as a partition names it: `ad`, `ad_by_age_gender`, `kpi`."""
    return f"{level}_by_{breakdown}" if breakdown else level.value


LEVELS: tuple[str, ...] = (
    *AD_LEVELS,
    *dict.fromkeys(level_name(each.level, each.breakdown) for each in Dataset if each.breakdown),
    *(level for level in Level if level in SERIES_LEVELS),
)
OBJECTS: tuple[Dataset, ...] = (
    Dataset.CAMPAIGNS,
    Dataset.AD_GROUPS,
    Dataset.ADS,
    Dataset.CREATIVES,
    Dataset.KEYWORDS,
    Dataset.TARGETS,
    Dataset.NEGATIVES,
)
"""What platforms list of an ad account."""
AD_ACCOUNTS, CROSS_CAMPAIGNS, ARMS, BINDINGS = "ad_accounts", "cross_campaigns", "arms", "bindings"
ENTITIES: tuple[str, ...] = (AD_ACCOUNTS, *OBJECTS, CROSS_CAMPAIGNS, ARMS, BINDINGS)

_MONTH = PartitionKey("month")
_OWNER = dict.fromkeys(("platform_name", "client_account_id", "client_name", "account_id", "account_name"), _TEXT)
_NUMBERS = {"impressions": _COUNT, "clicks": _COUNT, "conversions": _MONEY, "spend": _MONEY, "revenue": _MONEY}

_METRICS: Mapping[str, str] = {
    "date": _DAY,
    "hour": _SMALL,
    **_OWNER,
    **dict.fromkeys(
        (
            *("campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_id", "ad_name"),
            *("keyword_id", "keyword_text", "keyword_match_type", "entity_id", "breakdown_value"),
            *("series_name", "geo", "ad_product", "currency"),
        ),
        _TEXT,
    ),
    **_NUMBERS,
    "source": _TEXT,
    "as_of": _MOMENT,
    "task_id": _TEXT,
    "definition": _TEXT,
    "answered_by": _TEXT,
    "kept": _FLAG,
    "held": _FLAG,
    "unattributed": _FLAG,
    "complete": _FLAG,
    "settled": _FLAG,
    "quality": _SCORE,
}
_COVERAGE: Mapping[str, str] = {
    "date": _DAY,
    **_OWNER,
    "pulled_at": _MOMENT,
    "complete": _FLAG,
    "settled": _FLAG,
    "missing": _TEXT,
    "quality": _SCORE,
}
_CHANGES: Mapping[str, str] = {
    "changed_at": _MOMENT,
    "date": _DAY,
    "hour": _SMALL,
    **_OWNER,
    **dict.fromkeys(("campaign_id", "ad_group_id", "entity_id", "ad_product", "source", "cause"), _TEXT),
    "lag": _SMALL,
    **{f"{when}_{name}": kind for when in ("old", "new") for name, kind in _NUMBERS.items()},
    **dict.fromkeys(("old_mark", "new_mark", "old_currency", "new_currency", "task_id", "slice"), _TEXT),
    "as_of": _MOMENT,
}
_OF_ENTITIES: Mapping[str, str] = {
    **_OWNER,
    **dict.fromkeys(
        (
            *("id", "name", "status", "status_raw", "campaign_id", "ad_group_id", "ad_id"),
            *("cross_campaign_id", "arm_id", "level", "ad_product", "objective", "kind", "channel", "creative"),
            *("currency", "timezone", "country"),
        ),
        _TEXT,
    ),
    "budget": _MONEY,
    "budget_type": _TEXT,
    "bid": _MONEY,
    "start_date": _DAY,
    "end_date": _DAY,
    **dict.fromkeys(
        (
            *("text", "match_type", "headline", "description", "cta"),
            *("image_url", "video_url", "landing_page_url"),
        ),
        _TEXT,
    ),
    "quality_score": _SCORE,
    "as_of": _MOMENT,
}


class ReportColumns(NamedTuple):
    """What a report of dbt_ad_reporting has between the ad account and the numbers, and whether it is of months."""

    own: tuple[str, ...]
    monthly: bool = False


_CAMPAIGN = ("campaign_id", "campaign_name")
_AD_GROUP = (*_CAMPAIGN, "ad_group_id", "ad_group_name")
_KEYWORD = (*_AD_GROUP, "keyword_id", "keyword_text")
_URL = ("base_url", "url_host", "url_path", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
REPORTS: Mapping[str, ReportColumns] = {
    "account_report": ReportColumns(()),
    "campaign_report": ReportColumns(_CAMPAIGN),
    "ad_group_report": ReportColumns(_AD_GROUP),
    "ad_report": ReportColumns((*_AD_GROUP, "ad_id", "ad_name")),
    "keyword_report": ReportColumns((*_KEYWORD, "keyword_match_type")),
    "search_report": ReportColumns((*_KEYWORD, "search_query", "search_match_type")),
    "url_report": ReportColumns((*_AD_GROUP, *_URL)),
    "monthly_campaign_country_report": ReportColumns(
        (*_CAMPAIGN, "country", "country_code", "global_region"), monthly=True
    ),
    "monthly_campaign_region_report": ReportColumns((*_CAMPAIGN, "region"), monthly=True),
}
"""The models of dbt_ad_reporting 2.3.0, without `ad_reporting__`."""
_REPORTED = {
    "clicks": _COUNT,
    "impressions": _COUNT,
    "spend": _MONEY,
    "conversions": _MONEY,
    "conversions_value": _MONEY,
}


def report_columns(report: ReportColumns) -> dict[str, str]:
    """Column → SQL type, in the order of the model. Money is exact where the model has floats."""
    named = ("platform", "account_id", "account_name", *report.own)
    day = "date_month" if report.monthly else "date_day"
    return {"source_relation": _TEXT, day: _DAY, **dict.fromkeys(named, _TEXT), **_REPORTED}


def tables(platforms: Sequence[str]) -> dict[str, CuratedTable]:
    """All tables by name, where these platforms are connected."""
    platform = PartitionKey("platform", (*platforms, OTHER))
    series = (platform, PartitionKey("level", LEVELS), PartitionKey("grain", tuple(Grain)), _MONTH)
    reported = (PartitionKey("platform"), _MONTH)
    found = [
        CuratedTable("metrics", series, _METRICS),
        CuratedTable("coverage", series, _COVERAGE),
        CuratedTable("changes", series, _CHANGES),
        CuratedTable("entities", (platform, PartitionKey("dataset", ENTITIES)), _OF_ENTITIES),
        CuratedTable("features", (platform, _MONTH), FEATURE_COLUMNS),
        *(
            CuratedTable(f"ad_reporting__{name}", reported, report_columns(columns), plain=True)
            for name, columns in REPORTS.items()
        ),
    ]
    return {table.name: table for table in found}
