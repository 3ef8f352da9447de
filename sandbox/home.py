"""A sandbox's folder, and what its description says: what each command needs, without what starts a sandbox."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import processes
from sandbox.processes import SandboxError

REGION = "us-east-1"
ACCESS_KEY = "sandbox"
SECRET_KEY = "sandbox"  # noqa: S105  MiniStack checks no secret


def aws_environment(endpoint: str) -> dict[str, str]:
    """The variables that point any AWS SDK to this MiniStack."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@dataclass(frozen=True)
class Home:
    """The folder of a sandbox: its state, logs, ports and the record of its processes."""

    path: Path

    @property
    def description(self) -> Path:
        return self.path / "sandbox.json"

    @property
    def world(self) -> Path:
        return self.path / "world.json"

    @property
    def running(self) -> Path:
        return self.path / "processes.json"

    @property
    def ports(self) -> Path:
        return self.path / "ports.json"

    def read(self) -> dict[str, Any]:
        """The content of sandbox.json. Raises SandboxError when the sandbox was never up."""
        if not self.description.exists():
            raise SandboxError("the sandbox has not been started here: adweir up")
        found: dict[str, Any] = json.loads(self.description.read_text())
        return found

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One `up` or `down` at a time."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SandboxError("another adweir up or down is running here") from None
            yield


def states_of(home: Home) -> dict[str, str]:
    """By process name, `running` or `stopped`."""
    found = {"ministack": "stopped", "platforms": "stopped", "clock": "stopped"}
    return found | {p.name: "running" if p.alive() else "stopped" for p in processes.load(home.running)}


def environment_of(description: dict[str, Any]) -> dict[str, str]:
    """The variables that point any AWS SDK at a described sandbox."""
    return aws_environment(description["aws_endpoint_url"])
