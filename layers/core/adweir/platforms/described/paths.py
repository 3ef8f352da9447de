"""Where things stand in a JSON answer: `data.rows[]` are records, `stats.spend` a value of one, `^.id` one above it.

A path of records names members, and `[]` after the name of each list that is gone through. A path of a value begins at
the record; `^` is what holds the innermost list, `^^` what holds the list around that one, `$` the whole answer. A
number is a place in a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from adweir.model import limits

_STEP = r"[^.\[\]^$\s][^.\[\]\s]*"
RECORDS = rf"(?:\[\]|{_STEP}(?:\[\])?)(?:\.{_STEP}(?:\[\])?)*"
VALUE = rf"(?:(?:\^+|\$)\.)?{_STEP}(?:\.{_STEP})*"
_VALUE = re.compile(VALUE)
MISSING = object()
"""What a path leads to that leads to nothing."""


class NoRecords(ValueError):
    """The answer does not have the list that its description names."""


class FoundRecord(NamedTuple):
    """A record with what is around it: the whole answer first, the record last."""

    scopes: tuple[Any, ...]

    def at(self, path: str) -> Any:
        """The value at a path; `MISSING` where there is none."""
        return self.get(split(path))

    def get(self, path: Sequence[str]) -> Any:
        """The value at a path that `split` made; `MISSING` where there is none."""
        first = path[0]
        if first == "$":
            return walk(self.scopes[0], path[1:])
        if first.startswith("^"):
            above = len(self.scopes) - 1 - len(first)
            return walk(self.scopes[above], path[1:]) if above >= 0 else MISSING
        return walk(self.scopes[-1], path)


@lru_cache(maxsize=1000)
def split(path: str) -> tuple[str, ...]:
    """The steps of a path."""
    return tuple(path.split("."))


def is_value(path: str) -> bool:
    """Whether text is the path of a value."""
    return bool(_VALUE.fullmatch(path))


def walk(value: Any, steps: Sequence[str]) -> Any:
    """What the steps lead to; `MISSING` where one leads nowhere."""
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and step.isdecimal():
            value = value[int(step)] if int(step) < len(value) else MISSING
        else:
            return MISSING
    return value


def records(answer: Any, path: str, *, null_is_empty: bool = False) -> Iterator[FoundRecord]:
    """The records of an answer, one by one. Without a path the answer is the only one.

    Raises NoRecords where the outermost list is not there: an answer that says something else must not look like one
    without rows. Further in, what is missing has no records, and what is no list raises NoRecords.
    """
    if not path:
        yield FoundRecord((answer,))
        return
    outer, rest = _outer(answer, path, null_is_empty=null_is_empty)
    yield from _below((answer,), outer, rest)


def outermost(answer: Any, path: str, *, null_is_empty: bool = False) -> int:
    """How many elements the outermost list of the records has: what pages are made of. Raises NoRecords."""
    if not path:
        return 1
    outer, _ = _outer(answer, path, null_is_empty=null_is_empty)
    return len(outer) if isinstance(outer, list) else 1


def _outer(answer: Any, path: str, *, null_is_empty: bool) -> tuple[Any, Sequence[str]]:
    """What the first steps lead to, and the steps from the one that names it on."""
    steps = split(path)
    first = next((place for place, step in enumerate(steps) if step.endswith("[]")), len(steps) - 1)
    outer = walk(answer, _names(steps[: first + 1]))
    if outer is None and null_is_empty:
        return [], ("[]",)
    if steps[first].endswith("[]") and not isinstance(outer, list):
        raise NoRecords(f"the answer has no list at {path[: limits.MAX_WORD_CHARS]!r}")
    if outer is MISSING or outer is None:
        raise NoRecords(f"the answer has nothing at {path[: limits.MAX_WORD_CHARS]!r}")
    return outer, steps[first:]


def _names(steps: Sequence[str]) -> list[str]:
    return [name for step in steps if (name := step.removesuffix("[]"))]


def _below(scopes: tuple[Any, ...], value: Any, steps: Sequence[str]) -> Iterator[FoundRecord]:
    """`value` is what the first step leads to; without its `[]` it is a record, or holds the next step."""
    if steps[0].endswith("[]") and not isinstance(value, list):
        raise NoRecords(f"what the answer has at {steps[0][: limits.MAX_WORD_CHARS]!r} is no list")
    for each in value if steps[0].endswith("[]") else (value,):
        inner = (*scopes, each) if steps[0].endswith("[]") else scopes
        if len(steps) == 1:
            yield FoundRecord(inner if steps[0].endswith("[]") else (*scopes, each))
            continue
        following = walk(each, [steps[1].removesuffix("[]")])
        if following is not MISSING and following is not None:
            yield from _below(inner, following, steps[1:])
