"""One insights request over the world: which rows answer it (Marketing API, Insights)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.platforms.meta.breakdowns import Cell, cells
from sandbox.platforms.meta.errors import nonexisting_field
from sandbox.platforms.meta.filters import Condition
from sandbox.platforms.meta.insight_facts import Facts
from sandbox.platforms.meta.insight_question import LEVELS, InsightsQuestion
from sandbox.platforms.meta.insight_values import VALUES
from sandbox.platforms.meta.nodes import GraphNode
from sandbox.platforms.meta.statuses import delivery_info, effective_status, hidden_statuses
from sandbox.platforms.meta.vocabulary import NODE_TYPES
from sandbox.world import Reading, World, WorldProfile, WorldRow
from sandbox.world.numbers import add
from sandbox.world.world import NO_HOUR, Moment

_OBJECT_FIELDS = frozenset(
    ("id", "name", "status", "configured_status", "effective_status", "delivery_info", "delivery_status", "objective",
     "buying_type")
)  # fmt: skip
_IDS = {"campaign_id": "campaign", "adset_id": "adset", "ad_id": "ad"}
_NAMES = {"campaign_name": "campaign", "adset_name": "adset", "ad_name": "ad"}


def own_level(node: GraphNode) -> str:
    """The level of a node's insights. Raises Meta's error 100 for a node that has none."""
    if node.kind not in LEVELS:
        raise nonexisting_field("insights", NODE_TYPES[node.kind])
    return node.kind


class Insights:
    """The rows of one question. `node` narrows it to a campaign, an ad set or an ad; empty for the ad account."""

    def __init__(
        self, world: World, profile: WorldProfile, moment: Moment, node: str, question: InsightsQuestion
    ) -> None:
        """Raises Meta's error 100 for conditions on what insights cannot be filtered by."""
        self.world, self.profile, self.moment, self.node, self.question = world, profile, moment, node, question
        split = [(_as_object(condition), condition) for condition in question.conditions]
        self._on_objects = [found for found, _ in split if found is not None]
        self._on_rows = [condition for found, condition in split if found is None]
        for condition in self._on_rows:
            if condition.kind not in ("", *LEVELS) or condition.name not in (*VALUES, "action_type"):
                raise condition.unsupported()
        self._hidden = frozenset() if question.level == "account" else hidden_statuses(question.level, self._on_objects)

    @property
    def key(self) -> str:
        """Equal requests have equal keys."""
        return repr((self.node, self.question))

    def rows(self) -> list[dict[str, Any]]:
        """All rows, oldest period first, or as `sort` wants them."""
        found = [row for start, end in self.question.periods for row in self._period(start, end)]
        for name, descending in reversed(self.question.orders):
            found.sort(key=lambda pair: _order(pair[0], name), reverse=descending)
        return [row for _, row in found]

    def summary(self) -> dict[str, Any]:
        """The totals of the fields that `summary` names."""
        parts = [part for start, end in self.question.periods for _, part in self._delivered(start, end)]
        found: dict[str, Any] = {}
        if parts:
            facts = self._facts(parts, "account")
            values = {name: VALUES[name](facts) for name in self.question.summary if name in VALUES}
            found = {name: value for name, value in values.items() if value is not None}
        if "total_count" in self.question.summary:
            found["total_count"] = len(self.rows())
        return found

    def _period(self, start: date, end: date) -> Iterator[tuple[Facts, dict[str, Any]]]:
        sums: dict[tuple[str, int, Cell], list[WorldRow]] = {}
        for cell, row in self._delivered(start, end):
            sums.setdefault((self._entity(row), row.hour, cell), []).append(row)
        wanted = [(name, VALUES[name]) for name in self.question.fields if name in VALUES]
        for (_, hour, cell), parts in sums.items():
            facts = self._facts(parts, self.question.level)
            if not all(_row_passes(facts, condition) for condition in self._on_rows):
                continue
            answer = {name: found for name, value in wanted if (found := value(facts)) is not None}
            answer |= {"date_start": start.isoformat(), "date_stop": end.isoformat(), **dict(cell)}
            if self.question.hourly and hour != NO_HOUR:
                answer[self.question.breakdowns[0]] = f"{hour:02d}:00:00 - {hour:02d}:59:59"
            yield facts, answer

    def _facts(self, parts: Sequence[WorldRow], level: str) -> Facts:
        numbers = add([row.numbers for row in parts]) if len(parts) > 1 else parts[0].numbers
        question = self.question
        return Facts(self.profile, level, parts, numbers, question.windows, question.off_meta, question.hourly)

    def _entity(self, row: WorldRow) -> str:
        subject = {"campaign": row.campaign, "adset": row.group, "ad": row.ad}.get(self.question.level)
        return subject.id if subject else ""

    def _delivered(self, start: date, end: date) -> Iterator[tuple[Cell, WorldRow]]:
        """The parts of the answer before they are added: ad-days or ad-hours, cut into cells by a breakdown."""
        question = self.question
        reading = Reading(hourly=question.hourly, clock=question.clock)
        cut = bool(question.breakdowns) and not question.hourly
        if question.level == "ad":
            delivered = self.world.rows(self.profile, "ad", start, end, moment=self.moment, reading=reading)
        else:
            delivered = self.world.days(self.profile, start, end, moment=self.moment, reading=reading)
        if self.node or self._hidden or self._on_objects:
            delivered = filter(self._concerns, delivered)
        for row in delivered:
            if cut:
                yield from cells(self.profile, row, question.breakdowns)
            else:
                yield (), row

    def _concerns(self, row: WorldRow) -> bool:
        """Whether a row is of the asked node, not hidden, and passes the conditions on objects."""
        if self.node and self.node not in [part.id for part in (row.campaign, row.group, row.ad) if part]:
            return False
        if self._hidden and self._entity(row) != self.node and _status(row, self.question.level) in self._hidden:
            return False
        return all(_object_passes(row, condition) for condition in self._on_objects)


