"""Operational metrics: what bus events say about the pipeline's health, as CloudWatch metrics through the log (EMF).

The heartbeat alarm and the dashboard of template.yaml read these names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from adweir.model.events import BusEvent, MetricsChanged, QualityBreached, RunFinished
from adweir.model.metrics import Source
from adweir.model.operation_metrics import OperationMetric as M

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics


def counts(events: Iterable[BusEvent]) -> Counter[M]:
    """Metric name → how much these events add to it."""
    found: Counter[M] = Counter()
    for event in events:
        if isinstance(event, MetricsChanged):
            found[M.PULLS_LOADED] += event.source == Source.PULL
            found[M.SLOTS_CHANGED] += event.slots_changed
        elif isinstance(event, QualityBreached):
            found[M.ROWS_QUARANTINED] += event.rows_quarantined
            found[M.OBJECTS_UNLOADED] += event.is_unloaded
        elif isinstance(event, RunFinished):
            found[M.RUNS_FINISHED] += 1
            found[M.TASKS_FAILED] += event.tasks_failed
    return found


class Meter:
    """Writes counts, one EMF line per call."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def measure(self, events: Iterable[BusEvent]) -> None:
        """Count what published events say."""
        self.count(counts(events))

    def share(self, name: M, percent: float, function: str) -> None:
        """Write a share of one function, with the dimension `function`."""
        with single_metric(name=name, unit=MetricUnit.Percent, value=percent, namespace="adweir") as metric:
            metric.add_dimension(name="function", value=function)

    def count(self, found: Mapping[M, int]) -> None:
        """Add to these metrics, by name."""
        for name, value in found.items():
            self._metrics.add_metric(name=name, unit="Count", value=value)
        if found:
            self._metrics.flush_metrics()
