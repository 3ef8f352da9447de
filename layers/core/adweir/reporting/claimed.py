"""The rows of an ad account that belong to cross-platform campaigns and arms, each once.

An object that is bound is asked for at its own level, as anybody asks for it alone. Where the answer is finer, the rows
of that level come instead, and what they leave of it. Where an arm has a part of what its campaign has, the campaign
has what is left. So the sum is that of the outermost objects that are bound, whatever the dimensions are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from adweir.model import limits
from adweir.model.campaigns import Claim
from adweir.model.datasets import Dataset
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.metrics import Level, Mark, Slot, Source, plus
from adweir.reporting.bound_to import ARM, CROSS_CAMPAIGN
from adweir.reporting.changes import answering_levels
from adweir.reporting.dimensions import RowValues
from adweir.reporting.levels import FINENESS
from adweir.reporting.reading import DayCoverage, ProfileQuestion, ProfileReader, ReadRow
from adweir.reporting.totals import LIVE, NOTHING, UNATTRIBUTED, minus
from adweir.store.metrics.store import Adjustment, Only, StoredRow

_REST = frozenset({UNATTRIBUTED})
_LIVE = frozenset({LIVE})
_DEPTH = {Level.ACCOUNT: 2, Level.CAMPAIGN: 3, Level.AD_GROUP: 4, Level.AD: 5}
"""How many ids lead to an object of a level."""
_SPLIT = frozenset((dataset.level, dataset.breakdown) for dataset in Dataset if dataset.breakdown)
_PLURALS = {Level.CAMPAIGN: "campaigns", Level.AD_GROUP: "ad groups", Level.AD: "ads"}
_Path = tuple[str, ...]
_Key = tuple[Hashable, int, str]
"""What the answer shows of a day, the hour, the currency."""
ReaderOf = Callable[[ProfileQuestion], ProfileReader]


@dataclass(slots=True, eq=False)
class _Node:
    """A bound object, or one that lies in a bound object and contains another. `parent`: the next one around it.

    `measured`: its own numbers; `shown`: those of finer rows that come for it. `days`: a day of each key, and whether
    hours answered for it.
    """

    claim: Claim
    parent: _Node | None = None
    children: list[_Node] = field(default_factory=list)
    measured: dict[_Key, Slot] = field(default_factory=dict)
    shown: dict[_Key, Slot] = field(default_factory=dict)
    days: dict[_Key, tuple[str, bool]] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        return self.claim.binding.level

    @property
    def root(self) -> _Node:
        return self if self.parent is None else self.parent.root

    @property
    def ids(self) -> _Path:
        return self.claim.binding.own_ids

    def rests(self) -> Iterator[tuple[_Key, Slot]]:
        """What is left of its own numbers without what comes for it and for the objects in it."""
        parts = dict(self.shown)
        for child in self.children:
            for key, slot in child.measured.items():
                parts[key] = plus(parts[key], slot) if key in parts else slot
                self.days.setdefault(key, child.days[key])
        for key in sorted(self.measured.keys() | parts.keys(), key=repr):
            rest = minus(self.measured.get(key, NOTHING), parts.get(key, NOTHING))
            taken = parts.get(key, NOTHING)
            untold = any(known for left, known in zip(rest, taken, strict=True) if left is None)
            if any(rest) or untold:  # its number is unknown, and a part has some
                yield key, rest


class _Nodes:
    """Bound objects of an ad account, by level and ids.

    `shown` are the dimensions that tell them apart: objects of the same values lie in the outermost of them. `between`:
    a level of which those are added that lie in one and contain another.
    """

    def __init__(self, claims: Iterable[Claim], shown: Collection[str], between: Level | None) -> None:
        kept: dict[_Path, Claim] = {}
        for claim in sorted(claims, key=_outermost_first):
            path = claim.binding.path
            around = _around(path, kept)
            if path not in kept and (around is None or _is_apart(claim, kept[around], shown)):
                kept[path] = claim
        if between is not None:
            kept |= _objects_between(kept, between)
        nodes = {path: _Node(claim) for path, claim in kept.items()}
        for path, node in nodes.items():
            around = _around(path, nodes)
            if around is not None:
                node.parent = nodes[around]
                node.parent.children.append(node)
        self.all = [nodes[path] for path in sorted(nodes)]
        self._known = {(node.level, *node.ids): node for node in self.all}

    def of(self, values: RowValues, level: Level) -> _Node | None:
        """The object of this level that a row belongs to."""
        campaign, group = values.campaign_id() or "", values.ad_group_id() or ""
        if level is Level.AD:
            return self._known.get((level, group, values.own_id() or "")) if values.read.level is Level.AD else None
        ids = {Level.CAMPAIGN: (campaign,), Level.AD_GROUP: (group,)}.get(level, ())
        return self._known.get((level, *ids))

    def nearest(self, values: RowValues, level: Level) -> _Node | None:
        """The finest object, down to this level, that a row belongs to."""
        coarser = FINENESS if level is Level.KEYWORD else FINENESS[: FINENESS.index(level) + 1]
        found = (self.of(values, each) for each in reversed(coarser))
        return next((node for node in found if node is not None), None)


@dataclass(frozen=True, slots=True)
class _LevelPass:
    """A reading of one level. `pick`: the object that a row counts for, None for a row that belongs to none.

    `is_own`: it reads objects of this level, else what is finer than those that have to be shown by it.
    """

    reader: ProfileReader
    pick: Callable[[RowValues], _Node | None]
    is_own: bool = True


class ClaimedReader:
    """Reads what belongs to some claims of an ad account. Read `rows` to the end, then ask for the rest.

    `question` says at which level rows have to be shown. `shown`: the dimensions of campaigns and arms. `tell`: also
    tell what finer rows leave of an object; else such rows come alone. `keep`: whether a row is in the range.
    """

    def __init__(
        self,
        claims: Sequence[Claim],
        question: ProfileQuestion,
        reader: ReaderOf,
        *,
        shown: Collection[str],
        tell: bool,
        keep: Callable[[ReadRow], bool] = lambda _: True,
    ) -> None:
        self._question = replace(question, rest=False, only=None)
        self._reader = reader
        self._tell = tell
        self._keep = keep
        between = question.level if tell and question.level in {Level.CAMPAIGN, Level.AD_GROUP} else None
        self._nodes = _Nodes(claims, shown, between)
        self._passes = list(self._measuring() if tell else self._finest())
        self._sums = 0

    def rows(self) -> Iterator[ReadRow]:
        """The rows, each with its claim. Raises TooLarge, Unavailable."""
        values = RowValues(self._question.breakdown)
        for one in self._passes:
            for read in one.reader.rows():
                values.show(read)
                node = one.pick(values) if self._keep(read) else None
                if node is None:
                    continue
                if self._tell and read.row.mark is not Mark.OVERRIDDEN:
                    self._note(one, node, read)
                if self._is_shown(one, node):
                    yield read._replace(claim=node.claim)
        for node in self._nodes.all if self._tell else ():
            if node.children or self._is_coarse(node):
                yield from self._rests(node)

    def coverage(self) -> dict[date, DayCoverage]:
        """What the answer of each day rests on, at all levels that were read."""
        found: dict[date, DayCoverage] = {}
        for one in self._passes:
            for day, known in one.reader.coverage().items():
                found[day] = _both(found[day], known) if day in found else known
        return found

    def adjustments(self) -> Iterator[tuple[Level, Adjustment]]:
        """How the rows that were yielded differ from what was sent. Raises Unavailable."""
        values = RowValues(self._question.breakdown)
        for one in self._passes:
            for level, each in one.reader.adjustments():
                ids = (each.entity_id, each.campaign_id, each.ad_group_id, each.ad_product)
                stored = StoredRow(*ids, "", each.day, -1, NOTHING, Source.PULL, None)
                values.show(ReadRow(stored, level, frozenset()))
                node = one.pick(values)
                if node is not None and self._is_shown(one, node):
                    yield level, each

    def _measuring(self) -> Iterator[_LevelPass]:
        """Each object at its own level; then what is finer than those that are not shown themselves."""
        for level in FINENESS:
            own = [node for node in self._nodes.all if node.level is level]
            if own:
                reader = self._read(level, _only(own, level))
                yield _LevelPass(reader, lambda values, level=level: self._nodes.of(values, level))  # type: ignore[misc]
        coarse = [node for node in self._nodes.all if self._is_coarse(node)]
        if coarse:
            level = self._question.level

            def pick(values: RowValues) -> _Node | None:
                node = self._nodes.nearest(values, level)
                return node if node is not None and self._is_coarse(node) else None

            yield _LevelPass(self._read(level, _around_all(coarse)), pick, is_own=False)

    def _finest(self) -> Iterator[_LevelPass]:
        """Rows that are fine enough for all objects in an outermost one, without what they leave of it."""
        by_level: dict[Level, list[_Node]] = {}
        for root in (node for node in self._nodes.all if node.parent is None):
            finest = max((node.level for node in self._nodes.all if node.root is root), key=FINENESS.index)
            level = self._question.level
            if level is Level.KEYWORD and finest is Level.AD:
                raise Unprocessable("keywords are no part of ads, and the campaign or arm is bound to ads")
            level = _finer(finest, level)
            split = self._question.breakdown
            if split and level is not self._question.level and (level, split) not in _SPLIT:
                message = f"the campaign or arm is bound to {_PLURALS[level]}, of which no dataset has {split}"
                raise Unprocessable(message, [{"field": "dimensions", "message": message}])
            by_level.setdefault(level, []).append(root)
        for level, roots in by_level.items():

            def pick(values: RowValues, level: Level = level, roots: list[_Node] = roots) -> _Node | None:
                node = self._nodes.nearest(values, level)
                return node if node is not None and node.root in roots else None

            yield _LevelPass(self._read(level, _around_all(roots)), pick, is_own=False)

    def _read(self, level: Level, only: Only | None) -> ProfileReader:
        return self._reader(replace(self._question, level=level, only=only))

    def _is_coarse(self, node: _Node) -> bool:
        """Whether finer rows have to come in its place."""
        return self._tell and _DEPTH[node.level] < _DEPTH[self._question.level]

    def _is_shown(self, one: _LevelPass, node: _Node) -> bool:
        return not one.is_own or not (node.children or self._is_coarse(node))

    def _note(self, one: _LevelPass, node: _Node, read: ReadRow) -> None:
        """Add a row to the sums that rests are told from."""
        if one.is_own and node.parent is None and self._is_shown(one, node):
            return
        row, fold = read.row, self._question.fold
        day, currency = row.day if fold is None else fold(row.day), row.currency or one.reader.profile.currency
        key = day, row.hour, currency
        sums = node.measured if one.is_own else node.shown
        if key in sums:
            sums[key] = plus(sums[key], row.slot)
            return
        self._sums += 1
        if self._sums > limits.MAX_CLAIMED_SUMS:
            raise TooLarge(f"more than {limits.MAX_CLAIMED_SUMS:,} bound objects and days: ask for less at once")
        sums[key] = row.slot
        node.days.setdefault(key, (row.day, LIVE in read.marks))

    def _rests(self, node: _Node) -> Iterator[ReadRow]:
        own = node.claim.binding
        for key, rest in node.rests():
            (day, live), (_, hour, currency) = node.days[key], key
            ids = ("", own.campaign_id, own.ad_group_id, "")
            row = StoredRow(*ids, currency, day, hour, rest, Source.PULL, None)
            yield ReadRow(row, node.level, _REST | _LIVE if live else _REST, node.claim)


class ClaimedChanges:
    """Which stored rows, of which levels, can show in what belongs to some claims of an ad account.

    `finest`: the level that is asked; `sums_to_parent` as of `reporting.changes.answering_levels`.
    """

    def __init__(self, claims: Iterable[Claim], finest: Level, sums_to_parent: Mapping[Level, bool]) -> None:
        self._nodes = _Nodes(claims, (), None)
        self._of_node = {node: answering_levels(_finer(node.level, finest), sums_to_parent) for node in self._nodes.all}

    @property
    def levels(self) -> list[Level]:
        """Those whose changes can show."""
        return list(dict.fromkeys(level for levels in self._of_node.values() for level in levels))

    def has(self, values: RowValues, level: Level) -> bool:
        """Whether a row of a level is one of them."""
        node = self._nodes.nearest(values, level)
        return node is not None and level in self._of_node[node]


def _finer(one: Level, other: Level) -> Level:
    """The finer of two levels; keywords are finer than all."""
    return other if other is Level.KEYWORD else max(one, other, key=FINENESS.index)


def _outermost_first(claim: Claim) -> tuple[int, bool, bool]:
    """Of claims to the same object an arm's comes before its campaign's, and that before nobody's."""
    return len(claim.binding.path), not claim.arm_id, not claim.campaign_id


