"""The Google Ads Query Language: text → `GaqlQuery` (Google Ads API, Query grammar)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sandbox.platforms.google_ads.errors import query_error

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")|(?P<number>-?\d+(?:\.\d+)?(?![A-Za-z_.]))"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_.~]*)|(?P<symbol>!=|<=|>=|[=<>,()]))",
    re.DOTALL,
)
_FIELD = re.compile(r"[a-z][a-zA-Z0-9._]*")
_ESCAPES = {"\\'": "'", '\\"': '"', "\\\\": "\\", "\\n": "\n", "\\t": "\t"}
_MOST_DIGITS = 18
_CLAUSES = ("WHERE", "ORDER", "LIMIT", "PARAMETERS")
DURINGS = (
    "LAST_14_DAYS", "LAST_30_DAYS", "LAST_7_DAYS", "LAST_BUSINESS_WEEK", "LAST_MONTH", "LAST_WEEK_MON_SUN",
    "LAST_WEEK_SUN_SAT", "THIS_MONTH", "THIS_WEEK_MON_TODAY", "THIS_WEEK_SUN_TODAY", "TODAY", "YESTERDAY",
)  # fmt: skip
"""The functions that DURING takes (Query grammar)."""


class GaqlToken(NamedTuple):
    """A part of a query: a string, a number, a word or a symbol."""

    kind: str
    text: str

    def means(self, *words: str) -> bool:
        """Whether it is one of these words or symbols, in any case."""
        return self.kind in ("word", "symbol") and self.text.upper() in words


_END = GaqlToken("end", "")


class GaqlCondition(NamedTuple):
    """One condition of WHERE. `values`: none for IS NULL, two for BETWEEN."""

    field: str
    operator: str
    values: tuple[GaqlToken, ...]


class GaqlOrdering(NamedTuple):
    """One field of ORDER BY."""

    field: str
    descending: bool


@dataclass(frozen=True)
class GaqlQuery:
    """A query that can be read; whether its fields exist and go together is another question (`checks`)."""

    select: tuple[str, ...]
    resource: str
    where: tuple[GaqlCondition, ...] = ()
    order: tuple[GaqlOrdering, ...] = ()
    limit: int | None = None
    parameters: Mapping[str, bool] = field(default_factory=dict)

    def chosen(self, category: str) -> list[str]:
        """The selected fields of `metrics` or `segments`, without that word."""
        prefix = f"{category}."
        return [path.removeprefix(prefix) for path in self.select if path.startswith(prefix)]

    @property
    def named(self) -> list[str]:
        """Every field of the query."""
        return [*self.select, *(c.field for c in self.where), *(o.field for o in self.order)]


def parse(text: str) -> GaqlQuery:
    """Read a query. Raises Google's query errors."""
    return _GaqlParser(_tokens(text)).query()


def _tokens(text: str) -> list[GaqlToken]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].lstrip()
            if rest[0] in "'\"":
                raise query_error("STRING_NOT_TERMINATED", f"Error in query: unterminated string: {rest[:40]}.")
            raise query_error("BAD_SYMBOL", f"Error in query: unexpected symbol {rest[0]}.")
        kind = str(match.lastgroup)
        part = match[kind]
        found.append(GaqlToken(kind, _unquoted(part) if kind == "string" else part))
        at = match.end()
    return found


def _unquoted(text: str) -> str:
    if "\n" in text:
        raise query_error("PROHIBITED_NEWLINE_IN_STRING", "Error in query: a string contains a newline.")

    def character(found: re.Match[str]) -> str:
        if found[0] not in _ESCAPES:
            raise query_error("BAD_ESCAPE_SEQUENCE", f"Error in query: bad escape sequence {found[0]}.")
        return _ESCAPES[found[0]]

    return re.sub(r"\\.", character, text[1:-1])


