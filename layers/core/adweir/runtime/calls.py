"""What a function tells the API log of the requests that it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adweir.model import limits
from adweir.model.calls import FIRST_REFUSED, INBOUND, ApiCall
from adweir.model.errors import BadInput
from adweir.model.scrubbing import cut, hidden, message_kept, scrubbed
from adweir.model.times import iso
from adweir.runtime.http import caller_of, json_body, key_of_request, raw_body, request_id_of
from adweir.runtime.platform_calls import reason_of

if TYPE_CHECKING:
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from adweir.model.times import Clock
    from adweir.store.ledger import Ledger

_PATH_CHARS = 500
_UNREADABLE = "(not a JSON object)"


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
            self._logger.warning("request not logged", extra={"reason": reason_of(error), "request_id": request_id})


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
