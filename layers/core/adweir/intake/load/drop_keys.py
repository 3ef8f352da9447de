"""The keys of file drops: `drops/<account>/<name>`, or `drops/<account>/<source>/<data_type>/<name>`.

Source and data type say how the file is read; without them it has metrics in our own columns (`adweir`, `metrics`).
Under `drops/<account>/<source>/<data_type>/records/` a file has our own columns whatever the source's mapping says.
What format it has is decided by its content; its name only has to be one that a table may have.
"""

from __future__ import annotations

from typing import NamedTuple

from adweir.model.errors import BadInput

PREFIX = "drops/"
OWN = ("adweir", "metrics")
OWN_INVOICES = ("adweir", "invoices")
_ENDINGS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".zip")
_RECORDS = "records"
_SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")


class DropKey(NamedTuple):
    """Whose file it is, how it is read, and its name. `records`: in our own columns, whatever its source."""

    account_id: str
    source: str
    data_type: str
    name: str
    records: bool = False

    @classmethod
    def parse(cls, key: str) -> DropKey:
        """Raises BadInput for a key of another shape, and for the name of a file that is no table."""
        parts = key.removeprefix(PREFIX).split("/")
        if len(parts) == 2:
            found = cls(parts[0], *OWN, parts[1])
        elif len(parts) == 4:
            found = cls(parts[0], parts[1], parts[2], parts[3])
        elif len(parts) == 5 and parts[3] == _RECORDS:
            found = cls(parts[0], parts[1], parts[2], parts[4], records=True)
        else:
            found = cls("", "", "", "")
        if not (key.startswith(PREFIX) and all(found[:4])):
            raise _wrong("a drop is drops/<account_id>/<name> or drops/<account_id>/<source>/<data_type>/<name>")
        name = found.name.lower()
        if name.endswith(_SPREADSHEETS):
            raise _wrong(f"spreadsheets are not read; save the sheet as CSV: {found.name[:200]}")
        if not name.removesuffix(".gz").endswith(_ENDINGS):
            raise _wrong(f"no format is known by the end of this name; .csv, .json, .parquet are: {found.name[:200]}")
        return found

    def __str__(self) -> str:
        """The object key; the short one for adweir's own columns."""
        middle = [] if (self.source, self.data_type) == OWN and not self.records else [self.source, self.data_type]
        return PREFIX + "/".join([self.account_id, *middle, *([_RECORDS] if self.records else []), self.name])


def account_in(key: str) -> str:
    """The account that a key names, even where it is no key of a drop; "" for none."""
    return key.removeprefix(PREFIX).rpartition("/")[0].partition("/")[0]


def data_types_in(key: str) -> list[str]:
    """What a key may mean as its data type, in lower case, even where it is no key of a drop."""
    folders = key.removeprefix(PREFIX).lower().split("/")[1:-1]
    return folders[1:] if len(folders) == 2 else folders


def _wrong(message: str) -> BadInput:
    return BadInput(message, [{"field": "key", "rule": "format"}])
