"""Switches that make the platforms misbehave, for as many requests as wanted or until they are turned off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

SLOW_ANSWER, HALF_ANSWER, PROXY_PAGE = "slow_answer", "half_answer", "proxy_page"
EVERYWHERE = {
    SLOW_ANSWER: "answers come `seconds` late (default 1)",
    HALF_ANSWER: "answers are cut off in the middle; `path` narrows it to paths that contain it",
    PROXY_PAGE: "a proxy's page in HTML comes instead, with `status` (default 200); `path` as with half_answer",
}
"""What may go wrong between any platform and its caller (`sandbox.on_the_way`)."""


_taken: ContextVar[set[tuple[str, str]] | None] = ContextVar("_taken", default=None)


@contextmanager
def taken() -> Iterator[set[tuple[str, str]]]:
    """The switches that spoil what is answered in the block: each kind, with its ad account where there is one."""
    found: set[tuple[str, str]] = set()
    token = _taken.set(found)
    try:
        yield found
    finally:
        _taken.reset(token)


class UnknownSwitch(ValueError):
    """There is no such switch, or the platform does not have it; the message lists those that exist."""


@dataclass
class Switch:
    """One misbehaviour. An empty platform or profile means all of them.

    `times`: how many requests it spoils; None means until it is turned off. `skip`: how many it lets pass before.
    """

    kind: str
    platform: str = ""
    profile_id: str = ""
    times: int | None = None
    skip: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    used: int = 0

    def concerns(self, platform: str, profile_id: str, path: str = "") -> bool:
        """Whether it applies to a request to this platform about this ad account; its option `path` narrows paths."""
        asked = self.platform in ("", platform) and self.profile_id in ("", profile_id)
        return asked and (not path or str(self.options.get("path", "")) in path)


class Switches:
    """The switches that are on; safe to use from many threads."""

    def __init__(self, known: Mapping[str, Mapping[str, str]]) -> None:
        """`known`: by platform, what each kind does there."""
        self._known = known
        self._lock = threading.Lock()
        self._on: list[Switch] = []

    @property
    def kinds(self) -> dict[str, str]:
        """What each kind does, platform by platform."""
        kinds: dict[str, list[str]] = {}
        for platform, switches in self._known.items():
            for kind, text in switches.items():
                kinds.setdefault(kind, []).append(f"{platform}: {text}")
        return {kind: "; ".join(texts) for kind, texts in kinds.items()}

    def read(self, body: Mapping[str, Any]) -> Switch:
        """`{"kind", "platform", "profile_id", "times", "skip", ...options}` → a switch. Raises UnknownSwitch."""
        options = dict(body)
        kind, platform = str(options.pop("kind", "")), str(options.pop("platform", ""))
        possible = self._known.get(platform, {}) if platform else self.kinds
        if kind not in possible:
            where = f" of {platform}" if platform else ""
            raise UnknownSwitch(f"unknown switch {kind!r}{where}; known: {', '.join(sorted(possible))}")
        times = options.pop("times", None)
        profile_id, skip = str(options.pop("profile_id", "")), int(options.pop("skip", 0))
        return Switch(kind, platform, profile_id, None if times is None else int(times), skip, options)

    def turn_on(self, wanted: Switch | Mapping[str, Any]) -> None:
        """Turn on a switch, or one described as for `read`."""
        switch = wanted if isinstance(wanted, Switch) else self.read(wanted)
        with self._lock:
            self._on.append(switch)

    def clear(self, kind: str = "") -> None:
        """Turn off one kind, or all."""
        with self._lock:
            self._on = [s for s in self._on if kind and s.kind != kind]

    def listing(self) -> list[dict[str, Any]]:
        """The switches that are on."""
        with self._lock:
            return [asdict(s) for s in self._on]

    def take(
        self,
        kind: str,
        platform: str,
        profile_id: str = "",
        path: str = "",
        *,
        acts: Callable[[Mapping[str, Any]], bool] | None = None,
    ) -> dict[str, Any] | None:
        """The options of the first matching switch, using it up once; None when the platform behaves.

        `path`: the request's, for kinds that have the option of that name. `acts`: whether a switch with such options
        spoils this answer at all: where it does not, it is not used up.
        """
        with self._lock:
            for switch in self._on:
                if switch.kind != kind or not switch.concerns(platform, profile_id, path):
                    continue
                if acts and not acts(switch.options):
                    continue
                if switch.skip:
                    switch.skip -= 1
                    continue
                switch.used += 1
                if (found := _taken.get()) is not None:
                    found.add((kind, profile_id))
                if switch.times is not None:
                    switch.times -= 1
                    if switch.times <= 0:
                        self._on.remove(switch)
                return switch.options
        return None
