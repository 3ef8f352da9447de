"""etl: media-mix datasets of the accounts of a finished run, or of those that the API names; exports of reports."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from adweir.model.messages import BuildDataset, MakeExport
from adweir.runtime.app import build
from adweir.runtime.exporting import exporter_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from adweir.model.errors import AdweirError
    from adweir.reporting.exports import Exporter
    from adweir.runtime.consumer import Consumer

app = build("etl")


@cache
def exporter() -> Exporter:
    return exporter_of(app)


def parse(body: str) -> list[BuildDataset | MakeExport]:
    """A bus envelope of RunFinished, or our own message."""
    message = json.loads(body)
    if message.get("detail-type") == "RunFinished":
        detail = message["detail"]
        return [BuildDataset(accounts=tuple(detail["accounts"]), run_id=detail["run_id"])]
    return [(MakeExport if message.get("kind") == "export" else BuildDataset).model_validate(message)]


def work(message: BuildDataset | MakeExport, remaining: Callable[[], float]) -> None:
    if isinstance(message, MakeExport):
        exporter().make(message, remaining)
        return
    accounts = message.accounts or tuple(account.account_id for account in app.catalog.accounts())
    for account_id in accounts:
        for manifest in app.publisher.publish(account_id):
            ready = [name for name, table in manifest["tables"].items() if table["ready"]]
            app.logger.info(
                "dataset", extra={"account_id": account_id, "currency": manifest["currency"], "ready": ready}
            )


def settle(message: BuildDataset | MakeExport, error: AdweirError) -> None:
    """An export has failed. Of the datasets, ignore an account that was deleted; no other error is expected."""
    if isinstance(message, MakeExport):
        exporter().fail(message.export_id, error.message)
        return
    app.logger.error("no dataset", extra={"run_id": message.run_id, "code": error.code, "reason": error.message})


@cache
def consumer() -> Consumer[BuildDataset | MakeExport]:
    return app.consumer(parse=parse, handle=work, settle=settle)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """SQS event → partial batch response."""
    return consumer()(event, context)
