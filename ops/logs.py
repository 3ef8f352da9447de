"""`adweir logs`: what the functions logged, and what Lambda says of those that it ended or could not start. On AWS the
lines are in CloudWatch; in the sandbox those of the functions that queues call are in a file, and those of the others
in its log groups."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import typer

from adweir.model.times import epoch, iso
from ops.options import Json, target_of
from ops.output import hanging, printable, remark, show_json, span_text
from ops.target import Deployment

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_SPAN = re.compile(r"([1-9]\d{0,3})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_MOST = 200
_MOST_PAGES = 100
"""Of a log group: CloudWatch answers a page for each megabyte or so that it looked through."""
_OUTSIDE = ("api", "authorize", "webhooks")
"""In the sandbox, the functions that no queue calls: the file has no lines of them."""
_IDS = ("task_id", "run_id", "request_id", "message_id")
_IN_FRONT = {"level", "location", "message", "timestamp", "service", "xray_trace_id", *_IDS}
"""What a line for people has in front, or leaves out."""
_TRACEBACK = {"exception", "exception_name", "stack_trace"}
"""One traceback, as text and as data. The text ends with the name and the reason."""
_BY_LAMBDA = re.compile(
    r"\[ERROR\] (\w[\w.]*: [^\n]*)|[^\n]*?(Task timed out after [\d.]+ seconds)|[^\n]*Error: (Runtime exited[^\n]*)"
)
"""Lambda's own lines: a fault that the function did not catch, as of an import that fails; an end from outside."""
_BY_MINISTACK = re.compile(
    r"(?P<at>[\d-]+ [\d:]+) WARNING \[lambda\] ESM: Lambda (?P<function>\S+) failed processing .*?"
    r"\(errorType=(?P<type>\S+) errorMessage=(?P<said>.*?)\)?$"
)
"""The same of the sandbox, in the machine's time."""


class LogFilter(NamedTuple):
    """Which lines: those of a task, those that any id of theirs names, of at least a level, not older than `since`."""

    task: str
    any_id: str
    level: str
    since: datetime

    @property
    def text(self) -> str:
        """What a line has to contain, "" for anything."""
        return self.task or self.any_id

    def has(self, line: Mapping[str, Any], at: datetime) -> bool:
        """Whether a line is wanted."""
        grave = line.get("level") in _LEVELS[_LEVELS.index(self.level) :]
        named = not self.any_id or any(line.get(name) == self.any_id for name in _IDS)
        return grave and at >= self.since and named and self.task in {"", line.get("task_id")}


class LogLine(NamedTuple):
    """A line, and when it was written."""

    at: datetime
    line: Mapping[str, Any]


def span(text: str) -> timedelta:
    """`90m`, `24h`, `7d` → how long that is."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise typer.BadParameter(f"{text!r} is not a span such as 90m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def level_of(text: str) -> str:
    """A level in any case."""
    if text.upper() not in _LEVELS:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(_LEVELS)}")
    return text.upper()


def logs(
    context: typer.Context,
    any_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="Only lines of this run, task, request or message.", show_default=False),
    ] = "",
    task: Annotated[str, typer.Option(help="Only lines of this task.", show_default=False)] = "",
    level: Annotated[
        str, typer.Option(parser=level_of, metavar="LEVEL", help="At least INFO, WARNING or ERROR.")
    ] = "INFO",
    since: Annotated[
        timedelta, typer.Option(parser=span, metavar="SPAN", help="Not older than 90m, 24h, 7d ...")
    ] = "24h",  # type: ignore[assignment] # the parser reads it
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Print what the functions logged, the newest 200 lines, the oldest of them first."""
    target = target_of(context)
    wanted = LogFilter(task, any_id, level, datetime.now(UTC) - since)
    newest = deque(sorted(lines_of(target, wanted), key=lambda found: found.at), maxlen=_MOST)
    for found in newest:
        if as_json:
            show_json(found.line)
        else:
            typer.echo("\n".join(shown(found)))
    if not newest:
        remark(f"no line fits; --since 30d looks further back than {span_text(since.total_seconds())}")
    elif len(newest) == _MOST:
        remark(f"these are the newest {_MOST}: an id, --level or --since chooses others")


