"""The data pipeline's calls that take records: ingest, process, validate, store."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from adweir.model import limits
from adweir.model.data_types import DATA_TYPES, DataType, StoredAs
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.times import iso
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Caller, Here
from routes.data_pipeline import Word, data_pipeline
from routes.fields import Given, OneOf
from routes.large import bounds

if TYPE_CHECKING:
    from adweir.intake.doors.given_records import GivenRecords

__all__ = ["data_pipeline"]

_ADS = "ads"
_LEFT_SECONDS = 2.0
"""Of the function's time, for the answer."""
_ACCEPTED: dict[str, Any] = {
    "description": "The load has not ended yet, or waits for others: Location lists the receipts.",
    "headers": {"Location": {"schema": {"type": "string", "format": "uri-reference"}}},
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/StoreAnswer"}}},
}
_TABLES = {StoredAs.ADS: "metrics", StoredAs.SERIES: "metrics"}
"""The table that holds the rows of data types; of the others, the catalog does."""


def _readable() -> tuple[str, ...]:
    """The data types of records: those that are stored, and those that are only read."""
    from adweir.reporting.records import DATA_TYPES as READ

    return tuple(dict.fromkeys((*DATA_TYPES, *READ)))


def _enrichments() -> list[str]:
    from adweir.insight.enrichment.enriching import EnrichmentKind

    return [each.value for each in EnrichmentKind]


def _answer_of(name: str) -> Callable[[], dict[str, Any]]:
    def content() -> dict[str, Any]:
        from routes import record_answers

        found: dict[str, Any] = getattr(record_answers, name)
        return found

    return content


DataTypeName = Annotated[Word, Field(description="One that is stored (docs/data-types.md).")]
Source = Annotated[
    str,
    StringConstraints(max_length=limits.MAX_WORD_CHARS),
    Field(description="An ad platform, or a CRM or analytics source by a name of yours; absent: `internal`."),
]
Client = Annotated[
    str,
    StringConstraints(max_length=limits.MAX_PATH_ID_CHARS),
    Field(description="The client company, acc_…, or an ad account of it; may be left out where there is one company."),
]


class RecordList(Given):
    """The records."""

    records: list[dict[str, Any]] = Field(description=f"At most {limits.MAX_CHECKED_RECORDS}; more is a 413.")


class IngestRequest(Given):
    """Records in adweir's own columns. `result.assumed` of the answer says what was filled in."""

    source: Source = ""
    data_type: DataTypeName
    account_id: Client = ""
    data: RecordList


class ProcessingOptions(Given):
    """What to add to each record."""

    calculate_metrics: bool = Field(default=True, strict=True, description="Ratios of the record's own numbers.")
    enrich_with_audience_data: bool = Field(
        default=False, strict=True, description="Shares of ages, genders and countries of the record's campaign."
    )
    enrich_with: list[Annotated[Word, OneOf(known=_enrichments)]] = Field(
        default=[],
        max_length=limits.MAX_ENRICH_KINDS,
        description="What models say of ads by their headline and description; for the data type ads.",
    )


class ProcessRequest(Given):
    """Records, and what to add to them."""

    source: Source = ""
    data_type: DataTypeName
    data: RecordList
    processing_options: ProcessingOptions = ProcessingOptions()


class StorageOptions(Given):
    """Where and how to store."""

    table_name: str = Field(
        default="",
        max_length=limits.MAX_WORD_CHARS,
        description="The data type, or the table that holds it: `metrics` or `catalog`.",
    )
    upsert: bool = Field(default=True, strict=True, description="false: a row that is stored already is a 409.")


class StoreRequest(IngestRequest):
    """The same, and how to store."""

    storage_options: StorageOptions = StorageOptions()


class ValidateRequest(Given):
    """Records and the rules for them: lists of fields, a schema as users of Cerberus write it, or both.

    Without rules they are checked as `store` checks them.
    """

    model_config = ConfigDict(populate_by_name=True)
    data_type: Word
    source: Source = ""
    account_id: Client = ""
    data: RecordList
    validation_rules: dict[str, list[str]] = Field(
        default={}, description="`required_fields` and `numeric_fields`.", examples=[{"required_fields": ["ad_id"]}]
    )
    rules: dict[str, Any] = Field(
        default={},
        alias="schema",
        description="Field to rules. `rules` with a list: rules about several fields.",
        examples=[{"clicks": {"type": "integer", "min": 0}}],
    )


@data_pipeline.route(
    "POST",
    "/api/v1/data_pipeline/ingest",
    "Take records in, to be loaded",
    scope="write",
    limited=True,
    content=_answer_of("INGESTED"),
    errors=(404,),
)
def ingest_records(app: Here, asked: IngestRequest, caller: Caller) -> Answer:
    """The records become an object in the bucket, which is loaded as a dropped file is; its receipt has `task_id`.

    Records that cannot be loaded are quarantined then.
    """
    given = _good(app, asked)
    landed = app.pipeline_records.land(given, app.new_id())
    _note(app, caller, "ingest", given)
    result = {"ingested_at": iso(landed.at), **_said(given), "object_key": landed.object_key, "task_id": landed.task_id}
    shown = {"success": True, "data_type": asked.data_type, "source": str(given.source)}
    return answer(shown | {"result": result | {"status": "success"}})


