"""JSON texts, and changes of their structure that leave everything around the changed value as it was.

A text is scanned once for the places of its values. A mutation replaces bytes at such a place, so it takes microseconds
and can write what no encoder would: NaN, two members of one name, half of a surrogate pair, numbers of 5,000 digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from fuzz import awkward

_SCALAR = re.compile(rb'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null')
_SPACE = re.compile(rb"[ \t\r\n]*")


class Place(NamedTuple):
    """A value in a text. `item` is where it stands in its list or object, with its name and without its comma."""

    start: int
    end: int
    item: tuple[int, int]
    path: tuple[str | int, ...]


@dataclass
class Document:
    """A JSON text with the places of its values: first the whole, then what is in it."""

    text: bytes
    places: list[Place] = field(default_factory=list)

    @classmethod
    def of(cls, value: Any) -> Document:
        """The compact text of a value, or a text as it is."""
        text = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
        made = cls(text)
        made._scan(0, 0, ())
        return made

    def at(self, path: Sequence[str | int]) -> Place:
        """The value at a path."""
        return next(place for place in self.places if place.path == tuple(path))

    def inside(self, path: Sequence[str | int]) -> list[Place]:
        """The value at a path and all that is in it."""
        return [place for place in self.places if place.path[: len(path)] == tuple(path)]

    def _scan(self, at: int, item: int, path: tuple[str | int, ...]) -> int:
        """Note the value that begins at or after `at`; returns where it ends."""
        start = _skip(self.text, at)
        here, opening = len(self.places), self.text[start : start + 1]
        self.places.append(Place(0, 0, (0, 0), ()))
        end = self._scalar(start) if opening not in (b"[", b"{") else self._inner(start, path, named=opening == b"{")
        self.places[here] = Place(start, end, (item, end), path)
        return end

    def _scalar(self, start: int) -> int:
        found = _SCALAR.match(self.text, start)
        if found is None:
            raise ValueError(f"not JSON at byte {start}")
        return found.end()

    def _inner(self, start: int, path: tuple[str | int, ...], *, named: bool) -> int:
        at, number = _skip(self.text, start + 1), 0
        while self.text[at : at + 1] not in (b"]", b"}"):
            item, name = at, number
            if named:
                key = self._scalar(at)
                name = json.loads(self.text[at:key])
                at = _skip(self.text, key) + 1
            at = _skip(self.text, self._scan(at, item, (*path, name)))
            number += 1
            if self.text[at : at + 1] == b",":
                at = _skip(self.text, at + 1)
        return at + 1


def _skip(text: bytes, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def mutated(document: Document, rng: Random, within: Sequence[str | int] = (), most: int = 3) -> bytes:
    """The text with one to `most` changes inside the value at `within`; what is around it stays as it was.

    The value itself stays in its place: a list does not lose or gain elements above it.
    """
    inside = document.inside(within)
    text, taken = document.text, len(document.text)
    chosen = sorted(rng.sample(inside, min(len(inside), rng.randint(1, most))), reverse=True)
    for place in chosen:
        change = rng.choice(_AT_ITEMS if len(place.path) > len(within) else _AT_VALUES)
        start, end, new = change(document.text, place, rng)
        if end <= taken:  # an outer value's change would undo the one within it
            text, taken = text[:start] + new + text[end:], start
    return text


Change = Callable[[bytes, Place, Random], tuple[int, int, bytes]]
"""A text, the place to change → from where to where, and what stands there then."""


def _replace(_text: bytes, place: Place, rng: Random) -> tuple[int, int, bytes]:
    return place.start, place.end, awkward.value(rng)


def _swap_type(text: bytes, place: Place, rng: Random) -> tuple[int, int, bytes]:
    """The same digits as text, a text's content as it is, one value as a list or an object of it."""
    value = text[place.start : place.end]
    if value[:1] == b'"' and rng.random() < 0.5:
        new = value[1:-1] if _SCALAR.fullmatch(value[1:-1]) else b"0"
    else:
        new = rng.choice((b"[%s]", b'{"a":%s}', b'"%s"' if value[:1].isdigit() else b"[[%s]]")) % value
    return place.start, place.end, new


def _edge(text: bytes, place: Place, rng: Random) -> tuple[int, int, bytes]:
    """A text with something before or after its content."""
    value = text[place.start : place.end]
    if value[:1] != b'"':
        return _replace(text, place, rng)
    beside = awkward.piece(rng)
    new = b'"' + beside + value[1:] if rng.random() < 0.5 else value[:-1] + beside + b'"'
    return place.start, place.end, new


def _remove(text: bytes, place: Place, _rng: Random) -> tuple[int, int, bytes]:
    """A member or an element less, with the comma after it, or else the one before it."""
    start, end = place.item
    after = _skip(text, end)
    if text[after : after + 1] == b",":
        return start, after + 1, b""
    before = text.rfind(b",", 0, start)
    lone = before < 0 or text[before + 1 : start].strip()
    return (start if lone else before), end, b""


def _repeat(text: bytes, place: Place, rng: Random) -> tuple[int, int, bytes]:
    """The member or element again, once, some hundred times, or until it fills a quarter of a mebibyte."""
    start, end = place.item
    many = rng.random()
    times = (1 << 18) // (end - start + 1) if many < 0.01 else 300 if many < 0.06 and end - start < 200 else 1
    return end, end, (b"," + text[start:end]) * times


def _rename(text: bytes, place: Place, rng: Random) -> tuple[int, int, bytes]:
    """Another name for a member; an element gets another value."""
    start, _ = place.item
    if text[start : start + 1] != b'"' or start == place.start:
        return _replace(text, place, rng)
    return start, place.start, awkward.text(rng) + b":"


def _add(_text: bytes, place: Place, rng: Random) -> tuple[int, int, bytes]:
    """A member more, of any name; an element more in a list."""
    named = isinstance(place.path[-1], str)
    return place.end, place.end, b"," + (awkward.text(rng) + b":" if named else b"") + awkward.value(rng)


_AT_VALUES: tuple[Change, ...] = (_replace, _replace, _replace, _swap_type, _edge)
_AT_ITEMS: tuple[Change, ...] = (*_AT_VALUES, *_AT_VALUES, _remove, _remove, _repeat, _rename, _add)


def leaves(document: Document) -> Iterator[Place]:
    """The places of texts and numbers."""
    return (place for place in document.places if document.text[place.start : place.start + 1] not in (b"[", b"{"))
