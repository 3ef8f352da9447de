"""What the command line changes on AWS is in the audit as what the API changes is, and `adweir audit` shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
import typer
from botocore.endpoint import Endpoint
from typer.testing import CliRunner, Result

from adweir.insight.anomalies.incidents import Incident
from adweir.model.entities import Credential, Profile
from adweir.model.errors import Unavailable
from adweir.model.messages import Scope, Sweep
from adweir.model.platforms import Platform
from adweir.model.runs import RunState
from adweir.model.tasks import TaskState
from adweir.pipeline.flow_forms import form_of, read
from adweir.runtime.settings import Settings
from adweir.store.findings.held_rows import HeldObject
from ops import cli
from ops.frame import every
from ops.target import Deployment
from support.deployment import deployed
from support.empty_aws import make_queue
from support.mix_versions import put_version
from support.pipeline import a_run, a_task

META = Platform("meta_ads")
DROPPED = "drops/{account}/agency/campaign_performance/a.csv"
ANOMALY = "ano_20261115aaaaaaaaaaaaaaaa"
FACTS = {"metric": "spend", "date": "2026-11-15", "value": "12.5", "expected": "100", "z": "-6.5"} | {
    "threshold": "3.5",
    "basis": "robust",
    "severity": "critical",
}
LOCAL = {"up", "down", "status", "demo", "sam-env", "validate", "contracts", "completion", "detect", "mmm fit"}
"""They work on this machine; what `up` creates in the sandbox is created by the function behind `keys create`."""
WITH_DEEDS_OF_EACH_PART = {"apply"}
"""tests/integration/test_ops_apply_command.py."""
READS = {
    "accounts list": [],
    "accounts show": ["{account}"],
    "agents": [],
    "features": [],
    "anomalies list": [],
    "anomalies show": ["{anomaly}"],
    "audit": [],
    "export": ["{folder}"],
    "sql": [],
    "campaigns list": [],
    "campaigns show": ["{campaign}"],
    "describe": [],
    "dead-letters list": ["--queue", "landing"],
    "health": [],
    "keys list": [],
    "logs": [],
    "mmm show": ["{account}"],
    "mmm history": ["{account}"],
    "mmm features": ["{account}"],
    "mmm reallocate": ["{account}", "--days", "30"],
    "receipts": [],
    "quality": [],
    "report": ["last_7_days"],
    "run": ["{run}"],
    "runs": [],
    "watch": ["{run}"],
    "brakes list": [],
    "breaches": [],
    "raw": ["receipts/none.json"],
    "jobs list": [],
    "jobs show": ["nightly"],
    "quarantine list": [],
    "quarantine messages": [],
    "quarantine show": ["{held}"],
    "workflows list": [],
    "workflows kinds": [],
    "workflows result": ["run_none"],
    "workflows show": ["weekly-check"],
}
CHANGES = {
    "anomalies expected": ["{anomaly}"],
    "accounts create": ["Halden", "a@halden.example"],
    "accounts delete": ["{account}", "--yes"],
    "accounts media-mix": ["{account}", "{mix}"],
    "campaigns create": ["Autumn", "--account", "{account}"],
    "campaigns change": ["{campaign}", "name=Winter"],
    "campaigns delete": ["{campaign}", "--yes"],
    "campaigns add-arm": ["{campaign}", "google", "name=Search"],
    "campaigns change-arm": ["{arm}", "name=Feed"],
    "campaigns delete-arm": ["{arm}", "--yes"],
    "cancel": ["{open}", "--yes"],
    "connect": ["meta", "--account", "{account}"],
    "dead-letters send": ["--queue", "runs"],
    "dead-letters drop": ["--queue", "runs", "--reason", "it is old", "--yes"],
    "disconnect": ["meta", "--account", "{account}", "--yes"],
    "keys create": ["--name", "reporting", "--account", "{account}"],
    "keys rotate": ["{key}"],
    "keys revoke": ["{key}", "--yes"],
    "redrive": ["{run}"],
    "reload": ["drops/", "--yes", "--reason", "it was misread"],
    "sync": ["{account}"],
    "brakes release": ["meta_ads:111", "--reason", "it is mended"],
    "backfill": ["--account", "{account}", "--start", "2026-10-01", "--end", "2026-10-02"],
    "etl": ["--campaign", "{campaign}", "--lookback-days", "90"],
    "fire": ["daily", "--at", "2026-11-20T05:30Z"],
    "drop": ["{file}", "--account", "{account}", "--wait", "0"],
    "map": ["{table}", "--as", "agency/campaign_performance", "--save", "{account}", "platform=meta_ads"],
    "replay": ["meta_ads", "111", "--days", "2026-11-01..2026-11-02"],
    "jobs create": ["hourly-one", "hourly", "hourly 15", "account={account}"],
    "jobs change": ["nightly", "lookback_days=7"],
    "jobs pause": ["nightly"],
    "jobs resume": ["held"],
    "jobs run": ["nightly"],
    "jobs remove": ["nightly", "--yes"],
    "quarantine drop": ["{held}", "--yes", "--reason", "the corrected file has them"],
    "quarantine replay": ["{held}", "--wait", "0"],
    "workflows put": ["weekly-check", "{workflow}"],
    "workflows remove": ["weekly-check", "--yes"],
    "workflows run": ["daily", "--account", "{account}"],
}
TAKE_JSON = {
    name
    for name, command in every(typer.main.get_command(cli.app))
    if any("--json" in param.opts for param in command.params)
}
ENDS_LATER = {"backfill", "replay"}
"""They print what came of it at its end, for which nobody waits here."""
OF_ONE_ACCOUNT = {
    *(command for command in CHANGES if command.startswith("campaigns")),
    *(
        "accounts delete",
        "accounts media-mix",
        "anomalies expected",
        "backfill",
        "cancel",
        "connect",
        "disconnect",
        "drop",
        "keys create",
        "map",
        "quarantine drop",
        "quarantine replay",
    ),
    *("etl", "quarantine replay", "redrive", "replay", "sync", "workflows run"),
}
WORKFLOW = {"stages": [{"name": "pulls", "kind": "pull", "datasets": ["ad_daily"]}]}
READING = ("Get", "Query", "Scan", "BatchGet", "List", "Describe", "Head")
Adweir = Callable[..., Result]


@pytest.fixture
def target(
    environment: dict[str, str],
    job_schedules: dict[str, str],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Deployment:
    monkeypatch.setattr(Deployment, "app_of_api", Deployment.app)  # there is no function here to ask
    for name in ("adweir-runs", "adweir-landing", "adweir-dead-letters-runs"):
        url = make_queue(name)
    boto3.client("sqs").send_message(QueueUrl=url, MessageBody=Sweep().model_dump_json())
    runs = url.replace("dead-letters-", "")
    return deployed(settings, RunsQueueUrl=runs, JobSchedules=job_schedules["JOB_SCHEDULES"])


@pytest.fixture
def words(target: Deployment, tmp_path: Path) -> dict[str, str]:
    """What arguments name: a client with a Meta ad account, a job, a workflow, an entry of the quarantine, files."""
    app = target.app()
    account = app.catalog.create_account("acc_1", "Halden", "a@halden.example").account_id
    app.catalog.put_credential(Credential(account_id=account, platform=META, secret_id="s"))
    profile = Profile(account_id=account, platform=META, profile_id="111", name="Main", currency="EUR", timezone="UTC")
    app.catalog.put_objects([profile], "2026-11-20T00:00:00.000000Z")
    app.jobs.create({"name": "nightly", "workflow": "daily", "schedule": {"type": "daily", "at": "05:30"}})
    app.jobs.create({"name": "held", "workflow": "daily", "schedule": {"type": "daily", "at": "05:30"}})
    app.jobs.pause("held")
    app.catalog.put_workflow("weekly-check", json.dumps(form_of(read("weekly-check", WORKFLOW))))
    app.s3.put_bucket_versioning(Bucket=target.outputs["Bucket"], VersioningConfiguration={"Status": "Enabled"})
    app.s3.put_object(Bucket=target.outputs["Bucket"], Key=DROPPED.format(account=account), Body=b"x")
    held = HeldObject(DROPPED.format(account=account), account, META, "111", "campaign_daily", "", ("k",), 1, {"r": 1})
    app.findings.held.hold(held)
    ((held,), _) = app.findings.held.page(1)
    table, file, flow = tmp_path / "t.csv", tmp_path / "f.csv", tmp_path / "w.json"
    file.write_text("platform,profile_id,level,date,campaign_id,impressions,clicks,spend\n")
    table.write_text("Camp,When,Shown,Spent\n7,2026-11-16,9,1.50\n")
    flow.write_text(json.dumps({"stages": [{**WORKFLOW["stages"][0], "threshold": 0.5}]}))
    for name in ("run_open", "run_ended"):
        app.ledger.create_run(a_run(name, scope=Scope(accounts=(account,))))
    ended = app.ledger.get_run("run_ended")
    assert ended
    app.ledger.change_run(ended, state=RunState.PARTIAL)
    app.ledger.plan(a_task(run_id="run_ended", state=TaskState.FAILED))
    campaign = app.campaigns.create(account, {"name": "Summer"})
    campaign, arm = app.campaigns.create_arm(campaign.campaign_id, "meta", {"name": "Stories"})
    key, _ = app.catalog.create_key("key_1", "of a test", ("read",))
    mix = tmp_path / "mix.json"
    mix.write_text(json.dumps({"controls": ["price"]}))
    files = {"file": str(file), "table": str(table), "workflow": str(flow), "mix": str(mix)}
    of: dict[str, Any] = {"account_id": account, "platform": "meta_ads", "profile_id": "111", "currency": "EUR"}
    when: dict[str, Any] = dict.fromkeys(("first_day", "last_day"), "2026-11-15") | {"days": ["2026-11-15"]}
    anomaly = Incident(
        ANOMALY, level="account", entity_id="111", **of, **when, detected_at="x", metrics=[FACTS], version=1
    )
    app.findings.anomalies.put(asdict(anomaly) | {"metrics": [FACTS]})
    put_version(app.findings.mix, account)
    files |= {"anomaly": ANOMALY, "folder": str(tmp_path / "warehouse")}
    files |= {"campaign": campaign.campaign_id, "arm": arm.arm_id}
    return files | {"account": account, "held": held.id, "run": "run_ended", "open": "run_open", "key": key.key_id}


@pytest.fixture
def adweir(target: Deployment, words: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Adweir:
    monkeypatch.setattr("ops.target.stack_target", lambda _where: target)
    monkeypatch.setattr(Deployment, "app_of_api", Deployment.app)  # no function is deployed here
    monkeypatch.setattr("ops.replaying._REPLAY_SECONDS", 0)
    monkeypatch.setattr("ops.runs.ended", lambda _app, _run_id, **_: None)
    monkeypatch.setenv("META_ADS_ACCESS_TOKEN", "a-token-of-meta")
    monkeypatch.setattr("getpass.getuser", lambda: "ada")

    def run(command: str, arguments: list[str]) -> Result:
        given = [each.format(**words) for each in arguments]
        return CliRunner().invoke(cli.app, [*command.split(), *given, "--stack", "adweir"], prog_name="adweir")

    return run


def writes(command: Callable[[], Result]) -> tuple[Result, list[str]]:
    """A command's end, and the AWS requests that it made which change something, those of the audit aside."""
    made: list[str] = []
    ask = Endpoint.make_request

    def noted(endpoint: Endpoint, model: Any, request: dict[str, Any]) -> Any:
        if not model.name.startswith(READING) and b'"S": "audit"' not in (request["body"] or b""):
            made.append(model.name)
        return ask(endpoint, model, request)

    with mock.patch.object(Endpoint, "make_request", noted):
        return command(), made


