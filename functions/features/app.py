"""features: tasks of stages that record features of ads and ad accounts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.runtime import workers
from adweir.runtime.app import build

if TYPE_CHECKING:
    from adweir.model.messages import TaskMessage
    from adweir.runtime.consumer import Consumer

app = build("features")


@cache
def consumer() -> Consumer[TaskMessage]:
    return workers.features(app)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """SQS event → partial batch response."""
    return consumer()(event, context)
