"""Whether the pipeline is healthy, part by part: the answer of `GET /api/v1/pipeline/health`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.model.entities import ProfileStatus
from adweir.model.errors import AdweirError
from adweir.model.runs import RunState
from adweir.model.times import DAY, is_zone, iso, iso_of, local_date

if TYPE_CHECKING:
    from adweir.model.times import Clock
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger import Ledger

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
_WORSE = (HEALTHY, DEGRADED, UNHEALTHY)
STALE_HOURS = 26
"""A day between daily runs and two hours for them to end."""
RUNS_MEASURED = 20


class QueueDepth(NamedTuple):
    """A queue's approximate numbers of messages: waiting, being worked on, delayed."""

    visible: int
    in_flight: int = 0
    delayed: int = 0
    dead_letters: bool = False


Depths = Callable[[], Mapping[str, QueueDepth]]


def health(ledger: Ledger, catalog: Catalog, depths: Depths, clock: Clock) -> dict[str, Any]:
    """The whole pipeline and each part, each with a `status` of healthy, degraded or unhealthy; JSON values.

    Parts: `profiles` (last success, how many days behind its yesterday), `credentials`, `brakes`, `queues`,
    `dead_letters`, `runs`. One degraded part degrades the whole. The whole is unhealthy when no profile had a recent
    success, when the newest run of a workflow failed, or when a part cannot be read.
    """
    now = clock.now()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "profiles": lambda: _profiles(ledger, catalog, now, timedelta(hours=STALE_HOURS)),
        "credentials": lambda: _credentials(catalog),
        "brakes": lambda: _brakes(ledger, catalog),
        "queues": lambda: _queues(depths, dead=False),
        "dead_letters": lambda: _queues(depths, dead=True),
        "runs": lambda: _runs(ledger),
    }
    report = {name: _ask(part) for name, part in parts.items()}
    worst = max((part["status"] for part in report.values()), key=_WORSE.index)
    return {"status": worst, "checked_at": iso(now), "parts": report}


def _ask(part: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return part()
    except AdweirError as error:
        return {"status": UNHEALTHY, "reason": error.message}


def _profiles(ledger: Ledger, catalog: Catalog, now: datetime, patience: timedelta) -> dict[str, Any]:
    newest: dict[str, str] = {}
    reached: dict[str, str] = {}
    for key, dataset, at, end in ledger.successes():
        if dataset.endswith(("_daily", "_hourly")):
            newest[key] = max(at, newest.get(key, ""))
        if dataset.endswith("_daily"):
            reached[key] = max(end, reached.get(key, ""))
    oldest_good, states = iso(now - patience), []
    for profile in catalog.profiles():
        if profile.status == ProfileStatus.REMOVED:
            continue
        last, end = newest.get(profile.key, ""), reached.get(profile.key, "")
        known = is_zone(profile.timezone)
        behind = (local_date(now, profile.timezone) - DAY - date.fromisoformat(end)).days if end and known else None
        well = last >= oldest_good and known and profile.status == ProfileStatus.ACTIVE
        states.append(
            {
                "platform": profile.platform,
                "profile_id": profile.profile_id,
                "account_id": profile.account_id,
                "name": profile.name,
                "profile_status": profile.status,
                "last_success": last or None,
                "newest_day": end or None,
                "days_behind": None if behind is None else max(0, behind),
                "status": HEALTHY if well else DEGRADED,
            }
            | ({} if known else {"reason": f"unknown time zone {profile.timezone[:60]!r}"})
        )
    good = sum(state["status"] == HEALTHY for state in states)
    status = HEALTHY if good == len(states) else DEGRADED if good else UNHEALTHY
    return {"status": status, "healthy": good, "total": len(states), "items": states}


def _credentials(catalog: Catalog) -> dict[str, Any]:
    broken = [
        {
            "account_id": credential.account_id,
            "platform": credential.platform,
            "label": credential.label,
            "reason": credential.reason,
        }
        for credential in catalog.credentials()
        if credential.state != "active"
    ]
    return {"status": DEGRADED if broken else HEALTHY, "broken": broken}


def _brakes(ledger: Ledger, catalog: Catalog) -> dict[str, Any]:
    platforms = sorted({credential.platform for credential in catalog.credentials()})
    on = [
        brake._asdict() | {"until": iso_of(brake.until)}
        for platform in platforms
        for brake in ledger.brakes.on(platform)
    ]
    serious = any(brake["state"] != "paused" for brake in on)
    return {"status": DEGRADED if serious else HEALTHY, "on": on}


def _queues(depths: Depths, *, dead: bool) -> dict[str, Any]:
    ours = {name: depth for name, depth in depths().items() if depth.dead_letters is dead}
    status = DEGRADED if dead and any(depth.visible for depth in ours.values()) else HEALTHY
    items = {
        name: {"visible": depth.visible, "in_flight": depth.in_flight, "delayed": depth.delayed}
        for name, depth in sorted(ours.items())
    }
    return {"status": status, "items": items}


def _runs(ledger: Ledger) -> dict[str, Any]:
    """The newest finished run of each workflow among the last ones."""
    runs, _ = ledger.list_runs(RUNS_MEASURED)
    last: dict[str, Any] = {}
    for run in runs:
        if run.state.is_terminal and run.state is not RunState.CANCELLED:
            last.setdefault(run.workflow, {"run_id": run.run_id, "state": run.state.value, "ended_at": run.ended_at})
    states = {entry["state"] for entry in last.values()}
    status = UNHEALTHY if RunState.FAILED in states else DEGRADED if RunState.PARTIAL in states else HEALTHY
    running = sum(run.state is RunState.RUNNING for run in runs)
    return {"status": status, "running": running, "last": last}