class _GaqlParser:
    """Reads the clauses in their order."""

    def __init__(self, tokens: list[GaqlToken]) -> None:
        self._tokens, self._at = tokens, 0

    def query(self) -> GaqlQuery:
        """The whole query."""
        if not self._take("SELECT"):
            raise query_error("EXPECTED_SELECT", "Error in query: missing SELECT clause.")
        select = [self._field()]
        while self._take(","):
            select.append(self._field())
        if not self._take("FROM"):
            raise self._unexpected("EXPECTED_FROM", "missing FROM clause")
        resource = self._next("word").text
        where = self._where() if self._take("WHERE") else []
        order = self._order() if self._take("ORDER") else []
        limit = self._limit() if self._take("LIMIT") else None
        parameters = self._parameters() if self._take("PARAMETERS") else {}
        if self._peek is not _END:
            raise self._unexpected("UNEXPECTED_INPUT", f"unexpected input {self._peek.text}")
        return GaqlQuery(tuple(dict.fromkeys(select)), resource, tuple(where), tuple(order), limit, parameters)

    # -- clauses -------------------------------------------------------------------------------------------------

    def _where(self) -> list[GaqlCondition]:
        found = [self._condition()]
        while self._take("AND"):
            found.append(self._condition())
        if self._peek.means("OR"):
            raise query_error("UNEXPECTED_INPUT", "Error in query: unexpected input OR.")
        return found

    def _condition(self) -> GaqlCondition:
        name = self._field()
        operator = self._operator()
        if operator in ("IS NULL", "IS NOT NULL"):
            return GaqlCondition(name, operator, ())
        if operator == "BETWEEN":
            first = self._value()
            if not self._take("AND"):
                raise self._unexpected("EXPECTED_AND", "BETWEEN needs two values with AND")
            return GaqlCondition(name, operator, (first, self._value()))
        if operator in ("IN", "NOT IN") or operator.startswith("CONTAINS"):
            return GaqlCondition(name, operator, self._list())
        if self._peek.means("("):
            raise query_error("EXPECTED_SINGLE_VALUE", f"Error in query: {operator} takes a single value.")
        return GaqlCondition(name, operator, (self._value(),))

    def _operator(self) -> str:
        token = self._next()
        if token.kind == "symbol" and token.text in ("=", "!=", "<", "<=", ">", ">="):
            return token.text
        word = token.text.upper()
        if word in ("IN", "LIKE", "DURING", "BETWEEN", "REGEXP_MATCH"):
            return word
        following = {
            "NOT": ("IN", "LIKE", "REGEXP_MATCH"), "CONTAINS": ("ANY", "ALL", "NONE"), "IS": ("NULL", "NOT"),
        }.get(word, ())  # fmt: skip
        if not self._peek.means(*following):
            raise query_error("BAD_OPERATOR", f"Error in query: bad operator {token.text}.")
        second = self._next().text.upper()
        if (word, second) == ("IS", "NOT"):
            if not self._take("NULL"):
                raise query_error("BAD_OPERATOR", "Error in query: bad operator IS NOT.")
            return "IS NOT NULL"
        return f"{word} {second}"

    def _list(self) -> tuple[GaqlToken, ...]:
        if not self._take("("):
            raise self._unexpected("EXPECTED_LIST", "a list in parentheses is expected")
        if self._take(")"):
            raise query_error("PROHIBITED_EMPTY_LIST_IN_CONDITION", "Error in query: a list is empty.")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        if not self._take(")"):
            raise self._unexpected("UNEXPECTED_INPUT", "a list is not closed")
        if len({token.kind for token in values}) > 1:
            raise query_error("PROHIBITED_VALUE_COMBINATION_IN_LIST", "Error in query: a list mixes types.")
        return tuple(values)

    def _order(self) -> list[GaqlOrdering]:
        if not self._take("BY"):
            raise self._unexpected("EXPECTED_BY", "ORDER needs BY")
        found = [self._ordering()]
        while self._take(","):
            found.append(self._ordering())
        return found

    def _ordering(self) -> GaqlOrdering:
        name = self._field()
        descending = self._take("DESC")
        if not descending:
            self._take("ASC")
        return GaqlOrdering(name, descending)

    def _limit(self) -> int:
        token = self._next()
        if token.kind != "number" or "." in token.text or len(token.text) > _MOST_DIGITS:
            raise query_error("BAD_LIMIT_VALUE", f"Error in query: bad LIMIT value {token.text}.")
        if int(token.text) < 1:
            raise query_error("LIMIT_VALUE_TOO_LOW", "Error in query: LIMIT has to be positive.")
        return int(token.text)

    def _parameters(self) -> dict[str, bool]:
        found = dict([self._parameter()])
        while self._take(","):
            found.update([self._parameter()])
        return found

    def _parameter(self) -> tuple[str, bool]:
        name = self._next("word").text
        if name not in ("include_drafts", "omit_unselected_resource_names"):
            raise query_error("UNEXPECTED_INPUT", f"Error in query: unknown parameter {name}.")
        value = self._next().text.lower() if self._take("=") else ""
        if value not in ("true", "false"):
            raise query_error("BAD_VALUE", f"Error in query: {name} is true or false.")
        return name, value == "true"

    # -- tokens --------------------------------------------------------------------------------------------------

    @property
    def _peek(self) -> GaqlToken:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _next(self, kind: str = "") -> GaqlToken:
        token = self._peek
        if token is _END or (kind and token.kind != kind):
            raise self._unexpected("UNEXPECTED_INPUT", f"unexpected input {token.text}")
        self._at += 1
        return token

    def _take(self, word: str) -> bool:
        found = self._peek.means(word)
        self._at += found
        return found

    def _field(self) -> str:
        token = self._peek
        if token.means(*_CLAUSES, "FROM", ",") or token is _END:
            raise self._unexpected("UNEXPECTED_INPUT", f"a field is expected instead of {token.text}")
        self._at += 1
        if not _FIELD.fullmatch(token.text) or ".." in token.text or token.text.endswith("."):
            raise query_error("BAD_FIELD_NAME", f"Error in query: bad field name {token.text}.")
        return token.text

    def _value(self) -> GaqlToken:
        token = self._peek
        if token.kind not in ("string", "number", "word") or token.means("AND", *_CLAUSES):
            raise self._unexpected("BAD_VALUE", f"bad value {token.text}")
        self._at += 1
        return token

    def _unexpected(self, code: str, text: str) -> Exception:
        if self._peek is _END:
            return query_error("UNEXPECTED_END_OF_QUERY", "Error in query: unexpected end of query.")
        return query_error(code, f"Error in query: {text}.")
