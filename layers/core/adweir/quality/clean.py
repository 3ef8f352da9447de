"""Cleaning: small, safe repairs of a row before it is checked. Each change is logged; numbers are never changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from operator import eq
from typing import Any

from adweir.model import limits
from adweir.model.columns import MetricColumns
from adweir.model.metrics import MetricRow

_IDS = ("entity_id", "campaign_id", "ad_group_id", "ad_product", "day")
_SHOWN = 200


class CleaningLog:
    """What was changed: counts of every (rule, field), and the first few changes in full."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.samples: list[dict[str, Any]] = []

    def add(self, rule: str, field: str, before: str, after: str, line: int) -> None:
        """Note one change."""
        self.counts[rule, field] += 1
        if len(self.samples) < limits.MAX_CLEANING_SAMPLES:
            self.samples.append(
                {"rule": rule, "field": field, "before": before[:_SHOWN], "after": after[:_SHOWN], "line": line}
            )

    def add_many(self, rule: str, field: str, before: str, after: str, lines: Sequence[int]) -> None:
        """Note the same change of several rows."""
        for line in lines[: max(limits.MAX_CLEANING_SAMPLES - len(self.samples), 0)]:
            self.add(rule, field, before, after, line)
            lines = lines[1:]
        self.counts[rule, field] += len(lines)

    def summary(self) -> list[dict[str, Any]]:
        """`[{"rule", "field", "count"}]`, the most frequent first."""
        ordered = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return [{"rule": rule, "field": field, "count": count} for (rule, field), count in ordered]


def clean(row: MetricRow, currency: str, log: CleaningLog) -> None:
    """Repair a row in place: trim ids, write the currency in capitals, and use the profile's where it is missing.

    Called only for rows that look suspicious; a clean row is not changed.
    """
    for field in _IDS:
        before = getattr(row, field)
        after = before.strip()
        if after != before:
            setattr(row, field, after)
            log.add("trim", field, before, after, row.line)
    before = row.currency
    after = before.strip().upper() or currency
    if after != before:
        row.currency = after
        log.add("currency", "currency", before, after, row.line)


def tidy(columns: MetricColumns) -> bool:
    """Whether `clean` would leave all of the rows as they are; their currency is for the caller to compare."""
    return all(map(_is_stripped, (set(getattr(columns, name)) for name in _IDS)))


def _is_stripped(texts: Collection[str]) -> bool:
    return all(map(eq, texts, map(str.strip, texts)))
