"""Meta's webhook deliveries: signature, handshake, envelope (Meta, Webhooks for Ad Accounts).

A delivery brings no metrics: a change only names the object to read again. Meta sends neither a delivery id nor a
signed time.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from adweir.model.errors import BadInput, TooLarge
from adweir.model.metrics import Level
from adweir.platforms.webhooks import ChangedObject, Secrets

MAX_CHANGES = 1000
"""Meta's limit for the updates in one delivery."""

_SIGNATURE = "x-hub-signature-256"
_AD_ACCOUNT = "ad_account"
_LEVELS = {
    "campaign": Level.CAMPAIGN,
    "adset": Level.AD_GROUP,
    "ad_set": Level.AD_GROUP,
    "ad": Level.AD,
}
_NAMED_BY = {
    "field_changed": ("object_type", "object_id"),
    "subscriptions": ("object_type", "object_id"),
    "with_issues_ad_objects": ("level", "id"),
    "in_process_ad_objects": ("level", "id"),
}
"""Where the changes of a field have the level and the id of their object."""


class _Change(msgspec.Struct):
    field: str
    value: dict[str, Any] = {}


class _Entry(msgspec.Struct):
    id: str | int
    changes: list[_Change] = []


class _Notification(msgspec.Struct):
    object: str
    entry: list[_Entry]


_decode = msgspec.json.Decoder(_Notification).decode


class MetaWebhook:
    """The hooks. Meta signs with the secret's `app_secret`, or with its `secret` where there is no `app_secret`."""

    def carries(self, headers: Mapping[str, str]) -> bool:
        """Meta signs every delivery with `X-Hub-Signature-256`."""
        return _SIGNATURE in headers

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Secrets) -> bool:
        """Whether the header signs exactly these bytes with one of the app secrets.

        A missing, malformed or non-ASCII header, or no secret, is False.
        """
        if not self.carries(headers):
            return False
        given = _bytes(headers[_SIGNATURE].strip().lower())
        valid = False
        for values in secrets:
            secret = values.get("app_secret") or values.get("secret")
            if secret:  # anyone can sign with an empty one
                expected = "sha256=" + hmac.new(_bytes(secret), body, sha256).hexdigest()
                valid |= hmac.compare_digest(expected.encode(), given)
        return valid

    def handshake(self, query: Mapping[str, str], secrets: Secrets) -> str | None:
        """The challenge of a subscription that names one of the verify tokens."""
        given, challenge = query.get("hub.verify_token"), query.get("hub.challenge")
        if given is None or challenge is None or query.get("hub.mode") != "subscribe":
            return None
        known = False
        for values in secrets:
            token = values.get("verify_token")
            if token:
                known |= hmac.compare_digest(_bytes(given), _bytes(token))
        return challenge if known else None

    def parse(self, body: bytes) -> list[ChangedObject]:
        """The objects of ad accounts that changed. Raises BadInput, and TooLarge past 1,000 changes.

        A change that names no object of its ad account (recommendations for several ads, an unknown field) stands for
        the whole ad account. Other webhook objects, such as a page's leads, name nothing to read again.
        """
        delivery = _read(body)
        if sum(len(entry.changes) for entry in delivery.entry) > MAX_CHANGES:
            raise TooLarge(f"a delivery has at most {MAX_CHANGES} changes")
        found = []
        for entry in delivery.entry:
            owner = _digits(entry.id)
            if not owner:
                raise BadInput("an entry's id is not a number", [{"field": "entry.id", "message": "must be digits"}])
            found += [_changed(owner, change) for change in entry.changes]
        return list(dict.fromkeys(found)) if delivery.object == _AD_ACCOUNT else []


HOOKS = MetaWebhook()


def _read(body: bytes) -> _Notification:
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        reason = str(error)
        raise BadInput(f"not a delivery of Meta's: {reason}", [{"field": "body", "message": reason}]) from None


def _changed(profile_id: str, change: _Change) -> ChangedObject:
    whole = ChangedObject(profile_id, Level.ACCOUNT)
    level: Level | None
    if change.field == "creative_fatigue":
        level, given = Level.AD, change.value.get("adgroup_id")  # the historical name of an ad's id
    elif change.field in _NAMED_BY:
        named, identified = _NAMED_BY[change.field]
        level, given = _level(change.value.get(named)), change.value.get(identified)
    else:
        return whole
    object_id = _digits(given)
    return ChangedObject(profile_id, level, object_id) if level and object_id else whole


def _level(name: object) -> Level | None:
    return _LEVELS.get(name.lower()) if isinstance(name, str) else None


def _digits(value: object) -> str:
    """An id, which Meta sends as text or as a number, as digits; "" when it is neither."""
    text = str(value).removeprefix("act_")
    return text if text.isascii() and text.isdecimal() else ""


def _bytes(text: str) -> bytes:
    """Text of a header, a query or a secret; half a surrogate pair is compared as it is."""
    return text.encode(errors="surrogatepass")
