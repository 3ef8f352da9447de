"""Brakes hold back work on a platform: `brake#<platform>` / `<profile>`, or `!<scope>:<key>` of a wider scope.

A *pause* is what the platform asked for (rate limit). A *circuit breaker* opens after several faults in a row, lets
one probe through when its time is over (half-open), and closes after the first success. Each opening in a row lasts
twice as long. `since` is when the first of the pauses or faults came since which nothing succeeded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.errors import Conflict, Throttled, ThrottleScope
from adweir.model.platforms import Platform
from adweir.store.dynamo.keyed import Key
from adweir.store.ledger.rows import Row, Rows

THRESHOLD = 5
FIRST_SECONDS = 30
PROBE_SECONDS = 120
_WIDE = "!"
_SCOPES = frozenset(scope.value for scope in ThrottleScope if scope is not ThrottleScope.PROFILE)
_WORDS = {5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten", 11: "eleven", 12: "twelve"}
_FORGET = [
    Row.failures.set(0),
    Row.deadline.remove(),
    Row.probe_until.remove(),
    Row.since.remove(),
    Row.cause.remove(),
]


class BrakeState(NamedTuple):
    """A brake that is on. `state` is paused, open or half_open; `until` and `since` are Unix seconds.

    `scope` is profile, or a wider one with its key (`app:1f0c…`, `region:eu`), which has no profile id. `reason` says
    why: what the platform asked for, or the faults in a row ("503 six times"). `since` 0: not known.
    """

    platform: str
    profile_id: str
    state: str
    until: int
    failures: int
    reason: str
    scope: str = "profile"
    since: int = 0

    @property
    def key(self) -> str:
        """What names the brake to a person: `meta_ads:1042017731`, `amazon_ads:region:eu`."""
        return f"{self.platform}:{self.profile_id or (self.scope if self.scope != 'profile' else '@')}"


class Brakes(Rows):
    """Rate-limit pauses and circuit breakers, one item per platform and profile or wider scope."""

    def check(self, platform: Platform, *keys: str, read: Mapping[Key, Row] | None = None) -> tuple[str, ...]:
        """Raises Throttled while one of these brakes is on. In half-open state the first caller passes, as the probe.

        A key is a profile's id or what `scope_key` makes of a wider scope; they are read together, unless the caller
        has just `read` them. Returns those of which a success has something to forget.
        """
        pk, now = _pk(platform), self._now()
        found = self._fetch_many(brake_items(platform, keys)) if read is None else read
        known = {key: found[pk, _sk(key)] for key in keys if (pk, _sk(key)) in found}
        rows = list(known.values())
        paused = max(rows, key=lambda row: row.until or 0, default=None)
        if paused is not None and (paused.until or 0) > now:
            raise Throttled(
                f"{platform} {paused.sk} asked to wait: {paused.text or 'rate limit'}",
                retry_after=float((paused.until or 0) - now),
            )
        for row in rows:
            self._check_circuit(platform, row, now)
        return tuple(key for key, row in known.items() if row.failures or row.since)

    def _check_circuit(self, platform: Platform, row: Row, now: int) -> None:
        if (row.failures or 0) < THRESHOLD:
            return
        opened = row.deadline or 0
        if opened > now:
            raise Throttled(
                f"{platform} {row.sk} failed: {_faults(row)}; circuit open", retry_after=float(opened - now)
            )
        probing = Row.probe_until.does_not_exist() | (Row.probe_until <= now)
        if self._change(_pk(platform), row.sk, [Row.probe_until.set(now + PROBE_SECONDS)], probing) is None:
            raise Throttled(
                f"{platform} {row.sk} failed: {_faults(row)}; another task probes it: circuit half open",
                retry_after=FIRST_SECONDS,
            )

    def trip(self, platform: Platform, key: str, seconds: float, reason: str) -> int:
        """Pause a profile or a wider scope for `seconds`; a longer pause that is already there is kept.

        Returns until when this one lasts (Unix seconds), 0 where the longer one is kept.
        """
        until = self._now() + max(1, round(seconds))
        actions = [
            Row.until.set(until),
            Row.text.set(reason[: limits.MAX_REASON_CHARS] or "rate limit"),
            *self._noted(),
        ]
        set_now = self._change(_pk(platform), _sk(key), actions, Row.until.does_not_exist() | (Row.until < until))
        return until if set_now is not None else 0

    def failure(self, platform: Platform, profile_id: str, reason: str = "") -> int:
        """Count a fault of the platform, with its reason in a word or two.

        The fifth in a row opens the circuit; each further one opens it for longer. Returns until when it is open (Unix
        seconds), 0 while it is closed.
        """
        pk, sk = _pk(platform), _sk(profile_id)
        cause = Row.cause.set(reason[: limits.MAX_REASON_CHARS] or "faults")
        row = self._change(pk, sk, [Row.failures.add(1), cause, *self._noted()])
        failures = int(row.failures or 0) if row else 0
        if failures >= THRESHOLD:
            seconds: int = min(limits.MAX_BRAKE_SECONDS, FIRST_SECONDS * 2 ** min(10, failures - THRESHOLD))
            until = self._now() + seconds
            self._change(pk, sk, [Row.deadline.set(until), Row.probe_until.set(0)], Row.failures == failures)
            return until
        return 0

    def success(self, platform: Platform, *keys: str) -> dict[str, int]:
        """Close the circuits and forget the pauses of these keys. A pause or fault that came meanwhile stays.

        Returns the keys that had been on, each with since when (Unix seconds).
        """
        cleared: dict[str, int] = {}
        for key in keys:
            row = self._fetch(_pk(platform), _sk(key))
            if row is not None and (row.failures or row.since):
                same = Row.failures == row.failures if row.failures is not None else Row.failures.does_not_exist()
                over = Row.until.does_not_exist() | (Row.until <= self._now())
                was_on = (row.failures or 0) >= THRESHOLD or (row.until or 0) >= (row.since or 0)
                if self._change(_pk(platform), row.sk, _FORGET, same & over) and was_on:
                    cleared[key] = int(row.since or 0)
        return cleared

    def release(self, platform: Platform, key: str) -> bool:
        """Take a brake off. False when there is none that has something to forget. Raises Conflict where a worker sets
        it again at this moment: the platform has just refused, so the new one stays."""
        row = self._fetch(_pk(platform), _sk(key))
        if row is None or not (row.failures or row.since or row.until):
            return False
        actions = [*_FORGET, Row.until.remove(), Row.text.remove()]
        if self._change(_pk(platform), row.sk, actions, Row.writer == row.writer) is None:
            if self._fetch(_pk(platform), row.sk) is None:
                return False
            raise Conflict("the brake was set again at this moment: look at it, and release it again where it is wrong")
        return True

    def _noted(self) -> list[Any]:
        return [Row.since.set(Row.since | self._now()), Row.expires.set(self._expires())]

    def on(self, platform: Platform) -> Iterator[BrakeState]:
        """The brakes of a platform that are on now."""
        now = self._now()
        for row in self._query(_pk(platform)):
            wide, failures = row.sk.startswith(_WIDE), int(row.failures or 0)
            profile_id, scope = (
                ("", row.sk.removeprefix(_WIDE)) if wide else (row.sk if row.sk != "@" else "", "profile")
            )
            paused, opened, since = int(row.until or 0), int(row.deadline or 0), int(row.since or 0)
            if paused > now:
                yield BrakeState(platform, profile_id, "paused", paused, failures, row.text or "", scope, since)
            elif failures >= THRESHOLD:
                state = "open" if opened > now else "half_open"
                yield BrakeState(platform, profile_id, state, opened, failures, _faults(row), scope, since)


def brake_items(platform: Platform, keys: Iterable[str]) -> list[Key]:
    """The keys of the items of these brakes."""
    return [(_pk(platform), _sk(key)) for key in keys]


def scope_key(scope: ThrottleScope, of: str) -> str:
    """The key of a brake on more than one profile: on an application, a region or a credential."""
    return f"{_WIDE}{scope}:{of}"


def key_of(name: str) -> tuple[str, str]:
    """`BrakeState.key` → platform and key, as a person typed them."""
    platform, _, rest = name.partition(":")
    return platform, f"{_WIDE}{rest}" if rest.partition(":")[0] in _SCOPES else rest


def brake_key(platform: Platform, key: str) -> str:
    """`BrakeState.key` of the brake with this key: a profile's id, or what `scope_key` made."""
    return f"{platform}:{_sk(key).removeprefix(_WIDE)}"


def _faults(row: Row) -> str:
    """`503 six times`, of a circuit that opened."""
    failures = int(row.failures or 0)
    return f"{row.cause or 'faults'} {_WORDS.get(failures, failures)} times"


def _pk(platform: Platform) -> str:
    return f"brake#{platform}"


def _sk(profile_id: str) -> str:
    """A sort key must not be empty, and tasks of the profiles dataset have no profile."""
    return profile_id or "@"
