"""Regular expressions of people: matched in a time that grows with the text alone, whatever the expression.

RE2's syntax has no look-around and no back-references, which make Python's engine try for hours (`(a+)+$`). What is too
large for its memory is refused: a pattern of 200 characters can stand for millions of states (`((.{99}){99}){99}`).
"""

from __future__ import annotations

from collections.abc import Callable

import re2

from adweir.model import limits

_MEMORY = 128 << 10
"""Bytes for a compiled pattern and what matching it remembers: a schema may have 500 of them."""


class BadPattern(Exception):
    """A pattern that is not taken; its text says why."""


def compile_pattern(text: str) -> Callable[[str], bool]:
    """What says whether a whole text matches. Raises BadPattern."""
    if len(text) > limits.MAX_PATTERN_CHARS:
        raise BadPattern(f"must be text of at most {limits.MAX_PATTERN_CHARS} characters")
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False  # they would go to the standard error stream
    try:
        compiled = re2.compile(text, options)
    except (re2.error, UnicodeEncodeError):
        raise BadPattern("is not a regular expression of RE2's syntax, or a too large one") from None
    if compiled.programsize > limits.MAX_PATTERN_STEPS:
        raise BadPattern("is too large once its repetitions are written out")

    def matches(value: str) -> bool:
        try:
            return len(value) <= limits.MAX_MATCHED_CHARS and compiled.fullmatch(value) is not None
        except UnicodeEncodeError:  # half of a surrogate pair
            return False

    return matches
