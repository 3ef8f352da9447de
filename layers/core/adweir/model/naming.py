"""What names and landing pages of ads say: parts of a name by its account's pattern; host, path and UTM parameters."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from adweir.model import limits
from adweir.model.errors import BadInput

_PART = re.compile(r"\{([a-z][a-z0-9_]{0,29})(\*?)\}")
_UTM = "utm_"


class PageParts(NamedTuple):
    """Where an ad leads. `host` in lower case, without a port; `path` as it is in the URL; `utm` without the prefix:
    `{"source": "meta", "campaign": "spring"}`, of a parameter that comes twice the first value."""

    host: str
    path: str
    utm: dict[str, str]


def landing_page(url: str) -> PageParts | None:
    """A landing page's URL, taken apart; None for what is no absolute http or https URL. Never raises."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        pairs = parse_qsl(parts.query, max_num_fields=limits.MAX_URL_PARAMETERS)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or any(mark in host for mark in " {}%"):
        return None
    utm: dict[str, str] = {}
    for name, value in pairs:
        if name.lower().startswith(_UTM):
            utm.setdefault(name.lower().removeprefix(_UTM), value)
    return PageParts(host, parts.path or "/", utm)


class NamePattern:
    """How an account names its campaigns, ad groups or ads: `{market}_{channel}_{objective}`.

    Between two parts stands at least one character, and no part contains what stands between any two. Only the last
    one may, where it is written with a star: `{market}_{channel}_{rest*}`. So a name that has one piece too many does
    not parse, instead of parsing wrongly.
    """

    def __init__(self, pattern: str) -> None:
        """Raises BadInput that says what is wrong with it."""
        if len(pattern) > limits.MAX_NAME_CHARS:
            raise BadInput(f"a pattern has at most {limits.MAX_NAME_CHARS} characters")
        self.text = pattern
        pieces = _PART.split(pattern)
        self._literals, self.parts, stars = pieces[0::3], tuple(pieces[1::3]), pieces[2::3]
        self._rest = bool(stars) and stars[-1] == "*"
        if not self.parts:
            raise BadInput("a pattern has at least one part in braces, like {market}_{channel}")
        if any("{" in each or "}" in each for each in self._literals):
            raise BadInput("a part is a name in braces: small letters, digits and _, beginning with a letter")
        if len(set(self.parts)) < len(self.parts):
            raise BadInput("each part has a name of its own")
        if not all(self._literals[1:-1]):
            raise BadInput("between two parts stands at least one character")
        if "*" in stars[:-1]:
            raise BadInput("only the last part may have a star")

    def read(self, name: str) -> dict[str, str] | None:
        """Part → its text, without spaces around it; None where the name does not follow the pattern."""
        first, *between, last = self._literals
        if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
            return None
        left, values = name[len(first) : len(name) - len(last)], []
        for separator in between:
            value, found, left = left.partition(separator)
            if not found:
                return None
            values.append(value.strip())
        values.append(left.strip())
        strict = values[:-1] if self._rest else values
        if not all(values) or any(each in value for each in between for value in strict):
            return None
        return dict(zip(self.parts, values, strict=True))
