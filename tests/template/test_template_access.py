"""Least privilege: who may do what, over the expanded template."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from support.template import listed, statements, target, template

ROLES = template().of("AWS::IAM::Role")
FUNCTIONS = template().of("AWS::Lambda::Function")
MANAGED = template().of("AWS::IAM::ManagedPolicy")
TOKEN_READERS = {"CollectRole", "PollReportsRole"}
READS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}


def allowed(role: str) -> list[dict[str, Any]]:
    return [statement for statement in statements(role) if statement["Effect"] == "Allow"]


def actions_on(role: str, resource: str) -> set[str]:
    """What a role may do on a resource by logical id."""
    return {
        action
        for statement in allowed(role)
        if any(resource in target(r) for r in listed(statement["Resource"]))
        for action in listed(statement["Action"])
    }


def test_each_function_has_a_role_of_its_own() -> None:
    roles = [target(function["Role"]) for function in FUNCTIONS.values()]
    assert len(set(roles)) == len(FUNCTIONS) == 14


def test_no_role_was_generated_and_none_carries_a_managed_policy_of_aws() -> None:
    assert set(ROLES) <= set(template().source["Resources"])
    attached = {target(arn) for role in ROLES.values() for arn in role.get("ManagedPolicyArns", [])}
    assert attached == set(MANAGED) == {"TracingPolicy"}


@pytest.mark.parametrize("role", ROLES)
def test_no_statement_allows_every_resource(role: str) -> None:
    for statement in allowed(role):
        assert "*" not in listed(statement["Resource"]), statement
        assert "NotResource" not in statement


@pytest.mark.parametrize("role", ROLES)
def test_a_pattern_of_resources_stays_within_the_stack(role: str) -> None:
    for statement in allowed(role):
        for resource in listed(statement["Resource"]):
            text = target(resource)
            if "*" in text:
                within = r"\$\{DataBucket\.Arn\}/\w+/((\w+|\*)/)*|[:/]\$\{AWS::StackName\}(/(\w+/)?|-[a-z-]+-)"
                assert re.search(rf"({within})\*\"\}}$", text), text


@pytest.mark.parametrize("role", ROLES)
def test_every_allowed_action_is_named_in_full(role: str) -> None:
    for statement in allowed(role):
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        assert "NotAction" not in statement


def test_only_tracing_has_no_resource_because_x_ray_knows_none() -> None:
    (statement,) = MANAGED["TracingPolicy"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == "*"
    assert set(statement["Action"]) == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"SchedulerRole"} - TOKEN_READERS))
def test_access_tokens_in_the_ledger_are_closed_to_others(role: str) -> None:
    if not actions_on(role, "LedgerTable"):
        return
    (denial,) = [s for s in statements(role) if s.get("Sid") == "NoAccessTokens"]
    assert denial["Effect"] == "Deny"
    assert target(denial["Resource"]) == "LedgerTable"
    assert denial["Action"] == "dynamodb:*"
    assert denial["Condition"] == {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["token#*"]}}


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"SchedulerRole", "ApiRole", "AuthorizeRole"}))
def test_what_works_on_data_can_neither_read_nor_make_an_api_key(role: str) -> None:
    (denial,) = [s for s in statements(role) if s.get("Sid") == "NoApiKeys"]
    assert denial["Effect"] == "Deny"
    assert target(denial["Resource"]) == "CatalogTable"
    assert denial["Action"] == "dynamodb:*"
    assert denial["Condition"] == {"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": ["keys"]}}


def test_the_webhooks_read_the_catalog_and_write_nothing_in_it() -> None:
    assert actions_on("WebhooksRole", "CatalogTable") <= READS


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_scan_a_table_so_key_conditions_cannot_be_bypassed(role: str) -> None:
    assert "dynamodb:Scan" not in {action for s in allowed(role) for action in listed(s["Action"])}


def test_only_parts_of_registers_and_tables_for_sql_may_be_deleted_from_the_bucket_each_by_its_writer() -> None:
    deleted = {
        (role, re.sub(r".*DataBucket.Arn}/(.*)\"}", r"\1", target(resource)))
        for role in ROLES
        for statement in allowed(role)
        for action in listed(statement["Action"])
        if action.startswith("s3:Delete")
        for resource in listed(statement["Resource"])
    }
    assert deleted == {("ValidateRole", "registers/*"), ("CurateRole", "curated/*")}


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"ValidateRole"}))
def test_only_validate_writes_metrics(role: str) -> None:
    assert actions_on(role, "MetricsTable") <= READS


def test_the_authorizer_reads_one_item_and_no_more() -> None:
    assert actions_on("AuthorizeRole", "CatalogTable") == {"dynamodb:GetItem"}
    assert {a for s in allowed("AuthorizeRole") for a in listed(s["Action"])} == {
        "dynamodb:GetItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_each_function_may_use_only_the_secrets_that_it_needs() -> None:
    """Webhooks' secrets at the door, credentials where platforms are asked; the API stores both, reads the first."""
    found = {
        (role, action.removeprefix("secretsmanager:"), kind)
        for role in ROLES
        for statement in allowed(role)
        for action in listed(statement["Action"])
        if action.startswith("secretsmanager:")
        for kind in re.findall(r"secret:\$\{AWS::StackName\}/([^\"]*)", json.dumps(statement["Resource"]))
    }
    writing = {"DescribeSecret", "CreateSecret", "PutSecretValue", "DeleteSecret", "RestoreSecret"}
    assert found == {
        ("WebhooksRole", "GetSecretValue", "webhook/*"),
        ("CollectRole", "GetSecretValue", "credential/*"),
        ("PollReportsRole", "GetSecretValue", "credential/*"),
        ("ApiRole", "GetSecretValue", "webhook/*"),
    } | {("ApiRole", action, kind) for action in writing for kind in ("webhook/*", "credential/*")}


