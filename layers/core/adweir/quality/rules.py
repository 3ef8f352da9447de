"""The rules for metric rows, and the loop that applies them: clean → check → duplicates → store or quarantine.

`clicks_over_impressions` and `conversions_over_clicks` only warn: a platform counts a click on the day it happened,
although the impression may have been the day before, and view-through conversions need no click. Holding such rows back
would understate the results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.metrics import BadRow, Grain, MetricRow
from adweir.model.money import MICRO
from adweir.model.tasks import Pull
from adweir.model.times import SLOT_HOURS
from adweir.quality.clean import CleaningLog, clean
from adweir.quality.quarantine import Quarantine
from adweir.store.metrics.adjusting import RowIds
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import can_be_key


class Rule(NamedTuple):
    """A row rule. Rows that break an `error` are quarantined, those that break a `warn` are stored and counted."""

    name: str
    dimension: str
    severity: str
    field: str
    message: str


ID = Rule("id", "completeness", "error", "entity_id", "the entity's id is missing or cannot be stored as a key")
DAY = Rule("day", "validity", "error", "date", "the day is not in the pull's window")
HOUR = Rule("hour", "validity", "error", "hour", "the hour does not fit the grain")
NEGATIVE = Rule("negative", "validity", "error", "", "must not be negative")
BOUND = Rule("bound", "validity", "error", "", "is larger than any real figure")
CURRENCY = Rule("currency", "consistency", "error", "currency", "is not the profile's currency")
CLICKS = Rule("clicks_over_impressions", "consistency", "warn", "clicks", "more clicks than impressions")
CONVERSIONS = Rule("conversions_over_clicks", "consistency", "warn", "conversions", "more conversions than clicks")
SPEND = Rule("spend_without_impressions", "consistency", "warn", "spend", "spend without impressions")
CONFLICT = Rule("conflict", "uniqueness", "error", "entity_id", "a second row of this key with other numbers")
READABLE = Rule("readable", "validity", "error", "", "the row cannot be read")

RULES = (READABLE, ID, DAY, HOUR, NEGATIVE, BOUND, CURRENCY, CLICKS, CONVERSIONS, SPEND, CONFLICT)

_METRICS = ("impressions", "clicks", "conversions", "spend", "revenue")


class Tally:
    """Counts of one load, from which the score is made."""

    def __init__(self) -> None:
        self.read = 0
        self.stored = 0
        self.duplicates = 0
        self.failures: Counter[tuple[str, str]] = Counter()
        """(rule, field) → rows."""

    def failed(self, rule: Rule, field: str = "") -> None:
        self.failures[rule.name, field or rule.field] += 1


class RowLoop:
    """Takes the batches of one pull; call `finish` after the last one.

    `days` are the ISO days that the pull answers for. A row that breaks an error rule goes to quarantine. If its key
    can be read, its slot keeps what is stored; if not, the pull counts as incomplete.
    """

    def __init__(self, pull: Pull, days: Collection[str], rows: PullRows, quarantine: Quarantine) -> None:
        self.tally = Tally()
        self.cleaning = CleaningLog()
        self.rejected = 0
        self._currency = pull.currency.strip().upper()
        self._days = frozenset(days)
        self._hours = frozenset(SLOT_HOURS) if pull.grain is Grain.HOUR else frozenset((-1,))
        self._rows = rows
        self._quarantine = quarantine
        self._campaigns: dict[str, str] = {}
        self._unanswered: set[tuple[str, str]] = set()

    def take(self, rows: Sequence[MetricRow], bad: Sequence[BadRow], page: int = 0) -> None:
        """Take one batch. One expression tests each row; only a suspect row is examined rule by rule.

        An entity's id is examined when it is first seen; a later row passes if its id and campaign are the same.
        """
        days, hours, currency, campaigns = self._days, self._hours, self._currency, self._campaigns
        offer, repeat = self._rows.offer, self._rows.adjusting.repeat
        stored = duplicates = 0
        bits = limits.MAX_FIGURE_BITS
        for row in rows:
            impressions, clicks, spend = row.impressions or 0, row.clicks or 0, row.spend or 0
            conversions = row.conversions or 0
            if (
                (impressions | clicks | conversions | spend | (row.revenue or 0)) >> bits
                or clicks > impressions
                or conversions > clicks * MICRO
                or (spend and not impressions)
                or row.day not in days
                or row.hour not in hours
                or row.currency != currency
                or campaigns.get(row.entity_id) != row.campaign_id
            ):
                if not self._examine(row, page):
                    continue
                currency = self._currency
            if row.rounding is not None:
                self._rows.adjusting.clean(row.day, _ids(row), row.rounding)
            taken = offer(row)
            if taken:
                stored += 1
            elif taken is None:
                duplicates += 1
                repeat(row.day, _ids(row), row.slot)
            else:
                self._reject(row, [(CONFLICT, "")], page)
        self.tally.read += len(rows) + len(bad)
        self.tally.stored += stored
        self.tally.duplicates += duplicates
        for entry in bad:
            self._hold_back(entry, page)

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
        for rule in self._warnings(row):
            self.tally.failed(rule)
        self._campaigns[row.entity_id] = row.campaign_id
        return True

    def _errors(self, row: MetricRow) -> list[tuple[Rule, str]]:
        broken: list[tuple[Rule, str]] = []
        if not can_be_key(row.entity_id) or row.entity_id.startswith("~") or row.entity_id.endswith("~"):
            broken.append((ID, ""))
        if row.day not in self._days:
            broken.append((DAY, ""))
        if row.hour not in self._hours:
            broken.append((HOUR, ""))
        for field in _METRICS:
            value = getattr(row, field)
            if value is None:
                continue
            if value < 0:
                broken.append((NEGATIVE, field))
            elif value >> limits.MAX_FIGURE_BITS:
                broken.append((BOUND, field))
        if row.currency != self._currency:
            broken.append((CURRENCY, ""))
        return broken

    @staticmethod
    def _warnings(row: MetricRow) -> list[Rule]:
        impressions, clicks, conversions, spend, _ = row.slot
        found = []
        if clicks is not None and impressions is not None and clicks > impressions:
            found.append(CLICKS)
        if conversions is not None and clicks is not None and conversions > clicks * MICRO:
            found.append(CONVERSIONS)
        if spend and impressions == 0:
            found.append(SPEND)
        return found

    def _reject(self, row: MetricRow, broken: list[tuple[Rule, str]], page: int) -> None:
        errors: list[dict[str, Any]] = []
        for rule, field in broken:
            self.tally.failed(rule, field)
            name = field or rule.field
            errors.append({"field": name, "rule": rule.name, "message": f"{name} {rule.message}".strip()})
        known = ID not in {rule for rule, _ in broken}
        source = {name: getattr(row, name) for name in row.__struct_fields__ if name != "line"}
        entity_id = row.entity_id if known else ""
        self.rejected += 1
        self._quarantine.add(BadRow(row.line, source, errors, entity_id, row.day), page)
        if broken[0][0] is not CONFLICT:  # the first row of a conflict is stored, so its slot has an answer
            self._note(entity_id, row.day)
            if known and row.day in self._days and row.rounding is not None:
                self._rows.adjusting.clean(row.day, _ids(row), row.rounding)
        if known and row.day in self._days:
            self._rows.adjusting.quarantine(row.day, _ids(row), row.slot)

    def _hold_back(self, bad: BadRow, page: int) -> None:
        self.tally.failed(READABLE, str(bad.errors[0].get("field", "")) if bad.errors else "")
        self.rejected += 1
        self._quarantine.add(bad, page)
        self._note(bad.entity_id, bad.day)
        if bad.entity_id and bad.day in self._days:
            ids = (bad.entity_id, bad.campaign_id, bad.ad_group_id, "", self._currency)
            self._rows.adjusting.quarantine(bad.day, ids, bad.slot)

    def _note(self, entity_id: str, day: str) -> None:
        if not day or not can_be_key(entity_id):
            self._rows.incomplete = True
        elif day in self._days:
            self._unanswered.add((entity_id, day))


def _ids(row: MetricRow) -> RowIds:
    return row.entity_id, row.campaign_id, row.ad_group_id, row.ad_product, row.currency
