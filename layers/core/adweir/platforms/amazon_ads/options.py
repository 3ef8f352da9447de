"""What counts as a conversion and as revenue in a profile of Amazon Ads.

Source of the meanings: Amazon Ads API, "Columns (version 3)". Sponsored Products counts purchases after a click, within
1, 7, 14 or 30 days; Brands and Display count within 14 days of a click or a view, and the part after a click once more.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from adweir.platforms.base import Applies, ProfileOptions


class CountedBy(StrEnum):
    """Which interactions count. PLATFORM: as Amazon reports each product: Products clicks, the others clicks and views.

    A product that does not report the chosen basis has unknown conversions and revenue, not 0.
    """

    PLATFORM = "platform"
    CLICK = "click"
    VIEW = "view"
    CLICK_OR_VIEW = "click_or_view"


StreamDataset = Literal[
    "sp-traffic",
    "sp-conversion",
    "sb-traffic",
    "sb-conversion",
    "sd-traffic",
    "sd-conversion",
    "campaigns",
    "adgroups",
    "ads",
    "targets",
]
"""What becomes hours, or has a list pulled again. Of other datasets nothing is kept but what was sent."""


class AmazonOptions(ProfileOptions):
    """`streams`: datasets of Amazon Marketing Stream that the profile is subscribed to; null leaves them alone.

    `window` is that of Sponsored Products; platform: 7 days for sellers, 14 for vendors, as Amazon shows them.

    Brands and Display report 14 days only. `products`: all that were bought, or only those advertised ("same SKU",
    "promoted"). `clock`: Amazon counts on the day of the click or view only.
    """

    window: Literal["platform", "1d", "7d", "14d", "30d"] = "platform"
    basis: CountedBy = CountedBy.PLATFORM
    products: Literal["all", "promoted"] = "all"
    clock: Literal["interaction"] = "interaction"
    streams: Annotated[tuple[StreamDataset, ...] | None, Applies.NEXT_RUN] = Field(
        default=None,
        description="Datasets of Amazon Marketing Stream to subscribe to.",
    )

    def days(self, profile_kind: str) -> str:
        """The window of Sponsored Products for that kind of profile, as columns end: `7d`."""
        if self.window != "platform":
            return self.window
        return "14d" if profile_kind == "vendor" else "7d"

    @property
    def definition(self) -> str:
        """How conversions and revenue are counted, per ad product."""
        bought = "purchases" if self.products == "all" else "purchases of the advertised products"
        days = "7 days (vendors: 14)" if self.window == "platform" else _days(self.window)
        clicks = self.basis in (CountedBy.PLATFORM, CountedBy.CLICK)
        products = f"within {days} of a click" if clicks else "unknown"
        brands, display = self._fourteen("sb"), self._fourteen("sd")
        rest = f"Brands and Display: {brands}" if brands == display else f"Brands: {brands}; Display: {display}"
        return f"{bought} by the day of the click or view; Sponsored Products: {products}; {rest}"

    def _fourteen(self, product: str) -> str:
        words = {
            CountedBy.CLICK: "within 14 days of a click",
            CountedBy.VIEW: "within 14 days of a view",
            CountedBy.CLICK_OR_VIEW: "within 14 days of a click or a view",
        }
        basis = self.basis
        if basis is CountedBy.PLATFORM:
            basis = CountedBy.CLICK if (product, self.products) == ("sd", "promoted") else CountedBy.CLICK_OR_VIEW
        only = {"sb": CountedBy.CLICK_OR_VIEW, "sd": CountedBy.CLICK}[product]
        return "unknown" if self.products == "promoted" and basis is not only else words[basis]


def _days(window: str) -> str:
    number = window.removesuffix("d")
    return f"{number} day" if number == "1" else f"{number} days"
