"""`orchestrate`: starts runs, plans their stages, ends them, redrives, replays, sweeps."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.runtime import workers
from adweir.runtime.app import build

if TYPE_CHECKING:
    from adweir.model.messages import RunMessage
    from adweir.runtime.consumer import Consumer

app = build("orchestrate")


@cache
def consumer() -> Consumer[RunMessage]:
    return workers.orchestrate(app)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """SQS event → partial batch response."""
    return consumer()(event, context)
