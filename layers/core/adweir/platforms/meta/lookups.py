"""Looks up the images and videos of a page of ads or creatives; what Meta does not show is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from adweir.model.errors import AccessDenied, RequestRejected, TooMuchData
from adweir.platforms.connector import Page
from adweir.platforms.meta import media
from adweir.platforms.meta.graph import Graph
from adweir.platforms.meta.questions import encode

_AT_ONCE = 50
"""Ids per request: the most that Graph reads at once."""
_MOST_REFUSALS = 8
"""A single id that may not be seen has Meta refuse all of a request; halving finds it among 50 in six more."""


def with_media(graph: Graph, account: str, pages: Iterator[Page]) -> Iterator[Page]:
    """The pages, each with the answers about the images and videos that it names."""
    for page in pages:
        body = page.content()
        hashes, videos = media.named(body)
        answers = (
            *_ask(hashes, lambda some: graph.get(f"{account}/adimages", _by_hash(some)).body),
            *_ask(videos, lambda some: graph.get("", {"ids": ",".join(some), "fields": media.VIDEO_FIELDS}).body),
        )
        found = [answer for answer in answers if media.readable(answer)]
        yield page._replace(body=media.together([body, *found]), label=media.LABEL) if found else page


def _by_hash(hashes: Sequence[str]) -> dict[str, str]:
    return {"hashes": encode(hashes), "fields": media.IMAGE_FIELDS, "limit": str(_AT_ONCE)}


def _ask(ids: Sequence[str], ask: Callable[[Sequence[str]], bytes]) -> Iterator[bytes]:
    """The answers about all ids that Meta shows. Raises Throttled, Transient and AuthExpired."""
    waiting = [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]
    refusals = 0
    while waiting and refusals < _MOST_REFUSALS:
        some = waiting.pop()
        try:
            yield ask(some)
        except (RequestRejected, AccessDenied, TooMuchData):
            refusals += 1
            if len(some) > 1:
                waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
