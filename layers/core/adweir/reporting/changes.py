"""The numbers that changed since a moment: old and new, when, how late, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.metrics import METRICS, Level, Slot
from adweir.model.money import to_units
from adweir.model.times import HOURS_A_DAY, iso
from adweir.reporting.levels import FINENESS
from adweir.store.metrics.store import Change

_COUNTS = 2


class ChangeList(NamedTuple):
    """The first changes, in the order in which they were stored, and how many there are in all."""

    records: list[dict[str, Any]]
    total: int

    @property
    def answer(self) -> dict[str, Any]:
        """What an answer says."""
        return {"changes": self.records, "changes_total": self.total}


class ChangedRow(NamedTuple):
    """A change of a profile's row at a level. `ids` are the row's ids by name."""

    profile: Profile
    level: Level
    ids: Mapping[str, str | None]
    change: Change


def listed(found: Iterator[ChangedRow]) -> ChangeList:
    """Changes as records, at most `limits.MAX_LISTED_CHANGES` of them."""
    kept: list[ChangedRow] = []
    total = 0
    for total, row in enumerate(found, 1):
        if total <= limits.MAX_LISTED_CHANGES:
            kept.append(row)
    kept.sort(key=lambda row: row.change.at)
    return ChangeList([_record(row) for row in kept], total)


def answering_levels(asked: Level, sums_to_parent: Mapping[Level, bool]) -> Sequence[Level]:
    """The levels whose changes can show at a level: itself, and finer ones as long as they sum to their parents.

    `sums_to_parent`: what a platform serves, and whether it does.
    """
    levels = [asked]
    if asked not in FINENESS:
        return levels
    for finer in FINENESS[FINENESS.index(asked) + 1 :]:
        if finer not in sums_to_parent:
            continue
        if not sums_to_parent[finer]:
            break
        levels.append(finer)
    return levels


def _record(row: ChangedRow) -> dict[str, Any]:
    at, header, slot = row.change.at, row.change.header, row.change.slot
    old = (row.change.old_currency or row.profile.currency) if slot.old else None
    new = (row.change.new_currency or row.profile.currency) if slot.new else None
    hour = {} if slot.hour is None else {"hour": slot.hour % HOURS_A_DAY}
    return {
        "platform": str(row.profile.platform),
        "profile_id": row.profile.shown_id,
        "account_id": row.profile.shown_id,
        "client_account_id": row.profile.account_id,
        "level": row.level.value,
        **row.ids,
        "date": slot.day,
        **hour,
        "source": header.source,
        "old": _numbers(slot.old),
        "new": _numbers(slot.new),
        "old_mark": slot.old_mark.value,
        "new_mark": slot.new_mark.value,
        "old_currency": old,
        "currency": new or old,
        "lag_days": slot.lag,
        "cause": slot.cause.value,
        "changed_at": iso(at),
        "pulled_at": header.as_of,
        "task_id": header.task_id,
    }


def _numbers(slot: Slot | None) -> dict[str, Any] | None:
    if slot is None:
        return None
    values = [number if place < _COUNTS else to_units(number) for place, number in enumerate(slot)]
    return dict(zip(METRICS, values, strict=True))
