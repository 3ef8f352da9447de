"""Takes secrets and persons out of texts that are kept for people to read: requests, answers, addresses.

What is hidden: the values that have the name of a secret or of a person's address, in JSON, forms and queries; and
whatever looks like a secret wherever it stands (API keys, the platforms' tokens, signatures of links, e-mail
addresses). It works on the beginning of a text, whatever its size, and never raises.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from adweir.model import limits

REDACTED = "REDACTED"
"""What stands for a value: letters only, so that it can stand in JSON, in CSV and in a URL."""
_LOOKED_AT = 16 << 10
"""Characters of a text that are looked at; what is kept of them is `limits.MAX_LOGGED_BODY_BYTES`."""
_JOINED = 3 << 10
"""Characters among which secrets are searched."""
_MESSAGE_CHARS = 1000
_LONGEST_BEGIN = 64
"""The beginning of a secret that is cut off there, and too short to be known as one."""
_CLEAN = {"true", "false", "null"}
_SECRET = re.compile(
    r"secret|token|passw|passphrase|pwd|credential|authorization|signature|apikey|accesskey|privatekey|proof|cookie"
    r"|bearer|jwt|assertion|authcode|developerkey|googlekey|subscriptionkey|clientid"
    r"|login|email|phone|firstname|lastname|fullname|birth"
    r"|street|^(?:key|sig|hmac|otp|pin|mobile)$"
)
_IN_QUERIES = {"code"}
"""Names of secrets in queries and forms; in JSON an error has one."""
_FORMS = re.compile(
    r"adw_[0-9A-Za-z]+_[\w-]{8,}"
    r"|(?i:(?:bearer|basic)(?:\s|%20|\+){1,3}(?:[\w.~+/=-]|\\{1,3}/){8,})"
    r"|eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]+)?"
    r"|EAA[0-9A-Za-z]{16,}"
    r"|ya29\.[\w.-]{8,}|1(?:\\?/|%2F){2}[\w-]{16,}|GOCSPX-[\w-]{8,}"
    r"|Atz[ar](?:\||%7C|\\u007c)[\w+/=%-]{8,}|amzn1\.oa2-cs\.[\w.-]{8,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{12,}|whsec_[\w+/=]{8,}|gh[opsu]_\w{16,}|xox[a-z]-[\w-]{8,}|sk_(?:live|test)_\w{8,}"
    r"|-----BEGIN[^-]{0,40}PRIVATE KEY-----[^-]*"
    r"|[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})+"
)
_NAME = re.compile(
    r"(?<![\w.%\-])(?P<name>(?:[\w.%\-]|\\{1,3}u[0-9a-fA-F]{4})++)"
    r"(?:\\{0,3}[\"'])?\s{0,3}(?P<sign>[=:])\s{0,3}(?P<quoted>\\{0,3}[\"'])?"
)
"""`name=`, `name: `, and the same as JSON within a text."""
_VALUES = {
    '"': re.compile(r'(?:[^"\\<]|\\{1,3}[^"\\])++'),
    "'": re.compile(r"(?:[^'\\<]|\\{1,3}[^'\\])++"),
    "": re.compile(r"(?:[^&\s\"'\\,}<]|\\{1,3}(?:/|u(?!0026)[0-9a-fA-F]{4}))++"),
}
"""The value behind such a name, by the quotation mark that it is in. JSON may write `/` as `\\/`, `&` as `\\u0026`."""
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]:,]|[^\s"{}\[\]:,]++|\s++', re.DOTALL)
_COLON = re.compile(r"\s*:")
_ESCAPED = re.compile(r"\\{1,3}u([0-9a-fA-F]{4})")
_NO_LETTER = re.compile(r"[^a-z0-9]+")


def is_secret(name: str) -> bool:
    """Whether a value of this name is hidden: `client_secret`, `X-Amz-Signature`, `primary_contact_email`.

    The name may be written as in a URL (`%74oken`) or in JSON (`\\u0074oken`).
    """
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), unquote(name))
    return bool(_SECRET.search(_NO_LETTER.sub("", plain.lower())))


def scrubbed(text: str, *, names_only: bool = False) -> str:
    """The beginning of a text as it may be kept, at most `limits.MAX_LOGGED_BODY_BYTES` of UTF-8.

    With `names_only` only the names of JSON's fields are left, and nothing of a text that is not JSON: for what is
    secret or personal as a whole.
    """
    given = text[:_LOOKED_AT]
    if given.lstrip()[:1] in {"{", "["}:
        given = _Json(given, names_only=names_only).scrubbed()
    elif names_only:
        given = REDACTED if given else ""
    kept = hidden(given[:_JOINED])
    return cut(kept if len(given) <= _JOINED else kept[:-_LONGEST_BEGIN])


def hidden(text: str) -> str:
    """A text without what looks like a secret. Its length should be bounded."""
    text = _FORMS.sub(REDACTED, text)
    kept, done = [], 0
    for found in _NAME.finditer(text):
        in_query = found["sign"] == "=" and found["name"].lower() in _IN_QUERIES
        if found.start() < done or not (in_query or is_secret(found["name"])):
            continue
        value = _VALUES[(found["quoted"] or "")[-1:]].match(text, found.end())
        if value:
            kept += [text[done : value.start()], REDACTED]
            done = value.end()
    return "".join([*kept, text[done:]])


def message_kept(message: str) -> str:
    """The beginning of an error's message as it may be kept. It is cut last: half of a secret is not known as one."""
    return hidden(message[: 2 * _MESSAGE_CHARS])[:_MESSAGE_CHARS]


