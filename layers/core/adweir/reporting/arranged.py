"""Rows in an order that is asked for, and the first of them with what the others sum to.

Amounts of different currencies have no order: where rows have a currency, each currency is ordered, and cut, by itself.
What is unattributed comes last, does not count towards the limit, and is in no sum of others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adweir.model.errors import Unprocessable
from adweir.reporting.comparing import Pair
from adweir.reporting.dimensions import Key, none_last
from adweir.reporting.totals import UNATTRIBUTED

OTHERS = "others"
"""How many rows a row sums: a column where there is a limit. Null in a row of its own."""
_CURRENCY = "currency"
_SHOWN = 40
Row = dict[str, Any]
Made = tuple[Row, tuple[str, ...]]
"""A row, and the keys of the profiles that it is of, where that is known."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """`order`: columns, with a minus before them the greatest first; unknown values come last. `limit`: how many rows
    are shown (0: all) of each currency, and of each value of the dimensions `per`."""

    order: tuple[str, ...] = ()
    limit: int = 0
    per: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.order or self.limit)

    def check(self, columns: Sequence[str], dimensions: Sequence[str]) -> None:
        """Raises Unprocessable that lists what there is."""
        for name in self.order:
            _check(name.removeprefix("-"), columns, "order")
        for name in self.per:
            _check(name, dimensions, "limit_per")
        if self.per and not self.limit:
            message = "limit_per needs a limit"
            raise Unprocessable(message, [{"field": "limit_per", "message": message}])


AS_THEY_COME = Arrangement()


@dataclass(frozen=True, slots=True)
class Entries:
    """The rows of a report before they are shown: `keys` are the names of what a key holds, the dimensions and maybe
    the currency; `show` makes the row of a group."""

    keys: tuple[str, ...]
    groups: Mapping[Key, Pair]
    show: Callable[[Key, Pair], Row]

    def rows(self, asked: Arrangement) -> Iterator[Made]:
        """The rows that are asked for."""
        made = [(key, self.show(key, pair)) for key, pair in self.groups.items()]
        if not asked:
            yield from ((row, self.groups[key].owners) for key, row in made)
            return
        for apart in self._apart(made, asked):
            yield from self._cut(apart, asked)

    def _cut(self, rows: list[tuple[Key, Row]], asked: Arrangement) -> Iterator[Made]:
        """Rows that are one list: the first of them, what the others sum to, and what is unattributed."""
        shown = [pair for pair in rows if UNATTRIBUTED not in pair[1]]
        rests = [pair for pair in rows if UNATTRIBUTED in pair[1]]
        for name in reversed(asked.order):
            shown = _ordered(shown, name)
        end, more = (asked.limit, {OTHERS: None}) if asked.limit else (len(shown), {})
        yield from ((row | more, self.groups[key].owners) for key, row in shown[:end])
        if shown[end:]:
            yield self._others([key for key, _ in shown[end:]], asked.per)
        yield from ((row | more, self.groups[key].owners) for key, row in rests)

    def _apart(self, made: list[tuple[Key, Row]], asked: Arrangement) -> list[list[tuple[Key, Row]]]:
        """Rows by currency and by what the limit is of, in the order of both."""
        names = [name for name in (_CURRENCY, *(asked.per if asked.limit else ())) if name in self.keys]
        places = [self.keys.index(name) for name in names]
        found: dict[Key, list[tuple[Key, Row]]] = {}
        for key, row in made:
            found.setdefault(tuple([key[at] for at in places]), []).append((key, row))
        ordered = sorted(found, key=none_last)
        return [found[apart] for apart in ordered]

    def _others(self, keys: Sequence[Key], per: Sequence[str]) -> Made:
        """The row that sums these groups: it has the currency, and what the limit is of."""
        total = self.groups[keys[0]]
        for key in keys[1:]:
            total = total.merged(self.groups[key])
        same = {_CURRENCY, *per}
        key = tuple(value if name in same else None for name, value in zip(self.keys, keys[0], strict=True))
        return self.show(key, total) | {OTHERS: len(keys)}, total.owners


def _ordered(rows: list[tuple[Key, Row]], order: str) -> list[tuple[Key, Row]]:
    """By a column, unknown values last; of equal ones the order stays."""
    name = order.removeprefix("-")
    known = [pair for pair in rows if pair[1][name] is not None]
    known.sort(key=lambda pair: pair[1][name], reverse=order.startswith("-"))
    return known + [pair for pair in rows if pair[1][name] is None]


def _check(name: str, known: Sequence[str], field: str) -> None:
    if name not in known:
        message = f"unknown {name[:_SHOWN]!r} in {field}; known: {', '.join(known)}"
        raise Unprocessable(message, [{"field": field, "message": message, "known": list(known)}])
