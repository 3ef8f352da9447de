"""One insights request: what it may ask, and which of the world's rows answer it (Marketing API, Insights)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.platforms.meta.errors import GraphError, invalid, nonexisting_field
from sandbox.platforms.meta.filters import matches
from sandbox.platforms.meta.insight_rows import FIELDS, HOURLY, insight_row, money
from sandbox.platforms.meta.parameters import json_objects, names
from sandbox.platforms.meta.periods import periods, ranges
from sandbox.world import Reading, World, WorldProfile, WorldRow
from sandbox.world.numbers import add
from sandbox.world.world import NO_HOUR, Moment

LEVELS = ("account", "campaign", "adset", "ad")
WINDOWS = frozenset(
    [
        "1d_click",
        "7d_click",
        "28d_click",
        "1d_view",
        "7d_view",
        "28d_view",
        "1d_ev",
        "dda",
        "default",
        "incrementality",
        "skan_click",
        "skan_view",
    ]
)
_DEFAULT_FIELDS = ("account_id", "impressions", "spend")


def _entity(row: WorldRow) -> tuple[str, str, str]:
    return (
        row.campaign.id if row.campaign else "",
        row.group.id if row.group else "",
        row.ad.id if row.ad else "",
    )


class Insights:
    """One insights request, checked; `rows()` answers it."""

    def __init__(
        self, world: World, profile: WorldProfile, params: dict[str, str], moment: Moment, node: str = ""
    ) -> None:
        """`node`: the id of a campaign, ad set or ad to which the request is narrowed. Raises Meta's errors."""
        self.world, self.profile, self.moment, self.node = world, profile, moment, node
        self.level = params.get("level") or _own_level(profile, node)
        if self.level not in LEVELS:
            raise invalid(f"level must be one of {', '.join(LEVELS)}")
        self.fields = names(params, "fields") or list(_DEFAULT_FIELDS)
        unknown = [f for f in self.fields if f not in FIELDS]
        if unknown:
            raise invalid(f"{unknown[0]} is not valid for fields param")
        self.windows = names(params, "action_attribution_windows")
        if any(w not in WINDOWS for w in self.windows):
            raise invalid("action_attribution_windows has an unknown window")
        breakdowns = names(params, "breakdowns")
        if any(b != HOURLY for b in breakdowns):
            raise GraphError("(#2) This combination of breakdowns is not supported", 2, subcode=1504041)
        self.hourly = bool(breakdowns)
        increment = params.get("time_increment", "all_days")
        self.periods = [p for since, until in ranges(params, moment.today) for p in periods(since, until, increment)]
        self.filters = json_objects(params, "filtering")

    @property
    def key(self) -> str:
        """Equal requests have equal keys."""
        asked = (self.node, self.level, self.fields, self.windows, self.hourly, self.periods, self.filters)
        return repr(asked)

    def rows(self) -> list[dict[str, Any]]:
        """All rows, oldest period first."""
        return [row for start, end in self.periods for row in self._period(start, end)]

    def _period(self, start: date, end: date) -> list[dict[str, Any]]:
        sums: dict[tuple[str, int], list[WorldRow]] = {}
        reading = Reading(hourly=self.hourly)
        if self.level == "ad":
            delivered = self.world.rows(self.profile, "ad", start, end, moment=self.moment, reading=reading)
        else:
            delivered = self.world.days(self.profile, start, end, moment=self.moment, reading=reading)
        for row in delivered:
            ids = _entity(row)
            if self.node and self.node not in ids:
                continue
            if not all(_passes(self.profile, row, condition) for condition in self.filters):
                continue
            key = {"account": "", "campaign": ids[0], "adset": ids[1], "ad": ids[2]}[self.level]
            sums.setdefault((key, row.hour), []).append(row)
        return [self._row(rows, start, end) for rows in sums.values()]

    def _row(self, rows: list[WorldRow], start: date, end: date) -> dict[str, Any]:
        """The asked-for fields of some ad-days' sum."""
        numbers = add([row.numbers for row in rows]) if len(rows) > 1 else rows[0].numbers
        values = insight_row(self.profile, self.level, rows[0], numbers, self.windows)
        answer = {name: values[name] for name in self.fields if name in values}
        answer.update(date_start=start.isoformat(), date_stop=end.isoformat())
        if self.hourly and rows[0].hour != NO_HOUR:
            answer[HOURLY] = f"{rows[0].hour:02d}:00:00 - {rows[0].hour:02d}:59:59"
        return answer


def _own_level(profile: WorldProfile, node: str) -> str:
    """The level of a node: an ad account, or one of its campaigns, ad sets and ads. Raises Meta's error 100."""
    if not node:
        return "account"
    for campaign, group, ad in profile.ads():
        found = {campaign.id: "campaign", group.id: "adset", ad.id: "ad"}.get(node)
        if found:
            return found
    raise nonexisting_field("insights", "AdCreative")


def _passes(profile: WorldProfile, row: WorldRow, condition: dict[str, Any]) -> bool:
    """One `filtering` condition on ids, names, statuses or the numbers of an ad-day."""
    kind, _, name = str(condition.get("field", "")).partition(".")
    subject = {"campaign": row.campaign, "adset": row.group, "ad": row.ad}.get(kind)
    numbers: dict[str, int | str] = {
        "impressions": row.numbers.impressions,
        "clicks": row.numbers.clicks,
        "spend": money(profile, row.numbers.spend),
    }
    if name in numbers:
        actual: Any = Decimal(numbers[name])
    elif subject is None or name not in ("id", "name", "effective_status", "status"):
        raise invalid(f"Filtering field {condition.get('field')!r} is not supported here")
    else:
        actual = getattr(subject, {"effective_status": "status"}.get(name, name))
    return matches(actual, str(condition.get("operator", "")), condition.get("value"))
