"""What a report request asks, and what Microsoft refuses of it.

Source: ReportRequest and the request, column, filter, scope and time objects of each report; "Reports" (column
restrictions, aggregation and time); "Reporting Data Retention Time Periods"; "Operation Error Codes", 2001 to 2061.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sandbox.platforms.microsoft_ads.bodies import Body, flags, ids, long
from sandbox.platforms.microsoft_ads.columns import ATTRIBUTES, SHARES
from sandbox.platforms.microsoft_ads.errors import MicrosoftRefusal, bad_request
from sandbox.platforms.microsoft_ads.login import MicrosoftGrant
from sandbox.world import WorldProfile

DAILY, HOURLY, SUMMARY = "Daily", "Hourly", "Summary"
_AGGREGATIONS = (
    DAILY, HOURLY, SUMMARY, "Weekly", "WeeklyStartingMonday", "Monthly", "Yearly", "HourOfDay", "DayOfWeek",
)  # fmt: skip
_REQUIRED = {
    "AgeGenderAudienceReportRequest": ("AgeGroup", "Gender"),
    "PublisherUsagePerformanceReportRequest": ("PublisherUrl",),
}
_LEVELS = {
    "AccountPerformanceReportRequest": "account",
    "CampaignPerformanceReportRequest": "campaign",
    "AdGroupPerformanceReportRequest": "ad_group",
    "AdPerformanceReportRequest": "ad",
    "KeywordPerformanceReportRequest": "keyword",
    "AgeGenderAudienceReportRequest": "ad_group",
    "PublisherUsagePerformanceReportRequest": "ad_group",
}
_STATUS_OF = {"campaign": "CampaignStatus", "ad_group": "Status"}
_CONSTRAINED = frozenset({"BidMatchType", "DeviceOS", "Goal", "GoalType", "TopVsOther"})
_OF_BUDGETS = frozenset({"BudgetAssociationStatus", "BudgetName", "BudgetStatus"})
_MOST_ACCOUNTS, _MOST_PARTS, _LONGEST_NAME = 1000, 300, 200
_HOURLY_MONTHS, _MONTHS = 6, 36
_BOOKS_CLOSE = timedelta(hours=3)
_ZONES = {
    "PacificTimeUSCanadaTijuana": "America/Los_Angeles",
    "EasternTimeUSCanada": "America/New_York",
    "CentralTimeUSCanada": "America/Chicago",
    "AmsterdamBerlinBernRomeStockholmVienna": "Europe/Berlin",
    "GreenwichMeanTimeDublinEdinburghLisbonLondon": "Europe/London",
    "OsakaSapporoTokyo": "Asia/Tokyo",
    "Seoul": "Asia/Seoul",
}
_PREDEFINED = {
    "Today": (DAILY, HOURLY, SUMMARY),
    "Yesterday": (DAILY, HOURLY, SUMMARY),
    "LastSevenDays": (DAILY, SUMMARY),
    "ThisMonth": (DAILY, SUMMARY),
    "LastMonth": (DAILY, SUMMARY),
}
"""With the aggregations that take them; other periods belong to aggregations that are not there."""


@cache
def _value_sets() -> dict[str, list[str]]:
    return tomllib.loads((Path(__file__).parent / "value_sets.toml").read_text(encoding="utf-8"))


class MicrosoftQuestion(NamedTuple):
    """`kind`: the request's type. `start` and `end`: both included. `scope`: by ad account its campaigns and ad groups
    by id, empty where all of it is asked for. `aggregation`: Summary where there is no column TimePeriod.
    `filters`: by column, what a row must have in it (see `plain`).
    """

    kind: str
    level: str
    columns: tuple[str, ...]
    aggregation: str
    start: date
    end: date
    scope: Mapping[str, frozenset[str]]
    filters: Mapping[str, frozenset[str]]
    body: Body


def read_question(grant: MicrosoftGrant, asked: Any, now: datetime) -> MicrosoftQuestion:
    """The question in a `ReportRequest`; raises what the service refuses. `now`: the world's time."""
    if not isinstance(asked, dict):
        raise MicrosoftRefusal(2001)
    kind = asked.get("Type")
    if kind not in _LEVELS:
        raise MicrosoftRefusal(2002)
    name = asked.get("ReportName")
    if name is not None and (not isinstance(name, str) or len(name) > _LONGEST_NAME):
        raise MicrosoftRefusal(2006)
    if asked.get("Format") not in (None, "Csv", "Tsv") or asked.get("FormatVersion") not in (None, "1.0", "2.0"):
        raise bad_request("Format")
    aggregation = asked.get("Aggregation") or SUMMARY
    if aggregation not in _AGGREGATIONS:
        raise bad_request("Aggregation")
    columns = _columns(kind, asked.get("Columns"), aggregation)
    if "TimePeriod" not in columns:
        aggregation = SUMMARY
    if aggregation not in (DAILY, HOURLY, SUMMARY):
        raise MicrosoftRefusal(2059)
    start, end = _period(asked, aggregation, now)
    filters = _filters(_LEVELS[kind], asked.get("Filter"))
    scope = _scope(grant, _LEVELS[kind], asked.get("Scope"))
    return MicrosoftQuestion(kind, _LEVELS[kind], columns, aggregation, start, end, scope, filters, asked)


