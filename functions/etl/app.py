"""etl: the tasks of stages that pull nothing (media-mix datasets, sums, scores of days), and exports of reports."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.model.messages import MakeExport, TaskMessage
from adweir.runtime.app import build
from adweir.runtime.exporting import exporter_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from adweir.model.errors import AdweirError
    from adweir.reporting.exports import Exporter
    from adweir.runtime.consumer import Consumer

app = build("etl")
Work = MakeExport | TaskMessage


@cache
def exporter() -> Exporter:
    return exporter_of(app)


def parse(body: str) -> list[Work]:
    message = json.loads(body)
    return [(MakeExport if message.get("kind") == "export" else TaskMessage).model_validate(message)]


def work(message: Work, remaining: Callable[[], float]) -> None:
    if isinstance(message, MakeExport):
        exporter().make(message, remaining)
    else:
        app.account_work.handle(message, remaining)


def settle(message: Work, error: AdweirError) -> None:
    if isinstance(message, MakeExport):
        exporter().fail(message.export_id, error.message)
    else:
        app.account_work.settle(message, error)


@cache
def consumer() -> Consumer[Work]:
    return app.consumer(parse=parse, handle=work, settle=settle)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """SQS event → partial batch response."""
    return consumer()(event, context)
