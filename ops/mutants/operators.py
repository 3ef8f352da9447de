"""The changes: one node of a syntax tree → what is put in its place. What they are modelled on: mutmut's operators.

Each operator yields new nodes for a node; the tree itself is not touched. Those in `CONDITIONS` change what decides:
comparisons, `and`/`or`/`not`, truth, and the conditions of DynamoDB writes (`&`, `|`, `.exists()`, the argument that
holds the condition).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from copy import copy
from typing import TypeVar

Operator = Callable[[ast.AST], Iterator[ast.AST]]
_N = TypeVar("_N", bound=ast.AST)

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Div,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
_PAIRS = (
    ("lower", "upper"),
    ("lstrip", "rstrip"),
    ("find", "rfind"),
    ("index", "rindex"),
    ("partition", "rpartition"),
    ("split", "rsplit"),
    ("removeprefix", "removesuffix"),
    ("startswith", "endswith"),
    ("exists", "does_not_exist"),
    ("min", "max"),
    ("any", "all"),
)
_TWINS = dict(_PAIRS) | {other: one for one, other in _PAIRS}
_WITHOUT_NONE = frozenset({"len", "isinstance", "cast", "frozenset", "TypeVar"})
"""Calls whose arguments stay: None is a TypeError there, or says nothing at run time."""
_HOLDS_CONDITION = {"_put": (1,), "_change": (3,), "_drop": (2,), "_hold": (3, 4), "_advance_task": (2,)}
"""Where the ledger's writes take their condition."""


def comparison(node: ast.AST) -> Iterator[ast.AST]:
    """`<` → `<=` and `>=`, `==` → `!=`, `is` → `is not`, `in` → `not in`."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                yield _with(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])


def boolean(node: ast.AST) -> Iterator[ast.AST]:
    """Each `and` → `or` and the other way round, grouped as Python reads them: `(a and b) or c`, `(a or b) and c`."""
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        for place in range(1, len(node.values)):
            left, right = node.values[:place], node.values[place:]
            first = _with(node, values=left) if len(left) > 1 else left[0]
            swapped = _with(node, op=other, values=[first, right[0]])
            yield _with(node, values=[swapped, *right[1:]]) if right[1:] else swapped


def negation(node: ast.AST) -> Iterator[ast.AST]:
    """`not x` → `x`; `-x` → `x`; `if x` → `if not x`, also of `while`, `x if …` and comprehensions."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield node.operand
    if isinstance(node, ast.If | ast.While | ast.IfExp) and _plain(node.test):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.comprehension):
        for place, test in enumerate(node.ifs):
            if _plain(test):
                yield _with(node, ifs=[*node.ifs[:place], ast.UnaryOp(ast.Not(), test), *node.ifs[place + 1 :]])


def truth(node: ast.AST) -> Iterator[ast.AST]:
    """True ↔ False."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)


def joined(node: ast.AST) -> Iterator[ast.AST]:
    """`a & b`, `a | b` → each other, `a`, and `b`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        yield _with(node, op=_ARITHMETIC[type(node.op)]())
        yield node.left
        yield node.right


def condition(node: ast.AST) -> Iterator[ast.AST]:
    """A write without its condition; `.exists()` ↔ `.does_not_exist()`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    if node.func.attr in ("exists", "does_not_exist"):
        yield from twin(node)
    for place in _HOLDS_CONDITION.get(node.func.attr, ()):
        if place < len(node.args):
            yield _without_value(node, place)
    for place, keyword in enumerate(node.keywords):
        if keyword.arg == "condition":
            keywords = [
                *node.keywords[:place],
                ast.keyword("condition", ast.Constant(None)),
                *node.keywords[place + 1 :],
            ]
            yield _with(node, keywords=keywords)


def arithmetic(node: ast.AST) -> Iterator[ast.AST]:
    """`+` ↔ `-`, `*` ↔ `/` and so on; `x += y` → `x -= y` and `x = y`."""
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.BitAnd | ast.BitOr):
        yield _with(node, op=_ARITHMETIC[type(node.op)]())
    if isinstance(node, ast.AugAssign):
        yield _with(node, op=_ARITHMETIC[type(node.op)]())
        yield ast.Assign([node.target], node.value)


def number(node: ast.AST) -> Iterator[ast.AST]:
    """`n` → `n + 1`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        yield ast.Constant(node.value + 1)


