"""Query parameters as the description has them: a value that its schema excludes is refused, by name."""

from __future__ import annotations

import json
from types import ModuleType, SimpleNamespace
from typing import Any

from support.api import an_event
from support.described import Described

REQUIRED = {"platform": "meta", "profile_id": "111", "account_id": "acc", "data_type": "orders"}


def excluded(schema: dict[str, Any]) -> str:
    """A text that a schema excludes; "" where every text fits."""
    for each in schema.get("anyOf", [schema]):
        if "enum" in each or each.get("format") == "date":
            return "0"
        if each.get("type") in {"integer", "boolean"}:
            return "many"
        if "maxLength" in each:
            return "x" * (int(each["maxLength"]) + 1)
    return ""


def test_given_a_value_that_the_description_excludes_then_it_is_refused_by_the_parameter_s_name(
    api: ModuleType, described: Described
) -> None:
    api.app.catalog.create_account("acc", "Company", "a@example.com")
    asked, wrong = 0, []
    for operation in described.operations:
        parameters = [each for each in operation.spec.get("parameters", ()) if each["in"] == "query"]
        if operation.path.startswith("/webhook/"):
            continue
        required = {each["name"]: REQUIRED[each["name"]] for each in parameters if each.get("required")}
        ids = {each["name"]: "acc" for each in operation.spec.get("parameters", ()) if each["in"] == "path"}
        for each in parameters:
            value = excluded(each["schema"])
            body = operation.examples[0] if operation.examples else None
            event = an_event(operation.method, operation.at(**ids), body, **required | {each["name"]: value})
            answer = api.handler(event, SimpleNamespace())
            asked += 1
            fields = [detail["field"] for detail in json.loads(answer["body"]).get("error", {}).get("details", ())]
            if answer["statusCode"] != 422 or not {each["name"], f"query.{each['name']}"} & set(fields):
                wrong.append((operation.id, each["name"], value[:10], answer["statusCode"], fields))

    assert asked > 100
    assert wrong == []
