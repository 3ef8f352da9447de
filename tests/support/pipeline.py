"""Tasks and runs for tests that need any one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.messages import Scope
from adweir.model.platforms import Platform
from adweir.model.runs import CurrentStage, Run, StageState
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window

WEEK = Window(date(2026, 11, 1), date(2026, 11, 7))


def a_task(**values: Any) -> Task:
    """A Meta ad_daily task of one week; `values` replace its fields."""
    fields: dict[str, Any] = {
        "run_id": "run-1",
        "stage": "metrics",
        "account_id": "acc-1",
        "platform": Platform("meta_ads"),
        "profile_id": "111",
        "dataset": Dataset.AD_DAILY,
        "slice": ALL,
        "window": WEEK,
        "deadline": 2_000_000_000,
        "timezone": "Europe/Berlin",
        "currency": "EUR",
    }
    return Task(**(fields | values))


def a_run(run_id: str = "run-1", **values: Any) -> Run:
    fields: dict[str, Any] = {
        "workflow": "daily",
        "scheduled_at": "2026-11-20T04:00:00.000000Z",
        "scope": Scope(),
    }
    stage = CurrentStage(
        values.pop("stage", "profiles"), values.pop("stage_state", StageState.REQUESTED), values.pop("stage_since", "")
    )
    return Run(run_id=run_id, **(fields | {"current": (replace(stage, asked_at=stage.since),)} | values))
