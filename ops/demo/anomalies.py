"""Compares the anomalies that were found with what moves the ad accounts of the sandbox's world.

A planted anomaly is found when an incident of its ad account shows, on one of its days, the metric or one that follows
from it. Beside planted ones there are level shifts, weekly changes of budgets, and ads that begin and end: an incident
about them is explained. Every other one is invented.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ops.client import Api
from ops.demo.world import WorldDoors, known_as

LEARNED_DAYS = 14
"""Days of an ad account before anything can be found in it."""
_AFTER = timedelta(days=2)
"""So long after a planted anomaly its end may still show."""
_SHIFT = timedelta(days=8)
"""So long a level shift may show until it is the new usual."""
_BUDGET = timedelta(days=3)
"""So long a change of a budget, or of which ads run, may show first: what lasts is reported by its third day."""
_JUMP = 1.2
"""From which factor on a change of a budget explains what is found on its first days: the least change that is looked
for is a fifth (the parameter AnomalyMinEffect)."""
_LEAST_FOUND = 0.9
_SHOWN_IN = {
    "spend": {"spend", "impressions", "clicks", "conversions", "revenue"},
    "clicks": {"clicks", "cpc", "ctr", "cvr"},
    "impressions": {"impressions", "cpm", "ctr"},
    "conversions": {"conversions", "revenue", "cvr"},
}
"""By planted metric, those that it shows in."""


@dataclass(frozen=True)
class HeldAnomalies:
    """What came of a comparison. Each case has a line.

    `planted`, `found`: of planted anomalies that could be found. `doubled`: found as several incidents. `explained`:
    incidents about level shifts, budgets, and ads that begin or end.
    """

    planted: int = 0
    found: int = 0
    missed: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    explained: int = 0
    invented: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Nine of ten planted ones were found, each as one incident, and none was invented."""
        return self.found >= _LEAST_FOUND * self.planted and not (self.doubled or self.invented)

    @property
    def text(self) -> str:
        """In one line."""
        return (
            f"Anomalies: {self.found} of {self.planted} planted ones found, {len(self.doubled)} of them twice; "
            f"{self.explained} about shifts, budgets and flights; {len(self.invented)} invented."
        )

    @property
    def lines(self) -> list[str]:
        """What is wrong, one line each; nothing where it is right."""
        if self.right:
            return []
        named = (("not found", self.missed), ("found twice", self.doubled), ("invented", self.invented))
        return [f"{name}: {each}" for name, lines in named for each in lines]

    def __add__(self, more: HeldAnomalies) -> HeldAnomalies:
        return HeldAnomalies(
            self.planted + more.planted,
            self.found + more.found,
            self.missed + more.missed,
            self.doubled + more.doubled,
            self.explained + more.explained,
            self.invented + more.invented,
        )


NONE = HeldAnomalies()


def anomalies_found(api: Api, world: WorldDoors, profiles: Iterable[Mapping[str, Any]], days: int) -> HeldAnomalies:
    """Hold what was found in ad accounts, of which the last `days` were pulled, against the world."""
    found = list(_listed(api, world.day(days)))
    total = NONE
    for profile in profiles:
        about = {"platform": profile["platform"], "profile_id": profile["profile_id"]}
        body = {**about, "level": "account", "metrics": {"impressions": 0}}
        learned = api.post("/api/v1/anomalies/check", body)["learned_through"]
        if learned is None:
            continue
        own = [each for each in found if (each["platform"], each["profile_id"]) == tuple(about.values())]
        span = (world.day(days) + timedelta(days=LEARNED_DAYS), date.fromisoformat(learned))
        total += held(world.get("planted", **known_as(profile)), own, span)
    return total


def _listed(api: Api, start: date) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        page = api.get("/api/v1/anomalies", start=start.isoformat(), limit=100, next_token=token)
        yield from page["anomalies"]
        token = page["next_token"] or ""
        if not token:
            return


def held(planted: Mapping[str, Any], found: Sequence[Mapping[str, Any]], span: tuple[date, date]) -> HeldAnomalies:
    """Hold an ad account's incidents, as the API shows them, against what `/_world/planted` says of it.

    Of the anomalies those count that begin and end in `span`.
    """
    incidents = [each for each in found if each["state"] != "withdrawn"]
    due = [each for each in planted["anomalies"] if span[0] <= _day(each["first"]) and _day(each["last"]) <= span[1]]
    missed: list[str] = []
    doubled: list[str] = []
    for anomaly in due:
        showing = [each for each in incidents if _shows(each, anomaly)]
        if len(showing) != 1:
            (doubled if showing else missed).append(_said(anomaly))
    unplanted = [each for each in incidents if not any(_touches(each, one) for one in planted["anomalies"])]
    invented = [each for each in unplanted if not _is_explained(each, planted)]
    lines = tuple(f"{each['platform']} {each['profile_id']} {each['first_day']}: {each['says']}" for each in invented)
    explained = len(unplanted) - len(invented)
    return HeldAnomalies(len(due), len(due) - len(missed), tuple(missed), tuple(doubled), explained, lines)


def _shows(incident: Mapping[str, Any], anomaly: Mapping[str, Any]) -> bool:
    """Whether an incident has a metric and a day of a planted anomaly, and the campaign that it is in."""
    metrics = {each["metric"] for each in _findings(incident)}
    entities = {incident["entity_id"], *(each["entity_id"] for each in incident["parts"])}
    is_there = not anomaly["campaign_id"] or anomaly["campaign_id"] in entities
    on_time = any(anomaly["first"] <= each <= anomaly["last"] for each in incident["days"])
    return on_time and is_there and bool(metrics & _SHOWN_IN[anomaly["metric"]])


def _findings(incident: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*incident["metrics"], *incident["parts"]]


def _touches(incident: Mapping[str, Any], anomaly: Mapping[str, Any]) -> bool:
    return _day(anomaly["first"]) <= _day(incident["last_day"]) and _day(incident["first_day"]) <= (
        _day(anomaly["last"]) + _AFTER
    )


def _is_explained(incident: Mapping[str, Any], planted: Mapping[str, Any]) -> bool:
    """Whether it begins with a level shift, a change of a budget, or one of an ad in the same campaign."""
    first, metrics = _day(incident["first_day"]), {each["metric"] for each in _findings(incident)}
    shifts = [_day(each["day"]) for each in planted["level_shifts"]]
    jumps = [
        _day(each["day"])
        for each in planted["budget_changes"]
        if max(each["before"], each["per_mille"]) >= _JUMP * min(each["before"], each["per_mille"])
    ]
    own = {incident["entity_id"]}
    flights = [_day(each["day"]) for each in planted["flights"] if own & {each["campaign_id"], each["ad_id"]}]
    return any(day <= first <= day + _SHIFT for day in shifts) or (
        bool(metrics & _SHOWN_IN["spend"]) and any(day <= first < day + _BUDGET for day in (*jumps, *flights))
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _said(anomaly: Mapping[str, Any]) -> str:
    return " ".join(str(anomaly[name]) for name in ("platform", "profile_id", "metric", "first", "last", "per_mille"))
