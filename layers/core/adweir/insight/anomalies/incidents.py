"""From findings to incidents: one cause is one incident, however many metrics, levels and days it shows in.

What shows in several metrics of an entity on a day is one cause. What shows in an entity and, with a metric of the same
sign, in what it is part of, is the greater one's. What shows in three or more parts of one is of the whole. What goes
on within a week is the same incident. An arm stands between the ad account and what it is bound to; one that has just a
campaign, or a part of one, is the campaign's part.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from math import inf
from types import MappingProxyType
from typing import Any, NamedTuple

from adweir.insight.anomalies.settings import AnomalySeverity
from adweir.insight.anomalies.watched import WATCHED, Found, WatchedEntity, as_facts
from adweir.model import limits
from adweir.model.budgets import ReplacedBudget
from adweir.model.ids import IdKind
from adweir.model.metrics import Level
from adweir.model.money import from_micros

COOL_DOWN_DAYS = 7
"""Within so many days what is found again of an incident is part of it, and nobody is told again."""
_TOGETHER = 3
"""Parts of one whole that show the same on a day, from which on it is of the whole."""
_MOST = 0.5
"""What of a whole's change has to be in a part for it to go on as the part's incident."""
_Budgets = Mapping[tuple[Level, str], Sequence[ReplacedBudget]]
_ORDER = {severity: place for place, severity in enumerate(AnomalySeverity)}


class AnomalyState(StrEnum):
    """What became of an anomaly.

    OPEN: nothing yet, or it goes on. OVER: the days since are as usual. EXPECTED: somebody said so. WITHDRAWN: its days
    were restated, and it is not in them any more.
    """

    OPEN = "open"
    OVER = "over"
    EXPECTED = "expected"
    WITHDRAWN = "withdrawn"


class Watcher(NamedTuple):
    """Whose numbers: an ad account's, or those of a client's arms (`platform` and `profile_id` are "" then)."""

    account_id: str
    platform: str
    profile_id: str
    currency: str

    @property
    def key(self) -> str:
        return f"{self.platform}#{self.profile_id}" if self.profile_id else f"@{self.account_id}"


@dataclass(slots=True)
class Incident:
    """An anomaly as it is kept. Days are ISO; numbers in `metrics` are texts of decimals, amounts in `currency`.

    `metrics`: of the entity itself, by metric the day furthest off (`watched.as_facts`). `parts`: what else shows it,
    with metric and z, at most `limits.MAX_ANOMALY_PARTS`; `parts_total` counts all. `left_out`: incidents that would
    have begun on its first day, too, and are not kept. `budgets`: of campaigns that show it or that it is in, changes
    which spend followed. `version` counts its changes.
    """

    id: str
    account_id: str
    platform: str
    profile_id: str
    level: str
    entity_id: str
    currency: str
    first_day: str
    last_day: str
    days: list[str]
    detected_at: str
    run_id: str = ""
    name: str = ""
    metrics: list[dict[str, Any]] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)
    parts_total: int = 0
    left_out: int = 0
    budgets: list[dict[str, Any]] = field(default_factory=list)
    state: str = AnomalyState.OPEN
    is_told: bool = False
    feedback: dict[str, Any] | None = None
    version: int = 0

    @property
    def main(self) -> Mapping[str, Any]:
        """The finding that is furthest off."""
        return max(self.metrics or self.parts, key=lambda each: abs(float(each["z"])))

    @property
    def severity(self) -> AnomalySeverity:
        """The greatest of its findings."""
        found = (AnomalySeverity(each["severity"]) for each in self.metrics or self.parts)
        return max(found, key=lambda each: _ORDER[each])

    @property
    def marks(self) -> set[tuple[str, int]]:
        """Its metrics with the sign of their z."""
        return {(each["metric"], 1 if float(each["z"]) > 0 else -1) for each in self.metrics or self.parts}

    @property
    def key(self) -> tuple[str, str]:
        return self.level, self.entity_id


class _CauseGroup(NamedTuple):
    """Findings of one cause on one day: those of the entity itself, and of its parts."""

    entity: WatchedEntity
    own: list[Found]
    parts: list[Found]

    @property
    def marks(self) -> set[tuple[str, int]]:
        return {each.mark for each in self.own or self.parts}

    @property
    def carriers(self) -> list[tuple[Level, str]]:
        """The parts in which most of what the entity itself shows is."""
        most = self.at_risk * _MOST if self.own else inf
        return sorted({each.entity.key for each in self.parts if each.at_risk >= most})

    @property
    def at_risk(self) -> float:
        """Of the entity its metric with the most; where only parts show it, what these have together."""
        if self.own:
            return max(each.at_risk for each in self.own)
        of_parts: dict[tuple[Level, str], float] = {}
        here = {each.entity.key for each in self.parts}
        for each in self.parts:
            if here.isdisjoint(each.entity.parents):  # what is in another one of them is not at risk twice
                of_parts[each.entity.key] = max(of_parts.get(each.entity.key, 0.0), each.at_risk)
        return sum(of_parts.values())


class Causes:
    """Puts findings together, one day after the other. `known` are the incidents of the last days."""

    def __init__(self, watcher: Watcher, known: Iterable[Incident], at: str, run_id: str = "") -> None:
        self._watcher = watcher
        self._at = at
        self._run_id = run_id
        self.incidents: dict[str, Incident] = {each.id: each for each in known}
        self.changed: set[str] = set()
        self.left_out = 0
        """Incidents of all days that are not kept, since more than `limits.MAX_ANOMALIES_PER_DAY` began on one."""

    def add(
        self,
        day: date,
        found: Sequence[Found],
        names: Mapping[tuple[Level, str], str],
        least: float = 0.0,
        budgets: _Budgets = MappingProxyType({}),
    ) -> None:
        """Add a day's findings. The same findings again change nothing. `budgets`: of campaigns what changed just then.

        Where less than `least` of spend is at risk, in all parts of a cause together, nobody has to look. Of the
        incidents that begin on the day those furthest off are kept; what goes on is not counted among them.
        """
        left_out = 0
        groups = [each for each in _of_wholes(_grouped(found)) if each.at_risk >= least]
        for group in sorted(groups, key=_furthest_first):
            incident = self._known(day, group)
            if incident is None and len(self._begun(day)) >= limits.MAX_ANOMALIES_PER_DAY:
                left_out += 1
                continue
            incident = incident or self._fresh(day, group, names)
            before = repr(incident)
            _extend(incident, day, group)
            _name_budgets(incident, group, names, budgets)
            if repr(incident) != before or incident.version == 0:
                self.changed.add(incident.id)
        for incident in self._begun(day) if left_out else ():
            if incident.left_out != left_out:
                incident.left_out = left_out
                self.changed.add(incident.id)
        self.left_out += left_out

    def _begun(self, day: date) -> list[Incident]:
        first = day.isoformat()
        return [each for each in self.incidents.values() if each.first_day == first]

    def _known(self, day: date, group: _CauseGroup) -> Incident | None:
        """The incident that goes on: of the entity, of what it is part of, or of the part that most of it is in."""
        oldest = (day - timedelta(days=COOL_DOWN_DAYS)).isoformat()
        for key in (group.entity.key, *group.entity.parents, *group.carriers):
            for incident in sorted(self.incidents.values(), key=lambda each: each.id):
                near = incident.first_day <= day.isoformat() and incident.last_day >= oldest
                is_valid = near and incident.state != AnomalyState.WITHDRAWN
                if is_valid and incident.key == key and incident.marks & group.marks:
                    return incident
        return None

    def _fresh(self, day: date, group: _CauseGroup, names: Mapping[tuple[Level, str], str]) -> Incident:
        entity, watcher = group.entity, self._watcher
        furthest = max(group.own or group.parts, key=lambda each: abs(each.scored.z))
        incident = Incident(
            id=anomaly_id(watcher.key, entity.key, day, furthest.mark),
            account_id=watcher.account_id,
            platform=watcher.platform,
            profile_id=watcher.profile_id,
            level=entity.level.value,
            entity_id=entity.id,
            currency=watcher.currency,
            first_day=day.isoformat(),
            last_day=day.isoformat(),
            days=[],
            detected_at=self._at,
            run_id=self._run_id,
            name=names.get(entity.key, ""),
        )
        return self.incidents.setdefault(incident.id, incident)


def anomaly_id(watched: str, entity: tuple[str, str], day: date, mark: tuple[str, int]) -> str:
    """An anomaly's id: the same finding gives the same. Its first eight digits are the day."""
    text = "\x1f".join((watched, *entity, day.isoformat(), *map(str, mark)))
    return IdKind.ANOMALY.of(f"{day:%Y%m%d}{hashlib.sha256(text.encode()).hexdigest()[:16]}")


