"""Meta's webhooks: handshake, signature, envelope (platform-protocols section 2.9).

No delivery brings metrics: a change only says which object to read again. There is no delivery id and no signed time,
so a change is recognised by the hash of what it says.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from adweir.model.errors import BadInput, TooLarge

SIGNATURE_HEADER = "X-Hub-Signature-256"
MAX_CHANGES = 1000
"""Meta puts at most so many updates into one delivery."""

_OBJECT_TYPES = {
    "campaign": "campaign",
    "adset": "ad_group",
    "ad_set": "ad_group",
    "ad": "ad",
}
_LEVEL_FIELDS = frozenset({"with_issues_ad_objects", "in_process_ad_objects"})
_TYPED_FIELDS = frozenset({"field_changed", "subscriptions"})


class _Change(msgspec.Struct):
    field: str
    value: dict[str, Any] = {}


class _Entry(msgspec.Struct):
    id: str | int
    time: int = 0
    changes: list[_Change] = []


class _Delivery(msgspec.Struct):
    object: str
    entry: list[_Entry]


class Change(NamedTuple):
    """One change of a delivery: `owner` is the ad account (digits) or, for `page`, the page; `time` Unix seconds.

    `key` is the same for the same change delivered again.
    """

    object: str
    owner: str
    time: int
    field: str
    value: dict[str, Any]
    key: str


class Target(NamedTuple):
    """An object to read again: `object_type` is campaign, ad_group, ad or account (then `object_id` is the account)."""

    account: str
    object_type: str
    object_id: str


_decode = msgspec.json.Decoder(_Delivery).decode


def verify(raw: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Whether the header signs exactly these bytes with one of the app secrets.

    A total function: a missing, malformed or non-ASCII header, or no secret, is False. Compared in constant time.
    """
    scheme, _, given = (header or "").strip().partition("=")
    if scheme != "sha256" or not given.isascii():
        return False
    signature = given.lower().encode()
    valid = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest().encode()
        # An empty secret signs for everybody.
        valid |= hmac.compare_digest(expected, signature) and bool(secret)
    return valid


def handshake(query: Mapping[str, str], verify_token: str) -> str | None:
    """The challenge to answer a subscription with, as plain text; None when the token is not ours (answer 403)."""
    given = query.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
    known = bool(verify_token) and hmac.compare_digest(given, verify_token.encode("utf-8", "surrogatepass"))
    return query.get("hub.challenge", "") if known and query.get("hub.mode") == "subscribe" else None


def parse(raw: bytes) -> list[Change]:
    """A delivery's changes. Raises BadInput for what is no delivery, TooLarge for more than 1000 changes."""
    try:
        delivery = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not a delivery of Meta's: {error}", [{"field": "body", "message": str(error)[:200]}]) from None
    if sum(len(entry.changes) for entry in delivery.entry) > MAX_CHANGES:
        raise TooLarge(f"more than {MAX_CHANGES} changes in one delivery")
    found = []
    for entry in delivery.entry:
        owner = _digits(entry.id)
        if not owner:
            raise BadInput("an entry's id is no number", [{"field": "entry.id", "message": "digits expected"}])
        for change in entry.changes:
            key = _key(delivery.object, owner, entry.time, change)
            found.append(Change(delivery.object, owner, entry.time, change.field, change.value, key))
    return found


def targets(payload: bytes) -> list[Target]:
    """The objects that a delivery asks to read again, each once, in order. Raises what `parse` does.

    Changes that name no object of an ad account (leads, recommendations for many, unknown fields) ask for the account,
    except those of other webhook objects, which ask for nothing.
    """
    wanted = [_target(change) for change in parse(payload) if change.object == "ad_account"]
    return list(dict.fromkeys(wanted))


def _target(change: Change) -> Target:
    value = change.value
    kind, identity = "", ""
    if change.field in _TYPED_FIELDS:
        kind, identity = _kind(value.get("object_type")), _digits(value.get("object_id"))
    elif change.field in _LEVEL_FIELDS:
        kind, identity = _kind(value.get("level")), _digits(value.get("id"))
    elif change.field == "creative_fatigue":
        kind, identity = "ad", _digits(value.get("adgroup_id"))  # the historical name of an ad's id
    if kind and identity:
        return Target(change.owner, kind, identity)
    return Target(change.owner, "account", change.owner)


def _kind(name: object) -> str:
    return _OBJECT_TYPES.get(name.lower(), "") if isinstance(name, str) else ""


def _digits(value: object) -> str:
    """An id, which Meta sends as text or as a number, as digits; "" when it is neither."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, str):
        text = value.removeprefix("act_")
        return text if text.isdecimal() and text.isascii() else ""
    return ""


def _key(kind: str, owner: str, time: int, change: _Change) -> str:
    identity = msgspec.json.encode([kind, owner, time, change.field, change.value], order="sorted")
    return hashlib.sha256(identity).hexdigest()
