"""What ads name by id: images, videos and the content of upgraded Smart+ ads, and the page that has it all.

A page of ads that names some is stored with TikTok's answers about them, so that a replay finds what belongs to it:
`{"page": <the answer>, "answers": [<images, videos or Smart+ ads>, ...]}`, each as TikTok sent it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

import msgspec

from adweir.model.errors import BadInput
from adweir.platforms import json_items, json_text
from adweir.platforms.json_items import UNREADABLE
from adweir.platforms.tiktok_ads import wire

T = TypeVar("T")
LABEL = "with_media"
"""Of a page that holds several answers."""
_BEGIN = b'{"page":'
_UPGRADED = "UPGRADED_SMART_PLUS"
_ad = msgspec.json.Decoder(wire.AdObject).decode


class ShownMedia(NamedTuple):
    """URLs of images and of videos by id, and Smart+ content by the id of a creative, which is an ad's in reports."""

    images: Mapping[str, str]
    videos: Mapping[str, str]
    smart: Mapping[str, tuple[wire.SmartAd, wire.SmartCreative]]


NO_MEDIA = ShownMedia({}, {}, {})


def entries(body: bytes) -> list[msgspec.Raw]:
    """The undecoded entries of an answer's list. Raises BadInput for bytes that are no such answer."""
    data = json_text.member(body, b"data")
    found = None if data is None else json_items.items(data, "list")
    if found is None:
        raise BadInput("not a list of TikTok's")
    return found


def ads_of(body: bytes) -> list[wire.AdObject]:
    """The ads of a page that can be read."""
    found = []
    for raw in _entries(body):
        with suppress(*UNREADABLE):
            found.append(_ad(raw))
    return found


def smart_campaigns(ads: Sequence[wire.AdObject]) -> list[str]:
    """The upgraded Smart+ campaigns of some ads."""
    smart = (ad for ad in ads if (ad.campaign_automation_type or "").startswith(_UPGRADED))
    return list(dict.fromkeys(ad.campaign_id for ad in smart if ad.campaign_id.isdecimal()))


def named(ads: Sequence[wire.AdObject], smart: Sequence[bytes]) -> tuple[list[str], list[str]]:
    """The ids of the images and videos that ads and Smart+ creatives show first."""
    content = _content(smart)
    images: dict[str, None] = {}
    videos: dict[str, None] = {}
    for ad in ads:
        image, video = shown(ad, content.get(ad.ad_id, (None, None))[1])
        images |= {image: None} if image else {}
        videos |= {video: None} if video else {}
    return list(images), list(videos)


def shown(ad: wire.AdObject, creative: wire.SmartCreative | None) -> tuple[str | None, str | None]:
    """The ids of the image and of the video that an ad shows, its own or those of its Smart+ creative."""
    info = (creative.creative_info if creative else None) or wire.CreativeInfo()
    pictures = info.image_info if isinstance(info.image_info, list) else [info.image_info]
    picture = next((one.web_uri for one in pictures if one and one.web_uri), None)
    image = next(iter(ad.image_ids or []), None) or picture
    return image, ad.video_id or (info.video_info.video_id if info.video_info else None)


def together(page: bytes, answers: Sequence[bytes]) -> bytes:
    """A page and the answers about it as one body; answers that are no JSON say nothing."""
    return b'%b%b,"answers":[%b]}' % (_BEGIN, page, b",".join([answer for answer in answers if _is_json(answer)]))


def apart(body: bytes) -> tuple[bytes, ShownMedia]:
    """The page of a body, and what the other answers in it say; a body that is a page has no others."""
    if not body.startswith(_BEGIN):
        return body, NO_MEDIA
    page = json_text.member(body, b"page") or b""
    answers = [bytes(raw) for raw in json_items.items(body, "answers") or []]
    images = _read(answers, wire.Image)
    videos = _read(answers, wire.Video)
    return page, ShownMedia(
        {image.image_id: image.image_url for image in images if image.image_url},
        {video.video_id: video.preview_url for video in videos if video.preview_url},
        _content(answers),
    )


def _content(answers: Sequence[bytes]) -> dict[str, tuple[wire.SmartAd, wire.SmartCreative]]:
    return {
        creative.smart_plus_creative_id: (ad, creative)
        for ad in _read(answers, wire.SmartAd)
        for creative in ad.creative_list or []
        if creative.smart_plus_creative_id
    }


def _read(answers: Sequence[bytes], kind: type[T]) -> Iterator[T]:
    """The entries of some answers that are of a kind: each kind has an id of its own."""
    decode = msgspec.json.Decoder(kind).decode
    for answer in answers:
        for raw in _entries(answer):
            with suppress(*UNREADABLE):
                yield decode(raw)


def _entries(body: bytes) -> list[msgspec.Raw]:
    try:
        return entries(body)
    except BadInput:
        return []


def _is_json(answer: bytes) -> bool:
    try:
        msgspec.json.decode(answer)
    except UNREADABLE:
        return False
    return True
