"""Brakes hold back work on a platform: `brake#<platform>` / `<profile>`, or `!<scope>:<key>` of a wider scope.

A *pause* is what the platform asked for (rate limit). A *circuit breaker* opens after several faults in a row, lets
one probe through when its time is over (half-open), and closes after the first success. Each opening in a row lasts
twice as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from adweir.model import limits
from adweir.model.errors import Throttled, ThrottleScope
from adweir.model.platforms import Platform
from adweir.store.ledger.rows import Row, Rows

THRESHOLD = 5
FIRST_SECONDS = 30
PROBE_SECONDS = 120
_WIDE = "!"


class BrakeState(NamedTuple):
    """A brake that is on. `state` is paused, open or half_open; `until` Unix seconds.

    `scope` is profile, or a wider one with its key (`app:1f0c…`, `region:eu`), which has no profile id.
    """

    platform: str
    profile_id: str
    state: str
    until: int
    failures: int
    reason: str
    scope: str = "profile"


class Brakes(Rows):
    """Rate-limit pauses and circuit breakers, one item per platform and profile or wider scope."""

    def check(self, platform: Platform, *keys: str) -> bool:
        """Raises Throttled while one of these brakes is on. In half-open state the first caller passes, as the probe.

        A key is a profile's id or what `scope_key` makes of a wider scope; they are read together. True when faults
        were counted, so that a success has something to forget.
        """
        pk, now = _pk(platform), self._now()
        found = self._fetch_many([(pk, _sk(key)) for key in keys])
        rows = [found[pk, _sk(key)] for key in keys if (pk, _sk(key)) in found]
        paused = max(rows, key=lambda row: row.until or 0, default=None)
        if paused is not None and (paused.until or 0) > now:
            raise Throttled(
                f"{platform} {paused.sk} asked to wait: {paused.text or 'rate limit'}",
                retry_after=float((paused.until or 0) - now),
            )
        for row in rows:
            self._check_circuit(platform, row, now)
        return any(row.failures for row in rows)

    def _check_circuit(self, platform: Platform, row: Row, now: int) -> None:
        if (row.failures or 0) < THRESHOLD:
            return
        opened = row.deadline or 0
        if opened > now:
            raise Throttled(f"{platform} {row.sk} fails repeatedly: circuit open", retry_after=float(opened - now))
        probing = Row.probe_until.does_not_exist() | (Row.probe_until <= now)
        if self._change(_pk(platform), row.sk, [Row.probe_until.set(now + PROBE_SECONDS)], probing) is None:
            raise Throttled(f"{platform} {row.sk} is being probed: circuit half open", retry_after=FIRST_SECONDS)

    def trip(self, platform: Platform, key: str, seconds: float, reason: str) -> None:
        """Pause a profile or a wider scope for `seconds`; a longer pause that is already there is kept."""
        until = self._now() + max(1, round(seconds))
        self._change(
            _pk(platform),
            _sk(key),
            [Row.until.set(until), Row.text.set(reason or "rate limit"), Row.expires.set(self._expires())],
            Row.until.does_not_exist() | (Row.until < until),
        )

    def failure(self, platform: Platform, profile_id: str) -> None:
        """Count a fault of the platform. The fifth in a row opens the circuit; each further one opens it for longer."""
        pk, sk = _pk(platform), _sk(profile_id)
        row = self._change(pk, sk, [Row.failures.add(1), Row.expires.set(self._expires())])
        failures = int(row.failures or 0) if row else 0
        if failures >= THRESHOLD:
            seconds = min(limits.MAX_BRAKE_SECONDS, FIRST_SECONDS * 2 ** min(10, failures - THRESHOLD))
            opened = [Row.deadline.set(self._now() + seconds), Row.probe_until.set(0)]
            self._change(pk, sk, opened, Row.failures == failures)

    def success(self, platform: Platform, profile_id: str) -> None:
        """Close the circuit. Writes only when faults had been counted."""
        row = self._fetch(_pk(platform), _sk(profile_id))
        if row is not None and row.failures:
            self._change(
                _pk(platform),
                row.sk,
                [Row.failures.set(0), Row.deadline.remove(), Row.probe_until.remove()],
                Row.failures == row.failures,
            )

    def on(self, platform: Platform) -> Iterator[BrakeState]:
        """The brakes of a platform that are on now."""
        now = self._now()
        for row in self._query(_pk(platform)):
            wide, failures = row.sk.startswith(_WIDE), int(row.failures or 0)
            profile_id, scope = (
                ("", row.sk.removeprefix(_WIDE)) if wide else (row.sk if row.sk != "@" else "", "profile")
            )
            paused, opened = int(row.until or 0), int(row.deadline or 0)
            if paused > now:
                yield BrakeState(platform, profile_id, "paused", paused, failures, row.text or "", scope)
            elif failures >= THRESHOLD:
                state = "open" if opened > now else "half_open"
                yield BrakeState(platform, profile_id, state, opened, failures, f"{failures} faults in a row", scope)


def scope_key(scope: ThrottleScope, of: str) -> str:
    """The key of a brake on more than one profile: on an application, a region or a credential."""
    return f"{_WIDE}{scope}:{of}"


def _pk(platform: Platform) -> str:
    return f"brake#{platform}"


def _sk(profile_id: str) -> str:
    """A sort key must not be empty, and tasks of the profiles dataset have no profile."""
    return profile_id or "@"
