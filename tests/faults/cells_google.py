"""Google's cells. Sources: Google Ads API, "Understand API errors", "Rate limits"; the reference's section 1.6."""

from __future__ import annotations

from faults.matrix import (
    ACCESS_LOST,
    HALVED,
    READ_LATER,
    ROWS_REFUSED,
    TRIED_AGAIN,
    WAITED,
    Cell,
    Fault,
    Outcome,
    Remedy,
)

_GOOGLE = "google_ads"
_NO_REPORTS = "there are no asynchronous reports: a query is answered at once, in a stream"

CELLS = (
    Cell(
        Fault.THROTTLED_BY_CODE,
        _GOOGLE,
        (
            {
                "kind": "throttle",
                "code": "RESOURCE_TEMPORARILY_EXHAUSTED",
                "scope": "ACCOUNT",
                "retry_after": None,
                "times": 3,
            },
        ),
        "quotaError of the ACCOUNT without a retryDelay: exponential from five seconds",
        outcome=WAITED,
        waits=(5, 5, 8),
        brake="profile",
    ),
    Cell(
        Fault.THROTTLED_BY_BODY,
        _GOOGLE,
        ({"kind": "throttle", "scope": "DEVELOPER", "retry_after": 90, "times": 1},),
        "quotaErrorDetails.retryDelay; DEVELOPER is the Cloud project's quota",
        outcome=WAITED,
        waits=(90,),
        brake="app",
        braked=(0, 1),
    ),
    Cell(
        Fault.TOKEN_EXPIRED,
        _GOOGLE,
        ({"kind": "expired_token"},),
        "OAUTH_TOKEN_EXPIRED: the refresh token gives a new one at once",
        who=1,
        amid=1,
        renews=True,
    ),
    Cell(
        Fault.REFRESH_TOKEN_DEAD,
        _GOOGLE,
        ({"kind": "expired_token"}, {"kind": "revoked_credential"}),
        "invalid_grant: the consent was taken back",
        outcome=Outcome(
            code="auth_expired",
            ends=frozenset({"parked"}),
            run="partial",
            events=frozenset({"CredentialBroken"}),
            alarms={"RunsPartial": 1, "CredentialsBroken": 1},
            remedy=Remedy.NEW_CREDENTIAL,
        ),
        who=2,
        renews=True,
    ),
    Cell(
        Fault.PERMISSION_LOST,
        _GOOGLE,
        ({"kind": "access_denied"},),
        "403 USER_PERMISSION_DENIED for one customer",
        outcome=ACCESS_LOST,
    ),
    Cell(
        Fault.TOO_MUCH_DATA,
        _GOOGLE,
        ({"kind": "data_limit", "rows": 10},),
        "504 DEADLINE_EXCEEDED: after repeated ones the dates are to be split",
        outcome=HALVED,
    ),
    Cell(
        Fault.RESET,
        _GOOGLE,
        ({"kind": "truncated_paging", "times": 4},),
        "a stream breaks off amid a batch, in each of the four tries",
        outcome=TRIED_AGAIN,
    ),
    Cell(
        Fault.HTML,
        _GOOGLE,
        ({"kind": "html", "times": 4},),
        "the front end's page with status 502, to each of the four tries",
        outcome=TRIED_AGAIN,
    ),
    Cell(
        Fault.NEW_VALUE,
        _GOOGLE,
        ({"kind": "new_value", "field": "campaign.status"},),
        "a value of a newer version",
        outcome=READ_LATER,
        unknown=1,
        datasets=("campaigns", "ad_daily"),
    ),
    Cell(
        Fault.MISSING_COLUMN,
        _GOOGLE,
        ({"kind": "missing_column", "field": "metrics.cost_micros"},),
        "a metric that was selected is in the rows, also where it is 0: one that is not there is missing",
        outcome=ROWS_REFUSED,
    ),
)
ABSENT = {
    Fault.THROTTLED_BY_HEADER: "the time to wait is in the body, as quotaErrorDetails.retryDelay",
    Fault.REPORT_STUCK: _NO_REPORTS,
    Fault.REPORT_FAILED: _NO_REPORTS,
    Fault.REPORT_SKIPPED: _NO_REPORTS,
    Fault.URL_EXPIRED: _NO_REPORTS,
    Fault.DUPLICATE_ROWS: "searchStream answers in one response: its batches are no pages that could overlap",
    Fault.DECIMAL_COMMAS: "numbers are protobuf's JSON: doubles and int64 texts, whatever the customer's language",
}
