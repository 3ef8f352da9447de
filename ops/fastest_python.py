"""Prints which Python makes the environments: `python3`, or a faster build of the same version from the PATH.

pyenv builds Python without profile-guided optimization unless asked to; distributions build with it, and their Python
does the same work in two thirds of the time. This runs before anything is installed, with whichever Python there is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_FASTER = 1.15
"""How many times as fast another build has to be: less is not worth a surprise."""
_SECONDS = 10
_PROBE = """
import ensurepip, sys, time, venv

class Row:
    def __init__(self, number):
        self.number, self.text = number, str(number)

def work():
    began, found = time.process_time(), {}
    for number in range(30_000):
        row = Row(number)
        found[row.text[-3:]] = found.get(row.text[-3:], 0) + row.number
    return time.process_time() - began

print(min(work() for _ in range(7)), sys.executable)
"""


class Timed(NamedTuple):
    """A Python that can make environments, and the CPU seconds that it takes for the same work."""

    seconds: float
    path: str


def timed(python: str) -> Timed | None:
    """How fast a Python is; None where it does not run, or has no venv and pip."""
    try:
        done = subprocess.run(  # noqa: S603  a Python of the PATH, which runs this as well
            [python, "-I", "-c", _PROBE], capture_output=True, timeout=_SECONDS, check=True, text=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    seconds, path = done.stdout.split(maxsplit=1)
    return Timed(float(seconds), path.strip())


def builds(version: str, folders: Iterable[str]) -> list[str]:
    """The files in these folders that are called as a Python of this version (`3.11`) is, each once."""
    files = (Path(folder) / f"python{version}" for folder in folders)
    found: dict[Path, str] = {}
    for file in files:
        if file.is_file() and os.access(file, os.X_OK):
            found.setdefault(file.resolve(), str(file))
    return list(found.values())


def fastest(own: Timed, others: Iterable[Timed]) -> Timed:
    """The fastest; `own` where none is clearly faster."""
    best = min(others, default=own)
    return best if best.seconds * _FASTER < own.seconds else own


def main() -> None:
    """Print its path."""
    own = timed(sys.executable)
    if own is None:  # whoever makes the environment with it reports what it lacks
        print(sys.executable)
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = map(timed, builds(version, os.environ.get("PATH", "").split(os.pathsep)))
    best = fastest(own, [each for each in found if each and not Path(each.path).samefile(own.path)])
    if best is not own:
        said = f"{best.path} is {own.seconds / best.seconds:.1f} times as fast as python3 ({own.path}) and is used"
        print(f"{said}; PYTHON=python3 uses python3.", file=sys.stderr)
    print(best.path)


if __name__ == "__main__":
    main()
