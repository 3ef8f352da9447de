"""RunTurns: of one workflow, scope and arguments, one run is open at a time.

`turn#<workflow>` / `<digest of scope and arguments>` names the run whose turn it is, until that has ended, and the
newest request that came meanwhile and has to see more than that run: it gets the next turn. A run that has ended takes
a turn again before it is reopened: `label` is its version then, so that nobody takes it for over before it is open.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from adweir.model import limits
from adweir.model.errors import Throttled
from adweir.model.messages import Scope, StartRun
from adweir.model.runs import Run, RunState
from adweir.model.times import iso, parse_instant
from adweir.store.dynamo.keyed import Key
from adweir.store.ledger.rows import Row, Rows
from adweir.store.ledger.runs import run_pk

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

_RACES = 5
_AGAIN_SECONDS = 60


class RunTurns(Rows):
    """Who may run."""

    def take(self, message: StartRun, *, waits: bool) -> str:
        """Take the turn for a request that names its run. Returns the id of the run whose turn it is: this one, or the
        open one that the request joins. A request that `waits` gets the next turn where it was made for a later time
        than the open run, which may have planned without it. May be repeated. Raises Throttled when others keep taking
        the turn."""
        pk, sk = _key(message)
        for _ in range(_RACES):
            mine = self._row(pk, sk, text=message.run_id, version=0, updated_at=iso(self._clock.now()))
            if self._put(mine, self._absent()):
                return message.run_id
            turn = self._fetch(pk, sk)
            if turn is None:
                continue
            holder = turn.text or ""
            if holder == message.run_id:
                return holder
            run = self._fetch(run_pk(holder), "run")
            if self._is_done(turn, run):
                mine.body = turn.body
                if self._put(mine, self._as_read(turn)):
                    return message.run_id
            elif not (waits and self._sees_more(message, run)) or self._note(turn, message):
                return holder
        raise Throttled(f"the turn of workflow {message.workflow} keeps changing", retry_after=5)

    def take_again(self, run: Run) -> None:
        """Take the turn for a run that has ended and is to be reopened. `let_go` where it is not. May be repeated.

        Raises Throttled while another run is open (`holder` in its context), or when others keep taking the turn.
        """
        pk, sk = _key(run)
        for _ in range(_RACES):
            mine = self._row(pk, sk, text=run.run_id, label=str(run.version), updated_at=iso(self._clock.now()))
            mine.version = 0
            if self._put(mine, self._absent()):
                return
            turn = self._fetch(pk, sk)
            if turn is None:
                continue
            if holder := self._holder_beside(turn, run):
                raise waits_for(holder)
            mine.body, mine.version = turn.body, int(turn.version or 0) + 1
            if self._put(mine, self._as_read(turn)):
                return
        raise Throttled(f"the turn of workflow {run.workflow} keeps changing", retry_after=5)

    def open_beside(self, run: Run) -> str:
        """The id of another run of the same workflow, scope and arguments that is open, "" where there is none."""
        turn = self._fetch(*_key(run))
        return "" if turn is None else self._holder_beside(turn, run)

    def let_go(self, run: Run) -> None:
        """Say of a turn that was taken again that its run is not reopened: it is given back as that of an ended run."""
        pk, sk = _key(run)
        self._change(pk, sk, [Row.label.remove()], (Row.text == run.run_id) & (Row.label == str(run.version)))

    def _holder_beside(self, turn: Row, run: Run) -> str:
        holder = turn.text or ""
        is_free = holder == run.run_id or self._is_done(turn, self._fetch(run_pk(holder), "run"))
        return "" if is_free else holder

    def give_back(self, run: Run) -> StartRun | None:
        """End the turn of a run that has ended; None when nobody waits for it.

        Otherwise the request that gets the next turn: send it, then `passed_on`.
        """
        pk, sk = _key(run)
        ended = Row.label.does_not_exist() | (Row.label != str(run.version))
        if self._drop(pk, sk, (Row.text == run.run_id) & Row.body.does_not_exist() & ended):
            return None
        turn = self._fetch(pk, sk)
        if turn is None or turn.text != run.run_id or not turn.body or turn.label == str(run.version):
            return None
        return StartRun.model_validate(turn.body)

    def passed_on(self, run: Run, message: StartRun) -> bool:
        """End the turn of a run that has ended after the request that waited was sent; False when a newer one waits."""
        pk, sk = _key(run)
        turn = self._fetch(pk, sk)
        if turn is None or turn.text != run.run_id:
            return True
        if turn.body != message.model_dump(mode="json"):
            return False
        return self._drop(pk, sk, self._as_read(turn))

    def _is_done(self, turn: Row, run: Row | None) -> bool:
        """Whether the run whose turn it is has ended, or was long ago to begin or to be reopened and was not."""
        if run is not None and (turn.label is None or int(turn.label) != run.version):
            return run.state != RunState.RUNNING.value
        waited = self._clock.now() - parse_instant(turn.updated_at or iso(self._clock.now()))
        return waited.total_seconds() > limits.MAX_START_SECONDS

    def _sees_more(self, message: StartRun, run: Row | None) -> bool:
        return run is None or iso(message.scheduled_at) > str((run.body or {}).get("scheduled_at", ""))

    def _note(self, turn: Row, message: StartRun) -> bool:
        """Give a request the next turn. False when the turn has changed since it was read."""
        actions = [Row.body.set(message.model_dump(mode="json")), Row.version.set(int(turn.version or 0) + 1)]
        return self._change(turn.pk, turn.sk, actions, self._as_read(turn)) is not None

    def _as_read(self, turn: Row) -> Condition:
        same: Condition = (Row.text == turn.text) & (Row.version == turn.version)
        return same


def waits_for(holder: str) -> Throttled:
    """The error by which a run waits for the end of another one."""
    message = f"run {holder} of the same workflow and scope is open"
    return Throttled(message, retry_after=_AGAIN_SECONDS, holder=holder)


def _key(of: StartRun | Run) -> Key:
    covered = {name: sorted(value) if isinstance(value, tuple) else value for name, value in of.scope}
    text = Scope.model_validate(covered).model_dump_json(exclude_defaults=True)
    if of.args:
        text += json.dumps(dict(of.args), sort_keys=True)
    return f"turn#{of.workflow}", hashlib.sha256(text.encode()).hexdigest()[:20]
