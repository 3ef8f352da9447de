"""What an ad shows, and what it names by asset: the page of ads that has it all.

An ad's creative has a member per kind of ad. Images, videos and some calls to action are resource names
(`customers/1/assets/2`), so a page of ads is stored with Google's rows about those that it names: `{"page": <as
Google sent it>, "assets": [<rows>]}`. A replay then finds the URLs that belong to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from adweir.model.errors import BadInput
from adweir.platforms import json_items
from adweir.platforms.json_items import UNREADABLE, first

LABEL = "with_assets"
"""Of a page with the rows about its assets."""
_WATCH = "https://www.youtube.com/watch?v="

# Where each part of an ad may stand, best first.
HEADLINE = (
    "responsiveSearchAd.headlines.0.text",
    "expandedTextAd.headlinePart1",
    "responsiveDisplayAd.headlines.0.text",
    "responsiveDisplayAd.longHeadline.text",
    "demandGenMultiAssetAd.headlines.0.text",
    "demandGenCarouselAd.headline.text",
    "demandGenVideoResponsiveAd.headlines.0.text",
    "demandGenVideoResponsiveAd.longHeadlines.0.text",
    "demandGenProductAd.headline.text",
    "videoResponsiveAd.headlines.0.text",
    "videoResponsiveAd.longHeadlines.0.text",
    "videoAd.inFeed.headline",
    "videoAd.outStream.headline",
    "videoAd.inStream.actionHeadline",
    "videoAd.bumper.actionHeadline",
    "videoAd.nonSkippable.actionHeadline",
    "appAd.headlines.0.text",
    "smartCampaignAd.headlines.0.text",
    "appEngagementAd.headlines.0.text",
    "appPreRegistrationAd.headlines.0.text",
    "localAd.headlines.0.text",
    "legacyResponsiveDisplayAd.shortHeadline",
    "legacyResponsiveDisplayAd.longHeadline",
)
IMAGE_AD_HEADLINE = "name"
"""An image ad has no text of its own."""
DESCRIPTION = (
    "responsiveSearchAd.descriptions.0.text",
    "expandedTextAd.description",
    "expandedDynamicSearchAd.description",
    "responsiveDisplayAd.descriptions.0.text",
    "demandGenMultiAssetAd.descriptions.0.text",
    "demandGenCarouselAd.description.text",
    "demandGenVideoResponsiveAd.descriptions.0.text",
    "demandGenProductAd.description.text",
    "videoResponsiveAd.descriptions.0.text",
    "videoAd.inFeed.description1",
    "videoAd.outStream.description",
    "appAd.descriptions.0.text",
    "smartCampaignAd.descriptions.0.text",
    "appEngagementAd.descriptions.0.text",
    "appPreRegistrationAd.descriptions.0.text",
    "localAd.descriptions.0.text",
    "legacyResponsiveDisplayAd.description",
)
CTA = (
    "responsiveDisplayAd.callToActionText",
    "demandGenMultiAssetAd.callToActionText",
    "demandGenCarouselAd.callToActionText",
    "videoResponsiveAd.callToActions.0.text",
    "videoAd.inStream.actionButtonLabel",
    "videoAd.bumper.actionButtonLabel",
    "videoAd.nonSkippable.actionButtonLabel",
    "localAd.callToActions.0.text",
    "legacyResponsiveDisplayAd.callToActionText",
)
CTA_ASSET = ("demandGenVideoResponsiveAd.callToActions.0.asset", "demandGenProductAd.callToAction.asset")
IMAGE_URL = ("imageAd.imageUrl",)
IMAGE = (
    "responsiveDisplayAd.marketingImages.0.asset",
    "responsiveDisplayAd.squareMarketingImages.0.asset",
    "demandGenMultiAssetAd.marketingImages.0.asset",
    "demandGenMultiAssetAd.squareMarketingImages.0.asset",
    "videoResponsiveAd.companionBanners.0.asset",
    "demandGenCarouselAd.carouselCards.0.asset",
    "demandGenVideoResponsiveAd.companionBanners.0.asset",
    "imageAd.imageAsset.asset",
    "appAd.images.0.asset",
    "appEngagementAd.images.0.asset",
    "appPreRegistrationAd.images.0.asset",
    "localAd.marketingImages.0.asset",
    "demandGenProductAd.logoImage.asset",
)
"""A carousel's first card is an asset that names an image by another one."""
VIDEO = (
    "videoAd.video.asset",
    "videoResponsiveAd.videos.0.asset",
    "demandGenVideoResponsiveAd.videos.0.asset",
    "responsiveDisplayAd.youtubeVideos.0.asset",
    "appAd.youtubeVideos.0.asset",
    "appEngagementAd.videos.0.asset",
    "appPreRegistrationAd.youtubeVideos.0.asset",
    "localAd.videos.0.asset",
)
LANDING = ("finalUrls.0", "finalMobileUrls.0")


