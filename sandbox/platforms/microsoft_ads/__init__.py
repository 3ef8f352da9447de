"""Microsoft Advertising: the REST interface of version 13, tokens of Microsoft's identity platform, and report files.

Written from Microsoft's documents (learn.microsoft.com/advertising; their source is
MicrosoftDocs/Advertising, August 2026) and the models of BingAds-Python-SDK: ids are texts, amounts numbers.
"""

from __future__ import annotations

from sandbox.platforms.base import StandIn
from sandbox.platforms.microsoft_ads.api import PATHS, PREFIX, MicrosoftApi
from sandbox.platforms.microsoft_ads.population import PLATFORM, holdings

STAND_IN = StandIn(
    platform=PLATFORM,
    hosts=(
        "clientcenter.api.bingads.microsoft.com",
        "campaign.api.bingads.microsoft.com",
        "reporting.api.bingads.microsoft.com",
        "login.microsoftonline.com",
    ),
    paths=PATHS,
    api=MicrosoftApi,
    base_urls=lambda server_url: {
        "customer": f"{server_url}{PREFIX}/CustomerManagement/v13",
        "campaign": f"{server_url}{PREFIX}/CampaignManagement/v13",
        "reporting": f"{server_url}{PREFIX}/Reporting/v13",
        "login": server_url,
    },
    holdings=holdings,
    switches={
        "throttle": "code 117 with status 429, or the fault `code` (207: too many reports at once) with `status`",
        "expired_token": "access tokens issued so far stop working, for good (109)",
        "revoked_credential": "the refresh token is refused (invalid_grant), and access tokens with 105",
        "access_denied": "106 for the ad account, and 2003 for a report with it",
        "server_error": "InternalError with `status` (default 500)",
        "slow_report": "new reports take `seconds`",
        "broken_report": "new reports end in Error",
        "empty": "new reports have no rows, so no URL",
        "bad_row": "one row of new reports is malformed; `mode`: negative, text, no_key; `ad_id`, else the first row",
        "missing_column": "new reports lack `column` (default Spend)",
        "expired_url": "a report's download URL has expired when it is named",
        "new_value": "the first object of a list has a Status that nobody knows",
    },
)
