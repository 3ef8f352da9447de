"""Asks all that the system stores in whether it answers, for the health report: tables, bucket, secrets and queues.

All at once, and no longer than a person waits: what hangs is unhealthy, and holds up nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from adweir.pipeline.alone import explain
from adweir.pipeline.health import QueueDepth, StoreState
from adweir.runtime.depths import queue_depth, queues_of
from adweir.store.dynamo import tables

if TYPE_CHECKING:
    from adweir.model.times import Clock
    from adweir.runtime.resources import Resources

PATIENCE_SECONDS = 5.0
"""A request to AWS may take longer, with its retries; the health must not."""
_WORKERS = 16
_TABLES = ("catalog", "metrics", "ledger", "findings")


class Probe(NamedTuple):
    """Something to ask: its kind, our name for it, its name on AWS. `ask` raises what is wrong.

    Of a queue it returns the depth."""

    kind: str
    name: str
    resource: str
    ask: Callable[[], QueueDepth | None]


def probes_of(app: Resources) -> list[Probe]:
    """What there is to ask. Clients are made here: to make one is not thread-safe, and is no latency."""
    settings, sqs = app.settings, app.sqs
    tables.bind(*settings.tables)
    _ = tables.shared_connection().client
    found = [
        Probe("table", name, resource, partial(tables.probe, resource))
        for name, resource in zip(_TABLES, settings.tables, strict=True)
    ]
    found.append(Probe("bucket", "bucket", settings.bucket, app.raw.probe))
    found.append(Probe("secrets", "secrets", f"{settings.secret_prefix}/*", app.secrets.probe))
    for url, dead in queues_of(settings, app.platforms).items():
        name = url.rpartition("/")[2]
        found.append(Probe("queue", name, name, partial(queue_depth, sqs, url, dead_letters=dead)))
    return found


def ask_all(probes: Iterable[Probe], clock: Clock, patience: float = PATIENCE_SECONDS) -> list[StoreState]:
    """The state of each; `patience` is in seconds, for all of them together."""
    pool = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="probe")
    try:
        asked = [(probe, pool.submit(_ask, probe, clock)) for probe in probes]
        answered, _ = wait([future for _, future in asked], timeout=patience)
        late = f"no answer within {patience:g} s"
        return [
            future.result() if future in answered else StoreState(probe.kind, probe.name, probe.resource, reason=late)
            for probe, future in asked
        ]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _ask(probe: Probe, clock: Clock) -> StoreState:
    begun, depth, reason = clock.monotonic(), None, ""
    try:
        depth = probe.ask()
    except Exception as error:  # noqa: BLE001  the boundary: what is wrong with one of them is what is reported
        reason = explain(error)
    latency = round((clock.monotonic() - begun) * 1000, 1)
    return StoreState(probe.kind, probe.name, probe.resource, latency, reason, depth)
