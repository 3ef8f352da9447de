"""Open Data Contracts (ODCS 3.1) of what others read: rows of the API, and CSV exports. Made from the code's own names.

A contract is YAML: columns with their types, which are required, the key of a row, and rules that hold for every
row. Numbers are checked as they are: a rest that nothing explains may be negative, a metric that a platform does not
report is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from adweir.model.datasets import Dataset
from adweir.model.entities import Status
from adweir.model.invoices import DocumentKind, InvoiceLineKind, InvoiceStatus
from adweir.model.metrics import METRICS, NO_NUMBERS, Grain
from adweir.reporting.ads import AD_FIELDS
from adweir.reporting.breakdowns import BREAKDOWNS
from adweir.reporting.records import ACCOUNT_DAY_FIELDS, PARENTS, PERFORMANCE
from adweir.reporting.report_names import METRICS as REPORT_METRICS
from adweir.reporting.shown import INVOICE_FIELDS
from adweir.reporting.totals import KEPT, LIVE, UNATTRIBUTED, measures

API_VERSION, VERSION = "v3.1.0", "1.0.0"
_COUNTS = {"impressions", "clicks", "campaign_count", "ad_count", "hour"}
_AMOUNTS = {"amount", "tax", "total"}
_FLAGS = {KEPT, LIVE, UNATTRIBUTED}
_DAYS = {"date", "start_date", "end_date", "issued_on", "due_on"}
_SCORES = {"relevance_score", "quality_score"}
_PATTERNS = {"currency": "^[A-Z]{3}$", "platform": "^[a-z][a-z0-9_]{1,39}$", "month": "^[0-9]{4}-(0[1-9]|1[0-2])$"}
_CTR_TOLERANCE = 0.005
_WORDS: Mapping[str, Mapping[str, type[StrEnum]]] = {
    "ads": {"status": Status},
    "invoices": {"kind": InvoiceLineKind, "document": DocumentKind, "status": InvoiceStatus},
}
"""By contract, the columns that hold one of our words."""
_NESTED = {"replaces", "name_parts", "landing_page"}
"""Fields of several values: a table has none."""
REPORT_DIMENSIONS = ("date", "platform", "account", "campaign")
"""Of the exported report that has a contract; its metrics are all."""


@dataclass(frozen=True, slots=True)
class DataContract:
    """What readers may rely on: a table's columns, those that every row has, and those that tell a row apart.

    `rests`: rows of what is unattributed, whose ids are empty and whose numbers may be negative, are among them; the
    others have `own_id`.
    """

    name: str
    about: str
    columns: tuple[str, ...]
    required: frozenset[str]
    key: tuple[str, ...]
    rests: bool = False
    own_id: str = ""

    def document(self) -> dict[str, Any]:
        """The contract as ODCS has it, for a CSV file `<name>.csv` in the working folder."""
        return {
            "apiVersion": API_VERSION,
            "kind": "DataContract",
            "id": f"adweir-{self.name.replace('_', '-')}",
            "name": self.name,
            "version": VERSION,
            "status": "active",
            "description": {"purpose": self.about},
            "servers": [
                {"server": "csv", "type": "local", "path": f"./{self.name}.csv", "format": "csv", "delimiter": ","}
            ],
            "schema": [
                {
                    "name": self.name,
                    "description": self.about,
                    "properties": [self._property(name) for name in self.columns],
                    "quality": list(self._rules()),
                }
            ],
        }

    def _property(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = {"name": name, "logicalType": type_of(name)}
        if name in self.required:
            found["required"] = True
        if name in _PATTERNS:
            found["logicalTypeOptions"] = {"pattern": _PATTERNS[name]}
        return found

    def _rules(self) -> Iterator[dict[str, Any]]:
        yield {"id": "rows", "metric": "rowCount", "mustBeGreaterThan": 0}
        key = ", ".join(f"coalesce(CAST({name} AS VARCHAR), '')" for name in self.key)
        again = f"SELECT COUNT(*) - COUNT(DISTINCT ({key})) FROM {{object}}"  # noqa: S608  names of ours
        yield {"id": "key", "description": "a row per key", "type": "sql", "query": again, "mustBe": 0}
        for name in (each for each in self.columns if each.removeprefix("daily_") in METRICS):
            own = f" AND {UNATTRIBUTED} IS NOT TRUE" if self.rests else ""
            yield _no_row(f"{name}_sign", "not negative", f"{name} < 0{own}")
        if "date" in self.columns:
            yield _no_row("no_future", "no future days", "date > current_date + 1")
        yield from (_no_row(*rule) for rule in self._sane())

    def _sane(self) -> Iterator[tuple[str, str, str]]:
        """Rules about what stands in a row: name, words, and the condition of a row that breaks it."""
        types = {name: type_of(name) for name in self.columns}
        numbers = [name for name, kind in types.items() if kind in {"number", "integer"}]
        yield "finite", "numbers are finite", " OR ".join(f"NOT isfinite(CAST({name} AS DOUBLE))" for name in numbers)
        if self.rests and self.own_id:
            unnamed = f"coalesce(CAST({self.own_id} AS VARCHAR), '') = ''"
            yield "named", f"{self.own_id}, but for rests", f"{UNATTRIBUTED} IS NOT TRUE AND {unnamed}"
        for before in (name.removesuffix("ctr") for name in self.columns if name in {"ctr", "daily_ctr"}):
            clicks, impressions = f"{before}clicks", f"{before}impressions"
            if {clicks, impressions} <= types.keys():
                apart = f"abs({before}ctr - CAST({clicks} AS DOUBLE) / {impressions}) > {_CTR_TOLERANCE}"
                yield f"{before}ctr", "ctr is clicks / impressions", f"{impressions} <> 0 AND {apart}"
        if {"start_date", "end_date"} <= types.keys():
            yield "order", "no end before its start", "end_date < start_date"
        if "hour" in types:
            yield "hours", "hours of a day", "hour < 0 OR hour > 23"
        for name, words in _WORDS.get(self.name, {}).items():
            said = ", ".join(f"'{word}'" for word in words)
            yield f"{name}_words", f"known words for {name}", f"coalesce({name}, '') NOT IN ({said})"


def _no_row(rule: str, words: str, condition: str) -> dict[str, Any]:
    query = f"SELECT COUNT(*) FROM {{object}} WHERE {condition}"  # noqa: S608  names of ours
    return {"id": rule, "description": words, "type": "sql", "query": query, "mustBe": 0}


def type_of(name: str) -> str:
    """The logical type of a column."""
    bare = name.removeprefix("daily_")
    if bare in _COUNTS:
        return "integer"
    if bare in REPORT_METRICS or bare in _AMOUNTS | _SCORES:
        return "number"
    if bare in _FLAGS:
        return "boolean"
    return "date" if bare in _DAYS else "string"


def contracts() -> list[DataContract]:
    """All contracts, by name."""
    return sorted([*_performance(), _ads(), _invoices(), _report()], key=lambda contract: contract.name)


def write(folder: Path) -> list[Path]:
    """Write each contract into a folder, `<name>.odcs.yaml`; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for contract in contracts():
        files.append(folder / f"{contract.name}.odcs.yaml")
        text = yaml.safe_dump(contract.document(), sort_keys=False, allow_unicode=True, width=120)
        files[-1].write_text(text)
    return files


