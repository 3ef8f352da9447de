"""Series that belong to no ad platform (orders, KPIs, ...): the names of their parts, and how records show them.

They are asked for by their data type alone. `source` is the one that a file came from: its name stands for the platform
of the account's own profile. `platform` and `campaign_id` are those that a row is attributed to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adweir.model.data_types import ABOUT, OF_LEVEL, DataType
from adweir.model.entities import Profile
from adweir.model.errors import Unprocessable
from adweir.model.ids import IdKind
from adweir.model.metrics import METRICS, Level
from adweir.model.money import to_units
from adweir.model.ports import PlatformParser, platform_named
from adweir.reporting.dimensions import ATTRIBUTED_CAMPAIGN, ATTRIBUTED_PLATFORM, ROW_CURRENCY, SAID
from adweir.reporting.filters import Filters, given_texts
from adweir.reporting.totals import RowSum

_OF_PROFILE = {name: name for name in ("client_account_id", "account_id")} | {"source": "platform"}
_ATTRIBUTED = {"platform": ATTRIBUTED_PLATFORM, "campaign_id": ATTRIBUTED_CAMPAIGN}
_COUNTS = METRICS[:2]
_PLATFORMS = ("source", "platform")


@dataclass(frozen=True, slots=True)
class SeriesNames:
    """What callers call the parts and numbers of a data type's rows.

    `parts` and `fields`: name → the dimension that answers it; `parts` are what a row says of itself. `numbers`: name →
    the number of a slot. `by_name`: its series are told apart by their names, so that a sum needs one.
    """

    data_type: str
    level: Level
    parts: Mapping[str, str]
    numbers: Mapping[str, str]
    by_name: bool

    @property
    def fields(self) -> dict[str, str]:
        """All that rows can be found and grouped by."""
        return {**_OF_PROFILE, "currency": ROW_CURRENCY, **self.parts}

    def filters(self, given: Mapping[str, Any], parse: PlatformParser, where: str = "filters") -> Filters:
        """Filters as a caller wrote them. Raises Unprocessable that names what is unknown."""
        allowed, fields = {}, self.fields
        for name, texts, at in given_texts(given, fields, where, self.data_type):
            if name == "campaign_id" and any(map(IdKind.CAMPAIGN.names, texts)):
                message = f"{self.data_type} are attributed to campaigns of platforms: name those that are bound"
                raise Unprocessable(message, [{"field": at, "message": message}])
            try:
                allowed[fields[name]] = (
                    frozenset(str(platform_named(text, parse)) for text in texts) if name in _PLATFORMS else texts
                )
            except ValueError:
                message = f"{name} is lower-case letters, digits and _"
                raise Unprocessable(message, [{"field": at, "message": message}]) from None
        return Filters(allowed)

    def values(self, total: RowSum) -> dict[str, Any]:
        """The numbers of a sum by their names: counts as integers, the others as exact decimals."""
        slot = dict(zip(METRICS, total.slot, strict=True))
        return {
            name: slot[number] if number in _COUNTS else to_units(slot[number]) for name, number in self.numbers.items()
        }

    def notes(self, total: RowSum, names: Collection[str] | None = None) -> dict[str, Any]:
        """In how many rows a number was unknown, of the numbers of these names; None: of all."""
        wanted = {name: number for name, number in self.numbers.items() if names is None or name in names}
        counts = {name: total.unknown[number] for name, number in wanted.items() if number in total.unknown}
        return {"unknown": counts} if counts else {}

    def record(self, profile: Profile, row: Mapping[str, Any], total: RowSum) -> dict[str, Any]:
        """A row by the names of `parts` and `date`, as it is shown."""
        said = {name: row[name] or None for name in self.parts}
        return {
            "date": row["date"],
            "source": str(profile.platform),
            "currency": row["currency"],
            **said,
            **self.values(total),
            "account_id": profile.shown_id,
            "client_account_id": profile.account_id,
            **self.notes(total),
        }


def _names(data_type: DataType, level: Level) -> SeriesNames:
    has_name = "name" in data_type.names
    own = ("name", "geo", "currency") if has_name else tuple(column.name for column in ABOUT)
    parts = {name: _ATTRIBUTED.get(name, SAID[name]) for name in own}
    numbers = {column.name: column.number for column in data_type.columns if column.number}
    return SeriesNames(data_type.name, level, parts, numbers, has_name)


SERIES: Mapping[str, SeriesNames] = {each.name: _names(each, level) for level, each in OF_LEVEL.items()}
"""By data type."""


def series_records(
    names: SeriesNames, profiles: Mapping[tuple[str, str], Profile], groups: Mapping[tuple[Any, ...], RowSum]
) -> Iterator[dict[str, Any]]:
    """The records of an answer grouped by platform, profile, date and parts, in this order."""
    for (platform, profile_id, *said, currency), total in groups.items():
        row = dict(zip(("date", *names.parts), said, strict=True)) | {"currency": currency}
        yield names.record(profiles[platform, profile_id], row, total)
