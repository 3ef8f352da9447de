"""facebook-business: Meta's official SDK."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from driver import Job, Row, object_row, run
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from meta_rows import FIELDS, PARTS, creative_row, insights_rows, listed_row

STATUSES = {
    name: [status for key, status in vars(kind.EffectiveStatus).items() if not key.startswith("_")]
    for name, kind in (("campaign", Campaign), ("adset", AdSet), ("ad", Ad))
}
PREFIXES = {"account": "account", "campaign": "campaign", "ad_group": "adset", "ad": "ad"}


def account_of(job: Job) -> AdAccount:
    key = job.credential
    FacebookAdsApi.init(key["app_id"], key["app_secret"], key["access_token"], crash_log=False)
    return AdAccount(f"act_{job.profile_id}")


def daily(job: Job, stream: str) -> dict[str, Any]:
    return {"time_increment": 1, "time_range": {"since": job.starts[stream], "until": job.end}, "limit": 50}


def shown(level: str) -> list[dict[str, Any]]:
    """Meta counts deleted and archived things at their own level only when their statuses are asked for."""
    if level == "account":
        return []
    return [{"field": f"{level}.effective_status", "operator": "IN", "value": STATUSES[level]}]


def accounts(job: Job) -> Iterator[Row]:
    account_of(job)
    for account in User("me").get_ad_accounts(fields=["account_id", "name", "currency"]):
        if account["account_id"] == job.profile_id:
            yield object_row("accounts", {"account": account["account_id"]}, currency=account["currency"])


def insights(job: Job) -> Iterator[Row]:
    for at, (level, name) in enumerate(PREFIXES.items()):
        params = daily(job, f"insights {level}") | {"level": name, "filtering": shown(name)}
        fields = FIELDS[: at + 1] + FIELDS[len(PREFIXES) :]
        yield from insights_rows(job, f"insights {level}", account_of(job).get_insights(fields=fields, params=params))


def asynchronous(job: Job) -> Iterator[Row]:
    params = daily(job, "insights ad async") | {"level": "ad", "filtering": shown("ad")}
    report = account_of(job).get_insights(fields=FIELDS, params=params, is_async=True)
    while (status := report.api_get()["async_status"]) != "Job Completed":
        if status in ("Job Failed", "Job Skipped"):
            raise RuntimeError(status)
        time.sleep(0.05)
    yield from insights_rows(job, "insights ad async", report.get_result(params={"limit": 50}))


def broken_down(job: Job) -> Iterator[Row]:
    for stream in ("insights ad hourly", "insights ad age gender"):
        parts = PARTS[stream]
        params = daily(job, stream) | {"level": "ad", "filtering": shown("ad"), "breakdowns": list(parts)}
        yield from insights_rows(job, stream, account_of(job).get_insights(fields=FIELDS, params=params))


def lists(job: Job) -> Iterator[Row]:
    account = account_of(job)
    since = int(datetime.fromisoformat(job.bookmark).timestamp())
    reads = {
        "campaign": (account.get_campaigns, ["name", "updated_time"]),
        "ad_group": (account.get_ad_sets, ["name", "campaign_id", "updated_time"]),
        "ad": (account.get_ads, ["name", "campaign_id", "adset_id", "updated_time"]),
    }
    for level, (read, fields) in reads.items():
        prefix = PREFIXES[level]
        later = [{"field": f"{prefix}.updated_time", "operator": "GREATER_THAN", "value": since}]
        for record in read(fields=fields, params={"limit": 20}):
            yield listed_row(f"{level}s", level, record)
        for record in read(fields=fields, params={"limit": 20, "effective_status": STATUSES[prefix]}):
            yield listed_row(f"every {level}", level, record)
        for record in read(fields=fields, params={"limit": 20, "filtering": later + shown(prefix)}):
            yield listed_row(f"every {level} since", level, record)


def creatives(job: Job) -> Iterator[Row]:
    for record in account_of(job).get_ad_creatives(fields=["name"], params={"limit": 20}):
        yield creative_row("creatives", record)


run({f.__name__: f for f in (accounts, insights, asynchronous, broken_down, lists, creatives)})
