"""Interfaces to the outside; the composition root hands their implementations to the rooms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from adweir.model.breaches import Breach
from adweir.model.datasets import Dataset, Gap
from adweir.model.entities import Profile
from adweir.model.errors import AdweirError, Unprocessable
from adweir.model.events import BusEvent
from adweir.model.flows import StageKind
from adweir.model.messages import Message
from adweir.model.platforms import Platform

PlatformParser = Callable[[str], Platform]
"""Any known name of a platform (`meta`) → the platform. Raises Unprocessable that lists the known names."""


def platform_named(text: str, parse: PlatformParser) -> Platform:
    """The platform that a text names: by any known name, or one that is not known here. Raises ValueError."""
    try:
        return parse(text)
    except AdweirError:
        return Platform(text.lower())


def platform_or_name(text: str, parse: PlatformParser) -> Platform:
    """`platform_named`, as a parser. Raises Unprocessable."""
    try:
        return platform_named(text, parse)
    except ValueError:
        message = f"a platform or a source is 2 to 40 lower-case letters, digits and _: {text[:64]!r}"
        raise Unprocessable(message, [{"field": "platform", "message": message}]) from None


class ServedDataset(Protocol):
    """How a platform serves a dataset, as far as readers need it; see `platforms.base.DatasetSpec`."""

    @property
    def dataset(self) -> Dataset: ...
    @property
    def slices(self) -> tuple[str, ...]: ...
    @property
    def lookback_days(self) -> int: ...
    @property
    def settles_after_days(self) -> int: ...
    @property
    def sums_to_parent(self) -> bool: ...
    @property
    def on_request(self) -> bool: ...
    @property
    def lacks(self) -> tuple[Gap, ...]: ...


class ServedPlatforms(Protocol):
    """The platforms that a deployment knows, as far as readers need them; see `platforms.Platforms`."""

    def __contains__(self, name: object) -> bool: ...
    def parse(self, name: str) -> Platform:
        """Any known name of a platform → the platform. Raises Unprocessable that lists the known names."""
        ...

    def datasets(self, platform: Platform) -> Mapping[Dataset, ServedDataset]:
        """The datasets that a known platform serves, and how."""
        ...

    def lists(self, platform: str) -> bool:
        """Whether a platform's ad accounts are those that its API lists, so that a file can name no other."""
        ...

    def served(self, profile: Profile) -> Mapping[Dataset, ServedDataset]:
        """The datasets of one ad account, and how; none of a platform that is not known any more."""
        ...


class Queue(Protocol):
    """One SQS queue."""

    def send(self, message: Message, *, delay: int = 0, group: str = "") -> None:
        """Send one message, `delay` 0-900 s, `group` the fair-queue key (the profile)."""
        ...

    def send_many(self, messages: Iterable[tuple[Message, str]]) -> None:
        """Send (message, group) pairs in batches of ten; raises Unavailable when some stay unsent."""
        ...


class SourceQueue(Queue, Protocol):
    """A queue that a function reads."""

    def keep_hidden(self, receipt_handle: str, seconds: int) -> None:
        """Change a received message's visibility time-out."""
        ...


class Queues(Protocol):
    """The queues of the system, each made when it is asked for."""

    @property
    def runs(self) -> Queue: ...
    @property
    def reports(self) -> Queue: ...
    @property
    def landing(self) -> Queue: ...
    @property
    def etl(self) -> Queue: ...
    def work(self, kind: StageKind) -> Queue:
        """The queue of the function that does stages of a kind (`model.flows.WORKERS`), of `etl` where none does."""
        ...

    def collect(self, platform: Platform) -> Queue:
        """The collect queue of one platform. Raises Unprocessable for one that is not connected."""
        ...


class Bus(Protocol):
    """The event bus."""

    def publish(self, *events: BusEvent, measured: bool = True) -> None:
        """Put events, and count what they say unless not `measured`; raises Unavailable when the bus refuses some."""
        ...

    def measure(self, *events: BusEvent) -> None:
        """Count what events say that were published without being measured."""
        ...


class Messenger(Protocol):
    """Where people are told about breaches."""

    def send(self, breach: Breach) -> None:
        """Send the message that a breach began or, where `cleared_at` is set, that it is over. Raises Unavailable."""
        ...


class ScheduleEntry(NamedTuple):
    """A schedule of EventBridge Scheduler. `start` is the first time of a rate; `message` is sent as JSON, in which
    `SCHEDULED_AT` stands for the time that is due."""

    name: str
    expression: str
    timezone: str
    start: datetime | None
    enabled: bool
    message: Mapping[str, str]


SCHEDULED_AT = "<aws.scheduler.scheduled-time>"
"""What EventBridge Scheduler replaces by the time that is due."""


class ScheduleStore(Protocol):
    """The schedules of the deployment's jobs."""

    def put(self, entry: ScheduleEntry) -> None:
        """Make it, or replace the one of its name. Raises Unprocessable where it is refused, Unavailable."""
        ...

    def remove(self, name: str) -> None:
        """Remove it, if there is one. Raises Unavailable."""
        ...
