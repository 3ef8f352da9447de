"""Storage, bus, schedules and the HTTP API, over the expanded template."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adweir.model.deliveries import LEAD_BODIES
from adweir.model.messages import RUN_MESSAGE, StartRun
from adweir.pipeline.workflows import WORKFLOWS
from adweir.runtime.http import HARDENED
from support.template import ROOT, listed, statements, target, template

TABLES = template().of("AWS::DynamoDB::Table")
BUCKETS = template().of("AWS::S3::Bucket")
RULES = template().of("AWS::Events::Rule")
SCHEDULES = template().of("AWS::Scheduler::Schedule")
ROUTES = template().of("AWS::ApiGatewayV2::Route")


def test_there_are_four_tables() -> None:
    assert set(TABLES) == {"CatalogTable", "MetricsTable", "LedgerTable", "FindingsTable"}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_on_demand_recoverable_encrypted_and_kept(name: str) -> None:
    table, resource = TABLES[name], template().resources[name]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]


def test_only_the_ledger_forgets() -> None:
    forgetting = {n: t["TimeToLiveSpecification"] for n, t in TABLES.items() if "TimeToLiveSpecification" in t}
    assert forgetting == {"LedgerTable": {"AttributeName": "expires", "Enabled": True}}


def test_the_bucket_is_private_versioned_encrypted_and_kept() -> None:
    (bucket,) = BUCKETS.values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]
    assert bucket["LifecycleConfiguration"]["Rules"]
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert template().resources["DataBucket"]["DeletionPolicy"] == "Retain"


def test_bodies_about_persons_go_with_all_versions_and_no_role_may_read_them() -> None:
    (bucket,) = BUCKETS.values()
    (rule,) = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule.get("Prefix") == LEAD_BODIES]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", {"Ref": "PersonalDataDays"})
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    granted = {
        (role, action)
        for role in template().of("AWS::IAM::Role")
        for statement in statements(role)
        for resource in map(json.dumps, listed(statement["Resource"]))
        if LEAD_BODIES in resource or '"${DataBucket.Arn}/*"' in resource or resource == '"*"'
        for action in listed(statement["Action"])
        if action.startswith(("s3:", "*"))
    }
    assert granted == {("WebhooksRole", "s3:PutObject")}


def test_the_bucket_takes_modern_tls_only() -> None:
    (policy,) = template().of("AWS::S3::BucketPolicy").values()
    denials = policy["PolicyDocument"]["Statement"]
    assert [(d["Effect"], d["Action"], d["Condition"]) for d in denials] == [
        ("Deny", "s3:*", {"Bool": {"aws:SecureTransport": "false"}}),
        ("Deny", "s3:*", {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    ]


def test_objects_under_four_prefixes_and_no_others_wait_for_validate() -> None:
    landing = [r for r in RULES.values() if r["EventPattern"]["source"] == ["aws.s3"]]
    prefixes = [p["prefix"] for r in landing for p in r["EventPattern"]["detail"]["object"]["key"]]
    assert sorted(prefixes) == ["drops/", "raw/", "stream/", "webhooks/"]
    assert {target(t["Arn"]) for r in landing for t in r["Targets"]} == {"LandingQueue"}
    assert not any("EventBusName" in r for r in landing), "S3 speaks on the default bus"


def test_people_get_words_and_no_events() -> None:
    """Alarms and breaches say in words what is wrong, once per cause; an event would come as JSON, per load."""
    assert not [name for name, rule in RULES.items() for each in rule["Targets"] if target(each["Arn"]) == "AlarmTopic"]
    (policy,) = template().of("AWS::SNS::TopicPolicy").values()
    allowed = [each["Principal"] for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    assert allowed == [{"Service": "cloudwatch.amazonaws.com"}]


@pytest.mark.parametrize("name", RULES)
def test_what_a_rule_cannot_deliver_is_kept(name: str) -> None:
    for rule_target in RULES[name]["Targets"]:
        assert target(rule_target["DeadLetterConfig"]["Arn"]) == "DeliveryDeadLetters"
        assert rule_target["RetryPolicy"]


@pytest.mark.parametrize("name", RULES)
def test_a_queue_lets_in_the_rules_that_target_it(name: str) -> None:
    policies = template().of("AWS::SQS::QueuePolicy")
    for rule_target in RULES[name]["Targets"]:
        for queue in {target(rule_target["Arn"]), "DeliveryDeadLetters"}:
            (let_in,) = [
                s
                for policy in policies.values()
                if target(policy["Queues"][0]) == queue
                for s in policy["PolicyDocument"]["Statement"]
                if s["Effect"] == "Allow"
            ]
            assert name in [target(arn) for arn in listed(let_in["Condition"]["ArnEquals"]["aws:SourceArn"])]


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_has_a_time_zone_a_retry_policy_and_dead_letters_and_feeds_the_runs_queue(name: str) -> None:
    schedule = SCHEDULES[name]
    assert schedule["ScheduleExpressionTimezone"] == {"Ref": "TimeZone"}
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert target(schedule["Target"]["DeadLetterConfig"]["Arn"]) == "DeliveryDeadLetters"
    assert target(schedule["Target"]["Arn"]) == "RunsQueue"


@pytest.mark.parametrize("name", SCHEDULES)
def test_what_a_schedule_sends_is_a_message_that_orchestrate_understands(name: str) -> None:
    text = SCHEDULES[name]["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-21T05:30:00Z")
    message = RUN_MESSAGE.validate_json(text)
    if isinstance(message, StartRun):
        assert message.workflow in WORKFLOWS


def test_no_legacy_scheduled_rule() -> None:
    assert not [name for name, rule in RULES.items() if "ScheduleExpression" in rule]


def test_the_api_asks_for_a_key_and_the_other_doors_do_not() -> None:
    doors = {route["RouteKey"]: route["AuthorizationType"] for route in ROUTES.values()}
    assert doors == {
        "ANY /api/{proxy+}": "CUSTOM",
        "ANY /mcp": "CUSTOM",
        "GET /openapi.json": "NONE",
        "GET /docs": "NONE",
        "ANY /webhook/{proxy+}": "NONE",
    }


def test_keys_are_checked_by_a_lambda_whose_answer_holds_for_a_minute() -> None:
    (authorizer,) = template().of("AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["AuthorizerType"] == "REQUEST"
    assert authorizer["EnableSimpleResponses"] is True
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    assert authorizer["AuthorizerResultTtlInSeconds"] == 60


def test_the_stage_throttles_and_keeps_an_access_log_without_headers() -> None:
    (stage,) = template().of("AWS::ApiGatewayV2::Stage").values()
    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= set(stage["DefaultRouteSettings"])
    fields: dict[str, Any] = json.loads(stage["AccessLogSettings"]["Format"])
    assert "$context.status" in fields.values()
    assert "authorization" not in json.dumps(fields).lower()


def test_public_pages_are_throttled_on_their_own_and_exist_before_their_settings() -> None:
    """Given routes that anybody may ask for, one that is large has its own low rate."""
    (stage,) = template().of("AWS::ApiGatewayV2::Stage").values()
    public = {route["RouteKey"] for route in ROUTES.values() if route["AuthorizationType"] == "NONE"}
    assert set(stage["RouteSettings"]) == public - {"ANY /webhook/{proxy+}"}
    for settings in stage["RouteSettings"].values():
        assert settings["ThrottlingRateLimit"] <= 2
        assert settings["ThrottlingBurstLimit"] <= 10
    routes = {name for name, route in ROUTES.items() if route["RouteKey"] in stage["RouteSettings"]}
    assert set(listed(template().resources["ApiStage"]["DependsOn"])) == routes


def test_cfn_lint_finds_nothing() -> None:
    from cfnlint.api import lint_file  # half a second for each process that collects this file
    from cfnlint.config import ManualArgs

    findings = lint_file(ROOT / "template.yaml", ManualArgs(regions=["us-east-1", "eu-central-1"]))
    assert [str(finding) for finding in findings] == []


def test_no_origin_but_its_own_may_read_the_api_in_a_browser() -> None:
    (api,) = template().of("AWS::ApiGatewayV2::Api").values()

    assert "CorsConfiguration" not in api
    assert not [name for name in HARDENED if name.startswith("Access-Control")]
