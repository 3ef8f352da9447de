"""What a load leaves in quarantine, as the list of the quarantine keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.quality.quarantine import Quarantine


class HeldBack(NamedTuple):
    """The rows of one object that were refused: how many, by rule, the first of them, and the objects that keep them.

    `version_id`: of a dropped file its version. `personal`: they are personal data. `start` and `end`: the days that
    the object is about, `first_day` and `last_day` those of the refused rows where all say theirs.
    """

    rows: int = 0
    reasons: Mapping[str, int] = {}
    first: tuple[dict[str, Any], ...] = ()
    keys: tuple[str, ...] = ()
    version_id: str = ""
    personal: bool = False
    start: str = ""
    end: str = ""
    slice: str = ""
    first_day: str = ""
    last_day: str = ""

    @classmethod
    def of(cls, quarantine: Quarantine, key: str) -> HeldBack:
        """The rows that were collected and stored under a key."""
        reasons = dict(quarantine.reasons.most_common(limits.MAX_DROP_REASONS))
        return cls(quarantine.rows, reasons, tuple(quarantine.named), (key,) if key else ())

    def plus(self, other: HeldBack) -> HeldBack:
        """Those of two parts of the object."""
        reasons = dict((Counter(self.reasons) + Counter(other.reasons)).most_common(limits.MAX_DROP_REASONS))
        first = (*self.first, *other.first)[: limits.MAX_QUARANTINED_NAMED]
        return self._replace(rows=self.rows + other.rows, reasons=reasons, first=first, keys=self.keys + other.keys)
