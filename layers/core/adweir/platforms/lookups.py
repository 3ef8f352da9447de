"""Questions about many ids at once, where a single id that may not be seen has the platform refuse all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from adweir.model.errors import AccessDenied, RequestRejected, TooMuchData

_MOST_REFUSALS = 8
"""Halving finds one such id among 50 in six requests more."""


def ask(ids: Sequence[str], at_once: int, question: Callable[[Sequence[str]], bytes]) -> Iterator[bytes]:
    """The answers about all ids that the platform shows. Raises Throttled, Transient and AuthExpired."""
    waiting = [ids[at : at + at_once] for at in range(0, len(ids), at_once)]
    refusals = 0
    while waiting and refusals < _MOST_REFUSALS:
        some = waiting.pop()
        try:
            yield question(some)
        except (RequestRejected, AccessDenied, TooMuchData):
            refusals += 1
            if len(some) > 1:
                waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
