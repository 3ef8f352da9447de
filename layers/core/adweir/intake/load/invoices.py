"""Loads invoices: a pull's pages → the documents in the catalog, each whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from adweir.intake.load.commit import Committer, Origin
from adweir.intake.load.holding import HeldBack
from adweir.model.datasets import Dataset
from adweir.model.events import EntitiesChanged
from adweir.model.invoices import Invoice
from adweir.model.metrics import BadRow
from adweir.platforms.connector import InvoiceReader, PullContext
from adweir.quality.quarantine import Quarantine
from adweir.store.metrics.buckets import can_be_key
from adweir.store.raw.store import RawObject

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore


class InvoiceLists:
    """Brings the stored invoices to what a pull listed. Repeated, it changes nothing."""

    def __init__(self, raw: RawStore, catalog: Catalog, committer: Committer) -> None:
        self._raw = raw
        self._catalog = catalog
        self._committer = committer

    def load(
        self,
        pulled: RawObject,
        origin: Origin,
        reader: InvoiceReader,
        context: PullContext,
        remaining: Callable[[], float],
    ) -> dict[str, int]:
        """Put the invoices as they come. Returns the counts. Raises NotReady when time runs out."""
        header, added, changed, unchanged = pulled.header, 0, 0, 0
        with Quarantine() as quarantine:
            for page in pulled.pages():
                for batch in reader.invoice_batches(page, context):
                    self._committer.check_time(remaining)
                    for bad in batch.bad:
                        quarantine.add(bad, page.number)
                    storable = [invoice for invoice in batch.invoices if can_be_key(invoice.invoice_id)]
                    for invoice in batch.invoices:
                        if not can_be_key(invoice.invoice_id):
                            quarantine.add(nameless(invoice), page.number)
                    effects = self._catalog.put_invoices(storable, header.as_of)
                    added, changed, unchanged = added + effects[0], changed + effects[1], unchanged + effects[2]
            key = quarantine.store(self._raw, origin.quarantine_key)
            held_back, held = quarantine.rows, HeldBack.of(quarantine, key)
        announce(self._committer, origin, added, changed)
        if held_back:
            self._committer.breach(origin, "rows_quarantined", rows=held_back, quarantine_key=key)
        self._committer.hold(origin, held)
        stored = added + changed + unchanged
        return {
            "rows_read": stored + held_back,
            "rows_stored": stored,
            "rows_quarantined": held_back,
            "added": added,
            "changed": changed,
            "complete": int(header.complete),
        }


def announce(committer: Committer, origin: Origin, added: int, changed: int) -> None:
    """Publish that invoices of the origin's profile were added or changed, where any were."""
    if added or changed:
        committer.announce(
            EntitiesChanged(
                platform=origin.platform,
                profile_id=origin.profile_id,
                account_id=origin.account_id,
                dataset=Dataset.INVOICES,
                added=added,
                changed=changed,
                removed=0,
                task_id=origin.task_id,
            )
        )


def nameless(invoice: Invoice) -> BadRow:
    """An invoice without an id that the store can take."""
    fault = {"field": "invoice_id", "rule": "id", "message": "the id is missing or cannot be a key in the store"}
    return BadRow(0, invoice.model_dump(mode="json"), [fault])
