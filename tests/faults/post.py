"""Queues with a clock: what is sent is delivered when it is due, what fails comes back as SQS has it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from adweir.model import limits
from adweir.model.flows import WORKERS, StageKind
from adweir.model.messages import Message
from adweir.model.platforms import Platform
from adweir.model.ports import Queues, SourceQueue
from support.clock import FrozenClock

VISIBILITY_SECONDS = 1800
"""Six times a function's time-out, as in template.yaml."""


@dataclass(order=True)
class Letter:
    """A message on its way."""

    due: float
    number: int
    queue: str = field(compare=False)
    body: Message = field(compare=False)
    group: str = field(compare=False)
    receives: int = field(compare=False, default=0)
    hidden: float = field(compare=False, default=VISIBILITY_SECONDS)


class Post:
    """All messages of the system, in the order in which they are due."""

    def __init__(self, clock: FrozenClock) -> None:
        self._clock = clock
        self._numbers = count()
        self._waiting: list[Letter] = []
        self.open: Letter | None = None
        """The one that is being worked on."""
        self.dead: list[Letter] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def put(self, queue: str, body: Message, delay: float, group: str) -> None:
        """A message that becomes visible after `delay` seconds."""
        due = self._clock.now().timestamp() + delay
        heapq.heappush(self._waiting, Letter(due, next(self._numbers), queue, body, group))

    def take(self) -> Letter | None:
        """The next message, at the moment at which it is due; None when there is none."""
        if not self._waiting:
            return None
        letter = heapq.heappop(self._waiting)
        self._clock.advance(max(0.0, letter.due - self._clock.now().timestamp()))
        letter.receives += 1
        letter.hidden = VISIBILITY_SECONDS
        self.open = letter
        return letter

    def failed(self, letter: Letter) -> None:
        """It comes again when it is visible again, or is a dead letter."""
        if letter.receives >= limits.MAX_RECEIVES:
            self.dead.append(letter)
            return
        letter.due, letter.number = self._clock.now().timestamp() + letter.hidden, next(self._numbers)
        heapq.heappush(self._waiting, letter)


class Line(SourceQueue):
    """One queue."""

    def __init__(self, name: str, post: Post) -> None:
        self.name = name
        self._post = post

    def send(self, message: Message, *, delay: int = 0, group: str = "") -> None:
        self._post.put(self.name, message, delay, group)

    def send_many(self, messages: Iterable[tuple[Message, str]]) -> None:
        for message, group in messages:
            self.send(message, group=group)

    def keep_hidden(self, receipt_handle: str, seconds: int) -> None:
        if self._post.open is None or receipt_handle != str(self._post.open.number):
            raise ValueError(f"nobody works on {receipt_handle}")
        self._post.open.hidden = seconds


class Lines(Queues):
    """The system's queues. The stand-ins' platform has one collect queue."""

    def __init__(self, post: Post) -> None:
        self.named = {
            name: Line(name, post) for name in ("runs", "collect", "reports", "landing", *sorted(set(WORKERS.values())))
        }

    def of(self, arn: str) -> Line:
        return self.named[arn.rpartition(":")[2]]

    @property
    def runs(self) -> Line:
        return self.named["runs"]

    @property
    def etl(self) -> Line:
        return self.named["etl"]

    def work(self, kind: StageKind) -> Line:
        return self.named[WORKERS.get(kind, "etl")]

    @property
    def reports(self) -> Line:
        return self.named["reports"]

    @property
    def landing(self) -> Line:
        return self.named["landing"]

    def collect(self, platform: Platform) -> Line:
        return self.named["collect"]
