"""Scores by day, and bills that were compared with what was measured.

`scores#<platform>#<profile>` / `<day>` is the score of one day of an ad account, the newest of it; `bills#<platform>#
<profile>` / `<month>#<currency>` says what of a bill is explained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from adweir.model.times import Clock, epoch
from adweir.store.dynamo.keyed import Keyed
from adweir.store.dynamo.tables import FindingsItem, JsonText

KEEP = timedelta(days=400)
_LAST = "\U0010ffff"


class ScoreItem(FindingsItem):
    """A score or a bill. `basis` says what it was made of: the same basis gives the same body."""

    basis = UnicodeAttribute(null=True)
    body = JsonText(null=True)
    expires = NumberAttribute(null=True)


class DayScore(NamedTuple):
    """A day's score. `basis` says what it was made of: the same basis gives the same body."""

    day: str
    basis: str
    body: Mapping[str, Any]


class DayScores(Keyed[ScoreItem]):
    """Scores of days, and bills. Every call may be repeated."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(ScoreItem, "findings", clock)

    def put(self, profile_key: str, scores: Iterable[DayScore]) -> None:
        """Store scores of days, each in place of the one before. Raises Unavailable; some may be stored then."""
        self._put_many(self._item(f"scores#{profile_key}", *each) for each in scores)

    def bases(self, profile_key: str, first: str, last: str) -> dict[str, str]:
        """Day → what its score was made of."""
        return {item.sk: item.basis or "" for item in self._query(f"scores#{profile_key}", first, up_to=last)}

    def days(self, profile_key: str, first: str, last: str) -> list[dict[str, Any]]:
        """The scores of the days from `first` to `last` (ISO), the oldest first; those that cannot be read are left
        out."""
        return list(self._readable(self._query(f"scores#{profile_key}", first, up_to=last), _body))

    def put_bill(self, profile_key: str, month: str, currency: str, body: Mapping[str, Any]) -> None:
        """Store what became of a month's bill. Raises Unavailable."""
        self._put(self._item(f"bills#{profile_key}", f"{month}#{currency}", "", body))

    def bills(self, profile_key: str, first: str, last: str) -> list[dict[str, Any]]:
        """The bills of the months from `first` to `last` (`2026-11`)."""
        found: Iterator[ScoreItem] = self._query(f"bills#{profile_key}", first, up_to=f"{last}#{_LAST}")
        return list(self._readable(found, _body))

    def _item(self, pk: str, sk: str, basis: str, body: Mapping[str, Any]) -> ScoreItem:
        return ScoreItem(pk, sk, basis=basis, body=dict(body), expires=epoch(self._clock.now() + KEEP))

    def _is_there(self, item: ScoreItem) -> bool:
        return (item.expires or 0) > epoch(self._clock.now())


def _body(item: ScoreItem) -> dict[str, Any]:
    return dict(item.body)
