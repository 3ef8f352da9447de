"""What the template promises about its own text: its size, its loops, and what a platform or a function adds to it."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from adweir.platforms import REGISTRY
from adweir.runtime.settings import Settings, queue_part
from support.template import ROOT, Template, collect_platforms, expanded, listed, loops, template

TEXT = (ROOT / "template.yaml").read_text()
LINES = TEXT.splitlines()
MAX_LINES = 1900
MAX_BLOCK = 60
MAX_RESOURCES = 500
"""CloudFormation's limit per stack; it counts what the loops make."""

WORKERS = ("Etl", "Curate", "Detect", "Learn", "Enrich", "Features")
READERS = ("Orchestrate", "Collect", "PollReports", "Validate", *WORKERS, "Stream")
FUNCTIONS = ("Webhooks", "Authorize", "Api", *READERS)
QUEUES = ("Runs", "Reports", "Landing", *WORKERS, "Stream", *(f"Collect{queue_part(name)}" for name in REGISTRY))
EXPECTED = {
    "AWS::DynamoDB::Table": {"CatalogTable", "MetricsTable", "LedgerTable", "FindingsTable"},
    "AWS::SQS::Queue": {f"{queue}{kind}" for queue in QUEUES for kind in ("Queue", "DeadLetters")}
    | {"DeliveryDeadLetters"},
    "AWS::SQS::QueuePolicy": {f"{queue}{kind}Policy" for queue in QUEUES for kind in ("Queue", "DeadLetters")}
    | {"DeliveryDeadLettersPolicy"},
    "AWS::Lambda::EventSourceMapping": {f"{queue}Source" for queue in QUEUES},
    "AWS::Lambda::Function": {f"{function}Function" for function in FUNCTIONS},
    "AWS::IAM::Role": {f"{function}Role" for function in (*FUNCTIONS, "Scheduler")},
    "AWS::IAM::Policy": {f"{function}Policy" for function in FUNCTIONS}
    | {f"{function}Works" for function in WORKERS}
    | {"SeesNoTokens", "SeesNoKeys", "PutsEvents", "Tells", "SetsAside"},
    "AWS::Logs::LogGroup": {f"{function}Logs" for function in FUNCTIONS} | {"ApiAccessLogs"},
    "AWS::CloudWatch::Alarm": {
        f"{function}{what}" for function in FUNCTIONS for what in ("Errors", "Throttles", "Slow")
    }
    | {f"{queue}{what}" for queue in QUEUES for what in ("Age", "DeadLettersAlarm")}
    | {f"{function}Memory" for function in FUNCTIONS if function not in {"Webhooks", "Authorize"}}
    | {f"{alarm}Alarm" for alarm in template().written["Mappings"]["OwnAlarms"]}
    | {"DeliveryDeadLettersAlarm", "ApiFaults", "Heartbeat", "WatchSilent"},
    "AWS::Events::Rule": {f"{prefix}Landed" for prefix in ("Raw", "Webhooks", "Drops", "Stream")},
    "AWS::Scheduler::Schedule": {f"{workflow}Schedule" for workflow in ("Daily", "Weekly", "Hourly", "Sweep")},
    "AWS::Scheduler::ScheduleGroup": {"JobSchedules"},
    "AWS::ApiGatewayV2::Integration": {"ApiIntegration", "WebhooksIntegration"},
    "AWS::Lambda::Permission": {"ApiPermission", "WebhooksPermission", "AuthorizePermission"},
}
"""Every resource of a type that a loop makes, by its logical id."""


def block(logical_id: str) -> list[str]:
    """The lines of a resource that is written out, from its logical id to the next resource or comment."""
    begin = LINES.index(f"  {logical_id}:")
    end = next(n for n in range(begin + 1, len(LINES)) if re.match(r" {0,2}\S", LINES[n]))
    return LINES[begin:end]


def physical(value: Any) -> str:
    """A name as it is in a stack called adweir."""
    text = value["Fn::Sub"] if isinstance(value, dict) else value
    return str(text).replace("${AWS::StackName}", "adweir")


def names_of(suffix: str) -> set[str]:
    """The names of the queues whose logical id ends so."""
    queues = template().of("AWS::SQS::Queue")
    return {physical(queue["QueueName"]) for logical, queue in queues.items() if logical.endswith(suffix)}


def with_platform(name: str) -> Template:
    """The template with a name more, or several with commas between them, in its list of platforms."""
    listed = f"[{', '.join(collect_platforms())}]"
    assert TEXT.count(listed) == 1, "the platforms are one list"
    return expanded(TEXT.replace(listed, f"{listed[:-1]}, {name}]"))


