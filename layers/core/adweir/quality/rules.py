"""The rules for metric rows, and the loop that applies them: clean → check → duplicates → store or quarantine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from operator import eq, gt
from typing import Any, NamedTuple, cast

from adweir.model import limits
from adweir.model.columns import MetricColumns
from adweir.model.metrics import METRICS, SERIES_LEVELS, BadRow, Grain, MetricRow, Slot
from adweir.model.money import MICRO
from adweir.model.tasks import Pull
from adweir.model.times import SLOT_HOURS
from adweir.quality.clean import CleaningLog, clean, tidy
from adweir.quality.quarantine import Quarantine
from adweir.quality.row_rules import AT_MOST, CLICKS, CONVERSIONS, CURRENCY, SPEND, AtMost, Rule
from adweir.store.metrics.adjusting import RowIds
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import can_be_key

ID = Rule("id", "completeness", "error", "entity_id", "is missing or cannot be stored as a key")
PARENT = Rule("parent", "validity", "error", "", "is longer than any id")
DAY = Rule("day", "validity", "error", "date", "is not in the pull's window")
HOUR = Rule("hour", "validity", "error", "hour", "does not fit the grain")
NEGATIVE = Rule("negative", "validity", "error", "", "must not be negative")
BOUND = Rule("bound", "validity", "error", "", "is larger than any real figure")
CONFLICT = Rule("conflict", "uniqueness", "error", "entity_id", "came before with other numbers")
READABLE = Rule("readable", "validity", "error", "", "cannot be read")

RULES = (READABLE, ID, PARENT, DAY, HOUR, NEGATIVE, BOUND, CURRENCY, CLICKS, CONVERSIONS, SPEND, CONFLICT)


class SlotAtMost(NamedTuple):
    """An `AtMost` of loaded rows: the places of its numbers in a slot, and how each is seen to compare them.

    It is told of one row or of columns, by the same comparison. What is unknown is not compared.
    """

    rule: Rule
    number: int
    most: int
    number_as: Callable[[int], int] | None = None
    most_as: Callable[[int], int] | None = None

    @classmethod
    def of(cls, said: AtMost) -> SlotAtMost:
        """A number in millionths is compared with as many millionths of a count."""
        if said.is_any:
            number_as, most_as = bool, None
        else:
            number_as, most_as = None, MICRO.__mul__ if said.number in METRICS[2:] else None
        return cls(said.rule, METRICS.index(said.number), METRICS.index(said.most), number_as, most_as)

    def breaks(self, slot: Slot) -> bool:
        """Whether the numbers of a row break it."""
        number, most = slot[self.number], slot[self.most]
        return number is not None and most is not None and self._larger((number,), (most,))

    def holds(self, columns: MetricColumns, ends: Sequence[tuple[int, int] | None]) -> bool:
        """Whether no row of these columns breaks it, but for rows with a negative number.

        `ends` are each column's least and greatest number, None where all are unknown.
        """
        number, most = ends[self.number], ends[self.most]
        if not number or not most or not self._larger(number[1:], most[:1]):
            return True
        pair: Iterable[Any] = (columns.figures[self.number], columns.figures[self.most])
        if columns.unknown:
            pair = zip(*(both for both in zip(*pair, strict=True) if None not in both), strict=True)
        return not self._larger(*(tuple(pair) or ((), ())))

    def _larger(self, numbers: Iterable[int], most: Iterable[int]) -> bool:
        """Whether any number is larger than the one beside it."""
        left = map(self.number_as, numbers) if self.number_as else numbers
        return any(map(gt, left, map(self.most_as, most) if self.most_as else most))


_PARENTS = ("campaign_id", "ad_group_id", "ad_product")
WARNINGS = tuple(map(SlotAtMost.of, AT_MOST))


def _broken_by(number: int) -> Rule | None:
    """The error rule that a number breaks. One that the least and the greatest of a column keep, all of it keeps."""
    if number < 0:
        return NEGATIVE
    return BOUND if number >> limits.MAX_FIGURE_BITS else None


def _broken_by_signed(number: int) -> Rule | None:
    """The same of numbers that may be negative."""
    return _broken_by(abs(number))


def _is_id(entity_id: str) -> bool:
    return can_be_key(entity_id) and not entity_id.startswith("~") and not entity_id.endswith("~")


def _is_short(text: str) -> bool:
    """Whether it can be a parent's id: with an absurd one, no item could hold the row."""
    return len(text) <= limits.MAX_OBJECT_ID_CHARS


REFUSING = frozenset(rule.name for rule in RULES if rule.severity == "error")
"""The rules of which a row that breaks one is not stored."""
REPEATED, NULL = "repeated", "null"
"""What is counted beside the rules: rows that repeat another one, and numbers that other rows of their load have."""