@data_pipeline.route(
    "POST",
    "/api/v1/data_pipeline/process",
    "Calculate and enrich records",
    limited=True,
    content=_answer_of("PROCESSED"),
)
def process_records(app: Here, asked: ProcessRequest) -> Answer:
    """Nothing is stored. Each record comes back with what was added, `added` (the names), and `not_added` (why not)."""
    from adweir.intake.doors.given_records import check_number, data_type_named, fault_of, refuse
    from adweir.reporting.processed import ProcessedRecord, calculate

    kind, options = data_type_named(asked.data_type), asked.processing_options
    check_number(asked.data.records)
    if not (options.calculate_metrics or options.enrich_with_audience_data or options.enrich_with):
        message = "names nothing to do: calculate_metrics, enrich_with_audience_data or enrich_with has to be there"
        raise Unprocessable(f"processing_options {message}", [{"field": "processing_options", "message": message}])
    records = [ProcessedRecord(dict(record)) for record in asked.data.records]
    more: dict[str, Any] = {}
    if options.calculate_metrics:
        refuse([fault_of(*fault) for fault in calculate(kind, records)])
    if options.enrich_with_audience_data:
        more["audience_days"] = _enrich(app, kind, asked, records)
    if options.enrich_with:
        _add_enrichment(app, kind, options.enrich_with, records)
    now = app.clock.now()
    result = {"processed_at": iso(now), "records_count": len(records), "records": [each.shown() for each in records]}
    made = answer({"success": True, "data_type": kind.name, "result": result | more | {"status": "success"}})
    if len(made.body or "") > limits.MAX_INLINE_REPORT_BYTES:
        raise TooLarge(
            f"the processed records have more than {limits.MAX_INLINE_REPORT_BYTES} bytes: send fewer per call"
        )
    return made


def _enrich(app: App, kind: DataType, asked: ProcessRequest, records: list[Any]) -> dict[str, Any]:
    from adweir.reporting.audience import Audiences

    if "campaign_id" not in kind.names:
        for each in records:
            each.add("audience", None, f"{kind.name} are not of campaigns")
        return {}
    audiences = Audiences(app.queries.within(bounds(app)), app.platforms.parse, asked.source)
    return audiences.enrich(records, app.clock.now().date())


def _add_enrichment(app: App, kind: DataType, names: list[str], records: list[Any]) -> None:
    """Raises Unprocessable for a kind that there is not, and for records that are no ads; TooLarge."""
    from adweir.insight.enrichment.enriching import kinds_named
    from adweir.insight.enrichment.given import enrich_given

    kinds, left = kinds_named(names, "processing_options.enrich_with"), bounds(app).remaining
    if kind.name != _ADS:
        message = f"enrich_with is for the data type {_ADS}, and these are {kind.name}"
        raise Unprocessable(message, [{"field": "processing_options.enrich_with", "message": message}])

    def check() -> None:
        if left() < 0:
            raise TooLarge("the records take too long to enrich: send fewer per call")

    enrich_given(records, kinds, check)


@data_pipeline.route(
    "POST",
    "/api/v1/data_pipeline/store",
    "Store records",
    scope="write",
    limited=True,
    content=_answer_of("STORED"),
    errors=(404, 409),
    others={202: _ACCEPTED},
)
def store_records(app: Here, asked: StoreRequest, caller: Caller) -> Answer:
    """All records are stored, or none: one that cannot be is a 422 that names it.

    A row replaces the one with the same key, which `retrieve` returns from then on. Platforms' own numbers count before
    those of a file or a call: `warnings` says where.
    """
    given = _good(app, asked)
    _check_table(given.data_type, asked.storage_options.table_name)
    end = app.clock.monotonic() + app.settings.function_timeout_seconds - _LEFT_SECONDS
    made = app.pipeline_records.store(
        given,
        app.new_id(),
        upsert=asked.storage_options.upsert,
        remaining=lambda: end - app.clock.monotonic(),
    )
    _note(app, caller, "store", given)
    receipt = made.receipt or {}
    result = {
        "stored_at": iso(app.clock.now()) if made.receipt else None,
        **_said(given),
        "rows_stored": receipt.get("rows_stored"),
        "slots_changed": receipt.get("slots_changed"),
        "object_key": made.landed.object_key,
        "task_id": made.landed.task_id,
        "warnings": made.warnings,
        "status": "success" if made.receipt else "accepted",
    }
    shown = {"success": True, "data_type": asked.data_type, "result": result}
    if made.receipt:
        return answer(shown)
    return answer(shown, 202, {"Location": f"/api/v1/receipts?account_id={given.account_id}"})


