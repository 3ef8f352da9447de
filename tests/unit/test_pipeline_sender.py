"""To which queue a task is sent."""

from __future__ import annotations

import pytest

from adweir.model.flows import WORKERS, StageKind
from adweir.model.tasks import AccountTask
from adweir.pipeline.sender import TaskSender
from adweir.pipeline.stages import DEPLOYED
from support.outlets import MemoryQueues


def test_tasks_of_accounts_go_to_the_queues_of_the_functions_that_do_their_kinds() -> None:
    """Given a task of each kind, when they are sent or sent again, each is in one queue, that of its function."""
    queues = MemoryQueues()
    tasks = {kind: AccountTask("run-1", f"{kind}s", "acc_1", kind, 2_000_000_000) for kind in WORKERS}
    expected = {name: sorted(tasks[kind].id for kind in tasks if WORKERS[kind] == name) for name in queues.workers}

    for send in (TaskSender(queues, "bucket").send, TaskSender(queues, "bucket").resend):
        send(tasks.values())

        sent = {name: sorted(message.task_id for message in queue.messages) for name, queue in queues.workers.items()}
        assert sent == expected
        assert {group for queue in queues.workers.values() for group in queue.groups} == {"acc_1"}
        assert len(queues.take_work()) == len(tasks)


@pytest.mark.parametrize("kind", sorted(DEPLOYED - {StageKind.PULL}))
def test_each_deployed_kind_has_a_function(kind: StageKind) -> None:
    assert kind in WORKERS
