"""adweir's own ids: a prefix that says what the id names, then an underscore (`acc_5f0c…`).

Users say "account" and "campaign" both for the platform's and for their own. A caller may send either kind of id under
the same name: the prefix says which one it is (docs/data-model.md, "Ids, times and ranges").
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum

DIGITS = 20
"""Random hex digits of an id: 80 bits."""

NewId = Callable[[], str]
"""The injected source of random ids: 32 hex digits."""


class IdKind(StrEnum):
    """What an id names; the value is its prefix."""

    ACCOUNT = "acc"
    CAMPAIGN = "cmp"
    ARM = "arm"
    KEY = "key"
    RUN = "run"
    JOB = "job"
    REPLAY = "rpl"
    EXPORT = "exp"
    QUARANTINE = "qrn"
    ANOMALY = "ano"

    def make(self, new_id: NewId) -> str:
        """A new id of this kind."""
        return self.of(new_id()[:DIGITS])

    def of(self, rest: str) -> str:
        """The id of this kind with this remainder."""
        return f"{self.value}_{rest}"

    def names(self, text: str) -> bool:
        """Whether `text` is an id of this kind. An id of a platform never is: none begins with one of our prefixes."""
        return text.startswith(f"{self.value}_")


def run_id_for(workflow: str, at: datetime, unique: str) -> str:
    """`run_daily-20261121T053000-5f0c1a2b`: a run's id says what ran and for when. `at` without a zone means UTC."""
    instant = at.astimezone(UTC) if at.tzinfo else at
    return IdKind.RUN.of(f"{workflow}-{instant:%Y%m%dT%H%M%S}-{unique[:8]}")
