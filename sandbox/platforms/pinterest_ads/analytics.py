"""Synchronous analytics of an ad account, and of up to 250 campaigns, ad groups or ads of it.

Source: the description's operations ad_accounts/analytics, campaigns/analytics, ad_groups/analytics and ads/analytics:
the columns, granularities and windows that they know, at most 90 days and 90 days back (hours: three days, eight back),
and `HOUR`, which has no conversions anymore. What it does not say: rows are only of days with activity, ascending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.pinterest_ads.advertisers import CLICK_DAYS, PLATFORM, VIEW_DAYS
from sandbox.platforms.pinterest_ads.errors import invalid
from sandbox.platforms.pinterest_ads.parameters import day, ids, listed, number, one_of
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import Numbers, Reading, WorldProfile, WorldRow
from sandbox.world.counting import CONVERSION, INTERACTION
from sandbox.world.numbers import add
from sandbox.world.world import Moment

_MOST_DAYS = 90
_HOURS_DAYS, _HOURS_BACK = 3, 8
_GRANULARITIES = ("TOTAL", "DAY", "HOUR", "WEEK", "MONTH")
_WINDOWS = (0, 1, 7, 14, 30, 60)
_CLOCKS = {"TIME_OF_AD_ACTION": INTERACTION, "TIME_OF_CONVERSION": CONVERSION}
_KEYS = {"account": "AD_ACCOUNT_ID", "campaign": "CAMPAIGN_ID", "ad_group": "AD_GROUP_ID", "ad": "AD_ID"}
Row = dict[str, Any]


class _Windows(NamedTuple):
    """Days after a click and after a view in which conversions count; 0: those do not."""

    click: int
    view: int


class _Figures(NamedTuple):
    """An object's numbers of a time, and how they are counted."""

    profile: WorldProfile
    numbers: Numbers
    windows: _Windows

    @property
    def of_clicks(self) -> int:
        """Conversions after clicks. The world knows no longer window than 30 days."""
        halves = self.numbers.halves[min(self.windows.click, 30)] if self.windows.click else 0
        return halves // 2

    @property
    def of_views(self) -> int:
        return self.numbers.views[_known_view(self.windows.view)] // 2 if self.windows.view else 0

    @property
    def click_value(self) -> int:
        minor = self.numbers.revenue[min(self.windows.click, 30)] if self.windows.click else 0
        return minor * self.profile.minor_micros

    @property
    def view_value(self) -> int:
        minor = self.numbers.view_revenue[_known_view(self.windows.view)] if self.windows.view else 0
        return minor * self.profile.minor_micros

    @property
    def spend(self) -> int:
        return self.numbers.spend * self.profile.minor_micros


