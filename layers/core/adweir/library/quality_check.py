"""`adweir.quality.check_quality`: scores of rows by dimension, and what is wrong with them, the worst first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from adweir.library.combining import identity_of, with_own_platform
from adweir.model.errors import Unprocessable
from adweir.model.metrics import Grain
from adweir.model.times import DAY
from adweir.platforms import REGISTRY
from adweir.quality import schema as language
from adweir.quality.canonical import FIELDS, SUMS, canonical_schema
from adweir.quality.checking import DIMENSIONS, CheckedRows
from adweir.quality.score import SLA_SECONDS, Score, scored, timeliness
from adweir.quality.values import as_date
from adweir.runtime.clock import SystemClock

Row = Mapping[str, Any]
_EXPECTED = ("platform", "account_id", "currency", "date", *SUMS)
"""Columns that are expected to be complete where any row has them."""
_ACCOUNT_DAY = ("daily_impressions", "daily_clicks", "daily_conversions", "daily_spend", "daily_revenue")
COMPLETENESS, VALIDITY, UNIQUENESS, CONSISTENCY, TIMELINESS, _ACCURACY = DIMENSIONS


class _Finding(NamedTuple):
    """What is wrong with a column, and in how many rows."""

    type: str
    field: str
    description: str
    rows: int


def check_quality(
    data: Iterable[Row], metrics: Sequence[str] | None = None, *, as_of: date | datetime | None = None
) -> dict[str, Any]:
    """Score canonical rows → `{"overall", "scores", "gates", "issues", "columns", "rows"}`.

    `metrics` says what to look at: columns, which every row is expected to have, dimensions, or both; by default the
    canonical columns that any row has, and all dimensions. `scores` has the share of passed checks, 0 to 1, for each of
    the six dimensions, None where nothing was checked. Accuracy needs the platform's own totals, which rows do not
    have. Timeliness needs `as_of`, when the rows were read: it is about the age of the newest day, and days without
    rows. `overall` is the weighted mean; a broken error rule, or a dimension below 0.6, caps it at 0.59 (`gates`).

    `issues` are `{"type", "field", "description"}`, the type a dimension, those of most rows first; `columns` are
    `{"field", "missing", "invalid"}`, counted in rows, the worst first. Raises Unprocessable for a metric that no row
    has and that is not canonical. Memory: all rows.
    """
    rows = [with_own_platform(row) for row in data]
    present = dict.fromkeys(name for row in rows for name in row)
    columns, dimensions = _asked(present, metrics)
    schema = canonical_schema(columns, present)
    checked = CheckedRows(language.compile(schema, REGISTRY.parse), SystemClock().now())
    checked.take(rows)
    answer = checked.answer()
    missing = {name: sum(row.get(name) is None for row in rows) for name in columns if _is_expected(name, metrics)}
    repeated = len(rows) - len({identity_of(row) for row in rows})
    found: dict[str, float | None] = dict.fromkeys(DIMENSIONS)
    if rows:
        found |= {name: answer["scores"][name] for name in (VALIDITY, CONSISTENCY)}
        found[UNIQUENESS] = 1 - repeated / len(rows)
        if missing:
            found[COMPLETENESS] = 1 - sum(missing.values()) / (len(rows) * len(missing))
    findings = [*_missing(missing, len(rows)), *_broken(checked), *_repeated(repeated, len(rows))]
    if as_of is not None and rows:
        found[TIMELINESS], late = _timeliness(rows, as_of)
        findings += late
    findings = [each for each in findings if each.type in dimensions]
    gates = sorted({issue["rule"] for issue in answer["errors"]}) if _looks_at_rules(dimensions) else []
    score = scored({name: found[name] if name in dimensions else None for name in DIMENSIONS}, gates, [])
    return _answer(score, findings, _columns(columns, missing, checked), len(rows))


def _answer(score: Score, findings: list[_Finding], columns: list[dict[str, Any]], rows: int) -> dict[str, Any]:
    findings.sort(key=lambda each: -each.rows)
    return {
        "overall": score.overall,
        "scores": dict(score.dimensions),
        "gates": score.gates,
        "issues": [{"type": each.type, "field": each.field, "description": each.description} for each in findings],
        "columns": columns,
        "rows": rows,
    }


def _asked(present: Collection[str], metrics: Sequence[str] | None) -> tuple[list[str], frozenset[str]]:
    """The columns and the dimensions to look at. Raises Unprocessable."""
    asked = [metrics] if isinstance(metrics, str) else list(metrics or ())
    wanted = [name for name in asked if name not in DIMENSIONS]
    unknown = [name for name in wanted if name not in FIELDS and name not in present]
    if unknown:
        known = ", ".join([*DIMENSIONS, *(name for name in present if name in FIELDS)])
        message = f"no row has {', '.join(map(str, unknown))[:200]}; known: {known}"
        raise Unprocessable(message, [{"field": str(name)[:60], "message": "is unknown"} for name in unknown])
    dimensions = frozenset(asked) & frozenset(DIMENSIONS)
    return wanted or [name for name in present if name in FIELDS], dimensions or frozenset(DIMENSIONS)


def _is_expected(name: str, metrics: Sequence[str] | None) -> bool:
    return name in _EXPECTED or name in _ACCOUNT_DAY or (metrics is not None and name in metrics)


def _looks_at_rules(dimensions: frozenset[str]) -> bool:
    return bool(dimensions & {VALIDITY, CONSISTENCY})


def _missing(missing: Mapping[str, int], rows: int) -> list[_Finding]:
    return [
        _Finding(COMPLETENESS, name, f"{_of(count, rows)} no {name}", count) for name, count in missing.items() if count
    ]


def _broken(checked: CheckedRows) -> list[_Finding]:
    """What the schema's checks found, a line for each field and rule, with the first row that shows it."""
    found = []
    for unit, tally in zip(checked.units, checked.tallies, strict=True):
        for rule, count in tally.by_rule.items():
            first = next((issue for issue in tally.issues if issue["rule"] == rule), tally.issues[0])
            shown = f"{first['message']} (first in row {first['row']}: {first['value']!r})"
            found.append(
                _Finding(unit.dimension or VALIDITY, unit.name, f"{count:,} of {checked.rows:,} rows: {shown}", count)
            )
    return found


