"""TikTok's secondary statuses as ours: by how they end, for there are more than a hundred, one set per level."""

from __future__ import annotations

from adweir.model.entities import Status

_ENDINGS: tuple[tuple[tuple[str, ...], Status], ...] = (
    (("_DELETE", "_DELETED"), Status.REMOVED),
    (("_ARCHIVE", "_ARCHIVED"), Status.ARCHIVED),
    (("_DENY", "_FAIL", "_DISAPPROVED", "_REJECTED", "_NOT_APPROVED", "_AUDIT_NO_DELIVERY"), Status.REJECTED),
    (("_DELIVERY_OK", "_STATUS_ENABLE", "_PARTIALLY_APPROVED", "_PARTIAL_APPROVED"), Status.ACTIVE),
    (("_AUDIT", "_REAUDIT", "_STATUS_CREATE", "_IN_REVIEW", "_PROCESS_AUDIO", "_PENDING"), Status.PENDING),
    (("_DONE", "_TERMINATE", "_WITHDRAW_ORDER", "_OFFLINE"), Status.ENDED),
    (
        (
            "_DISABLE", "_EXCEED", "_NOT_START", "_FROZEN", "_PRE_ONLINE", "_AWAITING_RELEASE", "_QUOTA_LIMIT",
            "_UNAVAILABLE", "_UNBIND", "_LOST", "_REVOKED", "_CANCEL", "_MISSING", "_EXPIRED", "_PUNISH",
        ),
        Status.PAUSED,
    ),
)  # fmt: skip
"""How they end, most telling first. PAUSED: what does not run until somebody or something changes."""
_OPERATIONS = {"ENABLE": Status.ACTIVE, "DISABLE": Status.PAUSED, "FROZEN": Status.PAUSED, "DELETE": Status.REMOVED}


def status_of(secondary: str | None, operation: str | None) -> tuple[Status, str]:
    """Ours, and TikTok's word. `operation_status` speaks only where there is no secondary one: it knows no deletion."""
    if not secondary:
        return _OPERATIONS.get(operation or "", Status.UNKNOWN), operation or ""
    found = (status for endings, status in _ENDINGS if secondary.endswith(endings))
    return next(found, Status.UNKNOWN), secondary
