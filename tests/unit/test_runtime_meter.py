"""What bus events add to the operational metrics."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Metrics

from adweir.model.errors import Unavailable
from adweir.model.events import MetricsChanged, QualityBreached, RunFinished
from adweir.model.operation_metrics import OperationMetric
from adweir.runtime.meter import Meter, counts
from adweir.runtime.outbound import EventBus

LOADED = MetricsChanged(
    platform="meta_ads", profile_id="1", account_id="a", level="ad", grain="day", source="pull",
    start="2026-11-01", end="2026-11-02", slots_changed=7, changes_keys=[],
)  # fmt: skip
BREACHED = QualityBreached(
    platform="meta_ads",
    profile_id="1",
    account_id="a",
    dataset="ad_daily",
    reason="rows",
    score=0.5,
    rows_quarantined=3,
)
ENDED = RunFinished(
    run_id="r", workflow="daily", state="partial", scheduled_at="", accounts=["a"], tasks_total=5, tasks_failed=2
)


def test_a_push_does_not_count_as_a_heartbeat() -> None:
    pushed = LOADED.model_copy(update={"source": "push"})
    assert counts([LOADED, pushed, BREACHED, ENDED]) == {
        "PullsLoaded": 1,
        "SlotsChanged": 14,
        "RowsQuarantined": 3,
        "ObjectsUnloaded": 0,
        "RunsFinished": 1,
        "TasksFailed": 2,
    }


@pytest.mark.parametrize(
    ("dataset", "reason", "unloaded"),
    [
        ("file", "bad_input: no header", 1),
        ("delivery", "bad_input: not JSON", 1),
        ("stream", "too_large: an hour", 1),
        ("file", "rows_quarantined", 0),
        ("stream", "rows_quarantined: unlisted", 0),
        ("file", "score", 0),
        ("ad_daily", "mass_vanish", 0),  # its run is partial, which has an alarm
    ],
)
def test_what_no_run_asked_for_and_could_not_be_loaded_is_counted_on_its_own(
    dataset: str, reason: str, unloaded: int
) -> None:
    event = BREACHED.model_copy(update={"dataset": dataset, "reason": reason})
    assert counts([event])[OperationMetric.OBJECTS_UNLOADED] == unloaded


def test_published_events_are_measured_as_emf(aws: None, capsys: pytest.CaptureFixture[str]) -> None:
    meter = Meter(Metrics(namespace="adweir", service="adweir"))
    client = boto3.client("events")
    client.create_event_bus(Name="adweir")

    EventBus(client, "adweir", meter.measure).publish(LOADED, ENDED)

    written = json.loads(capsys.readouterr().out)
    assert (written["service"], written["PullsLoaded"], written["TasksFailed"]) == ("adweir", [1.0], [2.0])


class Refusing:
    """A bus that takes nothing."""

    def put_events(self, **_: Any) -> dict[str, Any]:
        return {"FailedEntryCount": 1, "Entries": []}


def test_what_the_bus_refused_is_not_measured() -> None:
    measured: list[Any] = []
    with pytest.raises(Unavailable, match="refused 1"):
        EventBus(Refusing(), "adweir", measured.extend).publish(LOADED)  # type: ignore[arg-type]
    assert measured == []
