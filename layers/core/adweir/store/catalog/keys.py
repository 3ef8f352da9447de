"""API keys: `keys` / `<key id>`. A key is `adw_<digits of its id>_<secret>` and is stored as its SHA-256 only."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from adweir.model import limits
from adweir.model.entities import ApiKey
from adweir.model.errors import NotFound, Unprocessable
from adweir.model.ids import IdKind
from adweir.model.times import iso, parse_instant
from adweir.store.catalog.items import Item, Items

SCOPES = ("read", "write", "admin")
_PK = "keys"
_SECRET_BYTES = 32


class Keys(Items):
    """API keys: made, listed, revoked, recognized."""

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
        if expires_at and parse_instant(expires_at) <= self._clock.now():
            raise Unprocessable("the key's end has passed", [{"field": "expires_at", "message": "has passed"}])
        plain = f"adw_{key_id.removeprefix(IdKind.KEY.of(''))}_{secrets.token_urlsafe(_SECRET_BYTES)}"
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
        key = self.key(key_id)
        if key is None:
            raise NotFound(f"there is no key {key_id[:64]}", [{"field": "key_id", "message": "is unknown"}])
        if key.status != "revoked":
            key = key.model_copy(update={"status": "revoked", "revoked_at": iso(self._clock.now())})
            self._put(_item(key))
        return key

    def find_key(self, plain: str) -> ApiKey | None:
        """The active key with this value that has not expired, compared in constant time; None for any other text."""
        key_id = key_id_of(plain)
        key = self.key(key_id) if key_id else None
        if key is None or key.status != "active":
            return None
        if key.expires_at and parse_instant(key.expires_at) <= self._clock.now():
            return None
        return key if secrets.compare_digest(key.hash, hash_of(plain)) else None


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
    return Item(_PK, key.key_id, state=key.status, body=key.model_dump(mode="json"))
