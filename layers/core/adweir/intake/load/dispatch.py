"""What `validate` runs: each object that arrived in the bucket goes to the loader of its prefix."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from adweir.intake.load.commit import Stores
from adweir.intake.load.deliveries import PREFIX as WEBHOOKS
from adweir.intake.load.deliveries import PushLoader
from adweir.intake.load.files import PREFIX as DROPS
from adweir.intake.load.files import DropLoader
from adweir.intake.load.pulls import PullLoader
from adweir.model import limits
from adweir.model.errors import AdweirError, DeadlinePassed, Throttled, Unavailable
from adweir.model.messages import ObjectArrived
from adweir.model.ports import Bus, Queue
from adweir.model.times import Clock

if TYPE_CHECKING:
    from adweir.model.platforms import Platform
    from adweir.platforms.base import Normalizer
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings import Findings
    from adweir.store.ledger import Ledger
    from adweir.store.metrics.store import MetricStore
    from adweir.store.raw.store import RawStore

RAW = "raw/"


class _Part(Protocol):
    def load(self, message: ObjectArrived, remaining: Callable[[], float], /) -> None: ...
    def settle(self, message: ObjectArrived, error: AdweirError) -> None: ...


class Loader:
    """Loads objects under `raw/`, `drops/` and `webhooks/`; others are none of its business and are acknowledged.

    `load` and `settle` are the queue consumer's hooks. Both may be repeated at any time: S3 and SQS deliver more than
    once, and a function may be killed between any two writes. `normalizer` gives a platform's.
    """

    def __init__(  # noqa: PLR0913  one argument a neighbour; the composition root names them all
        self,
        *,
        raw: RawStore,
        metrics: MetricStore,
        catalog: Catalog,
        ledger: Ledger,
        findings: Findings,
        normalizer: Callable[[Platform], Normalizer],
        runs_queue: Queue,
        bus: Bus,
        clock: Clock,
        threshold: float,
    ) -> None:
        stores = Stores(raw, metrics, catalog, ledger, findings, normalizer, runs_queue, bus, clock, threshold)
        self._parts: dict[str, _Part] = {
            RAW: PullLoader(stores),
            DROPS: DropLoader(stores),
            WEBHOOKS: PushLoader(stores),
        }

    def load(self, message: ObjectArrived, remaining: Callable[[], float]) -> None:
        """Load one object. Raises from the error tree; BadInput means that the whole object cannot be read.

        Waiting ends: after `limits.MAX_BUSY_WAITS` tries the message is reported as failed and goes to the dead-letter
        queue, from where it can still be loaded.
        """
        part = self._part(message.key)
        if part is None:
            return
        try:
            part.load(message, remaining)
        except Throttled as error:
            if message.attempt < limits.MAX_BUSY_WAITS:
                raise
            part.settle(message, DeadlinePassed(f"waited {message.attempt} times: {error.message}"))
            raise Unavailable(f"gave up after {message.attempt} waits: {error.message}") from error

    def settle(self, message: ObjectArrived, error: AdweirError) -> None:
        """Record an object that cannot be loaded, with its reason. Raises `error` when nobody can be told."""
        part = self._part(message.key)
        if part is not None:
            part.settle(message, error)

    def _part(self, key: str) -> _Part | None:
        return next((part for prefix, part in self._parts.items() if key.startswith(prefix)), None)
