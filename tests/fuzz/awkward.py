"""Values that readers of JSON, CSV and headers stumble over."""

from __future__ import annotations

from random import Random

_NUMBERS = (
    b"0", b"-0", b"1", b"-1", b"0.1", b"-0.5", b"1e3", b"1E400", b"-1E400", b"1E99999", b"1E-99999",
    b"1E99999999999999999999", b"-1E-99999999999999999999", b"1" * 30, b"-" + b"9" * 400, b"1" * 5000,
    b"0." + b"3" * 300, b"59.980000000000004", b"2147483648", b"9223372036854775807", b"9223372036854775808",
    b"18446744073709551616", b"-9223372036854775809", b"1000000000000", b"999999999999999999.999999",
)  # fmt: skip
_NOT_JSON = (b"NaN", b"Infinity", b"-Infinity", b"undefined", b"01", b"+1", b".5", b"1.", b"0x10", b"'a'", b"True")
_OTHERS = (b"null", b"true", b"false", b"[]", b"{}", b"[[]]", b"[null]", b'{"":null}', b"[{}]", b'[1,"a",{}]')
_TEXTS = (
    b"", b" ", b"0", b"-1", b"1.5", b"NaN", b"Infinity", b"1e999", b"1E99999999999999999999", b"1_000", b"+5", b"0x1F",
    b"1,5", b" 7 ", b"null", b"true", b"-", b".", b"~", b"#", b"!x", b"a#b", b"a~b", b"~a", b"..", b"../../etc",
    b"%00", b"%zz", b"=1+1", b"@a", b"https://[::1/x", b"http://169.254.169.254/", b"//x", b"javascript:0", b"act_",
    b"2026-02-30", b"2026-11-1", b"20261101", b"2026-W45-1", b"0001-01-01", b"9999-12-31", b"2026-11-01T00:00:00",
    b"0001-01-01T00:00:00+23:59", b"9999-12-31T23:59:59-23:59", b"2026-11-01T24:00:00Z", b"America", b"UTC",
    b"../UTC", b"campaign=", b"campaign=1,2", b"all", b"none", b"XYZ", b"eur", b"__proto__", b"constructor",
)  # fmt: skip
_ESCAPED = (
    rb"\u0000", rb"\ud800", rb"\udc00\ud800", rb"\ud83d\ude00", rb"\u202e", rb"\ufeff", rb"\u00a0", rb"\u2028", rb"\n",
    rb"\r\n", rb"\t", rb"\"", rb"\\", rb"\/", rb"\u12", rb"\x",
)  # fmt: skip
_UNUSUAL = ("\u00e9", "e\u0301", "\u0664\u0665", "\uff11\uff12", "\U0001d7d9\u00b2", "\u00df", "\u0130", "\U0001f600")
_RAW = (b"\x00", b"\x1f", b"\x7f", b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf4\x90\x80\x80")
_SIGNS = (b",", b";", b"},{", b"'", b"<", b"&", b"|", b"%")
_PIECES = (*_ESCAPED, *(letter.encode() for letter in _UNUSUAL), *_RAW, *_SIGNS)
_LONG = (201, 1025, 5000, 70_000)
_DEEP = (100, 1500, 20_000)


def piece(rng: Random) -> bytes:
    """A character or some, as they may stand inside a JSON text; some are not valid there."""
    return rng.choice(_PIECES)


def text(rng: Random) -> bytes:
    """A JSON text, quotes included."""
    kind = rng.random()
    if kind < 0.7:
        content = rng.choice(_TEXTS)
    elif kind < 0.9:
        content = rng.choice(_TEXTS) + piece(rng) + rng.choice(_TEXTS)
    elif kind < 0.98:
        content = rng.choice((b"x", b"9", "\u00e9".encode(), rb"\u0000", rb"\"")) * rng.choice(_LONG[:3])
    else:
        content = rng.choice((b"x", b"9", "\u00e9".encode(), rb"\"", rb"\\")) * _LONG[3]
    return b'"' + content + b'"'


def value(rng: Random) -> bytes:
    """A JSON value, or something that only looks like one."""
    kind = rng.random()
    if kind < 0.35:
        return text(rng)
    if kind < 0.65:
        return rng.choice(_NUMBERS)
    if kind < 0.85:
        return rng.choice(_OTHERS)
    if kind < 0.94:
        return rng.choice(_NOT_JSON)
    depth = _DEEP[-1] if kind > 0.99 else rng.choice(_DEEP[:2])
    inner = rng.choice(_OTHERS)
    return rng.choice((b"[" * depth + inner + b"]" * depth, b'{"a":' * depth + inner + b"}" * depth))


def plain(rng: Random) -> str:
    """A text as a header, a cell or a query has it."""
    content = rng.choice(_TEXTS)
    if rng.random() < 0.4:
        content += rng.choice(_PIECES) + rng.choice(_TEXTS)
    elif rng.random() < 0.05:
        content *= rng.choice(_LONG[:3])
    return content.decode("utf-8", rng.choice(("replace", "surrogateescape", "ignore")))
