"""`validate`: objects that arrived in the bucket → checked, scored and stored."""

from __future__ import annotations

import gc
from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.runtime import workers
from adweir.runtime.app import build

if TYPE_CHECKING:
    from adweir.model.messages import ObjectArrived
    from adweir.runtime.consumer import Consumer

app = build("validate")


@cache
def consumer() -> Consumer[ObjectArrived]:
    """Made once per container. What is imported by then stays: the garbage collector need not look at it again and
    again while rows are read, which takes a tenth of a load's time."""
    made = workers.validate(app)
    gc.freeze()
    return made


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """SQS event of the landing queue → partial batch response."""
    return consumer()(event, context)
