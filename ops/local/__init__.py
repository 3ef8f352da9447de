"""adweir in one process: the product's own parts on AWS calls that are answered here (`adweir.local`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adweir.library.local import LocalSystem


def open_system(storage: str | Path, *, urls: Mapping[str, Mapping[str, str]], history_days: int) -> LocalSystem:
    """The entry point of `adweir.local`."""
    from ops.local.machine import settings  # noqa: PLC0415  finding the entry point does not load the pipeline
    from ops.local.system import System  # noqa: PLC0415

    return System.opened(storage, settings(urls, history_days))
