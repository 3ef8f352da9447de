"""What a synchronous report may ask.

Source: bububa/tiktok-business, model/report/integrated_get.go (the parameter documentation of 1740302848100353), and
the second reading, A2, B16, B22. Texts about metrics are those that clients have received (airbyte #11375, #20597).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from sandbox.platforms.tiktok_ads.answers import wrong
from sandbox.platforms.tiktok_ads.breakdowns import AUDIENCE, BASIC
from sandbox.platforms.tiktok_ads.metrics import LEVELS, METRICS, REAL_TIME
from sandbox.platforms.tiktok_ads.parameters import TikTokParameters
from sandbox.platforms.tiktok_ads.row_filters import RowFilters

DAY, HOUR = "stat_time_day", "stat_time_hour"
_IDS = {
    "AUCTION_ADVERTISER": ("advertiser_id",),
    "AUCTION_CAMPAIGN": ("campaign_id",),
    "AUCTION_ADGROUP": ("adgroup_id",),
    "AUCTION_AD": ("ad_id", "ad_id_v2"),
}
_ID_NAMES = frozenset(name for names in _IDS.values() for name in names)
_REPORT_TYPES = ("BASIC", "AUDIENCE", "PLAYABLE_MATERIAL", "CATALOG", "BC", "TT_SHOP")
_MOST_DAYS = {DAY: 30, HOUR: 1, "": 365}
_MOST_METRICS = 100
_MOST_ADVERTISERS = 5
_CONFLICT = "Conflict occurs. The input params including metrics and dimensions have no relation."


@dataclass(frozen=True)
class ReportAsked:
    """One question. `id_name`: the id among the dimensions, empty for none; `time`: its time dimension, or empty.

    `advertisers`: several when they were asked for together, and then amounts have no decimals.
    """

    advertisers: tuple[str, ...]
    together: bool
    audience: bool
    level: str
    dimensions: tuple[str, ...]
    metrics: tuple[str, ...]
    start: date
    end: date
    lifetime: bool
    filters: RowFilters
    order: tuple[str, bool]
    totals: bool

    @cached_property
    def id_name(self) -> str:
        """The id dimension."""
        return next((name for name in self.dimensions if name in _ID_NAMES), "")

    @cached_property
    def time(self) -> str:
        """The time dimension."""
        return next((name for name in self.dimensions if name in (DAY, HOUR)), "")

    @cached_property
    def cuts(self) -> tuple[str, ...]:
        """The breakdowns."""
        return tuple(name for name in self.dimensions if name not in (*_ID_NAMES, DAY, HOUR))

    @cached_property
    def real_time(self) -> bool:
        """Whether a metric by the time of the conversion is asked for."""
        return bool(REAL_TIME.intersection(self.metrics))


def read_question(query: TikTokParameters, first_day: date, *, asynchronous: bool = False) -> ReportAsked:
    """The question of a request. Raises 40002 for what TikTok refuses."""
    report_type = query.required("report_type")
    if report_type not in _REPORT_TYPES:
        raise wrong(f"report_type: Must be one of: {', '.join(_REPORT_TYPES)}.")
    if query.text("service_type", "AUCTION") not in ("AUCTION", "RESERVATION"):
        raise wrong("service_type: Must be one of: AUCTION, RESERVATION.")
    if report_type not in ("BASIC", "AUDIENCE"):
        raise wrong(f"report_type {report_type} has no data here")
    level = query.required("data_level")
    if level not in LEVELS:
        raise wrong(f"data_level: Must be one of: {', '.join(LEVELS)}.")
    together = query.words("advertiser_ids", _MOST_ADVERTISERS)
    lifetime = query.flag("query_lifetime")
    dimensions = tuple(query.words("dimensions"))
    audience = report_type == "AUDIENCE"
    _check_dimensions(dimensions, level, audience=audience, lifetime=lifetime)
    metrics = tuple(dict.fromkeys(query.words("metrics"))) or ("spend", "impressions")
    if together:
        metrics = tuple(dict.fromkeys((*metrics, "currency", "timezone", "advertiser_id")))
    _check_metrics(metrics, level, dimensions, audience=audience, together=bool(together))
    start, end = (first_day, date.max - timedelta(days=1)) if lifetime else _days(query, dimensions)
    return ReportAsked(
        tuple(together) or (query.required("advertiser_id"),),
        bool(together),
        audience,
        level,
        dimensions,
        metrics,
        start,
        end,
        lifetime,
        RowFilters(level, query.objects("filtering"), asynchronous=asynchronous),
        _order(query, metrics),
        query.flag("enable_total_metrics") and not audience and _may_total(dimensions),
    )


def _may_total(dimensions: tuple[str, ...]) -> bool:
    """Totals come with one id, alone or by day."""
    rest = [name for name in dimensions if name not in _ID_NAMES]
    return len(dimensions) - len(rest) == 1 and rest in ([], [DAY])


def _order(query: TikTokParameters, metrics: tuple[str, ...]) -> tuple[str, bool]:
    field, direction = query.text("order_field"), query.text("order_type", "DESC")
    if direction not in ("ASC", "DESC"):
        raise wrong("order_type: Must be one of: ASC, DESC.")
    if field and (field not in metrics or METRICS[field].group == "attribute"):
        raise wrong(f"order_field: {field} cannot be sorted by")
    return field, direction == "DESC"


def _check_dimensions(dimensions: tuple[str, ...], level: str, *, audience: bool, lifetime: bool) -> None:
    """At most one id (the level's own), one time, one breakdown; an audience report has one, or age and gender."""
    known = {*_ID_NAMES, DAY, HOUR, *(AUDIENCE if audience else BASIC)}
    unknown = [name for name in dimensions if name not in known]
    if not dimensions or unknown:
        raise wrong(f"dimensions: Invalid dimension fields: {unknown}")
    ids = [name for name in dimensions if name in _ID_NAMES]
    times = [name for name in dimensions if name in (DAY, HOUR)]
    cuts = [name for name in dimensions if name not in (*ids, *times)]
    if len(ids) > 1 or len(times) > 1 or len(set(dimensions)) < len(dimensions):
        raise wrong(_CONFLICT)
    if len(cuts) > 1 and not (audience and set(cuts) == {"age", "gender"}):
        raise wrong(_CONFLICT)
    if any(name not in _IDS[level] for name in ids) or (audience and (HOUR in times or not cuts)):
        raise wrong(_CONFLICT)
    if lifetime and (times or cuts):
        raise wrong("query_lifetime: time and breakdown dimensions are not supported with lifetime metrics")


def _check_metrics(
    metrics: tuple[str, ...], level: str, dimensions: tuple[str, ...], *, audience: bool, together: bool
) -> None:
    if len(metrics) > _MOST_METRICS:
        raise wrong(f"metrics: Longer than maximum length {_MOST_METRICS}.")
    named = bool(_ID_NAMES.intersection(dimensions))
    bad = [name for name in metrics if not _allowed(name, level, named=named or together, audience=audience)]
    if "ad_id_v2" in dimensions:
        bad += [name for name in metrics if name == "ad_id"]
    if "ad_id" in dimensions:
        bad += [name for name in metrics if name == "ad_id_v2"]
    account_only = [name for name in metrics if name in METRICS and METRICS[name].group == "account"]
    if level != LEVELS[0] or DAY not in dimensions:
        bad += account_only
    if bad:
        text = "Please correct the information in invalid metric fields and try again."
        raise wrong(f"{text} Invalid metric fields: {bad}. ")


def _allowed(name: str, level: str, *, named: bool, audience: bool) -> bool:
    metric = METRICS.get(name)
    if metric is None or (audience and metric.group in ("leg", "account")):
        return False
    return metric.group != "attribute" or (named and LEVELS.index(level) >= LEVELS.index(metric.level))


def _days(query: TikTokParameters, dimensions: tuple[str, ...]) -> tuple[date, date]:
    start, end = query.day("start_date"), query.day("end_date")
    if end < start:
        raise wrong("start_date: Must not be after end_date.")
    most = next((_MOST_DAYS[name] for name in (HOUR, DAY) if name in dimensions), _MOST_DAYS[""])
    if (end - start).days >= most:
        raise wrong(f"The time span between start_date and end_date must not exceed {most} days.")
    return start, end
