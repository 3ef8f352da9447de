"""What reports ask for, by dataset (Basic and Audience reports [1740302848100353, 1738864894606337])."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.errors import RequestRejected, TooMuchData
from adweir.model.metrics import Grain, Level
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.tiktok_ads import MAX_WINDOW_DAYS
from adweir.platforms.tiktok_ads.calls import encode
from adweir.platforms.tiktok_ads.options import PURCHASES, RESULT


class Bought(StrEnum):
    """How ads come about. USUAL: by auction, or by reach and frequency, which a report has unless it is told otherwise.

    TOP_VIEW: reserved for when the app is opened [1740302848100353]. PROMOTED: posts that were promoted in the app; no
    document says whether there are hours of them [1785880454546433].
    """

    USUAL = "usual"
    TOP_VIEW = "top_view"
    PROMOTED = "promoted"


_BOUGHT = {
    Bought.TOP_VIEW: ("buying_type", ["RESERVATION_TOP_VIEW"]),
    Bought.PROMOTED: ("campaign_system_origins", ["PROMOTE"]),
}
"""Filters by which a report has what it otherwise leaves out."""
LEVELS: Mapping[Level, tuple[str, str]] = {
    Level.ACCOUNT: ("AUCTION_ADVERTISER", "advertiser_id"),
    Level.CAMPAIGN: ("AUCTION_CAMPAIGN", "campaign_id"),
    Level.AD_GROUP: ("AUCTION_ADGROUP", "adgroup_id"),
    Level.AD: ("AUCTION_AD", "ad_id"),
}
"""Our levels: the level of a report, and the id dimension of its rows. An `ad_id` is the creative of an upgraded Smart+
ad, whose own id is another dimension; rows of both must never be added, so only the former is asked for."""
BREAKDOWNS: Mapping[str, tuple[str, ...]] = {
    "age_gender": ("age", "gender"),
    "country": ("country_code",),
    "region": ("province_id",),
    "device": ("platform",),
    "placement": ("placement",),
}
"""Our breakdowns as TikTok's audience dimensions; `platform` is the operating system."""
WHOLE = Level.ACCOUNT
"""The level whose rows contain everything, whatever its status and whoever bought it."""
_STATUS_FILTERS = {Level.CAMPAIGN: "campaign_status", Level.AD_GROUP: "adgroup_status", Level.AD: "ad_status"}
"""Each level leaves deleted objects out unless its own status filter says otherwise; another level's is refused."""
_PARENTS = {Level.AD_GROUP: ("campaign_id",), Level.AD: ("campaign_id", "adgroup_id")}
_TRAFFIC = ("spend", "impressions", "clicks", RESULT)
_PURCHASES = tuple(name for pair in PURCHASES.values() for name in pair)
_VIDEO = (
    "video_play_actions", "video_watched_2s", "video_watched_6s", "video_views_p25", "video_views_p50",
    "video_views_p75", "video_views_p100", "average_video_play",
)  # fmt: skip
"""Of ads: kept with the raw answer."""


def report(task: Task) -> dict[str, Any]:
    """The parameters of a metric dataset's report, without its page.

    Raises RequestRejected for a dataset that TikTok does not have, TooMuchData for too long a window.
    """
    window, dataset = task.window, task.dataset
    if dataset.level not in LEVELS or (dataset.breakdown and dataset.breakdown not in BREAKDOWNS) or window is None:
        raise RequestRejected(f"TikTok has no {dataset}")
    hourly = dataset.grain is Grain.HOUR
    if window.length > (1 if hourly else MAX_WINDOW_DAYS):
        raise TooMuchData(f"a report covers at most {1 if hourly else MAX_WINDOW_DAYS} days, asked: {window}")
    level, id_dimension = LEVELS[dataset.level]
    return {
        "advertiser_id": task.profile_id,
        "service_type": "AUCTION",
        "report_type": "AUDIENCE" if dataset.breakdown else "BASIC",
        "data_level": level,
        "dimensions": dimensions(dataset, id_dimension),
        "metrics": metrics(dataset),
        **_days(window),
    }


def dimensions(dataset: Dataset, id_dimension: str) -> list[str]:
    """One id, one time, and the dimensions of a breakdown."""
    when = "stat_time_hour" if dataset.grain is Grain.HOUR else "stat_time_day"
    return [id_dimension, when, *BREAKDOWNS.get(dataset.breakdown, ())]


def metrics(dataset: Dataset) -> list[str]:
    """The names of the parents, traffic, and conversions; audience reports refuse purchases by place."""
    names = [*_PARENTS.get(dataset.level, ()), *_TRAFFIC]
    if not dataset.breakdown:
        names += _PURCHASES
        if dataset is Dataset.AD_DAILY:
            names += _VIDEO
    return names


def alone(dataset: Dataset) -> tuple[Bought, ...]:
    """What a dataset's usual report leaves out, and a report by a filter has. The advertiser's own has everything."""
    return () if dataset.level is WHOLE else (Bought.TOP_VIEW, Bought.PROMOTED)


def filters(level: Level, ids: Sequence[str] = (), whose: Bought = Bought.USUAL) -> dict[str, Any]:
    """The parameter that includes deleted objects, chooses by how they were bought, and narrows to some campaigns.

    A filter's value is a JSON list as text inside the JSON.
    """
    found = [_in(_STATUS_FILTERS[level], ["STATUS_ALL"])] if level in _STATUS_FILTERS else []
    found += [_in(*_BOUGHT[whose])] if whose in _BOUGHT else []
    found += by_campaigns(ids) if ids else []
    return {"filtering": found} if found else {}


def by_campaigns(ids: Sequence[str]) -> list[dict[str, str]]:
    """The filter that narrows a report to some campaigns."""
    return [_in("campaign_ids", ids)]


def _in(name: str, values: Sequence[str]) -> dict[str, str]:
    return {"field_name": name, "filter_type": "IN", "filter_value": encode(values)}


def _days(window: Window) -> dict[str, str]:
    return {"start_date": window.start.isoformat(), "end_date": window.end.isoformat()}
