"""Whether the pipeline is healthy, part by part: the answer of `GET /api/v1/pipeline/health`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.intake.collect.gate import wider_keys
from adweir.model import limits
from adweir.model.entities import ProfileStatus
from adweir.model.log import log
from adweir.model.runs import RunState
from adweir.model.times import DAY, clock_text, is_zone, iso, iso_of, local_date
from adweir.pipeline.alone import explain
from adweir.pipeline.flow_forms import known_flows
from adweir.pipeline.jobs.checks import problem
from adweir.pipeline.late import Late
from adweir.store.ledger.brakes import BrakeState, brake_key

if TYPE_CHECKING:
    from adweir.model.breaches import Breach
    from adweir.model.entities import Credential, Profile
    from adweir.model.times import Clock
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger import Ledger

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
_WORSE = (HEALTHY, DEGRADED, UNHEALTHY)
_BOTH = ("catalog", "ledger")
_TABLES_OF = {
    "profiles": (*_BOTH, "findings"),
    "credentials": ("catalog",),
    "brakes": _BOTH,
    "runs": ("ledger",),
    "jobs": _BOTH,
    "breaches": ("findings",),
    "faults": _BOTH,
}
"""What each part is read from; `queues` and `dead_letters` are in no table."""
RUNS_MEASURED = 20
_NAMED = 5


class QueueDepth(NamedTuple):
    """A queue's approximate numbers of messages: waiting, being worked on, delayed."""

    visible: int
    in_flight: int = 0
    delayed: int = 0
    dead_letters: bool = False


class StoreState(NamedTuple):
    """Something that the system stores in: a table, the bucket, the secrets or a queue.

    `name` is ours, `resource` AWS's. `reason` says why it does not answer, "" where it does; `latency_ms` is None where
    nobody waited for that.
    """

    kind: str
    name: str
    resource: str
    latency_ms: float | None = None
    reason: str = ""
    depth: QueueDepth | None = None


Stores = Callable[[], Sequence[StoreState]]
OpenBreaches = Callable[[], Iterable["Breach"]]


def health(
    ledger: Ledger, catalog: Catalog, stores: Stores, clock: Clock, breaches: OpenBreaches = tuple
) -> dict[str, Any]:
    """The whole pipeline and each part, each with a `status` of healthy, degraded or unhealthy; JSON values.

    A part that is not healthy has a `reason` that names the first of what it is about, and so has such an ad account.
    Parts: `store` (what the system stores in, and how long each took to answer), `profiles` (last success, how many
    days behind its yesterday, what it waits for), `credentials`, `brakes`, `queues`, `dead_letters`, `runs`, `jobs`
    (that do not do what they are for), `breaches` (of ad accounts' data, those that are open), `faults` (stored items
    that cannot be read, and what the pipeline went on past).
    One degraded part degrades the whole; an ad account that waits because of a brake is degraded. The whole is
    unhealthy when something that it stores in does not answer, when every ad account is late or was never pulled, when
    a failed run was not repaired, or when a part cannot be read. What is in a table that does not answer is not read.
    """
    now, brakes = clock.now(), cache(lambda: brakes_on(ledger, catalog))
    states = stores()
    away = {state.name: state.reason for state in states if state.kind == "table" and state.reason}
    open_breaches = cache(lambda: [one for one in breaches() if one.state.is_open])
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "store": lambda: _store(states),
        "profiles": lambda: _profiles(ledger, catalog, brakes(), Late.of(open_breaches()), now),
        "credentials": lambda: _credentials(catalog, now),
        "brakes": lambda: _brakes(brakes(), now),
        "queues": lambda: _queues(states, dead=False),
        "dead_letters": lambda: _queues(states, dead=True),
        "runs": lambda: _runs(ledger),
        "jobs": lambda: _jobs(ledger, catalog),
        "breaches": lambda: _breaches(open_breaches()),
        "faults": lambda: _faults(ledger, catalog),  # last: reading the other parts finds what cannot be read
    }
    ledger.unreadable.clear()
    catalog.unreadable.clear()
    report = {name: _unread(name, away) or _ask(name, part) for name, part in parts.items()}
    worst = max((part["status"] for part in report.values()), key=_WORSE.index)
    return {"status": worst, "checked_at": iso(now), "parts": report}


