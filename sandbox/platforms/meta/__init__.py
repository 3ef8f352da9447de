"""Meta Ads: the Marketing API on Graph, its asynchronous jobs and its webhooks.

Written from Meta's documentation: Graph API, Marketing API (Insights, Rate Limiting, Error Codes), Webhooks.
"""

from __future__ import annotations

from sandbox.platforms.base import StandIn
from sandbox.platforms.meta.api import VERSIONED, MetaApi
from sandbox.platforms.meta.geography import REGIONS
from sandbox.platforms.meta.graph import MIXED_ONLY
from sandbox.platforms.meta.lead_notices import send_leads
from sandbox.platforms.meta.population import PLATFORM, holdings
from sandbox.platforms.meta.webhooks import send_notifications, webhook_secrets

STAND_IN = StandIn(
    platform=PLATFORM,
    hosts=("graph.facebook.com",),
    paths=VERSIONED,
    api=MetaApi,
    base_urls=lambda server_url: {"api": server_url},
    holdings=holdings,
    id_prefix="act_",
    switches={
        "throttle": "refuses with `code` (default 80000), `subcode`, `status` and usage headers with `regain_minutes`",
        "expired_token": "190/463 until it is cleared",
        "revoked_credential": "190/458",
        "access_denied": "the ad account's permission is gone: `code` 200 (default), or 100 as if it did not exist",
        "no_lead_access": "leads are refused with code 200: the page's are for others",
        "require_proof": "calls without appsecret_proof are refused",
        "server_error": "code 2 with `status` (default 503)",
        "slow_report": "new jobs take `seconds`",
        "broken_report": "finished jobs are `status` (default Job Failed, or Job Skipped) with `reason`",
        "data_limit": "more than `rows` rows are refused (reduce the amount of data); jobs' too with `async`",
        MIXED_ONLY: "action_report_time has no effect: off-Meta actions are always on the day of the conversion",
        "empty": "insights have no rows",
        "new_value": "the first object of a list has an effective_status that nobody knows",
        "missing_column": "insights rows lack `field` (default spend)",
        "bad_row": "one insights row is malformed; `mode`: negative, text, no_key; `ad_id`, else the first row",
        "short_pages": "pages have at most `rows` rows (default 1)",
        "drifting_pages": "a page has the first row of the next one, too",
        "truncated_paging": "a page with a next one does not say so; `mode`: no_paging, no_next, cut",
    },
    webhook_secrets=webhook_secrets,
    doors={"webhooks/meta": send_notifications, "webhooks/meta/leads": send_leads},
    regions=REGIONS,
    forms=True,
    crowded=True,
)