def day_in(anomaly: str) -> date | None:
    """The day in an anomaly's id; None where it is none."""
    digits = anomaly.removeprefix(IdKind.ANOMALY.of(""))
    try:
        return date.fromisoformat(digits[:8]) if IdKind.ANOMALY.names(anomaly) else None
    except ValueError:
        return None


def _grouped(found: Sequence[Found]) -> list[_CauseGroup]:
    """Findings by entity; those of parts of another entity that shows the same go with that one's."""
    own: dict[tuple[Level, str], list[Found]] = defaultdict(list)
    for each in found:
        own[each.entity.key].append(each)
    groups = {key: _CauseGroup(each[0].entity, each, []) for key, each in own.items()}
    for key, group in list(groups.items()):
        above = (groups[parent] for parent in reversed(group.entity.parents) if parent in groups)
        whole = next((each for each in above if each.marks & group.marks), None)
        if whole is not None:
            whole.parts.extend((*group.own, *group.parts))
            del groups[key]
    return list(groups.values())


def _of_wholes(groups: list[_CauseGroup]) -> list[_CauseGroup]:
    """Groups, those of three or more parts of one whole with the same mark put together as the whole's.

    The whole with the most of them comes first; of equals the narrower one, which says more.
    """
    wholes: dict[tuple[Level, str], WatchedEntity] = {}
    by_whole: dict[tuple[tuple[Level, str], tuple[str, int]], list[_CauseGroup]] = defaultdict(list)
    for group in groups:
        furthest = max(group.own, key=lambda each: abs(each.scored.z))
        for whole in _wholes_of(group.entity):
            wholes.setdefault(whole.key, whole)
            by_whole[whole.key, furthest.mark].append(group)
    order = {key: place for place, key in enumerate(sorted(wholes, key=lambda key: (-len(wholes[key].parents), key)))}
    left = {group.entity.key: group for group in groups}
    kept: list[_CauseGroup] = []
    for (key, _), alike in sorted(by_whole.items(), key=lambda each: (-len(each[1]), order[each[0][0]], each[0])):
        together = [each for each in alike if each.entity.key in left]
        if len(together) >= _TOGETHER:
            kept.append(_CauseGroup(wholes[key], [], [one for each in together for one in (*each.own, *each.parts)]))
            for each in together:
                del left[each.entity.key]
    return [*kept, *left.values()]


