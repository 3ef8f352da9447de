"""TikTok Ads: the API for Business, version 1.3.

Written from TikTok's documents as bububa/tiktok-business quotes them, the official SDK tiktok/tiktok-business-api-sdk,
and the notes of those who call it. Spreadsheets and reports of catalogs and business centers
are not there. A TopView and a promoted post stand apart in the world: they come when they are asked for by themselves.
A Branded Mission never does, and only the advertiser's own level has it.
"""

from __future__ import annotations

from sandbox.platforms.base import StandIn
from sandbox.platforms.tiktok_ads.api import PATHS, TikTokApi
from sandbox.platforms.tiktok_ads.geography import PROVINCES
from sandbox.platforms.tiktok_ads.population import PLATFORM, holdings
from sandbox.platforms.tiktok_ads.shop_days import shop_truth
from sandbox.platforms.tiktok_ads.subscriptions import send_events, webhook_secrets

STAND_IN = StandIn(
    platform=PLATFORM,
    hosts=("business-api.tiktok.com",),
    paths=PATHS,
    api=TikTokApi,
    base_urls=lambda server_url: {"api": server_url},
    holdings=holdings,
    switches={
        "throttle": "`code` (default 40100, or 40016, 40132, 40133, 61000) with HTTP 200; `message`",
        "quota": "calls are counted against the quota of `level` (Basic, Advanced, Premium, Ultimate)",
        "expired_token": "40102 until it is cleared",
        "revoked_credential": "`code` (default 40105)",
        "access_denied": "the advertiser's permission is gone: `code` (default 40001, or 40003, 40301), `message`",
        "not_allowed": "asynchronous reports are refused with 40118",
        "server_error": "the gateway's `status` (default 503) in plain text, or `code` (50000, 51010, 60001) with 200",
        "html": "a page in HTML instead of JSON, with `status` (default 200)",
        "slow_report": "new asynchronous reports take `seconds`",
        "broken_report": "finished asynchronous reports are FAILED with `reason`",
        "data_limit": "reports of more than `rows` rows are refused with 40067",
        "silent_cut": "a report (of no campaigns, unless `narrowed`) has the newest `ids` only, and X-Tt-Ads-Throttle",
        "drifting_pages": "a later page repeats a row of the page before; with `mode` total the number of rows changes",
        "partial": "code 20001, with the data",
        "empty": "reports have no rows",
        "bad_row": "one report row is malformed; `mode`: negative, text, comma, no_key, no_metric; `metric`, `ad_id`",
        "missing_column": "report rows lack `metric` (default spend)",
        "new_value": "the first thing of a list has a status that nobody knows",
        "truncated_paging": "a page with a next one has no page_info; `mode`: cut breaks it off",
    },
    webhook_secrets=webhook_secrets,
    doors={"webhooks/tiktok": send_events},
    regions=PROVINCES,
    forms=True,
    truths={"gmv_max": shop_truth},
    crowded=True,
)
