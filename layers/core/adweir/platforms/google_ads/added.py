"""Answers that belong together: rows of several questions that are added up by what they are about.

Google splits some rows further than we do (a region's by whether it was targeted), and refuses some numbers beside
others (cost by conversion action). All answers of such a pull are one page, an array of parts as Google sent them:
`[{"part": "", "answer": <batch>}, {"part": "by_action", "answer": <batch>}, ...]`. A page's label names its parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import BinaryIO, NamedTuple

import msgspec

from adweir.model import limits
from adweir.model.errors import BadInput, TooMuchData
from adweir.platforms import json_items, json_text
from adweir.platforms.json_array import Unreadable, read_array
from adweir.platforms.json_items import UNREADABLE

OWN = ""
"""The part of the dataset's own question."""
PLACES = "places"
"""The part with the names of regions; it comes last."""
_BETWEEN = "+"
_BOUNDARY = re.compile(rb'\}[ \t\r\n]*,[ \t\r\n]*\{(?="part":)')
_REGION = re.compile(rb'"geoTargetRegion"\s*:\s*"(geoTargetConstants/[0-9]{1,20})"')


class AnswerPart(msgspec.Struct):
    part: str
    answer: msgspec.Raw


class GeoTarget(msgspec.Struct, rename="camel"):
    resource_name: str = ""
    name: str = ""


class _GeoRow(msgspec.Struct, rename="camel"):
    geo_target_constant: GeoTarget


_geo = msgspec.json.Decoder(_GeoRow).decode


class PartLabel(NamedTuple):
    """A page's label: what its question is about, and the parts that it has."""

    about: str
    parts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> PartLabel:
        about, *parts = text.split(_BETWEEN)
        return cls(about, frozenset(parts))

    def __str__(self) -> str:
        return _BETWEEN.join((self.about, *sorted(self.parts)))


def written(parts: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """The page of some parts, each with its name, in pieces."""
    begun = b"["
    for name, answer in parts:
        yield begun + b'{"part":"' + name.encode() + b'","answer":' + answer + b"}"
        begun = b","
    yield b"]" if begun == b"," else b"[]"


def read(stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """The parts of a page. Raises BadInput."""
    for piece in read_array(stream, AnswerPart, boundary=_BOUNDARY):
        for part in piece.rows:
            yield _loose(part) if isinstance(part, Unreadable) else (part.part, bytes(part.answer))


def _loose(part: Unreadable) -> tuple[str, bytes]:
    """A part in which something cannot be read: it costs itself only."""
    name, answer = (json_text.member(part.raw, member) for member in (b"part", b"answer"))
    if name is None or answer is None:
        raise BadInput(f"not a part of an answer: {part.message}")
    return name.decode("ascii", "replace").strip('"'), answer


class Regions:
    """The regions that answers mention."""

    def __init__(self) -> None:
        self._found: set[str] = set()

    def see(self, batch: bytes) -> bytes:
        """The batch. Raises TooMuchData for more regions than there are."""
        self._found.update(name.decode() for name in _REGION.findall(batch))
        if len(self._found) > limits.MAX_KNOWN_ENTITIES:
            raise TooMuchData(f"the answer mentions more than {limits.MAX_KNOWN_ENTITIES} regions")
        return batch

    def groups(self, size: int) -> Iterator[list[str]]:
        """Their resource names, some at a time, always in the same order."""
        names = sorted(self._found)
        for at in range(0, len(names), size):
            yield names[at : at + size]


def names_in(answer: bytes) -> Mapping[str, str]:
    """Names of regions by their number; none of an answer that cannot be read: the numbers stay."""
    found: dict[str, str] = {}
    with suppress(BadInput):
        for raw in json_items.items(answer, "results") or ():
            with suppress(*UNREADABLE):
                region = _geo(raw).geo_target_constant
                if region.name:
                    found[region.resource_name.rpartition("/")[2]] = region.name
    return found
