"""Loses replies of AWS: the request is done, and its sender sees a connection that broke, as on a bad day."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from botocore.exceptions import ReadTimeoutError

_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "PutObject"})


class LostReplies:
    """Counts writes, and loses the reply of the n-th (1: the first; 0: none). The SDK then sends it again.

    With `every_try` the replies of all its tries are lost, so that the SDK gives up. `between` is called after
    the write, before it is sent again.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.writes = 0
        self.at = 0
        self.every_try = False
        self.between: Callable[[], object] = lambda: None
        send = getattr(botocore.endpoint.Endpoint, "_do_get_response")  # noqa: B009  the SDK's own: without a type

        def watched(endpoint: Any, request: Any, operation: Any, context: dict[str, Any]) -> Any:
            if operation.name not in _WRITES:
                return send(endpoint, request, operation, context)
            again = context.get("adweir_seen", False)
            self.writes += not again
            loses = self.writes == self.at and (self.every_try or not again)
            context["adweir_seen"] = True
            answer = send(endpoint, request, operation, context)
            if not loses:
                return answer
            if not self.every_try:
                self.at = 0
            self.between()
            return None, ReadTimeoutError(endpoint_url=endpoint.host)

        patch.setattr(botocore.endpoint.Endpoint, "_do_get_response", watched)
        patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _seconds: None))

    def lose(self, at: int = 1, *, every_try: bool = False) -> None:
        """Start counting again, and lose the reply of this write."""
        self.writes, self.at, self.every_try = 0, at, every_try
