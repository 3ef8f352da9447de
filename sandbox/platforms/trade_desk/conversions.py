"""Which pixel stands in which numbered conversion column of a campaign, and what it counted.

Every advertiser has two pixels. The purchase pixel is in column 01 and, under another cross-device model, again in
column 03; the newsletter pixel is in column 02. The switch `swapped_columns` exchanges 01 and 02 from a day on: what
was reported before stays as it was (Platform documentation: reassigning a column is not retroactive).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from sandbox.platforms.trade_desk.population import CLICK_DAYS, VIEW_DAYS, short_id
from sandbox.world import Numbers, WorldProfile

PURCHASE, SIGN_UP, HOUSEHOLD = "Purchase", "Newsletter", "Purchase (household)"
COLUMNS = {1: PURCHASE, 2: SIGN_UP, 3: HOUSEHOLD}
"""Column number → what it counts; numbers up to 20 may occur, a campaign has five at most."""
MODELS = {PURCHASE: "IdentityAlliance", SIGN_UP: "IdentityAlliance", HOUSEHOLD: "IdentityAllianceWithHousehold"}
"""What a column counts → its cross-device attribution model."""


class PixelCount(NamedTuple):
    """Conversions after clicks and after views, and their revenue in minor units."""

    clicks: int
    views: int
    click_revenue: int
    view_revenue: int


def tag_id(profile: WorldProfile, what: str) -> str:
    """The id of the pixel; a household's purchases are the purchase pixel's."""
    return short_id(profile.id, "tag", PURCHASE if what == HOUSEHOLD else what)


def tags(profile: WorldProfile) -> dict[str, str]:
    """The advertiser's pixels: id → name."""
    return {tag_id(profile, what): f"{what} page" for what in (PURCHASE, SIGN_UP)}


def column(number: int, day: date, swap: Mapping[str, Any] | None) -> str:
    """What a column counted on a day; "" for one without a pixel."""
    if swap is not None and number in (1, 2) and day >= date.fromisoformat(str(swap.get("from", "0001-01-01"))):
        number = 3 - number
    return COLUMNS.get(number, "")


def counted(numbers: Numbers, what: str) -> PixelCount:
    """What a pixel counted for these numbers. Purchases are the world's conversions; the others follow from them."""
    clicks, views = numbers.halves[CLICK_DAYS] // 2, numbers.views[VIEW_DAYS] // 2
    revenue = numbers.revenue[CLICK_DAYS], numbers.view_revenue[VIEW_DAYS]
    if what == PURCHASE:
        return PixelCount(clicks, views, *revenue)
    if what == HOUSEHOLD:
        return PixelCount(clicks + views // 2, views * 2, revenue[0] + revenue[1] // 2, revenue[1] * 2)
    if what == SIGN_UP:
        return PixelCount(numbers.clicks // 4, numbers.clicks // 9, 0, 0)
    return PixelCount(0, 0, 0, 0)


def reporting_columns(profile: WorldProfile, today: date, swap: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """A campaign's CampaignConversionReportingColumns, as they are now."""
    found = []
    for number in COLUMNS:
        what = column(number, today, swap)
        found.append(
            {
                "TrackingTagId": tag_id(profile, what),
                "TrackingTagName": tags(profile)[tag_id(profile, what)],
                "ReportingColumnId": number,
                "CrossDeviceAttributionModelId": MODELS[what],
                "IncludeInCustomCPA": what == PURCHASE,
                "Weight": None,
            }
        )
    return found
