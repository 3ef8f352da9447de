"""The resources that have metrics: how an ad's numbers become those of their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sandbox.platforms.google_ads.linked import by_ad_asset, by_group_asset
from sandbox.platforms.google_ads.places import (
    Divide,
    GooglePlace,
    by_age,
    by_asset_group,
    by_budget,
    by_campaign_term,
    by_detail_placement,
    by_gender,
    by_geography,
    by_group_placement,
    by_keyword,
    by_landing_page,
    by_term,
    by_user_location,
    whole,
)

CUSTOMER, CAMPAIGN, GROUP, AD = range(4)
"""How much of an ad's place a row keeps."""


class GoogleView(NamedTuple):
    """How a resource's numbers come about. `level`: how much of the ad's place its rows keep. `keyed`: they keep the
    keyword too. `listed`: without segments, what had no activity has a row.
    """

    divide: Divide
    level: int
    keyed: bool = False
    listed: bool = False


VIEWS: Mapping[str, GoogleView] = {
    "customer": GoogleView(whole, CUSTOMER, listed=True),
    "campaign": GoogleView(whole, CAMPAIGN, listed=True),
    "campaign_budget": GoogleView(by_budget, CAMPAIGN, listed=True),
    "ad_group": GoogleView(whole, GROUP, listed=True),
    "ad_group_ad": GoogleView(whole, AD, listed=True),
    "ad_group_ad_asset_view": GoogleView(by_ad_asset, AD, listed=True),
    "asset_group": GoogleView(by_asset_group, GROUP, listed=True),
    "asset_group_asset": GoogleView(by_group_asset, GROUP, listed=True),
    "conversion_action": GoogleView(whole, CUSTOMER, listed=True),
    "keyword_view": GoogleView(by_keyword, GROUP, keyed=True, listed=True),
    "search_term_view": GoogleView(by_term, GROUP),
    "campaign_search_term_view": GoogleView(by_campaign_term, CAMPAIGN),
    "age_range_view": GoogleView(by_age, GROUP),
    "gender_view": GoogleView(by_gender, GROUP),
    "geographic_view": GoogleView(by_geography, CAMPAIGN),
    "user_location_view": GoogleView(by_user_location, CAMPAIGN),
    "landing_page_view": GoogleView(by_landing_page, GROUP),
    "group_placement_view": GoogleView(by_group_placement, GROUP),
    "detail_placement_view": GoogleView(by_detail_placement, GROUP),
}
"""The resources with metrics."""


def narrowed(place: GooglePlace, level: int, *, keyed: bool) -> GooglePlace:
    """The place with nothing finer than the level."""
    return GooglePlace(
        place.campaign if level >= CAMPAIGN else None,
        place.group if level >= GROUP else None,
        place.ad if level >= AD else None,
        place.keyword if keyed else None,
        place.label,
    )


def level_of(view: str, resources: set[str]) -> int:
    """The finest level of a view and of the resources whose attributes are selected with it."""
    finer = {"ad_group_ad": AD, "ad_group": GROUP}
    return max([VIEWS[view].level, *(finer.get(name, 0) for name in resources)])
