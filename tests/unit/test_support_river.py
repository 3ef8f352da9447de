"""What the stories make of runs that a busy machine was too slow for, and of runs that failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from support.river import River

LATE, REFUSED = ({"error": {"code": code}} for code in ("deadline", "auth_expired"))


class Told(River):
    """A sandbox whose run ends as it was told, once more after each redrive."""

    def __init__(self, *ends: tuple[str, list[Any]]) -> None:
        self._ends = list(ends)
        self.redriven = 0

    def run(self, run_id: str) -> dict[str, Any]:
        state, failed = self._ends[0]
        return {"run_id": run_id, "state": state, "failed_tasks": failed}

    def state(self, run_id: str) -> str:
        return str(self.run(run_id)["state"])

    def redrive(self, run_id: str, body: Mapping[str, Any] | None = None) -> None:
        self._ends.pop(0)
        self.redriven += 1


def test_a_run_that_succeeded_is_not_redriven() -> None:
    river = Told(("succeeded", []))
    assert river.succeeded("r")["state"] == "succeeded"
    assert river.redriven == 0


@pytest.mark.parametrize("state", ["partial", "failed"])
def test_tasks_that_missed_their_deadline_are_redriven_and_the_session_says_so(state: str) -> None:
    river = Told((state, [LATE, LATE]), ("succeeded", []))
    with pytest.warns(UserWarning, match="r: 2 tasks missed their deadline"):
        assert river.succeeded("r")["state"] == "succeeded"
    assert river.redriven == 1


@pytest.mark.parametrize("failed", [[REFUSED], [LATE, REFUSED], [{"error": None}], []])
def test_what_failed_for_another_reason_fails_at_once(failed: list[Any]) -> None:
    river = Told(("partial", failed), ("succeeded", []))
    with pytest.raises(AssertionError):
        river.succeeded("r")
    assert river.redriven == 0


def test_what_misses_its_deadline_each_time_fails() -> None:
    late = ("partial", [LATE])
    river = Told(late, late, late, ("succeeded", []))
    with pytest.warns(UserWarning, match="missed their deadline"), pytest.raises(AssertionError):
        river.succeeded("r")
    assert river.redriven == 2
