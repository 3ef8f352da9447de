"""Runs in the ledger.

`run#<id>` / `run` is the run; `open-runs` / `<id>` exists until its end is announced; `runs#<yyyy-mm>` /
`<started_at>#<id>` lists it. Runs of `refresh` are listed under `refreshes#<yyyy-mm>`: there may be hundreds of them
between one daily run and the next, and who looks for the newest of the others reads none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from heapq import merge
from itertools import islice
from typing import Any

from adweir.model.errors import Transient
from adweir.model.messages import Scope
from adweir.model.runs import REFRESH, CurrentStage, Run, RunState, StageRecord, StageState
from adweir.model.times import iso
from adweir.store.dynamo.paging import from_token, to_token, unknown_token
from adweir.store.ledger.rows import HISTORY, Row, Rows

_OPEN = "open-runs"
_LIST, _REFRESHES = "runs", "refreshes"
_FIELDS = frozenset(field.name for field in fields(Run))
_STAGE_FIELDS = frozenset(field.name for field in fields(StageRecord))
_CURRENT_FIELDS = frozenset(field.name for field in fields(CurrentStage))


def run_pk(run_id: str) -> str:
    return f"run#{run_id}"


class Runs(Rows):
    """Runs: created once, changed by version, listed by month."""

    def create_run(self, run: Run) -> bool:
        """Store a run that does not exist yet. False when it does: then nothing changes.

        The marker in `open-runs` comes first, so that no run can exist which the sweep does not see.
        """
        if self.get_run(run.run_id) is not None:
            return False
        now = iso(self._clock.now())
        begun = (replace(stage, since=stage.since or now, asked_at=stage.asked_at or now) for stage in run.current)
        run = replace(run, started_at=run.started_at or now, current=tuple(begun))
        self.mark_open(run.run_id)
        self._put(
            self._row(f"{_list_of(run)}#{run.started_at[:7]}", f"{run.started_at}#{run.run_id}", state=run.workflow),
        )
        return self._put(self._run_row(run), self._absent())

    def get_run(self, run_id: str) -> Run | None:
        """A run as it is now (a consistent read), or None. Raises UnreadableItem."""
        row = self._fetch(run_pk(run_id), "run")
        return None if row is None else self._parsed(row, run_of)

    def list_runs(self, limit: int = 50, token: str = "", *, refreshes: bool = True) -> tuple[list[Run], str]:
        """Runs, newest first, and the token of the next page, "" after the last; without those of `refresh` where not
        `refreshes`. Raises BadInput for a wrong token."""
        lists = (_LIST, _REFRESHES) if refreshes else (_LIST,)
        months = list(self._months())
        month, _, after = from_token(_LIST, token).partition("|")
        if token:
            if month not in months or not after:
                raise unknown_token()
            months = months[months.index(month) :]
        runs: list[Run] = []
        for name in months:
            position = after if name == month else ""
            while True:
                wanted = limit - len(runs)
                found = [
                    self._query(f"{each}#{name}", after=position, newest_first=True, limit=wanted) for each in lists
                ]
                rows = list(islice(merge(*found, key=_place, reverse=True), wanted))
                runs += self._listed(rows)
                if len(runs) >= limit:
                    return runs, to_token(_LIST, f"{name}|{rows[-1].sk}")
                if len(rows) < wanted:
                    break
                position = rows[-1].sk
        return runs, ""

    def _listed(self, rows: Sequence[Row]) -> Iterator[Run]:
        """The runs of index rows; a row that an interrupted start left stands for none."""
        ids = list(dict.fromkeys(row.sk.partition("#")[2] for row in rows))
        found = self._fetch_many([(run_pk(run_id), "run") for run_id in ids])
        listed = {row.sk for row in rows}
        runs = self._readable((found[key] for run_id in ids if (key := (run_pk(run_id), "run")) in found), run_of)
        return (run for run in runs if f"{run.started_at}#{run.run_id}" in listed)

    def change_run(self, run: Run, **changes: Any) -> Run | None:
        """Write changed fields of a run; None when someone else changed it since `run` was read."""
        changed = replace(run, version=run.version + 1, **changes)
        written = self._put(self._run_row(changed), (Row.version == run.version) & self._alive())
        return changed if written else None

    def mark_open(self, run_id: str) -> None:
        """Have the sweep look after this run until its end is announced. Each mark replaces the one before."""
        actions = [
            Row.fence.add(1),
            Row.updated_at.set(iso(self._clock.now())),
            Row.expires.set(self._expires()),
        ]
        self._change(_OPEN, run_id, actions)

    def open_mark(self, run_id: str) -> int:
        """The number of the run's mark, or 0 after its end was announced."""
        row = self._fetch(_OPEN, run_id)
        return int(row.fence or 0) if row else 0

    def unmark_open(self, run_id: str, mark: int) -> bool:
        """Remove the mark of this number; False when there is a newer one."""
        return self._drop(_OPEN, run_id, Row.fence == mark)

    def open_runs(self, after: str = "") -> Iterator[tuple[str, str]]:
        """(run id, marked at) of the runs that the sweep looks after, by id, starting after the id `after`."""
        for row in self._query(_OPEN, after=after):
            yield row.sk, row.updated_at or ""

    def runs_open(self) -> list[Run]:
        """The runs that have not ended, and those of which the end is still to be announced. One that cannot be read is
        left out."""
        found = self._fetch_many([(run_pk(run_id), "run") for run_id, _ in self.open_runs()])
        return list(self._readable(found.values(), run_of))

    def cursor(self, name: str) -> str:
        """How far a piece of work got that continues later; "" when it has not begun."""
        row = self._fetch(f"cursor#{name}", "cursor")
        return (row.text or "") if row else ""

    def set_cursor(self, name: str, position: str) -> None:
        self._put(self._row(f"cursor#{name}", "cursor", text=position or None))

    def _months(self) -> Iterator[str]:
        """`2026-11`, `2026-10`, … as far as history reaches."""
        day = self._clock.now().date()
        oldest = (self._clock.now() - HISTORY).date()
        year, month = day.year, day.month
        while (year, month) >= (oldest.year, oldest.month):
            yield f"{year:04d}-{month:02d}"
            year, month = (year, month - 1) if month > 1 else (year - 1, 12)

    def _run_row(self, run: Run) -> Row:
        body = asdict(run)
        body["scope"] = run.scope.model_dump(mode="json", exclude_defaults=True)
        return self._row(run_pk(run.run_id), "run", state=run.state.value, version=run.version, body=body)


