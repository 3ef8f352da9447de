"""How fast the sandbox runs, and where its functions reach AWS and the platforms: what no deployment on AWS changes."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_TIMEOUTS: Final = {
    "sandbox": {
        "Orchestrate": 20,
        "Collect": 20,
        "PollReports": 20,
        "Validate": 30,
        "Etl": 60,
        "Curate": 60,
        "Detect": 60,
        "Learn": 60,
        "Enrich": 60,
        "Features": 60,
    },
    "drill": {
        "Orchestrate": 5,
        "Collect": 5,
        "PollReports": 5,
        "Validate": 5,
        "Etl": 20,
        "Curate": 20,
        "Detect": 20,
        "Learn": 20,
        "Enrich": 20,
        "Features": 20,
    },
}
"""Seconds by function, where they differ from AWS's. `drill` is for tests that kill workers, but none of
those that compute: a busy machine needs longer for these.
"""
_SECONDS: Final = {
    "sandbox": {"ReportTimeout": 300, "TaskDeadline": 1200, "StaleAfter": 240, "StreamWindow": 1},
    "drill": {"ReportTimeout": 60, "TaskDeadline": 60, "StaleAfter": 20, "StreamWindow": 1},
}
"""The sandbox's queues are minutes long when many ad accounts are pulled at once; what only waits there is not to be
sent again.
"""
PACES: Final = tuple(_TIMEOUTS)
_READERS: Final = {
    "Runs": "Orchestrate",
    "Collect": "Collect",
    "Reports": "PollReports",
    "Landing": "Validate",
    "Etl": "Etl",
    "Curate": "Curate",
    "Detect": "Detect",
    "Learn": "Learn",
    "Enrich": "Enrich",
    "Features": "Features",
    "Stream": "Stream",
}
"""By queue the function that reads it."""


@dataclass(frozen=True)
class Surroundings:
    """A pace, the endpoint that stands in for AWS, and each platform's base URLs."""

    pace: str
    endpoint: str
    platform_urls: dict[str, dict[str, str]]


def in_the_sandbox(template: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    """A copy of the parsed template.yaml whose functions run at this pace and ask only this machine."""
    changed = template | {"Mappings": template["Mappings"] | {"Pace": _pace(template["Mappings"]["Pace"], around.pace)}}
    changed["Globals"] = copy.deepcopy(template["Globals"])
    changed["Globals"]["Function"]["Environment"]["Variables"] |= {
        "AWS_ENDPOINT_URL": around.endpoint,
        "PLATFORM_URLS": json.dumps(around.platform_urls),
    }
    return changed


def with_numbers(node: Any, parameters: Mapping[str, str]) -> Any:
    """The template with numbers where event sources refer to parameters: MiniStack hands parameters on as text."""
    if isinstance(node, list):
        return [with_numbers(item, parameters) for item in node]
    if not isinstance(node, Mapping):
        return node
    changed = {key: with_numbers(value, parameters) for key, value in node.items()}
    if "MaximumConcurrency" in changed:
        changed["MaximumConcurrency"] = int(parameters[changed["MaximumConcurrency"]["Ref"]])
    return changed


def _pace(on_aws: dict[str, dict[str, Any]], pace: str) -> dict[str, dict[str, Any]]:
    """The mapping Pace: time-outs, and what follows from them (docs/decisions.md)."""
    timeouts = {function: int(seconds) for function, seconds in on_aws["Timeout"].items()} | _TIMEOUTS[pace]
    seconds = on_aws["Seconds"] | {"Poll": 1, "PollMax": 2} | _SECONDS[pace]
    return {
        "Timeout": {function: str(timeout) for function, timeout in timeouts.items()},
        "P99": {function: 800 * timeout for function, timeout in timeouts.items()},
        "Visibility": {queue: 6 * timeouts[reader] for queue, reader in _READERS.items()},
        "Seconds": {name: str(value) for name, value in seconds.items()},
    }
