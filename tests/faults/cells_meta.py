"""Meta's cells. Sources: Marketing API, "Error Codes" and "Rate Limiting"; the reference's section 2.7."""

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

_META = "meta_ads"
_LONG = ("2026-11-01", "2026-11-09")
"""More than a week is a job."""

CELLS = (
    Cell(
        Fault.THROTTLED_BY_HEADER,
        _META,
        ({"kind": "throttle", "code": 80000, "regain_minutes": 3, "times": 1},),
        "80000 is the ad account's; x-business-use-case-usage names the minutes until it may ask again",
        outcome=WAITED,
        waits=(180,),
        brake="profile",
    ),
    Cell(
        Fault.THROTTLED_BY_CODE,
        _META,
        ({"kind": "throttle", "code": 4, "regain_minutes": 0, "times": 1},),
        "code 4 is the app's limit; where no header names a time, a minute",
        outcome=WAITED,
        waits=(60,),
        brake="app",
        braked=(0, 1),
    ),
    Cell(
        Fault.THROTTLED_BY_CODE,
        _META,
        ({"kind": "throttle", "code": 4, "regain_minutes": 2, "times": 1},),
        "the same while jobs are polled: those of the app wait, with the minutes of the header",
        outcome=WAITED,
        amid=2,
        waits=(120,),
        brake="app",
        braked=(0, 1),
        days=_LONG,
    ),
    Cell(
        Fault.TOKEN_EXPIRED,
        _META,
        ({"kind": "expired_token"},),
        "190/463: the session has ended; a token of Meta is not renewed, somebody has to log in",
        outcome=CREDENTIAL_DEAD,
        who=1,
        amid=1,
    ),
    Cell(
        Fault.REFRESH_TOKEN_DEAD,
        _META,
        ({"kind": "revoked_credential"},),
        "190/458: the user has taken the app's permission back; the token is all that there is",
        outcome=CREDENTIAL_DEAD,
        who=2,
    ),
    Cell(
        Fault.PERMISSION_LOST,
        _META,
        ({"kind": "access_denied"},),
        "code 200 on one ad account",
        outcome=ACCESS_LOST,
    ),
    Cell(
        Fault.TOO_MUCH_DATA,
        _META,
        ({"kind": "data_limit", "rows": 16},),
        "code 1 with status 500: reduce the amount of data; two days have more rows than that, one has fewer",
        outcome=HALVED,
    ),
    Cell(
        Fault.REPORT_STUCK,
        _META,
        ({"kind": "slow_report", "seconds": 100_000, "times": 1},),
        "a job that never gets beyond Job Running",
        outcome=Outcome(code="not_ready"),
        remade=10_800,
        days=_LONG,
    ),
    Cell(
        Fault.REPORT_FAILED,
        _META,
        ({"kind": "broken_report", "times": 1},),
        "async_status Job Failed",
        remade=60,
        days=_LONG,
    ),
    Cell(
        Fault.REPORT_SKIPPED,
        _META,
        ({"kind": "broken_report", "status": "Job Skipped", "times": 1},),
        "async_status Job Skipped: it expired in the queue, and is to be asked for again",
        remade=60,
        days=_LONG,
    ),
    Cell(
        Fault.RESET,
        _META,
        ({"kind": "half_answer", "times": 4},),
        "the connection ends in the middle of each of the four tries of a page",
        outcome=TRIED_AGAIN,
    ),
    Cell(
        Fault.DUPLICATE_ROWS,
        _META,
        ({"kind": "short_pages", "rows": 8}, {"kind": "drifting_pages", "times": 2}),
        "cursors point into a list that may change: two pages have a row in common",
    ),
    Cell(
        Fault.HTML,
        _META,
        ({"kind": "proxy_page", "times": 1},),
        "a page in HTML with status 200",
        outcome=TRIED_AGAIN,
    ),
    Cell(
        Fault.NEW_VALUE,
        _META,
        ({"kind": "new_value"},),
        "effective_status grows with each version of the API",
        outcome=READ_LATER,
        unknown=1,
        datasets=("ads", "ad_daily"),
    ),
    Cell(
        Fault.MISSING_COLUMN,
        _META,
        ({"kind": "missing_column"},),
        "rows without spend: only impressions and clicks are absent where they are 0",
        outcome=ROWS_REFUSED,
    ),
)
ABSENT = {
    Fault.THROTTLED_BY_BODY: "Meta's error bodies name no time to wait: it is in the usage headers",
    Fault.URL_EXPIRED: "a job's rows are read by its id and the token, there is no link to a file",
    Fault.DECIMAL_COMMAS: "numbers are JSON texts with a point, whatever the account's language",
}
