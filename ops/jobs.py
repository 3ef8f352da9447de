"""`adweir jobs`: workflows that start by themselves. The same checks and the same schedules as through the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from adweir.model.jobs import ScheduledJob
from adweir.model.schedules import ScheduleType
from adweir.pipeline.jobs import checks
from adweir.pipeline.jobs.shown import shown_jobs
from adweir.pipeline.pipelines import from_text
from adweir.pipeline.recorded import job_changes
from adweir.pipeline.starting import ask_for
from adweir.runtime.app import App
from ops import deeds
from ops.errors import CommandFailed
from ops.options import Json, Yes, app_of, group
from ops.output import argument_text, confirm, remark, show_outcome

jobs = group("Make, change and look at jobs: workflows that start by themselves.")

_LISTS = {"account": "accounts", "profile": "profiles", "platform": "platforms"}
_WHEN = "when"
_FORMS = "hourly [MINUTE], daily HH:MM, weekly DAY HH:MM, every NUMBER minutes|hours|days, cron EXPRESSION"
Name = Annotated[str, typer.Argument(help="The job's name.", show_default=False)]
Fields = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FIELD=VALUE",
        help="timezone, account, profile, platform (these may be repeated), lookback_days, datasets, slice, start, end,"
        " and a pipeline's arguments as `workflows run` takes them.",
        show_default=False,
    ),
]


@jobs.command("list")
def list_jobs(context: typer.Context, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Show all jobs, each with its next time."""
    app = app_of(context)
    found = _shown(app, app.catalog.jobs())
    for job in found:
        _print(job, 1, as_json=as_json)
    if not found:
        remark("there is no job: adweir jobs create --help")


