"""adweir's own columns: any order and case, some with another name (docs/drops.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from adweir.model.errors import BadInput
from adweir.platforms.files.lines import Record


class Columns(NamedTuple):
    """The columns that a file has to have, and other names of columns."""

    required: tuple[str, ...]
    aliases: Mapping[str, str]

    def canonical(self, header: Sequence[str]) -> list[str]:
        """The names of a header's columns here, in the file's order; unknown ones stay as they are. Raises BadInput."""
        lower = [name.lower() for name in header]
        columns = [self.aliases.get(name, name) for name in lower]
        faults = [
            {"field": name, "rule": "required", "message": "missing"} for name in self.required if name not in columns
        ]
        faults += [
            {"field": name[:100], "rule": "unique", "message": "given twice"}
            for name, times in Counter(columns).items()
            if times > 1
        ]
        if faults:
            named = ", ".join(f"{fault['field']} {fault['message']}" for fault in faults[:10])
            raise BadInput(f"the header is wrong: {named}", faults)
        return columns

    def bind(self, header: Sequence[str]) -> Callable[[Record], Record]:
        """What makes a record's cells canonical. Raises BadInput for a header that cannot be read."""
        columns = self.canonical(header)
        if columns == list(header):
            return lambda record: record

        def renamed(record: Record) -> Record:
            return Record(record.number, record.source, dict(zip(columns, record.cell.values(), strict=True)))

        return renamed


METRICS = Columns(
    ("platform", "profile_id", "level", "date", "impressions", "clicks", "spend"),
    {"cost": "spend", "adset_id": "ad_group_id", "day": "date"},
)
INVOICES = Columns(("platform", "profile_id", "month", "kind", "amount"), {"invoice": "invoice_id"})
