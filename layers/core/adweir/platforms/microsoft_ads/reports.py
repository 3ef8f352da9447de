"""What reports ask for, by dataset ("SubmitGenerateReport Service Operation"; the value sets of their columns)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.errors import RequestRejected, TooMuchData
from adweir.model.metrics import Grain, Level
from adweir.model.slices import ALL, campaign_of
from adweir.model.tasks import Task
from adweir.platforms.microsoft_ads import MAX_WINDOW_DAYS

TIME, ACCOUNT, CURRENCY = "TimePeriod", "AccountId", "CurrencyCode"
CAMPAIGN, GROUP, AD, KEYWORD = "CampaignId", "AdGroupId", "AdId", "KeywordId"
IMPRESSIONS, CLICKS, SPEND = "Impressions", "Clicks", "Spend"
_COUNTED = ("ConversionsQualified", "Revenue", "AllConversionsQualified", "AllRevenue")
_TIME_ZONE = "GreenwichMeanTimeDublinEdinburghLisbonLondon"
"""It says which day is today, up to which a report may go; the rows are by UTC anyway ("Reports")."""
_ACCOUNT_ONLY = "AccountPerformanceReportRequest"


class MsReport(NamedTuple):
    """A type of report, its columns of ids (outermost first), and the column that splits their rows, or "".

    `beside`: a column that the report requires and that splits the rows further; they are added up again.
    """

    type: str
    keys: tuple[str, ...]
    label: str = ""
    beside: str = ""


_LEVELS = {
    Level.ACCOUNT: MsReport(_ACCOUNT_ONLY, ()),
    Level.CAMPAIGN: MsReport("CampaignPerformanceReportRequest", (CAMPAIGN,)),
    Level.AD_GROUP: MsReport("AdGroupPerformanceReportRequest", (CAMPAIGN, GROUP)),
    Level.AD: MsReport("AdPerformanceReportRequest", (CAMPAIGN, GROUP, AD)),
    Level.KEYWORD: MsReport("KeywordPerformanceReportRequest", (CAMPAIGN, GROUP, KEYWORD)),
}
_LABELS = {"device": "DeviceType", "placement": "Network"}
_AUDIENCE = "AgeGenderAudienceReportRequest"
_OTHERS = {
    (Level.AD_GROUP, "age"): MsReport(_AUDIENCE, (CAMPAIGN, GROUP), "AgeGroup", "Gender"),
    (Level.AD_GROUP, "gender"): MsReport(_AUDIENCE, (CAMPAIGN, GROUP), "Gender", "AgeGroup"),
}
"""Breakdowns that have a report of their own, which has no currency. Age and gender are required both
("AgeGenderAudienceReportColumn": Required Columns)."""


def kind_of(dataset: Dataset) -> MsReport | None:
    """The report that has a dataset's rows; None where there is none."""
    other = _OTHERS.get((dataset.level, dataset.breakdown))
    if other or not dataset.breakdown:
        return other or _LEVELS.get(dataset.level)
    label, kind = _LABELS.get(dataset.breakdown, ""), _LEVELS.get(dataset.level)
    return kind._replace(label=label) if kind and label else None


def columns(kind: MsReport) -> list[str]:
    """All that a report asks for. A further attribute would split its rows ("Reports": Columns that Group the Data)."""
    attributes = [TIME, ACCOUNT, *kind.keys, *filter(None, (kind.label, kind.beside))]
    currency = [] if kind.type == _AUDIENCE else [CURRENCY]
    return [*attributes, *currency, IMPRESSIONS, CLICKS, SPEND, *_COUNTED]


def request(task: Task) -> dict[str, Any]:
    """The body that submits a task's report.

    Raises RequestRejected for a dataset or slice that Microsoft does not have, TooMuchData for too long a window.
    """
    dataset, window = task.dataset, task.window
    kind, campaign = kind_of(dataset), campaign_of(task.slice)
    if kind is None or window is None or dataset.grain is None:
        raise RequestRejected(f"Microsoft Advertising has no report {dataset}")
    if task.slice != ALL and (not campaign or kind.type == _ACCOUNT_ONLY):
        raise RequestRejected(f"Microsoft Advertising knows no slice {task.slice[:60]!r} of {dataset}")
    most = MAX_WINDOW_DAYS[dataset.grain]
    if window.length > most:
        raise TooMuchData(f"a report covers at most {most} days, asked: {window}")
    return {
        "ReportRequest": {
            "Type": kind.type,
            "ReportName": task.id,
            "Format": "Csv",
            "FormatVersion": "2.0",
            "ExcludeReportHeader": True,
            "ExcludeReportFooter": True,
            "ExcludeColumnHeaders": False,
            "ReturnOnlyCompleteData": False,
            "Aggregation": "Hourly" if dataset.grain is Grain.HOUR else "Daily",
            "Columns": columns(kind),
            "Scope": _scope(task.profile_id, campaign),
            "Time": {
                "CustomDateRangeStart": _day(window.start),
                "CustomDateRangeEnd": _day(window.end),
                "ReportTimeZone": _TIME_ZONE,
            },
        }
    }


def digits(text: str) -> str:
    """An id of Microsoft's. Raises RequestRejected for anything else."""
    if not (text.isdecimal() and text.isascii()):
        raise RequestRejected(f"not an id of Microsoft Advertising: {text[:40]!r}")
    return text


def _scope(account: str, campaign: str) -> Mapping[str, Any]:
    if campaign:
        return {"Campaigns": [{"AccountId": digits(account), "CampaignId": digits(campaign)}]}
    return {"AccountIds": [digits(account)]}


def _day(day: date) -> dict[str, int]:
    return {"Day": day.day, "Month": day.month, "Year": day.year}
