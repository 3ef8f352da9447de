"""One trigger for what follows the data: what came outside of runs is followed by a run of `refresh`, one per client.

Loads leave marks in the ledger (`store.ledger.unfollowed`); each sweep begins a run for the clients that have some.
The run's id follows from the marks as they were read: a sweep that dies after it began a run is repeated by one that
begins no other. Only these marks go, so that what came meanwhile starts another run. While a client's run is open it
has the turn of the workflow, and the marks stay until a sweep finds the turn free.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from adweir.model import limits
from adweir.model.arrivals import said
from adweir.model.deeds import Deed
from adweir.model.ids import run_id_for
from adweir.model.log import log
from adweir.model.messages import Scope, StartRun
from adweir.model.runs import REFRESH
from adweir.model.times import parse_instant
from adweir.pipeline.alone import PASSING, alone

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger
    from adweir.store.ledger.unfollowed import UnfollowedMark

ARRIVALS = "arrivals"
"""The trigger of these runs."""
_CURSOR = "refresh"


class ClientsWorkedOn(Protocol):
    """Which clients there are that stages have tasks for (`StagePlanner`)."""

    def active_accounts(self) -> frozenset[str]:
        """Their ids."""
        ...


class Refreshes:
    """Begins what one sweep has to begin.

    `start` begins a run, or returns the id of the open run of the same workflow and scope, and then does nothing.
    """

    def __init__(self, ledger: Ledger, clients: ClientsWorkedOn, start: Callable[[StartRun], str]) -> None:
        self._ledger = ledger
        self._clients = clients
        self._start = start

    def begin(self, has_time: Callable[[], bool]) -> bool:
        """Look at the clients with marks, in the order of their ids. False when another message has to go on: time ran
        out, or enough runs were begun."""
        after = last = self._ledger.cursor(_CURSOR)
        begun, is_done = 0, True
        for account_id, marks in self._ledger.unfollowed.waiting(after):
            is_done = begun < limits.MAX_REFRESHES_BEGUN and has_time()
            if not is_done:
                break
            try:
                with alone(self._ledger, f"what follows the data of {account_id}"):
                    begun += self._follow(account_id, marks)
            except PASSING as error:
                log.info("what follows the data of %s waits for the next sweep: %s", account_id, error.message)
            last = account_id
        else:
            last = ""
        if last != after:
            self._ledger.set_cursor(_CURSOR, last)
        return is_done

    def _follow(self, account_id: str, marks: Sequence[UnfollowedMark]) -> bool:
        """Begin a client's run, unless one is open. Of a client that nothing is worked on for, the marks go."""
        if account_id in self._worked_on:
            message = _run_for(account_id, marks)
            if (other := self._start(message)) != message.run_id:
                log.info("what came of %s waits for the end of run %s", account_id, other)
                return False
            why = said(message.arrived)
            deed = Deed("", "start refresh", account_id, f"began run {message.run_id}", why, "run", account_id)
            self._ledger.audit.note_own(deed)
        self._ledger.unfollowed.followed(account_id, marks)
        return account_id in self._worked_on

    @cached_property
    def _worked_on(self) -> frozenset[str]:
        """Read when the first mark is found: most sweeps find none."""
        return self._clients.active_accounts()


def _run_for(account_id: str, marks: Sequence[UnfollowedMark]) -> StartRun:
    """The run that follows these marks, the same whenever it is asked for, at the time of the newest one."""
    at = parse_instant(max(mark.at for mark in marks))
    digest = hashlib.sha256("\n".join([account_id, *sorted(mark.token for mark in marks)]).encode()).hexdigest()
    return StartRun(
        workflow=REFRESH,
        scheduled_at=at,
        scope=Scope(accounts=(account_id,)),
        run_id=run_id_for(REFRESH, at, digest),
        trigger=ARRIVALS,
        arrived={mark.what: mark.loads for mark in marks},
    )
