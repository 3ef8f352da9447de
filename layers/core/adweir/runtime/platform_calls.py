"""What a function tells the API log of its calls of platforms, together at its end.

Without `runtime.http`: a function that pulls does not import what answers requests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adweir.model import limits, trace
from adweir.model.calls import ApiCall
from adweir.model.errors import AdweirError

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from adweir.store.ledger.api_log import ApiLog

_KEYS = ("request_id", "account_id", "profile_id", "run_id", "task_id")


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
            self._logger.warning(
                "calls are not in the API log", extra={"calls": len(calls), "reason": reason_of(error)}
            )


def reason_of(error: Exception) -> str:
    """What went wrong. The words of a fault of ours may hold what was to be hidden: of such a one its name."""
    return error.message if isinstance(error, AdweirError) else type(error).__name__
