"""What is wrong with a push, named field by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from adweir.model import limits
from adweir.model.errors import Unprocessable


class FieldFault(NamedTuple):
    """A field by its path in the body (`metrics[3].clicks`), and what is wrong with it."""

    field: str
    message: str


def refused(faults: Sequence[FieldFault]) -> Unprocessable:
    """The error that refuses a whole push; the first 1,000 faults are named, the message says how many there are."""
    first = faults[0]
    more = f" ({len(faults)} faults in all)" if len(faults) > 1 else ""
    details = [{"field": field, "message": message} for field, message in faults[: limits.MAX_PUSH_FAULTS]]
    return Unprocessable(f"the push is refused: {first.field} {first.message}{more}", details)
