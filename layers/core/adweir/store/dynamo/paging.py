"""Page tokens: a position in a list as text that a caller hands back to get the next page."""

from __future__ import annotations

import base64
import binascii
import hashlib

from adweir.model import limits
from adweir.model.errors import BadInput

_CHECK = 6


def to_token(of: str, position: str) -> str:
    """A position in the list `of` as an opaque token."""
    return base64.urlsafe_b64encode(_check(of, position) + position.encode()).decode().rstrip("=")


def from_token(of: str, token: str) -> str:
    """The position behind a token; "" for no token.

    Raises BadInput for a token that `to_token` did not make, or made for another list.
    """
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        position = raw[_CHECK:].decode()
    except (UnicodeError, binascii.Error):
        position, raw = "", b"?"
    fits = 0 < len(raw) - _CHECK <= limits.MAX_ENTITY_KEY_BYTES
    if token and (not fits or raw[:_CHECK] != _check(of, position)):
        raise unknown_token()
    return position


def unknown_token() -> BadInput:
    """The error for a token that names no position of this list."""
    return BadInput("unknown page token", [{"field": "next_token", "message": "is not a token of this list"}])


def _check(of: str, position: str) -> bytes:
    """A checksum that recognizes a list's own tokens. Not a signature: a position gives access to nothing.

    So a list takes whatever a position says for input of a stranger's.
    """
    return hashlib.sha256(f"page\x1f{of}\x1f{position}".encode()).digest()[:_CHECK]
