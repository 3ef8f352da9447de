"""TikTok's subscriptions: leads, reviews, creative fatigue, report changes, suspended accounts.

TikTok documents neither a signature nor a handshake for them (docs/decisions.md says what stands in for these), so no
number is taken from a delivery: it only names what to read again through the API, of ad accounts that are known here.
A lead is counted as it comes. Ids come as texts or as numbers, and a repeated delivery has another `request_id`.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from adweir.model import limits
from adweir.model.errors import BadInput, TooLarge
from adweir.model.metrics import Level
from adweir.platforms.json_text import decoded
from adweir.platforms.webhooks import (
    ChangedObject,
    Secrets,
    Sent,
    SentLead,
    Told,
    Webhook,
    as_bytes,
    moment,
    once,
    plain_id,
)

_STAMPED = re.compile(r"t=([0-9]{1,12}),s=([0-9a-fA-F]{64})")
"""`TikTok-Signature` (developers.tiktok.com, "Check the signature"): Unix seconds, and a digest of `<t>.<body>`."""
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_LEAD, _AD_GROUP_REVIEW, _AD_REVIEW, _FATIGUE, _REPORT = "1", "2", "3", "8", "11"
_OBJECTS = (("ad_id", Level.AD), ("adgroup_id", Level.AD_GROUP), ("campaign_id", Level.CAMPAIGN))
"""What an entry can be about, the most specific first."""
_Entry = Mapping[str, Any]


class TikTokSubscriptions(Webhook):
    """The hooks.

    A secret's `callback_token` is expected in the callback's URL (`?token=`), its `app_secret` signs. What a version
    has of the two must both fit, and it needs one of them.
    """

    def carries(self, headers: Mapping[str, str]) -> bool:
        """A subscription's delivery need not have a header of its own: whatever is no signed push may be one."""
        return "webhook-signature" not in headers

    def verify(self, sent: Sent, secrets: Secrets) -> bool:
        """Whether the URL has the token and the headers a signature of these bytes, of one version of the secrets."""
        valid = False
        for values in secrets:
            token, key = values.get("callback_token"), values.get("app_secret")
            named = not token or hmac.compare_digest(as_bytes(token), as_bytes(sent.query.get("token", "")))
            signed = not key or _is_signed(sent, as_bytes(key))
            valid |= bool(token or key) and named and signed
        return valid

    def parse(self, body: bytes) -> Told:
        """What a delivery tells. Raises BadInput, and TooLarge past 1,000 entries.

        Kinds that are not known here tell nothing.
        """
        told = _read(body)
        identity = json.dumps({name: told[name] for name in sorted(told) if name != "request_id"}).encode()
        if "object" not in told:  # a suspended account is told without an envelope
            owner = plain_id(told.get("advertiser_id"))
            changes = (ChangedObject(owner, Level.ACCOUNT),) if owner and "status" in told else ()
            return Told(changes, beside=int(not changes), identity=identity)
        entries = _entries(told.get("entry"))
        kind = str(told["object"])
        if kind == _LEAD:
            leads = [_lead(entry) for entry in entries]
            found = once(lead for lead in leads if lead)
            return Told(leads=found, beside=leads.count(None), identity=identity, personal=body if found else b"")
        changed = _CHANGED.get(kind)
        if changed is None:
            return Told(beside=max(1, len(entries)), identity=identity)
        found_changes = [changed(entry) for entry in entries]
        every = dict.fromkeys(each for several in found_changes for each in several)
        return Told(tuple(every), beside=found_changes.count(()), identity=identity)


HOOKS = TikTokSubscriptions()


def _is_signed(sent: Sent, key: bytes) -> bool:
    """Whether one of the two signatures that are known of TikTok's deliveries fits.

    `X-Open-Signature` signs the body with everything outside of ASCII as lower-case `\\uXXXX`, without a time.
    """
    stamped = _STAMPED.fullmatch(sent.headers.get("tiktok-signature", "").replace(" ", ""))
    if stamped and abs(int(stamped[1]) - sent.at) <= limits.MAX_CLOCK_SKEW_SECONDS:
        expected = hmac.new(key, stamped[1].encode() + b"." + sent.body, sha256).hexdigest()
        if hmac.compare_digest(expected, stamped[2].lower()):
            return True
    given = sent.headers.get("x-open-signature", "").strip().lower()
    return hmac.compare_digest(hmac.new(key, _escaped(sent.body), sha256).hexdigest().encode(), as_bytes(given))


def _escaped(body: bytes) -> bytes:
    """The body with each character outside of ASCII as `\\uXXXX`; what is no UTF-8 stays as it is."""
    try:
        return _BEYOND_ASCII.sub(_escape, body.decode()).encode()
    except UnicodeDecodeError:
        return body


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code > 0xFFFF:  # JSON escapes by UTF-16 units
        return f"\\u{0xD7C0 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def _read(body: bytes) -> dict[str, Any]:
    try:
        return decoded(body, dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise BadInput(
            "not a delivery of TikTok's: no JSON object", [{"field": "body", "message": "is not JSON"}]
        ) from None


def _entries(given: object) -> list[_Entry]:
    """The entries; one that is no object is an empty one. Raises BadInput, TooLarge."""
    if not isinstance(given, list):
        raise BadInput("not a delivery of TikTok's: no entries", [{"field": "entry", "message": "must be a list"}])
    if len(given) > limits.MAX_TOLD_ENTRIES:
        raise TooLarge(f"a delivery has at most {limits.MAX_TOLD_ENTRIES} entries")
    return [entry if isinstance(entry, dict) else {} for entry in given]


def _owner(entry: _Entry) -> str:
    return plain_id(entry.get("advertiser_id")) or plain_id(entry.get("adv_id"))


def _changed_object(entry: _Entry) -> tuple[ChangedObject, ...]:
    """What a review or a tired creative is about: the most specific object that is named, else the ad account."""
    owner = _owner(entry)
    if not owner:
        return ()
    named = ((level, plain_id(entry.get(field))) for field, level in _OBJECTS)
    level, object_id = next(((level, named_id) for level, named_id in named if named_id), (Level.ACCOUNT, ""))
    return (ChangedObject(owner, level, object_id),)


def _changed_numbers(entry: _Entry) -> tuple[ChangedObject, ...]:
    """The ad accounts whose reports changed; which numbers, the API is asked."""
    values = entry.get("changed_metrics_values")
    owners = [plain_id(name) for name in values] if isinstance(values, dict) else []
    return tuple(ChangedObject(owner, Level.ACCOUNT) for owner in [*owners, _owner(entry)] if owner)


_CHANGED: Mapping[str, Callable[[_Entry], Sequence[ChangedObject]]] = {
    _AD_GROUP_REVIEW: _changed_object,
    _AD_REVIEW: _changed_object,
    _FATIGUE: _changed_object,
    _REPORT: _changed_numbers,
}


def _lead(entry: _Entry) -> SentLead | None:
    """A lead without its answers; None for an entry that does not name a lead and its ad account."""
    given, owner = entry.get("id"), _owner(entry)
    lead_id = str(given) if type(given) in {str, int} else ""
    if not lead_id or not owner:
        return None
    campaign, group, ad = (plain_id(entry.get(name)) for name in ("campaign_id", "adgroup_id", "ad_id"))
    return SentLead(lead_id, moment(entry.get("create_time")), owner, campaign, group, ad)
