"""What became of a replay, as the API shows it."""

from __future__ import annotations

from typing import Any

from adweir.model import limits
from adweir.store.ledger.replays import FAILED, LOADED, ReplayRecord


def progress(record: ReplayRecord) -> dict[str, Any]:
    """A replay with the counts of its objects, the failed ones, and the days that could not be replayed."""
    asked, states = record.replay, [one.state for one in record.objects]
    failed = [one for one in record.objects if one.state == FAILED]
    return {
        "replay_id": asked.replay_id,
        "account_id": asked.account_id,
        "platform": asked.platform,
        "profile_id": asked.profile_id,
        "start": asked.start,
        "end": asked.end,
        "datasets": list(asked.datasets),
        "cause": asked.cause,
        "requested_at": record.requested_at,
        "state": "ended" if record.ended else "running",
        "sent": len(states),
        "loaded": states.count(LOADED),
        "failed": len(failed),
        "slots_changed": sum(one.slots_changed for one in record.objects),
        "failures": [{"object_key": one.key, "reason": one.reason} for one in failed[: limits.MAX_FAILED_TASKS_SHOWN]],
        "not_replayable": [
            {"dataset": one.dataset, "start": one.window.start, "end": one.window.end}
            for one in record.lost[: limits.MAX_FAILED_TASKS_SHOWN]
        ],
    }
