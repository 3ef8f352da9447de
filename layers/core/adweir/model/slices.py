"""Slices: the exact subset of a profile's objects that a pull asks for. Only this module decides what a slice contains.

`all`; an ad product of the platform, in lower case (`sp`, `sb`, `sd`); or one campaign (`campaign=<id>`).
"""

from __future__ import annotations

ALL = "all"
_CAMPAIGN = "campaign="


def of_campaign(campaign_id: str) -> str:
    """The slice of one campaign."""
    return f"{_CAMPAIGN}{campaign_id}"


def campaign_of(slice_: str) -> str:
    """The id of the campaign that a slice is about; "" for a slice of another kind."""
    return slice_.removeprefix(_CAMPAIGN) if slice_.startswith(_CAMPAIGN) else ""


def product_of(slice_: str) -> str:
    """The ad product that a slice is about; "" for a slice of another kind."""
    return "" if slice_ == ALL or slice_.startswith(_CAMPAIGN) else slice_


def contains(slice_: str, campaign_id: str, ad_product: str) -> bool:
    """Whether an object with this campaign and ad product is inside the slice. For a campaign, pass its own id."""
    campaign = campaign_of(slice_)
    if campaign:
        return campaign == campaign_id
    return slice_ == ALL or slice_ == ad_product.lower()


def around(campaign_id: str, ad_product: str) -> tuple[str, ...]:
    """The slices that such an object is inside of: those for which `contains` is true."""
    product = ad_product.lower()
    found = (ALL, of_campaign(campaign_id)) if campaign_id else (ALL,)
    return found if product == ALL or campaign_of(product) else (*found, product)
