"""template.yaml as CloudFormation sees it: its loops expanded, then SAM's translator, in process, without credentials.

The loops are expanded by MiniStack's implementation of AWS::LanguageExtensions, which was measured on an AWS account
and is stricter than those of cfn-lint and the SAM CLI: a `${Item}` outside of a key, `!Sub` or `!Ref` stays as it is.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from unittest import mock

from sandbox import paces
from sandbox.template_file import parse_template

ROOT = Path(__file__).resolve().parents[2]
PACES = ("aws", *paces.PACES)
_NOTHING = {"Ref": "AWS::NoValue"}


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True)
class Template:
    """The template as parsed, with its loops expanded, and the resources that a deployment has.

    `given` are the parameters that a deployment sets; the others have their defaults.
    """

    written: dict[str, Any]
    source: dict[str, Any]
    translated: dict[str, Any]
    given: Mapping[str, str]

    @cached_property
    def resources(self) -> dict[str, Any]:
        """By logical id the resources whose conditions hold, with what `Fn::If` chooses."""
        kept = {n: r for n, r in self.translated.items() if "Condition" not in r or self.holds(r["Condition"])}
        chosen: dict[str, Any] = self._chosen(kept)
        return chosen

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id → properties of all resources of a type."""
        return {name: r.get("Properties", {}) for name, r in self.resources.items() if r["Type"] == kind}

    def value(self, parameter: str) -> str:
        """What a parameter is in this deployment."""
        return str(self.given.get(parameter, self.source["Parameters"][parameter]["Default"]))

    def number(self, value: Any) -> int:
        """A literal, or what a Ref to a parameter gives."""
        return int(self.value(value["Ref"]) if isinstance(value, dict) else value)

    def holds(self, condition: str) -> bool:
        """Whether a condition is true in this deployment."""
        return bool(self._evaluated(self.source["Conditions"][condition]))

    def _evaluated(self, node: Any) -> Any:
        if not isinstance(node, Mapping):
            return str(node)
        ((function, argument),) = node.items()
        if function == "Ref":
            return self.value(argument)
        if function == "Fn::Join":  # a list parameter is as good as its text
            return self._evaluated(argument[1])
        values = [self._evaluated(item) for item in argument]
        return {"Fn::Equals": len(set(values)) == 1, "Fn::And": all(values), "Fn::Not": not values[0]}[function]

    def _chosen(self, node: Any) -> Any:
        if isinstance(node, list):
            return [chosen for item in node if (chosen := self._chosen(item)) != _NOTHING]
        if not isinstance(node, Mapping):
            return node
        if set(node) == {"Fn::If"}:
            condition, yes, no = node["Fn::If"]
            return self._chosen(yes if self.holds(condition) else no)
        chosen = {key: self._chosen(value) for key, value in node.items()}
        return {key: value for key, value in chosen.items() if value != _NOTHING}


@cache
def template(pace: str = "aws") -> Template:
    """The template, expanded once per test session, as it is deployed on AWS or in the sandbox."""
    return expanded((ROOT / "template.yaml").read_text(), pace)


def deployed(**parameters: str) -> Template:
    """The template as a deployment with these parameters has it."""
    return replace(template(), given=parameters)


def expanded(text: str, pace: str = "aws") -> Template:
    """A template, its loops expanded without a value for any parameter, as they are in every deployment."""
    # Nearly every file of tests imports this one, and few need a template.
    from ministack.services.cloudformation import language_extensions
    from samtranslator.translator.transform import transform

    written = parse_template(text)
    if pace != "aws":
        written = paces.in_the_sandbox(written, paces.Surroundings(pace, "http://127.0.0.1:4566", {}))
    source = _settled(language_extensions.apply(written, {}))
    local = copy.deepcopy(source)
    for resource in local["Resources"].values():
        for field in ("CodeUri", "ContentUri"):
            if field in resource.get("Properties", {}):
                resource["Properties"][field] = "s3://code/key"
    with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "us-east-1"}):
        transformed = transform(local, {}, _NoManagedPolicies())
    return Template(written, source, json.loads(json.dumps(transformed["Resources"], default=str)), {})


def _settled(node: Any) -> Any:
    """The node with every Fn::Sub replaced by its text where nothing is left that only a stack knows."""
    if isinstance(node, list):
        return [_settled(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    settled = {key: _settled(value) for key, value in node.items()}
    if set(settled) != {"Fn::Sub"}:
        return settled
    text, variables = settled["Fn::Sub"] if isinstance(settled["Fn::Sub"], list) else (settled["Fn::Sub"], {})
    for name, value in variables.items():
        if isinstance(value, str | int):
            text = text.replace(f"${{{name}}}", str(value))
    left = {name: value for name, value in variables.items() if not isinstance(value, str | int)}
    if left:
        return {"Fn::Sub": [text, left]}
    return {"Fn::Sub": text} if "${" in text else text


def loops() -> dict[str, str]:
    """The loops of the resources, nested ones too: name → identifier."""
    found: dict[str, str] = {}

    def walk(node: Any) -> None:
        for key, value in node.items() if isinstance(node, Mapping) else ():
            if str(key).startswith("Fn::ForEach::"):
                found[str(key).removeprefix("Fn::ForEach::")] = value[0]
                walk(value[2])

    walk(template().written["Resources"])
    return found


def collect_platforms() -> list[str]:
    """The template's list of platforms, as it is written there."""
    _identifier, platforms, _fragment = template().written["Resources"]["Fn::ForEach::Collect"]
    return list(platforms)


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


def statements(role: str, of: Template | None = None) -> Iterator[dict[str, Any]]:
    """The statements of a role's inline policies: those written in it, and those of the policies that name it."""
    found = of or template()
    roles, policies = found.of("AWS::IAM::Role"), found.of("AWS::IAM::Policy")
    naming = [policy for policy in policies.values() if role in [target(named) for named in policy["Roles"]]]
    for policy in [*roles[role].get("Policies", []), *naming]:
        yield from listed(policy["PolicyDocument"]["Statement"])
