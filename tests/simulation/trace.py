"""What happened, in order, in words: kept when a seed is replayed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.aws.refusals import Refused
from simulation.scheduler import Scheduler

_PLACEHOLDER = re.compile(r"[#:]\w+")


class Trace:
    """The lines of a run; with `keep=False` there are none, and they cost nothing."""

    def __init__(self, scheduler: Scheduler, *, keep: bool) -> None:
        self._scheduler = scheduler
        self._began = scheduler.now
        self.keep = keep
        self.lines: list[str] = []

    def say(self, what: str) -> None:
        """Add a line: when, who, what."""
        if self.keep:
            worker = self._scheduler.current
            at = self._scheduler.now - self._began
            self.lines.append(f"{at:10.3f}  {worker.name if worker else '':<18}  {what}")

    def call(
        self, service: str, operation: str, params: Mapping[str, Any], fault: object | None, refused: Refused | None
    ) -> None:
        """Add a call of AWS."""
        if self.keep:
            said = f"{service} {operation} {_about(operation, params)}"
            said += f"  -> {refused.code}" if refused else ""
            self.say(said + (f"  !! {fault}" if fault else ""))


def _about(operation: str, params: Mapping[str, Any]) -> str:
    """What a call is about, in a few words."""
    if "RequestItems" in params:
        said = [_batch(each) for asked in params["RequestItems"].values() for each in _entries(asked)]
    elif isinstance(params.get("Key"), dict):
        said = [_key(params["Key"]), _changes(params)]
    elif "Item" in params:
        said = [_key(params["Item"]), _state(params["Item"])]
    elif operation == "Query":
        said = [str(value["S"]) for value in params["ExpressionAttributeValues"].values() if "S" in value]
    elif "QueueUrl" in params:
        bodies = [entry["MessageBody"] for entry in params.get("Entries", [params]) if "MessageBody" in entry]
        said = [params["QueueUrl"].rpartition("/")[2], *bodies, str(params.get("DelaySeconds", ""))]
    elif "Entries" in params:
        said = [f"{entry['DetailType']} {entry['Detail']}" for entry in params["Entries"]]
    else:
        said = [str(params.get(name, "")) for name in ("Key", "Prefix", "SecretId")]
    return " ".join(filter(None, said))


def _entries(asked: Any) -> list[Any]:
    return list(asked["Keys"] if isinstance(asked, dict) else asked)


def _batch(each: Mapping[str, Any]) -> str:
    if "PutRequest" in each:
        return f"put {_key(each['PutRequest']['Item'])};"
    return f"delete {_key(each['DeleteRequest']['Key'])};" if "DeleteRequest" in each else f"{_key(each)};"


def _key(item: Mapping[str, Any]) -> str:
    return f"{item['pk']['S']}|{item['sk']['S']}"


def _state(item: Mapping[str, Any]) -> str:
    shown = {name: next(iter(item[name].values())) for name in ("state", "version", "fence", "loading") if name in item}
    return " ".join(f"{name}={value}" for name, value in shown.items())


def _changes(params: Mapping[str, Any]) -> str:
    """An update's expressions with their names and values filled in."""
    said = f"{params.get('UpdateExpression', '')}"
    if params.get("ConditionExpression"):
        said += f" if {params['ConditionExpression']}"
    filled = dict(params.get("ExpressionAttributeNames") or {})
    filled |= {
        name: str(next(iter(value.values()))) for name, value in (params.get("ExpressionAttributeValues") or {}).items()
    }
    return _PLACEHOLDER.sub(lambda match: filled.get(match[0], match[0]), said)
