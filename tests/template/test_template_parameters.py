"""What a deployment's parameters change, and that without them nothing of it is there; over the expanded template."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adweir.platforms import REGISTRY
from adweir.runtime.settings import queue_part
from sandbox.deploy import PARAMETERS
from support.template import Template, deployed, listed, statements, target, template

KEY = {"Ref": "KmsKeyArn"}
KINDS = (
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "AWS::Logs::LogGroup",
)


def of(stack: Template, kind: str) -> list[dict[str, Any]]:
    found = list(stack.of(kind).values())
    assert found, kind
    return found


def kms_statements(stack: Template, role: str) -> list[dict[str, Any]]:
    return [s for s in statements(role, stack) if any(a.startswith("kms:") for a in listed(s["Action"]))]


def test_every_parameter_has_a_default_and_stands_in_a_group_of_the_console() -> None:
    parameters = template().written["Parameters"]
    groups = template().written["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(parameters)
    assert [name for name, about in parameters.items() if "Default" not in about] == []


def test_what_the_sandbox_sets_are_parameters_or_no_parameters_at_all() -> None:
    """Pace, endpoint and platforms' URLs are not asked for: sandbox/paces.py changes them in its own copy."""
    assert set(PARAMETERS) <= set(template().written["Parameters"])
    assert not {"Pace", "AwsEndpointUrl", "PlatformUrls", "PollSeconds"} & set(template().written["Parameters"])


def test_without_a_key_everything_is_encrypted_with_keys_of_aws() -> None:
    stack = template()

    assert {json.dumps(table["SSESpecification"]) for table in of(stack, "AWS::DynamoDB::Table")} == {
        '{"SSEEnabled": true}'
    }
    assert of(stack, "AWS::S3::Bucket")[0]["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    ]
    assert {queue["SqsManagedSseEnabled"] for queue in of(stack, "AWS::SQS::Queue")} == {True}
    assert "KmsKeyArn" not in json.dumps([of(stack, kind) for kind in KINDS])
    assert [role for role in stack.of("AWS::IAM::Role") if kms_statements(stack, role)] == []


def test_with_a_key_tables_bucket_queues_topic_logs_and_new_secrets_use_it() -> None:
    stack = deployed(KmsKeyArn="arn:aws:kms:eu-central-1:123456789012:key/k")

    for table in of(stack, "AWS::DynamoDB::Table"):
        assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}
    assert of(stack, "AWS::S3::Bucket")[0]["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
        {
            "BucketKeyEnabled": True,
            "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
        }
    ]
    for queue in of(stack, "AWS::SQS::Queue"):
        assert (queue["SqsManagedSseEnabled"], queue["KmsMasterKeyId"]) == (False, KEY)
    assert [topic["KmsMasterKeyId"] for topic in of(stack, "AWS::SNS::Topic")] == [KEY]
    assert all(group["KmsKeyId"] == KEY for group in of(stack, "AWS::Logs::LogGroup"))
    assert stack.of("AWS::Lambda::Function")["ApiFunction"]["Environment"]["Variables"]["SECRETS_KEY_ARN"] == KEY


@pytest.mark.parametrize("role", template().of("AWS::IAM::Role"))
def test_a_role_may_use_the_key_only_through_the_services_that_encrypt_with_it(role: str) -> None:
    stack = deployed(KmsKeyArn="arn:aws:kms:eu-central-1:123456789012:key/k")

    (use,) = kms_statements(stack, role)

    assert use["Resource"] == KEY
    assert not {"kms:CreateGrant", "kms:PutKeyPolicy"} & set(use["Action"])
    through = [json.dumps(service) for service in use["Condition"]["StringEquals"]["kms:ViaService"]]
    assert [text.split("{")[1].split(".")[0].rpartition('"')[2] for text in through] == [
        "dynamodb",
        "s3",
        "sqs",
        "secretsmanager",
        "sns",
    ]


def test_a_boundary_holds_for_every_role_or_for_none() -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"

    assert not any("PermissionsBoundary" in role for role in of(template(), "AWS::IAM::Role"))
    for role in of(deployed(PermissionsBoundaryArn=boundary), "AWS::IAM::Role"):
        assert role["PermissionsBoundary"] == {"Ref": "PermissionsBoundaryArn"}


