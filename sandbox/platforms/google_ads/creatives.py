"""What ads look like: the attributes of every type of ad that v26 has a field for (common.ad_type_infos), and assets.

A creative maps paths below `ad_group_ad.ad` to values; the assets that it names are under `assets` by their ids, with
paths below `asset`. Messages are written as protobuf's JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sandbox.world.catalog import ANGLES
from sandbox.world.draw import mix

Paths = dict[str, Any]
CALLS = ("SHOP_NOW", "LEARN_MORE", "SIGN_UP")


class AdBrief(NamedTuple):
    """What an ad is about. `customer`: the account's id. `number`: the ad's place in it."""

    customer: str
    advertiser: str
    thing: str
    number: int
    seed: int

    @property
    def title(self) -> str:
        """The first headline; every seventh is at Google's limit of 30 characters."""
        text = f"{self.thing.title()}: {ANGLES[self.number % 6]}"
        return text[:30]

    @property
    def text(self) -> str:
        """The first description."""
        return f"{self.thing.capitalize()} for every day. {ANGLES[self.seed % 6]}."

    @property
    def url(self) -> str:
        """The landing page, which carries the campaign's parameters on every second ad."""
        page = f"https://shop.example/{self.thing.replace(' ', '-')}"
        return f"{page}?utm_source=google&utm_content={self.number}" if self.number % 2 else page

    @property
    def call(self) -> str:
        """The call to action."""
        return CALLS[self.number % 3]


class AdAssets:
    """The assets that an ad brings along; each method answers how an ad names one."""

    def __init__(self, brief: AdBrief) -> None:
        self._brief = brief
        self.made: dict[str, Paths] = {}
        self.fields: dict[str, str] = {}
        """By the asset's resource name, the field of the ad that it fills (AssetFieldType)."""

    def image(self, place: int = 0, field: str = "MARKETING_IMAGE") -> dict[str, str]:
        """An image, as an AdImageAsset."""
        number = self._brief.number
        url = f"https://tpc.googlesyndication.example/simgad/{self._brief.customer}{number:04d}{place}"
        size = {"full_size.url": url, "full_size.width_pixels": 1200, "full_size.height_pixels": 628}
        image = {f"image_asset.{name}": value for name, value in size.items()}
        mime = {"image_asset.mime_type": "IMAGE_JPEG", "image_asset.file_size": 84_000 + number}
        paths = {"type": "IMAGE", "name": f"Picture {number}.{place}", **image, **mime}
        return {"asset": self._keep(place, paths, field)}

    def video(self, place: int = 5) -> dict[str, str]:
        """A video on YouTube, as an AdVideoAsset."""
        video = f"yt{mix(self._brief.seed, place) % 36**6:08d}"[:11]
        paths = {"youtube_video_asset.youtube_video_id": video, "youtube_video_asset.youtube_video_title": "Film"}
        return {
            "asset": self._keep(place, {"type": "YOUTUBE_VIDEO", "name": f"Film {video}", **paths}, "YOUTUBE_VIDEO")
        }

    def call(self) -> dict[str, str]:
        """A call to action, as an AdCallToActionAsset."""
        paths = {"type": "CALL_TO_ACTION", "call_to_action_asset.call_to_action": self._brief.call}
        return {"asset": self._keep(7, paths, "CALL_TO_ACTION_SELECTION")}

    def card(self, place: int) -> dict[str, str]:
        """A card of a carousel, as an AdDemandGenCarouselCardAsset."""
        paths = {
            "type": "DEMAND_GEN_CAROUSEL_CARD",
            "demand_gen_carousel_card_asset.headline": f"{self._brief.thing.title()} {place}",
            "demand_gen_carousel_card_asset.marketing_image_asset": self.image(place, "")["asset"],
            "demand_gen_carousel_card_asset.call_to_action_text": "Shop now",
        }
        return {"asset": self._keep(10 + place, paths, "DEMAND_GEN_CAROUSEL_CARD")}

    def texts(self, place: int, field: str, *texts: str) -> list[dict[str, str]]:
        """Texts of a field, as AdTextAssets, which do not name their assets."""
        for at, text in enumerate(texts):
            self._keep(place + at, {"type": "TEXT", "text_asset.text": text}, field)
        return [{"text": text} for text in texts]

    def _keep(self, place: int, paths: Paths, field: str) -> str:
        asset_id = f"{self._brief.customer[:4]}{self._brief.number:05d}{place:02d}"
        name = f"customers/{self._brief.customer}/assets/{asset_id}"
        self.made[asset_id] = paths
        if field:
            self.fields[name] = field
        return name


