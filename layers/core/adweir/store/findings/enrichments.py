"""What models said of the copy of a client's ads.

`enriched#<account>` / `<content hash>` is what was said of one copy: all ads of the client that say the same share it.
`!mark` beside them is a hash of all that the client's enrichments were made of, when the last of them was stored.

What is made of the same is the same, so every put replaces its like: order, duplicates and repetitions change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from adweir.model.times import Clock, epoch, iso
from adweir.store.dynamo.keyed import Keyed
from adweir.store.dynamo.tables import FindingsItem, JsonText

KEEP = timedelta(days=400)
LOOK = timedelta(days=30)
"""How long a mark counts. What ends within twice this time is no longer `current`: so it is stored anew before."""
_MARK = "!mark"


class Enrichment(NamedTuple):
    """What was said of a copy: `body` as `insight.enrichment.enriching` makes it, `made_of` the models and names,
    `as_of` when (`model.times.iso`)."""

    made_of: str
    as_of: str
    body: Mapping[str, Any]


class EnrichmentItem(FindingsItem):
    """An enrichment, or the mark, which has no body."""

    made_of = UnicodeAttribute(null=True)
    as_of = UnicodeAttribute(null=True)
    body = JsonText(null=True)
    expires = NumberAttribute(null=True)


class Enrichments(Keyed[EnrichmentItem]):
    """The enrichments of a deployment's clients. Every call may be repeated. All raise Unavailable."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(EnrichmentItem, "findings", clock)

    def mark(self, account_id: str) -> str:
        """What all of a client's enrichments were made of when they were complete; "" where that is not known."""
        found = self._query(_pk(account_id), _MARK, up_to=_MARK)
        return next((item.made_of or "" for item in found), "")

    def put_mark(self, account_id: str, made_of: str) -> None:
        """Say that the client's enrichments are complete."""
        now = self._clock.now()
        item = EnrichmentItem(_pk(account_id), _MARK, made_of=made_of, as_of=iso(now), expires=epoch(now + LOOK))
        self._put(item)

    def current(self, account_id: str, made_of: str) -> Iterator[str]:
        """The content hashes of a client's enrichments that are made of this and last."""
        least = epoch(self._clock.now() + 2 * LOOK)
        for item in self._query(_pk(account_id)):
            if item.sk != _MARK and item.made_of == made_of and (item.expires or 0) > least and item.body:
                yield item.sk

    def of(self, account_id: str, hashes: Iterable[str]) -> dict[str, Enrichment]:
        """By content hash; those that are not there are left out."""
        items = self._fetch_many((_pk(account_id), each) for each in hashes).values()
        return dict(self._readable(items, _enrichment))

    def put(self, account_id: str, made_of: str, bodies: Mapping[str, Mapping[str, Any]]) -> None:
        """Store what was said, by content hash."""
        now = self._clock.now()
        ends = epoch(now + KEEP)
        self._put_many(
            EnrichmentItem(_pk(account_id), each, made_of=made_of, as_of=iso(now), body=dict(body), expires=ends)
            for each, body in bodies.items()
        )

    def _is_there(self, item: EnrichmentItem) -> bool:
        return (item.expires or 0) > epoch(self._clock.now())


def _pk(account_id: str) -> str:
    return f"enriched#{account_id}"


def _enrichment(item: EnrichmentItem) -> tuple[str, Enrichment]:
    body = item.body
    if not isinstance(body, dict):
        raise TypeError("no object")
    return item.sk, Enrichment(item.made_of or "", item.as_of or "", body)
