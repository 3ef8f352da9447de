"""The lists: campaigns, ad groups, ads, those of Smart+, and the files behind ads.

Source of filters and limits: bububa/tiktok-business, model/{campaign,adgroup,ad,file}, and the second reading, A11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.tiktok_ads.answers import wrong
from sandbox.platforms.tiktok_ads.faults import listed_answer
from sandbox.platforms.tiktok_ads.objects import TikTokObjects, TikTokThing, buying_type, system_origin
from sandbox.platforms.tiktok_ads.parameters import TikTokParameters
from sandbox.platforms.tiktok_ads.population import SMART_PLUS
from sandbox.platforms.tiktok_ads.statuses import PREFIXES, PRIMARY
from sandbox.world import WorldProfile

_BUYING_TYPES = ("AUCTION", "RESERVATION_RF", "RESERVATION_TOP_VIEW")
_TOP_VIEW = ["RESERVATION_TOP_VIEW"]
_ORIGINS = ("TT_ADS_PLATFORM", "PROMOTE")
_MOST_IDS = 100
_MOST_VIDEOS = 60
_IMAGE_SECONDS, _VIDEO_SECONDS = 86_400, 21_600
_PROMOTED_FIELDS = (
    "advertiser_id", "campaign_id", "adgroup_id", "ad_id", "create_time", "campaign_name", "operation_status",
    "secondary_status",
)  # fmt: skip
"""All that TikTok tells about a promoted post."""
_COMMON = frozenset({"campaign_ids", "primary_status", "secondary_status", "objective_type"})
_TIMES = frozenset({"creation_filter_start_time", "creation_filter_end_time"})
_BOUGHT = frozenset({"buying_types", "campaign_system_origins"})


class _List(NamedTuple):
    """One endpoint: its level, where its things come from, its filters, and its largest page."""

    level: str
    things: Callable[[TikTokObjects], Iterator[TikTokThing]]
    filters: frozenset[str]
    most: int = 1000
    smart: bool = False


LISTS: Mapping[str, _List] = {
    "campaign/get": _List("campaign", TikTokObjects.campaigns, _COMMON | _TIMES | _BOUGHT | {"campaign_name"}),
    "adgroup/get": _List("adgroup", TikTokObjects.groups, _COMMON | _TIMES | _BOUGHT | {"adgroup_ids", "adgroup_name"}),
    "ad/get": _List("ad", TikTokObjects.ads, _COMMON | _TIMES | _BOUGHT | {"adgroup_ids", "ad_ids", "modified_after"}),
    "smart_plus/campaign/get": _List(
        "campaign", TikTokObjects.campaigns, _COMMON | _TIMES | {"campaign_name"}, smart=True
    ),
    "smart_plus/adgroup/get": _List(
        "adgroup", TikTokObjects.groups, _COMMON | {"adgroup_ids", "adgroup_name"}, smart=True
    ),
    "smart_plus/ad/get": _List(
        "ad",
        TikTokObjects.smart_ads,
        _COMMON | _TIMES | {"adgroup_ids", "smart_plus_ad_ids", "modified_after"},
        100,
        smart=True,
    ),
}
FILES = ("file/image/ad/info", "file/video/ad/info")


class TikTokLists:
    """Answers the lists of one outside world."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def get(self, path: str, profile: WorldProfile, query: TikTokParameters) -> Response:
        """One page of a list."""
        kind, filtering = LISTS[path], _Filtering(LISTS[path], query.members("filtering"))
        most = 100 if path == "adgroup/get" and filtering.buying == _TOP_VIEW else kind.most
        page, size = query.number("page", 1, 10**6), query.number("page_size", 10, most)
        fields, hidden = query.words("fields"), query.words("exclude_field_types_in_response")
        things = list(kind.things(TikTokObjects(self._outside.world, profile)))
        unknown = set(fields) - {name for thing in things for name in thing.body}
        if unknown and things:
            raise wrong(f"fields: Invalid values: {sorted(unknown)}")
        found = [_shown(thing, fields, hide_null="NULL_FIELD" in hidden) for thing in things if filtering.passes(thing)]
        return listed_answer(self._outside, profile.id, found, page, size)

    def files(self, path: str, profile: WorldProfile, query: TikTokParameters) -> Response:
        """Where images (at most 100) and videos (60) can be seen, for a while; unknown ids are left out."""
        video = path == FILES[1]
        wanted = set(query.words("video_ids", _MOST_VIDEOS) if video else query.words("image_ids", _MOST_IDS))
        if not wanted:
            raise wrong(f"{'video' if video else 'image'}_ids: Missing data for required field.")
        held: dict[str, None] = {}
        for _, _, ad in profile.delivering():
            ids = [ad.creative["video_id"]] if video and "video_id" in ad.creative else ad.creative.get("image_ids", [])
            held |= dict.fromkeys(ids)
        now = int(self._outside.world.now.timestamp())
        listed = [_video(one, now) if video else _image(one, now) for one in held if one in wanted]
        return listed_answer(self._outside, profile.id, listed)


