"""Google Ads: the token endpoint, accessible customers, GAQL queries in pages and in streams, fields.

Written from the Google Ads API's documentation of version v26 and the official client's protobuf classes.
"""

from __future__ import annotations

from sandbox.platforms.base import StandIn
from sandbox.platforms.google_ads.actions import action_truth
from sandbox.platforms.google_ads.api import PATHS, GoogleApi
from sandbox.platforms.google_ads.geography import REGIONS
from sandbox.platforms.google_ads.lead_forms import lead_secrets, send_leads
from sandbox.platforms.google_ads.population import PLATFORM, holdings

STAND_IN = StandIn(
    platform=PLATFORM,
    hosts=("googleads.googleapis.com", "oauth2.googleapis.com", "accounts.google.com"),
    paths=PATHS,
    api=GoogleApi,
    base_urls=lambda server_url: {"api": server_url, "token": f"{server_url}/token"},
    holdings=holdings,
    switches={
        "throttle": "429 with `code` (default RESOURCE_EXHAUSTED), `scope`, and retryDelay `retry_after` (default 5)",
        "expired_token": "access tokens issued so far stop working, for good",
        "revoked_credential": "the refresh token is dead (invalid_grant), and its access tokens are refused",
        "access_denied": "the customer's permission is gone: 403 with `code` (default USER_PERMISSION_DENIED)",
        "server_error": "`status` (default 503)",
        "data_limit": "answers with more than `rows` rows miss the deadline (504), or exhaust the quota `code`",
        "stream_error": "after `batches` (default 1) a stream's next element is an error; its HTTP status is 200",
        "html": "a page of HTML instead of JSON, with `status` (default 502)",
        "new_value": "one row has an enum value that v26 lacks; `field`, else the first selected one; `value`",
        "missing_column": "rows lack a field that was selected: `field`, else the last one",
        "expired_page_token": "page tokens have expired",
        "empty": "queries for metrics or segments have no rows",
        "bad_row": "one row is malformed; `mode`: negative, text, no_key",
        "truncated_paging": "a stream breaks off; a page with a next one does not say so, or with `mode` cut too",
    },
    regions={code: f"geoTargetConstants/{target.id}" for code, target in REGIONS.items()} | {"": ""},
    webhook_secrets=lead_secrets,
    forms=True,
    doors={"webhooks/google": send_leads},
    truths={"conversion_action": action_truth},
    crowded=True,
)
