"""Jobs as answers and the command line show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from adweir.model.jobs import ScheduledJob
from adweir.pipeline.flow_forms import known_flows
from adweir.pipeline.jobs.checks import next_runs, problem

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger import Ledger


def shown_jobs(found: Sequence[ScheduledJob], catalog: Catalog, ledger: Ledger, now: datetime) -> list[dict[str, Any]]:
    """Each job as JSON values. `next_runs` are ISO 8601, on its time zone's clocks; `last_fired` is what came of its
    newest time of the last 90 days, or None; `problem` what keeps it from doing what it is for, or None."""
    if not found:
        return []
    last = ledger.fired.of(job.job_id for job in found)
    accounts = {account.account_id for account in catalog.accounts()}
    flows = known_flows(catalog)
    shown = []
    for job in found:
        fired = last.get(job.job_id)
        came = fired and fired._asdict() | {"run_id": fired.run_id or None, "reason": fired.reason or None}
        shown.append(
            job.model_dump(mode="json", exclude={"schedule", "under_way", "anchor", "changed_at"})
            | {
                "schedule": job.schedule.model_dump(mode="json", exclude_none=True),
                "next_runs": [_local(at, job.timezone) for at in next_runs(job, now)],
                "last_fired": came,
                "problem": problem(job, accounts, flows, last) or None,
            }
        )
    return shown


def _local(instant: datetime, timezone: str) -> str:
    return instant.astimezone(ZoneInfo(timezone)).isoformat(timespec="seconds")
