"""Whose rows the groups of an answer sum, and of whom a day was pulled: what tells zero from unknown.

A group that is absent is zero where something was pulled of an ad account whose rows it sums in another period, and
unknown where nothing was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from adweir.model import limits
from adweir.model.errors import TooLarge
from adweir.reporting.dimensions import OF_DAY, Key
from adweir.reporting.totals import RowSum

OF_TIME: Mapping[str, Callable[[str], str]] = {"date": lambda day: day, **OF_DAY}
"""Dimensions of time → what they show of a day."""


class Owned:
    """The ad accounts (keys of profiles) behind each group, and what was pulled of each.

    A label is what the dimensions of time show of a day, in their order: () where there are none.
    """

    def __init__(self, dimensions: Iterable[str]) -> None:
        self._shown = [OF_TIME[name] for name in dimensions if name in OF_TIME]
        self._profiles: list[str] = []
        self._pulled: dict[str, set[Key]] = {}
        self.groups: dict[Key, int] = {}
        """Group → a bit per profile, in the order in which they were added."""

    def label(self, day: str) -> Key:
        """The label of a day (ISO)."""
        return tuple([show(day) for show in self._shown])

    def add(self, profile_key: str, groups: Iterable[Key], pulled: Iterable[str]) -> None:
        """Add a profile: the groups that its rows are in, and the days (ISO) of which something was pulled.

        A profile may come several times, with other days.
        """
        if profile_key not in self._pulled:
            self._profiles.append(profile_key)
            self._pulled[profile_key] = set()
        bit = 1 << self._profiles.index(profile_key)
        self._pulled[profile_key].update(map(self.label, pulled))
        for key in groups:
            self.groups[key] = self.groups.get(key, 0) | bit

    def profiles(self, bits: int) -> list[str]:
        """The keys of profiles by their bits."""
        return [key for at, key in enumerate(self._profiles) if bits >> at & 1]

    def knows(self, profile_keys: Iterable[str], label: Key) -> bool:
        """Whether anything was pulled of any of these profiles on a day of that label; without a label, on any day."""
        found = (self._pulled.get(key) for key in profile_keys)
        return any(pulled is not None and (label in pulled or (not label and bool(pulled))) for pulled in found)


def merge_into(groups: dict[Key, RowSum], more: Mapping[Key, RowSum], most: int = 0) -> None:
    """Add sums to sums, group by group; `most` groups (0: as many as the API's). Raises TooLarge."""
    most = most or limits.MAX_QUERY_GROUPS
    for key, total in more.items():
        if key in groups:
            groups[key].merge(total)
        elif len(groups) >= most:
            raise TooLarge(f"more than {most} groups: ask for less at once")
        else:
            groups[key] = total
