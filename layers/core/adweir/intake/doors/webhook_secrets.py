"""The secrets that deliveries are verified with: one per platform and door, set and rotated through the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from adweir.intake.doors.signatures import key_of
from adweir.model import limits
from adweir.model.errors import Conflict, NotFound
from adweir.model.platforms import Platform

if TYPE_CHECKING:
    from adweir.store.secrets import SecretStore


def secret_name(secrets: SecretStore, platform: Platform, account_id: str = "") -> str:
    """`<prefix>/webhook/<platform>[/<account>]`, the platform by its name without `_ads`."""
    short = platform.removesuffix("_ads")
    return secrets.name("webhook", short, account_id) if account_id else secrets.name("webhook", short)


FIELDS = ("secret", "app_secret", "verify_token", "google_key", "callback_token")
"""What a door may have a secret for."""


def check_strength(field: str, value: str) -> None:
    """Refuse a secret that could be guessed, or that no header can have. Raises ValueError, without the value."""
    least = limits.MIN_VERIFY_TOKEN_CHARS if field == "verify_token" else limits.MIN_SECRET_CHARS
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise ValueError("printable ASCII without spaces is expected")
    if field == "secret" and len(key_of(value)) < limits.MIN_SECRET_CHARS:
        raise ValueError(f"at least {limits.MIN_SECRET_CHARS} bytes are needed, after whsec_ as base64")
    if len(value) < least:
        raise ValueError(f"at least {least} characters are needed")


def webhook_secrets(secrets: SecretStore, platform: Platform, account_id: str = "") -> dict[str, str]:
    """The current secrets of a door, as they are stored this moment; none where none are set."""
    name = secret_name(secrets, platform, account_id)
    secrets.forget(name)  # another container may have revoked what this one remembers
    try:
        return secrets.get(name)
    except NotFound:
        return {}


def set_webhook_secret(
    secrets: SecretStore,
    platform: Platform,
    values: Mapping[str, str],
    account_id: str = "",
    *,
    revoke_previous: bool = False,
    read: Mapping[str, str] | None = None,
) -> list[str]:
    """Set or rotate webhook secrets. Returns the names of the fields that are set now.

    Fields that are not given keep their values; the version before stays valid until the next rotation, unless it is
    revoked. `secret` signs metric pushes, and the platform's own deliveries where no `app_secret` is set. Raises
    Conflict where others are set than the caller has `read`, if it says.
    """
    name, known = secret_name(secrets, platform, account_id), webhook_secrets(secrets, platform, account_id)
    if read is not None and known != read:
        raise Conflict("someone else is changing these webhook secrets at the same moment; try again")
    merged = known | dict(values)
    if merged != known or revoke_previous:
        secrets.put(name, merged, alone=revoke_previous)
    return sorted(merged)


def revoke_webhook_secrets(secrets: SecretStore, platform: Platform, account_id: str = "") -> None:
    """Delete the webhook secrets of a door, the previous ones too: it takes no delivery until others are set."""
    secrets.delete(secret_name(secrets, platform, account_id))
