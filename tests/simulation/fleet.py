"""Lambda and its queues: who is invoked with what, and what becomes of the messages."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from adweir.model.messages import Message, Sweep
from sandbox.aws.sqs import SentMessage, Sqs
from simulation.containers import ALL, URL, Container, Function, Parts
from simulation.scheduler import Killed, Scheduler, Worker
from simulation.trace import Trace

MOST_RECEIVES = 5
_SWEEP_SECONDS = 300.0
_BY_QUEUE = {function.queue: function for function in ALL}
_SWEEP = Sweep().model_dump_json()


class Fleet:
    """So many workers at a time take messages in any order, some of them twice."""

    def __init__(
        self, scheduler: Scheduler, sqs: Sqs, rng: random.Random, parts: Parts, trace: Trace, slots: int
    ) -> None:
        self._scheduler = scheduler
        self._sqs = sqs
        self._rng = rng
        self._parts = parts
        self._trace = trace
        self._slots = slots
        self._warm: dict[str, list[Container]] = {function.name: [] for function in ALL}
        self._numbers = 0
        self.busy = 0
        self.twice = 0.0
        """How likely a message is delivered twice."""
        self.faults: list[str] = []
        """What no function should do."""

    def send(self, message: Message) -> None:
        """What a schedule or the API sends to the runs queue."""
        self._put("runs", message.model_dump_json())

    def arrive(self, body: str, delay: float) -> None:
        """S3's notification of an object reaches the landing queue, perhaps more than once."""
        self._scheduler.at(self._scheduler.now + delay, lambda: self._put("landing", body))
        if self._rng.random() < self.twice:
            again = delay + self._rng.uniform(0.0, 60.0)
            self._scheduler.at(self._scheduler.now + again, lambda: self._put("landing", body))

    def sweep(self) -> None:
        """Sweeps begin, and go on."""
        waiting = any(sent.body == _SWEEP for sent in self._sqs.queues["runs"].messages)
        if not waiting:
            self._put("runs", _SWEEP)
        self._scheduler.at(self._scheduler.now + _SWEEP_SECONDS, self.sweep)

    @property
    def quiet(self) -> bool:
        """Whether nobody works, and no message waits but sweeps."""
        lines = self._sqs.queues.values()
        return not self.busy and all(sent.body == _SWEEP for line in lines for sent in line.messages)

    def idle(self) -> float:
        """Invoke functions for what is visible; when more will be."""
        lines = self._sqs.queues
        while self.busy < self._slots:
            waiting = [(sent.visible_at, name, sent) for name in _BY_QUEUE for sent in lines[name].messages]
            ready = [(name, sent) for visible_at, name, sent in waiting if visible_at <= self._scheduler.now]
            if not ready:
                return min((visible_at for visible_at, _, _ in waiting), default=float("inf"))
            name, first = self._rng.choice(ready)
            self._take(_BY_QUEUE[name], first)
        return float("inf")

    # --- inside

    def _put(self, queue: str, body: str) -> None:
        self._sqs.call("SendMessage", {"QueueUrl": URL + queue, "MessageBody": body})

    def _take(self, function: Function, first: SentMessage) -> None:
        others = [sent for sent in self._sqs.visible(function.queue) if sent is not first]
        batch = [first, *others[: self._rng.randrange(function.batch)]]
        alive = []
        for sent in batch:
            if sent.receives == MOST_RECEIVES:
                self._sqs.bury(function.queue, sent)
                self._trace.say(f"{function.queue}: to the dead letters: {sent.body}")
                continue
            if self._rng.random() < self.twice / 4:
                self._put(function.queue, sent.body)
            self._sqs.take(sent, 6.0 * function.timeout)
            alive.append(sent)
        if alive:
            self._invoke(function, alive)
            if self.busy < self._slots and self._rng.random() < self.twice / 3:
                self._invoke(function, alive)  # two copies, received at the same moment

    def _invoke(self, function: Function, batch: list[SentMessage]) -> None:
        self._numbers += 1
        worker = Worker(function.name, self._numbers, self._scheduler.now + function.timeout)
        self.busy += 1
        self._scheduler.start(worker, self._work(function, worker, batch))

    def _work(self, function: Function, worker: Worker, batch: list[SentMessage]) -> Callable[[], None]:
        event = {"Records": [_record(function, sent) for sent in batch]}
        handles = {sent.id: sent.handle for sent in batch}

        def work() -> None:
            for sent in batch:
                self._trace.say(f"begins with {sent.body} (receive {sent.receives})")
            try:
                warm = self._warm[function.name]
                container = warm.pop() if warm else Container(function, self._parts)
                answer = container.handler(event, _Context(worker, self._scheduler))
                warm.append(container)
            except Killed:
                self._trace.say("is dead")
                return
            except Exception as error:  # noqa: BLE001  a handler must not raise
                self.faults.append(f"{function.name} raised {error!r}")
                return
            finally:
                self.busy -= 1
            failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
            self._trace.say(f"ends{f', {len(failed)} failed' if failed else ''}")
            for sent in batch:
                if sent.id not in failed:
                    about = {"QueueUrl": URL + function.queue, "ReceiptHandle": handles[sent.id]}
                    self._sqs.call("DeleteMessage", about)

        return work


class _Context:
    """What Lambda tells a handler."""

    def __init__(self, worker: Worker, scheduler: Scheduler) -> None:
        self.aws_request_id = worker.name
        self._worker = worker
        self._scheduler = scheduler

    def get_remaining_time_in_millis(self) -> int:
        return int((self._worker.deadline - self._scheduler.now) * 1000)


def _record(function: Function, sent: SentMessage) -> dict[str, Any]:
    return {
        "messageId": sent.id,
        "receiptHandle": sent.handle,
        "body": sent.body,
        "eventSourceARN": f"arn:aws:sqs:us-east-1:1:{function.queue}",
        "attributes": {"MessageGroupId": sent.group, "ApproximateReceiveCount": str(sent.receives)},
    }