def test_each_command_is_known_to_change_something_or_not() -> None:
    """A new one goes into a list above, so that it is tried here."""
    known = LOCAL | WITH_DEEDS_OF_EACH_PART | READS.keys() | CHANGES.keys()
    assert {name for name, _ in every(typer.main.get_command(cli.app))} == known


@pytest.mark.parametrize("command", CHANGES)
def test_a_command_that_changes_something_is_in_the_audit_once(
    adweir: Adweir, target: Deployment, words: dict[str, str], command: str
) -> None:
    # when somebody runs it, as a program where that is possible
    as_json = ["--json"] if command in TAKE_JSON else []
    result, made = writes(lambda: adweir(command, [*CHANGES[command], *as_json]))
    printed: list[dict[str, Any]] = [json.loads(line) for line in result.stdout.splitlines() if as_json]
    # then the audit says who it was, and no secret of it
    assert made, result.output
    (deed,), _ = target.app().ledger.audit.page(9, "")
    assert (deed.who, bool(deed.kind), bool(deed.action)) == ("cli:ada", True, True)
    made_account = printed[0]["account_id"] if command == "accounts create" else ""
    assert deed.account_id == (words["account"] if command in OF_ONE_ACCOUNT else made_account)
    assert command not in {"keys create", "keys rotate"} or printed[0]["key"] not in str(deed)
    # and what came of it is an object per line
    assert all(isinstance(each, dict) for each in printed)
    assert bool(printed) == (bool(as_json) and command not in ENDS_LATER)


