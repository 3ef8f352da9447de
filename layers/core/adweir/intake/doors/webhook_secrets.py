"""The secrets that deliveries are verified with: one per platform and door, set and rotated through the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from adweir.model.errors import NotFound
from adweir.model.platforms import Platform

if TYPE_CHECKING:
    from adweir.store.secrets import SecretStore


def secret_name(secrets: SecretStore, platform: Platform, account_id: str = "") -> str:
    """`<prefix>/webhook/<platform>[/<account>]`, the platform by its name without `_ads`."""
    short = platform.removesuffix("_ads")
    return secrets.name("webhook", short, account_id) if account_id else secrets.name("webhook", short)


def set_webhook_secret(
    secrets: SecretStore,
    platform: Platform,
    values: Mapping[str, str],
    account_id: str = "",
    *,
    revoke_previous: bool = False,
) -> list[str]:
    """Set or rotate webhook secrets. Returns the names of the fields that are set now.

    Fields that are not given keep their values; the version before stays valid until the next rotation, unless it is
    revoked. `secret` signs metric pushes, and the platform's own deliveries where no `app_secret` is set.
    """
    name = secret_name(secrets, platform, account_id)
    secrets.forget(name)  # another container may have revoked what this one remembers
    try:
        known = secrets.get(name)
    except NotFound:
        known = {}
    merged = known | dict(values)
    if merged != known or revoke_previous:
        secrets.put(name, merged, alone=revoke_previous)
    return sorted(merged)


def revoke_webhook_secrets(secrets: SecretStore, platform: Platform, account_id: str = "") -> None:
    """Delete the webhook secrets of a door, the previous ones too: it takes no delivery until others are set."""
    secrets.delete(secret_name(secrets, platform, account_id))
