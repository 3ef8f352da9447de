"""google-ads-api-report-fetcher (gaarf): its fetcher over Google's own client, a report per level."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from driver import Job, Row, metric_row, object_row, run
from gaarf.report_fetcher import AdsReportFetcher
from google_ads_front import front, google_client

SUMS = (
    "metrics.impressions AS impressions, metrics.clicks AS clicks, metrics.cost_micros AS spend,"
    " metrics.conversions AS conversions, metrics.conversions_value AS revenue"
)
LEVELS = {
    "account": ("customer", {}),
    "campaign": ("campaign", {"campaign": "campaign.id"}),
    "ad_group": ("ad_group", {"campaign": "campaign.id", "ad_group": "ad_group.id"}),
    "ad": ("ad_group_ad", {"campaign": "campaign.id", "ad_group": "ad_group.id", "ad": "ad_group_ad.ad.id"}),
}
"""The resource of a level, and the fields of its ids."""


def insights(endpoint: str, job: Job) -> Iterator[Row]:
    client, _ = google_client(endpoint, job.credential)
    fetcher = AdsReportFetcher(client)
    for level, (resource, ids) in LEVELS.items():
        stream = f"insights {level}"
        named = "".join(f"{field} AS {name}, " for name, field in ids.items())
        days = f"segments.date BETWEEN '{job.starts[stream]}' AND '{job.end}'"
        query = f"SELECT {named}segments.date AS day, {SUMS} FROM {resource} WHERE {days}"
        for row in fetcher.fetch(query, job.profile_id):
            metrics = {name: row[name] for name in ("impressions", "clicks", "conversions", "revenue")}
            spend = row["spend"] / 1_000_000
            yield metric_row(stream, row["day"], {name: row[name] for name in ids}, {**metrics, "spend": spend})


def lists(endpoint: str, job: Job) -> Iterator[Row]:
    client, _ = google_client(endpoint, job.credential)
    query = "SELECT campaign.id AS campaign, campaign.name AS name FROM campaign"
    for row in AdsReportFetcher(client).fetch(query, job.profile_id):
        yield object_row("every campaign", {"campaign": row["campaign"]}, name=row["name"])


if __name__ == "__main__":
    with front() as address:
        run({"insights": partial(insights, address), "lists": partial(lists, address)})
