"""`adweir.local` for tests: a system whose waits pass at once, and the metadata by which it is found."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops.local.machine import settings
from ops.local.system import System
from support.clock import FrozenClock
from support.template import ROOT


def quick(
    storage: str | Path, *, urls: Mapping[str, Mapping[str, str]], history_days: int = 7, later: float = 0
) -> System:
    """A system that never waits: its clock moves on instead. It begins now, or so many seconds later."""
    clock = FrozenClock(datetime.now(UTC) + timedelta(seconds=later))
    return System.opened(storage, settings(urls, history_days), clock, clock.advance)


@contextmanager
def found(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The entry points are those of pyproject.toml, whatever of adweir is installed; systems never wait."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    about = folder / "adweir-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: adweir\nVersion: 0\n")
    lines = (
        f"[{group}]\n" + "".join(f"{name} = {at}\n" for name, at in named.items()) for group, named in groups.items()
    )
    (about / "entry_points.txt").write_text("".join(lines))
    with patch.context() as patched:
        patched.syspath_prepend(str(folder))
        patched.setattr("ops.local.open_system", quick)
        yield