def _around(path: _Path, known: Collection[_Path]) -> _Path | None:
    """The next of some objects that an object lies in."""
    return next((path[:length] for length in range(len(path) - 1, 1, -1) if path[:length] in known), None)


def _is_apart(claim: Claim, around: Claim, shown: Collection[str]) -> bool:
    """Whether an object is another's than the one around it. What lies in one of its campaign's arms is the arm's."""
    if claim.campaign_id == around.campaign_id and not claim.arm_id:
        return False
    return _values(claim, shown) != _values(around, shown)


def _values(claim: Claim, shown: Collection[str]) -> tuple[str, str]:
    arm_id = claim.arm_id if ARM in shown else ""
    return (claim.campaign_id if {ARM, CROSS_CAMPAIGN} & set(shown) else "", arm_id)


def _objects_between(kept: Mapping[_Path, Claim], level: Level) -> dict[_Path, Claim]:
    """The objects of a level that lie in one of these and contain another; they are the former's."""
    found: dict[_Path, Claim] = {}
    depth = _DEPTH[level]
    for path, claim in kept.items():
        cut = path[:depth]
        around = _around(cut, kept)
        if len(path) > depth and all(cut) and cut not in kept and around is not None:
            finer = {"ad_id": ""} if level is Level.AD_GROUP else {"ad_id": "", "ad_group_id": ""}
            found[cut] = kept[around]._replace(binding=claim.binding.model_copy(update=finer))
    return found


def _only(nodes: Iterable[_Node], level: Level) -> Only | None:
    """The entities of objects of one level."""
    ids = frozenset(node.ids[-1] for node in nodes if node.ids)
    known = {Level.CAMPAIGN: Only(campaigns=ids), Level.AD_GROUP: Only(groups=ids), Level.AD: Only(own=ids)}
    return known.get(level)


def _around_all(nodes: Sequence[_Node]) -> Only | None:
    """The entities of some objects, and of what lies in them."""
    levels = {node.level for node in nodes}
    if len(levels) == 1:
        return _only(nodes, levels.pop())
    if Level.ACCOUNT in levels:
        return None
    return Only(campaigns=frozenset(node.claim.binding.campaign_id for node in nodes))


def _both(one: DayCoverage, other: DayCoverage) -> DayCoverage:
    """What a day rests on that two levels answer for."""
    known = [each.pulled_at for each in (one, other) if each.pulled_at]
    missing = tuple(dict.fromkeys((*one.missing, *other.missing)))
    both = one.settled and other.settled, one.live or other.live, one.whole and other.whole
    return DayCoverage(min(known, default=None), missing, *both)
