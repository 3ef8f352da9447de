"""What a TikTok advertiser counts as conversions and revenue: applied to stored days by a replay.

Every report asks for the result of the ad group's optimization event and for the purchases of all four places, so any
choice can be made from what was pulled. The places do not overlap: a purchase is on a website, in an app, in TikTok
Shop, or offline.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator

from adweir.platforms.base import ProfileOptions

RESULT = "conversion"
"""TikTok's metric of the event that each ad group is optimized for, on the day of the impression."""


class CountedAs(StrEnum):
    """OPTIMIZATION_EVENT: TikTok's `conversion`. PURCHASES: the purchases in the chosen places."""

    OPTIMIZATION_EVENT = "optimization_event"
    PURCHASES = "purchases"


class PurchasePlace(StrEnum):
    """Where a purchase takes place."""

    WEB = "web"
    APP = "app"
    SHOP = "shop"
    OFFLINE = "offline"


PURCHASES: Mapping[PurchasePlace, tuple[str, str]] = {
    PurchasePlace.WEB: ("complete_payment", "total_complete_payment_rate"),
    PurchasePlace.APP: ("total_purchase", "total_purchase_value"),
    PurchasePlace.SHOP: ("onsite_shopping", "total_onsite_shopping_value"),
    PurchasePlace.OFFLINE: ("offline_shopping_events", "offline_shopping_events_value"),
}
"""The metrics with the number of purchases and with their value: the web's is no rate, in spite of its name."""


class TikTokOptions(ProfileOptions):
    """Which conversions count, and in which places purchases bring revenue."""

    conversions: CountedAs = CountedAs.OPTIMIZATION_EVENT
    purchases: Annotated[tuple[PurchasePlace, ...], Field(min_length=1, max_length=len(PurchasePlace))] = (
        PurchasePlace.WEB,
    )

    @field_validator("purchases")
    @classmethod
    def _each_once(cls, places: tuple[PurchasePlace, ...]) -> tuple[PurchasePlace, ...]:
        if len(set(places)) < len(places):
            raise ValueError("names a place twice")
        return places

    @property
    def counts(self) -> tuple[str, ...]:
        """The metrics that are added up to conversions."""
        if self.conversions is CountedAs.OPTIMIZATION_EVENT:
            return (RESULT,)
        return tuple(PURCHASES[place][0] for place in self.purchases)

    @property
    def values(self) -> tuple[str, ...]:
        """The metrics that are added up to revenue."""
        return tuple(PURCHASES[place][1] for place in self.purchases)

    @property
    def definition(self) -> str:
        """In TikTok's words: `conversion; total_complete_payment_rate`."""
        return f"{' + '.join(self.counts)}; {' + '.join(self.values)}"
