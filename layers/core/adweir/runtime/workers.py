"""What each function does with the messages of its queue: its consumer, made of the app's parts.

`functions/` runs one of them per Lambda, and a system in one process runs all of them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adweir.model.errors import AdweirError
    from adweir.model.messages import MakeExport, ObjectArrived, RunMessage, TaskMessage
    from adweir.runtime.app import App
    from adweir.runtime.consumer import Consumer, Remaining


def orchestrate(app: App) -> Consumer[RunMessage]:
    """The runs queue: runs begin, go on and end. Schedules send the same JSON."""
    from adweir.model.messages import RUN_MESSAGE

    def settle(_message: RunMessage, error: AdweirError) -> None:
        """A schedule or operator asked for something unknown: nothing can be recorded, so it is quarantined."""
        raise error

    return app.consumer(
        parse=lambda body: [RUN_MESSAGE.validate_json(body)],
        handle=app.orchestrate,
        settle=settle,
    )


def collect(app: App) -> Consumer[TaskMessage]:
    """A platform's collect queue: one task after the other."""
    return app.consumer(parse=_task, handle=app.collector.collect, settle=app.outcomes.settle)


def poll_reports(app: App) -> Consumer[TaskMessage]:
    """The reports queue: delayed messages about reports that were asked for."""
    return app.consumer(parse=_task, handle=app.poller.poll, settle=app.outcomes.settle)


def validate(app: App) -> Consumer[ObjectArrived]:
    """The landing queue: objects that arrived in the bucket."""
    from adweir.intake.load.arrivals import parse_notification

    loader = app.loader
    return app.consumer(parse=parse_notification, handle=loader.load, settle=loader.settle)


def etl(app: App) -> Consumer[MakeExport | TaskMessage]:
    """The etl queue: tasks of stages that pull nothing, and exports of reports."""
    from functools import cache

    from adweir.model.messages import MakeExport, TaskMessage
    from adweir.runtime.exporting import exporter_of

    exporter = cache(lambda: exporter_of(app))

    def parse(body: str) -> list[MakeExport | TaskMessage]:
        message = json.loads(body)
        return [(MakeExport if message.get("kind") == "export" else TaskMessage).model_validate(message)]

    def work(message: MakeExport | TaskMessage, remaining: Remaining) -> None:
        if isinstance(message, MakeExport):
            exporter().make(message, remaining)
        else:
            app.account_work.handle(message, remaining)

    def settle(message: MakeExport | TaskMessage, error: AdweirError) -> None:
        if isinstance(message, MakeExport):
            exporter().fail(message.export_id, error.message)
        else:
            app.account_work.settle(message, error)

    return app.consumer(parse=parse, handle=work, settle=settle)


def curate(app: App) -> Consumer[TaskMessage]:
    """The curate queue: tasks of stages that keep what is stored as tables."""
    return _work(app)


def detect(app: App) -> Consumer[TaskMessage]:
    """The detect queue: tasks of stages that look for anomalies."""
    return _work(app)


def learn(app: App) -> Consumer[TaskMessage]:
    """The learn queue: tasks of stages that learn the arms of campaigns."""
    return _work(app)


def enrich(app: App) -> Consumer[TaskMessage]:
    """The enrich queue: tasks of stages that add what models say of ads."""
    return _work(app)


def features(app: App) -> Consumer[TaskMessage]:
    """The features queue: tasks of stages that record features of ads and ad accounts."""
    return _work(app)


def _work(app: App) -> Consumer[TaskMessage]:
    work = app.account_work
    return app.consumer(parse=_task, handle=work.handle, settle=work.settle)


def _task(body: str) -> list[TaskMessage]:
    from adweir.model.messages import TaskMessage

    return [TaskMessage.model_validate_json(body)]
