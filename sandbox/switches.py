"""Switches that make the platforms misbehave, for as many requests as wanted or until they are turned off."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = {
    "throttle": "refuse requests as too many (code, subcode, regain_minutes on Meta; retry_after or null on Amazon)",
    "expired_token": "Meta: 190/463 until cleared; Amazon: access tokens issued so far stop working",
    "revoked_credential": "Meta: 190/458; Amazon: the refresh token and its access tokens are refused",
    "broken_report": "finished reports are FAILED or Job Failed (reason; status 'Job Skipped' on Meta)",
    "slow_report": "new reports take `seconds`",
    "server_error": "answer `status` (default 503)",
    "bad_row": "one row is malformed (mode: negative, text, no_key; ad_id, else the first row)",
    "empty": "metrics answer 200 without rows",
    "access_denied": "the profile's permission is gone (Meta code 200, Amazon 403)",
    "truncated_paging": "a page that has a next one does not say so (mode: no_paging, no_next, cut)",
    "data_limit": "synchronous answers of more than `rows` rows are refused (reduce the amount of data)",
    "require_proof": "Meta calls without appsecret_proof are refused",
    "slow_answer": "wait `seconds` before answering",
}


class UnknownSwitch(ValueError):
    """A switch that does not exist; the message lists those that do."""


@dataclass
class Switch:
    """One misbehaviour. Empty platform or profile means all; `times` None means until it is turned off."""

    kind: str
    platform: str = ""
    profile_id: str = ""
    times: int | None = None
    skip: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    used: int = 0


class Switches:
    """The switches that are on; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: list[Switch] = []

    def turn_on(self, body: dict[str, Any]) -> Switch:
        """`{"kind", "platform", "profile_id", "times", "skip", ...options}`; raises UnknownSwitch."""
        options = dict(body)
        kind = str(options.pop("kind", ""))
        if kind not in KINDS:
            raise UnknownSwitch(f"unknown switch {kind!r}; known: {', '.join(sorted(KINDS))}")
        times = options.pop("times", None)
        switch = Switch(
            kind,
            str(options.pop("platform", "")),
            str(options.pop("profile_id", "")).removeprefix("act_"),
            None if times is None else int(times),
            int(options.pop("skip", 0)),
            options,
        )
        with self._lock:
            self._on.append(switch)
        return switch

    def clear(self, kind: str = "") -> None:
        """Turn off one kind, or all."""
        with self._lock:
            self._on = [s for s in self._on if kind and s.kind != kind]

    def listing(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(s) for s in self._on]

    def take(self, kind: str, platform: str, profile_id: str = "") -> dict[str, Any] | None:
        """The options of the first matching switch, using it up once; None when the platform behaves."""
        with self._lock:
            for switch in self._on:
                if switch.kind != kind or switch.platform not in ("", platform):
                    continue
                if switch.profile_id and switch.profile_id != profile_id:
                    continue
                if switch.skip:
                    switch.skip -= 1
                    continue
                switch.used += 1
                if switch.times is not None:
                    switch.times -= 1
                    if switch.times <= 0:
                        self._on.remove(switch)
                return switch.options
        return None