def _search(brief: AdBrief, assets: AdAssets) -> Paths:
    headlines = assets.texts(20, "HEADLINE", brief.title, *ANGLES[:2])
    headlines[0] |= {"assetPerformanceLabel": "GOOD", "pinnedField": "HEADLINE_1"}
    return {
        "responsive_search_ad.headlines": headlines,
        "responsive_search_ad.descriptions": assets.texts(30, "DESCRIPTION", brief.text, "Order today."),
        "responsive_search_ad.path1": brief.thing.split()[0],
    }


def _expanded(brief: AdBrief, _assets: AdAssets) -> Paths:
    return {
        "expanded_text_ad.headline_part1": brief.title,
        "expanded_text_ad.headline_part2": brief.advertiser,
        "expanded_text_ad.description": brief.text,
        "expanded_text_ad.description2": "Order today.",
        "expanded_text_ad.path1": brief.thing.split()[0],
    }


def _dynamic(brief: AdBrief, _assets: AdAssets) -> Paths:
    """Google writes the headline, and chooses the page."""
    return {"expanded_dynamic_search_ad.description": brief.text, "final_urls": None}


def _product(_brief: AdBrief, _assets: AdAssets) -> Paths:
    return {"shopping_product_ad": {}, "final_urls": None}


def _display(brief: AdBrief, assets: AdAssets) -> Paths:
    return {
        "responsive_display_ad.headlines": [{"text": brief.title}, {"text": brief.thing.title()}],
        "responsive_display_ad.long_headline": {"text": f"{brief.title} from {brief.advertiser}"},
        "responsive_display_ad.descriptions": [{"text": brief.text}],
        "responsive_display_ad.business_name": brief.advertiser,
        "responsive_display_ad.call_to_action_text": "Shop now",
        "responsive_display_ad.marketing_images": [assets.image()],
        "responsive_display_ad.square_marketing_images": [assets.image(1, "SQUARE_MARKETING_IMAGE")],
        "responsive_display_ad.youtube_videos": [assets.video()] if brief.number % 3 == 0 else None,
    }


def _image(brief: AdBrief, _assets: AdAssets) -> Paths:
    url = f"https://tpc.googlesyndication.example/simgad/{brief.customer}{brief.number:04d}"
    return {
        "name": brief.title,
        "image_ad.image_url": url,
        "image_ad.mime_type": "IMAGE_PNG",
        "image_ad.pixel_width": 300,
        "image_ad.pixel_height": 250,
    }


def _video(brief: AdBrief, assets: AdAssets) -> Paths:
    return {
        "video_responsive_ad.headlines": [{"text": brief.title[:15]}],
        "video_responsive_ad.long_headlines": [{"text": brief.title}],
        "video_responsive_ad.descriptions": [{"text": brief.text}],
        "video_responsive_ad.call_to_actions": [{"text": "Shop now"}],
        "video_responsive_ad.videos": [assets.video()],
    }


def _in_stream(brief: AdBrief, assets: AdAssets) -> Paths:
    return {
        "name": brief.title,
        "video_ad.video.asset": assets.video()["asset"],
        "video_ad.in_stream.action_headline": brief.title[:15],
        "video_ad.in_stream.action_button_label": "Shop now",
    }


def _bumper(brief: AdBrief, assets: AdAssets) -> Paths:
    return {
        "name": brief.title,
        "video_ad.video.asset": assets.video()["asset"],
        "video_ad.bumper.action_headline": brief.title[:15],
    }


def _multi_asset(brief: AdBrief, assets: AdAssets) -> Paths:
    return {
        "demand_gen_multi_asset_ad.headlines": assets.texts(20, "HEADLINE", brief.title),
        "demand_gen_multi_asset_ad.descriptions": assets.texts(30, "DESCRIPTION", brief.text),
        "demand_gen_multi_asset_ad.business_name": brief.advertiser,
        "demand_gen_multi_asset_ad.call_to_action_text": "Shop now",
        "demand_gen_multi_asset_ad.marketing_images": [assets.image()],
        "demand_gen_multi_asset_ad.logo_images": [assets.image(2, "LOGO")],
    }


def _carousel(brief: AdBrief, assets: AdAssets) -> Paths:
    return {
        "demand_gen_carousel_ad.headline": {"text": brief.title},
        "demand_gen_carousel_ad.description": {"text": brief.text},
        "demand_gen_carousel_ad.business_name": brief.advertiser,
        "demand_gen_carousel_ad.call_to_action_text": "Shop now",
        "demand_gen_carousel_ad.carousel_cards": [assets.card(3), assets.card(4)],
    }


