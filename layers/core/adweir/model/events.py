"""Bus events: ids, windows, counts and object keys, never rows. Consumers are idempotent."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from adweir.model.labels import DEFAULT

SOURCE = "adweir"


class BusEvent(BaseModel):
    """`detail` of an EventBridge event; the class name is its detail-type, `version` its schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: int = 1
    name: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__()
        cls.name = cls.__name__


class MetricsChanged(BusEvent):
    """Stored metrics of a profile changed in this window."""

    platform: str
    profile_id: str
    account_id: str
    level: str
    grain: str
    source: str
    start: str
    end: str
    slots_changed: int
    changes_keys: list[str]
    task_id: str = ""


class EntitiesChanged(BusEvent):
    """Catalog objects of a profile were added, changed or removed."""

    platform: str
    profile_id: str
    account_id: str
    dataset: str
    added: int
    changed: int
    removed: int
    task_id: str = ""


class QualityBreached(BusEvent):
    """A pull scored under the threshold, rows were quarantined, or a whole pull or object was held back."""

    platform: str
    profile_id: str
    account_id: str
    dataset: str
    reason: str
    score: float | None
    rows_quarantined: int
    quarantine_key: str = ""
    object_key: str = ""
    task_id: str = ""

    @property
    def is_unloaded(self) -> bool:
        """Whether something that no run asked for, and so no run reports, could not be loaded: a file, a delivery."""
        is_partly_loaded = self.reason.startswith("rows_quarantined") or self.reason == "score"
        return self.dataset in {"file", "delivery", "stream"} and not is_partly_loaded


class BreachOpened(BusEvent):
    """A breach began (`model.breaches`): its cause, and the same words as its message. `profile_id` is "" where it
    concerns all ad accounts of a client on a platform."""

    cause: str
    kind: str
    platform: str
    profile_id: str
    account_id: str
    words: str
    value: str
    expected: str
    since: str
    opened_at: str


class BreachCleared(BreachOpened):
    """A breach is over; `words` say why."""

    cleared_at: str


class RunFinished(BusEvent):
    """A run ended; `state` is succeeded, partial or failed."""

    run_id: str
    workflow: str
    state: str
    scheduled_at: str
    accounts: list[str]
    tasks_total: int
    tasks_failed: int


class CredentialBroken(BusEvent):
    """A credential stopped working; its tasks are parked until a new one arrives."""

    account_id: str
    platform: str
    reason: str
    label: str = DEFAULT


class AnomalyDetected(BusEvent):
    """Numbers of settled days left their expected range (`insight.anomalies`).

    `level` and `entity_id` say whose they are, `parts` in how many parts of it the same shows. It began on `day`;
    `platform` and `profile_id` are "" for a client's arms.
    """

    anomaly_id: str
    platform: str
    profile_id: str
    account_id: str
    level: str
    entity_id: str
    metric: str
    day: str
    last_day: str
    severity: str
    parts: int = 0
    reason: str = ""
