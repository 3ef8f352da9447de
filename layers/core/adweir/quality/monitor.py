"""Breaches are told once when they begin and once when they are over, whoever looks, and however often.

A look (`model.breaches.Look`) says what it found of one possible cause. What follows is decided by one conditional
write: `opening` or `clearing`, held by the worker that won it. It publishes the event, sends the message, and marks the
breach as told. When it dies before that, whoever looks after the hold has passed sends the message again: none is lost,
and one comes twice only where a worker died between sending it and marking it. Both have the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from adweir.model import limits
from adweir.model.breaches import Breach, BreachState, Judgement, Look
from adweir.model.events import BreachCleared, BreachOpened
from adweir.model.log import log
from adweir.model.times import Clock, epoch, iso, parse_instant

if TYPE_CHECKING:
    from adweir.model.ports import Bus, Messenger
    from adweir.store.findings.breaches import Breaches, KeptBreach

HOLD_SECONDS = 180
"""How long a worker may take to tell a breach: several times what its requests may wait."""
_CONFIRM = timedelta(hours=1)
"""A breach that lasts is written down again this often."""
_TOLD = {BreachState.OPENING: BreachState.OPEN, BreachState.CLEARING: BreachState.CLEARED}


class Monitor:
    """Opens and clears breaches, and tells of both."""

    def __init__(self, breaches: Breaches, bus: Bus, messenger: Messenger, clock: Clock) -> None:
        self._breaches = breaches
        self._bus = bus
        self._messenger = messenger
        self._clock = clock

    def known(self) -> dict[str, KeptBreach]:
        """All breaches by cause; first those are told that a worker decided and then died. Raises Unavailable."""
        found = self._breaches.all()
        for cause, kept in list(found.items()):
            if kept.breach.state.is_untold and kept.held_until <= epoch(self._clock.now()):
                claimed = self._breaches.change(kept, kept.breach, self._hold())
                found[cause] = (self._tell(claimed) if claimed else None) or kept
        return found

    def forget(self, known: Mapping[str, KeptBreach]) -> None:
        """Drop what was over long ago. Raises Unavailable."""
        for kept in known.values():
            if self._breaches.is_over(kept):
                self._breaches.forget(kept)

    def settle(self, looks: Iterable[Look], known: Mapping[str, KeptBreach], at: datetime) -> None:
        """Act on what was found. `at` is when the looks began to read: what a later look decided stays as it is.

        Raises Unavailable: the next look goes on. A message that cannot be sent waits for `known` of a later look.
        """
        room = limits.MAX_BREACHES - len(known)
        for look in looks:
            kept = known.get(look.cause)
            if kept is None and look.judgement in {Judgement.BAD, Judgement.NOTICED}:
                room -= 1
                if room < 0:
                    log.warning("%s is not told: there are %d breaches already", look.cause, limits.MAX_BREACHES)
                    continue
            self._settle(kept, look, iso(at))

    def _settle(self, kept: KeptBreach | None, look: Look, at: str) -> None:
        if kept is not None and (kept.breach.looked_at > at or kept.breach.state.is_untold):
            return
        breach = kept.breach if kept else None
        is_open = breach is not None and breach.state.is_open
        if look.judgement is Judgement.BAD and not is_open:
            self._decide(kept, self._of(look, BreachState.OPENING, at))
        elif look.judgement is Judgement.NOTICED and (breach is None or breach.state is BreachState.CLEARED):
            self._breaches.change(kept, self._of(look, BreachState.NOTICED, at))
        elif breach is not None and is_open and look.judgement is Judgement.GOOD:
            over = replace(breach, cleared_at=iso(self._clock.now()), cleared_because=look.says)
            self._decide(kept, replace(over, state=BreachState.CLEARING, looked_at=at))
        elif breach is not None and is_open and look.judgement is Judgement.BAD and _is_old(breach, at):
            self._breaches.change(kept, replace(breach, looked_at=at, value=look.value))

    def _decide(self, kept: KeptBreach | None, to: Breach) -> None:
        won = self._breaches.change(kept, to, self._hold())
        if won is not None:
            self._tell(won)

    def _tell(self, kept: KeptBreach) -> KeptBreach | None:
        try:
            self._bus.publish(_event(kept.breach))
            self._messenger.send(kept.breach)
        except Exception:  # the boundary: who looks is not to fail because nobody can be told; it is tried again
            log.exception("%s is not told yet", kept.breach.cause)
            return None
        return self._breaches.change(kept, replace(kept.breach, state=_TOLD[kept.breach.state]))

    def _hold(self) -> int:
        return epoch(self._clock.now()) + HOLD_SECONDS

    def _of(self, look: Look, state: BreachState, at: str) -> Breach:
        now = iso(self._clock.now())
        names = ("cause", "kind", "subject", "says", "value", "expected", "do", "about")
        return Breach(
            **{name: getattr(look, name) for name in names},
            state=state,
            looked_at=at,
            opened_at=now,
            since=look.since or now,
        )


def _is_old(breach: Breach, at: str) -> bool:
    return parse_instant(at) - parse_instant(breach.looked_at) >= _CONFIRM


def _event(breach: Breach) -> BreachOpened:
    subject = breach.subject
    common = {
        "cause": breach.cause,
        "kind": breach.kind.value,
        "platform": subject.platform,
        "profile_id": subject.profile_id,
        "account_id": subject.account_id,
        "value": breach.value,
        "expected": breach.expected,
        "since": breach.since,
        "opened_at": breach.opened_at,
    }
    if breach.state is BreachState.CLEARING:
        return BreachCleared(**common, words=breach.cleared_because, cleared_at=breach.cleared_at)
    return BreachOpened(**common, words=breach.says)
