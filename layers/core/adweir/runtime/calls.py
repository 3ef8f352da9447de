"""What a function tells the API log: its calls of platforms, together at its end, and the requests that it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from adweir.model import limits, trace
from adweir.model.calls import FIRST_REFUSED, INBOUND, ApiCall
from adweir.model.errors import AdweirError, BadInput
from adweir.model.scrubbing import cut, hidden, message_kept, scrubbed
from adweir.model.times import iso
from adweir.runtime.http import caller_of, json_body, key_of_request, raw_body, request_id_of

if TYPE_CHECKING:
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from adweir.model.times import Clock
    from adweir.store.ledger import Ledger
    from adweir.store.ledger.api_log import ApiLog

_KEYS = ("request_id", "account_id", "profile_id", "run_id", "task_id")
_PATH_CHARS = 500
_UNREADABLE = "(not a JSON object)"


class PlatformCalls:
    """Collects the calls that an invocation makes, and keeps them when it ends or when there are many.

    Implements `platforms.call_log.CallSink`. After `limits.MAX_LOGGED_CALLS` only failed ones are kept, and at most as
    many. Calls that cannot be kept are named in the log: no pull fails by them.
    """

    def __init__(self, api_log: Callable[[], ApiLog], days: int, logger: Logger) -> None:
        self._api_log = api_log
        self._days = days
        self._logger = logger
        self._calls: list[ApiCall] = []
        self._seen = self._late_failures = self._left_out = 0

    def takes(self, *, success: bool) -> bool:
        self._seen += 1
        many = self._seen > limits.MAX_LOGGED_CALLS
        self._late_failures += many and not success
        left_out = many and (success or self._late_failures > limits.MAX_LOGGED_CALLS)
        self._left_out += left_out
        return not left_out

    def add(self, call: ApiCall) -> None:
        if len(self._calls) >= limits.MAX_CALLS_TOGETHER:
            self._keep()
        keys = trace.current()
        about: dict[str, Any] = {name: str(keys.get(name, "")) for name in _KEYS}
        self._calls.append(call._replace(**about))

    def failed(self, message: str) -> None:
        if self._calls:
            self._calls[-1] = self._calls[-1]._replace(success=False, error_message=message)

    def ended(self) -> None:
        """The invocation ends."""
        self._keep()
        if self._left_out:
            self._logger.info("calls are not in the API log", extra={"calls": self._left_out})
        self._seen = self._late_failures = self._left_out = 0

    def _keep(self) -> None:
        calls, self._calls = self._calls, []
        if not calls:
            return
        try:
            self._api_log().add(calls, self._days)
        except Exception as error:  # noqa: BLE001  the boundary: the pull is what counts
            self._logger.warning("calls are not in the API log", extra={"calls": len(calls), "reason": _why(error)})


class Requests:
    """Keeps the requests of keys, and that the keys were used."""

    def __init__(self, ledger: Ledger, days: int, clock: Clock, logger: Logger) -> None:
        self._ledger = ledger
        self._days = days
        self._clock = clock
        self._logger = logger

    def answered(self, event: Mapping[str, Any], answer: Mapping[str, Any], *, seconds: float, private: bool) -> None:
        """A request was answered, with a key or without. One that cannot be kept was answered all the same."""
        key_id = key_of_request(event)
        if not key_id:
            return
        try:
            if self._days:
                call = answered(event, answer, at=self._clock.now(), seconds=seconds, private=private)
                self._ledger.api_log.add([call], self._days)
            self._ledger.key_uses.used(key_id, previous=caller_of(event).get("value") == "previous")
        except Exception as error:  # noqa: BLE001  the boundary: the request was carried out, so its answer stands
            request_id = answer.get("headers", {}).get("X-Request-Id", "")
            self._logger.warning("request not logged", extra={"reason": _why(error), "request_id": request_id})


def _why(error: Exception) -> str:
    """What went wrong. The words of a fault of ours may hold what was to be hidden: of such a one its name."""
    return error.message if isinstance(error, AdweirError) else type(error).__name__


def answered(
    event: Mapping[str, Any], answer: Mapping[str, Any], *, at: datetime, seconds: float, private: bool
) -> ApiCall:
    """A request to the API and its answer. Of a `private` one the bodies have only the names of their fields, and an
    error only its code and the fields at fault: its message may quote what was sent.
    """
    request = event.get("requestContext", {})
    status, said = int(answer["statusCode"]), ""
    if status >= FIRST_REFUSED:
        said = _error(answer, private=private)
    asked = (str(event.get("rawQueryString") or ""), _sent(event))
    texts = [scrubbed(text, names_only=private) for text in asked if text]
    return ApiCall(
        timestamp=iso(at),
        direction=INBOUND,
        platform="",
        endpoint=hidden(str(event.get("rawPath", ""))[:_PATH_CHARS]),
        method=str(request.get("http", {}).get("method", ""))[: limits.MAX_WORD_CHARS],
        status_code=status,
        response_time=round(seconds, 3),
        success=status < FIRST_REFUSED,
        error_message=said,
        request_data=cut("\n".join(texts)),
        response_data=scrubbed(_body(answer), names_only=private),
        request_id=request_id_of(event),
        key_id=key_of_request(event),
    )


def _sent(event: Mapping[str, Any]) -> str:
    """The body of a request. One that cannot be read was refused: nobody knows where its values begin."""
    try:
        raw = raw_body(event)
        json_body(event)
    except BadInput:
        return _UNREADABLE
    return raw.decode("utf-8", "replace")


def _body(answer: Mapping[str, Any]) -> str:
    """The body of an answer; of one that is packed, nothing."""
    return "" if answer.get("isBase64Encoded") else str(answer.get("body") or "")


def _error(answer: Mapping[str, Any], *, private: bool) -> str:
    """What an answer says is wrong."""
    try:
        error = json.loads(_body(answer))["error"]
        if not private:
            return message_kept(str(error["message"]))
        fields = sorted({str(detail.get("field", "")) for detail in error["details"]} - {""})
        return message_kept(f"{error['code']}{': ' if fields else ''}{', '.join(fields)}")
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