_METRICS: Mapping[str, Callable[[_Figures], int | Decimal | None]] = {
    "SPEND_IN_MICRO_DOLLAR": lambda f: f.spend,
    "SPEND_IN_DOLLAR": lambda f: Decimal(f.spend) / 1_000_000,
    "IMPRESSION_1": lambda f: f.numbers.impressions,
    "PAID_IMPRESSION": lambda f: f.numbers.impressions,
    # Earned: what saved ads were seen and clicked afterwards, which nobody pays for.
    "IMPRESSION_2": lambda f: f.numbers.impressions // 40,
    "TOTAL_IMPRESSION": lambda f: f.numbers.impressions + f.numbers.impressions // 40,
    "CLICKTHROUGH_1": lambda f: f.numbers.clicks,
    "CLICKTHROUGH_2": lambda f: f.numbers.clicks // 30,
    "TOTAL_CLICKTHROUGH": lambda f: f.numbers.clicks + f.numbers.clicks // 30,
    "OUTBOUND_CLICK_1": lambda f: f.numbers.clicks * 3 // 4,
    "CTR": lambda f: _share(f.numbers.clicks, f.numbers.impressions),
    "TOTAL_CHECKOUT": lambda f: f.of_clicks + f.of_views,
    "TOTAL_CLICK_CHECKOUT": lambda f: f.of_clicks,
    "TOTAL_VIEW_CHECKOUT": lambda f: f.of_views,
    "TOTAL_ENGAGEMENT_CHECKOUT": lambda _: 0,
    "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR": lambda f: f.click_value + f.view_value,
    "TOTAL_CLICK_CHECKOUT_VALUE_IN_MICRO_DOLLAR": lambda f: f.click_value,
    "TOTAL_VIEW_CHECKOUT_VALUE_IN_MICRO_DOLLAR": lambda f: f.view_value,
    "TOTAL_PAGE_VISIT": lambda f: f.numbers.clicks * 3 // 4,
    # All kinds of conversions, page visits too: much more than what was bought.
    "TOTAL_CONVERSIONS": lambda f: f.of_clicks + f.of_views + f.numbers.clicks * 3 // 4,
}
_OF_CONVERSIONS = frozenset(
    name for name in _METRICS if "CHECKOUT" in name or name in {"TOTAL_PAGE_VISIT", "TOTAL_CONVERSIONS"}
)
_ATTRIBUTES: Mapping[str, Callable[[WorldProfile, WorldRow], str | None]] = {
    "AD_ACCOUNT_ID": lambda profile, _: profile.id,
    "ADVERTISER_ID": lambda profile, _: profile.id,
    "CAMPAIGN_ID": lambda _, row: row.campaign.id if row.campaign else None,
    "CAMPAIGN_NAME": lambda _, row: row.campaign.name if row.campaign else None,
    "CAMPAIGN_ENTITY_STATUS": lambda _, row: row.campaign.status if row.campaign else None,
    "AD_GROUP_ID": lambda _, row: row.group.id if row.group else None,
    "AD_GROUP_NAME": lambda _, row: row.group.name if row.group else None,
    "AD_ID": lambda _, row: row.ad.id if row.ad else None,
    "AD_NAME": lambda _, row: row.ad.name if row.ad else None,
    "PIN_ID": lambda _, row: row.ad.creative["pin"] if row.ad else None,
}
"""What a row says of its object; null where it has none."""


