"""Functions, their settings, logs and alarms, over the expanded template."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from adweir.model.operation_metrics import OperationMetric
from adweir.runtime.settings import Settings
from support.template import PACES, ROOT, target, template

FUNCTIONS = template().of("AWS::Lambda::Function")
ALARMS = template().of("AWS::CloudWatch::Alarm")
OWN = [name for name, alarm in ALARMS.items() if alarm["Namespace"] == "adweir"]
LOGS = template().of("AWS::Logs::LogGroup")
TIMEOUTS = {
    "WebhooksFunction": 10,
    "AuthorizeFunction": 5,
    "ApiFunction": 29,
    "OrchestrateFunction": 60,
    "CollectFunction": 300,
    "PollReportsFunction": 120,
    "ValidateFunction": 300,
    "EtlFunction": 600,
    "CurateFunction": 600,
    "DetectFunction": 600,
    "LearnFunction": 600,
    "EnrichFunction": 600,
    "FeaturesFunction": 600,
    "StreamFunction": 60,
}


def alarms_of(function: str, metric: str, pace: str = "aws") -> list[dict[str, Any]]:
    return [
        alarm
        for alarm in template(pace).of("AWS::CloudWatch::Alarm").values()
        if alarm.get("MetricName") == metric
        and alarm.get("Namespace") == "AWS/Lambda"
        and target(alarm["Dimensions"][0]["Value"]) == function
    ]


def test_the_functions_and_their_time_outs_are_the_expected_ones() -> None:
    assert {name: template().number(f["Timeout"]) for name, f in FUNCTIONS.items()} == TIMEOUTS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_runtime_architecture_handler_and_tracing(name: str) -> None:
    function = FUNCTIONS[name]
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == [{"Ref": "Architecture"}]
    assert function["Handler"] == "app.handler"
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert template().source["Parameters"]["Architecture"]["Default"] == "arm64"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_logs_to_a_group_of_its_own_that_forgets(name: str) -> None:
    group = LOGS[target(FUNCTIONS[name]["LoggingConfig"]["LogGroup"])]
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    users = [n for n, f in FUNCTIONS.items() if f["LoggingConfig"] == FUNCTIONS[name]["LoggingConfig"]]
    assert users == [name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_variable_is_a_setting_that_the_code_reads(name: str) -> None:
    libraries = {"AWS_ENDPOINT_URL", "OPENBLAS_NUM_THREADS", "PYDANTIC_DISABLE_PLUGINS"}
    known = {field.upper() for field in Settings.model_fields} | libraries
    assert set(FUNCTIONS[name]["Environment"]["Variables"]) <= known


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_knows_its_own_time_out(name: str, pace: str) -> None:
    function = template(pace).of("AWS::Lambda::Function")[name]
    assert function["Environment"]["Variables"]["FUNCTION_TIMEOUT_SECONDS"] == function["Timeout"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_on_aws_no_function_gets_another_endpoint(name: str) -> None:
    """They are written in the template, empty: `sam local` sets only variables that are there."""
    variables = FUNCTIONS[name]["Environment"]["Variables"]
    assert (variables["AWS_ENDPOINT_URL"], variables["PLATFORM_URLS"]) == ("", "")
    here = template("sandbox").of("AWS::Lambda::Function")[name]["Environment"]["Variables"]
    assert here["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


def test_only_what_computes_carries_the_analytics_layer() -> None:
    heavy = [name for name, function in FUNCTIONS.items() if "AnalyticsLayer" in json.dumps(function["Layers"])]
    # Of validate, only the process that reads Parquet imports it.
    assert heavy == ["ValidateFunction", "EtlFunction", "CurateFunction", "FeaturesFunction"]
    assert all("CoreLayer" in json.dumps(function["Layers"]) for function in FUNCTIONS.values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_and_throttles_ring_an_alarm(name: str) -> None:
    (errors,) = alarms_of(name, "Errors")
    assert (errors["Statistic"], errors["Threshold"]) == ("Average", 0.01)
    (throttles,) = alarms_of(name, "Throttles")
    assert throttles["Threshold"] == 0


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_p99_of_four_fifths_of_the_time_out_rings_an_alarm(name: str, pace: str) -> None:
    (slow,) = alarms_of(name, "Duration", pace)
    assert slow["ExtendedStatistic"] == "p99"
    timeout = template(pace).of("AWS::Lambda::Function")[name]["Timeout"]
    assert template().number(slow["Threshold"]) == 800 * template().number(timeout)


@pytest.mark.parametrize("name", OWN)
def test_an_alarm_on_our_own_metrics_watches_one_that_functions_write(name: str) -> None:
    """A misspelt name would never ring."""
    assert ALARMS[name]["MetricName"] in list(OperationMetric)
    (dimension,) = ALARMS[name]["Dimensions"]
    assert dimension == {"Name": "service", "Value": "adweir"} or dimension["Name"] == "function"


def test_a_function_that_measures_its_memory_rings_at_85_percent_under_its_own_name() -> None:
    """The dimension is what the function calls itself: `build("poll_reports")`."""
    rings = {alarm["Dimensions"][0]["Value"] for alarm in ALARMS.values() if alarm["MetricName"] == "MemoryPeakPercent"}
    apps = {path.parent.name: path.read_text() for path in (ROOT / "functions").glob("*/app.py")}

    looks = ("workers.", "app.memory.look()", "app.ended()")
    assert rings == {name for name, code in apps.items() if any(word in code for word in looks)}
    assert all(f'build("{name}")' in apps[name] for name in rings)
    assert {alarm["Threshold"] for alarm in ALARMS.values() if alarm["MetricName"] == "MemoryPeakPercent"} == {85}


def test_silence_is_a_fault() -> None:
    heartbeat = ALARMS["Heartbeat"]
    assert (heartbeat["MetricName"], heartbeat["TreatMissingData"]) == ("PullsLoaded", "breaching")
    assert heartbeat["EvaluationPeriods"] == {"Ref": "HeartbeatHours"}
    assert heartbeat["Period"] == 3600
    silent = ALARMS["WatchSilent"]
    assert (silent["MetricName"], silent["TreatMissingData"]) == ("SweepsEnded", "breaching")
    assert silent["Period"] * silent["EvaluationPeriods"] == 1800


def test_an_alarm_on_a_state_outlasts_a_missing_look_and_one_on_events_ends_without_them() -> None:
    states = {name: ALARMS[name] for name in OWN if ALARMS[name]["Statistic"] in {"Maximum", "Minimum"}}
    assert set(states) >= {
        "RunFailedAlarm",
        "RunPartialAlarm",
        "CredentialBrokenAlarm",
        "CredentialEndsAlarm",
        "BrakeStaysAlarm",
    }
    assert {alarm["TreatMissingData"] for alarm in states.values()} <= {"ignore", "notBreaching"}
    assert ALARMS["MessageQuarantinedAlarm"]["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_notifies_the_alarm_topic(name: str) -> None:
    assert [target(action) for action in ALARMS[name]["AlarmActions"]] == ["AlarmTopic"]
    assert [target(action) for action in ALARMS[name]["OKActions"]] == ["AlarmTopic"]


def shown() -> set[str]:
    """The metrics on the dashboard."""
    (dashboard,) = template().of("AWS::CloudWatch::Dashboard").values()
    body = re.sub(r"\$\{[^}]+\}", "x", dashboard["DashboardBody"]["Fn::Sub"])
    lines = [line for widget in json.loads(body)["widgets"] for line in widget["properties"]["metrics"]]
    searched = {name for line in lines for name in re.findall(r'MetricName="(\w+)"', str(line[0]))}
    return searched | {line[1] for line in lines if len(line) > 2}


def test_the_dashboard_shows_each_metric_of_ours_and_what_every_alarm_watches() -> None:
    assert set(OperationMetric) - shown() == set()
    assert {alarm["MetricName"] for alarm in ALARMS.values()} - shown() == set()


def test_our_metrics_are_named_alike_and_each_is_written_somewhere() -> None:
    """A plural and what is said of it; a share ends in Percent."""
    code = "".join(path.read_text() for path in (ROOT / "layers/core/adweir").rglob("*.py"))
    code += "".join(path.read_text() for path in (ROOT / "functions").rglob("*.py"))

    for metric in OperationMetric:
        assert re.fullmatch(r"([A-Z][a-z]+)+s[A-Z][a-z]+|([A-Z][a-z]+)+Percent", metric), metric
        assert re.search(rf"\b(M|OperationMetric)\.{metric.name}\b", code), f"{metric} is not written"


def test_every_function_of_the_template_has_its_folder() -> None:
    for resource in template().source["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            assert (ROOT / resource["Properties"]["CodeUri"] / "app.py").is_file()
