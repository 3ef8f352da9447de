"""Meta's webhook deliveries: signature, handshake, envelope (Meta, Webhooks for Ad Accounts and for Leads).

A delivery brings no metrics: a change only names the object to read again, and a lead is its ids. Meta sends neither a
delivery id nor a signed time.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from adweir.model.errors import BadInput, TooLarge
from adweir.model.metrics import Level
from adweir.platforms.webhooks import ChangedObject, Secrets, Sent, SentLead, Told, Webhook, as_bytes, moment, once

MAX_CHANGES = 1000
"""Meta's limit for the updates in one delivery."""

_SIGNATURE = "x-hub-signature-256"
_AD_ACCOUNT, _PAGE = "ad_account", "page"
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
_OF_THE_ACCOUNT = frozenset({"ads_async_creation_request", "product_set_issue"})
"""Fields whose changes name no object that is kept here: new objects, and what holds up many."""


class _Change(msgspec.Struct):
    field: str
    value: dict[str, Any] = {}


class _Entry(msgspec.Struct):
    id: str | int
    time: Any = None
    changes: list[_Change] = []


class _Notification(msgspec.Struct):
    object: str
    entry: list[_Entry]


_decode = msgspec.json.Decoder(_Notification).decode


class MetaWebhook(Webhook):
    """The hooks. Meta signs with the secret's `app_secret`, or with its `secret` where there is no `app_secret`."""

    def carries(self, headers: Mapping[str, str]) -> bool:
        """Meta signs every delivery with `X-Hub-Signature-256`."""
        return _SIGNATURE in headers

    def verify(self, sent: Sent, secrets: Secrets) -> bool:
        """Whether the header signs exactly these bytes with one of the app secrets.

        A missing, malformed or non-ASCII header, or no secret, is False.
        """
        if not self.carries(sent.headers):
            return False
        given = as_bytes(sent.headers[_SIGNATURE].strip().lower())
        valid = False
        for values in secrets:
            secret = values.get("app_secret") or values.get("secret")
            if secret:  # anyone can sign with an empty one
                expected = "sha256=" + hmac.new(as_bytes(secret), sent.body, sha256).hexdigest()
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
                known |= hmac.compare_digest(as_bytes(given), as_bytes(token))
        return challenge if known else None

    def parse(self, body: bytes) -> Told:
        """The objects of ad accounts that changed, and a page's leads. Raises BadInput, TooLarge past 1,000 changes.

        A change that names no object of its ad account stands for the whole ad account. Fields and webhook objects
        that are not known here tell nothing: Meta adds new ones every few months, and repeats what is refused.
        """
        delivery = _read(body)
        total = sum(len(entry.changes) for entry in delivery.entry)
        if total > MAX_CHANGES:
            raise TooLarge(f"a delivery has at most {MAX_CHANGES} changes")
        if delivery.object == _PAGE:
            leads = [_lead(entry, change) for entry in delivery.entry for change in entry.changes]
            return Told(leads=once(lead for lead in leads if lead), beside=leads.count(None))
        if delivery.object != _AD_ACCOUNT:
            return Told(beside=total)
        owned = [(_owner(entry), entry.changes) for entry in delivery.entry]
        found = [_changed(owner, change) for owner, changes in owned for change in changes]
        every = dict.fromkeys(each for several in found if several is not None for each in several)
        return Told(tuple(every), beside=found.count(None))


HOOKS = MetaWebhook()


def _read(body: bytes) -> _Notification:
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        reason = str(error)
        raise BadInput(f"not a delivery of Meta's: {reason}", [{"field": "body", "message": reason}]) from None


def _owner(entry: _Entry) -> str:
    owner = _digits(entry.id)
    if not owner:
        raise BadInput("an entry's id is not a number", [{"field": "entry.id", "message": "must be digits"}])
    return owner


def _changed(profile_id: str, change: _Change) -> tuple[ChangedObject, ...] | None:
    """The objects that a change is about; None for a field that is not known here."""
    whole = (ChangedObject(profile_id, Level.ACCOUNT),)
    if change.field == "creative_fatigue":
        return _objects(profile_id, Level.AD, [change.value.get("adgroup_id")]) or whole  # an ad's historical name
    if change.field == "ad_recommendations":
        return _objects(profile_id, Level.AD, change.value.get("ad_object_ids")) or whole
    if change.field in _NAMED_BY:
        named, identified = _NAMED_BY[change.field]
        return _objects(profile_id, _level(change.value.get(named)), [change.value.get(identified)]) or whole
    return whole if change.field in _OF_THE_ACCOUNT else None


def _objects(profile_id: str, level: Level | None, ids: object) -> tuple[ChangedObject, ...]:
    """What the ids name; nothing when one of them is not an id, or the level is unknown."""
    given = [_digits(each) for each in ids] if isinstance(ids, list) else []
    return tuple(ChangedObject(profile_id, level, each) for each in given) if level and all(given) else ()


def _lead(entry: _Entry, change: _Change) -> SentLead | None:
    """A page's lead, which is its ids alone; None for another change of the page."""
    value = change.value
    lead_id = _digits(value.get("leadgen_id"))
    if change.field != "leadgen" or not lead_id:
        return None
    # `adgroup_id` is the historical name of the ad's id here, too
    ad_id = _digits(value.get("ad_id")) or _digits(value.get("adgroup_id"))
    return SentLead(lead_id, moment(value.get("created_time")) or moment(entry.time), ad_id=ad_id)


def _level(name: object) -> Level | None:
    return _LEVELS.get(name.lower()) if isinstance(name, str) else None


def _digits(value: object) -> str:
    """An id, which Meta sends as text or as a number, as digits; "" when it is neither."""
    text = str(value).removeprefix("act_")
    return text if text.isascii() and text.isdecimal() else ""
