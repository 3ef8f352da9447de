"""Pinterest Ads: version 5 of the API, as far as it is read: tokens, ad accounts, lists and synchronous analytics.

Written from Pinterest's own OpenAPI description (github.com/pinterest/api-description, v5/openapi.json, 5.23.0) and its
page "Rate limits". adweir has no connector for it: it is pulled by a description.
"""

from __future__ import annotations

from sandbox.platforms.base import StandIn
from sandbox.platforms.pinterest_ads.advertisers import PLATFORM, holdings
from sandbox.platforms.pinterest_ads.api import PATHS, PinterestApi

STAND_IN = StandIn(
    platform=PLATFORM,
    hosts=("api.pinterest.com",),
    paths=PATHS,
    api=PinterestApi,
    base_urls=lambda server_url: {"api": f"{server_url}/v5"},
    holdings=holdings,
    switches={
        "throttle": "429 with code 8; `reset`: seconds in X-RateLimit-Reset (default 1)",
        "expired_token": "access tokens are refused with 401 and code 2; those of the next refresh too, until cleared",
        "revoked_credential": "the refresh token is refused, and access tokens with 401 and code 2",
        "access_denied": "403 with code 29 for the ad account",
        "server_error": "`status` (default 500) with code 11",
        "html": "a page in HTML; `status` (default 200)",
        "looping_pages": "each page of a list names the bookmark that led to it, so the list never ends",
        "missing_column": "rows of analytics lack `column` (default SPEND_IN_MICRO_DOLLAR)",
        "empty": "analytics have no rows",
        "bad_row": "one row of analytics is malformed; `mode`: negative, text, no_key; `ad_id`, else the first row",
        "new_value": "the first object of a list has a status that nobody knows",
    },
    known=False,
)
