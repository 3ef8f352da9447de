"""Invoices of ad accounts: `invoices#<platform>#<profile>` / `<month>#<invoice id>`. The newest pull or file wins.

Each item is one document with all its lines, so that a bill is never half the old one and half the new. Nothing takes a
document away again: what a bill got wrong, a credit memo puts right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adweir.model.invoices import Invoice, stored
from adweir.model.platforms import Platform
from adweir.store.catalog.items import Effect, Item, Items

_LAST = "\U0010ffff"


class StoredInvoices(Items):
    """Invoices: stored, and read by month."""

    def put_invoices(self, invoices: Iterable[Invoice], as_of: str) -> tuple[int, int, int]:
        """Store what a pull or file of `as_of` (`model.times.iso`) brought, unless a newer one brought the document.

        Returns how many were (added, changed, unchanged). Repeated, it changes nothing.
        """
        effects = [self._put_invoice(invoice, as_of) for invoice in invoices]
        return effects.count(Effect.ADDED), effects.count(Effect.CHANGED), effects.count(Effect.UNCHANGED)

    def invoices(self, platform: Platform, profile_id: str, first: str = "", last: str = "") -> Iterator[Invoice]:
        """The invoices of an ad account whose month is from `first` to `last` (`2026-10`), by month and id."""
        found = self._query(_pk(platform, profile_id), first or "0", up_to=f"{last or '9'}#{_LAST}")
        return self._readable(found, _invoice)

    def _put_invoice(self, invoice: Invoice, as_of: str) -> Effect:
        key = _pk(invoice.platform, invoice.profile_id), f"{invoice.month}#{invoice.invoice_id}"
        body, before = stored(invoice), self._fetch(*key)
        fresh = Item(*key, as_of=as_of, body=body)
        # Two files of one second are ordered by their content, whichever is loaded first.
        newer = (Item.as_of < as_of) | ((Item.as_of == as_of) & (Item.body < body))
        if not self._put(fresh, Item.pk.does_not_exist() | newer):
            # A newer pull was here, or this very one, whose worker may have died before it was announced.
            return Effect.CHANGED if before is not None and before.as_of == as_of else Effect.UNCHANGED
        if before is None:
            return Effect.ADDED
        return Effect.UNCHANGED if before.body == body else Effect.CHANGED


def _pk(platform: Platform, profile_id: str) -> str:
    return f"invoices#{platform}#{profile_id}"


def _invoice(item: Item) -> Invoice:
    return Invoice.model_validate({**(item.body or {}), "as_of": item.as_of or ""}, extra="ignore")