@data_pipeline.route(
    "POST",
    "/api/v1/data_pipeline/validate",
    "Check records against rules",
    limited=True,
    content=_answer_of("VALIDATED"),
    errors=(404,),
)
def validate(app: Here, asked: ValidateRequest) -> Answer:
    """Nothing is stored."""
    from adweir.intake.doors.given_records import check_number

    known = _readable()
    if asked.data_type not in known:
        message = f"unknown data_type {asked.data_type[:40]!r}; known: {', '.join(known)}"
        raise Unprocessable(message, [{"field": "data_type", "message": "is unknown", "known": list(known)}])
    check_number(asked.data.records)
    now = app.clock.now()
    found = _checked(app, asked)
    result = {
        "validated_at": iso(now),
        "validation_passed": found["valid"],
        "issues_found": found["errors_found"],
        "issues": [*found["errors"], *found["warnings"]],
        "scores": found["scores"],
        "records_count": len(asked.data.records),
        "status": "success",
    }
    return answer({"success": True, "data_type": asked.data_type, "result": result})


def _checked(app: App, asked: ValidateRequest) -> Mapping[str, Any]:
    """What is wrong with the records: by the rules that are given, else as storing them would find."""
    from adweir.quality.schema import validate as check

    schema = asked.rules | _as_schema(asked.validation_rules, asked.rules)
    found = check(asked.data.records, schema, app.clock.now(), app.platforms.parse)
    if schema or not asked.data.records:
        return found
    if asked.data_type not in DATA_TYPES:
        message = (
            f"{asked.data_type} is only read, so nothing is known of its fields: name validation_rules or a schema"
        )
        raise Unprocessable(message, [{"field": "schema", "message": "is required"}])
    given = _given(app, asked)
    errors = [_issue(fault, asked) for fault in given.faults or app.pipeline_records.check(given)]
    listed = errors[: limits.MAX_SCHEMA_ISSUES]
    return found | {"valid": not errors, "errors_found": len(errors), "errors": listed}


def _issue(fault: Mapping[str, Any], asked: ValidateRequest) -> dict[str, Any]:
    """What `store` would refuse, as `validate` lists it."""
    row = int(fault["row"])
    name = str(fault["field"]).removeprefix(f"data.records.{row}").removeprefix(".")
    about = {"row": row, "field": name, "rule": fault.get("rule", "format"), "message": fault["message"]}
    return about | {"value": asked.data.records[row].get(name)}


def _given(app: App, asked: "IngestRequest | ValidateRequest") -> "GivenRecords":
    from adweir.intake.doors.given_records import AskedRecords, RecordForm

    form = RecordForm(app.catalog, app.platforms.parse, app.clock.now())
    return form.read(AskedRecords(asked.data_type, asked.data.records, asked.source, asked.account_id))


def _good(app: App, asked: IngestRequest) -> "GivenRecords":
    """The same. Raises Unprocessable that names each fault."""
    from adweir.intake.doors.given_records import refuse

    given = _given(app, asked)
    refuse(given.faults)
    return given


def _said(given: "GivenRecords") -> dict[str, Any]:
    """What answers say of records that were taken in."""
    return {"records_count": len(given.rows), "assumed": given.assumed, "not_stored": given.not_stored}


def _note(app: App, caller: str, what: str, given: "GivenRecords") -> None:
    outcome = f"{len(given.rows)} records of {given.data_type.name} of the source {given.source}"
    note_change(
        app, caller, f"{what} records", given.data_type.name, outcome, kind="records", account_id=given.account_id
    )


def _check_table(kind: DataType, name: str) -> None:
    """Raises Unprocessable for a table that does not hold the data type."""
    known = list(dict.fromkeys((kind.name, _TABLES.get(kind.stored_as, "catalog"))))
    if name and name not in known:
        message = f"{kind.name} is stored in no table {name[:40]!r}; known: {', '.join(known)}"
        raise Unprocessable(message, [{"field": "storage_options.table_name", "message": "is unknown", "known": known}])


def _as_schema(rules: dict[str, list[str]], known: dict[str, Any]) -> dict[str, Any]:
    """`{"required_fields": [...], "numeric_fields": [...]}` in the schema language."""
    unknown = set(rules) - {"required_fields", "numeric_fields"}
    if unknown:
        name = min(unknown)[:40]
        raise Unprocessable(f"unknown rule {name!r}", [{"field": f"validation_rules.{name}", "message": "unknown"}])
    schema: dict[str, Any] = {}
    for field in rules.get("required_fields", []):
        schema.setdefault(field, _rules_of(field, known))["required"] = True
    for field in rules.get("numeric_fields", []):
        schema.setdefault(field, _rules_of(field, known)).setdefault("type", "number")
    return schema


def _rules_of(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A copy of what a schema says of a field. Raises Unprocessable where that is no object."""
    known = schema.get(field, {})
    if not isinstance(known, dict):
        raise Unprocessable(f"schema.{field[:40]} is no object of rules", [{"field": f"schema.{field[:40]}"}])
    return dict(known)
