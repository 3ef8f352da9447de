"""What template.yaml grants to each function, and what a sandbox's functions were seen to do, in the same words.

A grant is (function, action, resource): ("collect", "s3:PutObject", "DataBucket/raw/*"). Resources are called by their
logical ids; patterns begin with what they are patterns of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from support.template import listed, statements, target, template


class Grant(NamedTuple):
    """One action on one resource or pattern of resources, for one function."""

    function: str
    action: str
    resource: str


class Called(NamedTuple):
    """A kind of call as sandbox/audit.py wrote it down; `grant` is None when the role does not allow it."""

    function: str
    action: str
    resource: str
    keys: tuple[str, ...]
    grant: Grant | None


def granted() -> set[Grant]:
    """Everything that the template allows to the functions' roles, Lambda's own logging and tracing aside."""
    found = set()
    for logical, function in template().of("AWS::Lambda::Function").items():
        name = logical.removesuffix("Function")
        for statement in statements(target(function["Role"])):
            if statement["Effect"] != "Allow" or "logs:PutLogEvents" in statement["Action"]:
                continue
            for action in listed(statement["Action"]):
                found |= {Grant(name, action, _of_template(resource)) for resource in listed(statement["Resource"])}
    return found


def changes(grant: Grant) -> bool:
    """Whether a grant is for more than looking. To describe a secret is part of storing it and shows no value."""
    return not re.match(r"\w+:(Get|BatchGet|Query|List|Receive)", grant.action)


def shown(resource: str) -> str:
    """A resource as the documents call it: `raw/*` for objects, `secrets credential/*`, `queues collect-*`."""
    named = resource.removeprefix("DataBucket/").replace("secretsmanager ", "secrets ").replace("sqs ", "queues ")
    named = named.replace("scheduler *", "schedules of jobs")
    return "names of objects" if named == "DataBucket" else named


def called(path: Path) -> list[Called]:
    """The lines that an audited sandbox wrote."""
    return [_called(json.loads(line)) for line in path.read_text().splitlines()]


def _called(line: dict[str, Any]) -> Called:
    functions = _names("AWS::Lambda::Function", "FunctionName")
    name = functions[line["function"].removeprefix("adweir-")].removesuffix("Function")
    grant = line["grant"] and Grant(name, line["action"], _of_sandbox(line["grant"]))
    return Called(name, line["action"], line["resource"], tuple(line["keys"]), grant)


@dataclass(frozen=True)
class Unseen:
    """Grants that no story needs to use, and why they are there. The fields may be patterns, as in a shell."""

    function: str
    actions: tuple[str, ...]
    resource: str
    why: str

    def covers(self, grant: Grant) -> bool:
        names = fnmatchcase(grant.function, self.function) and fnmatchcase(grant.resource, self.resource)
        return names and any(fnmatchcase(grant.action, action) for action in self.actions)


def denied(calls: Iterable[Called]) -> list[str]:
    """The calls that a role did not allow, in words."""
    return [f"{call.function} may not {call.action} {call.resource}" for call in calls if call.grant is None]


def _of_template(resource: Any) -> str:
    """`{"Fn::GetAtt": ["RunsQueue", "Arn"]}` → RunsQueue; `{"Fn::Sub": "arn:…:${AWS::StackName}-x-*"}` → sqs x-*."""
    if not isinstance(resource, dict) or "Fn::Sub" not in resource:
        return target(resource)
    text = str(resource["Fn::Sub"])
    if text.startswith("${DataBucket.Arn}"):
        return text.replace("${DataBucket.Arn}", "DataBucket")
    if found := re.search(r":(athena|glue):.*?\}:.*?\}:(.*)", text):
        return f"{found[1]} {re.sub(r'[${}]', '', found[2])}"
    service, rest = re.findall(r":(sqs|secretsmanager|scheduler):.*\$\{AWS::StackName\}[-/](.*)", text)[0]
    return f"{service} {rest}"


def _of_sandbox(arn: str) -> str:
    """The same words from an ARN, or a pattern of ARNs, of the sandbox's stack."""
    _arn, _partition, service, _region, _account, rest = arn.split(":", 5)
    if service == "dynamodb":
        return rest.split("-")[1]
    if service == "s3":
        return re.sub(r"^adweir-databucket-\w+", "DataBucket", rest)
    if service == "events":
        return "Bus"
    if service == "athena":
        return "athena workgroup/Workgroup"
    if service == "sns":
        return rest.split("-")[1]
    named = re.sub(r"^(secret:|schedule/)?adweir[-/]", "", rest)
    return _names("AWS::SQS::Queue", "QueueName").get(named, f"{service} {named}")


@cache
def _names(kind: str, field: str) -> dict[str, str]:
    """Physical name without the stack's → logical id."""
    found = template().of(kind)
    return {str(about[field]["Fn::Sub"]).replace("${AWS::StackName}-", ""): name for name, about in found.items()}
