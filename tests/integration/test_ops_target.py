"""Where a command works: what is said when a stack cannot be found, and how its parts are found."""

from __future__ import annotations

import os
from typing import Any

import boto3
import pytest

from adweir.platforms import REGISTRY
from adweir.runtime.settings import Settings
from ops.errors import CommandFailed
from ops.target import open_target, stack_target
from ops.where import Where
from support.deployment import deployed

HOST = "https://sqs.eu-central-1.amazonaws.com/123456789012/prod-"


@pytest.fixture
def aws(tables: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """moto's CloudFormation; what a command sets in the environment is undone."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return boto3.client("cloudformation", region_name="eu-central-1")


def test_a_stack_is_found_in_the_region_that_is_named(aws: Any) -> None:
    body = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"CatalogTable": {"Value": "t"}}}'
    aws.create_stack(StackName="prod", TemplateBody=body)

    assert open_target(Where(stack="prod", region="eu-central-1")).outputs == {"CatalogTable": "t"}


def test_a_stack_that_is_not_there_is_said_with_the_region_that_was_looked_in(aws: Any) -> None:
    with pytest.raises(CommandFailed, match="there is no stack prod in us-east-1: is it another --stack, --region"):
        stack_target(Where(stack="prod"))


def test_a_stack_of_something_else_is_said_to_be_none_of_adweir(aws: Any) -> None:
    aws.create_stack(StackName="shop", TemplateBody='{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}')

    with pytest.raises(CommandFailed, match="it is CREATE_COMPLETE, or none of adweir"):
        stack_target(Where(stack="shop", region="eu-central-1"))


def test_without_a_region_it_is_asked_for(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/none")

    with pytest.raises(CommandFailed, match="in which region\\? Add --region NAME"):
        stack_target(Where(stack="prod"))


def test_a_profile_that_is_not_there_is_said_though_the_environment_has_credentials(aws: Any) -> None:
    with pytest.raises(CommandFailed, match=r"nobody.*could not be found"):
        stack_target(Where(stack="prod", profile="nobody"))

    assert "AWS_ACCESS_KEY_ID" not in os.environ, "the SDK would take it before the profile"


def test_the_queues_are_found_by_that_of_the_runs(settings: Settings) -> None:
    found = deployed(settings, RunsQueueUrl=f"{HOST}runs").settings()

    urls = found.queue_urls(REGISTRY)
    assert {url.removeprefix(HOST) for url in urls.values()} == set(urls)
    assert f"{HOST}dead-letters-landing" in found.dead_letter_urls(REGISTRY)


def test_who_stores_secrets_has_the_key_and_the_hosts_of_the_function_api(aws: Any, settings: Settings) -> None:
    iam = boto3.client("iam")
    role = iam.create_role(RoleName="api", AssumeRolePolicyDocument="{}", Path="/a/")["Role"]["Arn"]
    theirs = {
        "SECRETS_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/1",
        "SOURCE_HOSTS": "api.example.com",
        "PLATFORM_URLS": '{"meta_ads": {"api": "https://proxy.example.com"}}',
        "CATALOG_TABLE": "another",
    }
    code = {"ZipFile": b"PK\x05\x06" + bytes(18)}
    boto3.client("lambda").create_function(
        FunctionName="adweir-api", Role=role, Code=code, Environment={"Variables": theirs}, PackageType="Zip"
    )

    found = deployed(settings, RunsQueueUrl=f"{HOST}runs").app_of_api().settings

    assert found.secrets_key_arn == theirs["SECRETS_KEY_ARN"]
    assert found.platform_urls == {"meta_ads": {"api": "https://proxy.example.com"}}
    assert (found.source_hosts, found.source_buckets) == ("api.example.com", "")
    assert found.catalog_table == settings.catalog_table


def test_a_command_works_with_one_set_of_clients(settings: Settings) -> None:
    target = deployed(settings, RunsQueueUrl=f"{HOST}runs")

    assert target.app() is target.app()
