"""What the functions measure of themselves, for CloudWatch: the namespace `adweir`, the dimension `service`.

Names are a plural and what is said of it (`RunsFailed`); a share ends in `Percent` and has the dimension `function`.
docs/operations.md has a table of them, and the dashboard of template.yaml shows each.
"""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class OperationMetric(StrEnum):
    """A metric: counted as it happens, or a state that each sweep publishes."""

    PULLS_LOADED = "PullsLoaded"
    SLOTS_CHANGED = "SlotsChanged"
    ROWS_QUARANTINED = "RowsQuarantined"
    OBJECTS_UNLOADED = "ObjectsUnloaded"
    OBJECTS_UNKNOWN = "ObjectsUnknown"
    MESSAGES_QUARANTINED = "MessagesQuarantined"
    RUNS_FINISHED = "RunsFinished"
    TASKS_FAILED = "TasksFailed"
    RUNS_FAILED = "RunsFailed"
    RUNS_PARTIAL = "RunsPartial"
    PROFILES_STALE = "ProfilesStale"
    CREDENTIALS_BROKEN = "CredentialsBroken"
    CREDENTIALS_ENDING = "CredentialsEnding"
    BRAKES_STAYING = "BrakesStaying"
    SWEEPS_ENDED = "SweepsEnded"
    MEMORY_PEAK_PERCENT = "MemoryPeakPercent"
