"""How a platform sends webhook deliveries of its own: the hooks that its folder offers as `webhook.HOOKS`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from adweir.model.metrics import Level

Secrets = Sequence[Mapping[str, str]]
"""The values that may be valid now: the current version first, then the one before it."""


class ChangedObject(NamedTuple):
    """One object that a delivery asks to read again.

    `profile_id` is the platform's ad account. At `Level.ACCOUNT` the whole ad account is meant and `object_id` is "".
    """

    profile_id: str
    level: Level
    object_id: str = ""


class Webhook(Protocol):
    """The receiver's hooks for a platform's own deliveries.

    Header names are lower-case; bodies are the exact bytes that were sent. Whatever a stranger sends, a hook returns
    or raises what its docstring names.
    """

    def carries(self, headers: Mapping[str, str]) -> bool:
        """Whether a delivery with these headers is the platform's own. Not asked about a signed metric push."""
        ...

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Secrets) -> bool:
        """Whether the platform signed exactly these bytes with one of the secrets; False when there is no secret.

        Compares in constant time.
        """
        ...

    def handshake(self, query: Mapping[str, str], secrets: Secrets) -> str | None:
        """The text that confirms a subscription; None when the caller knows none of the secrets."""
        ...

    def parse(self, body: bytes) -> list[ChangedObject]:
        """The objects to read again, each once, in order; empty when the delivery is about nothing kept here.

        Raises BadInput for a body that is not a delivery of the platform, TooLarge for too many changes.
        """
        ...