def _demand_gen_video(brief: AdBrief, assets: AdAssets) -> Paths:
    return {
        "demand_gen_video_responsive_ad.headlines": assets.texts(20, "HEADLINE", brief.title),
        "demand_gen_video_responsive_ad.long_headlines": [{"text": f"{brief.title} today"}],
        "demand_gen_video_responsive_ad.descriptions": assets.texts(30, "DESCRIPTION", brief.text),
        "demand_gen_video_responsive_ad.business_name": {"text": brief.advertiser},
        "demand_gen_video_responsive_ad.call_to_actions": [assets.call()],
        "demand_gen_video_responsive_ad.videos": [assets.video()],
    }


def _demand_gen_product(brief: AdBrief, assets: AdAssets) -> Paths:
    return {
        "demand_gen_product_ad.headline": {"text": brief.title},
        "demand_gen_product_ad.description": {"text": brief.text},
        "demand_gen_product_ad.business_name": {"text": brief.advertiser},
        "demand_gen_product_ad.call_to_action": assets.call(),
    }


def _app(brief: AdBrief, assets: AdAssets) -> Paths:
    return {
        "app_ad.headlines": assets.texts(20, "HEADLINE", brief.title),
        "app_ad.descriptions": assets.texts(30, "DESCRIPTION", brief.text),
        "app_ad.images": [assets.image()],
        "app_ad.youtube_videos": [assets.video()],
        "final_urls": None,
    }


def _smart(brief: AdBrief, _assets: AdAssets) -> Paths:
    return {
        "smart_campaign_ad.headlines": [{"text": brief.title}],
        "smart_campaign_ad.descriptions": [{"text": brief.text}],
    }


def _local_call(brief: AdBrief, _assets: AdAssets) -> Paths:
    """An enum value that has no field in Ad: nothing but its name is known."""
    return {"name": brief.title, "final_urls": None}


_TYPES: Mapping[str, Callable[[AdBrief, AdAssets], Paths]] = {
    "RESPONSIVE_SEARCH_AD": _search,
    "EXPANDED_TEXT_AD": _expanded,
    "EXPANDED_DYNAMIC_SEARCH_AD": _dynamic,
    "SHOPPING_PRODUCT_AD": _product,
    "RESPONSIVE_DISPLAY_AD": _display,
    "IMAGE_AD": _image,
    "VIDEO_RESPONSIVE_AD": _video,
    "VIDEO_TRUEVIEW_IN_STREAM_AD": _in_stream,
    "VIDEO_BUMPER_AD": _bumper,
    "DEMAND_GEN_MULTI_ASSET_AD": _multi_asset,
    "DEMAND_GEN_CAROUSEL_AD": _carousel,
    "DEMAND_GEN_VIDEO_RESPONSIVE_AD": _demand_gen_video,
    "DEMAND_GEN_PRODUCT_AD": _demand_gen_product,
    "APP_AD": _app,
    "SMART_CAMPAIGN_AD": _smart,
    "CALL_AD": _local_call,
}


LINKED = (
    "RESPONSIVE_SEARCH_AD", "APP_AD", "DEMAND_GEN_MULTI_ASSET_AD", "DEMAND_GEN_CAROUSEL_AD",
    "DEMAND_GEN_VIDEO_RESPONSIVE_AD", "DEMAND_GEN_PRODUCT_AD",
)  # fmt: skip
"""The types of ads whose assets ad_group_ad_asset_view lists (its class in google-ads, v26)."""


def creative(brief: AdBrief, kind: str) -> dict[str, Any]:
    """The creative of one ad of this type; `fields`: what its assets fill, where Google lists them one by one."""
    assets = AdAssets(brief)
    paths = {"type": kind, "final_urls": [brief.url], **_TYPES[kind](brief, assets)}
    ad = {path: value for path, value in paths.items() if value is not None}
    return {"ad": ad, "assets": assets.made, "fields": assets.fields if kind in LINKED else {}}


def group_assets(brief: AdBrief) -> dict[str, Any]:
    """What an asset group brings along: its assets, each with the field that it fills."""
    assets = AdAssets(brief)
    assets.texts(20, "HEADLINE", brief.title)
    assets.texts(21, "LONG_HEADLINE", f"{brief.title} from {brief.advertiser}")
    assets.texts(22, "DESCRIPTION", brief.text)
    assets.image()
    assets.video()
    return {"assets": assets.made, "fields": assets.fields, "final_urls": [brief.url]}
