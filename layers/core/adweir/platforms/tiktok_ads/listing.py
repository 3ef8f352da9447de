"""Campaigns, ad groups and ads as lists, with deleted ones, and what ads show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.errors import AccessDenied, RequestRejected, Transient
from adweir.model.slices import ALL, campaign_of
from adweir.model.tasks import Task
from adweir.platforms.connector import Page
from adweir.platforms.lookups import ask
from adweir.platforms.tiktok_ads import media, shop, wire
from adweir.platforms.tiktok_ads.calls import TikTokCalls, chunks, digits
from adweir.platforms.tiktok_ads.paging import PAGE_SIZE, SMALL_PAGE_SIZE, Turned, listed
from adweir.platforms.tiktok_ads.questions import Bought

PATHS: Mapping[Dataset, str] = {
    Dataset.CAMPAIGNS: "/campaign/get/",
    Dataset.AD_GROUPS: "/adgroup/get/",
    Dataset.ADS: "/ad/get/",
}
APART = "apart"
"""The label of a page of campaigns that no usual report has: GMV Max. The advertiser's total may contain them."""
_LISTED: Mapping[Bought, tuple[Mapping[str, Any], int]] = {
    Bought.USUAL: ({"buying_types": ["AUCTION", "RESERVATION_RF"]}, PAGE_SIZE),
    Bought.TOP_VIEW: ({"buying_types": ["RESERVATION_TOP_VIEW"]}, SMALL_PAGE_SIZE),
    Bought.PROMOTED: ({"campaign_system_origins": ["PROMOTE"]}, PAGE_SIZE),
}
"""Filters and page sizes of the lists: TopView and promoted posts must be asked for alone."""
_ALL = {"primary_status": "STATUS_ALL"}
_IDS, _IMAGES, _VIDEOS = 100, 100, 60
"""Ids per request."""


class TikTokListing:
    """The lists of one token's advertisers."""

    def __init__(self, calls: TikTokCalls) -> None:
        self._calls = calls

    def profiles(self) -> Iterator[Page]:
        """Pages of `/advertiser/info/` about the advertisers that the token covers now, a hundred each."""
        answer = self._calls.advertisers()
        ids = [entry.advertiser_id for entry in answer.read(wire.AdvertiserIds).entries]
        if not ids:
            yield Turned(answer, last=True).page()
        whole = answer.whole
        for some in (parts := chunks(ids, _IDS)):
            info = self._calls.get("/advertiser/info/", {"advertiser_ids": list(some), "fields": _ADVERTISER_FIELDS})
            whole = whole and info.whole
            yield Turned(info, last=True).page(last=whole and some is parts[-1])

    def objects(self, task: Task) -> Iterator[Page]:
        """The objects of a dataset. Raises RequestRejected for a dataset or slice that TikTok does not have."""
        campaign = campaign_of(task.slice)
        if task.dataset not in PATHS or (task.slice != ALL and not campaign):
            raise RequestRejected(f"TikTok has no list {task.dataset} of slice {task.slice[:60]!r}")
        narrowed = {"campaign_ids": [digits(campaign)]} if campaign else {}
        held, whole = None, True
        for turned, label in self._lists(task, narrowed):
            if held is not None:
                yield held
            whole = whole and turned.answer.whole
            held = turned.page(label, last=False)
            if task.dataset is Dataset.ADS:
                held = self._with_media(task.profile_id, held)
        if held is not None:
            yield held._replace(last=whole)

    def _lists(self, task: Task, narrowed: Mapping[str, Any]) -> Iterator[tuple[Turned, str]]:
        """The answers of all lists that have the dataset's objects, each with its page's label."""
        path = PATHS[task.dataset]
        for bought, size in _LISTED.values():
            params = _asked(task.profile_id, {**bought, **_ALL, **narrowed})
            yield from ((turned, "") for turned in listed(self._calls, path, params, size))
        if task.dataset is Dataset.CAMPAIGNS:
            yield from ((turned, APART) for turned in self._gmv_max(task.profile_id, narrowed))

    def campaign_ids(self, profile_id: str, whose: Bought) -> list[str]:
        """The ids of every campaign that was bought so, deleted ones too.

        Raises Transient where TikTok lists a part of them only.
        """
        found: list[str] = []
        bought, size = _LISTED[whose]
        params = _asked(profile_id, {**bought, **_ALL}) | {"fields": ["campaign_id"]}
        for turned in listed(self._calls, PATHS[Dataset.CAMPAIGNS], params, size):
            if not turned.answer.whole:
                raise Transient(f"{turned.answer.response.url} has a part of the campaigns only")
            found += [entry.campaign_id for entry in turned.answer.read(wire.CampaignIds).entries]
        return found

    def _gmv_max(self, profile_id: str, narrowed: Mapping[str, Any]) -> Iterator[Turned]:
        """GMV Max campaigns; none for who may not see a shop."""
        try:
            yield from shop.campaigns(self._calls, profile_id, narrowed)
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
        """What upgraded Smart+ ads say; nothing where the app may not ask for it."""
        for some in chunks(campaigns, _IDS):
            params = _asked(profile_id, {"campaign_ids": list(some), **_ALL})
            try:
                for turned in listed(self._calls, "/smart_plus/ad/get/", params, SMALL_PAGE_SIZE):
                    yield turned.answer.response.body
            except (AccessDenied, RequestRejected):
                return

    def _body(self, path: str, params: Mapping[str, Any]) -> bytes:
        return self._calls.get(path, params).response.body


_ADVERTISER_FIELDS = [
    "advertiser_id", "name", "currency", "timezone", "display_timezone", "status", "country",
]  # fmt: skip


def _asked(profile_id: str, filtering: Mapping[str, Any]) -> dict[str, Any]:
    return {"advertiser_id": digits(profile_id), "filtering": dict(filtering)}