class _Combined(msgspec.Struct):
    page: msgspec.Raw
    assets: list[msgspec.Raw] = []


class _Sized(msgspec.Struct):
    url: str = ""


class _Image(msgspec.Struct, rename="camel"):
    full_size: _Sized = msgspec.field(default_factory=_Sized)


class _Video(msgspec.Struct, rename="camel"):
    youtube_video_id: str = ""


class _CallAsset(msgspec.Struct, rename="camel"):
    call_to_action: str = ""


class _Card(msgspec.Struct, rename="camel"):
    marketing_image_asset: str = ""
    square_marketing_image_asset: str = ""
    portrait_marketing_image_asset: str = ""


class GoogleAsset(msgspec.Struct, rename="camel"):
    resource_name: str
    image_asset: _Image = msgspec.field(default_factory=_Image)
    youtube_video_asset: _Video = msgspec.field(default_factory=_Video)
    call_to_action_asset: _CallAsset = msgspec.field(default_factory=_CallAsset)
    demand_gen_carousel_card_asset: _Card = msgspec.field(default_factory=_Card)

    @property
    def url(self) -> str:
        """Of the image at its full size, or of the video's page."""
        video = self.youtube_video_asset.youtube_video_id
        return self.image_asset.full_size.url or (f"{_WATCH}{video}" if video else "")

    @property
    def card_image(self) -> str:
        """The asset that a carousel's card shows."""
        card = self.demand_gen_carousel_card_asset
        return card.marketing_image_asset or card.square_marketing_image_asset or card.portrait_marketing_image_asset


class _AssetRow(msgspec.Struct):
    asset: GoogleAsset


class _AdRow(msgspec.Struct, rename="camel"):
    ad_group_ad: dict[str, Any] = {}


_combined = msgspec.json.Decoder(_Combined).decode
_asset = msgspec.json.Decoder(_AssetRow).decode
_ad = msgspec.json.Decoder(_AdRow).decode


def named(body: bytes) -> set[str]:
    """The assets that a page of ads shows first; none of ads that cannot be read."""
    found: set[str] = set()
    with suppress(BadInput):
        for raw in json_items.items(body, "results") or ():
            with suppress(*UNREADABLE):
                ad = _ad(raw).ad_group_ad.get("ad")
                if isinstance(ad, dict):
                    found.update(name for paths in (IMAGE, VIDEO, CTA_ASSET) if (name := first(ad, paths)))
    return found


def chosen(bodies: Iterable[bytes], wanted: Collection[str]) -> list[bytes]:
    """The rows about these assets, of all pages of assets, as Google sent them."""
    found: list[bytes] = []
    for body in bodies:
        with suppress(BadInput):
            for raw in json_items.items(body, "results") or ():
                with suppress(*UNREADABLE):
                    if _asset(raw).asset.resource_name in wanted:
                        found.append(bytes(raw))
    return found


def named_by_cards(rows: Iterable[bytes]) -> set[str]:
    """The images that carousels' cards among these rows show, but for those that are among them, too."""
    found = [_asset(row).asset for row in rows]
    return {asset.card_image for asset in found} - {asset.resource_name for asset in found} - {""}


def together(page: bytes, rows: Iterable[bytes]) -> bytes:
    """A page of ads and the rows about its assets, as one body."""
    return b'{"page":' + page + b',"assets":[' + b",".join(rows) + b"]}"


def apart(body: bytes, label: str) -> tuple[bytes, Mapping[str, str]]:
    """The page of a body, and what its assets show; a body of another label is a page. Raises BadInput."""
    if label != LABEL:
        return body, {}
    try:
        combined = _combined(body)
    except UNREADABLE as error:
        raise BadInput(f"not a page of ads with its assets: {error}") from None
    found = [_asset(raw).asset for raw in combined.assets]
    shown = {asset.resource_name: asset.url or asset.call_to_action_asset.call_to_action for asset in found}
    cards = {asset.resource_name: shown.get(asset.card_image, "") for asset in found if asset.card_image}
    return bytes(combined.page), {name: text for name, text in (shown | cards).items() if text}
