"""Tasks in the ledger: `run#<run>` / `task#<id>`. What is open has a marker beside it (`store.ledger.markers`).

The marker is put before a task can be found open and removed after it is terminal: a crash in between leaves one marker
too many, never one too few, and the sweep removes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import Throttled
from adweir.model.labels import DEFAULT, owner
from adweir.model.platforms import Platform
from adweir.model.tasks import AnyTask, Task, TaskState
from adweir.model.times import iso
from adweir.store.dynamo.keyed import Key
from adweir.store.dynamo.paging import from_token, to_token
from adweir.store.ledger.markers import Marker, Markers, marker_of, marker_sk
from adweir.store.ledger.rows import Row
from adweir.store.ledger.runs import run_pk
from adweir.store.ledger.task_rows import Pulled, TaskName, changing, fixed, pull_of_row, task_item, task_of_row

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

_T = TypeVar("_T", bound=AnyTask)
REDRIVABLE = (TaskState.FAILED, TaskState.PARKED, TaskState.QUARANTINED)
_ACTIVE = tuple(state.value for state in TaskState if not state.is_terminal)
_RACES = 4
_Facts = Mapping[str, Mapping[str, Any] | None]
"""What is recorded of a task that ends: its counts, or its error."""
TOGETHER = 50
"""Tasks per transaction: each is two items, and a transaction has at most 100."""
_READ_TOGETHER = 100


class Tasks(Markers):
    """Tasks: planned, claimed, advanced and finished, each step one conditional write."""

    # --- planning

    def plan(self, task: AnyTask) -> bool:
        """Store a new task and its open marker. False when the task exists already: then it stays as it is.

        Marker first; when the task exists already and is terminal, the marker is removed again.
        """
        self._mark(task.run_id, task.stage, task.id, 0, task.group)
        if self._put(self._planned(task), self._absent()):
            return True
        existing = self.get_task(task.run_id, task.id)
        if existing is not None and existing.state.is_terminal:
            self._unmark(existing)
        return False

    def plan_together(self, tasks: Sequence[AnyTask]) -> set[str]:
        """Store new tasks with their open markers, many per request. Returns the ids of those that were stored.

        Each request is a transaction: all of its tasks are new, or none is stored, as after a planning that broke off.
        `plan` says of each of the others what there is to do.
        """
        stored: set[str] = set()
        waiting = iter(tasks)
        while batch := tuple(islice(waiting, TOGETHER)):
            rows = [(self._planned(task), self._absent()) for task in batch]
            markers = [
                (self._marker(task.run_id, task.stage, task.id, 0, task.group), self._absent()) for task in batch
            ]
            if self._put_together([*markers, *rows]):
                stored.update(task.id for task in batch)
        return stored

    def _planned(self, task: AnyTask) -> Row:
        now = iso(self._clock.now())
        return self._row(
            *task_item(task.run_id, task.id),
            state=task.state.value,
            generation=task.generation,
            attempts=0,
            deadline=task.deadline,
            until=0,
            **changing(task),
            updated_at=now,
            body=fixed(task) | {"created_at": now},
        )

    # --- reading

    def get_task(self, run_id: str, task_id: str) -> AnyTask | None:
        """A task as it is now (a consistent read), or None. Raises UnreadableItem."""
        row = self._fetch(run_pk(run_id), f"task#{task_id}")
        return None if row is None else self._parsed(row, task_of_row)

    def get_pull(self, run_id: str, task_id: str) -> Task | None:
        """`get_task` of a pull."""
        row = self._fetch(run_pk(run_id), f"task#{task_id}")
        return None if row is None else self._parsed(row, pull_of_row)

    def pull_of(self, items: Mapping[Key, Row], run_id: str, task_id: str) -> Task | None:
        """A pull among items that were just read by `task_item`, or None. Raises UnreadableItem."""
        row = items.get(task_item(run_id, task_id))
        return None if row is None else self._parsed(row, pull_of_row)

    def find_tasks(self, run_id: str, task_ids: Iterable[str]) -> dict[str, AnyTask]:
        """Tasks of a run by their ids; unknown ones are left out."""
        rows = self._fetch_many((run_pk(run_id), f"task#{task_id}") for task_id in task_ids)
        return {task.id: task for task in self._readable(rows.values(), task_of_row)}

    def tasks(self, run_id: str) -> Iterator[AnyTask]:
        """The tasks of a run, by id, but those that cannot be read (`lost_tasks`)."""
        return self._readable(self._query(run_pk(run_id), "task#"), task_of_row)

    def page_of_tasks(
        self, run_id: str, limit: int, token: str = "", chosen: Callable[[AnyTask], bool] = lambda _: True
    ) -> tuple[list[AnyTask], str]:
        """Tasks of a run that are `chosen`, by id, and the token of the next page, "" after the last.

        It looks at `limits.MAX_TASKS_LOOKED_AT` at most, so that a page may have fewer, and even none. Raises BadInput
        for a wrong token.
        """
        found: list[AnyTask] = []
        of, last, looked_at = tasks_of(run_id), "", 0
        for row in self._query(run_pk(run_id), "task#", after=from_token(of, token)):
            if len(found) == limit or looked_at == limits.MAX_TASKS_LOOKED_AT:
                return found, to_token(of, last)
            last, looked_at = row.sk, looked_at + 1
            found += [task for task in self._readable([row], task_of_row) if chosen(task)]
        return found, ""

    def lost_tasks(self, run_id: str) -> int:
        """How many tasks of the run `tasks` had to leave out when it was last read."""
        pk = run_pk(run_id)
        return sum(key == pk and sk.startswith("task#") for key, sk in self.unreadable)

    def open_tasks(self, run_id: str) -> Iterator[tuple[Marker, AnyTask | None]]:
        """The run's open markers, each with its task (None where it stands for none, or one that cannot be read)."""
        pk = run_pk(run_id)
        markers = map(marker_of, self._query(pk, "open#"))
        while batch := tuple(islice(markers, _READ_TOGETHER)):
            yield from self._with_tasks(pk, batch)

    def parked(self, account_id: str, platform: Platform, label: str = DEFAULT) -> Iterator[Task]:
        """The tasks that wait for a new credential of an account on a platform, by its label."""
        keys = [tuple(row.sk.split("#", 1)) for row in self._query(_parked_pk(account_id, platform, label))]
        found = self._fetch_many([(run_pk(run_id), f"task#{task_id}") for run_id, task_id in keys])
        parked = (row for row in found.values() if row.state == TaskState.PARKED.value)
        return self._readable(parked, pull_of_row)

    # --- working

    def claim(
        self, run_id: str, task_id: str, generation: int, hold_seconds: float, *, read: Task | None = None
    ) -> Task | None:
        """Take hold of a pull for `hold_seconds`, whatever its open state: `task.state` says what is to be done.

        `read` is the task as the caller has just read it.

        PLANNED becomes RUNNING; WAITING_REPORT and LANDED stay. None: the task is terminal, of another generation or
        gone, so the message is to be acknowledged. Raises Throttled while someone else holds it; an expired hold is
        taken over. Every way on (`wait_report`, `landed`, `finish`, `split`, `release`) ends the hold.
        """
        return self._claim(Task, TaskName(run_id, task_id, generation), hold_seconds, read)

    def _claim(self, kind: type[_T], name: TaskName, hold_seconds: float, read: _T | None = None) -> _T | None:
        run_id, task_id, generation = name
        pk, sk = task_item(run_id, task_id)
        for _ in range(_RACES):
            task, read = read or self.get_task(run_id, task_id), None
            if not isinstance(task, kind) or task.generation != generation:
                return None
            if task.state.is_terminal:
                self._unmark(task)
                return None
            now = self._now()
            if task.hold_until > now:
                raise Throttled(f"task {task_id} is being worked on", retry_after=float(task.hold_until - now))
            state = TaskState.RUNNING if task.state is TaskState.PLANNED else task.state
            taken = self._hold(
                pk,
                sk,
                [
                    Row.state.set(state.value),
                    Row.until.set(now + max(1, round(hold_seconds))),
                    Row.attempts.set(task.attempts + 1),
                    Row.updated_at.set(iso(self._clock.now())),
                    Row.resent.remove(),
                ],
                (Row.state == task.state.value)
                & (Row.generation == generation)
                & (Row.attempts == task.attempts),  # so nobody has held it since it was read
                Row.until.set(0),
            )
            if taken is not None and isinstance(held := task_of_row(taken), kind):
                return held
        raise Throttled(f"task {task_id} is being worked on", retry_after=5)

    def release(self, task: AnyTask, waits: Mapping[str, Any] | None = None) -> bool:
        """Give a claimed task back, so that the next message need not wait for the hold to expire.

        `waits` says what for it is tried again (`Task.waits`).
        """
        actions = [Row.waits.set(dict(waits))] if waits else []
        return self._advance_task(task, actions, Row.attempts == task.attempts)

    def note_wait(self, run_id: str, task_id: str, generation: int, waits: Mapping[str, Any]) -> AnyTask | None:
        """Record what an open task waits for, and that its message is alive; the task, or None when it is not open."""
        row = self._change(
            run_pk(run_id),
            f"task#{task_id}",
            [Row.waits.set(dict(waits)), Row.updated_at.set(iso(self._clock.now()))],
            (Row.generation == generation) & Row.state.is_in(*_ACTIVE),
        )
        return None if row is None else self._parsed(row, task_of_row)

    def wait_report(self, task: Task, report_id: str, as_of: str) -> bool:
        """The platform is making a report for the claimed task. False when the task continued without this worker.

        `as_of` is the report's creation, `model.times.iso`. Poll messages find both in the task. Ends the hold.
        """
        actions = [
            Row.state.set(TaskState.WAITING_REPORT.value),
            Row.report_id.set(report_id),
            Row.as_of.set(as_of),
            Row.parts.set(""),  # parts of a report that failed are not this one's
            Row.cursor.set(""),
            Row.waits.remove(),
        ]
        still_ours = (Row.attempts == task.attempts) & (Row.state != TaskState.LANDED.value)
        return self._advance_task(task, actions, still_ours)

    def keep_part(self, task: Task, parts: Sequence[int], cursor: str, as_of: str) -> bool:
        """A part of the claimed task's pull is stored; the next worker continues at the cursor. Ends the hold.

        False when the task continued without this worker: then the part is not one of the pull's.
        """
        actions = [Row.parts.set(" ".join(map(str, parts))), Row.cursor.set(cursor), Row.as_of.set(as_of)]
        return self._advance_task(task, actions, Row.attempts == task.attempts)

    def landed(self, task: Task, object_key: str, as_of: str) -> bool:
        """The task's raw object is in S3. False when the task has ended meanwhile. Ends the hold.

        This does not need the hold: there is one object per generation, so any worker that saw it land may record it.
        """
        actions = [
            Row.state.set(TaskState.LANDED.value),
            Row.object_key.set(object_key),
            Row.as_of.set(as_of),
            Row.waits.remove(),
        ]
        return self._advance_task(task, actions)

    def note_resent(self, task: AnyTask) -> bool:
        """Note that a task is sent again, which counts as progress. False when it has made some itself."""
        return (
            self._change(
                run_pk(task.run_id),
                f"task#{task.id}",
                [Row.updated_at.set(iso(self._clock.now())), Row.resent.set(task.resent + 1)],
                (Row.generation == task.generation) & (Row.updated_at == task.updated_at) & Row.state.is_in(*_ACTIVE),
            )
            is not None
        )

    def finish(
        self,
        run_id: str,
        task_id: str,
        generation: int,
        state: TaskState,
        *,
        counts: Mapping[str, int] | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> bool:
        """Make a task terminal and remove its marker. True when this call did it, False when it was so already.

        The caller then sends `Advance(run_id)` to the runs queue in both cases, so a crash in between does no harm.
        """
        if state in {TaskState.LOADED, TaskState.PARKED}:
            task = self.get_task(run_id, task_id)
            if task is None or task.generation != generation:
                return False
            if task.state.is_terminal:
                self._unmark(task)
                return False
            if state is TaskState.LOADED and isinstance(task, Task):
                self._succeeded(Pulled(task.profile_key, task.dataset, task.window))
            elif isinstance(task, Task):
                self._put(self._row(_parked_pk(task.account_id, task.platform, task.label), f"{run_id}#{task_id}"))
        facts = {"counts": counts, "error": error}
        return self._end(TaskName(run_id, task_id, generation), state, facts)

    def finish_loaded(self, task: TaskName, pulled: Pulled, counts: Mapping[str, int]) -> bool:
        """`finish` of a task whose rows are stored. What it brought is known, so nothing is read before.

        Where its stage is known, too, the task ends and its marker goes in one transaction.
        """
        self._succeeded(pulled)  # first: a worker that dies behind its task's end would never say so
        facts = {"counts": counts}
        if pulled.stage and self._end_together([(task, pulled.stage, facts)], TaskState.LOADED):
            return True
        return self._end(task, TaskState.LOADED, facts)

    def fail_together(self, failed: Sequence[tuple[AnyTask, Mapping[str, Any]]]) -> bool:
        """Fail at most `TOGETHER` tasks, each with its error, and remove their markers, in one transaction.

        False when one of them is not open any more: then none was ended, and `finish` ends each.
        """
        names = ((TaskName(task.run_id, task.id, task.generation), task.stage, error) for task, error in failed)
        return self._end_together([(name, stage, {"error": error}) for name, stage, error in names], TaskState.FAILED)

    def _end_together(self, ends: Iterable[tuple[TaskName, str, _Facts]], state: TaskState) -> bool:
        pairs = []
        for (run_id, task_id, generation), stage, facts in ends:
            open_still = (Row.generation == generation) & Row.state.is_in(*_ACTIVE)
            ours = Row.pk.does_not_exist() | (Row.generation <= generation)
            end = task_item(run_id, task_id), self._end_actions(state, facts), open_still
            pairs.append((end, ((run_pk(run_id), marker_sk(stage, task_id)), ours)))
        return self._change_and_drop(pairs)

    def _end(self, task: TaskName, state: TaskState, facts: _Facts) -> bool:
        run_id, task_id, generation = task
        pk, sk = task_item(run_id, task_id)
        done = self._change(
            pk, sk, self._end_actions(state, facts), (Row.generation == generation) & Row.state.is_in(*_ACTIVE)
        )
        ended = self.get_task(run_id, task_id) if done is None else self._parsed(done, task_of_row)
        if ended is not None and ended.generation == generation and ended.state.is_terminal:
            self._unmark(ended)
        return done is not None

    def _end_actions(self, state: TaskState, facts: _Facts) -> list[Any]:
        actions = [Row.state.set(state.value), Row.until.set(0), Row.updated_at.set(iso(self._clock.now()))]
        return actions + [getattr(Row, name).set(dict(fact)) for name, fact in facts.items() if fact is not None]

    def relabel(self, task: Task, label: str) -> None:
        """Record that another credential pulls an open task than the one that it was planned for."""
        ours = (Row.generation == task.generation) & Row.state.is_in(*_ACTIVE)
        self._change(run_pk(task.run_id), f"task#{task.id}", [Row.label.set(label)], ours)

    def split(self, task: Task, children: Sequence[Task]) -> None:
        """Replace a task by narrower ones (`task.child(...)`): children's markers and rows first, then its own end.

        The caller sends the children's messages and `Advance(run_id)` afterwards.
        """
        for child in children:
            self.plan(child)
        self.finish(task.run_id, task.id, task.generation, TaskState.SPLIT, counts={"children": len(children)})

    # --- redrive

    def redrive(self, task: _T, deadline: int, *, accept_vanish: bool = False) -> _T | None:
        """A failed, parked or quarantined task becomes PLANNED again as its next generation; None for any other task.

        The marker of the new generation comes first; the sweep completes what a crash after it left.
        """
        if task.state not in REDRIVABLE:
            return None  # the marker of an open task stays its own
        generation = task.generation + 1
        self._mark(task.run_id, task.stage, task.id, generation, task.group)
        row = self._change(
            run_pk(task.run_id),
            f"task#{task.id}",
            [
                Row.state.set(TaskState.PLANNED.value),
                Row.generation.set(generation),
                Row.accept_vanish.set(int(accept_vanish)),
                *self._anew(deadline),
                Row.report_id.remove(),
                Row.object_key.remove(),
                Row.as_of.remove(),
                Row.parts.remove(),
                Row.cursor.remove(),
            ],
            Row.generation == task.generation,  # within which a task that ended stays as it is
        )
        if row is None:
            current = self.get_task(task.run_id, task.id)
            if current is None or current.state.is_terminal:
                self._drop(run_pk(task.run_id), marker_sk(task.stage, task.id), Row.generation == generation)
            return None
        if task.state is TaskState.PARKED and isinstance(task, Task):
            self._drop(_parked_pk(task.account_id, task.platform, task.label), f"{task.run_id}#{task.id}")
        return cast("_T", task_of_row(row))

    def successes(self) -> Iterator[tuple[str, str, str, str]]:
        """(profile key, dataset, when, last day of the window or "") of the newest load of each profile's dataset."""
        for row in self._query("success"):
            profile_key, _, dataset = row.sk.rpartition("|")
            yield profile_key, dataset, row.updated_at or "", row.text or ""

    def listed_at(self, account_id: str, platform: Platform, label: str) -> str:
        """When the ad accounts of a credential were last listed, "" when they never were."""
        row = self._fetch("success", f"{platform}#{owner(account_id, label)}|{Dataset.PROFILES}")
        return (row.updated_at or "") if row else ""

    # --- inside

    def _anew(self, deadline: int) -> list[Any]:
        """What a task forgets that is planned again."""
        return [
            Row.attempts.set(0),
            Row.until.set(0),
            Row.resent.remove(),
            Row.deadline.set(deadline),
            Row.expires.set(self._expires()),
            Row.updated_at.set(iso(self._clock.now())),
            Row.waits.remove(),
            Row.error.remove(),
            Row.counts.remove(),
        ]

    def _succeeded(self, pulled: Pulled) -> None:
        end = pulled.window.end.isoformat() if pulled.window else None
        newer = self._absent() | Row.text.does_not_exist()
        if end:
            newer |= Row.text <= end
        sk = f"{pulled.profile_key}|{pulled.dataset}"
        self._put(self._row("success", sk, updated_at=iso(self._clock.now()), text=end), newer)

    def _unmark(self, task: AnyTask) -> None:
        self._drop(run_pk(task.run_id), marker_sk(task.stage, task.id), Row.generation <= task.generation)

    def _advance_task(self, task: AnyTask, actions: list[Any], condition: Condition | None = None) -> bool:
        """Change an open task of this generation and end its hold."""
        ours = (Row.generation == task.generation) & Row.state.is_in(*_ACTIVE)
        changed = self._change(
            run_pk(task.run_id),
            f"task#{task.id}",
            [*actions, Row.until.set(0), Row.updated_at.set(iso(self._clock.now()))],
            ours & condition if condition is not None else ours,
        )
        return changed is not None

    def _with_tasks(self, pk: str, markers: Sequence[Marker]) -> Iterator[tuple[Marker, AnyTask | None]]:
        rows = self._fetch_many([(pk, f"task#{marker.task_id}") for marker in markers if marker.is_task])
        for marker in markers:
            row = rows.get((pk, f"task#{marker.task_id}"))
            yield marker, None if row is None else next(self._readable([row], task_of_row), None)


def _parked_pk(account_id: str, platform: Platform, label: str) -> str:
    return f"parked#{account_id}#{platform}#{label}"


def tasks_of(run_id: str) -> str:
    """The name of the list of a run's tasks in page tokens."""
    return f"tasks#{run_id}"
