"""Deeds, as the audit has them (`store.ledger.audit`): who did what to what, and which fields it changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from adweir.model import limits


class FieldChange(NamedTuple):
    """A field before and after a deed, as text; None where there was or is nothing."""

    field: str
    before: str | None
    after: str | None


class Deed(NamedTuple):
    """Who did what to what, and what came of it.

    `who` is an API key's id, `cli:<user>`, or the function that did it by itself. `reason` is why, in the words of who
    did it; `kind` says what was changed (`job`, `brake`, `run`); `account_id` whose it is, "" for none or several;
    `at` is when (`model.times.iso`); `request_id` the request or invocation that it was done in, "" for neither.
    """

    who: str
    action: str
    subject: str
    outcome: str
    reason: str = ""
    kind: str = ""
    account_id: str = ""
    changes: tuple[FieldChange, ...] = ()
    at: str = ""
    request_id: str = ""


class Wanted(NamedTuple):
    """Which deeds to list; what is empty leaves none out. `until` is the last moment that counts."""

    account_id: str = ""
    who: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def chooses(self) -> bool:
        """Whether it leaves out deeds of its time."""
        return bool(self.account_id or self.who or self.kind)

    def has(self, deed: Deed) -> bool:
        """Whether a deed is among them; its time is not looked at."""
        return self.account_id in {"", deed.account_id} and self.who in {"", deed.who} and self.kind in {"", deed.kind}


def changes_of(
    before: Mapping[str, Any], after: Mapping[str, Any], *, hidden: frozenset[str] = frozenset()
) -> tuple[FieldChange, ...]:
    """The fields that differ, by name, as the audit keeps them. Of those `hidden` it says only that they changed.

    Long values are cut, and so is a long list of fields.
    """
    names = sorted(name for name in {*before, *after} if _given(before, name) != _given(after, name))
    shown = [
        FieldChange(name, None, "changed")
        if name in hidden
        else FieldChange(name, _text(before, name), _text(after, name))
        for name in names[: limits.MAX_DEED_FIELDS]
    ]
    return tuple(shown)


def _given(values: Mapping[str, Any], name: str) -> Any:
    """A field's value; None for an empty text or list, too."""
    value = values.get(name)
    return None if value == "" or value in ([], (), {}) else value


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = _given(values, name)
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return None if value is None else text[: limits.MAX_DEED_VALUE_CHARS]
