"""Rows as drivers write them and as the truth has them, and how two sets of them differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

Value = Decimal | str
MOST_SHOWN = 3


class Key(NamedTuple):
    """Which row: its date (empty in lists) and its ids by kind, in the order of their kinds."""

    date: str
    ids: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, date: str, ids: Mapping[str, str]) -> Key:
        """From ids by kind."""
        return cls(date, tuple(sorted(ids.items())))

    def without(self, *kinds: str) -> Key:
        """The row that this one is a part of."""
        return Key(self.date, tuple(pair for pair in self.ids if pair[0] not in kinds))

    def __str__(self) -> str:
        return " ".join([self.date, *(f"{kind}={one}" for kind, one in self.ids)]).strip()


class Row(NamedTuple):
    """One row; `updated`: when a listed thing was last changed, as its platform writes it."""

    key: Key
    values: dict[str, Value]
    updated: str = ""


@dataclass
class Comparison:
    """What a client got of one stream beside the truth. `examples`: the first differences, a line each."""

    stream: str
    rows: int = 0
    wrong: int = 0
    examples: list[str] = field(default_factory=list)

    def differ(self, text: str) -> None:
        """Count a difference; the first are shown."""
        self.wrong += 1
        if len(self.examples) < MOST_SHOWN:
            self.examples.append(text)


def read(path: Path) -> dict[str, list[Row]]:
    """A driver's rows by stream."""
    found: dict[str, list[Row]] = {}
    with path.open() as lines:
        for line in lines:
            item = json.loads(line)
            row = Row(Key.of(item.get("date", ""), item["ids"]), _values(item), item.get("updated", ""))
            found.setdefault(item["stream"], []).append(row)
    return found


def _values(item: Mapping[str, Mapping[str, str]]) -> dict[str, Value]:
    """Metrics to the millionth, which is as exact as the truth is; texts as they are."""
    metrics: dict[str, Value] = {name: round(Decimal(text), 6) for name, text in item.get("metrics", {}).items()}
    return {**metrics, **item.get("texts", {})}


def compare(stream: str, got: Iterable[Row], truth: Iterable[Row]) -> Comparison:
    """Row by row, value by value, exactly; rows that are missing, twice there or not of this world differ too."""
    result, left = Comparison(stream), {row.key: row.values for row in truth}
    seen: set[Key] = set()
    for row in got:
        result.rows += 1
        if row.key in seen:
            result.differ(f"{row.key}: is there twice")
            continue
        seen.add(row.key)
        expected = left.pop(row.key, None)
        if expected is None:
            result.differ(f"{row.key}: is not in the truth")
        elif expected != row.values:
            result.differ(f"{row.key}: {', '.join(_unequal(row.values, expected))}")
    if left and not result.rows:
        result.differ(f"nothing came of {len(left)} rows")
        result.wrong, left = len(left), {}
    for key in left:
        result.differ(f"{key}: is missing")
    return result


def _unequal(got: Mapping[str, Value], expected: Mapping[str, Value]) -> Iterator[str]:
    for name in sorted({*got, *expected}):
        if got.get(name) != expected.get(name):
            yield f"{name} {got.get(name, 'absent')} instead of {expected.get(name, 'absent')}"


def summed(rows: Iterable[Row], *kinds: str) -> list[Row]:
    """Rows with their breakdowns added up: the wholes of which each row is a part."""
    sums: dict[Key, dict[str, Value]] = {}
    for row in rows:
        whole = sums.setdefault(row.key.without(*kinds), dict.fromkeys(row.values, Decimal(0)))
        for name, value in row.values.items():
            whole[name] = Decimal(whole[name]) + Decimal(value)
    return [Row(key, values) for key, values in sums.items()]
