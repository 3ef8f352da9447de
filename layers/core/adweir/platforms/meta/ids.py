"""Ids of Meta's, which become parts of paths."""

from __future__ import annotations

from adweir.model.errors import RequestRejected


def digits(text: str) -> str:
    """The id. Raises RequestRejected for one that is no number: it would lead elsewhere."""
    if not (text.isdecimal() and text.isascii()):
        raise RequestRejected(f"not an id of Meta's: {text[:40]!r}")
    return text


def account_node(profile_id: str) -> str:
    """The node of an ad account. Raises as `digits`."""
    return f"act_{digits(profile_id.removeprefix('act_'))}"
