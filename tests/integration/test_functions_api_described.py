"""The API's description: it is valid, complete and true. What it offers as examples can be sent as it stands."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from support.api import Call, an_event, fill
from support.described import METHODS, Described, Operation
from support.functions import loaded
from support.mix_versions import put_version

JSON = {"Content-Type": "application/json"}
LOWER = {"read": "", "write": "read", "admin": "write read"}
IDS = {
    "account_id": "nobody",
    "run_id": "nobody",
    "key_id": "nobody",
    "profile_id": "nobody",
    "replay_id": "nobody",
    "export_id": "nobody",
    "platform": "meta_ads",
    "name": "daily",
    "key": "nobody",
    "id": "nobody",
    "source": "agency",
    "campaign_id": "cmp_nobody",
    "arm_id": "arm_nobody",
    "test_id": "nothing",
    "version": "1",
    "anomaly_id": "ano_nobody",
}
REQUIRED = {
    "list_quality": {"platform": "meta", "profile_id": "1"},
    "delete_mapping": {"data_type": "orders"},
    **{name: {"account_id": "nobody"} for name in ("list_receipts", "list_mappings", "get_mappings", "put_mapping")},
}
WRONG = {
    name: {"reason": "x" * 501}
    for name in ("release_brake", "send_dead_letter", "drop_dead_letter", "replay_quarantine")
} | {name: {"start": "tomorrow"} for name in ("list_naming_findings", "list_restatement")}
WRONG |= {
    "get_mappings": {"data_type": "x" * 65},
    "delete_arm": {"version": "0"},
    "remove_lift_test": {"source": "x" * 65},
}
"""A query that cannot be processed, of operations without a body and without a page."""
BY_THE_GATEWAY = {"401", "429", "500", "503"}
"""401 and 429 are only ever the gateway's; so are 500 and 503 where nothing of ours can fail (`GET /workflows`)."""


@pytest.fixture
def environment(environment: dict[str, str], job_schedules: dict[str, str]) -> dict[str, str]:
    return environment | job_schedules


def ours(described: Described) -> list[Operation]:
    """The operations that this function serves."""
    return [operation for operation in described.operations if not operation.path.startswith("/webhook/")]


def test_the_description_is_valid_openapi_3_1(described: Described) -> None:
    assert described.document["openapi"].startswith("3.1")
    assert [str(fault) for fault in OpenAPIV31SpecValidator(described.document).iter_errors()] == []


def test_it_lists_every_route(described: Described, api: ModuleType) -> None:
    routes = {(each.method, each.path) for resource in api.RESOURCES for each in resource.operations}

    assert {(operation.method, operation.path) for operation in ours(described)} == routes


