"""What the loads that answer for each day found in their rows: the counts from which a day's score is made.

`tallies#<platform>#<profile>` / `<month>#<level>#<source>#<slice>` holds the days of a month, each with the load that
answers for it. The newest load wins, day by day, in whatever order and however often they come.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from adweir.model.errors import Unavailable
from adweir.model.tasks import Stamp
from adweir.model.times import Clock, epoch
from adweir.store.dynamo.keyed import Key, Keyed
from adweir.store.dynamo.tables import FindingsItem

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

KEEP = timedelta(days=430)
"""As long as the scores of the days that are made of them, and the rest of a month."""
_RACES = 8
_TOGETHER = 25
"""Months that are read with one request and written with another; those of a pull are one to three."""
_MONTH = len("2026-11")


class DayTally(NamedTuple):
    """A day of one load: its place among others, when it was stored, its rows, and what is wrong with them.

    `stamp` orders loads (`model.tasks.Stamp` as text); `stored_at` is of the first load of the same pull. `rows` are
    those that were read of the day, `failures` is rule → column → rows.
    """

    stamp: str
    stored_at: str
    rows: int
    failures: dict[str, dict[str, int]]


class TallyKey(NamedTuple):
    """Whose rows: of which level, from where, and the slice of the dataset that was pulled."""

    level: str
    source: str
    slice: str


class TallyItem(FindingsItem):
    """The days of a month. `seen` counts the item's changes."""

    days = UnicodeAttribute(null=True)
    seen = NumberAttribute(null=True)
    expires = NumberAttribute(null=True)


class DayTallies(Keyed[TallyItem]):
    """The counts of loads by day. Every call may be repeated."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(TallyItem, "findings", clock)

    def put(
        self,
        profile_key: str,
        key: TallyKey,
        days: Mapping[str, DayTally],
        before: Callable[[Sequence[DayTally]], None] = lambda _: None,
    ) -> None:
        """Note the days (ISO) of a load where no newer one is noted. Raises Unavailable.

        `before` gets what is about to be replaced, and may get it again: a worker that dies after it has replaced
        nothing.
        """
        months: dict[Key, dict[str, DayTally]] = {}
        for day, tally in days.items():
            months.setdefault((_pk(profile_key), "#".join((day[:_MONTH], *key))), {})[day] = tally
        waiting = iter(months.items())
        while batch := dict(islice(waiting, _TOGETHER)):
            self._note(batch, before)

    def months(self, profile_key: str, first: str, last: str) -> Iterator[tuple[TallyKey, dict[str, DayTally]]]:
        """What is noted of the months from `first` to `last` (`2026-11`), item by item. Raises Unavailable."""
        for item in self._query(_pk(profile_key), first, up_to=f"{last}#\U0010ffff"):
            key = TallyKey(*item.sk.split("#", 3)[1:])
            yield from ((key, days) for days in self._readable([item], _days_of))

    def _is_there(self, item: TallyItem) -> bool:
        return (item.expires or 0) > epoch(self._clock.now())

    def _note(self, months: Mapping[Key, Mapping[str, DayTally]], before: Callable[[Sequence[DayTally]], None]) -> None:
        for _ in range(_RACES):
            if self._merge(months, before):
                return
        raise Unavailable("the counts of a month are being written by others at this moment; try again")

    def _merge(
        self, months: Mapping[Key, Mapping[str, DayTally]], before: Callable[[Sequence[DayTally]], None]
    ) -> bool:
        """Note the days of all these months, or of none: False when others write one of them at this moment."""
        items = self._fetch_many(months)
        puts: list[tuple[TallyItem, Condition]] = []
        replaced: list[DayTally] = []
        for (pk, sk), found in months.items():
            item = items.get((pk, sk))
            # An item that cannot be read is written anew.
            known = next(self._readable([item] if item else [], _days_of), {})
            newer = {day: tally for day, tally in found.items() if day not in known or tally.stamp > known[day].stamp}
            merged = known | {day: _first_stored(tally, known.get(day)) for day, tally in newer.items()}
            if merged == known:
                continue
            seen = int(item.seen or 0) if item else 0
            expires = epoch(self._clock.now() + KEEP)
            fresh = TallyItem(pk, sk, days=_text(merged), seen=seen + 1, expires=expires)
            puts.append((fresh, TallyItem.seen == seen if item else TallyItem.pk.does_not_exist()))
            replaced += [known[day] for day in newer if day in known]
        if not puts:
            return True
        before(replaced)
        # An item costs half of what it costs in a transaction.
        return self._put_together(puts) if len(puts) > 1 else self._put(*puts[0])


def _first_stored(tally: DayTally, known: DayTally | None) -> DayTally:
    """The tally of a load; one that loads the same pull once more was there in time if that was."""
    again = known is not None and Stamp.parse(known.stamp)[:2] == Stamp.parse(tally.stamp)[:2]
    return tally._replace(stored_at=min(known.stored_at, tally.stored_at)) if known and again else tally


def _pk(profile_key: str) -> str:
    return f"tallies#{profile_key}"


def _text(days: Mapping[str, DayTally]) -> str:
    """Each load once, then by day its place, the rows and, where there are any, the failures."""
    loads = list(dict.fromkeys(tally[:2] for tally in days.values()))
    places = {load: place for place, load in enumerate(loads)}
    said = {day: [places[tally[:2]], tally.rows, *_some(tally.failures)] for day, tally in sorted(days.items())}
    return json.dumps({"loads": loads, "days": said}, separators=(",", ":"))


def _some(failures: dict[str, dict[str, int]]) -> Iterable[Any]:
    return (failures,) if failures else ()


def _days_of(item: TallyItem) -> dict[str, DayTally]:
    said = json.loads(item.days or "")
    found = dict[str, DayTally]()
    for day, (place, rows, *failures) in said["days"].items():
        stamp, stored_at = said["loads"][place]
        found[day] = DayTally(stamp, stored_at, rows, failures[0] if failures else {})
    return found
