"""JSON text that msgspec refuses though it is JSON: half of a surrogate pair, and nesting too deep for any parser.

Neither stands in an honest number, so one such value must not cost the numbers around it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
"""An escape in a JSON text: a whole surrogate pair, half of one (group 1), or any other."""
_MARK = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{},]', re.DOTALL)
"""What ends or nests an element: a string, so that its content does not count, or a sign of structure.

A string without an end goes to the end of the text: looking for another one in it would take quadratic time.
"""

_SPACE = b" \t\r\n"


def without_half_pairs(text: bytes) -> bytes:
    """The text with U+FFFD for every escaped half of a surrogate pair, which JSON may hold and Unicode text may not."""
    return _ESCAPE.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], text)


def decoded(text: bytes, kind: type[T]) -> T:
    """The text as that type; half of a surrogate pair in it is read as U+FFFD. Raises what msgspec raises."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:
        whole = without_half_pairs(text)
        if whole == text:
            raise
        return msgspec.json.decode(whole, type=kind)


def loose(text: bytes, number: Callable[[str], Any] = str) -> Any:
    """A text that msgspec refuses, decoded for people and for its ids: what is not Unicode becomes U+FFFD.

    Numbers, NaN among them, are what `number` makes of them; they may have thousands of digits. Raises ValueError, also
    for what is nested too deep.
    """
    readable = without_half_pairs(text).decode("utf-8", "replace")
    try:
        return json.loads(readable, parse_float=number, parse_int=number, parse_constant=number)
    except RecursionError:
        raise ValueError("nested too deep") from None


def member(text: bytes, name: bytes) -> bytes | None:
    """The value of an object's member as text, undecoded, however deep it is nested; None where there is none.

    What follows the member is not looked at. Checks nothing but brackets and strings.
    """
    depth, start, at_name, wanted = 0, 0, False, b'"%s"' % name
    marks = _MARK.finditer(text) if text.lstrip(_SPACE).startswith(b"{") else ()
    for mark in marks:
        sign = mark[0]
        if depth == 1 and sign in b",}" and start:
            return text[start : mark.start()].lstrip(_SPACE).removeprefix(b":").strip(_SPACE)
        if sign in b"[{":
            depth += 1
            at_name = depth == 1
        elif sign in b"]}":
            depth -= 1
        elif sign == b",":
            at_name = depth == 1
        elif at_name:
            at_name, start = False, mark.end() if sign == wanted else 0
    return None


def elements(array: bytes) -> Iterator[bytes]:
    """The elements of an array's text, undecoded, however deep they are nested; checks nothing but brackets.

    Raises ValueError when the text is not an array, its brackets do not match, or something follows it.
    """
    depth, start, end, closed = 0, 1, 0, 0
    marks = _MARK.finditer(array) if array.startswith(b"[") else ()
    for mark in marks:
        sign = mark[0]
        if end:
            raise ValueError("text after the array's end")
        if closed and depth == 1 and (sign not in b",]" or array[closed : mark.start()].strip()):
            raise ValueError("two elements without a comma between them")
        if sign in b"[{":
            depth += 1
        elif sign in b"]}":
            depth -= 1
            closed = mark.end()
            end = mark.end() if not depth else 0
        if (depth == 1 and sign == b",") or end:
            element = array[start : mark.start()]
            if element.strip():
                yield element
            elif start > 1 or not end:
                raise ValueError("an element is missing")
            start, closed = mark.end(), 0
    if not end or array[end:].strip():
        raise ValueError("the array has no end")