def test_without_subnets_no_function_is_in_a_vpc_and_no_role_may_touch_the_network() -> None:
    assert not any("VpcConfig" in function for function in of(template(), "AWS::Lambda::Function"))
    assert list(template().of("AWS::IAM::ManagedPolicy")) == ["TracingPolicy"]


def test_with_subnets_every_function_is_in_the_vpc_and_lambda_alone_may_make_its_interfaces() -> None:
    stack = deployed(SubnetIds="subnet-1,subnet-2", SecurityGroupIds="sg-1")

    for function in of(stack, "AWS::Lambda::Function"):
        assert function["VpcConfig"] == {
            "SubnetIds": {"Ref": "SubnetIds"},
            "SecurityGroupIds": {"Ref": "SecurityGroupIds"},
        }
        role = stack.of("AWS::IAM::Role")[target(function["Role"])]
        assert {"Ref": "NetworkPolicy"} in role["ManagedPolicyArns"]
    allow, deny = stack.of("AWS::IAM::ManagedPolicy")["NetworkPolicy"]["PolicyDocument"]["Statement"]
    assert (allow["Effect"], deny["Effect"]) == ("Allow", "Deny")
    assert allow["Action"] == deny["Action"]
    assert all(action.startswith("ec2:") for action in allow["Action"])
    (source,) = deny["Condition"]["ArnLike"].values()
    assert ":function:${AWS::StackName}-*" in json.dumps(source)


@pytest.mark.parametrize("given", [{}, {"DomainName": "api.example.com"}, {"CertificateArn": "arn:aws:acm:x"}])
def test_a_domain_needs_its_certificate(given: dict[str, str]) -> None:
    stack = deployed(**given)

    assert not stack.of("AWS::ApiGatewayV2::DomainName")
    assert not stack.of("AWS::ApiGatewayV2::ApiMapping")


def test_a_domain_with_its_certificate_leads_to_the_api() -> None:
    stack = deployed(DomainName="api.example.com", CertificateArn="arn:aws:acm:eu-central-1:123456789012:certificate/c")

    (domain,) = of(stack, "AWS::ApiGatewayV2::DomainName")
    (mapping,) = of(stack, "AWS::ApiGatewayV2::ApiMapping")

    assert domain["DomainNameConfigurations"] == [
        {"CertificateArn": {"Ref": "CertificateArn"}, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
    ]
    assert (target(mapping["ApiId"]), target(mapping["DomainName"]), target(mapping["Stage"])) == (
        "HttpApi",
        "ApiDomain",
        "ApiStage",
    )


@pytest.mark.parametrize(
    ("parameter", "functions"),
    [("DoorConcurrency", {"WebhooksFunction", "AuthorizeFunction"}), ("ApiConcurrency", {"ApiFunction"})],
)
def test_executions_are_reserved_for_a_group_of_functions_or_not_at_all(parameter: str, functions: set[str]) -> None:
    def reserved(stack: Template) -> dict[str, Any]:
        all_functions = stack.of("AWS::Lambda::Function").items()
        return {n: f["ReservedConcurrentExecutions"] for n, f in all_functions if "ReservedConcurrentExecutions" in f}

    assert reserved(template()) == {}
    assert reserved(deployed(**{parameter: "5"})) == {name: {"Ref": parameter} for name in functions}


@pytest.mark.parametrize(
    ("parameter", "sources"),
    [
        ("PullConcurrency", {*(f"Collect{queue_part(name)}Source" for name in REGISTRY), "ReportsSource"}),
        ("LoadConcurrency", {"LandingSource"}),
        (
            "PlanConcurrency",
            {
                "RunsSource",
                "EtlSource",
                "CurateSource",
                "DetectSource",
                "LearnSource",
                "EnrichSource",
                "FeaturesSource",
            },
        ),
    ],
)
def test_executions_that_read_queues_are_bounded_by_group(parameter: str, sources: set[str]) -> None:
    def bounded(stack: Template) -> set[str]:
        found = stack.of("AWS::Lambda::EventSourceMapping").items()
        return {n for n, s in found if s.get("ScalingConfig") == {"MaximumConcurrency": {"Ref": parameter}}}

    assert bounded(deployed(**{parameter: "7"})) == sources
    assert bounded(template()) == (set() if parameter == "PlanConcurrency" else sources)
