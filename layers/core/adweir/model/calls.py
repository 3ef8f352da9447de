"""Calls over HTTP as the API log has them: requests that this API answered, and those that it made to platforms."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

INBOUND: Final = "inbound"
OUTBOUND: Final = "outbound"
FIRST_REFUSED: Final = 400
"""The first status that says no."""


class ApiCall(NamedTuple):
    """One call, without secrets.

    `platform` is "" for a request to the API itself, `status_code` None where no answer came. `response_time` is in
    seconds. `request_data` is the query and the body, `response_data` the body, each the beginning as text.
    `request_id` is the request's, or the invocation's that made the call.
    """

    timestamp: str
    direction: str
    platform: str
    endpoint: str
    method: str
    status_code: int | None
    response_time: float
    success: bool
    error_message: str = ""
    request_data: str = ""
    response_data: str = ""
    request_id: str = ""
    key_id: str = ""
    account_id: str = ""
    profile_id: str = ""
    run_id: str = ""
    task_id: str = ""


class CallsWanted(NamedTuple):
    """Which calls to list; what is empty or None leaves none out. `until` is the last moment that counts."""

    since: datetime
    until: datetime
    platform: str = ""
    success: bool | None = None
    direction: str = ""
    request_id: str = ""
    task_id: str = ""

    def has(self, call: ApiCall, first: str, last: str) -> bool:
        """Whether a call is among them; `first` and `last` are the moments as text."""
        return (
            first <= call.timestamp <= last
            and self.platform in {"", call.platform}
            and self.success in {None, call.success}
            and self.direction in {"", call.direction}
            and self.request_id in {"", call.request_id}
            and self.task_id in {"", call.task_id}
        )
