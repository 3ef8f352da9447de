"""The names in a file's header: found whatever their case and spaces, and with a currency in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from adweir.model.mappings import CURRENCY_SLOT
from adweir.model.numerals import currency_of


class FoundColumn(NamedTuple):
    """A column as the file writes its name, and the currency in it, or the sign of several; "" for none."""

    name: str
    currency: str = ""


def key_of(name: str) -> str:
    """What two spellings of a column's name have in common: `Campaign_ID` and ` campaign  id` are one."""
    return " ".join(name.replace("_", " ").casefold().split())


class HeaderNames:
    """A file's header."""

    def __init__(self, header: Iterable[str]) -> None:
        self.names = tuple(header)
        self._by_key: dict[str, str] = {}
        self._twice: set[str] = set()
        for name in self.names:
            if self._by_key.setdefault(key_of(name), name) != name:
                self._twice.add(key_of(name))

    def find(self, names: Iterable[str]) -> list[FoundColumn]:
        """The columns that have one of these names, in the order of the names."""
        found = []
        for name in names:
            if CURRENCY_SLOT in name:
                found += self._with_currency(name)
            elif key_of(name) in self._by_key:
                found.append(FoundColumn(self._by_key[key_of(name)]))
        return found

    def is_twice(self, name: str) -> bool:
        """Whether two columns have this name but for case and spaces."""
        return key_of(name) in self._twice

    def _with_currency(self, name: str) -> list[FoundColumn]:
        before, _, after = (key_of(part) for part in name.partition(CURRENCY_SLOT))
        found = []
        for key, written in self._by_key.items():
            if len(key) > len(before) + len(after) and key.startswith(before) and key.endswith(after):
                inner = key[len(before) : len(key) - len(after)].strip()
                at = written.casefold().rfind(inner)
                said = written[at : at + len(inner)]
                currency = currency_of(said)
                if currency is not None:
                    found.append(FoundColumn(written, currency or said.rstrip(".")))
        return found
