"""Images and videos that ads name by id ("GetMediaMetaDataByIds" and "GetVideosByIds Service Operation").

A page of ads is stored with what was answered about them, so that a replay finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

import msgspec

from adweir.model.errors import BadInput
from adweir.platforms.json_items import UNREADABLE, items
from adweir.platforms.lookups import ask
from adweir.platforms.microsoft_ads import wire

T = TypeVar("T")
AT_ONCE = 100
"""The most ids of a question about images; videos may be a thousand."""
_ORIGINAL = "Original"
Ask = Callable[[str, Mapping[str, Any]], bytes]
"""The body of the answer to a question at a path."""


class AdMedia(NamedTuple):
    """URLs by the ids of images and of videos."""

    images: Mapping[str, str]
    videos: Mapping[str, str]


def shown(ad: wire.MsAd) -> tuple[str, str]:
    """The ids of the first image and of the first video of an ad, "" where it has none."""
    return _first(ad.images), _first(ad.videos)


def about(ads: Sequence[msgspec.Raw], question: Ask) -> tuple[list[msgspec.Raw], list[msgspec.Raw]]:
    """What Microsoft says of the images and videos that some ads show first; nothing of one that may not be seen."""
    pairs = [shown(ad) for ad in _readable(ads, wire.MsAd)]
    images, videos = ([one for one in dict.fromkeys(pair[at] for pair in pairs) if one] for at in (0, 1))
    return (
        list(
            _all(images, lambda some: question("/MediaMetaData/QueryByIds", {"MediaIds": list(some)}), "MediaMetaData")
        ),
        list(_all(videos, lambda some: question("/Videos/QueryByIds", {"VideoIds": list(some)}), "Videos")),
    )


def urls(page: wire.AnswersBelow) -> AdMedia:
    """What a page brings about images and videos."""
    pictures = {str(one.id): _url(one) for one in _readable(page.media, wire.MsMedia)}
    films = {str(one.id): one.url or one.source_url for one in _readable(page.videos, wire.MsVideo)}
    return AdMedia({key: url for key, url in pictures.items() if url}, {key: url for key, url in films.items() if url})


def _all(ids: Sequence[str], question: Callable[[Sequence[str]], bytes], member: str) -> Iterator[msgspec.Raw]:
    for body in ask(ids, AT_ONCE, question):
        with suppress(BadInput):
            yield from (raw for raw in items(body, member) or () if raw != wire.NOTHING)


def _readable(raws: Sequence[msgspec.Raw], kind: type[T]) -> Iterator[T]:
    decode = msgspec.json.Decoder(kind).decode
    for raw in raws:
        with suppress(*UNREADABLE):
            yield decode(raw)


def _first(links: Sequence[wire.MsAssetLink] | None) -> str:
    return next((str(link.asset.id) for link in links or () if link.asset and link.asset.id), "")


def _url(found: wire.MsMedia) -> str | None:
    """The original, else whatever there is."""
    known = sorted(found.representations or (), key=lambda one: one.name != _ORIGINAL)
    return next((one.url for one in known if one.url), None)
