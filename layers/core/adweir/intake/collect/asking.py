"""Asks a platform for a report and discards it again: a report may serve several tasks of a run.

A partner's report on The Trade Desk answers for all advertisers of the partner: the first task asks for it, the others
wait for the same one, each stores its own rows of the file, and the last one discards it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from adweir.model.errors import NotReady, Throttled
from adweir.model.tasks import Task, TaskState
from adweir.model.times import iso, parse_instant
from adweir.platforms.connector import Connector, Report, ReportState
from adweir.store.ledger.shared_reports import SharedReport

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger

ASKING_SECONDS = 120
"""Longer than creating a report takes with all its retries."""


def ask(ledger: Ledger, connector: Connector, task: Task) -> Report:
    """The report that answers for the task: its own, or the one that its run shares.

    A task whose report failed gets a new one. Raises NotReady while another task is asking for the shared
    report, and what the platform raises.
    """
    key = connector.report_key(task)
    if not key:
        return connector.create_report(task)
    name = _name(task, key)
    with _asking(ledger, name):
        known = ledger.shared_reports.get(name)
        if known is not None and known.id != task.report_id:
            return Report(known.id, ReportState.PENDING, parse_instant(known.as_of), adopted=True)
        report = connector.create_report(task)
        ledger.shared_reports.put(name, SharedReport(report.id, iso(report.as_of)))
        return report


def let_go(ledger: Ledger, connector: Connector, task: Task) -> None:
    """Discard the task's report, unless another task still waits for it. May be repeated."""
    key = connector.report_key(task)
    if key:
        waiting = (
            other.report_id == task.report_id and other.state is TaskState.WAITING_REPORT and other.id != task.id
            for other in ledger.open_pulls(task.run_id)
        )
        if any(waiting):
            return
        # Forgotten before it is gone: a task that asks later gets a new report instead of this one.
        ledger.shared_reports.forget(_name(task, key), task.report_id)
    connector.discard_report(task, task.report_id)


@contextmanager
def _asking(ledger: Ledger, name: str) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(ledger.lease(f"report#{name}", ASKING_SECONDS))
        except Throttled as error:  # our own wait, not the platform's: it must not trip a brake
            raise NotReady("another task is asking for the same report", after=error.retry_after) from None
        yield


def _name(task: Task, key: str) -> str:
    return f"{task.platform}#{task.account_id}#{task.run_id}#{key}"
