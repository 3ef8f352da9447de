"""What one insights request asks, checked (Ad Account Insights, Parameters)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sandbox.platforms.meta.breakdowns import HOURS, NO_OFF_META, checked_breakdowns
from sandbox.platforms.meta.errors import invalid
from sandbox.platforms.meta.filters import Condition, conditions
from sandbox.platforms.meta.parameters import names
from sandbox.platforms.meta.periods import periods, ranges
from sandbox.platforms.meta.vocabulary import INSIGHTS, each_of, one_of
from sandbox.world.counting import CONVERSION, INTERACTION

LEVELS = ("account", "campaign", "adset", "ad")
_IDS = {
    "account": ("account_id",),
    "campaign": ("account_id", "campaign_id"),
    "adset": ("account_id", "campaign_id", "adset_id"),
    "ad": ("account_id", "campaign_id", "adset_id", "ad_id"),
}
_DATES = frozenset({"date_start", "date_stop"})


@dataclass(frozen=True)
class InsightsQuestion:
    """`periods`: inclusive, each gives its own rows. `clock`: on which day conversions count (world.counting)."""

    level: str
    fields: Sequence[str]
    periods: Sequence[tuple[date, date]]
    windows: Sequence[str]
    breakdowns: Sequence[str]
    conditions: Sequence[Condition]
    orders: Sequence[tuple[str, bool]]
    summary: Sequence[str]
    clock: str

    @property
    def hourly(self) -> bool:
        """Whether rows are hours."""
        return bool(HOURS & set(self.breakdowns))

    @property
    def off_meta(self) -> bool:
        """Whether off-Meta actions are returned."""
        return not NO_OFF_META & set(self.breakdowns)


def read_question(params: Mapping[str, str], own_level: str, today: date, *, only_mixed: bool) -> InsightsQuestion:
    """The request's question. Raises Meta's errors for what cannot be asked.

    `own_level`: of the node that is asked. `only_mixed`: `action_report_time` is read and has no effect.
    """
    level = one_of("level", params.get("level") or own_level, INSIGHTS["levels"])
    fields = names(params, "fields") or [*_IDS[level], "impressions", "spend"]
    check_fields(fields)
    breakdowns = checked_breakdowns(names(params, "breakdowns"))
    _check_together(fields, breakdowns)
    each_of("action_breakdowns", names(params, "action_breakdowns"), INSIGHTS["action_breakdowns"])
    windows = each_of("action_attribution_windows", names(params, "action_attribution_windows"), INSIGHTS["windows"])
    report_time = one_of("action_report_time", params.get("action_report_time", "impression"), INSIGHTS["report_times"])
    increment = params.get("time_increment", "all_days")
    return InsightsQuestion(
        level,
        [f for f in fields if f not in _DATES],
        [p for since, until in ranges(params, today) for p in periods(since, until, increment)],
        windows,
        breakdowns,
        conditions(params),
        [_order(text) for text in names(params, "sort")],
        _summary(params, fields),
        CONVERSION if only_mixed or report_time in ("conversion", "mixed") else INTERACTION,
    )


def check_fields(fields: Sequence[str]) -> None:
    """Raise Meta's error 100 for a name that is no field of insights."""
    for name in fields:
        if name not in INSIGHTS["fields"]:
            page = "https://developers.facebook.com/docs/marketing-api/reference/ads-insights/"
            raise invalid(f"{name} is not valid for fields param. please check {page} for all valid values")


def _check_together(fields: Sequence[str], breakdowns: Sequence[str]) -> None:
    """Raise Meta's error 100 for fields that a breakdown does not have (Insights API Breakdowns, Limitations)."""
    wrong = []
    if HOURS & set(breakdowns):
        wrong = [f for f in fields if f.startswith(("unique_", "video_"))]
    elif "region" in breakdowns:
        wrong = [f for f in fields if f == "video_avg_time_watched_actions" or f.startswith("video_p")]
    if wrong:
        raise invalid(f"{', '.join(wrong)} cannot be requested with the breakdown {', '.join(breakdowns)}")


def _order(text: str) -> tuple[str, bool]:
    """`<field>_ascending` or `<field>_descending` → the field, and whether the largest comes first."""
    name, _, direction = text.rpartition("_")
    if direction not in ("ascending", "descending"):
        raise invalid("sort must be a field with _ascending or _descending")
    check_fields([name])
    return name, direction == "descending"


def _summary(params: Mapping[str, str], fields: Sequence[str]) -> list[str]:
    """The fields whose totals are asked for; `total_count` counts rows."""
    asked = [name for name in names(params, "summary") if name not in ("true", "false", "0", "1")]
    unknown = [name for name in asked if name not in (*fields, "total_count")]
    if unknown:
        text = "in summary param because they weren't there while creating the report run. All available values are"
        raise invalid(f"Cannot include {', '.join(unknown)} {text}: {', '.join(fields)}")
    if not asked and params.get("default_summary") in ("true", "1"):
        return [name for name in fields if name not in _DATES]
    return asked
