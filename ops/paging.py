"""Lists of the stores come in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def every_item(page: Callable[[str], tuple[Sequence[T], str]]) -> Iterator[T]:
    """The items of all pages, each page read when it is needed. `page` takes a token, "" for the first page, and
    returns its items and the token of the next, "" after the last."""
    token = ""
    while True:
        found, token = page(token)
        yield from found
        if not token:
            return
