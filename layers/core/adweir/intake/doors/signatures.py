"""Standard Webhooks signatures: `webhook-id`, `webhook-timestamp`, `webhook-signature` over `id.timestamp.body`.

Whatever the headers hold, `verify` returns and never raises. It compares bytes, in constant time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from adweir.model import limits

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_PREFIX = "whsec_"
_VERSION = "v1,"


class Signed(NamedTuple):
    """A verified delivery: its id and the moment it was signed (Unix seconds)."""

    id: str
    timestamp: int


def verify(headers: Mapping[str, str], body: bytes, secrets: Iterable[str], now: float) -> Signed | None:
    """The delivery that these headers (lower-case names) sign with one of the secrets, or None.

    `now` is Unix seconds; the signed time may be 300 s off in either direction. One signature that fits is enough, so
    that a sender can rotate its secret without a gap.
    """
    if fault_of(headers, now):
        return None
    delivery, stamp = headers[ID], headers[TIMESTAMP]
    given = _digests(headers[SIGNATURE])
    signed = f"{delivery}.{stamp}.".encode() + body
    fits = False
    for secret in secrets:
        key = key_of(secret)
        expected = hmac.new(key, signed, hashlib.sha256).digest()
        for digest in given:
            fits |= hmac.compare_digest(expected, digest) and bool(key)
    return Signed(delivery, int(stamp)) if fits else None


def fault_of(headers: Mapping[str, str], now: float) -> str:
    """Why no secret could fit these headers, for the log: it quotes nothing of them but how far the time is off."""
    if missing := [name for name in (ID, TIMESTAMP, SIGNATURE) if name not in headers]:
        return f"there is no header {', '.join(missing)}"
    delivery, stamp = headers[ID], headers[TIMESTAMP]
    if not (0 < len(delivery) <= limits.MAX_DELIVERY_ID_CHARS and delivery.isascii() and delivery.isprintable()):
        return f"{ID} is not 1 to {limits.MAX_DELIVERY_ID_CHARS} printable characters of ASCII"
    if not (len(stamp) <= 12 and stamp.isascii() and stamp.isdigit()):
        return f"{TIMESTAMP} is not a time in Unix seconds"
    off = int(stamp) - now
    if abs(off) > limits.MAX_CLOCK_SKEW_SECONDS:
        side = "ahead of" if off > 0 else "behind"
        return f"{TIMESTAMP} is {abs(off):.0f} s {side} this clock, more than {limits.MAX_CLOCK_SKEW_SECONDS}"
    return ""


def key_of(secret: str) -> bytes:
    """The key in a secret: after `whsec_` comes base64, any other text is the key itself; b"" when it is unusable."""
    if not secret.startswith(_PREFIX):
        return secret.encode(errors="surrogatepass")
    return _decoded(secret.removeprefix(_PREFIX))


def _digests(header: str) -> list[bytes]:
    """The v1 signatures of a header; other versions are skipped, what is malformed is b""."""
    parts = header.split()[: limits.MAX_SIGNATURES]
    return [_decoded(part.removeprefix(_VERSION)) for part in parts if part.startswith(_VERSION)]


def _decoded(text: str) -> bytes:
    """What base64 text stands for; b"" when it is malformed, which is no key and no digest."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
