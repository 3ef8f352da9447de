"""Coverage: which complete pull answers for which day and slice of a partition.

For each (day, slice) it holds the stamp of the newest complete pull, and for each *hole* of that pull (an entity whose
row it brought but that could not be stored) the stamp of the newest earlier pull of the slice that did answer for the
entity, or none. The state depends on the set of pulls alone, never on the order in which they came:

- a newer pull replaces the older one, which remains only in the newer one's holes;
- an older pull arriving late can only fill holes;
- a narrower slice's stamp, or the answer in its hole, is dropped when an `all` pull with the same or a newer stamp
  answers for it.

A slice that the platform called not applicable on a day is neither covered nor missing, until a pull of it or of `all`
answers for that day.

Where account totals decide absence (`store.metrics.totals`), it also notes the days with missing rows, and those of
them on which these are gone.

The item `!coverage`: `cov` slice → stamp → its days ("01-07 09"), `holes` day → slice → entity → stamp, `na` slice →
the days on which it is not applicable, `def` stamp → how that pull counted conversions, `miss` the days with missing
rows, `gone` those on which they are gone, `adj` the days with adjustments (`store.metrics.adjusted`), `loading` the
stamp of the pull that is being written, `stopped` those of loads that were stopped while they wrote and that others
overtook before they went on, `list` what the lists of campaigns are good for (`ListState`), `fence` the
fencing token of the lease under which the item was written, `at` the time of the partition's newest changes file.
It is written before a partition's first other item, also by a load that covers nothing: readers look nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from adweir.model.metrics import Level, Mark
from adweir.model.slices import ALL
from adweir.model.tasks import Stamp
from adweir.store.metrics.brought import Parents
from adweir.store.metrics.buckets import RESERVED, Partition, Raw, StoredSlot, around
from adweir.store.metrics.partitions import ItemKey, Readable

COVERAGE = f"{RESERVED}coverage"
_STOPPED = 8
"""So many loads that were stopped are remembered; one that is forgotten counts what it changed before as another's."""


class ListState(StrEnum):
    """What the lists of a partition (`store.metrics.members`) are good for: nothing, for not all entities are known to
    be on them; for all; or nothing for good, because some entity's id does not begin with its parent's."""

    NONE = ""
    ALL = "all"
    ODD = "odd"


class SliceAnswer(NamedTuple):
    """The newest complete pull of a slice and day, and its holes: entity → the stamp that answered before."""

    stamp: Stamp
    holes: Mapping[str, Stamp | None]

    def of(self, entity_id: str) -> Stamp | None:
        """The newest stamp that answered for an entity of the slice."""
        return self.holes.get(entity_id, self.stamp)


