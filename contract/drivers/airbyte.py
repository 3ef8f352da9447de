"""An Airbyte source by its own command, as its image runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from driver import command

Configuration = Mapping[str, Any]
Records = Iterator[tuple[str, dict[str, Any]]]


class Source:
    """A source: `program` is its command, `configuration` what its user enters. Its streams are discovered once."""

    _discovered: ClassVar[dict[str, dict[str, dict[str, Any]]]] = {}

    def __init__(self, program: str, configuration: Configuration) -> None:
        self._program = program
        self._configuration = configuration
        if program not in self._discovered:
            [catalog] = (m["catalog"] for m in self._said("discover") if m["type"] == "CATALOG")
            self._discovered[program] = {stream["name"]: stream for stream in catalog["streams"]}
        self._streams = self._discovered[program]

    def read(self, names: Sequence[str], state: Configuration | None = None) -> Records:
        """Stream and record by record. `state`: by stream, where an earlier read ended."""
        kinds = {True: "incremental", False: "full_refresh"}
        streams = [
            {
                "stream": self._streams[name],
                "sync_mode": kinds["incremental" in self._streams[name]["supported_sync_modes"]],
                "destination_sync_mode": "append",
            }
            for name in names
        ]
        states = [
            {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": value}}
            for name, value in (state or {}).items()
        ]
        for message in self._said("read", catalog={"streams": streams}, state=states):
            if message["type"] == "RECORD":
                yield message["record"]["stream"], message["record"]["data"]

    def _said(self, verb: str, **files: Any) -> Iterator[dict[str, Any]]:
        """The source's messages. Raises RuntimeError at their end when it failed."""
        arguments = [verb]
        for name, content in {"config": self._configuration, **files}.items():
            Path(f"{name}.json").write_text(json.dumps(content))
            arguments += [f"--{name}", f"{name}.json"]
        printed, fault = command(self._program, *arguments)
        for message in map(json.loads, printed.splitlines()):
            if message["type"] == "TRACE" and message["trace"]["type"] == "ERROR":
                fault += f" {message['trace']['error']['message']}"
            yield message
        if fault:
            raise RuntimeError(fault)
