"""The mutants of a file: every change that an operator makes to a node of its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ops.mutants import operators
from ops.mutants.targets import MutatedFile

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


class MutantKey(NamedTuple):
    """What identifies a mutant while its line stays: file, function, the statement's first line, what it becomes."""

    module: str
    function: str
    line: str
    becomes: str
    number: int = 1
    """Of a statement that the function has several times."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed statement. `first` and `last`: the lines of it that run. `warm`: a function's code holds all of it.

    `apply` puts it into the tree of its file, which all mutants of the file share: once in each process.
    """

    key: MutantKey
    tree: ast.Module = field(repr=False)
    first: int
    last: int
    warm: bool
    _slot: _Slot = field(repr=False)
    _node: ast.AST = field(repr=False)

    def apply(self) -> ast.Module:
        self._slot.put(self._node)
        return ast.fix_missing_locations(self.tree)


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a node hangs in its parent."""

    parent: ast.AST
    name: str
    index: int | None

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.name, node)
        else:
            getattr(self.parent, self.name)[self.index] = node


@dataclass(frozen=True, slots=True)
class _At:
    """Where the walk is. `statement` is the innermost one, `slot` where that hangs."""

    function: str = ""
    warm: bool = False
    statement: ast.AST | None = None
    compared: bool = False
    raised: bool = False


def mutants_of(target: MutatedFile) -> list[Mutant]:
    """All mutants of a file, in its order. Raises LookupError for a function that it does not have."""
    tree = ast.parse(target.file.read_text(encoding="utf-8"))
    places: dict[MutantKey, list[int]] = {}
    found = []
    for mutant in _Walk(target, tree).within(tree, _At()):
        lines = places.setdefault(mutant.key, [])
        if mutant.first not in lines:  # two operators may make the same change
            lines.append(mutant.first)
            found.append(replace(mutant, key=mutant.key._replace(number=len(lines))))
    if missing := target.functions - {mutant.key.function for mutant in found}:
        raise LookupError(f"{target.path} has no {', '.join(sorted(missing))}")
    return [mutant for mutant in found if not target.functions or mutant.key.function in target.functions]


@dataclass(frozen=True, slots=True)
class _Walk:
    target: MutatedFile
    tree: ast.Module

    def within(self, parent: ast.AST, at: _At) -> Iterator[Mutant]:
        """The mutants of a node's children."""
        for name, value in ast.iter_fields(parent):
            if name in ("annotation", "returns", "decorator_list", "bases", "type_ignores"):
                continue
            if isinstance(parent, ast.ClassDef) and name == "keywords":
                continue
            inside = at
            if isinstance(parent, _FUNCTIONS):
                inside = replace(at, warm=at.warm or name == "body")
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST) and not _left_out(child, parent):
                    yield from self.at_node(child, _Slot(parent, name, index), inside)

    def at_node(self, node: ast.AST, slot: _Slot, at: _At) -> Iterator[Mutant]:
        """The mutants of a node and of what is in it."""
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            at = replace(at, statement=node, raised=isinstance(node, ast.Raise))
        if isinstance(node, ast.ClassDef | _FUNCTIONS) and not at.warm:
            at = replace(at, function=f"{at.function}.{node.name}".lstrip("."))
        if not (at.raised and _is_text(node)):
            for operator in self._operators(at):
                for changed in operator(node):
                    if not (at.raised and _loses_text(node, changed)):
                        yield self._mutant(slot, node, ast.copy_location(changed, node), at)
            yield from self.within(node, replace(at, compared=at.compared or isinstance(node, ast.Compare)))

    def _operators(self, at: _At) -> tuple[operators.Operator, ...]:
        if not self.target.conditions:
            return operators.ALL
        compared = (operators.number, operators.text) if at.compared else ()
        return (*operators.CONDITIONS, *compared)

    def _mutant(self, slot: _Slot, node: ast.AST, changed: ast.AST, at: _At) -> Mutant:
        statement: Any = at.statement
        line = _header(statement)
        slot.put(changed)
        becomes = _header(changed if statement is node else statement)
        slot.put(node)
        body = getattr(statement, "body", None)
        last = body[0].lineno - 1 if body else statement.end_lineno
        first = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", ()))])
        key = MutantKey(self.target.module, at.function, line, becomes)
        warm = at.warm
        return Mutant(key, self.tree, first, max(first, last), warm, slot, changed)


def _header(statement: ast.AST) -> str:
    """The first line of a statement, as `ast.unparse` writes it; of a function or class also its decorators."""
    if hasattr(statement, "body"):
        statement = copy(statement)
        statement.body = [ast.Expr(ast.Constant(...))]
        for name in ("orelse", "handlers", "finalbody"):
            if hasattr(statement, name):
                setattr(statement, name, [])
    return ast.unparse(statement).removesuffix("...").strip()


def _left_out(node: ast.AST, parent: ast.AST) -> bool:
    """Docstrings, logs, what only type checkers read, and zip's check that the lengths are equal."""
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name):
        of_zip = parent.func.id == "zip" and isinstance(node, ast.keyword)
        return of_zip or (parent.func.id == "cast" and node is parent.args[0])
    if isinstance(node, ast.Expr):
        if isinstance(node.value, ast.Constant):
            return True
        call = node.value.func if isinstance(node.value, ast.Call) else None
        return isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) and call.value.id == "log"
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        return node.test.id == "TYPE_CHECKING"
    if isinstance(node, ast.Assign) and isinstance(parent, ast.Module):
        return _is_type(node.value) or ast.unparse(node.targets[0]) == "__all__"
    return False


def _is_type(value: ast.expr) -> bool:
    """Whether a module's assignment only names a type: `Raw = dict[str, Any]`, `_T = TypeVar(...)`, `A | B`."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "TypeVar"
    return isinstance(value, ast.Subscript) or (isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr))


def _loses_text(node: ast.AST, changed: ast.AST) -> bool:
    """Whether a change of a `raise` is only about its message."""
    return isinstance(node, ast.Call) and sum(map(_is_text, ast.walk(changed))) < sum(map(_is_text, ast.walk(node)))


def _is_text(node: ast.AST) -> bool:
    """Whether a part of a `raise` is the message: an f-string, or a string of words."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    )
