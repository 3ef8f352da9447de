"""An advertiser's own feed: what its newsletter, affiliates and podcasts cost and brought, as its own systems tell it.

It is nobody's product: a CSV in adweir's own columns behind a password, a JSON document per day in a shape of its own
behind a key, and both as objects that a nightly job writes (`objects`).
"""

from __future__ import annotations

from sandbox.platforms.base import StandIn
from sandbox.platforms.own_feed.api import PATHS, OwnFeedApi
from sandbox.platforms.own_feed.owner import PLATFORM, holdings

STAND_IN = StandIn(
    platform=PLATFORM,
    hosts=("data.halden.example", "data.mori.example"),
    paths=PATHS,
    api=OwnFeedApi,
    base_urls=lambda server_url: {"api": f"{server_url}/own-feed"},
    holdings=holdings,
    switches={
        "throttle": "429; `retry_after`: seconds (default 1)",
        "expired_token": "key and password are refused with 401, until cleared",
        "server_error": "`status` (default 503)",
        "html": "a page in HTML; `status` (default 200)",
        "missing_column": "rows lack `column` (default: what they cost)",
        "empty": "there are no rows",
        "bad_row": "the first row is malformed; `mode`: negative, text, no_key",
    },
    known=False,
)
