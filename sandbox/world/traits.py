"""What the world must know about a platform to make up its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Channel(NamedTuple):
    """What a kind of advertising in an ad account is worth to a company (see `mix`).

    `carry`: per mille of the effect that lasts to the next day; `half` and `effect`: micros of US dollars per day.
    `name`: unlike that of any other channel in the ad account.
    """

    carry: int
    half: int
    effect: int
    name: str = "all"


@dataclass(frozen=True, slots=True)
class Restatement:
    """How a platform's numbers of one day change while the day ages.

    `growth`: (age in days, per mille of the final conversions known by then), oldest first. From the first age on, the
    day never changes again. `corrections`: ages at which the platform takes back invalid impressions, clicks and spend.
    One ad-day in `late_one_in` (0: none) is corrected at the ages `late_corrections` instead.
    """

    growth: tuple[tuple[int, int], ...]
    corrections: tuple[int, ...]
    late_corrections: tuple[int, ...] = ()
    late_one_in: int = 0

    @property
    def settles_after_days(self) -> int:
        """The age from which nothing changes anymore."""
        return self.growth[0][0]

    @property
    def delays(self) -> list[tuple[int, int, int]]:
        """(delay in days, per mille known by then, per mille known the day before), shortest delay first."""
        known = [0, *(per_mille for _, per_mille in reversed(self.growth))]
        ages = [age for age, _ in reversed(self.growth)]
        return list(zip(ages, known[1:], known[:-1], strict=True))

    def conversions_known(self, age: int) -> int:
        """Per mille of the final conversions that are known `age` days after the day."""
        return next(per_mille for least, per_mille in self.growth if age >= least)


class LineKind(StrEnum):
    """What a line of a bill is for. Spend and fees are charged, the others are credits."""

    SPEND = "spend"
    OVERDELIVERY = "overdelivery"
    INVALID = "invalid_traffic"
    PROMOTION = "promotion"
    FEE = "fee"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Billing:
    """How an ad account is billed by the month (see `bills`); the rates are per mille.

    `issued_after`: so many days after a month's last, its numbers are taken and its invoice appears. `tax`: of all
    that is billed. `overdelivery`: of what was served, that is beyond the budgets and not charged. `promotion`, `fee`:
    of what is charged then; the fee in months that begin on `fee_since` or later. `correction`: what is credited of a
    month's charge when the next month is billed. `memos`: the kinds of lines that come in a credit memo of their own.
    """

    issued_after: int
    tax: int = 0
    overdelivery: int = 0
    promotion: int = 0
    fee: int = 0
    fee_since: date = date.min
    correction: int = 0
    memos: frozenset[LineKind] = frozenset()


@dataclass(frozen=True, slots=True)
class Traits:
    """A platform, or one ad account there, as the world sees it.

    `channel`: that of all ad products but those in `channels`.
    `half_credits`: every n-th ad is credited with half conversions; 0: none is. `sells`: conversions bring revenue
    (leads do not). `hourly_conversions`: whether hourly rows report conversions and revenue. `whole_views`: conversions
    after views are never halves. `located`: which of conversions and revenue the platform reports by region.
    """

    restatement: Restatement
    channel: Channel
    half_credits: int = 0
    sells: bool = True
    hourly_conversions: bool = True
    whole_views: bool = False
    located: frozenset[str] = frozenset({"conversions", "revenue"})
    channels: Mapping[str, Channel] = field(default_factory=dict)

    def channel_of(self, product: str) -> Channel:
        """The channel of an ad product."""
        return self.channels.get(product, self.channel)

    def credits_halves(self, ad_number: int) -> bool:
        """Whether the platform credits this ad, by its place in the profile, with half conversions."""
        return bool(self.half_credits) and ad_number % self.half_credits == 0
