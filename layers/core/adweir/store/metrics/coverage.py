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

The item `!coverage`: `cov` slice → stamp → its days ("01-07 09"), `holes` day → slice → entity → stamp, `na` slice →
the days on which it is not applicable, `loading` the stamp of the pull that is being written, `fence` the fencing token
of the lease under which the item was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from adweir.model.metrics import Level
from adweir.model.slices import ALL
from adweir.model.tasks import Stamp
from adweir.store.metrics.brought import Parents
from adweir.store.metrics.buckets import RESERVED, Raw, contains

COVERAGE = f"{RESERVED}coverage"


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

    def answered(self, day: str, level: Level, entity_id: str, parents: Parents) -> Stamp | None:
        """The newest stamp under which coverage answers for an entity and day; None when none does."""
        return self.answer(day, level, entity_id, parents)[0]

    def answer(self, day: str, level: Level, entity_id: str, parents: Parents) -> tuple[Stamp | None, bool]:
        """`answered`, and whether the newest pull's own row of the entity and day was quarantined."""
        newest: Stamp | None = None
        latest: Stamp | None = None
        held = False
        for slice_, answer in self.days.get(day, {}).items():
            if contains(slice_, level, entity_id, parents):
                newest = newer(newest, answer.of(entity_id))
                if latest is None or answer.stamp > latest:
                    latest, held = answer.stamp, entity_id in answer.holes
        return newest, held

    def newest(self, day: str, level: Level, entity_id: str, parents: Parents) -> Stamp | None:
        """The newest complete pull of an entity and day, also when its row was quarantined."""
        slices = self.days.get(day, {})
        return max((a.stamp for s, a in slices.items() if contains(s, level, entity_id, parents)), default=None)

    def holds(self, stamp: Stamp) -> bool:
        """Whether this pull is among the answers, or being written."""
        return self.loading == str(stamp) or any(a.stamp == stamp for s in self.days.values() for a in s.values())

    def merged(
        self, stamp: Stamp, slice_: str, days: Iterable[str], holes: Callable[[str], frozenset[str]]
    ) -> Coverage:
        """The coverage after a complete pull; equal to this one when newer pulls answer for everything already."""
        result = dict(self.days)
        for day in days:
            slices = dict(result.get(day, {}))
            slices[slice_] = _merge(slices.get(slice_), stamp, holes(day))
            result[day] = _compacted(slices)
        return replace(self, days=result, not_applicable=_unanswered(self.not_applicable, result))

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
        if skipped:
            item["na"] = {"M": skipped}
        if holes:
            item["holes"] = {"M": holes}
        if self.loading:
            item["loading"] = {"S": self.loading}
        return item

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
                for number in _numbers(text["S"]):
                    day = f"{month}-{number:02d}"
                    named = holes.get(day, {"M": {}})["M"].get(slice_, {"M": {}})["M"]
                    was = {e: Stamp.parse(value["S"]) if value["S"] else None for e, value in named.items()}
                    days.setdefault(day, {})[slice_] = SliceAnswer(Stamp.parse(stamp), was)
        skipped = {
            slice_: frozenset(f"{month}-{number:02d}" for number in _numbers(text["S"]))
            for slice_, text in item.get("na", {"M": {}})["M"].items()
        }
        return cls(days, item.get("loading", {"S": ""})["S"], int(item["fence"]["N"]), skipped)

    @property
    def size(self) -> int:
        """The approximate size of the item in bytes."""
        spans = {(slice_, a.stamp) for slices in self.days.values() for slice_, a in slices.items()}
        holes = [e for slices in self.days.values() for a in slices.values() for e in a.holes]
        return sum(len(slice_) + 120 for slice_, _ in spans) + sum(len(e.encode()) + 60 for e in holes)


def _unanswered(
    skipped: Mapping[str, frozenset[str]], days: Mapping[str, Mapping[str, SliceAnswer]]
) -> dict[str, frozenset[str]]:
    left = {
        slice_: frozenset(day for day in marked if not {slice_, ALL} & days.get(day, {}).keys())
        for slice_, marked in skipped.items()
    }
    return {slice_: marked for slice_, marked in left.items() if marked}


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
    filled = {
        entity: was if entity in holes or (was is not None and was >= stamp) else stamp
        for entity, was in known.holes.items()
    }
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