class Tally:
    """Counts of one load, from which the score is made. `by_day` has the failures of each day (ISO)."""

    def __init__(self) -> None:
        self.read = 0
        self.readable = 0
        """Of the rows that were read, those with numbers that can be; some may be refused all the same."""
        self.stored = 0
        self.failures: Counter[tuple[str, str]] = Counter()
        """(rule, field) → rows."""
        self.lines: dict[tuple[str, str], list[int]] = {}
        """(rule, field) → the first of their lines."""
        self.nulls: Counter[str] = Counter()
        """Metric → rows that could be read and do not have it."""
        self.by_day: dict[str, Counter[tuple[str, str]]] = {}
        self.left_out: Counter[str] = Counter()
        """Day → rows that were refused."""
        self.repeats: Counter[str] = Counter()
        """Day → rows that are there already."""

    def failed(self, rule: Rule, field: str = "", line: int = 0, day: str = "") -> None:
        """Count a row of a day that broke a rule."""
        broken = rule.name, field or rule.field
        self.failures[broken] += 1
        self.by_day.setdefault(day, Counter())[broken] += 1
        if self.failures[broken] <= limits.MAX_LINES_NAMED:
            self.lines.setdefault(broken, []).append(line)

    @property
    def duplicates(self) -> int:
        """Rows that are there already."""
        return self.repeats.total()

    @property
    def sparse(self) -> dict[str, int]:
        """The metrics that some rows of the load have and others do not → how many do not.

        One that no row has is not reported by the source: that is no fault of a row.
        """
        return {name: count for name, count in self.nulls.items() if 0 < count < self.readable}

    @property
    def absent(self) -> list[str]:
        """The metrics that no row of the load has."""
        return [name for name, count in self.nulls.items() if count and count == self.readable]