@jobs.command()
def show(context: typer.Context, name: Name, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Show a job, its next times and what came of the last one."""
    app = app_of(context)
    (job,) = _shown(app, [app.catalog.job(name)])
    _print(job, as_json=as_json)


@jobs.command()
def create(
    context: typer.Context,
    name: Name,
    workflow: Annotated[str, typer.Argument(help="The workflow that it starts.", show_default=False)],
    when: Annotated[str, typer.Argument(help=f"When it fires, as one argument: {_FORMS}.", show_default=False)],
    fields: Fields = None,
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Create a job: adweir jobs create nightly daily "daily 05:30" timezone=Europe/Berlin"""
    given = _read([f"workflow={workflow}", f"{_WHEN}={when}", *(fields or [])])
    app = app_of(context)
    _done(app, "create job", app.jobs.create({**given, "name": name}), None, as_json=as_json)


@jobs.command()
def change(
    context: typer.Context,
    name: Name,
    fields: Annotated[
        list[str],
        typer.Argument(metavar="FIELD=VALUE", help="workflow, when, and what create takes; no value empties a field."),
    ],
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Change fields of a job; the others stay. What was due before still runs."""
    changes = _read(fields)
    app = app_of(context)
    was = app.catalog.job(name)
    _done(app, "change job", app.jobs.change(name, changes), was, as_json=as_json)


@jobs.command()
def pause(context: typer.Context, name: Name, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Fire no more until the job is resumed; runs that it started go on."""
    app = app_of(context)
    was = app.catalog.job(name)
    _done(app, "pause job", app.jobs.pause(name), was, as_json=as_json)


@jobs.command()
def resume(context: typer.Context, name: Name, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Fire again from the next time on."""
    app = app_of(context)
    was = app.catalog.job(name)
    _done(app, "resume job", app.jobs.resume(name), was, as_json=as_json)


@jobs.command()
def run(context: typer.Context, name: Name, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Start the job's workflow now; prints the run's id."""
    app = app_of(context)
    run_id = ask_for(app.ledger, app.queues.runs, app.jobs.run(name))
    deeds.note(app, "run job", name, f"run_id {run_id}", kind="job")
    show_outcome({"run_id": run_id}, run_id, as_json=as_json)


@jobs.command()
def remove(
    context: typer.Context,
    name: Name,
    yes: Yes = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Remove the job and its schedule; runs that it started go on."""
    app = app_of(context)
    confirm(context, f"Remove job {app.catalog.job(name).name} and its schedule", yes=yes)
    app.jobs.remove(name)
    deeds.note(app, "remove job", name, "removed", kind="job")
    show_outcome({"name": name, "status": "removed"}, f"removed {name}", as_json=as_json)


def _done(app: App, deed: str, job: ScheduledJob, was: ScheduledJob | None, *, as_json: bool) -> None:
    deeds.note(app, deed, job.name, f"version {job.version}", kind="job", changes=job_changes(was, job))
    warnings = [*checks.left_out(app.catalog, job, app.stage_kinds), *checks.warnings(job, app.clock.now())]
    (shown,) = _shown(app, [job])
    _print(shown | {"warnings": warnings}, as_json=as_json)


def _shown(app: App, found: Sequence[ScheduledJob]) -> list[dict[str, Any]]:
    return shown_jobs(found, app.catalog, app.ledger, app.clock.now())


def _print(job: Mapping[str, Any], times: int = checks.NEXT_RUNS, *, as_json: bool) -> None:
    """Print a job of `shown_jobs`, for people with so many of its next times."""
    show_outcome(job, "\n".join(_lines(job, times)), as_json=as_json)


def _lines(job: Mapping[str, Any], times: int) -> Iterator[str]:
    """A job as people read it."""
    when = " ".join(map(str, job["schedule"].values()))
    yield f"{job['name']}: {job['workflow']}, {when}, {job['timezone']}, {job['state']}"
    covers = {name: job[name] for name in _LISTS.values()} | job["args"]
    rows = [(name, argument_text(value)) for name, value in covers.items() if value != []]
    wide = max(12, *(len(name) for name, _ in rows), 0)
    for name, text in (*rows, *_rows(job, times)):
        yield f"  {name:{wide}} {text}"


def _rows(job: Mapping[str, Any], times: int) -> Iterator[tuple[str, str]]:
    """What is said of a job beside what it covers, each with its name."""
    if job["lookback_days"]:
        yield "pulls again", f"{job['lookback_days']} days"
    for place, text in enumerate(job["next_runs"][:times]):
        at = datetime.fromisoformat(text).astimezone(ZoneInfo(job["timezone"]))
        as_utc = f" ({at.astimezone(UTC):%Y-%m-%d %H:%M} UTC)" if at.tzname() != "UTC" else ""
        yield "then" if place else "next", f"{at:%Y-%m-%d %H:%M %Z}{as_utc}"
    if fired := job["last_fired"]:
        yield "last", f"{fired['scheduled_at'][:16]}Z {fired['outcome']} {fired['run_id'] or fired['reason']}"
    if job["problem"]:
        yield "problem", job["problem"]
    for warning in job.get("warnings", ()):
        yield "note", warning


def _read(given: Sequence[str]) -> dict[str, Any]:
    """`FIELD=VALUE` texts as the fields of a job. Raises CommandFailed."""
    fields: dict[str, Any] = {}
    args: dict[str, Any] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator:
            raise CommandFailed(f"{text!r} is not FIELD=VALUE")
        if name == _WHEN:
            fields["schedule"] = _schedule(value)
        elif name in _LISTS:
            fields.setdefault(_LISTS[name], []).extend([value] if value else [])
        elif name == "lookback_days":
            fields[name] = _number(name, value or "0")
        elif name in {"timezone", "workflow"}:
            fields[name] = value
        else:
            args[name] = [one for one in value.split(",") if one] if name == "datasets" else from_text(name, value)
    kept = {name: value for name, value in args.items() if value not in ("", [])}
    return fields | ({"args": kept} if args else {})


def _schedule(text: str) -> dict[str, Any]:
    """`weekly monday 08:00` → the schedule. Raises CommandFailed."""
    kind, _, rest = text.strip().partition(" ")
    words = rest.split()
    match kind.lower(), words:
        case "hourly", []:
            return {"type": ScheduleType.HOURLY}
        case "hourly", [minute]:
            return {"type": ScheduleType.HOURLY, "minute": _number("the minute of hourly", minute)}
        case "daily", [at]:
            return {"type": ScheduleType.DAILY, "at": at}
        case "weekly", [day, at]:
            return {"type": ScheduleType.WEEKLY, "weekday": day, "at": at}
        case "every", [_, *_]:
            return {"type": ScheduleType.INTERVAL, "every": " ".join(words)}
        case "cron", [_, *_]:
            return {"type": ScheduleType.CRON, "cron": " ".join(words)}
    raise CommandFailed(f"{text!r} does not say when. It has one of these forms: {_FORMS}")


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise CommandFailed(f"{name} is a whole number, and {text[:20]!r} is not")
    return int(text)