def _repeated(repeated: int, rows: int) -> list[_Finding]:
    text = f"{repeated:,} of {rows:,} rows have the same key as another row"
    return [_Finding(UNIQUENESS, "", text, repeated)] if repeated else []


def _timeliness(rows: Sequence[Row], as_of: date | datetime) -> tuple[float | None, list[_Finding]]:
    """The share of days from an ad account's first to its newest that have rows, times how fresh the newest is."""
    days: defaultdict[tuple[str, str], set[date]] = defaultdict(set)
    for row in rows:
        if day := as_date(row.get("date")):
            days[str(row.get("platform") or ""), str(row.get("account_id") or "")].add(day)
    if not days:
        return None, []
    now = as_of if isinstance(as_of, datetime) else datetime.combine(as_of, time())
    findings, score = list[_Finding](), 0.0
    for (platform, account), found in sorted(days.items()):
        first, newest = min(found), max(found)
        span = (newest - first).days + 1
        ended = datetime.combine(newest + DAY, time(), now.tzinfo)
        fresh = timeliness((now - ended).total_seconds(), SLA_SECONDS[Grain.DAY])
        score += len(found) / span * fresh
        whose = f"{platform} {account}: " if account else ""
        if len(found) < span:
            gap = next(day for n in range(span) if (day := first + timedelta(days=n)) not in found)
            text = f"{whose}{span - len(found)} of {span} days have no rows, the first is {gap}"
            findings.append(_Finding(TIMELINESS, "date", text, span - len(found)))
        if fresh < 1:
            findings.append(_Finding(TIMELINESS, "date", f"{whose}the newest day is {newest}", 1))
    return score / len(days), findings


def _columns(columns: Sequence[str], missing: Mapping[str, int], checked: CheckedRows) -> list[dict[str, Any]]:
    invalid: defaultdict[str, int] = defaultdict(int)
    for unit, tally in zip(checked.units, checked.tallies, strict=True):
        invalid[unit.name] = max(invalid[unit.name], tally.rows)
    found = [{"field": name, "missing": missing.get(name, 0), "invalid": invalid[name]} for name in columns]
    return sorted(found, key=lambda each: -(each["missing"] + each["invalid"]))


def _of(count: int, rows: int) -> str:
    return f"{count:,} of {rows:,} rows {'has' if count == 1 else 'have'}"
