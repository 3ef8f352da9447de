"""The dimensions of answers: what a stored row, or its profile, says of each, and how rows are chosen and grouped by
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from adweir.model.data_types import ABOUT
from adweir.model.datasets import BETWEEN_VALUES
from adweir.model.entities import Profile
from adweir.model.metrics import SERIES_LEVELS, Level, own_id
from adweir.model.series_ids import said_in
from adweir.reporting import breakdowns
from adweir.reporting.bound_to import ARM, CROSS_CAMPAIGN
from adweir.reporting.filters import OF_PROFILE, Filters
from adweir.reporting.reading import ReadRow

SOURCE = "source"
Key = tuple[Any, ...]


class RowValues:
    """The values of one row after another by dimension.

    Of an unattributed rest the ids that it does not have are None, and the values of a breakdown.
    """

    __slots__ = ("_breakdown", "_entity_id", "_value", "read")

    def __init__(self, breakdown: str) -> None:
        self._breakdown = breakdown
        self._entity_id = ""
        """Without the value of its breakdown."""
        self._value: dict[str, str] = {}
        self.read: ReadRow

    def show(self, read: ReadRow) -> None:
        """Go to a row."""
        self.read = read
        row = read.row
        self._entity_id = row.entity_id
        if not self._breakdown:
            return
        self._value = {}
        if not read.is_rest:
            self._entity_id, value = breakdowns.split_entity(read.level, row.entity_id, row.ad_group_id)
            self._value = breakdowns.values_of(self._breakdown, value)

    def campaign_id(self) -> str | None:
        read = self.read
        return self._id(read.row.campaign_id or (self._entity_id if read.level is Level.CAMPAIGN else ""))

    def ad_group_id(self) -> str | None:
        read = self.read
        return self._id(read.row.ad_group_id or (self._entity_id if read.level is Level.AD_GROUP else ""))

    def own_id(self) -> str | None:
        return self._id(own_id(self._entity_id))

    def cross_campaign_id(self) -> str | None:
        return (self.read.claim.campaign_id or None) if self.read.claim else None

    def arm_id(self) -> str | None:
        return (self.read.claim.arm_id or None) if self.read.claim else None

    @property
    def ids(self) -> dict[str, str | None]:
        """The row's own id and its parents', and the values of its breakdown, by name."""
        level = self.read.level
        if level in SERIES_LEVELS:
            said = dict(said_in(self.read.row.entity_id))
            attributed = {ATTRIBUTED_PLATFORM: said.pop("platform")} if "platform" in said else {}
            return {**said, "campaign_id": self.read.row.campaign_id or None, **attributed}
        names = {"campaign_id": self.campaign_id(), "ad_group_id": self.ad_group_id()}
        own = {Level.AD: "ad_id", Level.KEYWORD: "keyword_id"}.get(level)
        kept = {
            Level.ACCOUNT: {},
            Level.CAMPAIGN: {"campaign_id": names["campaign_id"]},
        }.get(level, names)
        return kept | ({own: self.own_id()} if own else {}) | (self._value or {})

    @property
    def value(self) -> str | None:
        """The value of the row's breakdown, of both its dimensions where it has two; None of a rest."""
        return BETWEEN_VALUES.join(self._value.values()) if self._value else None

    def split_by(self, name: str) -> str | None:
        return self._value.get(name)

    def said(self, name: str) -> str:
        """What a row of a series that belongs to no ad platform says of itself; "" for nothing."""
        return said_in(self.read.row.entity_id).get(name, "")

    def source(self) -> str | None:
        return None if self.read.is_rest else self.read.row.source.value

    def _id(self, value: str) -> str | None:
        return None if not value and self.read.is_rest else value


def none_last(key: Key) -> tuple[tuple[bool, Any], ...]:
    """What groups are sorted by."""
    return tuple((value is None, value) for value in key)


def matching(filters: Filters) -> Callable[[RowValues], bool] | None:
    """Whether a row matches; None where every row does."""
    asked = [(_OF_ROW[name], values) for name, values in filters.of_rows.items()]
    return (lambda row: all(value(row) in values for value, values in asked)) if asked else None


def grouping(dimensions: Iterable[str]) -> Callable[[Profile, RowValues], Key]:
    """A function that makes the group of a row, without its currency."""
    named = [(_OF_ROW.get(name), OF_PROFILE.get(name, _no_value)) for name in dimensions]

    def group(profile: Profile, row: RowValues) -> Key:
        return tuple([of_profile(profile) if of_row is None else of_row(row) for of_row, of_profile in named])

    return group


def _no_value(_profile: Profile) -> str:
    return ""


def _split_by(name: str) -> Callable[[RowValues], str | None]:
    return lambda row: row.split_by(name)


def _said(name: str) -> Callable[[RowValues], str]:
    return lambda row: row.said(name)


def _week(day: str) -> str:
    """Its Monday."""
    when = date.fromisoformat(day)
    return (when - timedelta(days=when.weekday())).isoformat()


def _shown(show: Callable[[str], str]) -> Callable[[RowValues], str]:
    return lambda row: show(row.read.row.day)


OF_DAY: dict[str, Callable[[str], str]] = {"week": _week, "month": lambda day: day[:7]}
"""Dimensions that several days have in common."""
_OF_ROW: dict[str, Callable[[RowValues], Any]] = {
    "campaign_id": RowValues.campaign_id,
    "ad_group_id": RowValues.ad_group_id,
    "ad_id": RowValues.own_id,
    "keyword_id": RowValues.own_id,
    CROSS_CAMPAIGN: RowValues.cross_campaign_id,
    ARM: RowValues.arm_id,
    "date": lambda row: row.read.row.day,
    "hour": lambda row: row.read.row.hour,
    **{name: _shown(show) for name, show in OF_DAY.items()},
    **{name: _split_by(name) for name in breakdowns.DIMENSIONS},
}
DIMENSIONS = (*OF_PROFILE, *_OF_ROW)
"""Those of ads."""
SAID = {name: f"said_{name}" for name in (*(column.name for column in ABOUT), "name", "currency")}
"""What rows of series that belong to no ad platform say of themselves → the dimension that answers it."""
ATTRIBUTED_PLATFORM, ATTRIBUTED_CAMPAIGN, ROW_CURRENCY = "attributed_platform", "attributed_campaign", "row_currency"
_OF_ROW |= {
    SOURCE: RowValues.source,
    **{dimension: _said(name) for name, dimension in SAID.items()},
    ATTRIBUTED_PLATFORM: lambda row: row.read.row.ad_product or row.said("platform"),
    ATTRIBUTED_CAMPAIGN: lambda row: row.read.row.campaign_id,
    ROW_CURRENCY: lambda row: row.read.row.currency,
}
