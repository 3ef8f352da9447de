"""The meaning of Meta's error codes and usage headers (Marketing API, Error Codes and Rate Limiting), as data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from adweir.model import limits
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    OutOfRetention,
    ReportFailed,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
)
from adweir.platforms.http import Response
from adweir.platforms.meta import RETENTION_DAYS, wire

SLOW_DOWN = 75.0
WALL = 95.0
"""Per cent of a quota used: above the first well-made clients slow down, above the second they pause."""
_LEAST_WAIT = 60.0
TIMED_OUT = 1504018
"""Meta's subcode for a question that takes too long to answer at once, whatever the size of a page."""
GONE = 33
"""Meta's subcode for an object that does not exist, or not for this credential."""
_APP_LIMIT = 4
"""Meta's code for the application's own limit."""


class Meaning(StrEnum):
    """RETRY: the same request may succeed within seconds, RETRY_THEN_LESS: if not, one for less data may.

    SMALLER: a smaller page may succeed, where there are pages; else as RETRY. LESS: only less data can, in a page, a
    window or a job. LOST: the object is gone, or the credential may not see it any more.
    """

    RETRY = "retry"
    RETRY_THEN_LESS = "retry_then_less"
    SMALLER = "smaller"
    LESS = "less"
    WAIT = "wait"
    AUTH = "auth"
    DENIED = "denied"
    RETENTION = "retention"
    REPORT = "report"
    LOST = "lost"
    REJECTED = "rejected"


# (code, subcode) first, then (code, 0) for any other subcode. The HTTP status matters for code 1 only.
_MEANING = {
    (1, 0): Meaning.RETRY,
    (1, 99): Meaning.LESS,
    (2, 0): Meaning.RETRY,
    (2, 1504038): Meaning.RETRY_THEN_LESS,
    (2, 1504041): Meaning.REJECTED,
    (2, 1504042): Meaning.RETRY_THEN_LESS,
    (2, 1504043): Meaning.RETRY_THEN_LESS,
    (2, 1504044): Meaning.RETRY_THEN_LESS,
    (4, 0): Meaning.WAIT,
    (10, 0): Meaning.DENIED,
    (17, 0): Meaning.WAIT,
    (32, 0): Meaning.WAIT,
    (100, 0): Meaning.REJECTED,
    (100, GONE): Meaning.LOST,
    (100, 1487534): Meaning.LESS,
    (100, TIMED_OUT): Meaning.LESS,
    (102, 0): Meaning.AUTH,
    (190, 0): Meaning.AUTH,
    (613, 0): Meaning.WAIT,
    (960, 0): Meaning.RETRY,
    (2635, 0): Meaning.REJECTED,
    (3018, 0): Meaning.RETENTION,
    (-2, 0): Meaning.REPORT,
}
_MEANING |= {(code, 0): Meaning.DENIED for code in range(200, 300)}
_MEANING |= {(code, 0): Meaning.WAIT for code in range(80000, 80015)}
_REDUCE = "reduce the amount of data"

_SIMPLE: Mapping[Meaning, type[AdweirError]] = {
    Meaning.RETRY: Transient,
    Meaning.RETRY_THEN_LESS: TooMuchData,
    Meaning.SMALLER: Transient,
    Meaning.LESS: TooMuchData,
    Meaning.AUTH: AuthExpired,
    Meaning.DENIED: AccessDenied,
    Meaning.REPORT: ReportFailed,
    Meaning.REJECTED: RequestRejected,
}


def meaning(error: wire.Error, status: int) -> Meaning:
    """What to do about an error: by subcode, by code, by its own word that it is transient, else a rejection.

    Code 1 without a subcode at HTTP 500 is Meta's answer to pages that are too large (airbytehq/airbyte,
    source-facebook-marketing, streams/common.py).
    """
    if _REDUCE in error.message.lower():
        return Meaning.LESS
    if (error.code, error.error_subcode, status) == (1, 0, 500):
        return Meaning.SMALLER
    found = _MEANING.get((error.code, error.error_subcode)) or _MEANING.get((error.code, 0))
    return found or (Meaning.RETRY if error.is_transient else Meaning.REJECTED)


