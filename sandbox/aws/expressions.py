"""DynamoDB's condition, key and update expressions: parsed once per text, then evaluated on items.

The grammar is that of the Amazon DynamoDB Developer Guide ("Condition and filter expressions, operators, and
functions", "Using update expressions in DynamoDB").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sandbox.aws.refusals import invalid
from sandbox.aws.values import GivenNames, Item, Value, equal, less, path_of, size_of

_TOKEN = re.compile(r"\s*([#:]?[A-Za-z0-9_]+|<>|<=|>=|[=<>(),.\[\]+-])")
_FUNCTIONS = frozenset({"attribute_exists", "attribute_not_exists", "begins_with", "contains", "attribute_type"})
_CLAUSES = frozenset({"SET", "REMOVE", "ADD", "DELETE"})
_RESERVED: set[str] = set()
_MOST_CHARS = 4096
_MOST_IN = 100

Operand = Callable[[Item, GivenNames], Value | None]
Test = Callable[[Item, GivenNames], bool]
Path = tuple[str | int, ...]


def forbid(words: Iterable[str]) -> None:
    """Refuse these words as names of attributes, in capitals: DynamoDB has hundreds, which tests know from moto."""
    _RESERVED.update(words)


@dataclass(frozen=True, slots=True)
class ParsedCondition:
    """A parsed condition. `terms` are its conjuncts where it is a plain chain of ANDs: (path, operator, operands)."""

    holds: Test
    used: frozenset[str]
    terms: tuple[tuple[str, str, tuple[Operand, ...]], ...]


@dataclass(frozen=True, slots=True)
class Update:
    """A parsed update: (clause, path, operand) in order."""

    actions: tuple[tuple[str, Path, Operand], ...]
    used: frozenset[str]


@lru_cache(4096)
def condition(text: str) -> ParsedCondition:
    """Parse a condition, filter or key condition. Raises ValidationException."""
    parser = _ExpressionParser(text)
    holds = parser.either()
    parser.end()
    return ParsedCondition(holds, frozenset(parser.used), tuple(parser.terms))


@lru_cache(4096)
def update(text: str) -> Update:
    """Parse an update expression. Raises ValidationException."""
    parser = _ExpressionParser(text)
    actions: list[tuple[str, Path, Operand]] = []
    clauses: set[str] = set()
    while not parser.done:
        clause = parser.take().upper()
        if clause not in _CLAUSES or clause in clauses:
            raise invalid(f"Invalid UpdateExpression: Syntax error; token: {clause}")
        clauses.add(clause)
        actions.append(parser.action(clause))
        while parser.at(","):
            parser.take()
            actions.append(parser.action(clause))
    paths = [path for _, path, _ in actions]
    for place, path in enumerate(paths):
        if any(path[: len(other)] == other for other in paths[:place]):
            raise invalid("Invalid UpdateExpression: Two document paths overlap with each other")
    return Update(tuple(actions), frozenset(parser.used))


def check_used(used: frozenset[str], given: GivenNames) -> None:
    """Every given name and value is used, every used one is given. Raises ValidationException."""
    for kind, defined in (("Names", given.names), ("Values", given.values)):
        unused = defined.keys() - used
        if unused:
            keys = ", ".join(sorted(unused))
            raise invalid(f"Value provided in ExpressionAttribute{kind} unused in expressions: keys: {{{keys}}}")
    for name in used:
        if name.startswith(":"):
            given.value(name)
        else:
            given.name(name)


def apply(parsed: Update, item: Item, given: GivenNames) -> Item:
    """The item after the update; operands see it as it was. Raises ValidationException."""
    fresh = dict(item)
    for clause, raw, operand in parsed.actions:
        path = tuple(given.name(part) if isinstance(part, str) else part for part in raw)
        if len(path) != 1:
            raise invalid("The document path provided in the update expression is invalid for update")
        name = str(path[0])
        if clause == "REMOVE":
            fresh.pop(name, None)
            continue
        value = operand(item, given)
        if value is None:
            raise invalid("The provided expression refers to an attribute that does not exist in the item")
        fresh[name] = value if clause == "SET" else _added(item.get(name), value, clause)
    return fresh


def _added(old: Value | None, value: Value, clause: str) -> Value:
    if clause != "ADD" or "N" not in value or (old is not None and "N" not in old):
        raise invalid("An operand in the update expression has an incorrect data type")
    return value if old is None else {"N": _sum(old["N"], value["N"], 1)}


def _sum(left: str, right: str, sign: int) -> str:
    return f"{Decimal(left) + sign * Decimal(right):f}"


class _ExpressionParser:
    """Recursive descent over one expression."""

    def __init__(self, text: str) -> None:
        if not text.strip() or len(text) > _MOST_CHARS:
            raise invalid("Invalid expression: The expression can not be empty or longer than 4 kB")
        self._tokens = list(_tokens(text))
        self._at = 0
        self.used: set[str] = set()
        self.terms: list[tuple[str, str, tuple[Operand, ...]]] = []

    @property
    def done(self) -> bool:
        return self._at == len(self._tokens)

    def at(self, *wanted: str) -> bool:
        return not self.done and self._tokens[self._at].upper() in wanted

    def take(self, wanted: str = "") -> str:
        if self.done or (wanted and self._tokens[self._at].upper() != wanted):
            found = "<EOF>" if self.done else self._tokens[self._at]
            raise invalid(f"Invalid expression: Syntax error; token: {found!r}")
        self._at += 1
        return self._tokens[self._at - 1]

    def end(self) -> None:
        if not self.done:
            raise invalid(f"Invalid expression: Syntax error; token: {self._tokens[self._at]!r}")

    def either(self) -> Test:
        tests = [self._both()]
        while self.at("OR"):
            self.take()
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda item, given: any(test(item, given) for test in tests)

    def _both(self) -> Test:
        tests = [self._not()]
        while self.at("AND"):
            self.take()
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda item, given: all(test(item, given) for test in tests)

    def _not(self) -> Test:
        if self.at("NOT"):
            self.take()
            test = self._not()
            return lambda item, given: not test(item, given)
        if self.at("("):
            self.take()
            test = self.either()
            self.take(")")
            return test
        if self._at + 1 < len(self._tokens) and self._tokens[self._at] in _FUNCTIONS:
            return self._function(self.take())
        return self._comparison()

    def _function(self, name: str) -> Test:
        self.take("(")
        path = self._path()
        first = path_of(path)
        if name in {"attribute_exists", "attribute_not_exists"}:
            self.take(")")
            there = name == "attribute_exists"
            return lambda item, given: (first(item, given) is not None) is there
        self.take(",")
        second = self._operand()
        self.take(")")
        self.terms.append((str(path[0]), name, (second,)))
        return lambda item, given: _calls(name, first(item, given), second(item, given))

    def _comparison(self) -> Test:
        name = self._tokens[self._at] if not self.done else ""
        left = self._operand()
        operator = self.take().upper()
        if operator == "BETWEEN":
            low = self._operand()
            self.take("AND")
            high = self._operand()
            self.terms.append((name, operator, (low, high)))
            return lambda i, g: _ordered("<=", low(i, g), left(i, g)) and _ordered("<=", left(i, g), high(i, g))
        if operator == "IN":
            self.take("(")
            among = [self._operand()]
            while self.at(","):
                self.take()
                among.append(self._operand())
            self.take(")")
            if len(among) > _MOST_IN:
                raise invalid("Invalid expression: the IN operator is provided with too many operands")
            return lambda i, g: any(_ordered("=", left(i, g), each(i, g)) for each in among)
        if operator not in {"=", "<>", "<", "<=", ">", ">="}:
            raise invalid(f"Invalid expression: Syntax error; token: {operator!r}")
        right = self._operand()
        self.terms.append((name, operator, (right,)))
        return lambda i, g: _ordered(operator, left(i, g), right(i, g))

    def _operand(self) -> Operand:
        if self.at("SIZE") and self._tokens[self._at + 1 : self._at + 2] == ["("]:
            self.take()
            self.take("(")
            measured = path_of(self._path())
            self.take(")")
            return lambda item, given: size_of(measured(item, given))
        token = self._tokens[self._at] if not self.done else ""
        if token.startswith(":"):
            self.used.add(self.take())
            return lambda _item, given: given.value(token)
        return path_of(self._path())

    def _path(self) -> Path:
        parts: list[str | int] = [self._name()]
        while self.at(".", "["):
            if self.take() == ".":
                parts.append(self._name())
            else:
                parts.append(int(self.take()))
                self.take("]")
        return tuple(parts)

    def _name(self) -> str:
        name = self.take()
        if not re.fullmatch(r"#?[A-Za-z0-9_]+", name):
            raise invalid(f"Invalid expression: Syntax error; token: {name!r}")
        if name.startswith("#"):
            self.used.add(name)
        elif name.upper() in _RESERVED:
            raise invalid(f"Invalid expression: Attribute name is a reserved keyword; reserved keyword: {name}")
        return name

    def action(self, clause: str) -> tuple[str, Path, Operand]:
        path = self._path()
        if clause == "REMOVE":
            return clause, path, lambda _item, _given: None
        if clause == "SET":
            self.take("=")
            return clause, path, self._value()
        return clause, path, self._operand()

    def _value(self) -> Operand:
        left = self._part()
        if not self.at("+", "-"):
            return left
        sign = 1 if self.take() == "+" else -1
        right = self._part()
        return lambda item, given: _arithmetic(left(item, given), right(item, given), sign)

    def _part(self) -> Operand:
        if not (self.at("IF_NOT_EXISTS") and self._tokens[self._at + 1 : self._at + 2] == ["("]):
            return self._operand()
        self.take()
        self.take("(")
        there = path_of(self._path())
        self.take(",")
        otherwise = self._operand()
        self.take(")")

        def chosen(item: Item, given: GivenNames) -> Value | None:
            found = there(item, given)
            return otherwise(item, given) if found is None else found

        return chosen


def _tokens(text: str) -> Iterator[str]:
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise invalid(f"Invalid expression: Syntax error; token: {text[at]!r}")
        yield match[1]
        at = match.end()


def _calls(name: str, value: Value | None, argument: Value | None) -> bool:
    if value is None or argument is None:
        return False
    if name == "attribute_type":
        return argument.get("S") in value
    if name == "begins_with":
        return "S" in value and "S" in argument and value["S"].startswith(argument["S"])
    if "S" in value:
        return "S" in argument and argument["S"] in value["S"]
    return any(equal(each, argument) for each in value.get("L", ()))


def _ordered(operator: str, left: Value | None, right: Value | None) -> bool:
    """A comparison; with an attribute that is not there, or of another type, only `<>` holds."""
    if left is None or right is None:
        return operator == "<>"
    if operator in {"=", "<>"}:
        return equal(left, right) is (operator == "=")
    if left.keys() != right.keys():
        return False
    before, after = less(left, right), less(right, left)
    return {"<": before, "<=": not after, ">": after, ">=": not before}[operator]


def _arithmetic(left: Value | None, right: Value | None, sign: int) -> Value | None:
    if left is None or right is None:
        return None
    if "N" not in left or "N" not in right:
        raise invalid("An operand in the update expression has an incorrect data type")
    return {"N": _sum(left["N"], right["N"], sign)}


def key_terms(parsed: ParsedCondition, given: GivenNames) -> dict[str, tuple[str, tuple[Value | None, ...]]]:
    """Attribute → (operator, values) of a key condition."""
    return {
        given.name(name): (operator, tuple(operand({}, given) for operand in operands))
        for name, operator, operands in parsed.terms
    }


def names_of(params: Mapping[str, Any]) -> GivenNames:
    """The names and values that a call defines."""
    return GivenNames(params.get("ExpressionAttributeNames") or {}, params.get("ExpressionAttributeValues") or {})
