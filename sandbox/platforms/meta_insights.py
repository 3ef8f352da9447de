"""Insights rows as Meta writes them: numbers as text, lists only when not zero, days without delivery absent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.platforms.meta_errors import GraphError, invalid
from sandbox.world import Numbers, Profile, World
from sandbox.world.catalog import MINOR_DIGITS
from sandbox.world.numbers import add
from sandbox.world.world import Moment, Row

HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
LEVELS = {"account": "account", "campaign": "campaign", "adset": "ad_group", "ad": "ad"}
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
_PURCHASES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
_RANKINGS = ("BELOW_AVERAGE_35", "BELOW_AVERAGE_20", "AVERAGE", "AVERAGE", "ABOVE_AVERAGE")
_DEFAULT_FIELDS = ("account_id", "impressions", "spend")
_FIELDS = frozenset(
    [
        "account_id",
        "account_name",
        "account_currency",
        "campaign_id",
        "campaign_name",
        "adset_id",
        "adset_name",
        "ad_id",
        "ad_name",
        "date_start",
        "date_stop",
        "impressions",
        "clicks",
        "inline_link_clicks",
        "ctr",
        "cpc",
        "cpm",
        "reach",
        "frequency",
        "spend",
        "actions",
        "action_values",
        "conversions",
        "conversion_values",
        "cost_per_action_type",
        "purchase_roas",
        "website_purchase_roas",
        "quality_ranking",
        "engagement_rate_ranking",
        "conversion_rate_ranking",
        "objective",
        "optimization_goal",
        "attribution_setting",
    ]
)
_RETENTION_DAYS = 37 * 30


def money(profile: Profile, minor: int) -> str:
    """Minor units → text in units, as `spend` and action values are written (`"45.67"`, `"100"`)."""
    digits = MINOR_DIGITS[profile.currency]
    return f"{Decimal(minor).scaleb(-digits):f}" if digits else str(minor)


def _half(halves: int) -> str:
    return str(halves // 2) + (".5" if halves % 2 else "")


def _ratio(top: int, bottom: int, digits: int = 6) -> str:
    """A rounded quotient as text, without floats."""
    scaled = (top * 10**digits * 2 + bottom) // (bottom * 2)
    return f"{Decimal(scaled).scaleb(-digits):f}"


def json_parameter(params: dict[str, str], name: str) -> Any:
    """A JSON parameter, or None. Raises Meta's error 100 when it is no JSON."""
    if name not in params:
        return None
    try:
        return json.loads(params[name])
    except ValueError:
        raise invalid(f"param {name} must be valid JSON") from None


def names(params: dict[str, str], name: str) -> list[str]:
    """A list given comma-joined or as a JSON array (`fields` comes both ways)."""
    text = params.get(name, "").strip()
    if text.startswith("["):
        return [str(item) for item in json_parameter(params, name)]
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text + ","):
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [part for part in parts if part]


