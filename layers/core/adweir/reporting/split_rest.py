"""What the values of a breakdown leave of what they split.

A campaign's regions need not add up to it: a platform leaves out places that it does not know or may not tell. The
rest of each campaign and day is a row without a value, so that the rows add up to those of the same question without
the breakdown. It is told for days on which both were pulled whole. What one platform calls unknown, and another leaves
out, is a part of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from adweir.model import limits
from adweir.model.errors import TooLarge
from adweir.model.metrics import Level, Mark, Slot, Source, plus
from adweir.reporting.breakdowns import split_entity
from adweir.reporting.reading import ProfileQuestion, ProfileReader, ReadRow
from adweir.reporting.totals import NOTHING, UNATTRIBUTED, minus
from adweir.store.metrics.store import StoredRow

LEVELS = frozenset({Level.ACCOUNT, Level.CAMPAIGN})
"""Those of whose breakdowns the rest is told; that of each ad would be as long as the list of ads and days."""
_REST = frozenset({UNATTRIBUTED})
_UNKNOWN = frozenset({"", "unknown"})
"""Values that name no region, in any case."""


class _Split(NamedTuple):
    """What is split: a campaign's day ("": the account's), in a currency."""

    campaign_id: str
    day: str
    currency: str


class SplitRest:
    """Reads a breakdown with what it leaves. `reader` makes what reads a question about the profile."""

    def __init__(self, question: ProfileQuestion, reader: Callable[[ProfileQuestion], ProfileReader]) -> None:
        split = replace(question, fold=None)  # the rest of each day is told, not that of several together
        rest = question.level is not Level.ACCOUNT and question.only is None
        self._split = reader(split)
        self._whole = reader(replace(split, breakdown="", rest=rest, live=False, hidden=False))
        self._told = self._split.whole_days() & self._whole.whole_days()
        self._level = question.level

    @property
    def reader(self) -> ProfileReader:
        """What reads the breakdown."""
        return self._split

    def rows(self) -> Iterator[ReadRow]:
        """The rows of the breakdown, then what they leave. Raises TooLarge, Unavailable."""
        parts: dict[_Split, Slot] = {}
        wholes: dict[_Split, Slot] = {}
        for read in self._split.rows():
            if read.row.day not in self._told:
                yield read
            elif not _is_unknown(read):
                yield read
                self._add(read, parts)
        if self._told:
            for read in self._whole.rows():
                if read.row.day in self._told:
                    self._add(read, wholes)
        for key in sorted(wholes.keys() | parts.keys()):
            rest = minus(wholes.get(key, NOTHING), parts.get(key, NOTHING))
            untold = None in rest and key in parts  # the number of the whole is unknown, its parts have some
            if any(rest) or untold:
                campaign, day, currency = key
                row = StoredRow(campaign, campaign, "", "", currency, day, -1, rest, Source.PULL, None)
                yield ReadRow(row, self._level, _REST)

    def _add(self, read: ReadRow, sums: dict[_Split, Slot]) -> None:
        row = read.row
        if row.mark is Mark.OVERRIDDEN:
            return
        campaign = ""
        if self._level is Level.CAMPAIGN:
            own = split_entity(read.level, row.entity_id, row.ad_group_id)[0] if read.level is Level.CAMPAIGN else ""
            campaign = row.campaign_id or own
        key = _Split(campaign, row.day, row.currency or self._split.profile.currency)
        sums[key] = plus(sums[key], row.slot) if key in sums else row.slot
        if len(sums) > limits.MAX_SPLIT_RESTS:
            raise TooLarge(f"more than {limits.MAX_SPLIT_RESTS} campaigns and days are split: ask for less at once")


def _is_unknown(read: ReadRow) -> bool:
    _, value = split_entity(read.level, read.row.entity_id, read.row.ad_group_id)
    return value.casefold() in _UNKNOWN
