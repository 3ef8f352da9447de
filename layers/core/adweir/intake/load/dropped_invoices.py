"""Invoices in dropped files → documents in the catalog, each whole or not at all: half a bill is a wrong total."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.intake.load.commit import Committer, Origin
from adweir.intake.load.invoices import announce
from adweir.model import limits
from adweir.model.errors import TooLarge
from adweir.model.invoices import Invoice, InvoiceLine, condensed
from adweir.model.metrics import BadRow, Grain, Level
from adweir.platforms.files.invoices import (
    Document,
    DroppedFault,
    DroppedLine,
    document_of,
)
from adweir.platforms.files.lines import LineFault, Record
from adweir.platforms.files.normalize import Target
from adweir.quality.quarantine import Quarantine
from adweir.store.metrics.buckets import can_be_key

if TYPE_CHECKING:
    from adweir.intake.load.dropped_rows import ProfileOf
    from adweir.platforms.files.reading import FileReaders
    from adweir.store.catalog.store import Catalog

_LOOKS = 500


@dataclass(slots=True)
class _Bill:
    """A document being read: what its first line says of it, and its lines with their place in the file."""

    head: Invoice | None
    lines: dict[str, tuple[Record, InvoiceLine]] = field(default_factory=dict)
    fault: str = ""
    """Why it is held back."""


class DroppedBills(NamedTuple):
    """What a file brought: counts for its receipt, and whether lines named an unknown profile."""

    counts: dict[str, Any]
    has_unknown: bool


class DroppedInvoices:
    """Reads a dropped file of invoices and stores them. Repeated, it changes nothing."""

    def __init__(self, catalog: Catalog, committer: Committer, readers: FileReaders) -> None:
        self._catalog = catalog
        self._committer = committer
        self._readers = readers

    def load(
        self,
        lines: Iterable[DroppedLine | DroppedFault],
        origin: Origin,
        as_of: str,
        quarantine: Quarantine,
        remaining: Callable[[], float],
    ) -> DroppedBills:
        """Store the documents whose lines are all good; the others' lines are quarantined, the good ones too.

        A line that does not say which document it is of may be of any: then nothing is stored. Raises BadInput,
        TooLarge for more lines than are held in memory or read in time.
        """
        least = remaining() / 2

        def check(lines: int) -> None:
            if lines > limits.MAX_DROPPED_BILL_LINES or (lines % _LOOKS == 0 and remaining() < least):
                raise TooLarge(f"the file has too many lines for one load: {lines} until now; split it")

        bills, number, lost = read_bills(lines, quarantine, check)
        unknown = check_bills(bills, origin.account_id, self._readers.profile)
        return DroppedBills(
            self._store(bills, origin, as_of, quarantine, lost) | {"rows_read": number}, has_unknown=unknown
        )

    def _store(
        self, bills: dict[Document, _Bill], origin: Origin, as_of: str, quarantine: Quarantine, lost: str
    ) -> dict[str, Any]:
        """Quarantine what is held back, and put the rest, profile by profile."""
        rows, kept = 0, dict[tuple[str, str], list[Invoice]]()
        for document in sorted(bills):
            bill = bills[document]
            why = bill.fault or lost
            for record, _ in bill.lines.values() if why else ():
                quarantine.add(record.bad(LineFault("", "whole", f"is held back: {why}")))
            if bill.head and not why:
                rows += len(bill.lines)
                lines = condensed(line for _, line in bill.lines.values())
                invoice = bill.head.model_copy(update={"lines": lines})
                kept.setdefault((document.platform, document.profile_id), []).append(invoice)
        changes = 0
        for (platform, profile_id), invoices in kept.items():
            added, changed, _ = self._catalog.put_invoices(invoices, as_of)
            announce(self._committer, replace(origin, platform=platform, profile_id=profile_id), added, changed)
            changes += added + changed
        stored = [f"{platform}#{profile_id}#invoices" for platform, profile_id in kept]
        return {"rows_stored": rows, "duplicates": 0, "slots_changed": changes, "stored_for": stored}


def check_bills(bills: dict[Document, _Bill], account_id: str, profile_of: ProfileOf) -> bool:
    """Give each document its profile's currency where it has none, and hold back those of unknown profiles.

    Returns whether there are any of these.
    """
    has_unknown = False
    for document, bill in bills.items():
        profile = profile_of(account_id, Target(document.platform, document.profile_id, Level.ACCOUNT, Grain.DAY))
        if profile is None:
            has_unknown = True
            named = f"{document.profile_id} on {document.platform}"
            bill.fault = f"account {account_id} has no profile {named}"
        elif not can_be_key(document.invoice_id):
            bill.fault = "the invoice's id cannot be a key in the store"
        elif bill.head and not bill.head.currency:
            bill.head = bill.head.model_copy(update={"currency": profile.currency})
    return has_unknown


def read_bills(
    found: Iterable[DroppedLine | DroppedFault], quarantine: Quarantine, check: Callable[[int], None]
) -> tuple[dict[Document, _Bill], int, str]:
    """The lines of a file by document, how many they are, and why none can be stored, "" where they can.

    `check` looks at the number of lines now and then.
    """
    bills, number, lost = dict[Document, _Bill](), 0, ""
    for number, each in enumerate(found, 1):
        check(number)
        if isinstance(each, DroppedLine):
            fault = _add(bills, each)
            if fault:
                quarantine.add(fault)
        else:
            quarantine.add(each.bad)
            lost = lost or _hold(bills, each)
    return bills, number, lost


def _add(bills: dict[Document, _Bill], found: DroppedLine) -> BadRow | None:
    """Take a line; what is wrong with it beside the others of its document, which it then holds back."""
    bill = bills.setdefault(document_of(found.head), _Bill(found.head))
    bill.head = bill.head or found.head
    wrong = ""
    if bill.head != found.head:
        wrong = "says something else of its invoice than the lines before"
    elif found.line.line in bill.lines:
        wrong = "has the name of another line of its invoice"
    if not wrong:
        bill.lines[found.line.line] = found.record, found.line
        return None
    bill.fault = bill.fault or f"line {found.record.number} of the file is of this invoice, and bad"
    return found.record.bad(LineFault("line" if bill.head == found.head else "invoice_id", "consistent", wrong))


def _hold(bills: dict[Document, _Bill], found: DroppedFault) -> str:
    """Hold back the document of a bad line; a reason to hold back all where it cannot be told."""
    if found.document is None:
        return f"line {found.bad.line} of the file does not say which invoice it is of"
    held = bills.setdefault(found.document, _Bill(None))
    held.fault = held.fault or f"line {found.bad.line} of the file is of this invoice, and bad"
    return ""
