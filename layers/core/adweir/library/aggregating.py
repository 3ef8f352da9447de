"""`adweir.aggregate`: sums of canonical rows, with the ratios that follow from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from adweir.library.combining import with_own_platform
from adweir.model import limits
from adweir.model.errors import BadInput, TooLarge, Unprocessable
from adweir.model.metrics import METRICS, Slot
from adweir.model.money import rounded
from adweir.quality.canonical import COUNTS, DAILY
from adweir.quality.values import as_date, is_integer, is_number
from adweir.reporting.breakdowns import DIMENSIONS
from adweir.reporting.totals import RowSum, measures

Row = Mapping[str, Any]
GRAINS = ("day", "week", "month", "total")
SHORT = {name: f"{name}_id" for name in ("account", "campaign", "ad_group", "ad", "keyword")}
"""Names of groups that may be given for the field that holds their id."""
_LEVELS = ("keyword_id", "ad_id", "ad_group_id", "campaign_id")
"""The finest first; a row without any of these ids is of the whole ad account."""
_SHOWN = 60
_Group = tuple[Any, ...]


def aggregate(data: Iterable[Row], by: str | Sequence[str] = (), grain: str = "total") -> list[dict[str, Any]]:
    """Sum rows → a row per group, ordered by it: the fields of `by`, the period, `currency`, and all metrics.

    `by` are fields of the rows (`platform`, `campaign_id`, or `campaign` for short, …), `grain` is `day` (`date`),
    `week` (`week`, its Monday), `month` (`month`, as `2026-11`) or `total`. Numbers of account days (`daily_spend`)
    count as well. A platform goes by any of its names, and its own is shown. Amounts of different currencies are never
    added: `currency` is always part of the group. Ratios follow from the sums. A number that no row of a group has is
    None; `unknown` says of how many rows a sum lacks one. What has more than six decimals is rounded to six, half to
    even.

    Raises Unprocessable for a field that no row has, and for rows of two levels (ads and their campaigns) or of days
    and hours of one ad account, which would count twice; BadInput for a row that cannot be added; TooLarge for too many
    groups. Memory: the groups, so rows may be any number.
    """
    names = [SHORT.get(name, name) for name in ([by] if isinstance(by, str) else by)]
    if grain not in GRAINS:
        message = f"{str(grain)[:_SHOWN]!r} is not one of {', '.join(GRAINS)}"
        raise Unprocessable(message, [{"field": "grain", "message": message}])
    sums = _GroupSums(names, grain)
    for number, row in enumerate(data):
        sums.take(number, row)
    return sums.rows()


class _GroupSums:
    def __init__(self, names: Sequence[str], grain: str) -> None:
        self._names, self._grain = names, grain
        self._sums: dict[_Group, RowSum] = {}
        self._absent = set(names)
        self._kinds: dict[tuple[str, str], tuple[str, ...]] = {}

    def take(self, number: int, row: Row) -> None:
        if not isinstance(row, Mapping):
            raise BadInput(f"row {number} is no dict but {type(row).__name__}")
        row = with_own_platform(row)
        self._absent = {name for name in self._absent if name not in row}
        self._check_kind(number, row)
        period = () if self._grain == "total" else (_period(number, row, self._grain),)
        group = *(row.get(name) for name in self._names), *period, row.get("currency")
        try:
            found = self._sums.get(group)
        except TypeError:
            raise BadInput(
                f"row {number} cannot be grouped: {', '.join(self._names)} has a list or an object"
            ) from None
        slot = _slot(number, row)
        if found is not None:
            found.add(slot)
            return
        if len(self._sums) >= limits.MAX_QUERY_GROUPS:
            raise TooLarge(f"more than {limits.MAX_QUERY_GROUPS:,} groups: sum fewer rows, or by fewer fields")
        self._sums[group] = RowSum(slot)

    def rows(self) -> list[dict[str, Any]]:
        if self._absent and self._sums:
            message = f"no row has {', '.join(sorted(self._absent))[:200]}"
            raise Unprocessable(message, [{"field": name[:_SHOWN], "message": "is unknown"} for name in self._absent])
        period = {"day": ["date"], "week": ["week"], "month": ["month"]}.get(self._grain, [])
        names = [*self._names, *period, "currency"]
        ordered = sorted(self._sums.items(), key=lambda item: [(value is None, str(value)) for value in item[0]])
        return [dict(zip(names, group, strict=True)) | measures(found.slot) | found.notes for group, found in ordered]

    def _check_kind(self, number: int, row: Row) -> None:
        """Rows of an ad account are of one level and grain, and of one breakdown, but for what finer rows leave."""
        if row.get("unattributed"):
            return
        level = next((name for name in _LEVELS if row.get(name) is not None), "account_id")
        hour = ("hour",) if row.get("hour") is not None else ()
        kind = (level, *hour, *(name for name in DIMENSIONS if name in row))
        known = self._kinds.setdefault((str(row.get("platform")), str(row.get("account_id"))), kind)
        if known != kind:
            text = f"row {number} is by {' and '.join(kind)}, rows before it are by {' and '.join(known)}"
            raise Unprocessable(f"{text}: together they would count twice", [{"field": kind[0], "message": text}])


def _period(number: int, row: Row, grain: str) -> date | str:
    value = row.get("date")
    day = value.date() if isinstance(value, datetime) else as_date(value)
    if day is None:
        raise BadInput(f"row {number} has no date: sum it with grain='total'", [{"field": "date", "row": number}])
    if grain == "month":
        return f"{day:%Y-%m}"
    return day - timedelta(days=day.weekday()) if grain == "week" else day


def _slot(number: int, row: Row) -> Slot:
    found = []
    for name in METRICS:
        value = row.get(name)
        if value is None:
            value = row.get(DAILY + name)
        try:
            found.append(None if value is None else _whole(value) if name in COUNTS else rounded(_exact(value))[0])
        except ValueError as error:
            text = f"row {number} cannot be added: {name} {error}"
            raise BadInput(text, [{"field": name, "row": number, "message": str(error)}]) from None
    return cast("Slot", tuple(found))


def _whole(value: Any) -> int:
    if is_integer(value) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    raise ValueError("is not a whole number")


def _exact(value: Any) -> str:
    if not is_number(value):
        raise ValueError("is not a number")
    return str(value)