def _list_of(run: Run) -> str:
    return _REFRESHES if run.workflow == REFRESH else _LIST


def _place(row: Row) -> str:
    return row.sk


def run_of(row: Row) -> Run:
    """A stored run. Fields that another version added are left out; a scope that it narrowed cannot be read."""
    stored = row.body or {}
    body = {name: value for name, value in stored.items() if name in _FIELDS}
    body["scope"] = Scope.model_validate(body["scope"])
    body["state"] = RunState(body["state"])
    body["current"] = tuple(map(_current, stored["current"])) if "current" in stored else _one_current(stored)
    body["stages"] = tuple(
        StageRecord(**{name: value for name, value in stage.items() if name in _STAGE_FIELDS})
        for stage in body["stages"]
    )
    body["accounts"] = tuple(body["accounts"])
    return Run(**body)


def _current(stage: Mapping[str, Any]) -> CurrentStage:
    known = {name: value for name, value in stage.items() if name in _CURRENT_FIELDS}
    return CurrentStage(**known | {"state": StageState(known["state"])})


def _one_current(stored: Mapping[str, Any]) -> tuple[CurrentStage, ...]:
    """The current stage of a run that was stored when stages had no branches."""
    since = stored["stage_since"]
    return (CurrentStage(stored["stage"], StageState(stored["stage_state"]), since, since, stored["requests"]),)


def insist(run: Run | None, run_id: str) -> Run:
    """The run, or Transient: someone else changed it at the same moment, so the message has to come again."""
    if run is None:
        raise Transient(f"run {run_id} was changed at the same time")
    return run
