"""How far a backfill has come, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ops.output import span_text


def lines_of(far: Mapping[str, Any]) -> Iterator[str]:
    """How far a backfill has come, in lines for people."""
    days, estimate = far["days"], far["estimate"]
    failed = f", {days['failed']:,} failed" if days["failed"] else ""
    yield f"{days['done']:,} of {days['total']:,} days{failed}; {_left(estimate)}"
    for one in far["platforms"]:
        windows = one["windows"]
        since = f"whole since {one['whole_since']}" if one["whole_since"] else "not whole yet"
        waits = f"; waits: {one['waits_for']}" if one["waits_for"] else ""
        yield f"  {one['platform']:<14} {windows['done']:>6,} of {windows['total']:<6,} windows  {since}{waits}"


def _left(estimate: Mapping[str, Any]) -> str:
    if estimate["seconds"] is None:
        return str(estimate["reason"])
    spans = (span_text(estimate[name]) for name in ("at_least", "at_most"))
    return f"about {span_text(estimate['seconds'])} left ({' to '.join(spans)})"
