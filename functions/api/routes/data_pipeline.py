"""The data pipeline's calls: retrieve what is stored, validate records."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from adweir.model import limits
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.times import iso
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Here, Resource
from routes.fields import AS_KNOWN_AT, CHANGED_SINCE, Given, OneOf, PastInstant


def _data_types() -> tuple[str, ...]:
    from adweir.reporting.records import DATA_TYPES

    return DATA_TYPES


def _retrieved() -> dict[str, Any]:
    from routes.answers import RETRIEVED

    return RETRIEVED


def _validated() -> dict[str, Any]:
    from routes.answers import VALIDATED

    return VALIDATED


Word = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_WORD_CHARS)]


class RetrieveRequest(Given):
    """What to read. `filters` are ids, platform, currency, source, each one value or a list, and `date_range`.

    With `include_live`, today and other days that only hours cover are answered by their hours.
    """

    data_type: Annotated[Word, OneOf(known=_data_types)]
    filters: dict[str, Any] = Field(default={}, examples=[{"date_range": {"start": "2026-11-01", "end": "2026-11-07"}}])
    limit: int = Field(default=100, ge=1, le=limits.MAX_RETRIEVED_RECORDS, strict=True)
    offset: int = Field(default=0, ge=0, le=limits.MAX_RETRIEVE_OFFSET, strict=True)
    include_live: bool = Field(default=False, strict=True)
    as_known_at: PastInstant | None = Field(default=None, description=AS_KNOWN_AT)
    changed_since: PastInstant | None = Field(default=None, description=CHANGED_SINCE)


class RecordList(Given):
    """The records."""

    records: list[dict[str, Any]] = Field(description=f"At most {limits.MAX_CHECKED_RECORDS}; more is a 413.")


class ValidateRequest(Given):
    """Records and the rules for them: lists of fields, a schema as users of Cerberus write it, or both."""

    model_config = ConfigDict(populate_by_name=True)
    data_type: Word
    data: RecordList
    validation_rules: dict[str, list[str]] = Field(
        default={}, description="`required_fields` and `numeric_fields`.", examples=[{"required_fields": ["ad_id"]}]
    )
    rules: dict[str, Any] = Field(
        default={}, alias="schema", description="Field to rules.", examples=[{"clicks": {"type": "integer", "min": 0}}]
    )


data_pipeline = Resource("Data pipeline", "Stored data, and checks of your own")


@data_pipeline.route(
    "POST",
    "/api/v1/data_pipeline/retrieve",
    "Read stored data by type",
    limited=True,
    content=_retrieved,
)
def retrieve(app: Here, asked: RetrieveRequest) -> Answer:
    """Without a `date_range` the last 30 days. Numbers are exact: read them as decimals, not as floats.

    `coverage` says per day what was pulled, when, and how final it is. null is unknown, which is not zero.
    """
    from adweir.reporting.moments import parse_moments
    from adweir.reporting.records import RecordRequest, StoredRecords

    now = app.clock.now()
    moments = parse_moments(asked.as_known_at, asked.changed_since, now)
    queries = app.queries.known_at(moments.as_known_at) if moments.as_known_at else app.queries
    wanted = RecordRequest(asked.data_type, asked.filters, asked.limit, asked.offset, asked.include_live, moments)
    found = StoredRecords(app.catalog, queries).retrieve(wanted, moments.now)
    result = {
        "retrieved_at": iso(now),
        **moments.notes,
        "records_count": len(found.records),
        "records": found.records,
        "total": found.total,
        "coverage": found.coverage,
        "warnings": found.warnings,
        **(found.changes.answer if found.changes else {}),
        "status": "success",
    }
    return answer({"success": True, "data_type": asked.data_type, "result": result})


@data_pipeline.route(
    "POST",
    "/api/v1/data_pipeline/validate",
    "Check records against rules",
    limited=True,
    content=_validated,
)
def validate(app: Here, asked: ValidateRequest) -> Answer:
    """Nothing is stored."""
    from adweir.quality.schema import validate as check

    if len(asked.data.records) > limits.MAX_CHECKED_RECORDS:
        raise TooLarge(f"at most {limits.MAX_CHECKED_RECORDS} records per call: drop a file instead")
    schema = asked.rules | _as_schema(asked.validation_rules, asked.rules)
    found = check(asked.data.records, schema, app.platforms.parse)
    result = {
        "validated_at": iso(app.clock.now()),
        "validation_passed": found["valid"],
        "issues_found": found["errors_found"],
        "issues": [*found["errors"], *found["warnings"]],
        "records_count": len(asked.data.records),
        "status": "success",
    }
    return answer({"success": True, "data_type": asked.data_type, "result": result})


def _as_schema(rules: dict[str, list[str]], known: dict[str, Any]) -> dict[str, Any]:
    """`{"required_fields": [...], "numeric_fields": [...]}` in the schema language."""
    unknown = set(rules) - {"required_fields", "numeric_fields"}
    if unknown:
        name = min(unknown)[:40]
        raise Unprocessable(f"unknown rule {name!r}", [{"field": f"validation_rules.{name}", "message": "unknown"}])
    schema: dict[str, Any] = {}
    for field in rules.get("required_fields", []):
        schema.setdefault(field, dict(known.get(field, {})))["required"] = True
    for field in rules.get("numeric_fields", []):
        schema.setdefault(field, dict(known.get(field, {}))).setdefault("type", "number")
    return schema
