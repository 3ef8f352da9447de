"""Replays: `replay#<id>` / `replay` (what was asked for), `object#<key>` (each object sent), `missing#...` (days lost).

`replays` / `<profile key>` holds the number of the profile's newest replay: each has a greater one than those before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adweir.model.errors import Conflict
from adweir.model.messages import Replay
from adweir.model.times import Window, iso
from adweir.store.ledger.rows import Row, Rows

_RACES = 5
SENT, LOADED, FAILED = "sent", "loaded", "failed"
_SENDING, _SENT_ALL = "sending", "sent"


class ReplayedObject(NamedTuple):
    """A raw object of a replay. `state`: sent, loaded or failed with `reason`."""

    key: str
    state: str
    slots_changed: int = 0
    reason: str = ""


class LostDays(NamedTuple):
    """Days that cannot be replayed: the raw object that answers for them is gone."""

    dataset: str
    window: Window


@dataclass(frozen=True, slots=True)
class ReplayRecord:
    """A replay and what became of it. While it is `sending`, more objects may follow."""

    replay: Replay
    requested_at: str
    sending: bool
    objects: list[ReplayedObject] = field(default_factory=list)
    lost: list[LostDays] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether every object was loaded or failed."""
        return not self.sending and all(one.state != SENT for one in self.objects)


class Replays(Rows):
    """Replays: requested, sent, and the end of each object's load. Every call may be repeated."""

    def next_load(self, profile_key: str) -> int:
        """The number of a new replay: Unix seconds, or one more than the profile's newest replay. Raises Conflict."""
        for _ in range(_RACES):
            row = self._fetch("replays", profile_key)
            load = max(self._now(), int(row.version or 0) + 1 if row else 0)
            unchanged = Row.version == row.version if row else self._absent()
            if self._put(self._row("replays", profile_key, version=load), unchanged):
                return load
        raise Conflict("other replays of this ad account are being requested at the same moment; try again")

    def begin(self, replay: Replay) -> None:
        """Store what was asked for."""
        now = iso(self._clock.now())
        row = self._row(_pk(replay.replay_id), "replay", state=_SENDING, updated_at=now)
        row.body = replay.model_dump(mode="json")
        self._put(row)

    def sent(self, replay_id: str, key: str) -> None:
        """An object is about to be sent; one that was loaded already stays so."""
        self._put(self._row(_pk(replay_id), f"object#{key}", state=SENT), self._absent())

    def lost(self, replay_id: str, dataset: str, windows: list[Window]) -> None:
        """Days whose raw object is gone."""
        for window in windows:
            self._put(self._row(_pk(replay_id), f"missing#{dataset}#{window}"))

    def sent_all(self, replay_id: str) -> None:
        """Every object was sent."""
        self._change(_pk(replay_id), "replay", [Row.state.set(_SENT_ALL)], Row.pk.exists())

    def ended(self, replay_id: str, key: str, counts: Mapping[str, int] | None = None, reason: str = "") -> None:
        """An object was loaded with these counts, or failed for this reason. The first end counts."""
        state = FAILED if reason else LOADED
        row = self._row(_pk(replay_id), f"object#{key}", state=state, text=reason or None, counts=dict(counts or {}))
        self._put(row, self._absent() | (Row.state == SENT))

    def get(self, replay_id: str) -> ReplayRecord | None:
        """A replay with all its objects, or None."""
        head = self._fetch(_pk(replay_id), "replay")
        if head is None:
            return None
        objects, lost = [], []
        for row in self._query(_pk(replay_id), "object#"):
            changed = int((row.counts or {}).get("slots_changed", 0))
            objects.append(ReplayedObject(row.sk.removeprefix("object#"), row.state or "", changed, row.text or ""))
        for row in self._query(_pk(replay_id), "missing#"):
            _, dataset, window = row.sk.split("#")
            lost.append(LostDays(dataset, Window.parse(window)))
        body: dict[str, Any] = dict(head.body or {})
        return ReplayRecord(Replay.model_validate(body), head.updated_at or "", head.state == _SENDING, objects, lost)


def _pk(replay_id: str) -> str:
    return f"replay#{replay_id}"
