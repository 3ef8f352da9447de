"""Where the sums of clients are, and what their metadata says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from adweir.model.errors import NotFound

if TYPE_CHECKING:
    from adweir.store.raw.store import RawStore

_NAME = re.compile(r"([a-z]+)_([a-z]+)\.parquet")


class SumsObject(NamedTuple):
    """What the metadata of an object says: texts, as S3 has them.

    `first`, `last`: the first days of its first and last period. `as_of`: when the newest pull began that it rests on.
    `covered_until`: the last day that was pulled whole on every platform. `incomplete`: how many of the `rows` are of
    periods of which not every day was. `left_out`: ad accounts whose time zone is unknown. `inputs`: differs where
    anything does that the object is made of.
    """

    rows: str = "0"
    incomplete: str = "0"
    first: str = ""
    last: str = ""
    as_of: str = ""
    covered_until: str = ""
    left_out: str = "0"
    inputs: str = ""

    @property
    def metadata(self) -> dict[str, str]:
        """As an object has it: without empty texts."""
        return {name: text for name, text in self._asdict().items() if text}

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> SumsObject:
        """From an object's metadata."""
        return cls(**{name: text for name, text in metadata.items() if name in cls._fields})


def sums_key(account_id: str, level: str, grain: str) -> str:
    """The key of the sums of a client by a level and per grain."""
    return f"aggregates/{account_id}/{level}_{grain}.parquet"


def stored_sums(objects: RawStore, account_id: str) -> Iterator[tuple[str, str, str, SumsObject]]:
    """Level, grain, key and metadata of each of a client's objects. Raises Unavailable."""
    for found in objects.list(f"aggregates/{account_id}/"):
        named = _NAME.fullmatch(found.key.rpartition("/")[2])
        if named:
            try:
                about = SumsObject.of(objects.metadata(found.key))
            except NotFound:
                continue  # it was deleted since it was listed
            yield named[1], named[2], found.key, about
