"""Dead letters leave their queue: they are sent again, or dropped into the quarantine. Every call may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple

from adweir.model import limits
from adweir.model.times import iso
from adweir.runtime.dead_letters import DeadLetter, DeadLetters
from adweir.store.raw.refused import RefusedMessage, RefusedMessages

if TYPE_CHECKING:
    from adweir.model.times import Clock
    from adweir.store.ledger.last_words import LastWords

UNKNOWN = "no reason is on record: the function was probably ended by Lambda (time, memory); its log says more"
NO_TARGET = "it was meant for something that is no queue of ours"
_GONE = "not in a dead-letter queue: it was sent or dropped before, expired, or somebody else reads it at this moment"
_UNSEEN = "not among those that were looked at"

Move = Callable[[DeadLetter], str]
"""Moves a dead letter. Returns why it cannot be done, "" when it was."""


class Moved(NamedTuple):
    """The ids of the messages that were moved, those that were not with the reason, and whether to ask again."""

    ids: list[str]
    left: dict[str, str]
    more: bool

    @property
    def outcome(self) -> str:
        """What was done, in words."""
        return f"{len(self.ids)} done, {len(self.left)} left" + (", and there may be more" if self.more else "")


def move(letters: DeadLetters, queue: str, ids: Collection[str], do: Move) -> Moved:
    """Move the dead letters of a queue, or of all, with these ids, or all. Looks at `limits.MAX_DEAD_LETTERS` at most.

    Raises Unprocessable for an unknown queue, Unavailable.
    """
    wanted, moved, left, looked_at = set(ids), list[str](), dict[str, str](), 0
    for name in letters.names(queue):
        if looked_at >= limits.MAX_DEAD_LETTERS or (ids and not wanted):
            break
        with letters.reading(name) as messages:
            for letter in messages:
                looked_at += 1
                if not ids or letter.message_id in wanted:
                    wanted.discard(letter.message_id)
                    if why := do(letter):
                        left[letter.message_id] = why
                    else:
                        moved.append(letter.message_id)
                if looked_at >= limits.MAX_DEAD_LETTERS or (ids and not wanted):
                    break
    more = looked_at >= limits.MAX_DEAD_LETTERS
    return Moved(moved, left | dict.fromkeys(sorted(wanted), _UNSEEN if more else _GONE), more)


def sending(letters: DeadLetters) -> Move:
    """Send to the queue that the message was in, or was meant for."""

    def send(letter: DeadLetter) -> str:
        if not letter.target:
            return NO_TARGET
        letters.send(letter)
        return ""

    return send


def dropping(letters: DeadLetters, refused: RefusedMessages, last_words: LastWords, clock: Clock, reason: str) -> Move:
    """Keep in the quarantine, with the reason in the words of who drops it, and why it had failed."""

    def drop(letter: DeadLetter) -> str:
        failed = last_words.of([letter.message_id]).get(letter.message_id) or letter.fault or UNKNOWN
        said = f"dropped by hand{': ' if reason else ''}{reason}; it had failed: {failed}"
        kept = RefusedMessage(
            queue=letter.target.rpartition("/")[2] or letter.queue,
            message_id=letter.message_id,
            body=letter.body,
            reason=said[: limits.MAX_REASON_CHARS],
            at=iso(clock.now()),
            receives=letter.receives,
            group=letter.group,
        )
        refused.put(kept)
        letters.delete(letter)
        return ""

    return drop
