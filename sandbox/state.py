"""What the outside world remembers over a restart: seed, first day, clock, open reports, and what happened."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.files import replace_text

SEED = 7
"""The world's, unless it is given another one."""


@dataclass
class State:
    """`anchor` is the first today; `follow` (no explicit anchor) lets a later start catch up with the calendar.

    `awkward`: whether the awkward clients live in it. `crowd`: how many small ad accounts a crowd of clients has
    there, from the world's beginning. `kept`: by platform, what else it remembers.
    """

    seed: int
    anchor: str
    offset_seconds: int = 0
    follow: bool = False
    report_number: int = 0
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    awkward: bool = False
    happenings: list[dict[str, Any]] = field(default_factory=list)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    crowd: int = 0

    @classmethod
    def load(cls, path: Path | None, seed: int, anchor: date | None, today: date, *, awkward: bool = False) -> State:
        """The stored state, or a new one. An anchor other than the stored one starts a new world.

        Awkward clients move into a stored world too; they never leave.
        """
        if path and path.exists():
            state = cls(**json.loads(path.read_text(encoding="utf-8")))
            if anchor is None or state.anchor == anchor.isoformat():
                state.awkward = state.awkward or awkward
                return state
        return cls(seed, (anchor or today).isoformat(), follow=anchor is None, awkward=awkward)

    def save(self, path: Path | None) -> None:
        """Write the file, if there is one."""
        if path is not None:
            replace_text(path, json.dumps(asdict(self)))
