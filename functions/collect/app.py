"""`collect`: one task message of a platform's collect queue at a time."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.intake.collect.collector import Collector
from adweir.model.messages import TaskMessage
from adweir.runtime.app import build

if TYPE_CHECKING:
    from adweir.runtime.consumer import Consumer

app = build()


def parse(body: str) -> list[TaskMessage]:
    return [TaskMessage.model_validate_json(body)]


@cache
def consumer() -> Consumer[TaskMessage]:
    tools = app.intake
    return app.consumer(parse=parse, handle=Collector(tools).collect, settle=tools.outcomes.settle)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Lambda's entry: an SQS batch with partial batch response."""
    return consumer()(event, context)
