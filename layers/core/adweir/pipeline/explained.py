"""What a message of ours is about, in words for people; used for dead letters and for quarantined messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, NamedTuple, assert_never

from pydantic import ValidationError

from adweir.intake.load.arrivals import parse_notification
from adweir.model.errors import AdweirError
from adweir.model.flows import WORKERS
from adweir.model.messages import RUN_MESSAGE, TaskMessage
from adweir.model.tasks import AnyTask, TaskState

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger


_SAFE = "safe: the same message twice changes nothing"
_OF_A_RUN: dict[Literal["advance", "cancel", "narrow", "redrive"], str] = {
    "advance": "see whether {} can go on",
    "cancel": "cancel {}",
    "narrow": "pull the days of a task of {} in halves, since its object takes too long to load",
    "redrive": "try failed tasks of {} again",
}


class About(NamedTuple):
    """What a message wants (`words`), what it names, and what comes of sending it again (`again`)."""

    words: str
    again: str = _SAFE
    run_id: str = ""
    task_id: str = ""
    object_key: str = ""


def about(queue: str, body: str, ledger: Ledger) -> About:
    """A message by the short name of its queue; of `delivery`, whose messages are for any, by its form."""
    try:
        if queue == "etl" and '"export_id"' in body:
            return _of_export(body)
        if queue == "reports" or queue.startswith("collect-") or queue in _WORK:
            return _of_task(queue, TaskMessage.model_validate_json(body), ledger)
        if queue in _PLAIN:
            return _PLAIN[queue](body)
        return _of_any(body)
    except (AdweirError, ValidationError, ValueError, LookupError, TypeError, AttributeError):
        return About("a message that cannot be read", "useless: it would be quarantined")


def _of_any(body: str) -> About:
    return _of_run(body) if json.loads(body).get("kind") else _of_objects(body)


def _of_stream(_body: str) -> About:
    return About("a message of Amazon Marketing Stream", "safe: a record counts once, however often it comes")


def _of_task(queue: str, message: TaskMessage, ledger: Ledger) -> About:
    names = {"run_id": message.run_id, "task_id": message.task_id}
    task = ledger.get_task(message.run_id, message.task_id)
    if task is None or task.generation != message.generation:
        return About("work on a task that is gone", "does nothing", **names)
    verb = _VERBS.get(queue, "pull")
    return About(f"{verb} {task.about}; its task is {_state(task)}", _task_again(task), **names)


def _state(task: AnyTask) -> str:
    error = f": {task.error.get('message', '')}" if task.error else ""
    return f"{task.state.value}{error}"


def _task_again(task: AnyTask) -> str:
    if task.state in {TaskState.FAILED, TaskState.PARKED, TaskState.QUARANTINED}:
        return "does nothing, since its task has ended: redrive the run"
    return "does nothing, since its task has ended" if task.state.is_terminal else _SAFE


def _of_objects(body: str) -> About:
    keys = [arrived.key for arrived in parse_notification(body)]
    name = keys[0].rpartition("/")[2].partition(".")[0] if keys and keys[0].startswith("raw/") else ""
    return About(f"load {', '.join(keys) or 'nothing'}", task_id=name, object_key=keys[0] if keys else "")


def _of_run(body: str) -> About:
    message = RUN_MESSAGE.validate_json(body)
    run_id, task_id = getattr(message, "run_id", ""), getattr(message, "task_id", "")
    match message.kind:
        case "start":
            words = f"start the workflow {message.workflow} for {message.scheduled_at.isoformat()}"
        case "job":
            words = f"start the job {message.name} for {message.scheduled_at.isoformat()}"
        case "plan":
            words = f"plan the stage {message.stage} of {run_id}"
        case "advance" | "cancel" | "narrow" | "redrive":
            words = _OF_A_RUN[message.kind].format(run_id)
        case "redrive_credential":
            words = f"try the parked tasks of {message.account_id} on {message.platform} again"
        case "resume":
            words = f"try the tasks of {message.platform} {message.profile} again that waited for a brake"
        case "replay":
            words = f"load the stored answers of {message.platform} {message.profile_id} again"
        case "replay_held":
            words = f"load {message.key} again, because of the rows of it that are in quarantine"
        case "sweep":
            words = "sweep; the next schedule sends another"
        case _:
            assert_never(message.kind)
    return About(words, run_id=run_id, task_id=task_id)


def _of_export(body: str) -> About:
    return About(f"make the export {json.loads(body)['export_id']}")


_WORK = frozenset(WORKERS.values())
"""The queues of tasks of client accounts."""
_VERBS = {"reports": "poll the report of"} | dict.fromkeys(_WORK, "do the")
"""By queue, what its messages about tasks want done."""
_PLAIN = {"landing": _of_objects, "runs": _of_run, "stream": _of_stream}
"""By queue, how its messages are read where their text says it all."""