def to_fault(error: wire.Error, answer: Response, now: datetime) -> AdweirError:
    """The error of ours to raise for an answer that has this one."""
    text = f"Meta: ({error.code}/{error.error_subcode}) {error.message[:300]}"
    trace, path = error.fbtrace_id[:60], urlsplit(answer.url).path
    what = meaning(error, answer.status)
    if what is Meaning.WAIT:
        # Code 4 is the application's limit, 17 and 613 the ad account's, 80000 and up those of its use cases
        # (Graph API, Rate Limits), whichever quota the headers show to be nearly used up.
        scope = ThrottleScope.APP if error.code == _APP_LIMIT else ThrottleScope.PROFILE
        wait = read_usage(answer.headers, kind_of(path)).wait
        return Throttled(text, retry_after=wait, scope=scope, platform_code=error.code, trace=trace)
    if what is Meaning.RETENTION:
        # A day later than the bound by UTC: the account may be west of it.
        return OutOfRetention(text, (now - timedelta(days=RETENTION_DAYS - 1)).date(), trace=trace)
    if what is Meaning.LOST:
        # An ad account that was listed does exist: this is lost access (singer-io/tap-facebook#93).
        made: type[AdweirError] = AccessDenied if "/act_" in path else RequestRejected
    else:
        made = _SIMPLE[what]
    return made(text, platform_code=error.code, subcode=error.error_subcode, trace=trace)


def kind_of(path: str) -> str:
    """The use case that a path counts for, as the usage headers call it."""
    return "ads_insights" if path.endswith("insights") else "ads_management"


class Usage(NamedTuple):
    """How much of the quotas is used (`percent`, the highest), and the seconds to wait at the wall (60 at least).

    `scope` is the owner of that quota: the application, whose profiles share it, or the ad account.
    """

    percent: float = 0.0
    wait: float = _LEAST_WAIT
    scope: ThrottleScope = ThrottleScope.PROFILE

    @property
    def at_the_wall(self) -> bool:
        return self.percent > WALL

    @property
    def pause(self) -> float:
        """Seconds to pause before the next page: 0 up to 75 %, then growing to 2 at 95 %."""
        return max(0.0, min(2.0, (self.percent - SLOW_DOWN) / 10))


def read_usage(headers: Mapping[str, str], kind: str) -> Usage:
    """The usage headers of an answer; `kind` is ads_insights or ads_management. Never raises."""
    percent, minutes = 0.0, 0.0
    for entries in _json(headers.get("x-business-use-case-usage")).values():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("type", kind) == kind:
                percent = max(percent, *(_number(entry.get(n)) for n in ("call_count", "total_cputime", "total_time")))
                minutes = max(minutes, _number(entry.get("estimated_time_to_regain_access")))
    account = _json(headers.get("x-ad-account-usage"))
    seconds = max(_LEAST_WAIT, minutes * 60)
    if _number(account.get("acc_id_util_pct")) > WALL:
        seconds = max(seconds, _number(account.get("reset_time_duration")))
    throttle, app = _json(headers.get("x-fb-ads-insights-throttle")), _json(headers.get("x-app-usage"))
    percent = max(percent, *(_number(source.get("acc_id_util_pct")) for source in (account, throttle)))
    names = ("call_count", "total_time", "total_cputime")
    of_app = max(_number(throttle.get("app_id_util_pct")), *(_number(app.get(name)) for name in names))
    scope = ThrottleScope.APP if of_app > max(percent, WALL) else ThrottleScope.PROFILE
    return Usage(max(percent, of_app), min(seconds, limits.MAX_PLATFORM_WAIT_SECONDS), scope)


def _json(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e9 else 0.0