def _day(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise invalid(f"'{text}' is not a valid date; use YYYY-MM-DD") from None


def ranges(params: dict[str, str], today: date) -> list[tuple[date, date]]:
    """The inclusive date ranges that a request asks for: time_range, time_ranges or date_preset (default last_30d)."""
    wanted = json_parameter(params, "time_ranges")
    if wanted is None and "time_range" in params:
        wanted = [json_parameter(params, "time_range")]
    if wanted is not None:
        try:
            found = [(_day(r["since"]), _day(r["until"])) for r in wanted]
        except (KeyError, TypeError):
            raise invalid("time_range must have since and until") from None
        for since, until in found:
            if since > until:
                raise invalid("The start date is after the end date (since > until)")
            if (today - since).days > _RETENTION_DAYS:
                raise GraphError("(#3018) The start date of the time range cannot be beyond 37 months", 3018)
        return found
    return [_preset(params.get("date_preset", "last_30d"), today)]


def _preset(preset: str, today: date) -> tuple[date, date]:
    yesterday, last_of_month = today - timedelta(days=1), today.replace(day=1) - timedelta(days=1)
    named = {
        "today": (today, today),
        "yesterday": (yesterday, yesterday),
        "maximum": (today - timedelta(days=_RETENTION_DAYS), today),
        "this_month": (today.replace(day=1), today),
        "last_month": (last_of_month.replace(day=1), last_of_month),
    }
    if preset in named:
        return named[preset]
    days = preset.removeprefix("last_").removesuffix("d")
    if f"last_{days}d" == preset and days.isdigit():
        return today - timedelta(days=int(days)), yesterday
    raise invalid(f"date_preset '{preset}' is unknown")


def periods(start: date, end: date, increment: str) -> list[tuple[date, date]]:
    """A range cut by time_increment: a number of days, `monthly`, or `all_days`."""
    if increment == "all_days":
        return [(start, end)]
    if increment != "monthly" and not (increment.isdigit() and 1 <= int(increment) <= 90):
        raise invalid("time_increment must be 1 to 90, monthly or all_days")
    found = []
    while start <= end:
        if increment == "monthly":
            stop = (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        else:
            stop = start + timedelta(days=int(increment) - 1)
        found.append((start, min(stop, end)))
        start = stop + timedelta(days=1)
    return found


def _entity(row: Row) -> tuple[str, str, str]:
    return (
        row.campaign.id if row.campaign else "",
        row.group.id if row.group else "",
        row.ad.id if row.ad else "",
    )


class Insights:
    """One insights question, checked; `rows()` answers it."""

    def __init__(self, world: World, profile: Profile, params: dict[str, str], moment: Moment, node: str = "") -> None:
        """`node`: a campaign's, ad set's or ad's id to which the question is narrowed."""
        self.world, self.profile, self.moment, self.node = world, profile, moment, node
        level = params.get("level", "account" if not node else "")
        if not level:
            level = next(k for k, v in zip(("campaign", "adset", "ad"), _kinds(profile, node), strict=True) if v)
        if level not in LEVELS:
            raise invalid(f"level must be one of {', '.join(LEVELS)}")
        self.level = level
        self.fields = names(params, "fields") or list(_DEFAULT_FIELDS)
        unknown = [f for f in self.fields if f not in _FIELDS]
        if unknown:
            raise invalid(f"{unknown[0]} is not valid for fields param")
        self.windows = names(params, "action_attribution_windows")
        if any(w not in WINDOWS for w in self.windows):
            raise invalid("action_attribution_windows has an unknown window")
        breakdowns = names(params, "breakdowns")
        if any(b != HOURLY for b in breakdowns):
            raise GraphError("(#2) This combination of breakdowns is not supported", 2, subcode=1504041)
        self.hourly = bool(breakdowns)
        self.ranges = ranges(params, moment.today)
        self.increment = params.get("time_increment", "all_days")
        self.filters = json_parameter(params, "filtering") or []
        self.periods = [p for since, until in self.ranges for p in periods(since, until, self.increment)]

    @staticmethod
    def day(text: object) -> date:
        """`YYYY-MM-DD` → date; Meta's error 100 otherwise."""
        return _day(text)

    @property
    def key(self) -> str:
        """Equal questions have equal keys."""
        asked = (self.node, self.level, self.fields, self.windows, self.hourly, self.periods, self.filters)
        return repr(asked)

    def rows(self) -> list[dict[str, Any]]:
        """All rows, oldest period first."""
        return [row for start, end in self.periods for row in self._period(start, end)]

    def _period(self, start: date, end: date) -> list[dict[str, Any]]:
        known = self.world.window(self.profile, start, end, self.moment)
        if not known:
            return []
        ads = self.world.ad_days(self.profile, start, end, moment=self.moment, hourly=self.hourly)
        level = self.level
        sums: dict[tuple[str, int], list[Row]] = {}
        for row in ads:
            ids = _entity(row)
            if self.node and self.node not in ids:
                continue
            if not all(_passes(row, condition) for condition in self.filters):
                continue
            key = {"account": "", "campaign": ids[0], "adset": ids[1], "ad": ids[2]}[level]
            sums.setdefault((key, row.hour), []).append(row)
        return [
            self._row(rows[0], add([r.numbers for r in rows]) if len(rows) > 1 else rows[0].numbers, start, end)
            for rows in sums.values()
        ]

    def _row(self, first: Row, n: Numbers, start: date, end: date) -> dict[str, Any]:
        profile = self.profile
        all_fields: dict[str, Any] = {}
        all_fields.update(account_id=profile.id, account_name=profile.name, account_currency=profile.currency)
        if self.level != "account" and first.campaign:
            all_fields.update(campaign_id=first.campaign.id, campaign_name=first.campaign.name)
            all_fields.update(objective=first.campaign.objective)
        if self.level in ("adset", "ad") and first.group:
            all_fields.update(adset_id=first.group.id, adset_name=first.group.name)
            all_fields.update(optimization_goal="OFFSITE_CONVERSIONS", attribution_setting="7d_click_1d_view")
        if self.level == "ad" and first.ad:
            ranking = _RANKINGS[first.ad.seed % 5] if n.impressions >= 500 else "UNKNOWN"
            all_fields.update(ad_id=first.ad.id, ad_name=first.ad.name, quality_ranking=ranking)
            all_fields.update(engagement_rate_ranking=ranking, conversion_rate_ranking=ranking)
        values: dict[str, Any] = dict(all_fields)
        reach = max(1, n.impressions * 11 // 12)
        values.update(
            impressions=str(n.impressions),
            clicks=str(n.clicks),
            inline_link_clicks=str(n.clicks * 5 // 8),
            ctr=_ratio(n.clicks * 100, max(n.impressions, 1)),
            spend=money(profile, n.spend),
            reach=str(reach),
            frequency=_ratio(n.impressions, reach),
        )
        if n.clicks:
            values["cpc"] = _ratio(n.spend * profile.minor_micros, n.clicks * 1_000_000)
        if n.impressions:
            values["cpm"] = _ratio(n.spend * profile.minor_micros * 1000, n.impressions * 1_000_000)
        actions = [self._action("link_click", str(n.clicks * 5 // 8), {})] if n.clicks * 5 // 8 else []
        if n.halves[30]:
            parts = {"7d_click": n.halves[7], "1d_view": n.halves[30] - n.halves[7], "1d_click": n.halves[1]}
            money_parts = {"7d_click": n.revenue[7], "1d_view": n.revenue[30] - n.revenue[7], "1d_click": n.revenue[1]}
            counts = {w: _half(v) for w, v in parts.items() if v}
            amounts = {w: money(profile, v) for w, v in money_parts.items() if v}
            actions += [self._action(name, _half(n.halves[30]), counts) for name in _PURCHASES]
            values["action_values"] = [
                self._action(name, money(profile, n.revenue[30]), amounts) for name in _PURCHASES
            ]
            if n.spend:
                roas = [{"action_type": "omni_purchase", "value": _ratio(n.revenue[30], n.spend)}]
                values.update(purchase_roas=roas, website_purchase_roas=roas)
        if actions:
            values["actions"] = actions
        row = {name: values[name] for name in self.fields if name in values}
        row.update(date_start=start.isoformat(), date_stop=end.isoformat())
        if self.hourly:
            row[HOURLY] = f"{first.hour:02d}:00:00 - {first.hour:02d}:59:59"
        return row

    def _action(self, name: str, value: str, parts: dict[str, str]) -> dict[str, str]:
        """`value` is the default setting's; windows appear only when asked for, 7d_view and 28d_view never."""
        return {"action_type": name, "value": value} | {w: parts[w] for w in self.windows if w in parts}


def _kinds(profile: Profile, node: str) -> tuple[bool, bool, bool]:
    return (
        any(c.id == node for c in profile.campaigns),
        any(g.id == node for c in profile.campaigns for g in c.groups),
        any(a.id == node for _, _, a in profile.ads()),
    )


def _passes(row: Row, condition: dict[str, Any]) -> bool:
    """One `filtering` condition on ids, names, statuses or impressions."""
    kind, _, name = str(condition.get("field", "")).partition(".")
    wanted = condition.get("value")
    subject = {"campaign": row.campaign, "adset": row.group, "ad": row.ad}.get(kind)
    if name in ("impressions", "spend", "clicks"):
        actual: Any = {"impressions": row.numbers.impressions, "clicks": row.numbers.clicks}.get(
            name, row.numbers.spend
        )
        wanted = int(str(wanted)) if not isinstance(wanted, list) else wanted
    elif subject is None or name not in ("id", "name", "effective_status", "status"):
        raise invalid(f"Filtering field {condition.get('field')!r} is not supported here")
    else:
        actual = getattr(subject, {"effective_status": "status"}.get(name, name))
    return matches(actual, str(condition.get("operator", "")), wanted)


def matches(actual: Any, operator: str, wanted: Any) -> bool:
    """Meta's filter operators on one value."""
    many = wanted if isinstance(wanted, list) else [wanted]
    tests: dict[str, Callable[[], bool]] = {
        "IN": lambda: actual in many,
        "NOT_IN": lambda: actual not in many,
        "EQUAL": lambda: actual == wanted,
        "NOT_EQUAL": lambda: actual != wanted,
        "GREATER_THAN": lambda: actual > wanted,
        "LESS_THAN": lambda: actual < wanted,
        "CONTAIN": lambda: str(wanted) in str(actual),
    }
    if operator not in tests:
        raise invalid(f"Filtering operator {operator!r} is unknown")
    return bool(tests[operator]())
