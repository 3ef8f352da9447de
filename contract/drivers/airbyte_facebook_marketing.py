"""airbyte-source-facebook-marketing: Airbyte's source for Meta."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airbyte import Source
from driver import Job, Row, run
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.campaign import Campaign
from meta_rows import FIELDS, HOUR, creative_row, insights_row, listed_row

LONG_AGO = "2020-01-01"
LISTS = {"campaigns": "campaign", "ad_sets": "ad_group", "ads": "ad"}
CUSTOM = {"account": "account", "campaign": "campaign", "adset": "ad_group"}
INSIGHTS = {
    "ads_insights": "insights ad",
    "ads_insights_age_and_gender": "insights ad age gender",
    "customby_hour": "insights campaign hourly",
    **{f"customby_{level}": f"insights {ours}" for level, ours in CUSTOM.items()},
}
STATUSES = {
    option: [status for key, status in vars(kind.EffectiveStatus).items() if not key.startswith("_")]
    for option, kind in (("campaign_statuses", Campaign), ("adset_statuses", AdSet), ("ad_statuses", Ad))
}


def source(job: Job, begin: str, **options: Any) -> Source:
    own = [
        {"name": f"by_{level}", "level": level, "fields": FIELDS[: at + 1] + FIELDS[len(CUSTOM) + 1 :]}
        for at, level in enumerate(CUSTOM)
    ]
    own.append({"name": "by_hour", "level": "campaign", "fields": FIELDS[:2] + FIELDS[4:], "breakdowns": [HOUR]})
    configuration = {
        "account_ids": [job.profile_id],
        "credentials": {"auth_type": "Service", "access_token": job.credential["access_token"]},
        "start_date": f"{begin}T00:00:00Z",
        "end_date": f"{job.end}T00:00:00Z",
        "insights_lookback_window": 1,
        "page_size": 25,
        "custom_insights": own,
    }
    return Source("source-facebook-marketing", configuration | options)


def insights(job: Job) -> Iterator[Row]:
    for begin in {job.starts[stream] for stream in INSIGHTS.values()}:
        names = [name for name, stream in INSIGHTS.items() if job.starts[stream] == begin]
        for stream, record in source(job, begin).read(names):
            yield insights_row(job, INSIGHTS[stream], record)


def lists(job: Job) -> Iterator[Row]:
    for stream, record in source(job, LONG_AGO).read([*LISTS, "ad_creatives"]):
        level = LISTS.get(stream)
        yield listed_row(f"{level}s", level, record) if level else creative_row("creatives", record)


def deleted_too(job: Job) -> Iterator[Row]:
    for stream, record in source(job, LONG_AGO, **STATUSES).read(list(LISTS)):
        yield listed_row(f"every {LISTS[stream]}", LISTS[stream], record)


def bookmarked(job: Job) -> Iterator[Row]:
    state = {
        stream: {job.profile_id: {"updated_time": job.bookmark, "filter_statuses": STATUSES[option]}}
        for stream, option in zip(LISTS, STATUSES, strict=True)
    }
    for stream, record in source(job, LONG_AGO, **STATUSES).read(list(LISTS), state):
        yield listed_row(f"every {LISTS[stream]} since", LISTS[stream], record)


run({f.__name__: f for f in (insights, lists, deleted_too, bookmarked)})
