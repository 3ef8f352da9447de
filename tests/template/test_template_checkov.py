"""What contract/checkov.toml leaves as it is exists, and its reasons are true. `make security` runs checkov itself."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

from contract.api_findings import SCHEMATHESIS
from contract.environments import Tool
from contract.security import CYCLONEDX
from contract.template_findings import CHECKOV, AcceptedFinding, TemplateFinding, accepted, faults
from support.template import target, template


def test_each_finding_that_stays_is_of_resources_that_exist_and_says_why() -> None:
    for check, about in accepted().items():
        assert about.reason.endswith("."), check
        for pattern in about.resources:
            assert any(fnmatchcase(name, pattern) for name in template().translated), f"{check} {pattern}"


def test_given_a_finding_without_a_reason_or_a_reason_without_a_finding_then_each_is_a_fault() -> None:
    known = {"CKV_1": AcceptedFinding("what", ["*Function", "Gone"], "Why.")}
    findings = [TemplateFinding("CKV_1", "ApiFunction"), TemplateFinding("CKV_2", "ApiFunction", "Ensure that")]

    assert list(faults(findings, known)) == [
        "CKV_2 ApiFunction: Ensure that",
        "CKV_1 finds nothing in Gone any more: take it out of checkov.toml",
    ]


def test_environments_and_parameters_hold_no_secret() -> None:
    parameters = template().source["Parameters"]
    environments = json.dumps(
        [f["Properties"]["Environment"] for f in template().translated.values() if f["Type"] == "AWS::Lambda::Function"]
    )

    assert not [name for name, parameter in parameters.items() if "NoEcho" in parameter]
    assert "{{resolve:" not in environments
    assert "SecretString" not in json.dumps(template().translated)


def test_functions_are_invoked_by_the_gateway_and_by_queues_alone() -> None:
    """So that a dead-letter queue of a function would never get anything."""
    sources = template().of("AWS::Lambda::EventSourceMapping").values()
    principals = {each["Principal"] for each in template().of("AWS::Lambda::Permission").values()}

    assert all("Queue" in json.dumps(each["EventSourceArn"]) for each in sources)
    assert principals == {"apigateway.amazonaws.com"}


def test_queues_bound_the_workers_that_no_reservation_bounds() -> None:
    """Of orchestrate and what works for clients an operator decides; what stream reads comes in batches of 1,000."""
    unbounded = {
        target(each["FunctionName"])
        for each in template().of("AWS::Lambda::EventSourceMapping").values()
        if "MaximumConcurrency" not in each.get("ScalingConfig", {})
    }

    assert unbounded == {
        "OrchestrateFunction",
        "EtlFunction",
        "CurateFunction",
        "DetectFunction",
        "LearnFunction",
        "EnrichFunction",
        "FeaturesFunction",
        "StreamFunction",
    }


def test_the_tools_are_pinned() -> None:
    for tool in (CHECKOV, SCHEMATHESIS, CYCLONEDX):
        assert isinstance(tool, Tool)
        lines = tool.constraints.read_text().splitlines()
        assert any(line.startswith(f"{tool.package}==") for line in lines)
        assert all("==" in line for line in lines)