def _unread(name: str, away: Mapping[str, str]) -> dict[str, Any]:
    """A part whose table does not answer; nothing for any other. To wait for each such part would take minutes."""
    missing = [f"{table}: {away[table]}" for table in _TABLES_OF.get(name, ()) if table in away]
    return {"status": UNHEALTHY, "reason": f"the {missing[0]}"} if missing else {}


def _ask(name: str, part: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return part()
    except Exception as error:  # the boundary between parts: one that fails hides none of the others
        log.exception("the part %s of the health cannot be read", name)
        return {"status": UNHEALTHY, "reason": explain(error)}


def _part(status: str, what: str, causes: Sequence[str], **more: Any) -> dict[str, Any]:
    """A part; the causes are why it is not healthy."""
    if status == HEALTHY:
        return {"status": status, **more}
    named = ", ".join(causes[:_NAMED])
    left = f" and {len(causes) - _NAMED} more" if len(causes) > _NAMED else ""
    return {"status": status, "reason": f"{what}: {named}{left}", **more}


def brakes_on(ledger: Ledger, catalog: Catalog) -> list[BrakeState]:
    """The brakes that are on now, of all platforms for which there are credentials."""
    platforms = sorted({credential.platform for credential in catalog.credentials()})
    return [brake for platform in platforms for brake in ledger.brakes.on(platform)]


def newest_pulls(successes: Iterable[tuple[str, str, str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Profile key → when its metrics were last pulled, and profile key → the last day that was pulled."""
    newest: dict[str, str] = {}
    reached: dict[str, str] = {}
    for key, dataset, at, end in successes:
        if dataset.endswith(("_daily", "_hourly")):
            newest[key] = max(at, newest.get(key, ""))
        if dataset.endswith("_daily"):
            reached[key] = max(end, reached.get(key, ""))
    return newest, reached


def _profiles(
    ledger: Ledger, catalog: Catalog, brakes: Sequence[BrakeState], late: Late, now: datetime
) -> dict[str, Any]:
    newest, reached = newest_pulls(ledger.successes())
    states, stale = [], 0
    waits = _waits(catalog, brakes, now) if brakes else {}
    for profile in catalog.profiles():
        if profile.status == ProfileStatus.REMOVED or not profile.is_listed:
            continue
        last, end = newest.get(profile.key, ""), reached.get(profile.key, "")
        known = is_zone(profile.timezone)
        behind = (local_date(now, profile.timezone) - DAY - date.fromisoformat(end)).days if end and known else None
        reason = _why(profile, last, late.since(profile))
        stale += bool(reason)
        if profile.key in waits:
            reason = f"{reason}; waits: {waits[profile.key]}" if reason else f"waits: {waits[profile.key]}"
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
                "status": DEGRADED if reason else HEALTHY,
            }
            | ({"reason": reason} if reason else {})
        )
    bad = [f"{state['platform']} {state['profile_id']} ({state['reason']})" for state in states if "reason" in state]
    good, total = len(states) - len(bad), len(states)
    status = UNHEALTHY if stale and stale == total else DEGRADED if bad else HEALTHY
    counts = {"healthy": good, "waiting": len(waits), "total": total}
    return _part(status, f"{len(bad)} of {total} ad accounts", bad, **counts, items=states)


def _waits(catalog: Catalog, brakes: Sequence[BrakeState], now: datetime) -> dict[str, str]:
    """Profile key → why a brake makes it wait, of those that wait."""
    words = {brake.key: says(brake, now) for brake in brakes}
    credentials = {(one.account_id, one.platform, one.label): one for one in catalog.credentials()}
    found = {}
    for profile in catalog.profiles():
        credential = credentials.get((profile.account_id, profile.platform, profile.credential))
        if profile.status == ProfileStatus.REMOVED or credential is None:
            continue
        wider = wider_keys(profile.account_id, credential, profile.route).values()
        keys = (brake_key(profile.platform, key) for key in (profile.profile_id, *wider))
        if reason := next((words[key] for key in keys if key in words), ""):
            found[profile.key] = reason
    return found


def says(brake: BrakeState, now: datetime) -> str:
    """Why a brake is on, and until when: `503 six times, next try 12:05 UTC`."""
    until = datetime.fromtimestamp(brake.until, UTC)
    when = f"next try {clock_text(until, now)}" if until > now else "the next task tries"
    return f"{brake.reason.removesuffix('.')}, {when}"


def _why(profile: Profile, last: str, due: str) -> str:
    """Why an ad account is degraded; "" when it is not. `last`: when its last pull succeeded, "" for never; `due`: when
    its schedules began one that did not succeed, "" where none is missing."""
    if not is_zone(profile.timezone):
        return f"unknown time zone {profile.timezone[:60]!r}"
    if profile.status == ProfileStatus.DENIED:
        return "denied on its platform"
    if profile.status != ProfileStatus.ACTIVE:
        return str(profile.status)
    if not last:
        return "never pulled"
    return f"last pulled {last}, was due {due}" if due else ""


def ending(credentials: Sequence[Credential], now: datetime) -> list[tuple[Credential, int]]:
    """The credentials in use that end soon or have ended, each with the days that are left, the first to end first."""
    today = now.astimezone(UTC).date()
    left = [(one, one.days_left(today)) for one in credentials if one.state == "active"]
    soon = [(one, days) for one, days in left if days is not None and days <= limits.CREDENTIAL_ENDS_SOON_DAYS]
    return sorted(soon, key=lambda each: each[1])


def _credentials(catalog: Catalog, now: datetime) -> dict[str, Any]:
    credentials = catalog.credentials()
    broken = [
        {
            "account_id": credential.account_id,
            "platform": credential.platform,
            "label": credential.label,
            "reason": credential.reason,
        }
        for credential in credentials
        if credential.state != "active"
    ]
    soon = [
        {
            "account_id": credential.account_id,
            "platform": credential.platform,
            "label": credential.label,
            "ends_on": credential.ends_on,
            "days_left": days,
        }
        for credential, days in ending(credentials, now)
    ]
    causes = [f"{one['platform']} {one['label']} of {one['account_id']} ({one['reason']})" for one in broken]
    for credential, days in ending(credentials, now):
        verb = "ended" if days < 0 else "ends"
        causes.append(
            f"{credential.platform} {credential.label} of {credential.account_id} ({verb} on {credential.ends_on})"
        )
    what = "refused" if not soon else "refused, or at their end" if broken else "at their end"
    return _part(DEGRADED if causes else HEALTHY, what, causes, broken=broken, ending=soon)


def _brakes(brakes: Sequence[BrakeState], now: datetime) -> dict[str, Any]:
    on = [
        brake._asdict()
        | {
            "key": brake.key,
            "until": iso_of(brake.until),
            "since": iso_of(brake.since) if brake.since else None,
            "says": says(brake, now),
        }
        for brake in brakes
    ]
    causes = [f"{brake.platform} {brake.profile_id or brake.scope} ({says(brake, now)})" for brake in brakes]
    return _part(DEGRADED if on else HEALTHY, f"{len(on)} on", causes, on=on)


def _store(states: Sequence[StoreState]) -> dict[str, Any]:
    items = [
        {
            "kind": state.kind,
            "name": state.name,
            "resource": state.resource,
            "status": UNHEALTHY if state.reason else HEALTHY,
            "latency_ms": state.latency_ms,
        }
        | ({"reason": state.reason} if state.reason else {})
        for state in states
    ]
    causes = [f"{state.kind} {state.name} ({state.reason})" for state in states if state.reason]
    return _part(UNHEALTHY if causes else HEALTHY, f"{len(causes)} of {len(states)}", causes, items=items)


def _queues(states: Sequence[StoreState], *, dead: bool) -> dict[str, Any]:
    """Those that answered; `store` names the others."""
    ours = {state.name: state.depth for state in states if state.depth and state.depth.dead_letters is dead}
    full = [f"{name} ({depth.visible})" for name, depth in sorted(ours.items()) if dead and depth.visible]
    items = {
        name: {"visible": depth.visible, "in_flight": depth.in_flight, "delayed": depth.delayed}
        for name, depth in sorted(ours.items())
    }
    return _part(DEGRADED if full else HEALTHY, "messages", full, items=items)


def _runs(ledger: Ledger) -> dict[str, Any]:
    """The newest finished run of each workflow among the last ones, without those of `refresh`, and the runs that
    nothing has repaired."""
    runs, _ = ledger.list_runs(RUNS_MEASURED, refreshes=False)
    last: dict[str, Any] = {}
    for run in runs:
        if run.state.is_terminal and run.state is not RunState.CANCELLED:
            last.setdefault(run.workflow, {"run_id": run.run_id, "state": run.state.value, "ended_at": run.ended_at})
    troubled = ledger.troubled_runs.all()
    states = {run.state for run in troubled}
    status = UNHEALTHY if RunState.FAILED in states else DEGRADED if states else HEALTHY
    running = sum(run.state is RunState.RUNNING for run in runs)
    causes = [f"{run.workflow} ({run.state}{': ' if run.reason else ''}{run.reason})" for run in troubled]
    shown = [run._asdict() for run in troubled[: limits.MAX_FAULTS_NAMED]]
    return _part(status, "not repaired", causes, running=running, last=last, troubled=shown)


def _jobs(ledger: Ledger, catalog: Catalog) -> dict[str, Any]:
    """The jobs, and which of them do not do what they are for."""
    jobs = catalog.jobs()
    last = ledger.fired.of(job.job_id for job in jobs)
    accounts = {account.account_id for account in catalog.accounts()} if jobs else set()
    flows = known_flows(catalog) if jobs else frozenset()
    found = {job.name: why for job in jobs if (why := problem(job, accounts, flows, last))}
    items = [{"name": name, "reason": reason} for name, reason in found.items()]
    causes = [f"{name} ({reason})" for name, reason in found.items()]
    return _part(DEGRADED if items else HEALTHY, f"{len(items)} of {len(jobs)}", causes, total=len(jobs), items=items)


def _breaches(breaches: Iterable[Breach]) -> dict[str, Any]:
    """Open breaches, the newest first."""
    found = sorted(breaches, key=lambda one: one.opened_at, reverse=True)
    names = ("cause", "kind", "says", "value", "expected", "since", "opened_at", "do")
    items = [
        one.subject._asdict() | {name: str(getattr(one, name)) for name in names}
        for one in found[: limits.MAX_FAULTS_NAMED]
    ]
    return _part(DEGRADED if found else HEALTHY, f"{len(found)} open", [one.cause for one in found], items=items)


def _faults(ledger: Ledger, catalog: Catalog) -> dict[str, Any]:
    items = [fault._asdict() for fault in ledger.faults.newest()]
    for (pk, sk), reason in (*catalog.unreadable.items(), *ledger.unreadable.items()):
        items.append({"what": f"{pk} {sk}", "reason": f"cannot be read: {reason}", "at": None})
    causes = [f"{item['what']} ({item['reason']})" for item in items]
    shown = items[: limits.MAX_FAULTS_NAMED]
    return _part(DEGRADED if items else HEALTHY, "gone on past", causes, items=shown)
