"""docs/threat-model.md names every door of the template, and tests that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from support.documents import code, names_of_tests, rows
from support.template import ROOT, listed, target, template

PAGE = "threat-model.md"
THREATS = (
    "Strangers at the API",
    "Client companies and employees at the API",
    "Webhooks",
    "Files, platforms and Amazon's stream",
    "Inside, and the build",
)


def doors() -> Iterator[str]:
    """What somebody may come in by who is not a function of the stack: routes, and policies that name others."""
    yield from (route["RouteKey"] for route in template().of("AWS::ApiGatewayV2::Route").values())
    for kind, guarded in (("AWS::SQS::QueuePolicy", "Queues"), ("AWS::SNS::TopicPolicy", "Topics")):
        for policy in template().of(kind).values():
            if any(allows(statement) for statement in policy["PolicyDocument"]["Statement"]):
                yield from (target(each) for each in policy[guarded])
    for name, role in template().of("AWS::IAM::Role").items():
        trusted = json.dumps(role["AssumeRolePolicyDocument"]["Statement"])
        if "lambda.amazonaws.com" not in trusted:
            yield name


def allows(statement: Any) -> bool:
    return any(each["Effect"] == "Allow" for each in listed(statement) if isinstance(each, dict))


def test_the_page_names_every_door_of_the_template_and_no_other() -> None:
    named = [name for cells in rows(PAGE, "The doors") for name in code(cells[0])]

    assert sorted(named) == sorted(doors())
    bucket = template().of("AWS::S3::BucketPolicy")["DataBucketPolicy"]["PolicyDocument"]["Statement"]
    assert not any(allows(statement) for statement in bucket)


def test_functions_have_no_address_of_their_own() -> None:
    """So that nothing passes by the gateway and its authorizer."""
    assert template().of("AWS::Lambda::Url") == {}
    assert "FunctionUrlConfig" not in json.dumps(template().source["Resources"], default=str)


def test_each_threat_has_what_stops_it_and_tests_that_exist() -> None:
    for heading in THREATS:
        for threat, stops, shown in rows(PAGE, heading):
            named = code(shown)
            assert threat, heading
            assert stops, threat
            assert named, threat
            assert set(named) - names_of_tests() == set(), threat


def test_every_table_of_threats_is_read() -> None:
    headings = re.findall(r"^## (.*)\n\n\| threat ", (ROOT / "docs" / PAGE).read_text(), re.MULTILINE)

    assert headings == list(THREATS)
