"""airbyte-source-amazon-ads: Airbyte's source for Amazon Ads."""

from __future__ import annotations

from collections.abc import Iterator

from airbyte import Source
from amazon_rows import listed_row, profile_row, report_row
from driver import Job, Row, run

LISTS = {
    "sponsored_product_campaigns": "sp campaigns",
    "sponsored_product_ad_groups": "sp ad_groups",
    "sponsored_product_ads": "sp ads",
    "sponsored_product_keywords": "sp keywords",
    "sponsored_product_targetings": "sp targets",
    "sponsored_brands_campaigns": "sb campaigns",
    "sponsored_brands_ad_groups": "sb ad_groups",
    "sponsored_brands_keywords": "sb keywords",
    "sponsored_display_campaigns": "sd campaigns",
    "sponsored_display_ad_groups": "sd ad_groups",
    "sponsored_display_product_ads": "sd ads",
    "sponsored_display_targetings": "sd targets",
}
REPORTS = {
    "sponsored_products_campaigns_report_stream_daily": "sp report campaign",
    "sponsored_products_adgroups_report_stream_daily": "sp report ad_group",
    "sponsored_products_productads_report_stream_daily": "sp report ad",
    "sponsored_products_keywords_report_stream_daily": "sp report keyword",
    "sponsored_products_targets_report_stream_daily": "sp report target",
    "sponsored_display_campaigns_report_stream_daily": "sd report campaign",
    "sponsored_display_adgroups_report_stream_daily": "sd report ad_group",
    "sponsored_display_productads_report_stream_daily": "sd report ad",
    "sponsored_display_targets_report_stream_daily": "sd report target",
}


def source(job: Job) -> Source:
    names = ("client_id", "client_secret", "refresh_token")
    configuration = {
        **{name: job.credential[name] for name in names},
        "auth_type": "oauth2.0",
        "region": job.region,
        "start_date": min(job.starts.values()),
        "profiles": [int(job.profile_id)],
        "look_back_window": 3,
        "state_filter": [],
        "num_workers": 10,
    }
    return Source("source-amazon-ads", configuration)


def everything(job: Job) -> Iterator[Row]:
    streams = {name: stream for name, stream in (LISTS | REPORTS).items() if stream in job.streams}
    for name, record in source(job).read(["profiles", *streams]):
        if name in REPORTS:
            yield report_row(job, streams[name], record)
        elif name in LISTS:
            yield listed_row(streams[name], record)
        elif str(record["profileId"]) == job.profile_id:
            yield profile_row(record)


run({"everything": everything})
