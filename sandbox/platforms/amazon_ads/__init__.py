"""Amazon Ads: Login with Amazon, profiles, entity lists, asynchronous reports, Marketing Stream.

Written from the Amazon Ads API's documentation: Authorization, Profiles, Sponsored Products v3, Sponsored Brands v4,
Sponsored Display, Reporting v3, and Marketing Stream.
"""

from __future__ import annotations

from sandbox.platforms.amazon_ads.api import PATHS, AmazonApi
from sandbox.platforms.amazon_ads.population import PLATFORM, holdings
from sandbox.platforms.amazon_ads.regions import HOSTS, SNS_PATH
from sandbox.platforms.amazon_ads.stream import send_burst, stream_truth
from sandbox.platforms.base import StandIn

STAND_IN = StandIn(
    platform=PLATFORM,
    hosts=HOSTS,
    paths=PATHS,
    api=AmazonApi,
    base_urls=lambda server_url: {
        **{f"api.{region}": f"{server_url}/{region}" for region in ("na", "eu", "fe")},
        **{f"sns.{region}": f"{server_url}{SNS_PATH}" for region in ("na", "eu", "fe")},
        "token": f"{server_url}/auth/o2/token",
    },
    holdings=holdings,
    doors={"stream": send_burst},
    pages={"stream": stream_truth},
    switches={
        "throttle": "429, with the header Retry-After when `retry_after` is given",
        "expired_token": "access tokens issued so far stop working, for good",
        "revoked_credential": "the refresh token and its access tokens are refused",
        "access_denied": "the profile's permission is gone: `status` (default 401)",
        "passing_401": "polling a report answers a 401 that means nothing",
        "server_error": "`status` (default 503)",
        "slow_report": "new reports take `seconds`",
        "broken_report": "finished reports are FAILED with `reason`",
        "expired_url": "a report's download URL has expired when it is named",
        "empty": "new reports have no rows",
        "new_value": "the first entity of a list that is asked for by POST has a state that nobody knows",
        "missing_column": "rows of new reports lack `column` (default cost)",
        "bad_row": "one row of new reports is malformed; `mode`: negative, text, no_key; `ad_id`, else the first row",
        "truncated_paging": "a page with a next one does not say so; `mode`: cut breaks it off",
    },
    crowded=True,
)