def test_it_lists_every_route_of_the_webhooks(
    described: Described, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = {(each.method, each.path) for each in described.operations if each.path.startswith("/webhook/")}
    with loaded("webhooks", environment, monkeypatch) as webhooks:
        routes = [*webhooks.http._static_routes, *webhooks.http._dynamic_routes]
        assert listed == {(route.method, route.openapi_path) for route in routes}


def test_every_operation_says_what_it_takes_and_answers(described: Described) -> None:
    tags = {tag["name"] for tag in described.document["tags"]}
    for operation in described.operations:
        spec = operation.spec
        assert spec["summary"], operation.id
        assert spec["tags"][0] in tags, operation.id
        assert {"500", "503"} <= set(spec["responses"]), operation.id
        good = [status for status in spec["responses"] if status.startswith("2")]
        assert good[1:] in ([], ["202"]), operation.id  # what it answers, or where to ask for it later
        assert all("Location" in spec["responses"][status]["headers"] for status in good[1:]), operation.id
        assert all(media["schema"] for media in spec["responses"][good[0]]["content"].values()), operation.id
        assert all(
            parameter.get("description") for parameter in spec.get("parameters", ()) if parameter["in"] != "query"
        )
        if "requestBody" in spec:
            assert operation.examples, operation.id
    ids = [operation.id for operation in described.operations]
    assert len(ids) == len(set(ids))


def test_every_field_of_an_answer_is_named(described: Described) -> None:
    for operation in described.operations:
        for status, response in operation.spec["responses"].items():
            for media, content in response.get("content", {}).items():
                schema = content["schema"]
                if status.startswith("2") and media == "application/json" and operation.id != "get_openapi":
                    assert {"$ref", "properties", "anyOf"} & set(schema), operation.id


def test_requests_have_bounds(described: Described) -> None:
    """Every text and list that a caller sends has a longest length, every number a range."""
    boundless = set()
    for operation in ours(described):
        for parameter in operation.spec.get("parameters", ()):
            if parameter["in"] == "query" and not _bounded(parameter["schema"]):
                boundless.add(f"{operation.id} {parameter['name']}")
    given = {ref for each in ours(described) for ref in _references(each.spec.get("requestBody", {}), described)}
    for name in given:
        for field, schema in described.document["components"]["schemas"][name].get("properties", {}).items():
            if not _bounded(schema):
                boundless.add(f"{name}.{field}")

    # the body's size bounds what is left
    assert boundless == {
        "ProfileChange.options",
        "RecordList.records",
        "RetrieveRequest.filters",
        "ValidateRequest.schema",
        "ValidateRequest.validation_rules",
    }


def _bounded(schema: dict[str, Any]) -> bool:
    if "$ref" in schema or "enum" in schema or "const" in schema:
        return True
    if alternatives := schema.get("anyOf", schema.get("oneOf")):
        return all(_bounded(each) for each in alternatives)
    kind = schema.get("type")
    if kind == "string":
        return "maxLength" in schema or schema.get("format") == "date"
    if kind in {"integer", "number"}:
        return "maximum" in schema and bool({"minimum", "exclusiveMinimum"} & set(schema))
    if kind == "object":
        own = schema.get("properties", {}).values()
        closed = schema.get("additionalProperties") is False and all(map(_bounded, own))
        return closed or "maxProperties" in schema
    return kind in {"boolean", "null"} or (kind == "array" and "maxItems" in schema)


def _references(found: Any, described: Described) -> set[str]:
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(found)))
    inner = {
        name for each in names for name in _references(described.document["components"]["schemas"][each], described)
    }
    return names | inner


def test_the_examples_can_be_sent_as_they_stand(
    call: Call, api: ModuleType, described: Described, load: Callable[[], int]
) -> None:
    """Only an unknown id may be refused."""
    api.app.sleep = lambda _seconds: load()
    fill(api)
    body = {"company_name": "The only one", "primary_contact_email": "a@example.com"}
    account_id = call("POST", "/api/v1/accounts", body, expect=201)["account_id"]
    put_version(api.app.findings.mix, account_id)
    sent = 0
    for operation in sorted(ours(described), key=lambda each: each.id == "create_account"):
        own = {"name": "nightly"} if operation.id in {"put_workflow", "change_job"} else {}
        path = operation.at(**IDS | {"account_id": account_id} | own)
        for example in operation.examples:
            status = (
                404
                if "nobody" in f"{path} {example}" or "profile_id" in example
                else next(s for s in operation.spec["responses"] if s.startswith("2"))
            )
            call(operation.method, path, example, expect=int(status))
            sent += 1

    assert sent >= 12


OF_A_CLIENT = {"backfill", "ingest_records", "store_records"}
"""Their bodies name the client."""


