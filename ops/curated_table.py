"""The dictionary of the tables of curated/ in docs/data-model.md: `python -m ops.curated_table` writes it.

`adweir.insight.curated.layout` says the columns, this module what is in them. A test says when the page is not current.
"""

from __future__ import annotations

from pathlib import Path

from adweir.insight.curated.layout import GLUE_TYPES, REPORTS, CuratedTable, report_columns, tables
from adweir.model.feature_columns import COLUMNS
from ops.between_marks import replaced

PAGE = Path(__file__).parents[1] / "docs/data-model.md"
BEGIN, END = "<!-- curated: python -m ops.curated_table writes this -->\n", "<!-- end of curated -->\n"
_IN_ALL = {
    "platform_name": "platform; of what is in the partition `other`, which one",
    "client_account_id": "client company",
    "client_name": "its name today",
    "account_id": "ad account, as the platform shows it",
    "account_name": "its name today",
}
_IDS = {
    "campaign_id": "campaign; NULL where the row has none, or nobody knows it",
    "ad_group_id": "ad group, likewise",
    "entity_id": "id of the row's object within its ad account; of an ad or a keyword `ad_group_id~id`",
    "ad_product": "advertising product of the platform, such as Amazon's `sp`",
}
_NUMBERS = {
    "impressions": "impressions; NULL where the platform does not report the number, here and below",
    "clicks": "clicks",
    "conversions": "conversions, by the definition of the ad account",
    "spend": "spend in `currency`",
    "revenue": "value of the conversions in `currency`",
}
ABOUT: dict[str, dict[str, str]] = {
    "metrics": {
        "date": "day of the ad account's time zone",
        "hour": "hour of that day, 0 to 23; NULL in the grain `day`",
        **_IN_ALL,
        **_IDS,
        "campaign_name": "its name today",
        "ad_group_name": "its name today",
        "ad_id": "ad, in the level `ad` and its breakdowns",
        "ad_name": "its name today",
        "keyword_id": "keyword or target, in the level `keyword` and its breakdowns",
        "keyword_text": "its text",
        "keyword_match_type": "its match type",
        "breakdown_value": "in levels with a breakdown: country, search term and so on",
        "series_name": "in levels of your own figures: the name of the series",
        "geo": "in levels of your own figures: the region",
        "currency": "ISO 4217; amounts of different currencies have no sum",
        **_NUMBERS,
        "source": "who brought the row: `pull`, `file`, `stream`, `push`; NULL for an unattributed rest",
        "as_of": "moment (UTC) from which the row is known so",
        "task_id": "task that brought it; NULL where several did",
        "definition": "how conversions were counted; NULL where rows of several definitions were added up",
        "answered_by": "level whose rows were added up; NULL where several were",
        "kept": "the newest pull lacks the row, and the account's total says that it still counts",
        "held": "a newer number was refused, this is the one before",
        "unattributed": "what the objects of the level leave of the account's total",
        "complete": "whether the day was pulled whole",
        "settled": "whether the platform restates the day no more",
        "quality": "score of the day, 0 to 1",
    },
    "coverage": {
        "date": "day of the ad account's time zone",
        **_IN_ALL,
        "pulled_at": "moment (UTC) of the oldest pull that answers for the day",
        "complete": "whether the day was pulled whole",
        "settled": "whether the platform restates the day no more",
        "missing": "parts of the day that were not pulled, separated by blanks; `all`",
        "quality": "score of the day, 0 to 1",
    },
    "changes": {
        "changed_at": "moment (UTC) of the change",
        "date": "day whose number changed",
        "hour": "hour of that day; NULL in the grain `day`",
        **_IN_ALL,
        **_IDS,
        "source": "who brought the number",
        "cause": "why it changed: a pull, a file, a replay and so on",
        "lag": "days between the day and the change",
        **{f"old_{name}": f"{name} before; NULL for a row that is new" for name in _NUMBERS},
        **{f"new_{name}": f"{name} since; NULL for a row that is gone" for name in _NUMBERS},
        "old_mark": "mark before, such as `held`; empty without any",
        "new_mark": "mark since",
        "old_currency": "currency of the amounts before",
        "new_currency": "currency of the amounts since",
        "task_id": "task that changed it",
        "slice": "part of the dataset that was pulled",
        "as_of": "moment (UTC) from which the new number is known",
    },
    "entities": {
        **_IN_ALL,
        "id": "id of the object",
        "name": "its name",
        "status": "`active`, `paused`, `removed` and so on, the same words for every platform",
        "status_raw": "the platform's word for it",
        "campaign_id": "campaign that it is in",
        "ad_group_id": "ad group that it is in",
        "ad_id": "ad, of an ad and a binding",
        "cross_campaign_id": "cross-platform campaign, of one, its arms and its bindings",
        "arm_id": "arm, of one and its bindings",
        "level": "level of a bound object",
        "ad_product": "advertising product of the platform, such as Amazon's `sp`",
        "objective": "the platform's word for the objective",
        "kind": "the platform's word for the kind of ad account, creative or target",
        "channel": "channel of an arm",
        "creative": "creative of an arm",
        "currency": "of `budget` and `bid`",
        "timezone": "time zone of an ad account",
        "country": "country of an ad account",
        "budget": "budget in `currency`",
        "budget_type": "what the budget is for: a day, a lifetime",
        "bid": "bid in `currency`",
        "start_date": "first day",
        "end_date": "last day",
        "text": "text of a keyword or target",
        "match_type": "match type of a keyword",
        "headline": "headline of an ad or creative",
        "description": "its description",
        "cta": "its call to action",
        "image_url": "its image",
        "video_url": "its video",
        "landing_page_url": "its landing page",
        "quality_score": "the platform's score",
        "as_of": "moment (UTC) from which it is known so",
    },
    "features": {
        name: f"{column.about}{f'; NULL: {column.nulls}' if column.nulls else ''}" for name, column in COLUMNS.items()
    },
}
"""Table → column → what is in it."""


def dictionary() -> str:
    """A heading and a table per table, and one of all reports."""
    found = tables(())
    parts = [_table(found[name], about) for name, about in ABOUT.items()]
    plain = "platform account_id account_name clicks impressions spend conversions conversions_value source_relation"
    lines = [
        "### ad_reporting__\\*\n",
        "| table | a row is of a | columns beside the common ones |",
        "| --- | --- | --- |",
    ]
    for name, report in REPORTS.items():
        own = ", ".join(f"`{column}`" for column in report_columns(report) if column not in plain.split())
        lines.append(f"| `ad_reporting__{name}` | {'month' if report.monthly else 'day'} | {own} |")
    common = ", ".join(f"`{column}`" for column in report_columns(REPORTS["account_report"]) if column in plain.split())
    return "\n".join([*parts, *lines, "", f"The common ones: {common}.", ""])


def is_current(page: str) -> bool:
    """Whether a page has the dictionary as it would be written."""
    return written(page) == page


def written(page: str) -> str:
    """The page with its dictionary. Raises ValueError for one without its two marks."""
    return replaced(page, BEGIN, dictionary(), END)


def _table(table: CuratedTable, about: dict[str, str]) -> str:
    lines = [f"### {table.name}\n", "| column | type | what |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {GLUE_TYPES[kind]} | {about[name]} |" for name, kind in table.columns.items()]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
