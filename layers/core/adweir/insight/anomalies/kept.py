"""The incidents of one ad account in the store: those of the last days are at hand, changed ones are put, and told.

An incident is told once, by an event on the bus; who dies between sending and noting it tells it again, with the same
id. One that is found long after its days, as when years are learned at once, is only listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from adweir.insight.anomalies.incidents import AnomalyState, Causes, Incident, Watcher, day_in
from adweir.insight.anomalies.settings import AnomalySeverity
from adweir.insight.anomalies.wording import expected_text, number_text, says
from adweir.model import limits
from adweir.model.breaches import BreachKind, Judgement, Look, Subject
from adweir.model.errors import Conflict, NotFound
from adweir.model.events import AnomalyDetected
from adweir.model.log import log
from adweir.model.times import Clock, iso

if TYPE_CHECKING:
    from adweir.model.ports import Bus
    from adweir.store.findings.anomalies import Anomalies

TOLD_DAYS = 7
"""Of an incident that began longer before the newest settled day nobody is told."""
OVER_DAYS = 3
"""So many days after the last one that shows it, an incident is over."""
_TRIES = 5


class KeptIncidents:
    """`load` those of the last days, `settle` what a batch found, then `tell`."""

    def __init__(self, store: Anomalies, bus: Bus, clock: Clock, watcher: Watcher, run_id: str = "") -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._watcher = watcher
        self._run_id = run_id
        self._known: dict[str, Incident] = {}
        self.found = 0
        self.left_out = 0

    def load(self, keys: Iterable[tuple[str, str]]) -> None:
        """Read incidents by first day and id. Raises Unavailable."""
        for day, name in keys:
            body = self._store.get(day, name)
            if body is not None:
                self._known[name] = incident_of(body)

    def causes(self) -> Causes:
        """What puts findings together with what is known."""
        known = [incident_of(asdict(each)) for each in self._known.values()]
        return Causes(self._watcher, known, iso(self._clock.now()), self._run_id)

    def settle(self, causes: Causes, last: str, again: tuple[date, date] | None, newest: str) -> None:
        """Store what a batch up to the day `last` found.

        Of the days `again` an earlier build had decided: what is not found any more is withdrawn. Raises Unavailable.
        """
        for name in sorted(causes.changed):
            self._keep(causes.incidents[name], newest)
        if causes.left_out:
            self.left_out += causes.left_out
            log.warning(
                "%d incidents of %s are not kept: at most %d begin on one day, those furthest off",
                *(causes.left_out, self._watcher.key, limits.MAX_ANOMALIES_PER_DAY),
            )
        if again is not None:
            for before in list(self._stored(*again)):
                if before.id not in causes.incidents and before.state in {AnomalyState.OPEN, AnomalyState.OVER}:
                    self._change(before, {"state": AnomalyState.WITHDRAWN.value})
        for incident in list(self._known.values()):
            if incident.state == AnomalyState.OPEN and _after(incident.last_day, OVER_DAYS) <= last:
                self._change(incident, {"state": AnomalyState.OVER.value})

    def recent(self, last: str, kept: timedelta) -> tuple[tuple[str, str], ...]:
        """First day and id of the incidents that may go on after the day `last`."""
        oldest = (date.fromisoformat(last) - kept).isoformat()
        found = (each for each in self._known.values() if each.last_day >= oldest)
        return tuple(sorted((each.first_day, each.id) for each in found))

    def tell(self) -> None:
        """Publish an event for each that was not told yet. Raises Unavailable: the next run goes on."""
        for incident in sorted(self._known.values(), key=lambda each: (each.first_day, each.id)):
            if not incident.is_told and incident.state != AnomalyState.WITHDRAWN:
                self._bus.publish(event_of(incident))
                self._change(incident, {"is_told": True})

    def looks(self) -> Iterator[Look]:
        """What people are told of: the open ones that need somebody, and those that are over."""
        for incident in sorted(self._known.values(), key=lambda each: (each.first_day, each.id)):
            is_bad = incident.state == AnomalyState.OPEN and incident.severity is not AnomalySeverity.INFO
            yield look_of(incident, is_bad=is_bad)

    def _keep(self, fresh: Incident, newest: str) -> None:
        """Store what is new of an incident, beside what people and other builds said of it."""
        for _ in range(_TRIES):
            body = self._store.get(fresh.first_day, fresh.id)
            if body is None:
                is_old = _after(fresh.first_day, TOLD_DAYS) < newest
                made = replace(fresh, version=1, is_told=is_old)
                self.found += 1
            else:
                made = _joined(incident_of(body), fresh)
                if _body(made) == body:
                    self._known[made.id] = made
                    return
                made.version += 1
            if self._store.put(_body(made)):
                self._known[made.id] = made
                return
        raise Conflict(f"{fresh.id} is changed by others again and again")

    def _change(self, incident: Incident, fields: Mapping[str, Any]) -> None:
        changed = change(self._store, incident.first_day, incident.id, fields)
        if changed is not None:
            self._known[incident.id] = changed

    def _stored(self, first: date, last: date) -> Iterator[Incident]:
        """All incidents of the ad account that begin on these days."""
        token = ""
        while True:
            page, more = self._store.page(first, last, limits.MAX_ANOMALY_SCAN, token)
            for _, body in page:
                incident = incident_of(body)
                if incident_watcher(incident) == self._watcher.key:
                    yield incident
            if not more or not page:
                return
            token = page[-1][0]


def change(store: Anomalies, first_day: str, anomaly: str, fields: Mapping[str, Any]) -> Incident | None:
    """Change fields of a stored incident; None where there is none. Raises Unavailable, Conflict."""
    for _ in range(_TRIES):
        body = store.get(first_day, anomaly)
        if body is None:
            return None
        made = incident_of(body | dict(fields) | {"version": int(body["version"]) + 1})
        if store.put(_body(made)):
            return made
    raise Conflict(f"{anomaly} is changed by others again and again")


def incident_of(body: Mapping[str, Any]) -> Incident:
    """An incident from what is stored."""
    known = {name: value for name, value in body.items() if name in Incident.__dataclass_fields__}
    return Incident(**known)


def incident_watcher(incident: Incident) -> str:
    """The key of what is watched that it is of."""
    return Watcher(incident.account_id, incident.platform, incident.profile_id, "").key


def event_of(incident: Incident) -> AnomalyDetected:
    """What the bus gets."""
    return AnomalyDetected(
        anomaly_id=incident.id,
        platform=incident.platform,
        profile_id=incident.profile_id,
        account_id=incident.account_id,
        level=incident.level,
        entity_id=incident.entity_id,
        metric=incident.main["metric"],
        day=incident.first_day,
        last_day=incident.last_day,
        severity=incident.severity.value,
        parts=incident.parts_total,
        reason=says(incident),
    )


def look_of(incident: Incident, *, is_bad: bool) -> Look:
    """What a message about it says."""
    subject = Subject(incident.account_id, incident.platform, incident.profile_id)
    if not is_bad:
        over = {
            AnomalyState.EXPECTED.value: "It was said to be expected.",
            AnomalyState.WITHDRAWN.value: "Its days were restated, and it is not in them any more.",
        }
        said = over.get(incident.state, "The days since are as usual, or the new usual.")
        return Look(BreachKind.ANOMALY, subject, Judgement.GOOD, said, incident.id)
    main = incident.main
    return Look(
        BreachKind.ANOMALY,
        subject,
        Judgement.BAD,
        says(incident),
        incident.id,
        value=f"{main['metric']} {number_text(main['metric'], main['value'], incident.currency)} on {main['date']}",
        expected=expected_text(main["metric"], main["expected"], incident.currency),
        since=incident.first_day,
        do="Look at what was changed in the ad account on these days, and whether tracking works. Where it was meant to"
        f" be so, say so (`adweir anomalies expected {incident.id}`): the same series alarms later then.",
    )


def _joined(before: Incident, fresh: Incident) -> Incident:
    """What is found now, with what was said of it before."""
    state = before.state
    if state == AnomalyState.WITHDRAWN or (state == AnomalyState.OVER and fresh.last_day > before.last_day):
        state = AnomalyState.OPEN.value
    said = ("detected_at", "run_id", "is_told", "feedback", "version")
    return replace(fresh, state=state, **{name: getattr(before, name) for name in said})


def _body(incident: Incident) -> dict[str, Any]:
    return asdict(incident)


def _after(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def shown_incident(incident: Incident) -> dict[str, Any]:
    """An incident as answers show it."""
    return asdict(incident) | {"severity": incident.severity.value, "says": says(incident), "main": incident.main}


def anomaly_of(store: Anomalies, anomaly: str) -> Incident:
    """An incident by its id. Raises NotFound, Unavailable."""
    day = day_in(anomaly)
    body = store.get(day.isoformat(), anomaly) if day else None
    if body is None:
        raise unknown(anomaly)
    return incident_of(body)


def unknown(anomaly: str) -> NotFound:
    """That there is no such anomaly."""
    message = f"there is no anomaly {anomaly[:64]}; GET /api/v1/anomalies lists them"
    return NotFound(message, [{"field": "anomaly_id", "message": "is unknown"}])


def give_feedback(store: Anomalies, incident: Incident, feedback: Mapping[str, Any]) -> Incident:
    """Keep what somebody said of an incident: `expected`, `at`, `who`, `note`.

    Where it is expected, the series that it was found in alarm later from the next day on. Said twice it counts once.
    Raises NotFound, Unavailable, Conflict.
    """
    metrics = [each["metric"] for each in incident.metrics]
    watched, entity = incident_watcher(incident), f"{incident.level}#{incident.entity_id}"
    is_expected = bool(feedback["expected"])
    if not any(store.watches.mark(watched, entity, metrics, incident.id, expected=is_expected) for _ in range(_TRIES)):
        raise Conflict(f"{incident.id} is changed by others again and again")
    state = AnomalyState.EXPECTED if is_expected else AnomalyState.OPEN
    fields: dict[str, Any] = {"feedback": dict(feedback)}
    if is_expected or incident.state == AnomalyState.EXPECTED:
        fields["state"] = state.value
    changed = change(store, incident.first_day, incident.id, fields)
    if changed is None:
        raise NotFound(f"there is no anomaly {incident.id} any more")
    return changed