def test_the_api_opens_what_its_answers_are_made_of_and_writes_exports_dropped_messages_and_records_only() -> None:
    """`as_known_at` reads changes, media-mix datasets are linked, quarantined messages are listed, records that are
    handed over are dropped like files, and registers say which orders are known (as hashes).

    Of refused rows and the rest of the bucket it sees nothing.
    """
    opened = {
        (action, re.sub(r".*DataBucket.Arn}/(.*)/\*.*", r"\1", target(resource)))
        for statement in allowed("ApiRole")
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if "DataBucket.Arn}/" in target(resource)
    }
    assert {prefix for action, prefix in opened if action == "s3:GetObject"} == {
        "aggregates",
        "changes",
        "exports",
        "mmm",
        "quarantine",
        "registers",
    }
    put = {prefix for action, prefix in opened if action == "s3:PutObject"}
    assert put == {"drops/*/records", "exports", "quarantine/messages"}


@pytest.mark.parametrize("role", ROLES)
def test_what_is_put_on_the_bus_says_that_it_is_ours(role: str) -> None:
    for statement in allowed(role):
        if "events:PutEvents" in listed(statement["Action"]):
            assert statement["Condition"] == {"StringEquals": {"events:source": "adweir"}}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_gets_only_tables_queues_and_buckets_that_it_may_use(name: str) -> None:
    may = json.dumps(list(statements(target(FUNCTIONS[name]["Role"]))))
    may += "DataBucket" if name == "OrchestrateFunction" else ""  # it names the bucket in messages and never opens it
    for value in FUNCTIONS[name]["Environment"]["Variables"].values():
        named = target(value)
        if named.endswith(("Table", "Queue", "Bucket", "DeadLetters")) or named == "Bus":
            assert named in may, f"{name} gets {named} but may not use it"


def test_only_the_api_makes_schedules_of_one_group_that_run_as_the_scheduler() -> None:
    granted = {
        (role, action, json.dumps(statement["Resource"]), json.dumps(statement.get("Condition")))
        for role in ROLES
        for statement in allowed(role)
        for action in listed(statement["Action"])
        if action.startswith(("scheduler:", "iam:"))
    }
    (passed,) = [grant for grant in granted if grant[1].startswith("iam:")]
    schedules = granted - {passed}

    assert passed[:2] == ("ApiRole", "iam:PassRole")
    assert "SchedulerRole" in passed[2]
    assert passed[3] == json.dumps({"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}})
    assert {grant[:2] for grant in schedules} == {
        ("ApiRole", f"scheduler:{verb}Schedule") for verb in ("Create", "Update", "Delete")
    }
    assert all(":schedule/${AWS::StackName}/*" in grant[2] for grant in schedules)
    assert template().of("AWS::Scheduler::ScheduleGroup") == {"JobSchedules": {"Name": {"Ref": "AWS::StackName"}}}


def test_the_api_deletes_jobs_and_nothing_else() -> None:
    (statement,) = [s for s in allowed("ApiRole") if "dynamodb:DeleteItem" in listed(s["Action"])]

    assert target(statement["Resource"]) == "CatalogTable"
    assert statement["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["jobs"]}}


def test_the_scheduler_may_send_to_its_queue_and_its_dead_letters_only() -> None:
    (statement,) = allowed("SchedulerRole")
    assert statement["Action"] == "sqs:SendMessage"
    assert {target(r) for r in statement["Resource"]} == {"RunsQueue", "DeliveryDeadLetters"}
