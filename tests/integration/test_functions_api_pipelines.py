"""Pipelines through the API, the command line and jobs: arguments in, a result out."""

from __future__ import annotations

import json
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.model.entities import Profile
from adweir.model.messages import Scope, StartRun
from adweir.model.platforms import Platform
from adweir.model.runs import RunState
from adweir.model.times import iso
from adweir.pipeline.flow_forms import flow_of
from support.api import Call, fill, sent
from support.command_line import Run, commands_on

RUNS = "/api/v1/workflows/{}/runs"
META = Platform("meta_ads")
WEEK = {"start": "2026-11-01", "end": "2026-11-07"}
DEFAULTS = {"validate": True, "enrich": False, "destination": "database"}


@pytest.fixture
def environment(environment: dict[str, str], job_schedules: dict[str, str]) -> dict[str, str]:
    return environment | job_schedules


@pytest.fixture
def adweir(api: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_on(SimpleNamespace(app=lambda: api.app), monkeypatch)


def ask(call: Call, name: str, args: dict[str, Any], expect: int = 202, **scope: Any) -> Any:
    return call("POST", RUNS.format(name), {"args": args} | ({"scope": scope} if scope else {}), expect=expect)


def refused(call: Call, name: str, args: dict[str, Any], **scope: Any) -> dict[str, str]:
    error = ask(call, name, args, 422, **scope)["error"]
    return {each["field"]: each["message"] for each in error["details"]}


def only(api: ModuleType) -> StartRun:
    (message,) = sent(api)
    assert isinstance(message, StartRun)
    return message


def begin(api: ModuleType, message: StartRun) -> None:
    api.app.engine.start(message)
    sent(api)


# --- asked for


def test_arguments_say_what_a_run_covers_and_the_run_shows_them(call: Call, api: ModuleType, account_id: str) -> None:
    args = {"source_platform": "facebook", "account_id": account_id, "date_range": WEEK, "batch_size": 3}

    asked = ask(call, "ad", args)

    missing = {"reconcile"} - set(api.app.stage_kinds)
    assert asked["warnings"] == [
        f"no function for stages of the kind {kind} is deployed: stage {kind} is left out" for kind in missing
    ]
    message = only(api)
    assert message.run_id == asked["run_id"]
    days = {"start": "2026-11-01", "end": "2026-11-07"}
    assert message.scope == Scope(accounts=(account_id,), platforms=("meta_ads",), **days)
    begin(api, message)
    shown = call("GET", f"/api/v1/runs/{asked['run_id']}")
    assert shown["args"] == args | DEFAULTS | {"source_platform": "meta_ads"}
    assert shown["result"] is None
    run = api.app.ledger.get_run(asked["run_id"])
    assert [stage.name for stage in flow_of(run).stages] == ["profiles", "ads", "totals", "reconcile"]


def test_without_arguments_it_covers_everything_with_the_defaults(call: Call, api: ModuleType) -> None:
    asked = call("POST", RUNS.format("platform"), expect=202)

    message = only(api)
    assert (message.scope, message.args) == (Scope(), DEFAULTS)
    assert ask(call, "platform", {"validate": True, "account_id": None})["run_id"] == asked["run_id"]


def test_what_is_not_deployed_is_warned_of_and_left_out_of_the_run(call: Call, api: ModuleType) -> None:
    asked = ask(call, "account", {"validate": False, "enrich": True, "destination": "feature_store"})

    named = {"enrich", "features"} - set(api.app.stage_kinds)
    assert {each.split()[7].rstrip(":") for each in asked["warnings"]} == named
    begin(api, message := StartRun.model_validate(message_of(api, asked["run_id"])))
    flow = flow_of(api.app.ledger.get_run(message.run_id))
    assert [stage.name for stage in flow.stages] == ["profiles", "totals", "enrich", "features"]


def message_of(api: ModuleType, run_id: str) -> dict[str, Any]:
    message = only(api)
    assert message.run_id == run_id
    return message.model_dump()


@pytest.mark.usefixtures("account_id")
def test_every_fault_is_named_with_its_argument_and_nothing_is_asked_for(call: Call, api: ModuleType) -> None:
    fill(api)
    bad = {"source_platform": "myspace", "account_id": "acc_x", "batch_size": 0, "colour": "red", "validate": "x"}

    found = refused(call, "ad", bad | {"date_range": {"start": "2011-01-01", "end": "2027-01-01"}}, datasets=["dogs"])

    assert {name: said[:30] for name, said in found.items()} == {
        "args.source_platform": "unknown platform 'myspace'; known: x"[:30],
        "args.account_id": "there is no account acc_x",
        "args.batch_size": "Input should be greater than or equal to 1"[:30],
        "args.colour": "is no argument of ad; known: source_platform"[:30],
        "args.validate": "Input should be a valid boolean"[:30],
        "args.date_range.start": "more than 1830 days ago: no platform"[:30],
        "args.date_range.end": "is in the future",
        "datasets": "'dogs' is not one of account_daily"[:30],
    }
    assert refused(call, "daily", {"validate": True}) == {
        "args.validate": "workflow daily takes no arguments; these do: ad, account, platform"
    }
    twice = {"source_platform": "meta", "account_id": "111", "date_range": WEEK}
    assert {*refused(call, "ad", twice, platforms=["meta"], accounts=["acc"], start="2026-11-01")} == {
        "args.source_platform",
        "args.account_id",
        "args.date_range",
    }
    assert sent(api) == []


def test_a_stored_workflow_takes_no_arguments(call: Call) -> None:
    stages = [{"name": "a", "kind": "pull", "datasets": ["ads"]}]
    call("PUT", "/api/v1/workflows/mine", {"stages": stages})

    assert "workflow mine takes no arguments" in refused(call, "mine", {"enrich": True})["args.enrich"]


def test_an_ad_account_is_named_by_its_platform_s_id(call: Call, api: ModuleType, account_id: str) -> None:
    fill(api, account_id)

    ask(call, "platform", {"account_id": "222"})

    scope = only(api).scope
    assert (scope.platforms, scope.profiles) == (("meta_ads",), ("meta_ads#222",))
    ask(call, "platform", {"account_id": "222", "source_platform": "meta"})
    assert only(api).scope == scope
    wrong = {"account_id": "222", "source_platform": "google"}
    assert refused(call, "platform", wrong) == {
        "args.account_id": "222 is an ad account of meta_ads: name that as source_platform, or none"
    }


def test_the_same_arguments_join_an_open_run_and_others_do_not(call: Call, api: ModuleType) -> None:
    first = ask(call, "platform", {"source_platform": "meta"})["run_id"]
    begin(api, only(api))

    assert ask(call, "platform", {"source_platform": "facebook", "enrich": False})["run_id"] == first
    assert ask(call, "platform", {"source_platform": "meta", "validate": False})["run_id"] != first
    # when it has ended, the next one begins
    run = api.app.ledger.get_run(first)
    api.app.ledger.change_run(run, state=RunState.SUCCEEDED, ended_at=run.started_at)
    assert ask(call, "platform", {"source_platform": "meta"})["run_id"] != first


def test_the_pipelines_are_listed_with_their_arguments(call: Call) -> None:
    listed = {each["name"]: each for each in call("GET", "/api/v1/workflows")["workflows"]}

    assert [name for name, each in listed.items() if each["arguments"]] == ["ad", "account", "platform"]
    assert listed["ad"] == call("GET", "/api/v1/workflows/ad")
    assert [stage["kind"] for stage in listed["ad"]["stages"]] == ["pull", "pull", "pull", "reconcile"]
    validate = next(each for each in listed["ad"]["arguments"] if each["name"] == "validate")
    assert (validate["type"], validate["default"]) == ("boolean", True)
    call("PUT", "/api/v1/workflows/ad", {"stages": [{"name": "a", "kind": "etl"}]}, expect=422)


def test_a_workflow_that_was_stored_before_its_name_was_built_in_is_listed_and_can_be_deleted(
    call: Call, adweir: Run, api: ModuleType
) -> None:
    api.app.catalog.put_workflow("ad", '{"stages": [{"name": "a", "kind": "etl"}]}')

    listed = [each for each in call("GET", "/api/v1/workflows")["workflows"] if each["name"] == "ad"]

    assert [each["built_in"] for each in listed] == [True, False]
    said = "ad is built in by now, and runs are of that: store this one by another name"
    assert said in listed[1]["warnings"]
    assert said in adweir("workflows", "list").stderr
    assert ask(call, "ad", {"enrich": False})["run_id"]
    assert call("DELETE", "/api/v1/workflows/ad")["status"] == "deleted"
    call("DELETE", "/api/v1/workflows/ad", expect=409)


# --- the command line


def test_the_command_line_takes_the_same_arguments(adweir: Run, api: ModuleType, account_id: str) -> None:
    done = adweir(
        "workflows", "run", "ad", "source_platform=meta", "date_range=2026-11-01..2026-11-07", "validate=false",
        "batch_size=7", "--account", account_id,
    )  # fmt: skip

    message = only(api)
    assert done.stdout.split() == [message.run_id]
    assert message.args == DEFAULTS | {
        "source_platform": "meta_ads", "date_range": WEEK, "batch_size": 7, "validate": False,
    }  # fmt: skip
    assert (message.scope.accounts, message.scope.start) == ((account_id,), "2026-11-01")
    said = adweir("workflows", "run", "ad", "validate=perhaps", "batch_size=x", expect=1).output
    assert "args.validate: Input should be a valid boolean" in said
    assert "args.batch_size: Input should be a valid integer" in said
    assert "'validate' is not NAME=VALUE" in adweir("workflows", "run", "ad", "validate", expect=1).output


def test_the_command_line_starts_a_run_of_one_ad_account(adweir: Run, api: ModuleType, account_id: str) -> None:
    ours = [
        Profile(account_id=account_id, platform=META, profile_id=each, name="Main", currency="EUR", timezone="UTC")
        for each in ("111", "222")
    ]
    api.app.catalog.put_objects(ours, "2026-11-20T00:00:00.000000Z")

    adweir("workflows", "run", "repull", "--account", "111", "--days", "2026-11-01..2026-11-07")

    message = only(api)
    assert message.scope == Scope(accounts=(account_id,), platforms=("meta_ads",), profiles=("meta_ads#111",), **WEEK)
    both = adweir("workflows", "run", "repull", "--account", "111", "--account", account_id, expect=1)
    assert "start a run for each" in both.stderr
    assert "333" in adweir("workflows", "run", "repull", "--account", "333", expect=1).stderr


def test_the_command_line_prints_what_came_of_a_run(
    adweir: Run, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = adweir("workflows", "run", "platform").stdout.strip()
    assert f"there is no run {run_id}: it has not begun" in adweir("workflows", "result", run_id, expect=1).output
    begin(api, only(api))
    assert f"run {run_id} has not ended" in adweir("workflows", "result", run_id, expect=1).output

    def ends(_seconds: float) -> None:
        run = api.app.ledger.get_run(run_id)
        api.app.clock.advance(90)
        api.app.ledger.change_run(run, state=RunState.CANCELLED, ended_at=iso(api.app.clock.now()), records=12)

    monkeypatch.setattr("ops.workflows.time.sleep", ends)
    came = json.loads(adweir("workflows", "result", run_id, "--wait", "60", expect=1).stdout)

    assert came == {"success": False, "records_processed": 12, "duration_seconds": 90.0, "error": "it was cancelled"}


# --- jobs


def test_a_job_takes_a_pipeline_s_arguments_and_its_runs_have_them(
    call: Call, adweir: Run, api: ModuleType, scheduler: Any, account_id: str
) -> None:
    args = {"source_platform": "facebook", "account_id": account_id, "enrich": True, "batch_size": 7}
    body = {"name": "pipe", "workflow": "platform", "schedule": {"type": "daily", "at": "05:30"}}

    made = call("POST", "/api/v1/jobs", body | {"args": args | {"datasets": ["ad_daily"]}}, expect=201)

    assert made["args"] == args | {"source_platform": "meta_ads", "datasets": ["ad_daily"]}
    assert [each.split()[7].rstrip(":") for each in made["warnings"]] == sorted(
        {"reconcile", "enrich"} - set(api.app.stage_kinds), reverse=True
    )
    run_id = call("POST", "/api/v1/jobs/pipe/run", expect=202)["run_id"]
    message = only(api)
    assert message.run_id == run_id
    scope = Scope(accounts=(account_id,), platforms=("meta_ads",), datasets=("ad_daily",))
    assert (message.scope, message.args) == (scope, DEFAULTS | args | {"source_platform": "meta_ads"})
    # the same on the command line
    adweir("jobs", "remove", "pipe", "--yes")
    words = [f"{name}={str(value).lower()}" for name, value in args.items()]
    shown = adweir("jobs", "create", "pipe", "platform", "daily 05:30", *words, "datasets=ad_daily").stdout
    assert call("GET", "/api/v1/jobs/pipe")["args"] == made["args"]
    assert json.loads(adweir("jobs", "show", "pipe", "--json").stdout) == call("GET", "/api/v1/jobs/pipe")
    assert "enrich          true" in shown
    assert "batch_size      7" in shown


def test_a_job_with_a_range_fires_for_its_days(call: Call, adweir: Run, api: ModuleType, scheduler: Any) -> None:
    adweir("jobs", "create", "pipe", "ad", "daily 05:30", "date_range=2026-11-01..2026-11-07", "validate=false")
    assert "date_range   2026-11-01..2026-11-07" in adweir("jobs", "show", "pipe").stdout

    call("POST", "/api/v1/jobs/pipe/run", expect=202)

    message = only(api)
    assert (message.scope.start, message.scope.end, message.args["validate"]) == ("2026-11-01", "2026-11-07", False)


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"args": {"colour": "red"}}, "args.colour", "is no argument of platform"),
        ({"args": {"account_id": "acc_x"}}, "args.account_id", "there is no account acc_x"),
        ({"args": {"source_platform": "meta"}, "platforms": ["meta"]}, "args.source_platform", "both say"),
        ({"args": {"date_range": WEEK}, "lookback_days": 3}, "args.date_range", "does not go with lookback_days"),
        ({"args": {"date_range": WEEK, "start": "2026-11-01"}}, "args.date_range", "does not go with start"),
        ({"args": {"datasets": ["dogs"]}}, "args.datasets", "'dogs' is not one of"),
        ({"args": {"enrich": "x"}}, "args.enrich", "valid boolean"),
        ({"args": {"enrich": True}, "workflow": "daily"}, "args.enrich", "is no argument of a workflow"),
    ],
)
def test_a_job_whose_arguments_do_not_fit_is_refused_and_not_stored(
    call: Call, scheduler: Any, fields: dict[str, Any], field: str, said: str
) -> None:
    body = {"name": "pipe", "workflow": "platform", "schedule": {"type": "daily", "at": "05:30"}}

    error = call("POST", "/api/v1/jobs", body | fields, expect=422)["error"]

    assert [each["field"] for each in error["details"]] == [field]
    assert said in error["details"][0]["message"]
    assert call("GET", "/api/v1/jobs")["jobs"] == []


def test_a_job_whose_account_is_gone_starts_nothing(
    call: Call, api: ModuleType, scheduler: Any, account_id: str
) -> None:
    body = {"name": "pipe", "workflow": "ad", "schedule": {"type": "daily", "at": "05:30"}}
    call("POST", "/api/v1/jobs", body | {"args": {"account_id": account_id}}, expect=201)
    api.app.catalog.delete_account(account_id)

    error = call("POST", "/api/v1/jobs/pipe/run", expect=409)["error"]

    assert f"there is no account {account_id}" in error["message"]
    assert sent(api) == []
