"""TikTok's cells. Sources: "Return codes", "API rate limits" [1757262274182145]; the reference's second reading."""

from __future__ import annotations

from faults.matrix import (
    ACCESS_LOST,
    CREDENTIAL_DEAD,
    HALVED,
    READ_LATER,
    ROWS_REFUSED,
    TRIED_AGAIN,
    WAITED,
    Cell,
    Fault,
    Outcome,
)

_TIKTOK = "tiktok_ads"
_CUT = {"kind": "silent_cut", "ids": 1, "narrowed": True}
"""Only the newest ads, even of one campaign: an asynchronous report is what is left."""

CELLS = (
    Cell(
        Fault.THROTTLED_BY_CODE,
        _TIKTOK,
        ({"kind": "throttle", "code": 40133, "times": 1},),
        "40133: the advertiser's requests to this path; the documents name five minutes",
        outcome=WAITED,
        waits=(300,),
        brake="profile",
    ),
    Cell(
        Fault.THROTTLED_BY_BODY,
        _TIKTOK,
        ({"kind": "throttle", "code": 40100, "message": "App reaches the QPM limit.", "times": 1},),
        "40100 with HTTP 200: the message says which of the app's quotas is used up, that of a minute for five",
        outcome=WAITED,
        waits=(300,),
        brake="app",
        braked=(0, 1),
    ),
    Cell(
        Fault.TOKEN_EXPIRED,
        _TIKTOK,
        ({"kind": "expired_token"},),
        "40102; the token is long-lived and is not renewed",
        outcome=CREDENTIAL_DEAD,
        who=1,
        amid=1,
    ),
    Cell(
        Fault.REFRESH_TOKEN_DEAD,
        _TIKTOK,
        ({"kind": "revoked_credential"},),
        "40105: revoked; there is no refresh token, so the token itself is dead",
        outcome=CREDENTIAL_DEAD,
        who=2,
    ),
    Cell(
        Fault.PERMISSION_LOST,
        _TIKTOK,
        ({"kind": "access_denied"},),
        "40001: no permission to operate the advertiser",
        outcome=ACCESS_LOST,
    ),
    Cell(
        Fault.TOO_MUCH_DATA,
        _TIKTOK,
        ({"kind": "data_limit", "rows": 10},),
        "40067: the query is too large",
        outcome=HALVED,
    ),
    Cell(
        Fault.REPORT_STUCK,
        _TIKTOK,
        (_CUT, {"kind": "slow_report", "seconds": 100_000, "times": 1}),
        "a task that stays PROCESSING",
        outcome=Outcome(code="not_ready", ends=frozenset({"split", "loaded"})),
        remade=10_800,
    ),
    Cell(
        Fault.REPORT_FAILED,
        _TIKTOK,
        (_CUT, {"kind": "broken_report", "times": 1}),
        "a task that ends FAILED",
        outcome=HALVED,
        remade=60,
    ),
    Cell(
        Fault.RESET,
        _TIKTOK,
        ({"kind": "half_answer", "times": 1},),
        "a request that broke off is repeated later, never at once: three in ten minutes are blocked",
        outcome=TRIED_AGAIN,
    ),
    Cell(
        Fault.DUPLICATE_ROWS,
        _TIKTOK,
        ({"kind": "drifting_pages", "times": 1},),
        "paging is unsorted and drifts: a key that repeats means to begin again (C32)",
        outcome=TRIED_AGAIN,
        asks={"adweir.platforms.tiktok_ads.paging.PAGE_SIZE": 5},
    ),
    Cell(
        Fault.HTML,
        _TIKTOK,
        ({"kind": "html", "times": 1},),
        "the gateway's page in HTML with status 200",
        outcome=TRIED_AGAIN,
    ),
    Cell(
        Fault.NEW_VALUE,
        _TIKTOK,
        ({"kind": "new_value"},),
        "secondary_status has more values with each year",
        outcome=READ_LATER,
        unknown=1,
        datasets=("ads", "ad_daily"),
    ),
    Cell(
        Fault.MISSING_COLUMN,
        _TIKTOK,
        ({"kind": "missing_column"},),
        "a metric that was asked for and does not come is unknown (B29), and a row without spend is none",
        outcome=ROWS_REFUSED,
    ),
)
ABSENT = {
    Fault.THROTTLED_BY_HEADER: "there is no Retry-After and no quota header [1757262274182145]",
    Fault.REPORT_SKIPPED: "a task is QUEUING, PROCESSING, SUCCESS, FAILED or CANCELED, and only its owner cancels one",
    Fault.URL_EXPIRED: "with CSV_STRING the answer of /report/task/download/ is the file [1740302808815618]: no link",
    Fault.DECIMAL_COMMAS: "metrics are JSON texts with a point, whatever the advertiser's language",
}