def _as_object(condition: Condition) -> Condition | None:
    """The condition, if it is on a campaign, an ad set or an ad and not on the numbers of a row."""
    kind, name = condition.kind, condition.name
    if not kind and name in _IDS:
        kind, name = _IDS[name], "id"
    elif not kind and name in _NAMES:
        kind, name = _NAMES[name], "name"
    return condition._replace(kind=kind, name=name) if kind in LEVELS[1:] and name in _OBJECT_FIELDS else None


def _status(row: WorldRow, level: str) -> str:
    """The effective status of the row's object at a level."""
    if row.campaign is None:
        return ""
    group = row.group if level in ("adset", "ad") else None
    return effective_status(row.campaign, group, row.ad if level == "ad" else None)


def _object_passes(row: WorldRow, condition: Condition) -> bool:
    """What no ad shows has no ad to pass a condition on ads."""
    subject = {"campaign": row.campaign, "adset": row.group, "ad": row.ad}[condition.kind]
    unlisted = condition.kind == "ad" and row.group is not None and row.ad in row.group.unlisted
    if subject is None or unlisted or row.campaign is None:
        return False
    status = _status(row, condition.kind)
    values: Mapping[str, Any] = {
        "id": subject.id,
        "name": subject.name,
        "status": subject.status,
        "configured_status": subject.status,
        "effective_status": status,
        "delivery_info": delivery_info(status),
        "delivery_status": delivery_info(status),
        "objective": row.campaign.objective,
        "buying_type": "AUCTION",
    }
    return condition.matches(values[condition.name])


def _row_passes(facts: Facts, condition: Condition) -> bool:
    """A condition on a row's numbers, after they were added; `action_type` passes rows that have such an action."""
    if condition.name == "action_type":
        return any(condition.matches(action["action_type"]) for action in VALUES["actions"](facts) or [])
    value = VALUES[condition.name](facts)
    if isinstance(value, list):
        raise condition.unsupported()
    return condition.matches(_rank(value) if _is_number(value) else value)


def _order(facts: Facts, name: str) -> tuple[bool, Any]:
    """Numbers before texts; what a row does not have counts as zero."""
    rank = _rank(VALUES[name](facts)) if name in VALUES else Decimal(0)
    return isinstance(rank, str), rank


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and value.replace(".", "", 1).isdecimal()


def _rank(value: Any) -> Any:
    """What a value is sorted and compared by."""
    if _is_number(value):
        return Decimal(value)
    return Decimal(0) if value is None or isinstance(value, list) else str(value)
