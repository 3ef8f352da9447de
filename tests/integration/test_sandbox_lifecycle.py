"""The sandbox for real: MiniStack, the template, the platforms' server, up and down."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from adweir.platforms import REGISTRY
from sandbox import lifecycle, processes
from sandbox.home import Home, states_of
from sandbox.lifecycle import Options
from sandbox.ministack import client_factory
from sandbox.platforms import stand_ins
from support.sandbox_copy import NAMES, copy_of_the_repository
from support.template import ROOT


def no_key(_description: dict[str, Any]) -> str:
    return "made once"


class Box:
    """A sandbox under test."""

    def __init__(self, folder: Path) -> None:
        self.root = copy_of_the_repository(folder)
        self.home = Home(folder / "home")
        self.up()

    def up(self) -> lifecycle.Up:
        found = lifecycle.up(self.home, self.root, Options(parameters={"TimeZone": "Europe/Berlin"}), no_key)
        self.description = found.description
        self.clients = client_factory(found.description["aws_endpoint_url"])
        return found

    def down(self) -> list[str]:
        return lifecycle.down(self.home)

    def get(self, path: str, key: str = "let-me-in") -> requests.Response:
        return requests.get(self.description["api_url"] + path, headers={"authorization": f"Bearer {key}"}, timeout=10)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    made = Box(tmp_path_factory.mktemp("sandbox"))
    yield made
    lifecycle.down(made.home, abandon=True)


@pytest.mark.parametrize("name", NAMES)
def test_each_function_answers_with_the_layer_it_needs(box: Box, name: str) -> None:
    answer = box.clients("lambda").invoke(
        FunctionName=f"adweir-{name.replace('_', '-')}", Payload=json.dumps({"body": "ping"}).encode()
    )
    assert "FunctionError" not in answer
    body = json.loads(json.loads(answer["Payload"].read())["body"])
    assert (body["layer"], body["body"]) == ("meta_ads", "ping")


def test_every_queue_is_drained_by_its_function(box: Box) -> None:
    sqs = box.clients("sqs")
    urls = [url for url in sqs.list_queues()["QueueUrls"] if "dead-letters" not in url]
    assert len(urls) == 10 + len(list(REGISTRY))
    for url in urls:
        sqs.send_message(QueueUrl=url, MessageBody="{}", MessageGroupId="one")
    deadline = time.monotonic() + 20
    left = set(urls)
    while left and time.monotonic() < deadline:
        for url in list(left):
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            if not any(int(count) for count in counts.values()):
                left.discard(url)
        time.sleep(0.1)
    assert not left


def test_the_api_takes_a_good_key_and_refuses_others(box: Box) -> None:
    assert box.get("/api/v1/runs").json()["function"] == "adweir-api"
    assert box.get("/api/v1/runs", key="guess").status_code == 403
    assert requests.get(box.description["api_url"] + "/api/v1/runs", timeout=10).status_code == 401


def test_a_webhooks_body_arrives_byte_by_byte(box: Box) -> None:
    body = '{"é": "\\u00e9",  "spaces":   1}'.encode()
    answer = requests.post(box.description["api_url"] + "/webhook/meta", data=body, timeout=10).json()
    assert answer["function"] == "adweir-webhooks"
    arrived = base64.b64decode(answer["body"]) if answer["base64"] else answer["body"].encode()
    assert arrived == body


def test_sandbox_json_keeps_its_contract(box: Box) -> None:
    """Others read this file: README, demo, benches and people's own scripts."""
    written = json.loads(box.home.description.read_text())
    assert box.home.description.stat().st_mode & 0o077 == 0
    assert set(written) == {
        "api_url", "api_key", "platforms_url", "platform_urls", "region", "stack", "accounts", "pace", "bind", "logs",
        "aws_endpoint_url", "aws_access_key_id", "aws_secret_access_key",
    }  # fmt: skip
    assert {"Bucket", "CatalogTable", "MetricsTable", "LedgerTable", "FindingsTable"} <= set(written["stack"])
    assert Path(written["logs"]) == box.home.path / "logs"
    assert {"ministack.log", "platforms.log", "clock.log"} <= {path.name for path in Path(written["logs"]).iterdir()}


