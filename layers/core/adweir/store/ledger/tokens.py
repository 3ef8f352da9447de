"""Shared access tokens: container memory, then `token#<key>` / `token`, refreshed by one worker at a time.

The partition key begins with `token#`, so that IAM can deny these items to every function but the two that need
them (dynamodb:LeadingKeys).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from adweir.model import limits
from adweir.model.errors import Throttled
from adweir.model.times import Clock
from adweir.store.ledger.rows import Row, Rows

MARGIN_SECONDS = 60
LOCK_SECONDS = 30
_TRIES = 8
_PAUSE_SECONDS = 0.25


class Tokens(Rows):
    """Access tokens by key; a key names the credential and its version."""

    def __init__(self, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(clock)
        self._sleep = sleep
        self._memory: dict[str, tuple[str, int]] = {}

    def get(self, key: str, refresh: Callable[[], tuple[str, int]]) -> str:
        """A token that is valid for at least another minute.

        `refresh()` asks the platform: (token, seconds that it lives). One worker calls it at a time; the others use
        the old token while it works, wait up to two seconds, then raise Throttled. Errors of `refresh` pass through.
        """
        for _ in range(_TRIES):
            now = self._now()
            known = self._memory.get(key)
            if known and known[1] - MARGIN_SECONDS > now:
                return known[0]
            row = self._fetch(_pk(key), "token")
            stored = (row.text, int(row.deadline or 0)) if row and row.text else None
            if stored and stored[1] - MARGIN_SECONDS > now:
                self._remember(key, stored)
                return stored[0]
            if self._lock(key):
                return self._refresh(key, refresh)
            if stored and stored[1] > now:
                return stored[0]
            self._sleep(_PAUSE_SECONDS)
        raise Throttled("another worker is refreshing the access token", retry_after=2)

    def forget(self, key: str) -> None:
        """The platform refused the token last given: drop it here and, unless already replaced, in the shared item."""
        token, _ = self._memory.pop(key, ("", 0))
        if not token:
            row = self._fetch(_pk(key), "token")
            token = (row.text or "") if row else ""
        if token:
            self._change(_pk(key), "token", [Row.text.remove(), Row.deadline.remove()], Row.text == token)

    def _lock(self, key: str) -> bool:
        now = self._now()
        free = Row.until.does_not_exist() | (Row.until <= now)
        actions = [Row.until.set(now + LOCK_SECONDS), Row.expires.set(self._expires())]
        return self._hold(_pk(key), "token", actions, free, Row.until.set(0)) is not None

    def _refresh(self, key: str, refresh: Callable[[], tuple[str, int]]) -> str:
        try:
            token, seconds = refresh()
        except BaseException:
            self._change(_pk(key), "token", [Row.until.set(0)])
            raise
        until = self._now() + int(seconds)
        actions = [Row.text.set(token), Row.deadline.set(until), Row.until.set(0), Row.expires.set(self._expires())]
        self._change(_pk(key), "token", actions)
        self._remember(key, (token, until))
        return token

    def _remember(self, key: str, token: tuple[str, int]) -> None:
        self._memory.pop(key, None)
        self._memory[key] = token
        if len(self._memory) > limits.MAX_KNOWN_TOKENS:
            del self._memory[next(iter(self._memory))]


def _pk(key: str) -> str:
    return f"token#{key}"
