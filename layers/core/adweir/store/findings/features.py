"""The newest features of ads and ad accounts, and how far each ad account's recording has come.

`features#<platform>#<profile>` / `<level>#<entity>` is the newest row of an entity: put on the condition that none is
there that was read later. `feature_head#<platform>#<profile>` / `head` says as of when rows were begun to be recorded,
and as of when the last ones were everywhere: who finds the two different ends what somebody else began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from adweir.model.feature_columns import MONEY, TYPES
from adweir.model.times import Clock, epoch
from adweir.store.dynamo.keyed import Keyed
from adweir.store.dynamo.tables import FindingsItem, JsonText

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

KEEP = timedelta(days=400)
_HEAD = "head"
_TOGETHER = 100
"""Items of a transaction: DynamoDB's limit."""


class FeatureHead(NamedTuple):
    """`begun`: as of when the last rows are that somebody began to record; `done`: the last that are everywhere."""

    begun: str
    done: str


class FeatureItem(FindingsItem):
    """A row, or a head, which has `done`."""

    as_of = UnicodeAttribute(null=True)
    done = UnicodeAttribute(null=True)
    body = JsonText(null=True)
    expires = NumberAttribute(null=True)


class AdFeatures(Keyed[FeatureItem]):
    """The newest rows of a deployment's ads and ad accounts. Every call may be repeated. All raise Unavailable."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(FeatureItem, "findings", clock)

    def rows(self, profile_key: str, after: str = "", level: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """The newest rows of an ad account, of all levels or of one, each with the place after which others come: of
        the ad account first, then of its ads."""
        found = self._query(_pk(profile_key), f"{level}#" if level else "", after=after)
        return self._readable(found, lambda item: (item.sk, row_of(item.body)))

    def put(self, profile_key: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Have rows be the newest, those of which there is none that was read later; a hundred in a transaction."""
        pending = iter(rows)
        while puts := [self._item(profile_key, row) for row in islice(pending, _TOGETHER)]:
            if not self._put_together(puts):
                for item, condition in puts:
                    self._put(item, condition)

    def head(self, profile_key: str) -> FeatureHead:
        """How far an ad account's recording has come."""
        item = self._fetch(_head_pk(profile_key), _HEAD)
        return FeatureHead("", "") if item is None else FeatureHead(item.as_of or "", item.done or "")

    def begin(self, profile_key: str, as_of: str, done: str) -> bool:
        """Say that rows as of a moment will be recorded. False where later ones have been begun."""
        item = FeatureItem(_head_pk(profile_key), _HEAD, as_of=as_of, done=done, expires=self._ends)
        return self._put(item, self._absent | (FeatureItem.as_of < as_of))

    def finish(self, profile_key: str, as_of: str) -> None:
        """Say that the rows as of a moment are everywhere, unless later ones have been begun."""
        item = FeatureItem(_head_pk(profile_key), _HEAD, as_of=as_of, done=as_of, expires=self._ends)
        self._put(item, FeatureItem.as_of == as_of)

    def _item(self, profile_key: str, row: Mapping[str, Any]) -> tuple[FeatureItem, Condition]:
        sk = f"{row['level']}#{row['entity_id']}"
        item = FeatureItem(_pk(profile_key), sk, as_of=row["as_of"], body=_body(row), expires=self._ends)
        return item, self._absent | (FeatureItem.as_of <= row["as_of"])

    @property
    def _absent(self) -> Condition:
        absent: Condition = FeatureItem.pk.does_not_exist() | (FeatureItem.expires <= epoch(self._clock.now()))
        return absent

    @property
    def _ends(self) -> int:
        return epoch(self._clock.now() + KEEP)

    def _is_there(self, item: FeatureItem) -> bool:
        return (item.expires or 0) > epoch(self._clock.now())


def _pk(profile_key: str) -> str:
    return f"features#{profile_key}"


def _head_pk(profile_key: str) -> str:
    return f"feature_head#{profile_key}"


def _body(row: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON: without what is null, money as text of an exact decimal."""
    return {
        name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in row.items() if value is not None
    }


def row_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """All columns of a stored row."""
    known = ((name, body.get(name), kind) for name, kind in TYPES.items())
    return {name: Decimal(value) if kind == MONEY and value is not None else value for name, value, kind in known}
