"""The words of a statement, and those in it that one engine alone takes: what a parser's tree no longer shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from ops.sql.names import UNITS

_WORD = re.compile(
    r"(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<text>'(?:[^']|'')*')|(?P<name>\"(?:[^\"]|\"\")*\")|(?P<number>\d[\w.]*)"
    r"|(?P<word>[^\W\d]\w*)|(?P<sign>::|==|\$\$|.)",
    re.DOTALL,
)
_ENDS = frozenset({"from", "where", "group", "order", "having", "limit", "union", ")", ""})


class SqlEngine(StrEnum):
    """Who reads SQL."""

    DUCKDB = "DuckDB"
    TRINO = "Athena"


class SqlFinding(NamedTuple):
    """Something in a statement that one engine `only` understands, or that both do in their own ways (None).

    `at`: its place in the statement's bytes.
    """

    at: int
    said: str
    only: SqlEngine | None


class Word(NamedTuple):
    """A word, in small letters unless it is quoted, and its place in the statement's bytes."""

    kind: str
    text: str
    at: int


def words_of(sql: str) -> list[Word]:
    """All words, without spaces and remarks."""
    found, at = [], 0
    for match in _WORD.finditer(sql):
        kind, text = match.lastgroup or "", match[0]
        if kind != "space":
            found.append(Word(kind, text.lower() if kind == "word" else text, at))
        at += len(text.encode())
    return found


def is_query(words: Sequence[Word]) -> bool:
    """Whether a statement begins as one that only reads."""
    first = next((word.text for word in words if word.text != "("), "")
    return first in {"select", "with", "values", "from"}


def in_words(words: Sequence[Word]) -> Iterator[SqlFinding]:
    """What of the words DuckDB alone takes."""
    nothing = Word("", "", 0)
    for before, word, after in zip([nothing, *words[:-1]], words, [*words[1:], nothing], strict=True):
        said = _said(before, word, after)
        if said:
            yield SqlFinding(word.at, said, SqlEngine.DUCKDB)
    for place, word in enumerate(words):
        if word.text == "interval":
            yield from _interval(word, [each.text for each in words[place + 1 : place + 3]])


def _said(before: Word, word: Word, after: Word) -> str:
    """What to write instead of a word; "" where both take it."""
    if word.text in _SIGNS and word.kind in {"sign", "word"}:
        return _SIGNS[word.text]
    if word.text == "," and after.text in _ENDS:
        return "a comma before nothing: leave it out"
    if word.text == "from" and before.text in {"", "(", "union", "all", "except", "intersect"} and word.kind == "word":
        return "a query begins with SELECT: write SELECT * FROM"
    if word.text == "as" and after.kind == "text":
        return f'a name is quoted as "{after.text[1:-1]}", not as a text'
    if word.kind == "word" and word.text == "e" and after.kind == "text" and after.at == word.at + 1:
        return "a text has no E before it"
    return ""


def instead_of(words: Sequence[Word], at: int) -> str:
    """What to write for the word at a place where DuckDB stopped to read; "" where that is not known."""
    nothing = Word("", "", 0)
    for before, word, after in zip([nothing, *words[:-1]], words, [*words[1:], nothing], strict=True):
        if word.at != at:
            continue
        if before.text == "top" and word.kind == "number":
            return f"; write LIMIT {word.text} at the end for TOP {word.text}"
        if (
            word.kind == "word"
            and (before.text == ")" or before.kind in {"word", "name"})
            and after.text in {",", *_ENDS}
        ):
            return f"; a new name is written behind AS: AS {word.text}"
    return ""


def _interval(word: Word, after: Sequence[str]) -> Iterator[SqlFinding]:
    number, unit = (*after, "", "")[:2]
    if not (number.startswith("'") and number[1:-1].lstrip("+-").isdigit() and unit in UNITS):
        yield SqlFinding(
            word.at, "an interval is written INTERVAL '1' DAY (second, minute, hour, month, year)", SqlEngine.DUCKDB
        )


_SIGNS = {
    "==": "write = for ==",
    "::": "write CAST(x AS type) for x::type",
    "$$": "a text is quoted 'so'",
    "{": "write columns of their own for {...}",
    "?": "write the value in place of ?",
    "$": "write the value in place of $",
    "#": "write the column's name, or its number in GROUP BY and ORDER BY",
    "`": 'a name is quoted "so"',
}
