"""What the outside world remembers over a restart: its seed, its first day, its clock, its open reports."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.files import replace_text


@dataclass
class State:
    """`anchor` is the first today; `follow` (no explicit anchor) lets a later start catch up with the calendar."""

    seed: int
    anchor: str
    offset_seconds: int = 0
    follow: bool = False
    report_number: int = 0
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None, seed: int, anchor: date | None, today: date) -> State:
        """The stored state, or a new one. An anchor other than the stored one starts a new world."""
        if path and path.exists():
            state = cls(**json.loads(path.read_text(encoding="utf-8")))
            if anchor is None or state.anchor == anchor.isoformat():
                return state
        return cls(seed, (anchor or today).isoformat(), follow=anchor is None)

    def save(self, path: Path | None) -> None:
        """Write the file, if there is one."""
        if path is not None:
            replace_text(path, json.dumps(asdict(self)))
