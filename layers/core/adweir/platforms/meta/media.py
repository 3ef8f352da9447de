"""Images and videos that creatives name by hash and by id: what to look up, and the page that has it all.

A page of ads or creatives that names some is stored with Meta's answers about them, so that a replay finds the URLs
that belong to it: `{"answers": [<page>, <images or videos>, ...]}`, each as Meta sent it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urljoin

import msgspec

from adweir.model.errors import BadInput
from adweir.platforms import json_text
from adweir.platforms.json_items import first
from adweir.platforms.meta import pages
from adweir.platforms.meta.pages import UNREADABLE

LABEL = "with_media"
"""Of a page that holds several answers."""
BEGIN = b'{"answers":['
IMAGE_FIELDS = "hash,permalink_url,url"
VIDEO_FIELDS = "source,permalink_url"

HASHES = (
    "image_hash",
    "object_story_spec.link_data.image_hash",
    "object_story_spec.video_data.image_hash",
    "object_story_spec.photo_data.image_hash",
    "asset_feed_spec.images.0.hash",
    "object_story_spec.link_data.child_attachments.0.image_hash",
)
IMAGES = (
    "image_url",
    "object_story_spec.link_data.picture",
    "object_story_spec.video_data.image_url",
    "object_story_spec.photo_data.url",
    "asset_feed_spec.images.0.url",
)
VIDEOS = (
    "video_id",
    "object_story_spec.video_data.video_id",
    "asset_feed_spec.videos.0.video_id",
    "object_story_spec.link_data.child_attachments.0.video_id",
)
"""Where a creative names its media, best first: dotted paths, digits index lists."""

_HASH = re.compile(r"[0-9A-Za-z]{1,64}")
_SITE = "https://www.facebook.com/"


class Media(NamedTuple):
    """URLs of images by hash, of videos by id."""

    images: Mapping[str, str]
    videos: Mapping[str, str]


NO_MEDIA = Media({}, {})


class _Items(msgspec.Struct):
    data: list[dict[str, Any]]


class _Answers(msgspec.Struct):
    answers: list[msgspec.Raw]


_items = msgspec.json.Decoder(_Items).decode
_answers = msgspec.json.Decoder(_Answers).decode


def readable(answer: bytes) -> bool:
    """Whether an answer about images or videos is JSON that can be decoded: any other says nothing."""
    try:
        msgspec.json.decode(answer)
    except UNREADABLE:
        return False
    return True


def named(body: bytes) -> tuple[list[str], list[str]]:
    """The hashes of a page's images that have no URL of their own, and the ids of its videos; none if unreadable."""
    hashes: dict[str, None] = {}
    videos: dict[str, None] = {}
    for item in _objects(body):
        nested = item.get("creative")
        creative = nested if isinstance(nested, dict) else item
        image, video = first(creative, HASHES), first(creative, VIDEOS)
        if image and _HASH.fullmatch(image) and not first(creative, IMAGES):
            hashes[image] = None
        if video and video.isdecimal() and video.isascii():
            videos[video] = None
    return list(hashes), list(videos)


def _objects(body: bytes) -> list[dict[str, Any]]:
    """The objects of a page, without those that cannot be read."""
    try:
        return _items(body).data
    except UNREADABLE:
        return [found for found in _one_by_one(body) if isinstance(found, dict)]


def _one_by_one(body: bytes) -> Iterator[Any]:
    """The items that can be read, of a page whose brackets match: one of any other could not be told from the answers
    beside it."""
    with suppress(BadInput, ValueError):
        (whole,) = json_text.elements(b"[" + body + b"]")
        for raw in pages.items(whole):
            with suppress(*UNREADABLE):
                yield msgspec.json.decode(raw)


def together(bodies: Sequence[bytes]) -> bytes:
    """Several answers as one body."""
    return BEGIN + b",".join(bodies) + b"]}"


def apart(body: bytes) -> tuple[bytes, Media]:
    """The page of a body, and what the other answers in it say; a body that is a page has no others."""
    if not body.startswith(BEGIN):
        return body, NO_MEDIA
    page, *others = _parts(body)
    images: dict[str, str] = {}
    videos: dict[str, str] = {}
    for answer in map(msgspec.json.decode, filter(readable, others)):
        if isinstance(answer, dict) and isinstance(answer.get("data"), list):
            images.update(_urls(((node.get("hash"), node) for node in _nodes(answer["data"])), "permalink_url", "url"))
        elif isinstance(answer, dict):
            known = ((name, node) for name, node in answer.items() if isinstance(node, dict))
            videos.update(_urls(known, "source", "permalink_url"))
    return bytes(page), Media(images, videos)


def _parts(body: bytes) -> list[bytes]:
    """The answers in a body, undecoded: one with an object that is nested too deep, too. Raises BadInput."""
    try:
        found = [bytes(raw) for raw in _answers(body).answers]
    except UNREADABLE:
        found = []
        with suppress(ValueError):
            found = list(json_text.elements(json_text.member(body, b"answers") or b""))
    if not found:
        raise BadInput("not a page of Meta's with images and videos")
    return found


def _nodes(found: list[Any]) -> list[dict[str, Any]]:
    return [node for node in found if isinstance(node, dict)]


def _urls(nodes: Iterable[tuple[Any, dict[str, Any]]], *names: str) -> dict[str, str]:
    """Each node's first URL. A video's permanent one is a path on facebook.com."""
    urls: dict[str, str] = {}
    for name, node in nodes:
        url = next((node[key] for key in names if isinstance(node.get(key), str) and node[key]), None)
        if isinstance(name, str) and url:
            with suppress(ValueError):  # not a URL: it shows nothing
                urls[name] = urljoin(_SITE, url)
    return urls