def lines_of(target: Deployment, wanted: LogFilter) -> Iterator[LogLine]:
    """The lines that are wanted, of each source the newest at most."""
    names, prefix = _OUTSIDE if target.logs else None, f"{target.outputs['SecretPrefix']}-"
    if target.logs:
        with (target.logs / "ministack.log").open(errors="replace") as lines:
            yield from _newest((_ours(text, wanted) or _of_ministack(text, prefix) for text in lines), wanted)
    yield from _of_groups(target, names, f"/aws/lambda/{prefix}", wanted)


def _newest(lines: Iterable[LogLine | None], wanted: LogFilter) -> deque[LogLine]:
    """The newest lines of a source that are wanted."""
    return deque((found for found in lines if found and wanted.has(found.line, found.at)), maxlen=_MOST)


def _ours(text: str, wanted: LogFilter) -> LogLine | None:
    """A line as our functions write it; None for any other."""
    begin = text.find("{")
    if begin < 0 or wanted.text not in text or '"level"' not in text:
        return None
    try:
        line = json.loads(text[begin:])
        return LogLine(datetime.strptime(line["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z"), line)
    except (ValueError, KeyError, TypeError):
        return None


def _ended(service: str, said: str, at: datetime) -> LogLine:
    line = {"level": "ERROR", "message": f"the function ended: {said}", "timestamp": iso(at), "service": service}
    return LogLine(at, line)


def _of_ministack(text: str, prefix: str) -> LogLine | None:
    if " failed processing " not in text or (found := _BY_MINISTACK.match(text)) is None:
        return None
    at = datetime.strptime(found["at"], "%Y-%m-%d %H:%M:%S").astimezone(UTC)
    return _ended(found["function"].removeprefix(prefix), f"{found['type']}: {found['said']}", at)


def _of_lambda(event: Mapping[str, Any], service: str) -> LogLine | None:
    found = _BY_LAMBDA.match(event["message"])
    if found is None:
        return None
    said = next(part for part in found.groups() if part)
    return _ended(service, said.strip(), datetime.fromtimestamp(event["timestamp"] / 1000, UTC))


def _of_groups(target: Deployment, names: Iterable[str] | None, prefix: str, wanted: LogFilter) -> Iterator[LogLine]:
    """The lines of log groups: those of these functions, or of all."""
    client = target.app().client("logs")
    groups = client.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    for group in sorted(each["logGroupName"] for each in groups):
        name = group.removeprefix(prefix)
        if names is None or name in names:
            events = _events(client, group, wanted)
            yield from _newest((_ours(each["message"], wanted) or _of_lambda(each, name) for each in events), wanted)


def _events(client: Any, group: str, wanted: LogFilter) -> Iterator[Mapping[str, Any]]:
    asked: dict[str, Any] = {"logGroupName": group, "startTime": epoch(wanted.since) * 1000}
    if wanted.text:
        asked["filterPattern"] = f'"{wanted.text}"'
    for _ in range(_MOST_PAGES):
        page = client.filter_log_events(**asked)
        yield from page["events"]
        if not page.get("nextToken"):
            return
        asked["nextToken"] = page["nextToken"]
    remark(f"{group} has more lines than were looked through: give an id, or a shorter --since")


def shown(found: LogLine) -> list[str]:
    """A line for people: when, which function, what; below it what else is known, as KEY=VALUE, and the traceback."""
    line = found.line
    head = f"{found.at:%m-%d %H:%M:%S}  {line.get('service', ''):<12}  {line['level']:<7}  "
    rest = "  ".join(f"{name}={value}" for name, value in line.items() if name not in _IN_FRONT | _TRACEBACK)
    task = f"task_id={line['task_id']}  " if "task_id" in line else ""
    further = hanging("    ", f"{task}{rest}") if task or rest else []
    traceback = [f"    {printable(each)}" for each in str(line.get("exception", "")).splitlines()]
    return [*hanging(head, str(line.get("message", "")), 4), *further, *traceback]
