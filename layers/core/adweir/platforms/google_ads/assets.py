"""What an ad shows, and the images and videos that it names by asset: the page of ads that has it all.

An ad's creative has a member per kind of ad. Images and videos are resource names (`customers/1/assets/2`), so a page
of ads is stored with Google's rows about those that it names: `{"page": <as Google sent it>, "assets": [<rows>]}`. A
replay then finds the URLs that belong to it.
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
)
CTA = (
    "responsiveDisplayAd.callToActionText",
    "demandGenMultiAssetAd.callToActionText",
    "demandGenCarouselAd.callToActionText",
    "videoResponsiveAd.callToActions.0.text",
    "videoAd.inStream.actionButtonLabel",
    "videoAd.bumper.actionButtonLabel",
    "videoAd.nonSkippable.actionButtonLabel",
)
IMAGE_URL = ("imageAd.imageUrl",)
IMAGE = (
    "responsiveDisplayAd.marketingImages.0.asset",
    "responsiveDisplayAd.squareMarketingImages.0.asset",
    "demandGenMultiAssetAd.marketingImages.0.asset",
    "demandGenMultiAssetAd.squareMarketingImages.0.asset",
    "videoResponsiveAd.companionBanners.0.asset",
    "appAd.images.0.asset",
    "demandGenProductAd.logoImage.asset",
)
VIDEO = (
    "videoAd.video.asset",
    "videoResponsiveAd.videos.0.asset",
    "demandGenVideoResponsiveAd.videos.0.asset",
    "responsiveDisplayAd.youtubeVideos.0.asset",
    "appAd.youtubeVideos.0.asset",
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


class GoogleAsset(msgspec.Struct, rename="camel"):
    resource_name: str
    image_asset: _Image = msgspec.field(default_factory=_Image)
    youtube_video_asset: _Video = msgspec.field(default_factory=_Video)

    @property
    def url(self) -> str:
        """Of the image at its full size, or of the video's page."""
        video = self.youtube_video_asset.youtube_video_id
        return self.image_asset.full_size.url or (f"{_WATCH}{video}" if video else "")


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
                    found.update(name for paths in (IMAGE, VIDEO) if (name := first(ad, paths)))
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


def together(page: bytes, rows: Iterable[bytes]) -> bytes:
    """A page of ads and the rows about its assets, as one body."""
    return b'{"page":' + page + b',"assets":[' + b",".join(rows) + b"]}"


def apart(body: bytes, label: str) -> tuple[bytes, Mapping[str, str]]:
    """The page of a body, and the URLs of its assets; a body of another label is a page. Raises BadInput."""
    if label != LABEL:
        return body, {}
    try:
        combined = _combined(body)
    except UNREADABLE as error:
        raise BadInput(f"not a page of ads with its assets: {error}") from None
    found = [_asset(raw).asset for raw in combined.assets]
    return bytes(combined.page), {asset.resource_name: asset.url for asset in found if asset.url}
