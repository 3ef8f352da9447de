"""Google's lead forms (developers.google.com/google-ads/webhook/docs/implementation).

A delivery is one lead with the person's answers. What proves that Google sent it is a key in the body, which whoever
made the lead form asset has chosen; there is neither a signature nor a handshake. Google repeats what was answered with
5xx, never what was answered with 4xx, and may send a lead twice.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from adweir.model.errors import BadInput
from adweir.model.times import parse_instant
from adweir.platforms.json_text import decoded
from adweir.platforms.webhooks import Secrets, Sent, SentLead, Told, Webhook, as_bytes, plain_id

_KEY = "google_key"
_Members = dict[str, msgspec.Raw]
"""The members of the body, each as the text that it is written in."""


class GoogleLeadForms(Webhook):
    """The hooks. The key is the secret's `google_key`; what signs metric pushes is no such key."""

    answers_nothing = True

    def carries(self, headers: Mapping[str, str]) -> bool:
        """A lead has no header of its own: whatever is no signed push may be one."""
        return "webhook-signature" not in headers

    def verify(self, sent: Sent, secrets: Secrets) -> bool:
        """Whether the body names one of the keys. A body that is no JSON object names none."""
        try:
            given = _text(_members(sent.body).get(_KEY)).encode()
        except BadInput:
            return False
        valid = False
        for values in secrets:
            key = values.get(_KEY)
            if key:  # anyone can send an empty one
                valid |= hmac.compare_digest(as_bytes(key), given)
        return valid

    def parse(self, body: bytes) -> Told:
        """The lead of a verified delivery. Raises BadInput.

        A lead is worth more than its form: what is missing or unreadable beside its answers is left out, and without a
        lead id its content tells it apart. A test lead tells nothing and is not kept.
        """
        members = _members(body)
        if _value(members.get("is_test")) is True:
            return Told(beside=1)
        members.pop(_KEY, None)
        kept = msgspec.json.encode(members)
        lead_id = _text(members.get("lead_id")) or sha256(kept).hexdigest()
        lead = SentLead(
            id=lead_id,
            at=_submitted(members.get("lead_submit_time")),
            campaign_id=plain_id(_value(members.get("campaign_id"))),
            ad_group_id=plain_id(_value(members.get("adgroup_id"))),
            ad_id=plain_id(_value(members.get("creative_id"))),
        )
        # no metric push can have this identity: the ids of pushes are printable
        return Told(leads=(lead,), identity=f"lead\x1f{lead_id}".encode(), personal=kept)


HOOKS = GoogleLeadForms()


def _members(body: bytes) -> _Members:
    """Raises BadInput for what is not a JSON object."""
    try:
        return decoded(body, _Members)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise BadInput(
            "not a lead of Google's: no JSON object", [{"field": "body", "message": "is not JSON"}]
        ) from None


def _value(raw: msgspec.Raw | None) -> Any:
    """A member's value; None where there is none, or none that can be read."""
    try:
        return None if raw is None else msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _text(raw: msgspec.Raw | None) -> str:
    """A text, or a whole number as text; "" for anything else."""
    value = _value(raw)
    return str(value) if isinstance(value, str) or type(value) is int else ""


def _submitted(raw: msgspec.Raw | None) -> datetime | None:
    """`2026-11-20T12:30:00Z` → the moment; None for anything else, a time without an offset too."""
    try:
        return parse_instant(_text(raw))
    except ValueError:
        return None
