"""Which budgets a campaign had before, and since when each was listed.

A platform lists what a budget is now. Why spend rose weeks ago is a question about the budget of that day, so what
earlier lists said is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from adweir.model import limits

_LISTED_AFTER = 2
"""Days after a day until what changed on it is listed: the next day's run lists it, and days of lists are of UTC, those
of numbers of the ad account's time zone."""


class ListedBudget(BaseModel):
    """A campaign's budget in millionths from a day on: the UTC day of the first list with it, "" where no list said
    otherwise before. `kind` is its `budget_type`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    amount: int | None = None
    kind: str = ""
    since: str = ""


class ReplacedBudget(NamedTuple):
    """A budget of one kind that was replaced by another, by the list of the day `listed`."""

    listed: str
    before: int
    after: int

    @property
    def sign(self) -> int:
        return 1 if self.after > self.before else -1


def continued_budgets(now: Mapping[str, Any], before: Mapping[str, Any], day: str) -> list[dict[str, Any]]:
    """The budgets of a campaign by its newest list and by what was stored before; none where it never changed."""
    known = [dict(each) for each in before.get("budgets") or ()]
    was, listed = (_budget(each) for each in (before, now))
    if was == listed:
        return known
    return [*(known or [was | {"since": ""}]), listed | {"since": day}][-limits.MAX_KEPT_BUDGETS :]


def changes_around(budgets: Sequence[ListedBudget], day: date) -> Iterable[ReplacedBudget]:
    """The changes that can have been made on a day or the one before, where the kind of budget stayed the same."""
    first, last = (day - timedelta(days=1)).isoformat(), (day + timedelta(days=_LISTED_AFTER)).isoformat()
    for before, after in pairwise(budgets):
        is_same_kind = before.kind == after.kind and before.amount != after.amount
        if is_same_kind and before.amount and after.amount and first <= after.since <= last:
            yield ReplacedBudget(after.since, before.amount, after.amount)


def _budget(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"amount": body.get("budget"), "kind": body.get("budget_type") or ""}
