"""Campaigns, ad groups and ads as lists, with deleted ones, and what ads show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.errors import AccessDenied, RequestRejected
from adweir.model.slices import campaign_of
from adweir.model.tasks import Task
from adweir.platforms.connector import Page
from adweir.platforms.lookups import ask
from adweir.platforms.tiktok_ads import media, wire
from adweir.platforms.tiktok_ads.calls import TikTokCalls, chunks, digits
from adweir.platforms.tiktok_ads.paging import PAGE_SIZE, SMALL_PAGE_SIZE, Turned, listed

PATHS: Mapping[Dataset, str] = {
    Dataset.CAMPAIGNS: "/campaign/get/",
    Dataset.AD_GROUPS: "/adgroup/get/",
    Dataset.ADS: "/ad/get/",
}
GMV_MAX = "gmv_max"
"""The label of a page of GMV Max campaigns."""
_BUYING: tuple[tuple[list[str], int], ...] = (
    (["AUCTION", "RESERVATION_RF"], PAGE_SIZE),
    (["RESERVATION_TOP_VIEW"], SMALL_PAGE_SIZE),
)
"""TopView must be asked for alone."""
_ALL = {"primary_status": "STATUS_ALL"}
_IDS, _IMAGES, _VIDEOS = 100, 100, 60
"""Ids per request."""


class Listing:
    """The lists of one token's advertisers."""

    def __init__(self, calls: TikTokCalls) -> None:
        self._calls = calls

    def profiles(self) -> Iterator[Page]:
        """Pages of `/advertiser/info/` about the advertisers that the token covers now, a hundred each."""
        answer = self._calls.advertisers()
        ids = [entry.advertiser_id for entry in answer.read(wire.AdvertiserIds).list]
        if not ids:
            yield Turned(answer, last=True).page()
        for some in (parts := chunks(ids, _IDS)):
            info = self._calls.get("/advertiser/info/", {"advertiser_ids": list(some), "fields": _ADVERTISER_FIELDS})
            yield Turned(info, last=True).page(last=answer.whole and some is parts[-1])

    def objects(self, task: Task) -> Iterator[Page]:
        """The objects of a dataset. Raises RequestRejected for a dataset or slice that TikTok does not have."""
        path = PATHS.get(task.dataset)
        campaign = campaign_of(task.slice)
        if path is None or (task.slice != "all" and not campaign):
            raise RequestRejected(f"TikTok has no list {task.dataset} of slice {task.slice[:60]!r}")
        narrowed = {"campaign_ids": [digits(campaign)]} if campaign else {}
        gmv_max = list(self._gmv_max(task.profile_id, narrowed)) if task.dataset is Dataset.CAMPAIGNS else []
        for buying, size in _BUYING:
            top_view = buying is _BUYING[-1][0]
            params = _asked(task.profile_id, {"buying_types": buying, **_ALL, **narrowed})
            for turned in listed(self._calls, path, params, size):
                page = turned.page(last=top_view and not gmv_max)
                yield self._with_media(task.profile_id, page) if task.dataset is Dataset.ADS else page
        for place, turned in enumerate(gmv_max, 1):
            yield turned.page(GMV_MAX, last=place == len(gmv_max))

    def campaign_ids(self, profile_id: str) -> list[str]:
        """The ids of every campaign, deleted ones too."""
        found: list[str] = []
        for buying, size in _BUYING:
            params = _asked(profile_id, {"buying_types": buying, **_ALL}) | {"fields": ["campaign_id"]}
            for turned in listed(self._calls, PATHS[Dataset.CAMPAIGNS], params, size):
                found += [entry.campaign_id for entry in turned.answer.read(wire.CampaignIds).list]
        return found

    def _gmv_max(self, profile_id: str, narrowed: Mapping[str, Any]) -> Iterator[Turned]:
        """GMV Max campaigns, which are in no other list and no usual report; none for who may not sell in a shop."""
        wanted = {"gmv_max_promotion_types": ["PRODUCT_GMV_MAX", "LIVE_GMV_MAX"], **narrowed}
        try:
            yield from listed(self._calls, "/gmv_max/campaign/get/", _asked(profile_id, wanted), SMALL_PAGE_SIZE)
        except (AccessDenied, RequestRejected):
            return

    def _with_media(self, profile_id: str, page: Page) -> Page:
        """The page with TikTok's answers about the images and videos and the Smart+ ads that it names."""
        ads = media.ads_of(page.content())
        smart = list(self._smart(profile_id, media.smart_campaigns(ads)))
        images, videos = media.named(ads, smart)
        who = {"advertiser_id": profile_id}
        answers = [
            *smart,
            *ask(images, _IMAGES, lambda some: self._body("/file/image/ad/info/", who | {"image_ids": list(some)})),
            *ask(videos, _VIDEOS, lambda some: self._body("/file/video/ad/info/", who | {"video_ids": list(some)})),
        ]
        return page._replace(body=media.together(page.content(), answers), label=media.LABEL) if answers else page

    def _smart(self, profile_id: str, campaigns: list[str]) -> Iterator[bytes]:
        for some in chunks(campaigns, _IDS):
            params = _asked(profile_id, {"campaign_ids": list(some), **_ALL})
            for turned in listed(self._calls, "/smart_plus/ad/get/", params, SMALL_PAGE_SIZE):
                yield turned.answer.response.body

    def _body(self, path: str, params: Mapping[str, Any]) -> bytes:
        return self._calls.get(path, params).response.body


_ADVERTISER_FIELDS = [
    "advertiser_id", "name", "currency", "timezone", "display_timezone", "status", "country",
]  # fmt: skip


def _asked(profile_id: str, filtering: Mapping[str, Any]) -> dict[str, Any]:
    return {"advertiser_id": digits(profile_id), "filtering": dict(filtering)}