def _wholes_of(entity: WatchedEntity) -> list[WatchedEntity]:
    """What an entity may be one of three parts of: the nearest object of the platform that it is in, and its arm."""
    objects = [place for place, (level, _) in enumerate(entity.parents) if level is not Level.ARM]
    arms = [place for place, (level, _) in enumerate(entity.parents) if level is Level.ARM]
    return [
        WatchedEntity(*entity.parents[place], entity.parents[place + 1 :]) for place in sorted((*objects[:1], *arms))
    ]


def _furthest_first(group: _CauseGroup) -> tuple[float, tuple[str, str]]:
    return -max(abs(each.scored.z) for each in group.own or group.parts), group.entity.key


def _extend(incident: Incident, day: date, group: _CauseGroup) -> None:
    """Add a day's findings of its cause to an incident."""
    is_own = (group.entity.level.value, group.entity.id) == incident.key
    incident.days = sorted({*incident.days, day.isoformat()})[-limits.MAX_ANOMALY_DAYS :]
    incident.last_day = max(incident.last_day, day.isoformat())
    if is_own and group.own:
        incident.metrics = _furthest([*incident.metrics, *map(as_facts, group.own)])
    others = group.parts if is_own else [*group.own, *group.parts]
    shown = [as_facts(each) | {"level": each.entity.level.value, "entity_id": each.entity.id} for each in others]
    known = {(each["level"], each["entity_id"]) for each in incident.parts}
    here = {(each["level"], each["entity_id"]) for each in shown}
    incident.parts_total = max(incident.parts_total, len(known | here))
    incident.parts = _furthest_parts([*incident.parts, *shown])


def _name_budgets(
    incident: Incident, group: _CauseGroup, names: Mapping[tuple[Level, str], str], budgets: _Budgets
) -> None:
    """Add the changes of budgets that spend followed: of the entity, of what it is in, and of its parts."""
    signs = {sign for metric, sign in group.marks if metric == "spend"}
    known = {each["campaign_id"] for each in incident.budgets}
    keys = dict.fromkeys((group.entity.key, *group.entity.parents, *(each.entity.key for each in group.parts)))
    for level, name in keys if signs else ():
        change = next((each for each in budgets.get((level, name), ()) if each.sign in signs), None)
        if level is Level.CAMPAIGN and change and name not in known:
            amounts = {"before": str(from_micros(change.before)), "after": str(from_micros(change.after))}
            about = {"campaign_id": name, "name": names.get((level, name), ""), "listed": change.listed}
            incident.budgets = [*incident.budgets, about | amounts][: limits.MAX_ANOMALY_BUDGETS]


def _furthest(facts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """By metric the day that is furthest off, the first of equals; in the order of the metrics."""
    best: dict[str, dict[str, Any]] = {}
    for each in sorted(facts, key=lambda one: (-abs(float(one["z"])), one["date"])):
        best.setdefault(each["metric"], each)
    return [best[metric] for metric in WATCHED if metric in best]


def _furthest_parts(facts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for each in sorted(facts, key=lambda one: (-abs(float(one["z"])), one["date"], one["metric"])):
        best.setdefault((each["level"], each["entity_id"]), each)
    ordered = sorted(best.values(), key=lambda one: (-abs(float(one["z"])), one["level"], one["entity_id"]))
    return ordered[: limits.MAX_ANOMALY_PARTS]
