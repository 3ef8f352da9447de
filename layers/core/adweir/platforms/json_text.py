"""JSON text that msgspec refuses though it is JSON: half of a surrogate pair, and nesting too deep for any parser.

Neither stands in an honest number, so one such value must not cost the numbers around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
"""An escape in a JSON text: a whole surrogate pair, half of one (group 1), or any other."""
_MARK = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{},]', re.DOTALL)
"""What ends or nests an element: a string, so that its content does not count, or a sign of structure.

A string without an end goes to the end of the text: looking for another one in it would take quadratic time.
"""


def without_half_pairs(text: bytes) -> bytes:
    """The text with U+FFFD for every escaped half of a surrogate pair, which JSON may hold and Unicode text may not."""
    return _ESCAPE.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], text)


def elements(array: bytes) -> Iterator[bytes]:
    """The elements of an array's text, undecoded, however deep they are nested; checks nothing but brackets.

    Raises ValueError when the brackets do not match or something follows the array.
    """
    depth, start, end = 0, 1, 0
    for mark in _MARK.finditer(array):
        sign = mark[0]
        if end:
            raise ValueError("text after the array's end")
        if sign in b"[{":
            depth += 1
        elif sign in b"]}":
            depth -= 1
            end = mark.end() if not depth else 0
        if (depth == 1 and sign == b",") or end:
            element = array[start : mark.start()]
            if element.strip():
                yield element
            elif start > 1 or not end:
                raise ValueError("an element is missing")
            start = mark.end()
    if not end or array[end:].strip():
        raise ValueError("the array has no end")
