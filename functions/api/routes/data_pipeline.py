"""The data pipeline's calls: retrieve what is stored, validate records."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adweir.model import limits
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.times import iso
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Request, Route

DataType = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Retrieve(BaseModel):
    """What to read; `filters` are ids, platform, currency, source and `date_range {start, end}`."""

    model_config = ConfigDict(extra="forbid")
    data_type: DataType
    filters: dict[str, Any] = {}
    limit: int = Field(default=100, ge=1, le=5000, strict=True)
    offset: int = Field(default=0, ge=0, le=10_000_000, strict=True)


class Records(BaseModel):
    """The records."""

    model_config = ConfigDict(extra="forbid")
    records: list[dict[str, Any]]


class Validate(BaseModel):
    """Records and the rules for them: lists of fields, a schema as users of Cerberus write it, or both."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    data_type: DataType
    data: Records
    validation_rules: dict[str, list[str]] = {}
    rules: dict[str, Any] = Field(default={}, alias="schema")


def retrieve(request: Request) -> Answer:
    from adweir.reporting.records import StoredRecords

    app, asked = request.app, request.body(Retrieve)
    reader = StoredRecords(app.catalog, app.queries)
    now = app.clock.now()
    found = reader.retrieve(asked.data_type, asked.filters, asked.limit, asked.offset, now)
    result = {
        "retrieved_at": iso(now),
        "records_count": len(found.records),
        "records": found.records,
        "total": found.total,
        "status": "success",
    }
    return answer({"success": True, "data_type": asked.data_type, "result": result})


def validate(request: Request) -> Answer:
    from adweir.quality.schema import validate as check

    asked = request.body(Validate)
    if len(asked.data.records) > limits.MAX_CHECKED_RECORDS:
        raise TooLarge(f"at most {limits.MAX_CHECKED_RECORDS} records a call: drop a file instead")
    found = check(asked.data.records, asked.rules | _as_schema(asked.validation_rules, asked.rules))
    result = {
        "validated_at": iso(request.app.clock.now()),
        "validation_passed": found["valid"],
        "issues_found": len(found["errors"]),
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


ROUTES = (
    Route("POST", "/api/v1/data_pipeline/retrieve", retrieve, "Read stored data by type", "read", Retrieve),
    Route("POST", "/api/v1/data_pipeline/validate", validate, "Check records against rules", "read", Validate),
)
