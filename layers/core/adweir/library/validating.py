"""`adweir.quality.validate`, `.validate_and_clean` and `.clean_rows`: the schema language and repairs on any rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from adweir.library.combining import identity_of, with_own_platform
from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.platforms import REGISTRY
from adweir.quality import schema as language
from adweir.quality.canonical import canonical_schema, with_rules
from adweir.quality.checking import CheckedRows, Schema
from adweir.quality.repairs import Repair, Repairs
from adweir.quality.row_rules import CURRENCY, TIMEZONE
from adweir.quality.values import in_issue
from adweir.runtime.clock import SystemClock

Row = Mapping[str, Any]
_OF_ACCOUNT = frozenset({CURRENCY.field, TIMEZONE.field})
DUPLICATE, CONFLICT = "duplicate", "conflict"


def validate(data: Iterable[Row], schema: Row) -> dict[str, Any]:
    """Check rows against a schema of field → rules → `{"valid", "errors", "warnings", …}` (`quality.schema`).

    In a field `platform` any name of a platform stands for it. Raises Unprocessable that names each wrong rule.
    """
    return language.validate(data, schema, SystemClock().now(), REGISTRY.parse)


def validate_and_clean(record: Row, schema: Row) -> tuple[bool, dict[str, Any], list[dict[str, Any]]]:
    """Repair one record and check it → whether it is valid, a repaired copy, and what there is to say about it.

    The last are `{"field", "rule", "message", "severity"}`: first what was repaired (`repaired`, with `before` and
    `after`), then errors and warnings (`error`, `warn`, with `value`). Besides the schema, the rules about several
    fields hold that compare only its fields, unless it names its own. Raises Unprocessable as `validate` does.
    """
    if not isinstance(record, Mapping):
        raise Unprocessable("a record is a dict", [{"field": "record", "message": f"is {type(record).__name__}"}])
    compiled = _compiled(_Kept(schema))
    repairs = Repairs(compiled)
    repairs.learn([record])
    cleaned, changes = repairs.repaired(record)
    answer = compiled.validate([cleaned], SystemClock().now())
    said = [_told(change) for change in changes]
    for severity, issues in (("error", answer["errors"]), ("warn", answer["warnings"])):
        said += [{name: issue[name] for name in _SAID} | {"severity": severity} for issue in issues]
    return answer["valid"], cleaned, said


class CleanedRows(NamedTuple):
    """What became of rows.

    `rows`: repaired copies, each key once. `changes`: `{"row", "rule", "field", "before", "after"}`, rows counted from
    0 as they came; the first `limits.MAX_SCHEMA_ISSUES` of them. `counts`: how many there are of each rule and field.
    `set_aside`: rows that contradict themselves or another row, as `{"row", "rule", "field", "message", "record"}`.
    """

    rows: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    counts: list[dict[str, Any]]
    set_aside: list[dict[str, Any]]


def clean_rows(
    data: Iterable[Row],
    schema: Row | None = None,
    *,
    key: Sequence[str] | None = None,
    decimal: Literal[".", ","] | None = None,
) -> CleanedRows:
    """Repair rows, and set aside those that cannot be true. The rows that are given are not changed.

    `schema` says of which types their fields are; without one, those of canonical rows. `key` names the fields that
    tell a row apart: of rows with the same key and the same values one is kept, and one with other values is set aside.
    Without `key` it is the platform, the ad account, all ids and the day where rows say whose they are, else the whole
    row. `decimal`: the decimal mark of numbers that are text, where they do not say it themselves.

    Raises Unprocessable for a wrong schema, and for a key that is text. Memory: all rows, and their copies.
    """
    if isinstance(key, str):
        raise Unprocessable("key is a list of fields", [{"field": "key", "message": "is text"}])
    rows = [dict(row) for row in data]
    wanted = canonical_schema(dict.fromkeys(name for row in rows for name in row)) if schema is None else schema
    compiled = language.compile(with_rules(wanted), REGISTRY.parse)
    repairs = Repairs(compiled, decimal)
    repairs.learn(rows)
    cleaning = _Cleaning(compiled, key)
    for number, row in enumerate(rows):
        cleaning.take(number, *repairs.repaired(row))
    return cleaning.result()


class _Cleaning:
    def __init__(self, compiled: Schema, key: Sequence[str] | None) -> None:
        self._key = key
        self._seen: dict[Any, Row] = {}
        self._rows: list[dict[str, Any]] = []
        self._changes: list[dict[str, Any]] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._set_aside: list[dict[str, Any]] = []
        # Rules that compare rows come last: a row that is set aside for another reason is no measure of the others.
        errors = sorted(
            (each for each in compiled.compared if each.severity == "error"), key=lambda each: each.name in _OF_ACCOUNT
        )
        self._checked = CheckedRows(Schema((), tuple(errors)), SystemClock().now())

    def take(self, number: int, row: dict[str, Any], changes: list[Repair]) -> None:
        for change in changes:
            self._note(number, change)
        own = with_own_platform(row)
        identity = tuple(repr(own.get(name)) for name in self._key) if self._key is not None else identity_of(own)
        known = self._seen.get(identity)
        if known is not None:
            if _is_same(known, own):
                self._note(number, Repair(DUPLICATE, "", None, None))
            else:
                self._aside(number, row, (CONFLICT, "", "another row with the same key has other values"))
        elif rule := self._checked.broken(own):
            self._aside(number, row, (rule.name, rule.field, f"{rule.field} {rule.message}"))
        else:
            self._seen[identity] = own
            self._rows.append(row)

    def result(self) -> CleanedRows:
        ordered = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        counts = [{"rule": rule, "field": field, "count": count} for (rule, field), count in ordered]
        return CleanedRows(self._rows, self._changes, counts, self._set_aside)

    def _note(self, number: int, change: Repair) -> None:
        self._counts[change.rule, change.field] += 1
        if len(self._changes) < limits.MAX_SCHEMA_ISSUES:
            self._changes.append({"row": number} | change._asdict())

    def _aside(self, number: int, row: dict[str, Any], why: tuple[str, str, str]) -> None:
        rule, field, message = why
        said = {"row": number, "rule": rule, "field": field, "message": message}
        self._set_aside.append(said | {"record": row})


def _is_same(one: Row, other: Row) -> bool:
    """Whether two rows say the same; NaN is the same as NaN, and a signaling one compares with nothing."""
    try:
        return one == other or repr(one) == repr(other)
    except ArithmeticError:
        return repr(one) == repr(other)


_SAID = ("field", "rule", "message", "value")
_WHY = {
    "trim": "had spaces around it",
    "empty": "stands for no value",
    "number": "was text",
    "unit": "had signs beside the number",
    "percent": "was in per cent",
    "status": "is another word for it",
    "negative_zero": "was below zero by no amount",
}


def _told(change: Repair) -> dict[str, Any]:
    return {
        "field": change.field,
        "rule": change.rule,
        "message": f"{change.field} {_WHY[change.rule]}",
        "severity": "repaired",
        "before": in_issue(change.before),
        "after": change.after,
    }


class _Kept:
    """A schema as it is at the moment: it may be changed later, and is equal only to one that is written alike."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self._text = repr(schema)

    def __hash__(self) -> int:
        return hash(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and other._text == self._text


@lru_cache(maxsize=16)
def _compiled(kept: _Kept) -> Schema:
    schema = kept.schema
    return language.compile(with_rules(schema) if isinstance(schema, Mapping) else schema, REGISTRY.parse)
