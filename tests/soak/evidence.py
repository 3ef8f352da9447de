"""What the pipeline recorded of things that went wrong, by ad account: in its ledger, its catalog and its log."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from adweir.model.times import parse_instant
from sandbox.request_log import shape

_SAID = {"waits": "waits", "settled": "settled", "transient fault": "transient", "unexpected fault": "unexpected"}
_ANSWERED = timedelta(seconds=30)
"""From the platform's answer until the API log's moment of it: a large one is read meanwhile, by a busy machine."""


class Whose(NamedTuple):
    """A platform, and an ad account of it."""

    platform: str
    profile_id: str


Evidence = Mapping[Whose, Counter[str]]
OwnerOf = Callable[[Mapping[str, Any]], Whose]
"""Whose a task is: the ad account's, or where it is about a credential, of the ad account that this opens."""


def recorded(tasks: Iterable[Mapping[str, Any]], log: Iterable[Mapping[str, Any]], owner_of: OwnerOf) -> Evidence:
    """By ad account, how often something was recorded: `waits:throttled`, `task:auth_expired`, `no rows`, ..."""
    found: dict[Whose, Counter[str]] = defaultdict(Counter)
    owners: dict[str, Whose] = {}
    for task in tasks:
        owner = owners[task["id"]] = owner_of(task)
        found[owner].update(_of_task(task))
    for line in log:
        said, owner_of_line = _SAID.get(str(line.get("message"))), owners.get(str(line.get("task_id", "")))
        if said and owner_of_line:
            code = str(line.get("code") or "")
            found[owner_of_line][f"{said}:{code}" if code else said] += 1
    return found


def _of_task(task: Mapping[str, Any]) -> Iterator[str]:
    counts, error, loaded = task.get("counts") or {}, task.get("error") or {}, task["state"] == "loaded"
    if error:
        yield f"task:{error['code']}"
    if counts.get("rows_quarantined"):
        yield "rows quarantined"
    if loaded and not counts.get("rows_read", 1):
        yield "no rows"
    if loaded and not counts.get("complete", 1):
        yield "incomplete"
    if loaded:
        yield "rows read"
    if task["state"] == "split":
        yield "split"
    if task["attempts"] > 1:
        yield "tried again"


def unknown_objects(catalog: Iterable[tuple[tuple[str, str], Mapping[str, Any]]]) -> Iterator[Whose]:
    """The ad accounts with an object whose status nobody knows."""
    for (pk, _), item in catalog:
        if pk.startswith("objects#") and '"unknown"' in str(item):
            _, platform, profile_id, *_ = pk.split("#")
            yield Whose(platform, profile_id)


class Refusals:
    """The calls of platforms that failed, as the API log has them."""

    def __init__(self, calls: Iterable[Mapping[str, Any]]) -> None:
        self._at: dict[tuple[str, str], list[float]] = defaultdict(list)
        for call in calls:
            path = f"{call['method']} {shape(urlsplit(call['endpoint']).path)}"
            self._at[call["platform"], path].append(parse_instant(call["timestamp"]).timestamp())

    def has(self, fault: Mapping[str, Any]) -> bool:
        """Whether a fault that was served is among them, by its platform, kind of request and moment."""
        first, last = fault["at"], fault["at"] + _ANSWERED.total_seconds()
        return any(first <= at <= last for at in self._at[fault["platform"], fault["path"]])
