"""A virtual environment per client or tool, made when it is missing or its versions have changed."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

INSTALL_SECONDS = 900
_CONSTRAINTS = Path(__file__).resolve().parent / "constraints"


class Installable(Protocol):
    """What an environment is made for: the package as the index calls it, and the versions of all that it needs.

    `extras` are those of the package: `[duckdb]`. `alone`: only what the constraints name is installed, whatever else
    the package asks for.
    """

    @property
    def package(self) -> str: ...
    @property
    def constraints(self) -> Path: ...
    @property
    def extras(self) -> str: ...
    @property
    def alone(self) -> bool: ...


@dataclass(frozen=True)
class Tool:
    """A checker of others: its package, with all versions in constraints/<package>.txt."""

    package: str
    extras: str = ""
    alone: bool = False

    @property
    def constraints(self) -> Path:
        return _CONSTRAINTS / f"{self.package}.txt"


class NotInstalled(Exception):
    """The client cannot be installed here; the text says why in one line."""


def interpreter(client: Installable, home: Path) -> Path:
    """The Python of the client's environment below `home`. Raises NotInstalled."""
    place = home / client.package
    python, ready = place / "bin" / "python", place / ".ready"
    wanted = client.constraints.read_text()
    if ready.exists() and ready.read_text() == wanted:
        return python
    venv.create(place, clear=True, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if client.alone:
        command += ["--no-deps", "--requirement", str(client.constraints)]
    else:
        command += ["--constraint", str(client.constraints), f"{client.package}{client.extras}"]
    try:
        done = subprocess.run(
            command, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"pip took longer than {INSTALL_SECONDS} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
        release = ".".join(str(part) for part in sys.version_info[:2])
        raise NotInstalled(f"Python {release}: {lines[0].removeprefix('ERROR: ')[:200]}")
    ready.write_text(wanted)
    return python
