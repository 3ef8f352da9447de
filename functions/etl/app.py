"""etl: the tasks of stages that pull nothing (datasets and fits of media mixes, sums, scores), exports of reports."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.runtime import workers
from adweir.runtime.app import build

if TYPE_CHECKING:
    from adweir.model.messages import MakeExport, TaskMessage
    from adweir.runtime.consumer import Consumer

app = build("etl")


@cache
def consumer() -> Consumer[MakeExport | TaskMessage]:
    return workers.etl(app)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """SQS event → partial batch response."""
    return consumer()(event, context)