class _Filtering:
    """The `filtering` of a list. Raises 40002 for what the endpoint cannot filter by."""

    def __init__(self, kind: _List, given: Mapping[str, Any]) -> None:
        unknown = sorted(set(given) - kind.filters)
        if unknown:
            raise wrong(f"filtering: Unknown fields: {unknown}")
        self._level, self._smart = kind.level, kind.smart
        texts = TikTokParameters(given)
        self.buying = texts.words("buying_types") or list(_BUYING_TYPES[:2])
        self._origins = texts.words("campaign_system_origins") or list(_ORIGINS[:1])
        self._primary = texts.text("primary_status", "STATUS_NOT_DELETE")
        self._secondary = texts.text("secondary_status")
        self._objective = texts.text("objective_type")
        self._names = [(name, texts.text(name)) for name in ("campaign_name", "adgroup_name") if name in given]
        self._ids = [
            (name.removesuffix("s"), frozenset(texts.words(name, _MOST_IDS)))
            for name in ("campaign_ids", "adgroup_ids", "ad_ids", "smart_plus_ad_ids")
            if name in given
        ]
        self._after, self._before = texts.text("creation_filter_start_time"), texts.text("creation_filter_end_time")
        self._modified = texts.text("modified_after")
        self._check()

    def _check(self) -> None:
        if set(self.buying) - set(_BUYING_TYPES) or set(self._origins) - set(_ORIGINS):
            raise wrong("filtering: Invalid buying_types or campaign_system_origins")
        if _TOP_VIEW[0] in self.buying and self.buying != _TOP_VIEW:
            raise wrong("filtering.buying_types: RESERVATION_TOP_VIEW cannot be used with other values")
        if self._primary not in PRIMARY:
            raise wrong(f"filtering.primary_status: Must be one of: {', '.join(PRIMARY)}.")
        if self._secondary and not self._secondary.startswith(f"{PREFIXES[self._level]}_"):
            raise wrong("filtering.secondary_status: Not a status of this level")

    def passes(self, thing: TikTokThing) -> bool:
        """Whether the list has it."""
        if self._smart and thing.campaign.kind != SMART_PLUS:
            return False
        if buying_type(thing.campaign) not in self.buying or system_origin(thing.campaign) not in self._origins:
            return False
        if not self._status_passes(thing) or self._objective not in ("", thing.campaign.objective):
            return False
        if any(text not in thing.body[name] for name, text in self._names):
            return False
        if any(str(thing.body.get(name)) not in ids for name, ids in self._ids):
            return False
        times = (thing.created >= self._after, not self._before or thing.created <= self._before)
        return all(times) and (not self._modified or thing.modified > self._modified)

    def _status_passes(self, thing: TikTokThing) -> bool:
        prefix = PREFIXES[self._level]
        if self._secondary in (f"{prefix}_ALL", f"{prefix}_NOT_DELETE"):
            return thing.status.passes(self._secondary.replace(prefix, "STATUS"))
        if self._secondary:
            return thing.status.secondary == self._secondary
        return thing.status.passes(self._primary)


def _shown(thing: TikTokThing, fields: list[str], *, hide_null: bool) -> dict[str, Any]:
    body = thing.body
    if system_origin(thing.campaign) == "PROMOTE":
        body = {name: body[name] for name in _PROMOTED_FIELDS if name in body}
    return {
        name: value
        for name, value in body.items()
        if (not fields or name in fields) and not (hide_null and value is None)
    }


def _image(image_id: str, now: int) -> dict[str, Any]:
    url = f"https://p16-ad.example/{image_id}.jpg?x-expires={now + _IMAGE_SECONDS}"
    return {"image_id": image_id, "image_url": url, "width": 720, "height": 1280, "format": "jpeg", "displayable": True}


def _video(video_id: str, now: int) -> dict[str, Any]:
    return {
        "video_id": video_id,
        "preview_url": f"https://v16m.example/{video_id}/?x-expires={now + _VIDEO_SECONDS}",
        "preview_url_expire_time": f"{datetime.fromtimestamp(now + _VIDEO_SECONDS, UTC):%Y-%m-%d %H:%M:%S}",
        "video_cover_url": f"https://p16-ad.example/{video_id}.jpg?x-expires={now + _IMAGE_SECONDS}",
        "width": 720,
        "height": 1280,
        "duration": 14.6,
        "format": "mp4",
        "displayable": True,
    }
