"""Pulls again what a platform says has changed, once however often it says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adweir.intake.load.commit import named_task
from adweir.model.ids import IdKind
from adweir.model.messages import Scope, StartRun
from adweir.model.ports import Queue
from adweir.model.times import epoch

REPULL_SECONDS = 300


class Repulls:
    """Starts the runs: at most one per subject in `REPULL_SECONDS`.

    What changed after the run of these seconds had begun is pulled by the run of the next.
    """

    def __init__(self, runs: Queue, trigger: str) -> None:
        self._runs = runs
        self._trigger = trigger

    def start(self, scope: Scope, at: datetime, profile_key: str, subject: Sequence[str]) -> None:
        """Pull `scope` for what changed at a moment. The ad account and the subject in it tell runs apart."""
        number = epoch(at) // REPULL_SECONDS
        now, then = (_run_id((profile_key, *subject, str(each))) for each in (number, number + 1))
        self._runs.send(
            StartRun(
                workflow="repull",
                scheduled_at=at,
                scope=scope,
                run_id=now,
                trigger=self._trigger,
                then_id=then,
                then_at=(number + 1) * REPULL_SECONDS,
            ),
            group=profile_key,
        )


def _run_id(identity: Sequence[str]) -> str:
    return IdKind.RUN.of("repull-" + named_task("\x1f".join(identity)))
