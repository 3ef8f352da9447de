"""`collect`: one task message of a platform's collect queue at a time."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.model.messages import TaskMessage
from adweir.runtime.app import build

if TYPE_CHECKING:
    from adweir.runtime.consumer import Consumer

app = build("collect")


@cache
def consumer() -> Consumer[TaskMessage]:
    return app.consumer(
        parse=lambda body: [TaskMessage.model_validate_json(body)],
        handle=app.collector.collect,
        settle=app.outcomes.settle,
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """SQS event → partial batch response."""
    return consumer()(event, context)
