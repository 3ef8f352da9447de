"""Ids of described APIs: of ad accounts with the spec's name before them, so that no two specs' ids are the same."""

from __future__ import annotations

import re

from adweir.model import limits

_MARK = "~"
_ACCOUNT = re.compile(r"(?!\.+$)[A-Za-z0-9_.:@-]{1,120}")


def profile_id(spec: str, account: str) -> str:
    """`<spec>~<id>`. Raises ValueError (field, message) for an id that cannot be part of a URL and of a key."""
    if not _ACCOUNT.fullmatch(account):
        raise ValueError("id", f"not an ad account's id: {account[:40]!r}")
    return f"{spec}{_MARK}{account}"


def in_account(profile: str) -> str:
    """The id that the API has for an ad account."""
    return profile.partition(_MARK)[2]


def entity_of(text: str, name: str) -> str:
    """The id of an object, "" for none. Raises ValueError (field, message) for what cannot be part of a key."""
    # "#" separates the parts of our storage keys, "~" an ad from its ad group; "!" begins what is no entity.
    unfit = len(text) > limits.MAX_OBJECT_ID_CHARS or "#" in text or _MARK in text or text.startswith("!")
    if unfit or not text.isprintable():
        raise ValueError(name, f"not an id: {text[:40]!r}")
    return text
