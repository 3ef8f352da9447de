"""An exported file with its truth, and how tools write numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from sandbox.world import World, WorldCampaign, WorldProfile

MICRO = 1_000_000


class TrueRow(NamedTuple):
    """What has to be stored: counts, and millionths for the other three; None is unknown, which is not zero.

    `entity`: a campaign's id, or in rows of a shop its name, "" for none.
    """

    day: date
    entity: str
    impressions: int | None = None
    clicks: int | None = None
    spend: int | None = None
    conversions: int | None = None
    revenue: int | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """A file of a tool. `source` and `data_type`: how it is dropped. `truth`: a row per entity and day."""

    source: str
    data_type: str
    name: str
    body: bytes
    truth: tuple[TrueRow, ...]

    @property
    def key(self) -> str:
        """Where it is dropped, below the account's folder."""
        return f"{self.source}/{self.data_type}/{self.name}"


class Span(NamedTuple):
    """An ad account's days."""

    world: World
    profile: WorldProfile
    start: date
    end: date

    def days(self) -> list[date]:
        """The days, ascending."""
        return [self.start + timedelta(days=n) for n in range((self.end - self.start).days + 1)]

    def campaign(self, campaign_id: str) -> WorldCampaign:
        """One of the ad account's campaigns."""
        return next(one for one in self.profile.campaigns if one.id == campaign_id)

    def campaign_rows(self) -> list[TrueRow]:
        """The truth by campaign."""
        rows = self.world.truth(self.profile, self.start, self.end, "campaign")
        return [
            TrueRow(
                date.fromisoformat(row["date"]),
                row["campaign_id"],
                row["impressions"],
                row["clicks"],
                row["spend_micros"],
                row["conversions_micros"],
                row["revenue_micros"],
            )
            for row in rows
        ]


def totals(rows: Iterable[TrueRow]) -> TrueRow:
    """The sums of rows; a number that no row has stays unknown."""
    found = list(rows)

    def sum_of(values: Sequence[int | None]) -> int | None:
        known = [value for value in values if value is not None]
        return sum(known) if known else None

    return TrueRow(
        date.min,
        "",
        sum_of([row.impressions for row in found]),
        sum_of([row.clicks for row in found]),
        sum_of([row.spend for row in found]),
        sum_of([row.conversions for row in found]),
        sum_of([row.revenue for row in found]),
    )


# -- how numbers are written -----------------------------------------------------------------------------------------


def units(micros: int | None, places: int | None = None) -> str:
    """Millionths as plain decimal text: with so many places, or as many as there are."""
    if micros is None:
        return ""
    value = Decimal(micros) / MICRO
    return f"{value:.{places}f}" if places is not None else f"{value.normalize():f}"


def grouped(micros: int | None, places: int = 2) -> str:
    """`4,838.80`."""
    return "" if micros is None else f"{Decimal(micros) / MICRO:,.{places}f}"


def counted(count: int | None) -> str:
    """`795,836`."""
    return "" if count is None else f"{count:,}"


def german(text: str) -> str:
    """`4,838.80` → `4.838,80`."""
    return text.translate(str.maketrans(",.", ".,"))


# -- how rows are written --------------------------------------------------------------------------------------------


def lines(rows: Iterable[Sequence[object]], *, delimiter: str = ",", quoted: bool = False) -> str:
    """Rows as CSV."""
    text = io.StringIO(newline="")
    csv.writer(
        text, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n"
    ).writerows(rows)
    return text.getvalue()


def parts(total: int | None, weights: Sequence[int]) -> Iterator[int | None]:
    """A number over some rows of a file, which add up to it."""
    rest, left = total, sum(weights)
    for weight in weights:
        part = None if rest is None else rest * weight // left
        yield part
        rest, left = None if rest is None or part is None else rest - part, left - weight