def test_every_error_that_is_named_can_happen(call: Call, api: ModuleType, described: Described) -> None:
    for operation in ours(described):
        path, named = operation.at(**IDS), set(operation.spec["responses"]) - BY_THE_GATEWAY
        good = operation.examples[0] if operation.examples else None
        for status in sorted(named):
            if status == "403":
                call(operation.method, path, good, scopes=LOWER[operation.scope], expect=403)
            elif status == "400":
                query = {} if operation.examples else REQUIRED.get(operation.id, {}) | {"next_token": "?"}
                call(operation.method, path, "{" if operation.examples else None, expect=400, **query)
            elif status == "413":
                call(operation.method, path, {"x": "x" * (1 << 20)}, expect=413)
            elif status == "422":
                provoke_unprocessable(call, operation)
            elif status == "404" and operation.id not in {"run_workflow", "validate"}:
                bad = operation.at(**IDS | dict.fromkeys(("platform", "id", "name", "campaign_id"), "x" * 129))
                body = {"account_id": "nobody"} | good if operation.id in OF_A_CLIENT and good else good
                call(operation.method, bad, body, expect=404, **REQUIRED.get(operation.id, {}))
    call("POST", "/api/v1/workflows/daily/runs", {"scope": {"accounts": ["nobody"]}}, expect=404)
    records = {"data_type": "ads", "data": {"records": [{"ad_id": "1"}]}, "account_id": "nobody"}
    call("POST", "/api/v1/data_pipeline/validate", records, expect=404)


def provoke_unprocessable(call: Call, operation: Operation) -> None:
    if operation.examples:
        assert call(operation.method, operation.at(**IDS), {"zzz": {}}, expect=422)["error"]["details"]
    elif operation.id in WRONG:
        call(operation.method, operation.at(**IDS), expect=422, **WRONG[operation.id])
    elif "{platform}" in operation.path:
        call(operation.method, operation.at(**IDS | {"platform": "myspace"}), expect=422)
    else:
        assert call(operation.method, operation.at(**IDS), expect=422, limit="0")["error"]["details"]


def test_generated_clients_can_name_every_model(described: Described) -> None:
    """A schema has no field of its own name, nor one inner model two titles: generators drop such, or write code that
    type checkers refuse. `make client` tries one."""
    schemas = described.document["components"]["schemas"]
    for name, schema in schemas.items():
        assert re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() not in schema.get("properties", {}), name
        assert "title" not in schema, name
        for field, own in schema.get("properties", {}).items():
            assert not {"title"} & {*own, *own.get("items", {})}, f"{name}.{field}"


def test_a_run_that_has_ended_cannot_be_cancelled(call: Call, api: ModuleType) -> None:
    from adweir.model.messages import Scope
    from adweir.model.runs import Run, RunState

    run = api.app.ledger.create_run(Run("run_1", "daily", "2026-11-20T00:00:00.000000Z", Scope()))
    api.app.ledger.change_run(api.app.ledger.get_run("run_1"), state=RunState.SUCCEEDED)

    assert run
    assert call("POST", "/api/v1/runs/run_1/cancel", expect=409)["error"]["code"] == "conflict"


def test_another_method_is_405_and_says_which_are_allowed(api: ModuleType, described: Described) -> None:
    paths = {operation.path for operation in ours(described)}
    for path in paths:
        known = {each.method for each in ours(described) if each.path == path}
        for method in {each.upper() for each in METHODS} - known:
            at = re.sub(r"\{\w+\}", "x", path)
            if described.operation(method, at):  # GET /anomalies/check asks for the anomaly of that name
                continue
            answer = api.handler(an_event(method, at), SimpleNamespace())
            error = json.loads(answer["body"])["error"]
            assert (answer["statusCode"], error["code"]) == (405, "method_not_allowed"), (method, path)
            assert known <= set(answer["headers"]["Allow"].split(", ")), path


def test_a_trailing_slash_changes_nothing(call: Call, account_id: str) -> None:
    assert call("GET", "/api/v1/accounts/") == call("GET", "/api/v1/accounts")
    assert call("GET", f"/api/v1/accounts/{account_id}/")["account_id"] == account_id
    call("GET", "/openapi.json/", scopes="")


def test_examples_ask_for_the_last_days(described: Described) -> None:
    text = json.dumps(described.document)

    assert '"start_date": "2026-11-13", "end_date": "2026-11-19"' in text
    assert "{today" not in text


def test_the_page_lists_every_route_and_needs_no_other_host(call: Call, described: Described) -> None:
    page = call("GET", "/docs", scopes="")

    assert all(operation.path in page for operation in described.operations)
    assert not re.search(r"<(script|link|img)[^>]* (src|href)=", page), "the page needs another host"