def _columns(kind: str, asked: Any, aggregation: str) -> tuple[str, ...]:
    if not isinstance(asked, list) or not asked:
        raise MicrosoftRefusal(2014)
    known = {*_value_sets()["every"], *_value_sets()[kind]}
    unknown = [str(column) for column in asked if column not in known]
    if unknown:
        raise bad_request(",".join(unknown))
    if len(set(asked)) < len(asked):
        raise MicrosoftRefusal(2016, ",".join(sorted({column for column in asked if asked.count(column) > 1})))
    chosen = set(asked)
    if aggregation == SUMMARY and "TimePeriod" in chosen:
        raise MicrosoftRefusal(2034)
    if not chosen.issuperset(_REQUIRED.get(kind, ())) or not chosen & (ATTRIBUTES - {"TimePeriod"}):
        raise MicrosoftRefusal(2015)
    if not chosen - ATTRIBUTES - SHARES:
        raise MicrosoftRefusal(2017)
    restricted = _CONSTRAINED | (_OF_BUDGETS if kind.startswith("Campaign") else frozenset())
    of_shares = kind.startswith(("Account", "Campaign", "AdGroup")) and chosen & SHARES
    if of_shares and (chosen & restricted or (aggregation == HOURLY and "RelativeCtr" in chosen)):
        raise MicrosoftRefusal(2053)
    return tuple(asked)


# -- the time ---------------------------------------------------------------------------------------------------------


def _period(asked: Body, aggregation: str, now: datetime) -> tuple[date, date]:
    """The first and the last day. ReportTimeZone says what today is; a zone without a rule here has that of UTC."""
    given = asked.get("Time")
    if not isinstance(given, dict):
        raise MicrosoftRefusal(2008)
    zone = given.get("ReportTimeZone") or "PacificTimeUSCanadaTijuana"
    if zone not in _value_sets()["ReportTimeZone"]:
        raise bad_request("ReportTimeZone")
    today = now.astimezone(ZoneInfo(_ZONES.get(zone, "UTC"))).date()
    named = given.get("PredefinedTime")
    custom = [given.get(name) for name in ("CustomDateRangeStart", "CustomDateRangeEnd")]
    if (named is None) == (custom == [None, None]):
        raise MicrosoftRefusal(2008)
    start, end = _custom(custom, aggregation, today) if named is None else _predefined(named, aggregation, today)
    if asked.get("ReturnOnlyCompleteData") is True:
        if end >= today:
            raise MicrosoftRefusal(2005)
        if now < datetime.combine(end + timedelta(days=1), time(), now.tzinfo) + _BOOKS_CLOSE:
            raise MicrosoftRefusal(2004)
    return start, end


