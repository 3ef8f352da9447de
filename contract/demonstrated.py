"""A sandbox with the demonstration's data, for tools that look at a system that has some."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_DEMO_SECONDS = 900


class ApiDoor(NamedTuple):
    """Where a sandbox's API is, and a key with all scopes."""

    url: str
    key: str


@contextmanager
def demonstrated(home: Path, running: Path | None = None) -> Iterator[ApiDoor]:
    """Run the demonstration in a sandbox below `home`, which is gone afterwards; or take the `running` sandbox.json."""
    if running:
        yield _door(running)
        return
    print("running the demonstration ...", flush=True)
    command = [sys.executable, "-m", "ops.cli", "--home"]
    try:
        demo = [*command, str(home), "demo", "--keep"]
        subprocess.run(demo, check=True, timeout=_DEMO_SECONDS, stdout=subprocess.DEVNULL)
        yield _door(home / "demo" / "sandbox.json")
    finally:
        subprocess.run([*command, str(home / "demo"), "down", "--forget"], check=False, capture_output=True)


def _door(described: Path) -> ApiDoor:
    about = json.loads(described.read_text())
    return ApiDoor(about["api_url"], about["api_key"])
