"""The kinds of faults that the sandbox has, as the soak uses them: with which options, and what has to be seen of each.

The list comes from the sandbox itself. A kind that stands neither in `TRACES` nor in `LEFT_OUT` fails a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.platforms import stand_ins
from sandbox.switches import EVERYWHERE

FUNCTIONS: Final = (
    "orchestrate",
    "collect",
    "poll_reports",
    "validate",
    "etl",
    "curate",
    "detect",
    "learn",
    "enrich",
    "features",
)
"""Whose workers are killed."""
HAPPENINGS: Final[Mapping[str, tuple[str, ...]]] = {"delete": ("meta_ads",), "archive": ("meta_ads", "tiktok_ads")}
"""What happens to an ad of an ad account, and on which platforms. Deleted ads of Meta are in no ad's row any more."""

AGAIN: Final = "asked again"
"""The same question was asked again while the run was under way, and answered."""
REFUSED: Final = "refused"
"""The API log has the request as one that failed. Nothing else has it where the pipeline goes another way at once: an
ad account that is listed later, a report that is asked for as a job instead."""
_TRANSIENT: Final = frozenset({AGAIN, "transient"})
_NO_ACCESS: Final = frozenset({"settled:auth_expired", "task:auth_expired", REFUSED})
_NO_ROWS: Final = frozenset({"no rows", "task:mass_vanish"})

TRACES: Final[Mapping[str, frozenset[str]]] = {
    "throttle": frozenset({"waits:throttled", AGAIN, REFUSED}),
    "quota": frozenset({"waits:throttled", AGAIN, REFUSED}),
    "expired_token": _NO_ACCESS | {AGAIN},
    "revoked_credential": _NO_ACCESS,
    "access_denied": _NO_ROWS | {"settled:access_denied", "task:access_denied", AGAIN, REFUSED},
    "passing_401": frozenset({AGAIN}),
    "server_error": _TRANSIENT,
    "html": _TRANSIENT,
    "proxy_page": _TRANSIENT,
    "half_answer": _TRANSIENT,
    "stream_error": _TRANSIENT,
    "expired_url": _TRANSIENT,
    "expired_page_token": _TRANSIENT,
    "truncated_paging": _TRANSIENT | {"incomplete"},
    "broken_report": frozenset({AGAIN, "tried again", "settled:report_failed"}),
    "data_limit": frozenset({AGAIN, "split", "settled:too_much_data", REFUSED}),
    "gone": frozenset({"settled:request_rejected", "task:request_rejected"}),
    "empty": _NO_ROWS,
    "bad_row": frozenset({"rows quarantined", "task:bad_input"}),
    "missing_column": frozenset({"rows quarantined", "task:bad_input", "waits:not_ready", AGAIN}),
    "odd_file": frozenset({AGAIN, "transient", "rows read"}),
    "new_value": frozenset({"unknown status", "rows read"}),
    "partial": frozenset({"incomplete"}),
    "silent_cut": frozenset({AGAIN, "incomplete", "split", "rows read"}),
    "drifting_pages": frozenset({"rows read"}),
    "short_pages": frozenset({"rows read"}),
    "slow_answer": frozenset({"rows read"}),
    "slow_report": frozenset({"waits:not_ready", "rows read"}),
    "date_text": frozenset({"rows read"}),
    "numeric_format": frozenset({"rows read", "transient", AGAIN}),
    "not_allowed": frozenset({"rows read"}),
}
"""What the pipeline records of each kind, or what the platform saw it do: one of them has to be there.

`rows read`: the answer was late, in another form or in more pieces, but whole, and was read: the numbers say the rest.
"""
FAILS: Final[Mapping[str, frozenset[str]]] = {
    "auth_expired": frozenset({"expired_token", "revoked_credential"}),
    "access_denied": frozenset({"access_denied"}),
    "request_rejected": frozenset({"gone", "data_limit", "not_allowed", "expired_page_token"}),
    "bad_input": frozenset({"missing_column", "odd_file", "bad_row", "numeric_format", "date_text"}),
    "mass_vanish": frozenset({"empty", "silent_cut", "partial", "access_denied"}),
    "report_failed": frozenset({"broken_report", "odd_file", "expired_url"}),
    "too_much_data": frozenset({"data_limit"}),
}
"""By the code of a failed task's error, the kinds that it may come from. Any other code may come from any kind."""
SLOW: Final = frozenset({"throttle", "quota", "proxy_page", "stream_error"})
"""After these a message comes again within a minute, or the platform asks to wait for one."""
LEFT_OUT: Final[Mapping[str, str]] = {
    "mixed_report_time": "it changes what the truth is, and lasts: tests/contract compares both truths",
    "swapped_columns": "it changes what the truth is from a day on, and lasts",
    "no_lead_access": "no run asks for leads",
    "require_proof": "adweir always sends the proof: it spoils nothing",
    "schedule_limit": "it cannot be narrowed to an ad account",
}
"""Kinds that the soak does not switch on, with the reason."""
OPTIONS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("throttle", "meta_ads"): {"times": 1, "code": 80000, "regain_minutes": 1},
    ("throttle", ""): {"times": 1, "retry_after": 2},
    ("slow_answer", ""): {"times": 1, "seconds": 3},
    ("slow_report", ""): {"times": 1, "seconds": 6},
    ("missing_column", "google_ads"): {"times": 1, "field": "metrics.cost_micros"},
}
"""By kind and platform ("" for all others), how it is switched on; else it spoils one request."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault on one platform, with the options that it is switched on with."""

    name: str
    platform: str
    options: Mapping[str, Any]


def offered() -> Iterator[tuple[str, str]]:
    """Kinds with their platforms, as the sandbox has them."""
    for stand_in in stand_ins():
        if stand_in.crowded:
            for kind in sorted({*stand_in.switches, *EVERYWHERE}):
                yield kind, stand_in.platform


def kinds() -> list[Kind]:
    """What the soak switches on."""
    return [
        Kind(kind, platform, OPTIONS.get((kind, platform), OPTIONS.get((kind, ""), {"times": 1})))
        for kind, platform in offered()
        if kind not in LEFT_OUT
    ]
