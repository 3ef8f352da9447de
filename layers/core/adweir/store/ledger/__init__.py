"""The ledger: what has to be done, who is doing it, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from adweir.model.runs import Run
from adweir.model.tasks import TaskState
from adweir.model.times import Clock
from adweir.store.ledger.account_tasks import AccountTasks
from adweir.store.ledger.api_log import ApiLog
from adweir.store.ledger.audit import Audit
from adweir.store.ledger.brakes import Brakes
from adweir.store.ledger.exports import Exports
from adweir.store.ledger.faults import Faults
from adweir.store.ledger.fired import FiredLast
from adweir.store.ledger.key_uses import KeyUses
from adweir.store.ledger.lanes import LaneRecord, Lanes
from adweir.store.ledger.last_words import LastWords
from adweir.store.ledger.leases import Leases
from adweir.store.ledger.markers import PLANNING, Marker, marker_of
from adweir.store.ledger.receipts import Receipts
from adweir.store.ledger.replays import Replays
from adweir.store.ledger.runs import Runs, run_of, run_pk
from adweir.store.ledger.shared_reports import SharedReports
from adweir.store.ledger.task_rows import TaskName
from adweir.store.ledger.tasks import REDRIVABLE, TOGETHER
from adweir.store.ledger.tokens import Tokens
from adweir.store.ledger.trials import Trials
from adweir.store.ledger.troubled_runs import TroubledRuns
from adweir.store.ledger.turns import RunTurns
from adweir.store.ledger.unfollowed import Unfollowed

__all__ = ["PLANNING", "REDRIVABLE", "TOGETHER", "LaneRecord", "Ledger", "Marker", "Tokens"]


class Ledger(Runs, Lanes, AccountTasks, Leases):
    """Runs, tasks and their markers, lanes, leases; beside them brakes, tokens, shared reports, receipts, replays,
    exports, the API log, uses of keys, faults, trials, runs in trouble, the audit, what jobs came to, last words,
    turns, and what no run has followed yet.

    `service` names the function in the audit."""

    def __init__(self, clock: Clock, sleep: Callable[[float], None] = time.sleep, service: str = "adweir") -> None:
        super().__init__(clock)
        self.brakes = Brakes(clock)
        self.tokens = Tokens(clock, sleep)
        self.receipts = Receipts(clock)
        self.replays = Replays(clock)
        self.exports = Exports(clock)
        self.shared_reports = SharedReports(clock)
        self.api_log = ApiLog(clock)
        self.key_uses = KeyUses(clock)
        self.faults = Faults(clock)
        self.trials = Trials(clock)
        self.troubled_runs = TroubledRuns(clock)
        self.audit = Audit(clock, service)
        self.fired = FiredLast(clock)
        self.last_words = LastWords(clock)
        self.turns = RunTurns(clock)
        self.unfollowed = Unfollowed(clock)

    def is_loaded(self, task: TaskName) -> bool:
        """Whether a task of this generation ended `loaded`: then its run goes on from there."""
        known = self.get_task(task.run_id, task.task_id)
        return known is not None and known.generation == task.generation and known.state is TaskState.LOADED

    def progress(self, run_id: str) -> tuple[Run | None, str]:
        """A run as it is now, and a stage of which work is open, "" when none is. Raises UnreadableItem.

        One consistent query. It goes backwards: it meets the run, then its markers, so a stage that is planned in this
        moment is not taken for one without work.
        """
        found = list(self._query(run_pk(run_id), "open#", up_to="run", newest_first=True, limit=2))
        runs = [row for row in found if row.sk == "run"]
        markers = [marker_of(row).stage for row in found if row.sk != "run"]
        return (self._parsed(runs[0], run_of) if runs else None), markers[0] if markers else ""
