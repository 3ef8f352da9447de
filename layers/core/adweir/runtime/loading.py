"""What loads the objects of the bucket, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from adweir.intake.load import deliveries, dispatch, drop_keys, files, leads, pulls, stream
from adweir.intake.load.commit import Committer
from adweir.intake.load.ends import TaskEnds

if TYPE_CHECKING:
    from adweir.model.ports import Bus, Queues
    from adweir.model.times import Clock
    from adweir.platforms import Platforms
    from adweir.platforms.files.reading import FileReaders
    from adweir.store.catalog.store import Catalog
    from adweir.store.folds import Folds
    from adweir.store.ledger import Ledger
    from adweir.store.raw.store import RawStore
    from adweir.store.registers import Registers


class LoadingParts(Protocol):
    """What an app has of that."""

    @property
    def raw(self) -> RawStore: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def folds(self) -> Folds: ...
    @property
    def registers(self) -> Registers: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def platforms(self) -> Platforms: ...
    @property
    def queues(self) -> Queues: ...
    @property
    def bus(self) -> Bus: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def file_readers(self) -> FileReaders: ...


def loader(app: LoadingParts, committer: Committer) -> dispatch.Loader:
    """A loader per prefix of the bucket."""
    ends, landing = TaskEnds(app.ledger, app.queues.runs, app.clock), app.queues.landing
    counter = leads.LeadCounter(app.catalog, app.folds, app.clock)
    kept = (app.raw, app.catalog, app.registers)
    drops = files.DropLoader(kept, app.ledger.receipts, committer, app.clock, app.file_readers)
    stores, runs = (app.raw, app.catalog, app.folds), app.queues.runs
    return dispatch.Loader(
        {
            pulls.PREFIX: pulls.PullLoader(app.raw, app.catalog, app.platforms, committer, ends, landing),
            drop_keys.PREFIX: drops,
            deliveries.PREFIX: deliveries.DeliveryLoader(app.raw, committer, runs, counter),
            stream.PREFIX: stream.StreamLoader(
                stores, app.platforms, committer, runs, app.clock, app.ledger.faults.note
            ),
        },
        app.ledger,
        app.clock,
    )
