"""Looks up the images and videos of a page of ads or creatives; what Meta does not show is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adweir.platforms.connector import Page
from adweir.platforms.lookups import ask
from adweir.platforms.meta import media
from adweir.platforms.meta.graph import Graph
from adweir.platforms.meta.questions import encode

_AT_ONCE = 50
"""Ids per request: the most that Graph reads at once."""


def with_media(graph: Graph, account: str, pages: Iterator[Page]) -> Iterator[Page]:
    """The pages, each with the answers about the images and videos that it names."""
    for page in pages:
        body = page.content()
        hashes, videos = media.named(body)
        answers = (
            *ask(hashes, _AT_ONCE, lambda some: graph.get(f"{account}/adimages", _by_hash(some)).body),
            *ask(
                videos, _AT_ONCE, lambda some: graph.get("", {"ids": ",".join(some), "fields": media.VIDEO_FIELDS}).body
            ),
        )
        found = [answer for answer in answers if media.readable(answer)]
        yield page._replace(body=media.together([body, *found]), label=media.LABEL) if found else page


def _by_hash(hashes: Sequence[str]) -> dict[str, str]:
    return {"hashes": encode(hashes), "fields": media.IMAGE_FIELDS, "limit": str(_AT_ONCE)}