def _custom(given: list[Any], aggregation: str, today: date) -> tuple[date, date]:
    start, end = _day(given[0], 2009), _day(given[1], 2010)
    if end < start:
        raise MicrosoftRefusal(2011)
    if start > today:
        raise MicrosoftRefusal(2041)
    if end > today:
        raise MicrosoftRefusal(2010)
    if start < _months_before(today, _HOURLY_MONTHS if aggregation == HOURLY else _MONTHS):
        raise MicrosoftRefusal(2009)  # no document names the code of days that are no longer kept
    return start, end


def _day(given: Any, code: int) -> date:
    try:
        return date(int(given["Year"]), int(given["Month"]), int(given["Day"]))
    except (KeyError, TypeError, ValueError):
        raise MicrosoftRefusal(code) from None


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, 28))


def _predefined(named: str, aggregation: str, today: date) -> tuple[date, date]:
    if aggregation not in _PREDEFINED.get(named, ()):
        raise MicrosoftRefusal(2007)
    first, yesterday = today.replace(day=1), today - timedelta(days=1)
    last_month = (first - timedelta(days=1)).replace(day=1)
    return {
        "Today": (today, today),
        "Yesterday": (yesterday, yesterday),
        "LastSevenDays": (today - timedelta(days=7), yesterday),
        "ThisMonth": (first, today),
        "LastMonth": (last_month, first - timedelta(days=1)),
    }[named]


# -- the scope --------------------------------------------------------------------------------------------------------


def _scope(grant: MicrosoftGrant, level: str, given: Any) -> dict[str, frozenset[str]]:
    """By ad account, the campaigns and ad groups that are asked for; the union of the scope's elements."""
    code = {"account": 2026, "campaign": 2027}.get(level, 2028)
    if not isinstance(given, dict):
        raise MicrosoftRefusal(code)
    accounts = ids(given.get("AccountIds") or [])
    campaigns = [] if level == "account" else given.get("Campaigns") or []
    groups = [] if level in ("account", "campaign") else given.get("AdGroups") or []
    if accounts is None or not (accounts or campaigns or groups):
        raise MicrosoftRefusal(code)
    for number, most, over in (
        (accounts, _MOST_ACCOUNTS, 2029),
        (campaigns, _MOST_PARTS, 2030),
        (groups, _MOST_PARTS, 2031),
    ):
        if len(number) > most:
            raise MicrosoftRefusal(over)
    found: dict[str, set[str]] = {}
    for entry, name, refused in (
        *((campaign, "CampaignId", 2019) for campaign in campaigns),
        *((group, "AdGroupId", 2022) for group in groups),
    ):
        account_id, wanted = (
            (long(entry.get(key)) or "" for key in ("AccountId", name)) if isinstance(entry, dict) else ("", "")
        )
        profile = _granted(grant, account_id)
        if wanted not in _ids(profile, name):
            raise MicrosoftRefusal(refused, wanted)
        found.setdefault(account_id, set()).add(wanted)
    whole = {_granted(grant, account_id).id: frozenset[str]() for account_id in accounts}
    return {account_id: frozenset(parts) for account_id, parts in found.items()} | whole


def _granted(grant: MicrosoftGrant, account_id: str) -> WorldProfile:
    profile = grant.profiles.get(account_id)
    if profile is None:
        raise MicrosoftRefusal(2003, account_id)
    return profile


def _ids(profile: WorldProfile, name: str) -> set[str]:
    if name == "CampaignId":
        return {campaign.id for campaign in profile.campaigns}
    return {group.id for campaign in profile.campaigns for group in campaign.groups if not group.hidden}


# -- the filter -------------------------------------------------------------------------------------------------------


def _filters(level: str, given: Any) -> dict[str, frozenset[str]]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise MicrosoftRefusal(2060)
    found = {}
    for name, value in given.items():
        if value is None:
            continue
        column = {"Status": _STATUS_OF.get(level, ""), "Keywords": "Keyword"}.get(name, name)
        only = value if column == "Keyword" and isinstance(value, list) else flags(value)
        if column not in ATTRIBUTES or not only:
            raise MicrosoftRefusal(2060, name)
        found[column] = frozenset(plain(str(one)) for one in only)
    return found


def plain(text: str) -> str:
    """A label as filters compare it: in small letters without spaces."""
    return text.replace(" ", "").lower()
