"""Labels: words that tell the credentials of one platform apart within a client account."""

from __future__ import annotations

import re

from adweir.model.errors import Unprocessable

DEFAULT = "default"
"""The label of a credential that was stored without one."""
PATTERN = r"^[a-z0-9][a-z0-9_-]{0,31}$"
_LABEL = re.compile(PATTERN)


def parse_label(text: str) -> str:
    """A label in any case → as it is stored; "" → `default`. Raises Unprocessable."""
    label = text.strip().lower() or DEFAULT
    if not _LABEL.fullmatch(label):
        message = f"{text[:40]!r} is not a label: lower-case letters, digits, - and _, at most 32 characters"
        raise Unprocessable(message, [{"field": "label", "message": message}])
    return label


def owner(account_id: str, label: str) -> str:
    """What stands for a credential where a profile's id would stand: `@<account>`, `@<account>:<label>`."""
    return f"@{account_id}" if label == DEFAULT else f"@{account_id}:{label}"
