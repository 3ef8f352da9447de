"""validate: objects that arrived in the bucket → checked, scored and stored."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.intake.load.arrivals import parse_notification
from adweir.intake.load.dispatch import Loader
from adweir.model.messages import ObjectArrived
from adweir.platforms import normalizer
from adweir.runtime.app import build

if TYPE_CHECKING:
    from adweir.runtime.consumer import Consumer

app = build()


@cache
def consumer() -> Consumer[ObjectArrived]:
    loader = Loader(
        raw=app.raw,
        metrics=app.metrics,
        catalog=app.catalog,
        ledger=app.ledger,
        findings=app.findings,
        normalizer=normalizer,
        runs_queue=app.runs_queue,
        bus=app.bus,
        clock=app.clock,
        threshold=app.settings.quality_threshold,
    )
    return app.consumer(parse=parse_notification, handle=loader.load, settle=loader.settle)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """SQS event of the landing queue → partial batch response."""
    return consumer()(event, context)
