"""API keys: `keys` / `<key id>`. A key is `adw_<digits of its id>_<secret>` and is stored as its SHA-256 only."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from adweir.model import limits
from adweir.model.entities import ApiKey
from adweir.model.errors import Conflict, NotFound, Unprocessable
from adweir.model.ids import IdKind
from adweir.model.times import iso, parse_instant
from adweir.store.catalog.items import Item, Items

SCOPES = ("read", "write", "admin")
_PK = "keys"
_SECRET_BYTES = 32


class KnownKey(NamedTuple):
    """The key that a value belongs to. `ends_at`: when this value stops working, "" for never.

    `previous`: it is the value before the last rotation."""

    key: ApiKey
    ends_at: str
    previous: bool


class Keys(Items):
    """API keys: made, listed, rotated, revoked, recognized."""

    def create_key(
        self, key_id: str, name: str, scopes: Sequence[str], accounts: Sequence[str] = (), expires_at: str = ""
    ) -> tuple[ApiKey, str]:
        """Make an API key under a new id (`IdKind.KEY`): its record, and the key itself, shown this once.

        `accounts` limits it to these client companies. Raises Unprocessable when the scopes are not some of read,
        write and admin, for a limited key with admin, and for an end that has passed.
        """
        if not scopes or not set(scopes) <= set(SCOPES):
            message = f"scopes are one or more of {', '.join(SCOPES)}"
            raise Unprocessable(message, [{"field": "scopes", "message": message}])
        if accounts and "admin" in scopes:
            message = "a key that is limited to accounts cannot be admin"
            raise Unprocessable(message, [{"field": "scopes", "message": message}])
        self._check_end(expires_at)
        plain = _new_value(key_id)
        key = ApiKey(
            key_id=key_id,
            name=name,
            hash=hash_of(plain),
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            accounts=tuple(accounts),
            expires_at=expires_at,
            created_at=iso(self._clock.now()),
        )
        self._put(_item(key))
        return key, plain

    def key(self, key_id: str) -> ApiKey | None:
        """A key's record, or None."""
        item = self._fetch(_PK, key_id)
        return None if item is None else self._entity(ApiKey, item)

    def list_keys(self, limit: int = 50, token: str = "") -> tuple[list[ApiKey], str]:
        """A page of keys by id, revoked ones included, and the token of the next. Raises BadInput."""
        items, following = self._page(_PK, limit, token)
        return list(self._entities(ApiKey, items)), following

    def revoke_key(self, key_id: str) -> ApiKey:
        """Revoke a key for good; the authorizer's cache forgets it within a minute. Raises NotFound."""
        key = self._stored_key(key_id)
        if key.status != "revoked":
            key = key.model_copy(update={"status": "revoked", "revoked_at": iso(self._clock.now())})
            self._put(_item(key))
        return key

    def rotate_key(self, key_id: str, overlap: timedelta, expires_at: str = "") -> tuple[ApiKey, ApiKey, str]:
        """Give a key a new value: its record before and after, and the value, shown this once.

        The value that it had works for the `overlap` as well, though not beyond the end that the key had or now gets;
        one from before that stops at once. `expires_at` is the key's new end, "" leaves the one that it has. Raises
        NotFound; Unprocessable for an end that has passed; Conflict when the key is revoked, has ended and gets no new
        end, or is changed by somebody else at this moment.
        """
        was, now = self._stored_key(key_id), self._clock.now()
        if was.status != "active":
            raise Conflict(f"key {key_id} is revoked: create another")
        self._check_end(expires_at)
        if not expires_at and _has_passed(was.expires_at, now):
            raise Conflict(f"key {key_id} ended at {was.expires_at}: give it a new end with expires_at")
        ends_at, plain = iso(now + overlap), _new_value(key_id)
        changes = {
            "hash": hash_of(plain),
            "expires_at": expires_at or was.expires_at,
            "rotations": was.rotations + 1,
            "rotated_at": iso(now),
            "previous_hash": was.hash if overlap else "",
            "previous_ends_at": min(filter(None, (ends_at, was.expires_at, expires_at))) if overlap else "",
        }
        key = was.model_copy(update=changes)
        same = Item.version == was.rotations if was.rotations else Item.version.does_not_exist()
        if not self._put(_item(key), (Item.state == "active") & same):
            raise Conflict(f"key {key_id} was changed at the same moment: look at it, then rotate it again")
        return was, key, plain

    def find_key(self, plain: str) -> KnownKey | None:
        """The active key that has this value, compared in constant time; None for any other text, and for a value whose
        end has passed."""
        key_id, now = key_id_of(plain), self._clock.now()
        key = self.key(key_id) if key_id else None
        if key is None or key.status != "active":
            return None
        given = hash_of(plain)
        for stored, ends_at, previous in (
            (key.hash, key.expires_at, False),
            (key.previous_hash, key.previous_ends_at, True),
        ):
            if stored and secrets.compare_digest(stored, given) and not _has_passed(ends_at, now):
                return KnownKey(key, ends_at, previous)
        return None

    def _stored_key(self, key_id: str) -> ApiKey:
        """A key's record. Raises NotFound."""
        key = self.key(key_id)
        if key is None:
            raise NotFound(f"there is no key {key_id[:64]}", [{"field": "key_id", "message": "is unknown"}])
        return key

    def _check_end(self, expires_at: str) -> None:
        """Raises Unprocessable for an end that has passed."""
        if _has_passed(expires_at, self._clock.now()):
            raise Unprocessable("the key's end has passed", [{"field": "expires_at", "message": "has passed"}])


def _has_passed(ends_at: str, now: datetime) -> bool:
    """Whether there is an end, and it has passed."""
    return bool(ends_at) and parse_instant(ends_at) <= now


def _new_value(key_id: str) -> str:
    """A value for a key."""
    return f"adw_{key_id.removeprefix(IdKind.KEY.of(''))}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def hash_of(plain: str) -> str:
    """How a key is stored: SHA-256 in hex. A random 256-bit secret needs no slow hash."""
    return hashlib.sha256(plain.encode()).hexdigest()


def key_id_of(plain: str) -> str | None:
    """`adw_<digits>_<secret>` → `key_<digits>`; None for text of another form. Never raises."""
    parts = plain.split("_", 2)
    if (
        len(parts) != 3
        or parts[0] != "adw"
        or not parts[2]
        or len(plain) > limits.MAX_API_KEY_CHARS
        or not plain.isascii()
    ):
        return None
    return IdKind.KEY.of(parts[1]) if parts[1].isalnum() else None


def _item(key: ApiKey) -> Item:
    return Item(_PK, key.key_id, state=key.status, version=key.rotations or None, body=key.model_dump(mode="json"))