@dataclass(slots=True)
class Coverage:
    """A partition's coverage by day (ISO date) and slice."""

    days: dict[str, dict[str, SliceAnswer]] = field(default_factory=dict)
    loading: str = ""
    fence: int = 0
    not_applicable: dict[str, frozenset[str]] = field(default_factory=dict)
    """Slice → days."""
    definitions: dict[Stamp, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    adjusted: frozenset[str] = frozenset()
    at: str = ""
    listing: ListState = ListState.NONE
    stopped: tuple[str, ...] = ()

    @property
    def facts(self) -> tuple[object, ...]:
        """What depends on the set of pulls alone."""
        return self.days, self.not_applicable, self.definitions, self.missing, self.gone, self.adjusted

    @property
    def held(self) -> frozenset[str]:
        """The entities with a quarantined row on some day."""
        return frozenset(e for slices in self.days.values() for answer in slices.values() for e in answer.holes)

    def answered(self, day: str, level: Level, entity_id: str, parents: Parents) -> Stamp | None:
        """The newest stamp under which coverage answers for an entity and day; None when none does."""
        return self.answer(day, level, entity_id, parents)[0]

    def answer(self, day: str, level: Level, entity_id: str, parents: Parents) -> tuple[Stamp | None, bool]:
        """`answered`, and whether the newest pull's own row of the entity and day was quarantined."""
        newest: Stamp | None = None
        latest: Stamp | None = None
        held = False
        for answer in self._around(day, level, entity_id, parents):
            newest = newer(newest, answer.of(entity_id))
            if latest is None or answer.stamp > latest:
                latest, held = answer.stamp, entity_id in answer.holes
        return newest, held

    def shown(
        self, slot: StoredSlot, day: str, level: Level, entity_id: str, parents: Parents
    ) -> tuple[Stamp | None, Mark]:
        """The pull that a stored slot is from, and its mark; KEPT also on days when missing rows are gone.

        Of an entity's hours, the newest pull may have brought some whose day has a quarantined row: these are no older.
        """
        answered, held = self.answer(day, level, entity_id, parents)
        stamp = slot.stamp or answered
        if held and slot.stamp != self.newest(day, level, entity_id, parents):
            return stamp, Mark.HELD
        if slot.stamp and answered and slot.stamp < answered:
            return stamp, Mark.KEPT
        return stamp, Mark.NONE

    def newest_of_day(self, day: str) -> Stamp | None:
        """The newest complete pull of a day, of whatever slice."""
        return max((answer.stamp for answer in self.days.get(day, {}).values()), default=None)

    def is_answer(self, stamp: Stamp, slice_: str, days: Iterable[str]) -> bool:
        """Whether this pull is the newest of its slice on all these days."""
        answers = (self.days.get(day, {}).get(slice_) for day in days)
        return all(answer is not None and answer.stamp == stamp for answer in answers)

    def newest(self, day: str, level: Level, entity_id: str, parents: Parents) -> Stamp | None:
        """The newest complete pull of an entity and day, also when its row was quarantined."""
        return max((answer.stamp for answer in self._around(day, level, entity_id, parents)), default=None)

    def _around(self, day: str, level: Level, entity_id: str, parents: Parents) -> list[SliceAnswer]:
        """What the slices that an entity is inside of say about a day. A day may have a thousand slices, of campaigns
        that were pulled one by one; an entity is inside three of them at most."""
        slices = self.days.get(day)
        if not slices:
            return []
        return [slices[name] for name in around(level, entity_id, parents) if name in slices]

    def holds(self, stamp: Stamp) -> bool:
        """Whether this pull is among the answers, or being written."""
        return self.loading == str(stamp) or any(a.stamp == stamp for s in self.days.values() for a in s.values())

    def began(self, stamp: Stamp) -> bool:
        """Whether a load of this task has begun to write the partition and was stopped. What it loads may be newer by
        now: the sums of a file's records, for one, follow from other files, too."""
        return any(_same_load(text, stamp) for text in (self.loading, *self.stopped))

    def overtaken(self, stamp: Stamp) -> tuple[str, ...]:
        """The loads of others that have begun to write the partition and were stopped: `stopped` while, and after, a
        load with this stamp is written."""
        begun = dict.fromkeys((*self.stopped, self.loading))
        return tuple(text for text in begun if text and not _same_load(text, stamp))[-_STOPPED:]

    def merged(
        self,
        stamp: Stamp,
        slice_: str,
        days: Iterable[str],
        holes: Callable[[str], frozenset[str]],
        definition: str = "",
    ) -> Coverage:
        """The coverage after a complete pull; equal to this one when newer pulls answer for everything already."""
        result = dict(self.days)
        for day in days:
            slices = dict(result.get(day, {}))
            slices[slice_] = _merge(slices.get(slice_), stamp, holes(day))
            result[day] = _compacted(slices)
        named = {**self.definitions, stamp: definition} if definition else self.definitions
        return replace(
            self,
            days=result,
            not_applicable=_unanswered(self.not_applicable, result),
            definitions=_referenced(named, result) if named else named,
        )

    def skipped(self, slice_: str, days: Iterable[str]) -> Coverage:
        """The coverage after the platform called a slice not applicable; what was answered before stays."""
        known = self.not_applicable.get(slice_, frozenset())
        marked = {**self.not_applicable, slice_: known | frozenset(days)}
        return replace(self, not_applicable=_unanswered(marked, self.days))

    def known(self, day: str) -> frozenset[str]:
        """The slices of a day that are not missing: covered, or not applicable."""
        skipped = (slice_ for slice_, days in self.not_applicable.items() if day in days)
        return frozenset((*self.days.get(day, ()), *skipped))

    def encode(self, pk: str) -> Raw:
        """The item as DynamoDB takes it."""
        spans: dict[str, dict[str, list[int]]] = {}
        holes: dict[str, Any] = {}
        for day, slices in sorted(self.days.items()):
            for slice_, answer in slices.items():
                spans.setdefault(slice_, {}).setdefault(str(answer.stamp), []).append(int(day[8:]))
                if answer.holes:
                    named = {e: {"S": str(was or "")} for e, was in sorted(answer.holes.items())}
                    holes.setdefault(day, {"M": {}})["M"][slice_] = {"M": named}
        cov = {
            slice_: {"M": {stamp: {"S": _ranges(days)} for stamp, days in stamps.items()}}
            for slice_, stamps in spans.items()
        }
        item: Raw = {"pk": {"S": pk}, "sk": {"S": COVERAGE}, "cov": {"M": cov}, "fence": {"N": str(self.fence)}}
        skipped = {
            slice_: {"S": _ranges([int(day[8:]) for day in days])} for slice_, days in self.not_applicable.items()
        }
        counted = {str(stamp): {"S": self.definitions[stamp]} for stamp in sorted(self.definitions)}
        beside: dict[str, tuple[str, Any]] = {
            "na": ("M", skipped),
            "holes": ("M", holes),
            "def": ("M", counted),
            "miss": ("S", _ranges([int(day[8:]) for day in self.missing])),
            "gone": ("S", _ranges([int(day[8:]) for day in self.gone])),
            "adj": ("S", _ranges([int(day[8:]) for day in self.adjusted])),
            "loading": ("S", self.loading),
            "at": ("S", self.at),
            "list": ("S", self.listing.value),
            "stopped": ("S", " ".join(self.stopped)),
        }
        return item | {name: {kind: value} for name, (kind, value) in beside.items() if value}

    @classmethod
    def decode(cls, item: Raw | None) -> Coverage:
        """What `encode` made; an empty coverage of a missing item."""
        if item is None:
            return cls()
        month = item["pk"]["S"].rpartition("#")[2][:7]
        holes = item.get("holes", {"M": {}})["M"]
        days: dict[str, dict[str, SliceAnswer]] = {}
        for slice_, stamps in item["cov"]["M"].items():
            for stamp, text in stamps["M"].items():
                parsed = Stamp.parse(stamp)
                for number in _numbers(text["S"]):
                    day = f"{month}-{number:02d}"
                    named = holes.get(day, {"M": {}})["M"].get(slice_, {"M": {}})["M"]
                    was = {e: Stamp.parse(value["S"]) if value["S"] else None for e, value in named.items()}
                    days.setdefault(day, {})[slice_] = SliceAnswer(parsed, was)
        skipped = {
            slice_: frozenset(f"{month}-{number:02d}" for number in _numbers(text["S"]))
            for slice_, text in item.get("na", {"M": {}})["M"].items()
        }
        marked = {
            name: frozenset(f"{month}-{number:02d}" for number in _numbers(item[name]["S"]))
            for name in ("miss", "gone", "adj")
            if name in item
        }
        return cls(
            days,
            item["loading"]["S"] if "loading" in item else "",
            int(item["fence"]["N"]),
            skipped,
            {Stamp.parse(stamp): text["S"] for stamp, text in item.get("def", {"M": {}})["M"].items()},
            marked.get("miss", frozenset()),
            marked.get("gone", frozenset()),
            marked.get("adj", frozenset()),
            item["at"]["S"] if "at" in item else "",
            ListState(item["list"]["S"] if "list" in item else ""),
            tuple(item["stopped"]["S"].split()) if "stopped" in item else (),
        )

    @property
    def size(self) -> int:
        """The approximate size of the item in bytes."""
        spans = {(slice_, a.stamp) for slices in self.days.values() for slice_, a in slices.items()}
        holes = [e for slices in self.days.values() for a in slices.values() for e in a.holes]
        named = sum(len(text.encode()) + 60 for text in self.definitions.values())
        return sum(len(slice_) + 120 for slice_, _ in spans) + sum(len(e.encode()) + 60 for e in holes) + named


def read_coverage(table: Readable, parts: Iterable[Partition]) -> dict[str, Coverage]:
    """Partition key → its coverage, of the partitions that something was loaded into.

    Most were never loaded into: files and pushes are rare, and history begins one day. Reading these items in batches
    finds the others with the fewest requests.
    """
    found = table.get_many(ItemKey(part.pk, COVERAGE) for part in parts)
    return {item["pk"]["S"]: Coverage.decode(item) for item in found}


def _same_load(text: str, stamp: Stamp) -> bool:
    known = Stamp.parse(text)
    return (known.task_id, known.load) == (stamp.task_id, stamp.load)


def _unanswered(
    skipped: Mapping[str, frozenset[str]], days: Mapping[str, Mapping[str, SliceAnswer]]
) -> dict[str, frozenset[str]]:
    left = {
        slice_: frozenset(day for day in marked if not {slice_, ALL} & days.get(day, {}).keys())
        for slice_, marked in skipped.items()
    }
    return {slice_: marked for slice_, marked in left.items() if marked}


def _referenced(named: Mapping[Stamp, str], days: Mapping[str, Mapping[str, SliceAnswer]]) -> dict[Stamp, str]:
    answers = [answer for slices in days.values() for answer in slices.values()]
    used = {answer.stamp for answer in answers} | {was for answer in answers for was in answer.holes.values() if was}
    return {stamp: text for stamp, text in named.items() if stamp in used}


def newer(one: Stamp | None, other: Stamp | None) -> Stamp | None:
    """The newer of two stamps, either of which may be None."""
    return max(one, other) if one and other else one or other


def _merge(known: SliceAnswer | None, stamp: Stamp, holes: frozenset[str]) -> SliceAnswer:
    if known is None:
        return SliceAnswer(stamp, dict.fromkeys(holes))
    if stamp > known.stamp:
        return SliceAnswer(stamp, {entity: known.of(entity) for entity in holes})
    if stamp == known.stamp:
        return known
    filled = {entity: was if entity in holes else newer(was, stamp) for entity, was in known.holes.items()}
    return SliceAnswer(known.stamp, filled)


def _compacted(slices: dict[str, SliceAnswer]) -> dict[str, SliceAnswer]:
    whole = slices.get(ALL)
    if whole is None:
        return slices
    kept = {ALL: whole}
    for slice_, answer in slices.items():
        if slice_ == ALL or (answer.stamp < whole.stamp and all(_covers(was, answer) for was in whole.holes.values())):
            continue
        holes = {e: None if was and (whole.of(e) or was) > was else was for e, was in answer.holes.items()}
        kept[slice_] = SliceAnswer(answer.stamp, holes)
    return kept


def _covers(was: Stamp | None, answer: SliceAnswer) -> bool:
    return was is not None and was >= answer.stamp


def _ranges(days: list[int]) -> str:
    """[1, 2, 3, 9] → "01-03 09"."""
    parts: list[list[int]] = []
    for day in sorted(days):
        if parts and day == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], day]
        else:
            parts.append([day])
    return " ".join("-".join(f"{day:02d}" for day in part) for part in parts)


def _numbers(text: str) -> Iterable[int]:
    for part in text.split():
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