@pytest.mark.parametrize("command", [name for name, given in CHANGES.items() if "--yes" in given])
def test_what_cannot_be_undone_is_not_done_where_nobody_can_be_asked(adweir: Adweir, command: str) -> None:
    result, made = writes(lambda: adweir(command, [each for each in CHANGES[command] if each != "--yes"]))

    assert (result.exit_code, made) == (1, [])
    assert result.stderr == "adweir: there is nobody to ask: add --yes\n"


def test_a_dead_letter_that_was_sent_is_not_given_back(adweir: Adweir) -> None:
    _, made = writes(lambda: adweir("dead-letters send", CHANGES["dead-letters send"]))

    assert made.count("DeleteMessage") == 1
    assert "ChangeMessageVisibilityBatch" not in made


@pytest.mark.parametrize("command", READS)
def test_a_command_that_only_reads_changes_nothing(adweir: Adweir, target: Deployment, command: str) -> None:
    _, made = writes(lambda: adweir(command, READS[command]))

    assert made == []
    assert target.app().ledger.audit.page(9, "") == ([], "")


def test_the_audit_is_printed_with_what_was_before_and_after_and_filtered(adweir: Adweir) -> None:
    adweir("workflows put", CHANGES["workflows put"])
    adweir("jobs pause", ["nightly"])

    printed = adweir("audit", []).stdout.splitlines()
    jobs = adweir("audit", ["kind=job", "who=cli:ada", "--json"]).stdout.splitlines()

    assert [line.partition("  ")[2] for line in printed] == [
        "cli:ada  pause job nightly: version 4",
        "state  active -> paused",
        "cli:ada  store workflow weekly-check: version 2",
        "pulls.threshold  0.0 -> 0.5",
    ]
    (deed,) = map(json.loads, jobs)
    assert deed["changes"] == [{"field": "state", "before": "active", "after": "paused"}]
    none = adweir("audit", ["until=2020-01-01"])
    assert (none.stdout, none.stderr) == ("", "nothing that fits was changed in the last 90 days\n")


def test_a_filter_that_there_is_not_is_refused(adweir: Adweir) -> None:
    for wrong in ("colour=red", "who", "since=yesterday"):
        assert adweir("audit", [wrong]).exit_code != 0


def test_what_cannot_be_recorded_is_done_and_said(
    adweir: Adweir, target: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise Unavailable("the ledger does not answer")

    monkeypatch.setattr("adweir.store.ledger.audit.Audit.note", away)

    result = adweir("workflows remove", ["weekly-check", "--yes"])

    assert (result.exit_code, result.stdout) == (0, "deleted weekly-check\n")
    assert "not in the audit: the ledger does not answer" in result.stderr
    assert target.app().catalog.stored_workflow("weekly-check") is None
