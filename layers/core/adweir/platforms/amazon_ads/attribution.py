"""The columns of a report that hold the conversions and the revenue which a profile's options ask for."""

from __future__ import annotations

from typing import NamedTuple

from adweir.platforms.amazon_ads import SB, SD, SP
from adweir.platforms.amazon_ads.options import AmazonOptions, CountedBy
from adweir.platforms.amazon_ads.reports import ReportKind


class Counted(NamedTuple):
    """Two columns, "" where Amazon reports no such number; what `less_…` names is taken off (views: all but clicks)."""

    conversions: str = ""
    revenue: str = ""
    less_conversions: str = ""
    less_revenue: str = ""


UNKNOWN = Counted()
_ALL = {
    CountedBy.CLICK: Counted("purchasesClicks", "salesClicks"),
    CountedBy.VIEW: Counted("purchases", "sales", "purchasesClicks", "salesClicks"),
    CountedBy.CLICK_OR_VIEW: Counted("purchases", "sales"),
}
_PROMOTED = {
    (SB, CountedBy.CLICK_OR_VIEW): Counted("purchasesPromoted", "salesPromoted"),
    (SD, CountedBy.CLICK): Counted("purchasesPromotedClicks", "salesPromotedClicks"),
}
"""Of advertised products, Brands reports clicks and views together and Display clicks alone."""


def counted(kind: ReportKind, product: str, options: AmazonOptions, profile_kind: str) -> Counted:
    """Which columns of that report count for an ad product; `UNKNOWN` when it has none for the options."""
    columns = _of_products(options, profile_kind) if product == SP else _of_others(product, options)
    return columns if set(filter(None, columns)) <= set(kind.columns) else UNKNOWN


def _of_products(options: AmazonOptions, profile_kind: str) -> Counted:
    if options.basis not in (CountedBy.PLATFORM, CountedBy.CLICK):
        return UNKNOWN
    days = options.days(profile_kind)
    if options.products == "promoted":
        return Counted(f"purchasesSameSku{days}", f"attributedSalesSameSku{days}")
    return Counted(f"purchases{days}", f"sales{days}")


def _of_others(product: str, options: AmazonOptions) -> Counted:
    if options.products == "all":
        return _ALL[CountedBy.CLICK_OR_VIEW if options.basis is CountedBy.PLATFORM else options.basis]
    for (owner, basis), columns in _PROMOTED.items():
        if owner == product and options.basis in (CountedBy.PLATFORM, basis):
            return columns
    return UNKNOWN
