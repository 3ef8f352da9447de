"""What the data pipeline's calls that take records answer. Only the description imports this file."""

from typing import Any, Literal

from pydantic import Field

from adweir.model import limits
from routes.fields import Instant, Shown


class TakenIn(Shown):
    """Records that were taken in."""

    records_count: int
    assumed: dict[str, Any] = Field(description="What was filled in, by field; a list where records differ.")
    not_stored: list[str] = Field(description="Fields that the data type has no column for.")
    object_key: str
    task_id: str = Field(description="Of the receipt.")


class Ingested(TakenIn):
    """Records that will be loaded."""

    ingested_at: Instant
    status: Literal["success"]


class IngestAnswer(Shown):
    """What `ingest` answers."""

    success: Literal[True]
    data_type: str
    source: str
    result: Ingested


class StoredRecordsAnswer(TakenIn):
    """Records that are stored."""

    stored_at: Instant | None
    rows_stored: int | None
    slots_changed: int | None
    warnings: list[str]
    status: Literal["success", "accepted"] = Field(description="accepted: with a 202.")


class StoreAnswer(Shown):
    """What `store` answers."""

    success: Literal[True]
    data_type: str
    result: StoredRecordsAnswer


class Processed(Shown):
    """Records with what was added."""

    processed_at: Instant
    records_count: int
    records: list[dict[str, Any]]
    audience_days: dict[str, str] | None = Field(default=None, description="What `audience` is of.")
    status: Literal["success"]


class ProcessAnswer(Shown):
    """What `process` answers."""

    success: Literal[True]
    data_type: str
    result: Processed


class Issue(Shown):
    """A rule that a record breaks."""

    row: int = Field(description="The record, counted from 0.")
    field: str
    rule: str
    message: str
    value: Any = None


class Validated(Shown):
    """What the checks found."""

    validated_at: Instant
    validation_passed: bool
    issues_found: int = Field(description="Errors; warnings do not count.")
    issues: list[Issue] = Field(
        description=f"Errors, then warnings: at most {limits.MAX_SCHEMA_ISSUES}, the first of each field among them."
    )
    scores: dict[str, float | None] = Field(description="The share of passed checks per dimension; null without any.")
    records_count: int
    status: Literal["success"]


class ValidateAnswer(Shown):
    """What `validate` answers."""

    success: Literal[True]
    data_type: str
    result: Validated


def _content(model: type[Shown]) -> dict[str, Any]:
    return {"application/json": {"model": model}}


INGESTED, STORED = _content(IngestAnswer), _content(StoreAnswer)
PROCESSED, VALIDATED = _content(ProcessAnswer), _content(ValidateAnswer)