def test_sandbox_json_has_a_body_to_post_for_each_credential(box: Box) -> None:
    for account in json.loads(box.home.description.read_text())["accounts"]:
        assert {"key", "company_name", "primary_contact_email", "credentials", "profile_ids"} <= set(account)
        names = {stand_in.platform for stand_in in stand_ins()}
        assert set(account["profile_ids"]) == names
        for name, body in account["credentials"].items():
            platform, _, label = name.partition(":")
            assert platform in names
            assert body["platform"] == platform
            assert body.get("label", "") == label
            assert account["profile_ids"][platform]


def test_each_platform_is_served_at_its_documented_paths_below_platforms_url(box: Box) -> None:
    root, account = box.description["platforms_url"], box.description["accounts"][0]
    meta, amazon = account["credentials"]["meta_ads"], account["credentials"]["amazon_ads"]
    graph = requests.get(f"{root}/v26.0/me", {"access_token": meta["access_token"]}, timeout=5)
    form = {k: amazon[k] for k in ("client_id", "client_secret", "refresh_token")} | {"grant_type": "refresh_token"}
    token = requests.post(f"{root}/auth/o2/token", form, timeout=5)
    assert (graph.status_code, token.status_code) == (200, 200)
    assert requests.get(f"{root}/nobody", timeout=5).status_code == 404


def test_adweir_status_names_the_processes_and_their_states(box: Box) -> None:
    assert states_of(box.home) == dict.fromkeys(("ministack", "platforms", "clock"), "running")


def test_the_built_in_schedules_have_the_zone_of_the_parameter_and_do_not_fire_unless_told(box: Box) -> None:
    scheduler = box.clients("scheduler")
    found = [scheduler.get_schedule(Name=each["Name"]) for each in scheduler.list_schedules()["Schedules"]]

    assert {each["ScheduleExpressionTimezone"] for each in found} == {"Europe/Berlin"}
    assert {each["State"] for each in found} == {"DISABLED"}
    assert len(found) == 4
    assert scheduler.get_schedule_group(Name="adweir")["State"] == "ACTIVE"


def test_up_again_starts_nothing_and_keeps_the_key(box: Box) -> None:
    before = box.description
    again = box.up()
    assert again.started == ()
    assert again.description == before


def test_changed_code_is_deployed_by_up(box: Box) -> None:
    app = box.root / "functions" / "api" / "app.py"
    app.write_text(app.read_text().replace('"version": "one"', '"version": "two"'))
    assert box.up().started == ()
    assert box.get("/api/v1/runs").json()["version"] == "two"


def test_state_survives_a_restart(box: Box) -> None:
    outputs, before = box.description["stack"], box.description
    item = {"pk": {"S": "account"}, "sk": {"S": "1"}, "name": {"S": "kept"}}
    box.clients("dynamodb").put_item(TableName=outputs["CatalogTable"], Item=item)
    box.clients("s3").put_object(Bucket=outputs["Bucket"], Key="mmm/kept", Body=b"bytes")

    assert box.down() == ["clock", "ministack", "platforms"]
    assert box.up().started == ("platforms", "ministack", "clock")

    assert box.description == before
    key = {"pk": item["pk"], "sk": item["sk"]}
    assert box.clients("dynamodb").get_item(TableName=outputs["CatalogTable"], Key=key)["Item"] == item
    assert box.clients("s3").get_object(Bucket=outputs["Bucket"], Key="mmm/kept")["Body"].read() == b"bytes"
    assert box.get("/api/v1/runs").status_code == 200


def test_ctrl_c_during_up_leaves_no_process_behind(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    command = [sys.executable, "-m", "ops.cli", "--home", str(home.path), "up"]
    child = subprocess.Popen(  # noqa: S603  our own command
        command, cwd=ROOT, stderr=subprocess.DEVNULL, env={"PYTHONPATH": f"{ROOT}/layers/core"}
    )
    while not home.running.exists() and child.poll() is None:
        time.sleep(0.01)
    started = processes.load(home.running)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=30) == 130
    started += processes.load(home.running)
    assert started
    assert not [process for process in started if process.alive()]
    assert not [p for p in psutil.process_iter() if str(home.path) in traces_of(p)]


def traces_of(process: psutil.Process) -> str:
    """Where a process can name its sandbox: MiniStack in its folder, the platforms' server in its arguments."""
    try:
        return " ".join([process.cwd(), *process.cmdline()])
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return ""


def test_down_without_up_stops_nothing(tmp_path: Path) -> None:
    assert lifecycle.down(Home(tmp_path / "never")) == []
