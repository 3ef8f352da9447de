"""Replaces the values of a credential in what a platform answers: text, bodies, and bodies in chunks.

Platforms repeat what they were sent: Meta's `paging.next` has the access token and its proof, an error message quotes
the token that it refuses. A value is found as it is, percent-encoded (also twice), and escaped in JSON (`\\/`,
`\\u007c`; also in JSON within JSON). Its first characters are enough, because messages quote values cut short.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adweir.model import limits
from adweir.model.scrubbing import REDACTED

_HEAD = 20
"""Characters by which a value is found; the beginning that all of a platform's values share is shorter."""
_LONGEST_SPELLING = 8
"""Bytes that one character takes at most: `%25257C`."""
_RUN = re.compile(r"[0-9A-Za-z]+")
_LONE = "surrogatepass"


class _Secret:
    """One value: `found_in` skips nearly all bodies at the speed of a search for bytes."""

    def __init__(self, value: str) -> None:
        self.longest = len(value) * _LONGEST_SPELLING
        head, self._rest = value[:_HEAD], value[_HEAD:]
        self._run = max(_RUN.findall(head), key=len, default="").encode()
        self._head = re.compile(b"".join(map(_spelled, head)))
        self._spellings = {char: re.compile(_spelled(char)) for char in set(self._rest)}

    def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where the value stands, or as much of its beginning as there is."""
        if self._run not in data:
            return
        for found in self._head.finditer(data):
            end = found.end()
            for char in self._rest:
                following = self._spellings[char].match(data, end)
                if following is None:
                    break
                end = following.end()
            yield found.start(), end


def _spelled(char: str) -> bytes:
    """A pattern of the ways in which a character of a value is written."""
    plain = re.escape(char.encode("utf-8", _LONE))
    if char.isascii() and char.isalnum():
        return plain
    if char == " ":
        plain += rb"|\+|%(?:25){0,2}2[Bb]"  # as forms write it
    encoded = b"".join(b"%%(?:25){0,2}(?i:%02x)" % byte for byte in char.encode("utf-8", _LONE))
    return b"(?:" + encoded + b"|\\\\{1,3}u(?i:%04x)|\\\\{0,3}" % ord(char) + plain + b")"


class Redactor:
    """Knows the secret values of one connection: those of its credential, and the newest that were made from them."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._given = {value: _Secret(value) for value in values if _long_enough(value)}
        self._made: deque[tuple[str, _Secret]] = deque(maxlen=limits.MAX_MADE_SECRETS)

    def add(self, value: str) -> None:
        """Know a value that was made from the credential's: an access token, a proof."""
        if _long_enough(value) and value not in self._given and value not in (known for known, _ in self._made):
            self._made.append((value, _Secret(value)))

    def text(self, text: str) -> str:
        """The text with each value replaced."""
        return self.body(text.encode("utf-8", _LONE)).decode("utf-8", _LONE)

    def body(self, data: bytes) -> bytes:
        """The bytes with each value replaced; the same object where there is none."""
        spans = self._spans(data)
        return _replaced(data, spans, len(data)) if spans else data

    def chunks(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same for a body in chunks: a value may begin in one and end in another."""
        held = b""
        for chunk in chunks:
            held += chunk
            cut = len(held) - max((secret.longest for secret in self._secrets()), default=0)
            if cut <= 0:
                continue
            spans = [(start, end) for start, end in self._spans(held) if start < cut]
            cut = max(cut, spans[-1][1]) if spans else cut
            yield _replaced(held, spans, cut) if spans else held[:cut]
            held = held[cut:]
        yield self.body(held)

    def anything(self, value: Any) -> Any:
        """The same for the texts within lists, tuples and mappings; any other value stays as it is."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.anything(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.anything(item) for item in value)
        return value

    def _secrets(self) -> list[_Secret]:
        return [*self._given.values(), *(secret for _, secret in self._made)]

    def _spans(self, data: bytes) -> list[tuple[int, int]]:
        """Where values stand, in order; of two that overlap, both from the first one's begin to the last one's end."""
        merged: list[tuple[int, int]] = []
        for start, end in sorted(span for secret in self._secrets() for span in secret.spans(data)):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged


def _long_enough(value: str) -> bool:
    """Whether replacing the value cannot hurt what is not the value; the door stores no shorter secret."""
    return len(value) >= limits.MIN_CREDENTIAL_SECRET_CHARS


def _replaced(data: bytes, spans: Iterable[tuple[int, int]], until: int) -> bytes:
    parts, at = [], 0
    for start, end in spans:
        parts += [data[at:start], REDACTED.encode()]
        at = end
    return b"".join([*parts, data[at:until]])