def cut(text: str) -> str:
    """The beginning of a text that is kept."""
    return text.encode("utf-8", "replace")[: limits.MAX_LOGGED_BODY_BYTES].decode("utf-8", "ignore")


class _JsonPiece(NamedTuple):
    text: str
    end: int
    names: bool
    """A colon follows: it is the name of a field."""


class _Json:
    """JSON, maybe only its beginning, read token by token: a field's name decides what becomes of its value."""

    def __init__(self, text: str, *, names_only: bool) -> None:
        self._text = text
        self._names_only = names_only
        self._kept: list[str] = []
        self._size = 0

    def scrubbed(self) -> str:
        """The text without white space between its tokens, up to the end of what is kept, or of what can be read."""
        at, hides = self._next(0), False
        while at is not None and self._size < _JOINED:
            if hides:
                self._keep(f'"{REDACTED}"')
                at, hides = self._behind(at), False
                continue
            if at.names:
                hides = is_secret(at.text.strip("\"'"))
                self._keep(f"{at.text}:")
                colon = _COLON.match(self._text, at.end)
                at = self._next(colon.end() if colon else at.end)
                continue
            self._keep(self._value(at.text))
            at = self._next(at.end)
        return "".join(self._kept)

    def _value(self, piece: str) -> str:
        return piece if not self._names_only or piece in _CLEAN or piece in "{}[]:," else f'"{REDACTED}"'

    def _next(self, place: int) -> _JsonPiece | None:
        """The next token that is no white space; None at the end, and where a text is cut off within a string."""
        found = _TOKEN.match(self._text, place)
        if found and found[0].isspace():
            found = _TOKEN.match(self._text, found.end())
        if found is None:
            return None
        names = found[0] not in "{}[]:," and _COLON.match(self._text, found.end()) is not None
        return _JsonPiece(found[0], found.end(), names)

    def _behind(self, value: _JsonPiece) -> _JsonPiece | None:
        """The token behind a value, however deep that is."""
        depth, at = 0, value
        while True:
            depth += (at.text in "{[") - (at.text in "}]")
            following = self._next(at.end)
            if depth <= 0 or following is None:
                return following if depth <= 0 else None
            at = following

    def _keep(self, text: str) -> None:
        self._kept.append(text)
        self._size += len(text)
