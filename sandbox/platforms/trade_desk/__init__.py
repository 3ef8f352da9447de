"""The Trade Desk: token login, partners with their advertisers, entity queries, MyReports from template to download.

Written from The Trade Desk's public documentation (open.thetradedesk.com: Foundations, REST API calls, strict mode,
return codes, rate limits, delta endpoints) and from what clients of MyReports received.
"""

from __future__ import annotations

from sandbox.platforms.base import StandIn
from sandbox.platforms.trade_desk.api import PATHS, DeskApi
from sandbox.platforms.trade_desk.geography import REGIONS
from sandbox.platforms.trade_desk.population import PLATFORM, holdings

STAND_IN = StandIn(
    platform=PLATFORM,
    hosts=("api.thetradedesk.com", "ext-api.sb.thetradedesk.com"),
    paths=PATHS,
    api=DeskApi,
    base_urls=lambda server_url: {"api": f"{server_url}/v3"},
    holdings=holdings,
    switches={
        "throttle": "429, with the header Retry-After when `retry_after` is given; `status` 503 is its overload",
        "expired_token": "tokens issued so far stop working, for good, a long-lived one too",
        "revoked_credential": "login and password, or the long-lived token, are refused",
        "access_denied": "403 for the advertiser; a partner's report is without its rows",
        "server_error": "`status` (default 500)",
        "gone": "410 on paths that contain `path` (default: every one)",
        "slow_report": "new reports take `seconds`, in the state `state` meanwhile (default Pending, then InProgress)",
        "broken_report": "new reports end in `state` (default Failed) with `reason`",
        "schedule_limit": "a partner may have `most` schedules (default 0 more than it has)",
        "empty": "new reports have no rows: 0 bytes, or with `header` the header alone",
        "bad_row": "one row of new reports is malformed; `mode`: negative, text, no_key; `ad_id`, else the first row",
        "odd_file": "downloads are odd: `mode` bom (default), html, excel, cut, redirect to `host` (default localhost)",
        "missing_column": "new reports lack `column` (default: the cost in the advertiser's currency)",
        "numeric_format": "new schedules have the numeric `format` (default International), whatever was asked for",
        "expired_url": "a report's download link has expired when it is named",
        "new_value": "the first object of an advertiser's list has an Availability that nobody knows",
        "date_text": "Sortable dates of new reports have a time, 2026-11-01T00:00:00",
        "swapped_columns": "from the day `from` on, the campaigns' conversion columns 01 and 02 have each other's tag",
        "short_pages": "lists answer at most `rows` of a page (default 1)",
        "truncated_paging": "an answer that has a next page is broken off",
    },
    regions=REGIONS,
    crowded=True,
)
