"""How a platform sends webhook deliveries of its own: the hooks that its folder offers as `webhook.HOOKS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, runtime_checkable

from adweir.model import limits
from adweir.model.metrics import Level

Secrets = Sequence[Mapping[str, str]]
"""The values that may be valid now: the current version first, then the one before it."""
_SECONDS_DIGITS = 10
"""Of Unix seconds until the year 2286; milliseconds have more."""


class Sent(NamedTuple):
    """A delivery as it arrived at `at` (Unix seconds): lower-case header names, and the exact bytes of the body."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    at: float


class ChangedObject(NamedTuple):
    """One object that a delivery asks to read again.

    `profile_id` is the platform's ad account. At `Level.ACCOUNT` the whole ad account is meant and `object_id` is "".
    """

    profile_id: str
    level: Level
    object_id: str = ""


class SentLead(NamedTuple):
    """One lead that a delivery reports, without anything about the person.

    `id` is the platform's, of any length; `at` when the form was sent, None where the platform does not say. Of the
    other ids "" are those that it does not say: leads that no ad brought have none.
    """

    id: str
    at: datetime | None = None
    profile_id: str = ""
    campaign_id: str = ""
    ad_group_id: str = ""
    ad_id: str = ""


class Told(NamedTuple):
    """What a delivery tells: objects to read again and leads, each once, in order.

    `beside` counts what it says about things that are not kept here. `identity` tells the delivery apart from others,
    the same whenever it is repeated; b"": the bytes of the body do. `personal` is the body to keep where it is about
    persons, without any secret; b"" where it is not.
    """

    changes: tuple[ChangedObject, ...] = ()
    leads: tuple[SentLead, ...] = ()
    beside: int = 0
    identity: bytes = b""
    personal: bytes = b""


class Webhook(Protocol):
    """The receiver's hooks for a platform's own deliveries.

    Whatever a stranger sends, a hook returns or raises what its docstring names. `answers_nothing`: the platform
    expects an empty JSON object as the answer to what was taken.
    """

    answers_nothing: bool = False

    def carries(self, headers: Mapping[str, str]) -> bool:
        """Whether a delivery with these headers is the platform's own. Not asked about a signed metric push."""
        ...

    def verify(self, sent: Sent, secrets: Secrets) -> bool:
        """Whether the platform sent exactly this, by one of the secrets; False when there is no secret.

        Compares in constant time.
        """
        ...

    def parse(self, body: bytes) -> Told:
        """What a verified delivery tells.

        Raises BadInput for a body that is not a delivery of the platform, TooLarge for too much in one.
        """
        ...


@runtime_checkable
class Handshaking(Protocol):
    """Hooks of a platform that has subscriptions confirmed before it delivers."""

    def handshake(self, query: Mapping[str, str], secrets: Secrets) -> str | None:
        """The text that confirms a subscription; None when the caller knows none of the secrets."""
        ...


def once(leads: Iterable[SentLead]) -> tuple[SentLead, ...]:
    """The leads by their id: of several with one id the first, in order."""
    known: dict[str, SentLead] = {}
    for lead in leads:
        known.setdefault(lead.id, lead)
    return tuple(known.values())


def plain_id(value: object) -> str:
    """An id as digits, which platforms send as a text or as a whole number; "" for anything else, and for 0."""
    text = value if isinstance(value, str) else str(value) if type(value) is int else ""
    is_number = text.isascii() and text.isdecimal() and len(text) <= limits.MAX_OBJECT_ID_CHARS
    return text if is_number and int(text) else ""


def moment(seconds: object) -> datetime | None:
    """Unix seconds, as a JSON number or as text → the moment; None for anything else, and for 0."""
    text = seconds if isinstance(seconds, str) else str(seconds) if type(seconds) is int else ""
    if not (0 < len(text) <= _SECONDS_DIGITS and text.isascii() and text.isdecimal() and int(text)):
        return None
    return datetime.fromtimestamp(int(text), UTC)


def as_bytes(text: str) -> bytes:
    """Text of a header, a query or a secret, to be compared; half a surrogate pair is compared as it is."""
    return text.encode(errors="surrogatepass")