@pytest.mark.parametrize(("path", "largest"), [("/docs", 600_000), ("/openapi.json", 75_000)])
def test_what_needs_no_key_is_small_and_asked_for_once_an_hour(api: ModuleType, path: str, largest: int) -> None:
    """Given a browser, the answer comes packed, may be kept, and is not sent again while it is the same."""

    def ask(**headers: str) -> Any:
        event = an_event("GET", path, scopes="")
        event["headers"] = headers
        return api.handler(event, SimpleNamespace())

    plain, packed = ask(), ask(**{"Accept-Encoding": "gzip, br"})

    assert packed["headers"]["Content-Encoding"] == "gzip"
    assert packed["isBase64Encoded"]
    body = base64.b64decode(packed["body"])
    assert len(body) < largest < len(plain["body"])
    assert gzip.decompress(body).decode() == plain["body"]
    for answer in (plain, packed):
        assert answer["headers"]["Cache-Control"] == "public, max-age=3600"
        assert answer["headers"]["Vary"] == "Accept-Encoding"
        again = ask(**{"if-none-match": answer["headers"]["ETag"]})
        assert (again["statusCode"], again["body"]) == (304, "")


BESIDE = {"list_invoices": {"months"}, "list_quarantine": {"messages"}, "list_quality": {"days", "trend", "bills"}}
"""Sums of the page, a second list behind the first, and what the first page has of the same ad account."""


OF_NUMBERS = ("warnings", "coverage", "freshness", "time_range")


def test_every_list_has_one_form(described: Described) -> None:
    """`{"<resource>": [...], "next_token"}`, maybe with what its numbers rest on (OF_NUMBERS), and an operation whose
    id says that it lists. What some have beside it is in BESIDE."""
    for operation in ours(described):
        schema = next(iter(operation.spec["responses"].values())).get("content", {}).get("application/json", {})
        model = schema.get("schema", {}).get("$ref", "").rpartition("/")[2]
        fields = described.document["components"]["schemas"].get(model, {}).get("properties", {})
        if operation.id.startswith("list_"):
            assert set(fields) > {"next_token"}, operation.id
            beside = {"next_token", "warnings", "coverage", "freshness", "time_range"} - {
                operation.id.removeprefix("list_")
            }
            beside |= BESIDE.get(operation.id, set())
            kinds = [field["type"] for name, field in fields.items() if name not in beside]
            assert kinds == ["array"], operation.id
        else:
            assert "next_token" not in fields, operation.id


def test_the_answers_that_are_shown_fit_the_description(described: Described) -> None:
    shown = 0
    for operation in described.operations:
        for status, response in operation.spec["responses"].items():
            examples = response.get("content", {}).get("application/json", {}).get("examples", {})
            for example in examples.values():
                answer = {"statusCode": status, "headers": JSON, "body": json.dumps(example["value"])}
                assert list(described.faults(operation.method, operation.path, answer)) == [], operation.id
                shown += 1
    assert shown >= 2


def test_the_report_that_is_shown_adds_up(described: Described) -> None:
    operation = next(each for each in described.operations if each.id == "create_report")
    content = operation.spec["responses"]["200"]["content"]["application/json"]
    report = json.loads(json.dumps(content["examples"]["report"]["value"]), parse_float=Decimal)

    (row,), (total,), (sums,) = report["data"], report["totals"], report["adjustments"]
    assert {name: row[name] for name in total} == total
    assert list(row) == report["columns"]
    assert total["roas"] == round(Decimal(sums["revenue"]["shown"]) / sums["spend"]["shown"], 6)
    for name in ("impressions", "clicks", "conversions", "spend", "revenue"):
        told = {part: Decimal(value) for part, value in sums[name].items()}
        plus = sum(told[part] for part in ("raw", "held", "kept", "unattributed", "cleaned", "converted"))
        assert told["shown"] == plus - told["quarantined"] - told["overridden"], name
        assert total.get(name, told["shown"]) == told["shown"], name
