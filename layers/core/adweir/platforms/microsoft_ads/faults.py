"""The meaning of Microsoft's error codes, as data ("Operation Error Codes", "Handling Service Errors and Exceptions").

A fault's HTTP status says little: the documents of SOAP have 500 for all, REST answers 400 and others. So the codes in
its body decide, and the status only where there is none that is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    RequestRejected,
    Throttled,
    ThrottleScope,
    Transient,
)
from adweir.platforms.http import Response, fault, retry_after
from adweir.platforms.json_items import UNREADABLE
from adweir.platforms.microsoft_ads import wire

TOKEN_REFUSED = frozenset({105, 109})
"""InvalidCredentials, AuthenticationTokenExpired: worth another access token. 105 is also what an ad account says that
is not active."""
REPORT_GONE = frozenset({2100, 2101})
"""The report's id is not valid, or no longer: it lives a day."""
_WAITS = {117: 60.0, 207: 60.0}
"""CallRateExceeded: so many calls a minute, so a minute. ConcurrentRequestOverLimit: until earlier reports are done."""
_UNSAID = frozenset({207})
_MEANINGS: dict[int, type[AdweirError]] = {
    0: Transient,
    **dict.fromkeys((105, 108, 109, 120, 122, 123, 124, 125), AuthExpired),
    **dict.fromkeys((106, 1001, 2003), AccessDenied),
}
"""InternalError; the user's identity and its tokens; the permission on an ad account."""
_decode = msgspec.json.Decoder(wire.MsFault).decode


def errors_of(answer: Response) -> list[wire.FaultError]:
    """What a body says went wrong; nothing where it is no fault."""
    try:
        return _decode(answer.body).all
    except UNREADABLE:
        return []


def codes(answer: Response) -> set[int]:
    """The numeric codes of an answer that is a fault."""
    return set() if answer.ok else {error.number for error in errors_of(answer)}


def refusal(answer: Response, now: datetime) -> AdweirError:
    """The error of ours for an answer that is not 2xx."""
    errors = errors_of(answer)
    said = "; ".join(_words(errors))
    message = f"{answer.url} answered {answer.status}: {said}"[:300]
    context = {"platform_code": next((error.number for error in errors), answer.status), "status": answer.status}
    for error in errors:
        if error.number in _WAITS:
            asked = retry_after(answer.headers, now)
            seconds = _WAITS[error.number] if asked is None else asked
            guessed = asked is None and error.number in _UNSAID
            return Throttled(message, seconds, guessed=guessed, scope=ThrottleScope.CREDENTIAL, **context)
    for error in errors:
        if error.number in _MEANINGS:
            return _MEANINGS[error.number](message, **context)
    if errors:  # a code that is not listed: about the request, unless the server says that it broke
        return (Transient if answer.status > 500 else RequestRejected)(message, **context)
    found = fault(answer, now, said)
    if isinstance(found, Throttled):
        found.scope = ThrottleScope.CREDENTIAL
    return found


def _words(errors: Sequence[wire.FaultError]) -> Iterator[str]:
    for error in errors:
        said = (error.error_code, error.message, error.details or error.detail)
        yield f"({error.number}) {' '.join(text for text in said if text)}"