def text(node: ast.AST) -> Iterator[ast.AST]:
    """`"Ab"` → `"XXAbXX"`, `"ab"`, `"AB"`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield ast.Constant(f"XX{node.value}XX")
        for other in sorted({node.value.lower(), node.value.upper()} - {node.value}):
            yield ast.Constant(other)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
        yield ast.Constant(b"XX" + node.value + b"XX")


def arguments(node: ast.AST) -> Iterator[ast.AST]:
    """Each argument of a call → None, and the call without it; a lambda that gives None."""
    if isinstance(node, ast.Lambda):
        yield _with(node, body=ast.Constant(None))
    if not isinstance(node, ast.Call) or _name(node.func) in _WITHOUT_NONE:
        return
    count = len(node.args) + len(node.keywords)
    for place, argument in enumerate(node.args):
        if not isinstance(argument, ast.Starred) and not _is_none(argument):
            yield _without_value(node, place)
        if count > 1:
            yield _with(node, args=[*node.args[:place], *node.args[place + 1 :]])
    if _name(node.func) == "zip":
        return  # strict: a check that the lengths are equal, which they are
    for place, keyword in enumerate(node.keywords):
        before, after = node.keywords[:place], node.keywords[place + 1 :]
        if keyword.arg and not _is_none(keyword.value):
            yield _with(node, keywords=[*before, ast.keyword(keyword.arg, ast.Constant(None)), *after])
        if count > 1:
            yield _with(node, keywords=[*before, *after])


def twin(node: ast.AST) -> Iterator[ast.AST]:
    """A call of a function's opposite: `min` ↔ `max`, `partition` ↔ `rpartition`."""
    if not isinstance(node, ast.Call) or (_name(node.func) in ("split", "rsplit") and len(node.args) < 2):
        return  # without a largest number of parts there is no difference
    if isinstance(node.func, ast.Attribute) and node.func.attr in _TWINS:
        yield _with(node, func=_with(node.func, attr=_TWINS[node.func.attr]))
    elif isinstance(node.func, ast.Name) and node.func.id in _TWINS:
        yield _with(node, func=ast.Name(_TWINS[node.func.id], ast.Load()))


def statement(node: ast.AST) -> Iterator[ast.AST]:
    """A statement that does something → one that does not: values None, calls and raises gone, loops left."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        yield _with(node, value=ast.Constant("" if _is_none(node.value) else None))
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield ast.Return(ast.Constant(None))
    elif (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)) or isinstance(node, ast.Raise | ast.Delete):
        yield ast.Pass()
    elif isinstance(node, ast.Break):
        yield ast.Return()
    elif isinstance(node, ast.Continue):
        yield ast.Break()


def decorator(node: ast.AST) -> Iterator[ast.AST]:
    """A function or a class without each of its decorators."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        for place in range(len(node.decorator_list)):
            yield _with(node, decorator_list=[*node.decorator_list[:place], *node.decorator_list[place + 1 :]])


CONDITIONS: tuple[Operator, ...] = (comparison, boolean, negation, truth, joined, condition)
ALL: tuple[Operator, ...] = (
    *(operator for operator in CONDITIONS if operator is not condition),
    arithmetic,
    number,
    text,
    arguments,
    twin,
    statement,
    decorator,
)


def _with(node: _N, **fields: object) -> _N:
    changed = copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _without_value(node: ast.Call, place: int) -> ast.Call:
    return _with(node, args=[*node.args[:place], ast.Constant(None), *node.args[place + 1 :]])


def _plain(test: ast.expr) -> bool:
    """Whether no other operator changes a test."""
    return not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )
