"""Deploy template.yaml to MiniStack: package, upload, create or update the stack."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from botocore.exceptions import ClientError

from sandbox.paces import Surroundings, in_the_sandbox, with_numbers
from sandbox.package import package
from sandbox.processes import SandboxError
from sandbox.template_file import read_template

STACK = "adweir"
CODE_BUCKET = "adweir-sandbox-code"
_LAYER_PREFIX = "python/"
_SECONDS = 60.0


_SCHEDULE: Final = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State", "Description")
"""What an update of a schedule has to say again."""
PARAMETERS: Final = {
    "SchedulesState": "DISABLED",
    "DeletionProtection": "false",
    "ApiRateLimit": "1000",
    "ApiBurstLimit": "1000",
    "PullConcurrency": "2",
    "LoadConcurrency": "2",
}
"""What the sandbox sets unless it is told otherwise: the built-in schedules do not fire, and there are as few workers
as a small machine can feed."""


class Deployed(NamedTuple):
    """A stack's outputs. `was_current`: there was nothing to deploy. `settings`: the parameters that a stack had with
    another value before, by name, each with both values."""

    outputs: dict[str, str]
    was_current: bool
    settings: Mapping[str, tuple[str, str]]


def deploy(clients: Any, root: Path, around: Surroundings, given: Mapping[str, str], stack: str = STACK) -> Deployed:
    """Bring the stack up to date with the files under `root`.

    `clients(service)` makes a boto3 client. `given`: parameters of the template besides the sandbox's own. Does nothing
    when neither code nor parameters changed. Raises SandboxError with the stack's own reason when it cannot be created,
    and for a parameter that the template does not have.
    """
    packaged, uploads = packaged_template(root)
    template, parameters = in_the_sandbox(packaged, around), PARAMETERS | dict(given)
    defaults = {name: str(about["Default"]) for name, about in template["Parameters"].items()}
    template["Resources"] = with_numbers(template["Resources"], defaults | parameters)
    if unknown := sorted(set(parameters) - set(template["Parameters"])):
        raise SandboxError(f"template.yaml has no parameter {', '.join(unknown)}")
    body = json.dumps(template, default=str)
    fingerprint = hashlib.sha256((body + json.dumps(parameters, sort_keys=True)).encode()).hexdigest()
    cloudformation = clients("cloudformation")
    existing = _describe(cloudformation, stack)
    tags = {tag["Key"]: tag["Value"] for tag in (existing or {}).get("Tags", [])}
    if existing and tags.get("fingerprint") == fingerprint and existing["StackStatus"].endswith("_COMPLETE"):
        return Deployed(outputs_of(existing), was_current=True, settings={})
    s3 = clients("s3")
    s3.create_bucket(Bucket=CODE_BUCKET)
    for key, content in uploads.items():
        s3.put_object(Bucket=CODE_BUCKET, Key=key, Body=content)
    s3.put_object(Bucket=CODE_BUCKET, Key=f"{fingerprint}.template", Body=body.encode())
    request = {
        "StackName": stack,
        "TemplateURL": f"https://s3.amazonaws.com/{CODE_BUCKET}/{fingerprint}.template",
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in sorted(parameters.items())],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Tags": [{"Key": "fingerprint", "Value": fingerprint}],
    }
    (cloudformation.update_stack if existing else cloudformation.create_stack)(**request)
    settings = _changed(existing, defaults, parameters) if existing else {}
    outputs = outputs_of(_wait(cloudformation, stack))
    _with_zone(clients, stack, (defaults | parameters)["TimeZone"])
    return Deployed(outputs, was_current=False, settings=settings)


def _with_zone(clients: Any, stack: str, zone: str) -> None:
    """Give the stack's schedules their time zone: MiniStack's CloudFormation leaves it out."""
    scheduler = clients("scheduler")
    pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for resource in pages.search("StackResourceSummaries[]"):
        if resource["ResourceType"] == "AWS::Scheduler::Schedule":
            found = scheduler.get_schedule(Name=resource["PhysicalResourceId"])
            kept = {name: found[name] for name in _SCHEDULE if name in found}
            scheduler.update_schedule(**kept, ScheduleExpressionTimezone=zone)


def packaged_template(root: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """template.yaml with its CodeUri and ContentUri pointing to S3, and by key the zips to put there."""
    template = read_template(root / "template.yaml")
    uploads: dict[str, bytes] = {}
    for resource in template["Resources"].values():
        if isinstance(resource, list):  # Fn::ForEach, which MiniStack expands; no loop holds code
            continue
        for field, prefix in (("CodeUri", ""), ("ContentUri", _LAYER_PREFIX)):
            folder = resource.get("Properties", {}).get(field)
            if folder is None:
                continue
            if not any((root / folder).glob("*")):
                raise SandboxError(f"{folder} is empty: nothing to deploy")
            zipped = package(root / folder, prefix)
            uploads[zipped.key] = zipped.body
            resource["Properties"][field] = f"s3://{CODE_BUCKET}/{zipped.key}"
    return template, uploads


def outputs_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """The outputs of a described stack by name."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _changed(
    existing: Mapping[str, Any], defaults: dict[str, str], given: dict[str, str]
) -> dict[str, tuple[str, str]]:
    """Parameters by name, with the value that the stack had and the one that it gets."""
    had = defaults | {each["ParameterKey"]: each["ParameterValue"] for each in existing.get("Parameters", [])}
    now = defaults | given
    return {name: (had[name], now[name]) for name in sorted(now) if had[name] != now[name]}


def _describe(cloudformation: Any, stack: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return found


def _wait(cloudformation: Any, stack: str) -> dict[str, Any]:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        described = _describe(cloudformation, stack)
        status = described["StackStatus"] if described else "gone"
        if described and status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            return described
        if not status.endswith("_IN_PROGRESS"):
            raise SandboxError(f"the stack ended {status}: {_reasons(cloudformation, stack)}")
        time.sleep(0.1)
    raise SandboxError(f"the stack was not ready after {_SECONDS:.0f} s")


def _reasons(cloudformation: Any, stack: str) -> str:
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"].endswith("_FAILED")]
    return "; ".join(f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}" for e in failed[:5])
