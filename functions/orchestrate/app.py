"""`orchestrate`: starts runs, plans their stages, ends them, redrives, replays, sweeps."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.model.messages import RUN_MESSAGE, RunMessage
from adweir.runtime.app import build

if TYPE_CHECKING:
    from adweir.model.errors import AdweirError
    from adweir.runtime.consumer import Consumer

app = build("orchestrate")


def parse(body: str) -> list[RunMessage]:
    """A message of the runs queue; schedules send the same JSON."""
    return [RUN_MESSAGE.validate_json(body)]


def settle(_message: RunMessage, error: AdweirError) -> None:
    """A schedule or operator asked for something unknown: nothing can be recorded, so the message is quarantined."""
    raise error


@cache
def consumer() -> Consumer[RunMessage]:
    return app.consumer(parse=parse, handle=app.orchestrate, settle=settle)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """SQS event → partial batch response."""
    return consumer()(event, context)
