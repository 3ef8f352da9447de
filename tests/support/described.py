"""Checks every answer that a test sees against the API's own description."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from openapi_schema_validator import OAS31Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

METHODS = ("get", "post", "put", "patch", "delete")
_AT = "urn:api"


@dataclass(frozen=True)
class Operation:
    """One operation of the description, references to components resolved where this file needs it."""

    method: str
    path: str
    spec: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.spec["operationId"])

    @property
    def scope(self) -> str:
        return str(self.spec["security"][0]["key"][0]) if "security" in self.spec else ""

    @property
    def examples(self) -> list[Any]:
        """The request bodies that the description offers."""
        content = self.spec.get("requestBody", {}).get("content", {})
        return [example["value"] for media in content.values() for example in media["examples"].values()]

    def at(self, **ids: str) -> str:
        """The path with these parameters in it."""
        return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], self.path)


@dataclass
class Described:
    """An OpenAPI document."""

    document: dict[str, Any]

    @cached_property
    def operations(self) -> list[Operation]:
        return [
            Operation(method.upper(), path, spec)
            for path, of in self.document["paths"].items()
            for method, spec in of.items()
            if method in METHODS
        ]

    @cached_property
    def _registry(self) -> Registry[Any]:
        empty: Registry[Any] = Registry()
        filled: Registry[Any] = empty.with_resource(_AT, DRAFT202012.create_resource(self.document))
        return filled

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation that answers; fixed paths come before those with parameters."""
        known = sorted(self.operations, key=lambda operation: operation.path.count("{"))
        return next((each for each in known if each.method == method and _matches(each.path, path)), None)

    def faults(self, method: str, path: str, answer: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with an answer: a status, content type or field that the description does not have."""
        operation, status = self.operation(method, path), str(answer["statusCode"])
        if operation is None:
            yield from self._invalid("/components/schemas/Refusal", answer["body"])
            return
        where = f"/paths/{_escaped(operation.path)}/{method.lower()}/responses/{status}"
        response = operation.spec["responses"].get(status)
        if response is None:
            yield f"{operation.id} does not name the status {status}"
            return
        if "$ref" in response:
            where = response["$ref"].removeprefix("#")
            response = self.document["components"]["responses"][where.rpartition("/")[2]]
        media = str(answer["headers"]["Content-Type"]).partition(";")[0]
        if media not in response["content"]:
            yield f"{operation.id} does not answer {status} with {media}"
        elif media == "application/json":
            yield from self._invalid(f"{where}/content/{_escaped(media)}/schema", answer["body"])

    def _invalid(self, pointer: str, body: str) -> Iterator[str]:
        validator = OAS31Validator({"$ref": f"{_AT}#{pointer}"}, registry=self._registry)
        yield from (
            f"{pointer}: {fault.json_path} {fault.message}" for fault in validator.iter_errors(json.loads(body))
        )


def _matches(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, path.removesuffix("/")) is not None


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
