"""Stored workflows through the API and the command line: checked, stored, listed, run, joined, deleted."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from adweir.library.flows import Workflow
from adweir.model import limits
from adweir.model.messages import RUN_MESSAGE, StartRun
from adweir.pipeline.flow_forms import form_of, read
from adweir.store.catalog.workflows import StoredWorkflows
from support.api import Call, an_event
from support.bounds import at_the_bound
from support.command_line import Run, commands_on

PATH = "/api/v1/workflows/nightly"
BODY = {
    "about": "two branches",
    "stages": [
        {"name": "totals", "kind": "pull", "datasets": ["account_daily"], "after": ["google", "meta"]},
        {"name": "google", "kind": "pull", "datasets": ["ad_daily"], "platforms": ["google"], "on_failure": "skip"},
        {"name": "meta", "kind": "pull", "datasets": ["ad_daily"], "platforms": ["meta"], "threshold": 0.5},
        {"name": "digest", "kind": "digest", "after": ["totals"], "timeout_minutes": 5},
    ],
}


def put(call: Call, body: Any = BODY, expect: int = 200, path: str = PATH) -> Any:
    return call("PUT", path, body, expect=expect)


def sent(api: ModuleType) -> list[StartRun]:
    queue = api.app.settings.runs_queue_url
    found = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    messages = [RUN_MESSAGE.validate_json(message["Body"]) for message in found]
    return [message for message in messages if isinstance(message, StartRun)]


def test_a_workflow_is_stored_read_replaced_and_deleted(call: Call) -> None:
    first = call("POST", "/api/v1/workflows", BODY | {"name": "nightly"}, expect=201)
    call("POST", "/api/v1/workflows", BODY | {"name": "nightly"}, expect=409)
    again = put(call, BODY | {"about": "changed"})

    assert (first["version"], again["version"], again["about"], again["built_in"]) == (1, 2, "changed", False)
    assert [stage["name"] for stage in first["stages"]] == ["google", "meta", "totals", "digest"]
    assert first["warnings"] == ["no function for stages of the kind digest is deployed: stage digest is left out"]
    assert call("GET", PATH) == again
    listed = call("GET", "/api/v1/workflows")["workflows"]
    assert [each["name"] for each in listed if not each["built_in"]] == ["nightly"]
    assert call("GET", "/api/v1/workflows/daily")["stages"][1]["after"] == ["profiles"]
    assert call("DELETE", PATH)["status"] == "deleted"
    call("GET", PATH, expect=404)
    call("DELETE", PATH, expect=404)
    call("DELETE", "/api/v1/workflows/daily", expect=409)
    assert put(call, {"stages": first["stages"]})["version"] == 4, "what is answered can be stored"


def test_only_kinds_with_a_function_are_listed(call: Call, api: ModuleType) -> None:
    listed = {each["kind"] for each in call("GET", "/api/v1/stage-kinds")["stage_kinds"]}

    assert listed == set(api.app.stage_kinds)
    assert "digest" not in listed


def test_a_limited_key_sees_the_built_in_workflows_alone(call: Call, api: ModuleType, account_id: str) -> None:
    put(call)
    event = an_event("GET", "/api/v1/workflows", None, "read")
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = account_id

    listed = json.loads(api.handler(event, SimpleNamespace())["body"])["workflows"]

    assert {each["name"] for each in listed} >= {"daily", "hourly"}
    assert all(each["built_in"] for each in listed)


def test_every_change_is_in_the_audit(call: Call, api: ModuleType) -> None:
    put(call)
    call("DELETE", PATH)

    deeds, _ = api.app.ledger.audit.page(10, "")

    assert sorted((deed.action, deed.subject, deed.outcome) for deed in deeds) == [
        ("delete workflow", "nightly", "deleted"),
        ("store workflow", "nightly", "version 1"),
    ]


@at_the_bound("MAX_WORKFLOWS", as_if=3)
def test_workflows_have_an_end(call: Call, size: int, *, fits: bool) -> None:
    for number in range(size - 1):
        put(call, path=f"/api/v1/workflows/w{number}")

    put(call, path="/api/v1/workflows/last", expect=200 if fits else 409)
    put(call, path="/api/v1/workflows/w0")


@at_the_bound("MAX_WORKFLOW_BYTES", as_if=2000)
def test_a_workflow_has_a_size(call: Call, size: int, *, fits: bool) -> None:
    # given workflows of 2,000 bytes, or of one byte more, as they are stored
    stages = [{"name": f"a{number}", "kind": "etl"} for number in range(17)]
    kept = json.dumps(form_of(read("nightly", {"stages": stages})))
    name = "x" * (size - len(kept))
    assert len(name) <= limits.MAX_NAME_CHARS
    # when they are stored, then the larger is refused
    put(call, {"about": name, "stages": stages}, expect=200 if fits else 413)


def test_two_who_replace_a_workflow_at_the_same_moment_lose_nothing(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(call)
    fetch, others = StoredWorkflows._fetch, iter(["theirs"])

    def meanwhile(self: Any, pk: str, sk: str) -> Any:
        found = fetch(self, pk, sk)
        if pk == "workflows" and next(others, ""):
            api.app.catalog.put_workflow("nightly", '{"stages": [{"name": "theirs", "kind": "etl"}]}')
        return found

    monkeypatch.setattr(StoredWorkflows, "_fetch", meanwhile)

    assert put(call)["version"] == 3


# --- runs


def test_a_second_request_joins_the_run_that_is_open(call: Call, api: ModuleType) -> None:
    put(call)

    first = call("POST", f"{PATH}/runs", expect=202)["run_id"]
    second = call("POST", f"{PATH}/runs", expect=202)["run_id"]
    other = call("POST", f"{PATH}/runs", {"scope": {"platforms": ["meta"]}}, expect=202)["run_id"]

    assert first == second != other
    # asked for again as long as nobody has begun it: who was first may have died before asking
    assert [message.run_id for message in sent(api)].count(first) == 2
    api.app.engine.start(StartRun(workflow="nightly", scheduled_at=api.app.clock.now(), run_id=first, trigger="api"))
    sent(api)
    assert call("POST", f"{PATH}/runs", expect=202)["run_id"] == first
    assert sent(api) == []


def test_a_scope_names_what_the_workflow_pulls(call: Call) -> None:
    put(call)

    error = call("POST", f"{PATH}/runs", {"scope": {"datasets": ["keywords"]}}, expect=422)["error"]

    assert "'keywords' is not one of account_daily, ad_daily" in error["details"][0]["message"]
    assert "nightly" in call("POST", "/api/v1/workflows/weakly/runs", expect=422)["error"]["message"]


# --- the command line


@pytest.fixture
def adweir(api: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_on(SimpleNamespace(app=lambda: api.app), monkeypatch, group="workflows")


def test_the_command_line_stores_shows_runs_and_removes(adweir: Run, api: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "nightly.json"
    file.write_text(json.dumps(BODY))

    assert adweir("put", "nightly", str(file)).stdout.splitlines() == [
        "stored nightly, version 1",
        "  no function for stages of the kind digest is deployed: stage digest is left out",
    ]
    assert "nightly   stored    google, meta, totals, digest" in adweir("list").stdout
    assert "pull       pulls datasets from the platforms" in adweir("kinds").stdout
    shown = adweir("show", "nightly").stdout
    file.write_text(shown)
    assert "version 2" in adweir("put", "nightly", str(file)).stdout
    run_id = adweir("run", "nightly").stdout.strip()
    assert adweir("run", "nightly").stdout.strip() == run_id
    assert {message.run_id for message in sent(api)} == {run_id}
    assert adweir("remove", "nightly", "--yes").stdout == "deleted nightly\n"


def test_the_command_line_stores_what_the_fluent_form_writes_by_its_own_name_alone(adweir: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    form = Workflow.build("mine", "about").stage("days", "pull", datasets=["ad_daily"]).form()
    file.write_text(json.dumps(form))

    assert adweir("put", "mine", str(file)).stdout == "stored mine, version 1\n"
    said = adweir("put", "yours", str(file), expect=1).output

    assert "the workflow in the file is named 'mine': store it by that name" in said
    assert "unknown workflow 'yours'" in adweir("show", "yours", expect=1).output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nightly"), "unknown workflow 'nightly'"),
        (("remove", "nightly"), "there is no stored workflow 'nightly'"),
        (("remove", "daily"), "daily is a built-in workflow"),
        (("run", "nightly"), "unknown workflow 'nightly'"),
    ],
)
def test_the_command_line_says_what_is_wrong(adweir: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in adweir(*arguments, expect=1).output


def test_a_file_that_is_refused_names_every_fault(adweir: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text("{")
    assert "is not JSON" in adweir("put", "bad", str(file), expect=1).output
    file.write_text(json.dumps({"stages": [{"name": "a", "kind": "etl", "after": ["b"], "datasets": ["ads"]}]}))

    said = adweir("put", "daily", str(file), expect=1).output

    assert "name: daily is a built-in workflow" in said
    assert "stages.0.after: there is no stage 'b'; there are a" in said
    assert "stages.0.datasets: belongs to pull" in said
    file.write_text("x" * (limits.MAX_WORKFLOW_BYTES + 1))
    assert "more than 20000 bytes" in adweir("put", "bad", str(file), expect=1).output
