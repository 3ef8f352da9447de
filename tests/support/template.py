"""template.yaml as CloudFormation sees it: expanded by SAM's own translator, in process, without credentials."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
PACES = ("aws", "sandbox", "drill")


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True)
class Template:
    """The source as parsed, and the expanded resources."""

    source: dict[str, Any]
    resources: dict[str, Any]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id → properties of all resources of a type."""
        return {name: r.get("Properties", {}) for name, r in self.resources.items() if r["Type"] == kind}

    def number(self, value: Any, pace: str) -> int:
        """A literal, or what FindInMap and Ref give under a pace."""
        if isinstance(value, dict) and "Fn::FindInMap" in value:
            _mapping, _key, row = value["Fn::FindInMap"]
            return int(self.source["Mappings"]["Pace"][pace][row])
        if isinstance(value, dict) and "Ref" in value:
            return int(self.source["Parameters"][value["Ref"]]["Default"])
        return int(value)

    def function_of(self, value: Any) -> str:
        """The logical id that a Ref or GetAtt names."""
        return target(value)


@lru_cache(maxsize=1)
def template() -> Template:
    """The template, expanded once a test session."""
    source = yaml_parse((ROOT / "template.yaml").read_text())
    local = copy.deepcopy(source)
    for resource in local["Resources"].values():
        for field in ("CodeUri", "ContentUri"):
            if field in resource.get("Properties", {}):
                resource["Properties"][field] = "s3://code/key"
    with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "us-east-1"}):
        expanded = transform(local, {}, _NoManagedPolicies())
    return Template(source, json.loads(json.dumps(expanded["Resources"], default=str)))


def target(value: Any) -> str:
    """`{"Ref": "X"}` or `{"Fn::GetAtt": ["X", ...]}` → `X`; anything else as text."""
    if isinstance(value, Mapping):
        if "Ref" in value:
            return str(value["Ref"])
        if "Fn::GetAtt" in value:
            attribute = value["Fn::GetAtt"]
            return str(attribute[0] if isinstance(attribute, list) else attribute.split(".")[0])
    return json.dumps(value)


def listed(value: Any) -> list[Any]:
    """IAM lets one thing stand for a list of one."""
    return value if isinstance(value, list) else [value]


def statements(role: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a role's inline policies."""
    for policy in role.get("Policies", []):
        yield from listed(policy["PolicyDocument"]["Statement"])
