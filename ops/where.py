"""Where a command works: the sandbox of a folder, or a stack on AWS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""


@dataclass(frozen=True)
class Where:
    """What the options of every command choose."""

    home: Path = ROOT / ".adweir"
    stack: str = ""
    profile: str = ""
    region: str = ""
    no_input: bool = False

    @property
    def words(self) -> str:
        """For questions: on what something is going to be done."""
        return f"the stack {self.stack} on AWS" if self.stack else "the sandbox"
