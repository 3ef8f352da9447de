"""python-amazon-ad-api: the community's client."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import ad_api.base  # noqa: F401 - before ad_api.auth, or the package imports itself in a circle
from ad_api.api import Profiles, Reports, sb, sd, sp
from ad_api.base import Marketplaces
from amazon_rows import listed_row, profile_row, report_row
from driver import Job, Row, run

PRODUCTS = {"sp": "SPONSORED_PRODUCTS", "sb": "SPONSORED_BRANDS", "sd": "SPONSORED_DISPLAY"}
GROUP = ["campaignId", "adGroupId"]
REPORTS = {
    "sp report campaign": ("spCampaigns", ["campaign"], ["campaignId"]),
    "sp report ad_group": ("spCampaigns", ["campaign", "adGroup"], GROUP),
    "sp report ad": ("spAdvertisedProduct", ["advertiser"], [*GROUP, "adId"]),
    "sp report keyword": ("spTargeting", ["targeting"], [*GROUP, "keywordId"]),
    "sp report target": ("spTargeting", ["targeting"], [*GROUP, "keywordId"]),
    "sb report campaign": ("sbCampaigns", ["campaign"], ["campaignId"]),
    "sb report ad": ("sbAds", ["ads"], [*GROUP, "adId"]),
    "sb report keyword": ("sbTargeting", ["targeting"], [*GROUP, "keywordId"]),
    "sd report campaign": ("sdCampaigns", ["campaign"], ["campaignId"]),
    "sd report ad": ("sdAdvertisedProduct", ["advertiser"], [*GROUP, "adId"]),
    "sd report target": ("sdTargeting", ["targeting"], [*GROUP, "targetingId"]),
}
BODIES: dict[str, tuple[type, str, str]] = {
    "sp campaigns": (sp.CampaignsV3, "list_campaigns", "campaigns"),
    "sp ad_groups": (sp.AdGroupsV3, "list_ad_groups", "adGroups"),
    "sp ads": (sp.ProductAdsV3, "list_product_ads", "productAds"),
    "sp keywords": (sp.KeywordsV3, "list_keywords", "keywords"),
    "sp targets": (sp.TargetsV3, "list_product_targets", "targetingClauses"),
    "sb campaigns": (sb.CampaignsV4, "list_campaigns", "campaigns"),
    "sb ad_groups": (sb.AdGroupsV4, "list_ad_groups", "adGroups"),
    "sb ads": (sb.AdsV4, "list_ads", "ads"),
    "sb targets": (sb.Targets, "list_products_targets", "targets"),
}
QUERIES: dict[str, tuple[type, str]] = {
    "sb keywords": (sb.Keywords, "list_keywords"),
    "sd campaigns": (sd.Campaigns, "list_campaigns"),
    "sd ad_groups": (sd.AdGroups, "list_ad_groups"),
    "sd ads": (sd.ProductAds, "list_product_ads"),
    "sd targets": (sd.Targets, "list_products_targets"),
}
MARKETPLACES = {"NA": Marketplaces.NA, "EU": Marketplaces.EU, "FE": Marketplaces.JP}
FILTERS = {
    "sp report keyword": ["BROAD", "PHRASE", "EXACT"],
    "sp report target": ["TARGETING_EXPRESSION", "TARGETING_EXPRESSION_PREDEFINED"],
}
PAGE = 20


def settings(job: Job) -> dict[str, Any]:
    names = ("refresh_token", "client_id", "client_secret")
    key = {name: job.credential[name] for name in names} | {"profile_id": job.profile_id}
    return {"marketplace": MARKETPLACES[job.region], "credentials": key}


def profiles(job: Job) -> Iterator[Row]:
    for record in Profiles(**settings(job)).list_profiles().payload:
        if str(record["profileId"]) == job.profile_id:
            yield profile_row(record)


def by_body(stream: str, job: Job) -> Iterator[Row]:
    kind, method, key = BODIES[stream]
    ask, token = getattr(kind(**settings(job)), method), ""
    while True:
        body = {"maxResults": PAGE} | ({"nextToken": token} if token else {})
        answer = ask(body=json.dumps(body)).payload
        for record in answer[key]:
            yield listed_row(stream, record)
        token = answer.get("nextToken")
        if not token:
            return


def by_query(stream: str, job: Job) -> Iterator[Row]:
    kind, method = QUERIES[stream]
    ask, start = getattr(kind(**settings(job)), method), 0
    while records := ask(startIndex=start, count=PAGE).payload:
        for record in records:
            yield listed_row(stream, record)
        start += PAGE


def report(stream: str, job: Job) -> Iterator[Row]:
    (kind, groups, ids), client = REPORTS[stream], Reports(**settings(job))
    product = stream.partition(" ")[0]
    sold = ["purchases7d", "sales7d", "purchases14d", "sales14d"] if product == "sp" else ["purchases", "sales"]
    configuration: dict[str, Any] = {
        "adProduct": PRODUCTS[product],
        "groupBy": groups,
        "columns": ["date", *ids, "impressions", "clicks", "cost", *sold],
        "reportTypeId": kind,
        "timeUnit": "DAILY",
        "format": "GZIP_JSON",
    }
    if stream in FILTERS:
        configuration["filters"] = [{"field": "keywordType", "values": FILTERS[stream]}]
    body = {"name": stream, "startDate": job.starts[stream], "endDate": job.end, "configuration": configuration}
    answer = client.post_report(body=json.dumps(body)).payload
    while answer["status"] != "COMPLETED":
        if answer["status"] == "FAILED":
            raise RuntimeError(answer["failureReason"])
        time.sleep(0.05)
        answer = client.get_report(reportId=answer["reportId"]).payload
    for record in client.download_report(url=answer["url"], format="data").payload:
        yield report_row(job, stream, record)


def asked(stream: str, job: Job) -> Iterator[Row]:
    if stream in job.streams:
        yield from (by_body if stream in BODIES else by_query if stream in QUERIES else report)(stream, job)


logging.getLogger().setLevel(logging.ERROR)  # the client logs each of its requests, which would hide its errors
run({"profiles": profiles} | {stream: partial(asked, stream) for stream in (*BODIES, *QUERIES, *REPORTS)})
