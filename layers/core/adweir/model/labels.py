"""Labels: words that tell the credentials of one platform apart within a client account."""

from __future__ import annotations

DEFAULT = "default"
"""The label of a credential that was stored without one."""
PATTERN = r"^[a-z0-9][a-z0-9_-]{0,31}$"


def owner(account_id: str, label: str) -> str:
    """What stands for a credential where a profile's id would stand: `@<account>`, `@<account>:<label>`."""
    return f"@{account_id}" if label == DEFAULT else f"@{account_id}:{label}"