def cells(contract: DataContract, records: Iterable[Mapping[str, Any]]) -> Iterator[Sequence[Any]]:
    """The values of records in the order of the contract's columns; None where a record has none."""
    for record in records:
        yield [record.get(name) for name in contract.columns]


def _performance() -> Iterator[DataContract]:
    """Rows of `POST /api/v1/data_pipeline/retrieve`, by data type."""
    numbers = tuple(measures(NO_NUMBERS))
    for name, kind in PERFORMANCE.items():
        time = ("date", "hour") if kind.grain is Grain.HOUR else ("date",)
        if (kind.level, kind.grain, kind.breakdown) == _account_days():
            of_day = ("platform", "account_id", "date", "currency")
            always = frozenset({*of_day, "client_account_id"})
            yield DataContract(name, "a day of an ad account", ACCOUNT_DAY_FIELDS, always, of_day)
            continue
        own = (*PARENTS[kind.level], *BREAKDOWNS.get(kind.breakdown, ()))
        key = ("platform", "profile_id", *own, *time, "currency")
        about = f"{kind.level.replace('_', ' ')}s by {kind.grain}, their numbers and what they leave of the account"
        whose = ("account_id", "client_account_id")
        required = {"platform", "profile_id", *time, "currency", *whose}
        columns = (*whose, *key, *numbers, *sorted(_FLAGS))
        own_id = PARENTS[kind.level][-1] if PARENTS[kind.level] else ""
        yield DataContract(name, about, columns, frozenset(required), key, rests=True, own_id=own_id)


def _account_days() -> tuple[Any, ...]:
    dataset = Dataset.ACCOUNT_DAILY
    return dataset.level, dataset.grain, dataset.breakdown


def _ads() -> DataContract:
    columns = tuple(name for name in AD_FIELDS if name not in _NESTED)
    key = ("platform", "account_id", "ad_group_id", "ad_id", "currency")
    required = frozenset({*key, "client_account_id", "campaign_id", "status"})
    return DataContract("ads", "ads with the sums of their numbers over some days", columns, required, key)


def _invoices() -> DataContract:
    columns = tuple(name for name in INVOICE_FIELDS if name not in _NESTED)
    key = ("platform", "profile_id", "invoice_id", "line")
    required = {*key, "account_id", "client_account_id", "month", "document", "kind", "currency", *_AMOUNTS}
    return DataContract("invoices", "lines of invoices", columns, frozenset(required), key)


def _report() -> DataContract:
    """The CSV of `POST /api/v1/reports`, and of an export of it."""
    key = (*REPORT_DIMENSIONS, "currency")
    return DataContract(
        "campaign_report",
        f"a report with all metrics by {', '.join(REPORT_DIMENSIONS)}, as CSV",
        (*key, *REPORT_METRICS),
        frozenset({"date", "platform", "account", "currency"}),
        key,
    )
