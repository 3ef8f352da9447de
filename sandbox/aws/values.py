"""DynamoDB's attribute values: comparing, measuring, and finding them by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from sandbox.aws.refusals import invalid

Value = dict[str, Any]
"""{"S": ...}, {"N": ...}, {"B": base64}, {"L": ...}, {"M": ...}, {"NULL": True}, {"BOOL": ...}."""
Item = dict[str, Value]
_TYPES = frozenset({"S", "N", "B", "L", "M", "NULL", "BOOL", "SS"})
"""The core stores binary values in the API log only, and of sets only those of texts."""


class GivenNames(NamedTuple):
    """ExpressionAttributeNames and ExpressionAttributeValues of a call."""

    names: Mapping[str, str]
    values: Mapping[str, Value]

    def value(self, name: str) -> Value:
        if name not in self.values:
            raise invalid(f"An expression attribute value used in expression is not defined; attribute value: {name}")
        return self.values[name]

    def name(self, name: str) -> str:
        if not name.startswith("#"):
            return name
        if name not in self.names:
            raise invalid(f"An expression attribute name used in the document path is not defined: {name}")
        return self.names[name]


def equal(left: Value, right: Value) -> bool:
    """Whether two values are the same; numbers are compared as numbers."""
    if left == right:
        return True
    if "N" in left and "N" in right:
        return Decimal(left["N"]) == Decimal(right["N"])
    if "L" in left and "L" in right:
        ours, theirs = left["L"], right["L"]
        return len(ours) == len(theirs) and all(map(equal, ours, theirs))
    if "M" in left and "M" in right:
        ours, theirs = left["M"], right["M"]
        return ours.keys() == theirs.keys() and all(equal(ours[name], theirs[name]) for name in ours)
    return False


def less(left: Value, right: Value) -> bool:
    """The order of two values of one type: numbers by size, texts by their UTF-8 bytes."""
    if "N" in left:
        return Decimal(left["N"]) < Decimal(right["N"])
    if "S" in left:
        return bool(left["S"].encode() < right["S"].encode())
    raise invalid("Invalid expression: Incorrect operand type for operator; operand type is not ordered")


def size_of(value: Value | None) -> Value | None:
    """What the function `size` says."""
    if value is None:
        return None
    held = next(iter(value.values()))
    return {"N": str(len(held.encode()) if "S" in value else len(held))} if not value.keys() & {"N", "BOOL"} else None


def path_of(path: tuple[str | int, ...]) -> Callable[[Item, GivenNames], Value | None]:
    """Finds a document path in an item."""
    first, rest = str(path[0]), path[1:]

    def find(item: Item, given: GivenNames) -> Value | None:
        found = item.get(given.name(first))
        for part in rest:
            if found is None:
                return None
            if isinstance(part, int):
                listed = found.get("L", [])
                found = listed[part] if part < len(listed) else None
            else:
                found = found.get("M", {}).get(given.name(part))
        return found

    return find


def check(value: Value) -> None:
    """Raises ValidationException for what is no attribute value."""
    if len(value) != 1:
        raise invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one")
    ((kind, held),) = value.items()
    if kind not in _TYPES:
        raise invalid(f"Supplied AttributeValue is empty, must contain exactly one of the supported datatypes: {kind}")
    if kind == "N":
        try:
            Decimal(held)
        except ArithmeticError:
            raise invalid(f"The parameter cannot be converted to a numeric value: {held}") from None
    elif kind == "SS":
        if not held or len(set(held)) < len(held):
            raise invalid(f"One or more parameter values were invalid: {held} is empty or contains duplicates")
    elif kind in {"L", "M"}:
        for each in held if kind == "L" else held.values():
            check(each)


def weigh(value: Value) -> int:
    """A value's size in bytes, as the Developer Guide counts it (about)."""
    ((kind, held),) = value.items()
    if kind == "S":
        return len(held.encode())
    if kind in {"N", "B"}:
        return len(held) // 2 + 2 if kind == "N" else len(held) * 3 // 4
    if kind == "SS":
        return sum(len(each.encode()) for each in held)
    if kind == "L":
        return 3 + sum(1 + weigh(each) for each in held)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + weigh(each) for name, each in held.items())
    return 1
