"""SQL that makes tables of `curated/` from staged rows, days and names. Their columns are those of `layout`.

Every identifier here is ours, and every text from outside stands in a table or a file: `owner` has one row, `names` and
`staged` what their files have, `days` is how SQL names its file. `staged` is a table since of a file DuckDB does not
know the size: it would take three times as long, and three times the memory.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from adweir.insight.curated.layout import REPORTS, CuratedTable, report_columns
from adweir.insight.curated.staging import IDS
from adweir.model.metrics import METRICS, Level
from adweir.reporting.levels import FINENESS
from adweir.reporting.totals import UNATTRIBUTED

OWNER = ("platform_name", "client_account_id", "client_name", "account_id", "account_name", "reported_platform")
"""The columns of `owner`."""
_COUNTS = METRICS[:2]
_KEYS = ("date", "hour", *IDS, "currency", "source", "unattributed")
_NAMED = {"campaign": "r.campaign_id", "ad_group": "r.ad_group_id", "ad": "r.own_id", "keyword": "r.own_id"}
_IN_GROUP = ("ad", "keyword")


def units(amount: str) -> str:
    """Millionths as an exact decimal."""
    return f"CAST(CAST({amount} AS DECIMAL(30,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(24,6))"


def _same(column: str) -> str:
    """What all rows of a group have; null where they differ."""
    return f"CASE WHEN COUNT({column}) = COUNT(*) AND MIN({column}) = MAX({column}) THEN MIN({column}) END"


def level_rows(staged: str, days: str, level: Level) -> str:
    """The rows of a level: staged ones of an object, hour and source added up, with names and what their day rests on.

    A level may be answered by a finer one, so that an object has several rows; an unknown number is left out of a sum.
    """
    sums = ", ".join(f"SUM({name}) AS {name}" for name in METRICS)
    alike = ", ".join(f"{_same(name)} AS {name}" for name in ("ad_product", "task_id", "definition", "answered_by"))
    grouped = (
        f"SELECT {', '.join(_KEYS)}, {sums}, MIN(as_of) AS as_of, {alike}, "  # noqa: S608
        f"BOOL_OR(kept) AS kept, BOOL_OR(held) AS held FROM {staged} GROUP BY {', '.join(_KEYS)}"
    )
    kinds = _kinds(level)
    shown = {kind: _known(kind, "name") for kind in kinds}
    columns = {
        **{name: f"r.{name}" for name in (*_KEYS, "ad_product", *_COUNTS, "task_id", "definition", "answered_by")},
        **{name: units(f"r.{name}") for name in METRICS if name not in _COUNTS},
        **{f"{kind}_name": shown.get(kind, "NULL") for kind in _NAMED if kind != "keyword"},
        "ad_id": "r.own_id" if level is Level.AD else "NULL",
        "keyword_id": "r.own_id" if level is Level.KEYWORD else "NULL",
        "keyword_text": shown.get("keyword", "NULL"),
        "keyword_match_type": _known("keyword", "match_type") if "keyword" in kinds else "NULL",
        "as_of": "CAST(r.as_of AS TIMESTAMP)",
        "kept": "r.kept",
        "held": "r.held",
        "complete": "COALESCE(d.complete, false)",
        "settled": "COALESCE(d.settled, false)",
        "quality": "d.quality",
    }
    named = ", ".join(f"{text} AS {name}" for name, text in columns.items())
    return (
        f"SELECT {named}, o.* FROM ({grouped}) r CROSS JOIN owner o LEFT JOIN {days} d ON d.date = r.date "  # noqa: S608
        f"{' '.join(_joined(kind) for kind in kinds)}"
    )


def _kinds(level: Level) -> tuple[str, ...]:
    """The kinds of objects that rows of a level name."""
    if level is Level.KEYWORD:
        return "campaign", "ad_group", "keyword"
    return tuple(_NAMED)[: FINENESS.index(level)] if level in FINENESS else ("campaign",)


def _joined(kind: str) -> str:
    """The name of an object as the only one of its id, and where its id is its group's, as one of its group."""
    said = f"names {{0}} ON {{0}}.kind = '{kind}' AND {{0}}.id = {_NAMED[kind]} AND {{0}}.ad_group_id"
    alone = f"LEFT JOIN {said.format(f'{kind}_by')} IS NULL"
    return f"LEFT JOIN {said.format(f'{kind}_of')} = r.ad_group_id {alone}" if kind in _IN_GROUP else alone


def _known(kind: str, column: str) -> str:
    """What a joined object is called."""
    alone = f"{kind}_by.{column}"
    return f"COALESCE({kind}_of.{column}, {alone})" if kind in _IN_GROUP else alone


