"""Messages that no function can work on: `quarantine/messages/<queue>/<message id>.json`, kept with the reason."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adweir.store.raw.store import RawStore

PREFIX = "quarantine/messages/"


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A message as it was received, why it cannot be worked on, and when that was found (`model.times.iso`).

    `queue` is the name of the queue that it was in, `receives` how often it was received, `group` its fair-queue key.
    """

    queue: str
    message_id: str
    body: str
    reason: str
    at: str
    receives: int = 1
    group: str = ""

    @property
    def name(self) -> str:
        """What names it to a person: `<queue>:<message id>`."""
        return f"{self.queue}:{self.message_id}"

    @property
    def key(self) -> str:
        """Where it is kept in the bucket."""
        return f"{PREFIX}{self.queue}/{self.message_id}.json"


class RefusedMessages:
    """Keeps refused messages in the bucket."""

    def __init__(self, raw: RawStore) -> None:
        self._raw = raw

    def put(self, message: RefusedMessage) -> bool:
        """Keep a message; False when it is there already. Raises Unavailable."""
        body = json.dumps(asdict(message), ensure_ascii=True).encode()
        return self._raw.put_once(message.key, body, content_type="application/json")

    def get(self, name: str) -> RefusedMessage:
        """A message by its name. Raises NotFound."""
        queue, _, message_id = name.rpartition(":")
        return self._read(f"{PREFIX}{queue}/{message_id}.json")

    def page(self, limit: int, after: str = "") -> tuple[list[RefusedMessage], str]:
        """Messages in the order of their keys behind `after`, and the key to go on behind, "" at the end."""
        keys = [info.key for info in islice(self._raw.list(PREFIX, after), limit + 1)]
        return [self._read(key) for key in keys[:limit]], keys[limit - 1] if len(keys) > limit else ""

    def _read(self, key: str) -> RefusedMessage:
        return RefusedMessage(**json.loads(self._raw.get_bytes(key)))