class PinterestAnalytics:
    """Answers questions for numbers."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def account(self, request: PlatformRequest, profile: WorldProfile) -> Response:
        """`GET /ad_accounts/{id}/analytics`."""
        return self._answer(request, profile, "account", ())

    def campaigns(self, request: PlatformRequest, profile: WorldProfile) -> Response:
        """`GET /ad_accounts/{id}/campaigns/analytics`."""
        return self._answer(request, profile, "campaign", ids(request, "campaign_ids", required=True))

    def ad_groups(self, request: PlatformRequest, profile: WorldProfile) -> Response:
        """`GET /ad_accounts/{id}/ad_groups/analytics`."""
        return self._answer(request, profile, "ad_group", ids(request, "ad_group_ids", required=True))

    def ads(self, request: PlatformRequest, profile: WorldProfile) -> Response:
        """`GET /ad_accounts/{id}/ads/analytics`."""
        return self._answer(request, profile, "ad", ids(request, "ad_ids", required=True))

    def _answer(self, request: PlatformRequest, profile: WorldProfile, level: str, wanted: Sequence[str]) -> Response:
        columns = _columns(request)
        granularity = one_of(request, "granularity", _GRANULARITIES)
        moment = self._outside.world.moment(profile)
        start, end = _period(request, moment.today, granularity)
        windows = _Windows(
            number(request, "click_window_days", _WINDOWS, CLICK_DAYS),
            number(request, "view_window_days", _WINDOWS, VIEW_DAYS),
        )
        number(request, "engagement_window_days", _WINDOWS, 30)
        one_of(request, "reporting_timezone", ("PINTEREST_TIME_ZONE",), "PINTEREST_TIME_ZONE")
        clock = _CLOCKS[one_of(request, "conversion_report_time", tuple(_CLOCKS), "TIME_OF_AD_ACTION")]
        reading = Reading(clock=clock, hourly=granularity == "HOUR")
        rows = []
        for time, row, numbers in _summed(
            self._rows(profile, level, (start, end), moment, reading), granularity, start
        ):
            if wanted and _id(level, row) not in wanted:
                continue
            figures = _Figures(profile, numbers, windows)
            found: Row = {_KEYS[level]: _ATTRIBUTES[_KEYS[level]](profile, row)}
            found |= {name: _value(name, profile, row, figures, hourly=reading.hourly) for name in columns}
            rows.append(found | ({"DATE": time} if time else {}))
        return json_answer(self._spoilt(rows, profile, level))

    def _rows(
        self, profile: WorldProfile, level: str, days: tuple[date, date], moment: Moment, reading: Reading
    ) -> Iterator[WorldRow]:
        return self._outside.world.rows(profile, level, *days, moment=moment, reading=reading)

    def _spoilt(self, rows: list[Row], profile: WorldProfile, level: str) -> list[Row]:
        take = self._outside.switches.take
        if take("empty", PLATFORM, profile.id) is not None:
            return []
        missing = take("missing_column", PLATFORM, profile.id)
        if missing is not None:
            column = str(missing.get("column", "SPEND_IN_MICRO_DOLLAR"))
            rows = [{name: value for name, value in row.items() if name != column} for row in rows]
        bad = take("bad_row", PLATFORM, profile.id) if rows else None
        if bad is not None:
            ad_id = str(bad.get("ad_id", ""))
            hit = next((row for row in rows if ad_id in ("", row.get("AD_ID"))), rows[0])
            modes: Mapping[str, Row] = {"no_key": {_KEYS[level]: None}, "text": {"IMPRESSION_1": "many"}}
            hit |= modes.get(str(bad.get("mode")), {"IMPRESSION_1": -5})
        return rows


def _columns(request: PlatformRequest) -> list[str]:
    found = listed(request, "columns")
    if not found:
        raise invalid("'columns' is a required property")
    unknown = [name for name in found if name not in _METRICS and name not in _ATTRIBUTES]
    if unknown:
        raise invalid(f"'columns' value '{unknown[0]}' is not one of the columns")
    return found


def _period(request: PlatformRequest, today: date, granularity: str) -> tuple[date, date]:
    start, end = day(request, "start_date"), day(request, "end_date")
    longest, back = (_HOURS_DAYS, _HOURS_BACK) if granularity == "HOUR" else (_MOST_DAYS, _MOST_DAYS)
    if start < today - timedelta(days=back):
        raise invalid(f"You can only get data from the last {back} days.")
    if end < start or (end - start).days > longest:
        raise invalid(f"'end_date' must not be before 'start_date' nor more than {longest} days after it")
    return start, end


def _summed(rows: Iterator[WorldRow], granularity: str, start: date) -> Iterator[tuple[str, WorldRow, Numbers]]:
    """Rows of the same object and time added up, times ascending."""
    sums: dict[tuple[str, tuple[str, ...]], list[WorldRow]] = {}
    for row in rows:
        sums.setdefault((_time(row, granularity, start), _object(row)), []).append(row)
    for time, of in sorted(sums):
        found = sums[time, of]
        yield time, found[0], add([row.numbers for row in found])


def _time(row: WorldRow, granularity: str, start: date) -> str:
    if granularity == "TOTAL":
        return ""
    if granularity == "HOUR":
        return f"{row.day.isoformat()}T{row.hour:02}:00:00"
    first = {"DAY": row.day, "WEEK": row.day - timedelta(days=row.day.weekday()), "MONTH": row.day.replace(day=1)}
    return max(first[granularity], start).isoformat()


def _object(row: WorldRow) -> tuple[str, ...]:
    return tuple(one.id for one in (row.campaign, row.group, row.ad) if one is not None)


def _id(level: str, row: WorldRow) -> str:
    found = {"campaign": row.campaign, "ad_group": row.group, "ad": row.ad}[level]
    return found.id if found is not None else ""


def _value(name: str, profile: WorldProfile, row: WorldRow, figures: _Figures, *, hourly: bool) -> Any:
    if name in _ATTRIBUTES:
        return _ATTRIBUTES[name](profile, row)
    return None if hourly and name in _OF_CONVERSIONS else _METRICS[name](figures)


def _known_view(days: int) -> int:
    """The world knows conversions one day and fourteen days after a view; a window between them counts as one day."""
    return 14 if days >= 14 else 1


def _share(part: int, whole: int) -> Decimal | None:
    return round(Decimal(part) / whole, 6) if whole else None