def test_the_template_stays_readable() -> None:
    assert len(LINES) <= MAX_LINES


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_one_block_of_at_most_sixty_lines(function: str) -> None:
    readers = [
        logical
        for logical, source in template().of("AWS::Lambda::EventSourceMapping").items()
        if source["FunctionName"] == {"Ref": f"{function}Function"} and logical in template().written["Resources"]
    ]
    parts = [f"{function}Function", f"{function}Policy", *readers]
    written = list(template().written["Resources"])
    places = [written.index(part) for part in parts]
    assert places == list(range(places[0], places[0] + len(parts))), "its parts stand together"
    assert sum(len(block(part)) for part in parts) <= MAX_BLOCK


def test_the_loops_make_what_is_promised() -> None:
    made = {kind: set(template().of(kind)) for kind in EXPECTED}
    assert made == EXPECTED
    of_loops = {
        r["Type"] for name, r in template().source["Resources"].items() if name not in template().written["Resources"]
    }
    assert of_loops <= set(EXPECTED), "a type that a loop makes is promised above"


def test_nothing_of_a_loop_is_left_unreplaced() -> None:
    text = json.dumps(template().source)
    for identifier in loops().values():
        assert f"${{{identifier}}}" not in text
        assert f"&{{{identifier}}}" not in text


def test_loops_hold_no_code_because_packaging_looks_at_plain_resources_only() -> None:
    for name, resource in template().source["Resources"].items():
        if name not in template().written["Resources"]:
            assert not {"CodeUri", "ContentUri"} & set(resource["Properties"]), name


def test_what_a_resource_waits_for_is_in_the_template_before_sam_sees_it() -> None:
    """AWS::LanguageExtensions comes first and refuses a DependsOn on what only SAM will make."""
    known = template().source["Resources"]
    waiting = {name: listed(r["DependsOn"]) for name, r in known.items() if "DependsOn" in r}
    functions = {f"{function}Function": [f"{function}Policy"] for function in FUNCTIONS}
    assert waiting == functions | {"ApiStage": ["OpenApiRoute", "DocsRoute"]}
    assert {name for names in waiting.values() for name in names} <= set(known)
    assert template().written["Transform"] == ["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"]


def test_the_platforms_of_the_template_are_those_that_are_connected() -> None:
    assert sorted(collect_platforms()) == sorted(queue_part(platform) for platform in REGISTRY)


def test_a_platform_is_one_name_more_in_one_list() -> None:
    before, after = template().resources, with_platform("SixthAds").resources
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {
        "CollectSixthAdsQueue",
        "CollectSixthAdsQueuePolicy",
        "CollectSixthAdsDeadLetters",
        "CollectSixthAdsDeadLettersPolicy",
        "CollectSixthAdsDeadLettersAlarm",
        "CollectSixthAdsAge",
        "CollectSixthAdsSource",
    }


def test_ten_platforms_stay_far_from_the_limit_of_resources() -> None:
    more = [f"Platform{number}" for number in range(10 - len(collect_platforms()))]
    assert len(with_platform(", ".join(more)).resources) < MAX_RESOURCES * 2 / 3


def test_a_pattern_means_the_collect_queues_or_the_dead_letter_queues_and_never_both() -> None:
    collect = {
        physical(q["QueueName"])
        for name, q in template().of("AWS::SQS::Queue").items()
        if re.match(r"Collect\w+Queue$", name)
    }
    every = names_of("Queue") | names_of("DeadLetters")
    assert {name for name in every if fnmatchcase(name, "adweir-collect-*")} == collect
    assert {name for name in every if fnmatchcase(name, "adweir-dead-letters-*")} == names_of("DeadLetters")


def test_the_variables_with_patterns_name_the_queues_that_the_template_makes() -> None:
    variables = template().of("AWS::Lambda::Function")["ApiFunction"]["Environment"]["Variables"]
    given = Settings(
        runs_queue_url="https://q/adweir-runs",
        reports_queue_url="https://q/adweir-reports",
        landing_queue_url="https://q/adweir-landing",
        etl_queue_url="https://q/adweir-etl",
        curate_queue_url="https://q/adweir-curate",
        detect_queue_url="https://q/adweir-detect",
        learn_queue_url="https://q/adweir-learn",
        enrich_queue_url="https://q/adweir-enrich",
        features_queue_url="https://q/adweir-features",
        stream_queue_url="https://q/adweir-stream",
        collect_queues=physical(variables["COLLECT_QUEUES"]),
        dead_letter_queues=physical(variables["DEAD_LETTER_QUEUES"]),
    )
    assert {url.rpartition("/")[2] for url in given.queue_urls(REGISTRY).values()} == names_of("Queue")
    assert {url.rpartition("/")[2] for url in given.dead_letter_urls(REGISTRY)} == names_of("DeadLetters")


@pytest.mark.parametrize("function", template().of("AWS::Lambda::Function"))
def test_a_function_that_gets_the_collect_queues_may_use_them(function: str) -> None:
    gets_them = "COLLECT_QUEUES" in template().of("AWS::Lambda::Function")[function]["Environment"]["Variables"]
    policy = template().of("AWS::IAM::Policy")[function.replace("Function", "Policy")]
    assert gets_them is (":${AWS::StackName}-collect-*" in json.dumps(policy))