class RowLoop:
    """Takes the batches of one pull; call `finish` after the last one.

    `days` are the ISO days that the pull answers for. A row that breaks an error rule goes to quarantine. If its key
    can be read, its slot keeps what is stored; if not, the pull counts as incomplete.
    """

    def __init__(self, pull: Pull, days: Collection[str], rows: PullRows, quarantine: Quarantine) -> None:
        self.tally = Tally()
        self.cleaning = CleaningLog()
        self.rejected = 0
        self._broken_by = _broken_by_signed if pull.level in SERIES_LEVELS else _broken_by
        self._currency = pull.currency.strip().upper()
        self._days = frozenset(days)
        self._hours = frozenset(SLOT_HOURS) if pull.grain is Grain.HOUR else frozenset((-1,))
        self._rows = rows
        self._quarantine = quarantine
        self._unanswered: set[tuple[str, str]] = set()

    def take(self, rows: Sequence[MetricRow], bad: Sequence[BadRow], page: int = 0) -> None:
        """Take one batch: by column, unless a row is suspect; then one by one, and each suspect one by all rules."""
        columns = MetricColumns.of(rows)
        if columns.unknown:
            for name, figures in zip(METRICS, columns.figures, strict=True):
                self.tally.nulls[name] += figures.count(None)
        suspects, numbers = self._suspects(columns), self._rows.numbers(columns.entity_id)
        if not rows:
            pass
        elif suspects or not self._known(columns, numbers):
            self._take_rows(list(rows), suspects, page)
        else:
            self._take_columns(columns, numbers, page)
        self.tally.read += len(rows) + len(bad)
        self.tally.readable += len(rows)
        for entry in bad:
            self._hold_back(entry, page)

    def _suspects(self, columns: MetricColumns) -> set[int]:
        """The places of the rows whose numbers, day or hour may break a rule."""
        found: set[int] = set()
        ends: list[tuple[int, int] | None] = []
        for numbers in columns.figures:
            known = cast("Sequence[int]", numbers)
            if columns.unknown:
                known = [number for number in numbers if number is not None]
            ends.append((min(known), max(known)) if known else None)
            if any(map(self._broken_by, ends[-1] or ())):
                found.update(i for i, number in enumerate(numbers) if number is not None and self._broken_by(number))
        for warning in WARNINGS:
            if not warning.holds(columns, ends):
                slots = cast("Iterable[Slot]", zip(*columns.figures, strict=True))
                found.update(i for i, slot in enumerate(slots) if warning.breaks(slot))
        for values, allowed in ((columns.day, self._days), (columns.hour, self._hours)):
            if not allowed.issuperset(values):
                found.update(i for i, value in enumerate(values) if value not in allowed)
        return found

    def _known(self, columns: MetricColumns, numbers: Sequence[int | None]) -> bool:
        """Whether all rows are in the pull's currency, and of entities known with their campaigns or new and tidy."""
        if set(columns.currency) != {self._currency}:
            return False
        if None not in numbers:
            campaigns = self._rows.campaigns(cast("Sequence[int]", numbers))
            if all(map(eq, campaigns, columns.campaign_id)):
                return True
        new = {entity for entity, number in zip(columns.entity_id, numbers, strict=True) if number is None}
        parents = set().union(*(getattr(columns, name) for name in _PARENTS))
        return tidy(columns) and all(map(_is_id, new)) and all(map(_is_short, parents))

    def _take_columns(self, columns: MetricColumns, numbers: Sequence[int | None], page: int) -> None:
        left = frozenset(self._rows.take(columns, numbers))
        self.tally.stored += len(columns) - len(left)
        for place in sorted(left | columns.rounded.keys()):
            row = columns[place]
            if row.rounding is not None:
                self._rows.adjusting.clean(row.day, _ids(row), row.rounding)
            if place in left:
                self._offer(row, page)

    def _take_rows(self, rows: list[MetricRow], suspects: Collection[int], page: int) -> None:
        """An entity's id is examined when it is first seen; a later row passes if its id and campaign are the same."""
        campaign = self._rows.campaign
        for place, row in enumerate(rows):
            known = row.currency == self._currency and campaign(row.entity_id) == row.campaign_id
            if (place in suspects or not known) and not self._examine(row, page):
                continue
            if row.rounding is not None:
                self._rows.adjusting.clean(row.day, _ids(row), row.rounding)
            self._offer(row, page)

    def _offer(self, row: MetricRow, page: int) -> None:
        taken = self._rows.offer(row)
        if taken:
            self.tally.stored += 1
        elif taken is None:
            self.tally.repeats[row.day] += 1  # of a day that the pull answers for: its like is stored
            self._rows.adjusting.repeat(row.day, _ids(row), row.slot)
        else:
            self._reject(row, [(CONFLICT, "")], page)

    def finish(self) -> None:
        """Record the entity-days that were brought but have no row that can be stored."""
        for entity_id, day in sorted(self._unanswered):
            if -1 not in self._hours or not self._rows.has(entity_id, day):
                self._rows.quarantined(entity_id, day)

    def _examine(self, row: MetricRow, page: int) -> bool:
        """Clean a suspect row and apply each rule; False when it went to quarantine."""
        clean(row, self._currency, self.cleaning)
        if not self._currency:
            self._currency = row.currency
        broken = self._errors(row)
        if broken:
            self._reject(row, broken, page)
            return False
        for warning in WARNINGS:
            if warning.breaks(row.slot):
                self.tally.failed(warning.rule, line=row.line, day=self._day(row.day))
        return True

    def _errors(self, row: MetricRow) -> list[tuple[Rule, str]]:
        broken: list[tuple[Rule, str]] = []
        if not _is_id(row.entity_id):
            broken.append((ID, ""))
        broken += [(PARENT, name) for name in _PARENTS if not _is_short(getattr(row, name))]
        if row.day not in self._days:
            broken.append((DAY, ""))
        if row.hour not in self._hours:
            broken.append((HOUR, ""))
        for field, number in zip(METRICS, row.slot, strict=True):
            rule = None if number is None else self._broken_by(number)
            if rule:
                broken.append((rule, field))
        if row.currency != self._currency:
            broken.append((CURRENCY, ""))
        return broken

    def _reject(self, row: MetricRow, broken: list[tuple[Rule, str]], page: int) -> None:
        errors: list[dict[str, Any]] = []
        for rule, field in broken:
            self.tally.failed(rule, field, row.line, self._day(row.day))
            name = field or rule.field
            errors.append({"field": name, "rule": rule.name, "message": f"{name} {rule.message}".strip()})
        known = ID not in {rule for rule, _ in broken}
        source = {name: getattr(row, name) for name in row.__struct_fields__ if name != "line"}
        entity_id = row.entity_id if known else ""
        self.rejected += 1
        self.tally.left_out[self._day(row.day)] += 1
        self._quarantine.add(BadRow(row.line, source, errors, entity_id, row.day), page)
        if broken[0][0] is not CONFLICT:  # the first row of a conflict is stored, so its slot has an answer
            self._note(entity_id, row.day)
            if known and row.day in self._days and row.rounding is not None:
                self._rows.adjusting.clean(row.day, _ids(row), row.rounding)
        if known and row.day in self._days:
            self._rows.adjusting.quarantine(row.day, _ids(row), row.slot)

    def _hold_back(self, bad: BadRow, page: int) -> None:
        day = self._day(bad.day)
        self.tally.failed(READABLE, str(bad.errors[0].get("field", "")) if bad.errors else "", bad.line, day)
        self.rejected += 1
        self.tally.left_out[day] += 1
        self._quarantine.add(bad, page)
        self._note(bad.entity_id, bad.day)
        if bad.entity_id and bad.day in self._days:
            ids = (bad.entity_id, bad.campaign_id, bad.ad_group_id, "", self._currency)
            self._rows.adjusting.quarantine(bad.day, ids, bad.slot)

    def _day(self, day: str) -> str:
        """The day of a row; "" of one that the pull does not answer for."""
        return day if day in self._days else ""

    def _note(self, entity_id: str, day: str) -> None:
        if not day or not can_be_key(entity_id):
            self._rows.incomplete = True
        elif day in self._days:
            self._unanswered.add((entity_id, day))


def _ids(row: MetricRow) -> RowIds:
    """Those of an item: absurd ones are left out."""
    parents = (row.campaign_id, row.ad_group_id, row.ad_product)
    campaign_id, ad_group_id, ad_product = (text if _is_short(text) else "" for text in parents)
    return row.entity_id, campaign_id, ad_group_id, ad_product, row.currency