def day_rows(days: str) -> str:
    """The rows of the table `coverage`."""
    kept = "d.date, CAST(d.pulled_at AS TIMESTAMP) AS pulled_at, d.complete, d.settled, d.missing, d.quality"
    return f"SELECT {kept}, o.* FROM {days} d CROSS JOIN owner o"  # noqa: S608


def shown(table: CuratedTable, source: str) -> str:
    """What goes into a file: the table's columns in their order and types; those that the source lacks are null."""
    columns = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in table.columns.items())
    return f"SELECT {columns} FROM {source} ORDER BY ALL"  # noqa: S608


class _Report(NamedTuple):
    """How a report is made: of rows `m` of which level, how its own columns are called there, and what is joined."""

    level: Level
    columns: Mapping[str, str] = {}
    joined: str = ""


_SEARCH = "search_term"
_PAGE = ("base_url", "url_host", "url_path", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
_OF_AD = (
    "JOIN names p ON p.kind = 'ad' AND p.id = m.ad_id AND p.ad_group_id IS NOT DISTINCT FROM m.ad_group_id "
    "AND p.base_url IS NOT NULL"
)
"""Only ads with a landing page."""
_COUNTRY = {
    "country": "m.breakdown_value",
    "country_code": "CASE WHEN regexp_full_match(m.breakdown_value, '[A-Z]{2}') THEN m.breakdown_value END",
    "global_region": "NULL",
}
_OF_PLAIN = {
    "account_report": _Report(Level.ACCOUNT),
    "campaign_report": _Report(Level.CAMPAIGN),
    "ad_group_report": _Report(Level.AD_GROUP),
    "ad_report": _Report(Level.AD),
    "keyword_report": _Report(Level.KEYWORD),
    "url_report": _Report(Level.AD, {name: f"p.{name}" for name in _PAGE}, _OF_AD),
}
_OF_BREAKDOWN = {
    _SEARCH: {
        "search_report": _Report(
            Level.KEYWORD, {"search_query": "m.breakdown_value", "search_match_type": "m.keyword_match_type"}
        )
    },
    "country": {"monthly_campaign_country_report": _Report(Level.CAMPAIGN, _COUNTRY)},
    "region": {"monthly_campaign_region_report": _Report(Level.CAMPAIGN, {"region": "m.breakdown_value"})},
}
_SEARCHED = (Level.KEYWORD, Level.AD_GROUP, Level.CAMPAIGN)
"""Levels whose search terms a report may be of; the first that there is."""


def table_of(level: Level) -> str:
    """The table with the rows of a level, while a month is made."""
    return f"of_{level.value}"


def reports(breakdown: str, levels: Collection[Level]) -> dict[str, str]:
    """The reports of a breakdown's months, where these levels have rows: name → its rows."""
    found = {}
    for name, report in _reports_of(breakdown).items():
        level = report.level
        if breakdown == _SEARCH:
            level = next((each for each in _SEARCHED if each in levels), level)
        if level in levels:
            found[name] = _reported(name, report, table_of(level))
    return found


def possible_reports(breakdown: str) -> tuple[str, ...]:
    """The reports that the months of a breakdown may have."""
    return tuple(_reports_of(breakdown))


def _reports_of(breakdown: str) -> Mapping[str, _Report]:
    return _OF_BREAKDOWN.get(breakdown, {}) if breakdown else _OF_PLAIN


def _reported(name: str, report: _Report, source: str) -> str:
    """Of what the rows leave unattributed, each part that nobody knows is called so. The models have no currency: where
    an ad account changed its own, each has a row."""
    made = REPORTS[name]
    day = "CAST(date_trunc('month', m.date) AS DATE)" if made.monthly else "m.date"
    own = []
    for column in made.own:
        text = report.columns.get(column, f"m.{column}")
        own.append(f"CASE WHEN m.unattributed AND {text} IS NULL THEN '{UNATTRIBUTED}' ELSE {text} END")
    group = ["COALESCE(m.source, 'pull')", day, "m.reported_platform", "m.account_id", "m.account_name", *own]
    sums = [f"SUM(m.{name})" for name in ("clicks", "impressions", "spend", "conversions", "revenue")]
    named = ", ".join(f"{text} AS {name}" for text, name in zip([*group, *sums], report_columns(made), strict=True))
    places = ", ".join(str(place) for place in range(1, len(group) + 1))
    return f"SELECT {named} FROM {source} m {report.joined} GROUP BY {places}, m.currency"  # noqa: S608
