"""etl: what follows a finished run (media-mix datasets, scores of days), and exports of reports."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.model.messages import BuildDataset, MakeExport, ScoreDays
from adweir.runtime.app import build
from adweir.runtime.exporting import exporter_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from adweir.model.errors import AdweirError
    from adweir.reporting.exports import Exporter
    from adweir.runtime.consumer import Consumer

app = build("etl")
Work = BuildDataset | MakeExport | ScoreDays
KINDS: dict[str, type[Work]] = {"export": MakeExport, "score": ScoreDays}


@cache
def exporter() -> Exporter:
    return exporter_of(app)


def parse(body: str) -> list[Work]:
    """A bus envelope of RunFinished, or our own message. A run of hours changes no day."""
    message = json.loads(body)
    if message.get("detail-type") == "RunFinished":
        about = {"accounts": message["detail"]["accounts"], "run_id": message["detail"]["run_id"]}
        scores = [] if message["detail"]["workflow"] == "hourly" else [ScoreDays.model_validate(about)]
        return [*scores, BuildDataset.model_validate(about)]
    return [KINDS.get(message.get("kind"), BuildDataset).model_validate(message)]


def work(message: Work, remaining: Callable[[], float]) -> None:
    if isinstance(message, MakeExport):
        exporter().make(message, remaining)
        return
    if isinstance(message, ScoreDays) and message.account_id:
        scored = app.scorer.score(message.account_id, remaining, app.settings.margin_seconds)
        app.data_looks.look(message.account_id)
        app.logger.info("scores", extra={"account_id": message.account_id, "days": scored})
        return
    accounts = message.accounts or tuple(account.account_id for account in app.catalog.accounts())
    if isinstance(message, ScoreDays):
        app.queues.etl.send_many((ScoreDays(account_id=each, run_id=message.run_id), each) for each in accounts)
        return
    for account_id in accounts:
        for manifest in app.publisher.publish(account_id):
            ready = [name for name, table in manifest["tables"].items() if table["ready"]]
            app.logger.info(
                "dataset", extra={"account_id": account_id, "currency": manifest["currency"], "ready": ready}
            )


def settle(message: Work, error: AdweirError) -> None:
    """An export has failed. Of the others, ignore an account that was deleted; no other error is expected."""
    if isinstance(message, MakeExport):
        exporter().fail(message.export_id, error.message)
        return
    what = "no scores" if isinstance(message, ScoreDays) else "no dataset"
    app.logger.error(what, extra={"run_id": message.run_id, "code": error.code, "reason": error.message})


@cache
def consumer() -> Consumer[Work]:
    return app.consumer(parse=parse, handle=work, settle=settle)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """SQS event → partial batch response."""
    return consumer()(event, context)
