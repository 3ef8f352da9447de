"""The meaning of TikTok's codes, as data. Almost every answer has HTTP status 200; its code says what happened.

Sources: the official SDK's list of codes; the documents on return codes and on rate limits [1757262274182145].
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
)

OK, PARTIAL = 0, 20001
SLOW_SYSTEM, SLOW_STATISTICS = 50002, 51010
"""TikTok took too long: a smaller request may succeed; of statistics the same one, asked once more, usually does."""
MINUTES = 300.0
"""After the calls per minute are used up TikTok refuses for five minutes, and after a 5xx it asks to wait as long."""
_SECONDS = 5.0
_UNSAID = 60.0


class _Wait(NamedTuple):
    scope: ThrottleScope
    seconds: float = MINUTES


_WAITS = {
    40016: _Wait(ThrottleScope.APP),
    40132: _Wait(ThrottleScope.APP),
    40133: _Wait(ThrottleScope.PROFILE),
    60001: _Wait(ThrottleScope.APP, 600.0),
    61000: _Wait(ThrottleScope.APP),
}
_TOO_FREQUENT = 40100
_AMBIGUOUS = frozenset({40001, 40002})
"""Codes that say more than one thing; their message tells them apart."""
_MEANINGS: dict[int, type[AdweirError]] = {
    **dict.fromkeys([40001, 40003, 40106, 40130, 40300, 40301], AccessDenied),
    **dict.fromkeys([40101, 40102, 40104, 40105, 40110, 40113, 40114, 40119, 40124, 40125], AuthExpired),
    **dict.fromkeys([40050, 40200, 40201, 40202, 40700, 50000], Transient),
    **dict.fromkeys([40067, SLOW_SYSTEM, SLOW_STATISTICS], TooMuchData),
}
_PERMISSION = ("permission", "no access", "not authorized", "unauthorized")
_FREQUENCY = ("too frequent", "too many requests", "qps", "qpm", "qpd")
_DAY, _MINUTE, _SECOND = ("qpd", "per day", "daily"), ("qpm", "per minute"), ("qps", "per second")


def to_fault(code: int, message: str, path: str, request_id: str, now: datetime) -> AdweirError:
    """The error of ours for an answer with this code."""
    said = f"TikTok: ({code}) {message[:300]}"
    context = {"platform_code": code, "trace": request_id[:60], "path": path}
    words = message.lower()
    if code == _TOO_FREQUENT or (code in _AMBIGUOUS and _has(words, _FREQUENCY)):
        seconds, guessed = _pause(words, now)
        return Throttled(said, seconds, guessed=guessed, scope=ThrottleScope.APP, **context)
    if code in _WAITS:
        wait = _WAITS[code]
        return Throttled(said, wait.seconds, guessed=True, scope=wait.scope, **context)
    if code in _AMBIGUOUS and _has(words, _PERMISSION):
        return AccessDenied(said, **context)
    fallback: type[AdweirError] = RequestRejected if 40000 <= code < 50000 else Transient
    return _MEANINGS.get(code, fallback)(said, **context)


def no_answer(error: Transient) -> AdweirError:
    """What a broken connection means.

    Three time-outs of one request within ten minutes have TikTok refuse it for ten more, so it is repeated later.
    """
    if "Timeout" not in str(error.context.get("wire_fault", "")):
        return error
    return Throttled(error.message, MINUTES, guessed=True, **error.context)


def _pause(words: str, now: datetime) -> tuple[float, bool]:
    """Seconds to wait for a quota to be free again, and whether they are guessed. TikTok sends no Retry-After."""
    if _has(words, _DAY):
        midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(tzinfo=UTC))
        return (midnight - now).total_seconds(), False
    if _has(words, _MINUTE):
        return MINUTES, False
    return (_SECONDS if _has(words, _SECOND) else _UNSAID), True


def _has(words: str, any_of: tuple[str, ...]) -> bool:
    return any(word in words for word in any_of)
