"""`stream`: what Amazon Marketing Stream sends → objects under stream/, and subscriptions confirmed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.runtime.app import build

if TYPE_CHECKING:
    from adweir.runtime.stream_batches import StreamBatches

app = build("stream")


@cache
def batches() -> StreamBatches:
    """Made once per container."""
    return app.stream_batches


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """SQS event of the stream's queue → partial batch response."""
    answer = batches()(event, context)
    app.memory.look()
    return answer
