"""The operator's command line on the sandbox: what a verb changes is looked for where it has to be, not in its output.

One client is told of, from the day it comes to the day it leaves; its platform pauses, refuses and fails. Other stories
have `up` and `down` (6_restart), `fire` (1_restatement), `workflows put`, `run` and `result` (4a_branches), `map`
(6b_exports) and `breaches` (6e_breaches).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from botocore.exceptions import ClientError
from typer.testing import Result

from adweir.model.messages import Scope, StartRun
from adweir.model.metrics import METRICS
from adweir.model.money import MICRO
from adweir.pipeline.engine import run_id_of
from adweir.reporting.totals import UNATTRIBUTED
from ops.target import Deployment
from support.command_line import Run, commands_on
from support.river import PLATFORMS, River, until

TIKTOK = "tiktok_ads"
_EARLY = (
    "platform,profile_id,level,campaign_id,ad_group_id,ad_id,date,impressions,clicks,conversions,spend,revenue\n"
    "tiktok,{profile_id},ad,900,90,9,{day},700,21,3,5,60\n"
)


class Newcomer(NamedTuple):
    """A client company, and its ad account on TikTok."""

    account_id: str
    profile_id: str
    early: tuple[str, str]
    """The days of two files, early0.csv and early1.csv, that came before the ad account was listed."""


class Brought(NamedTuple):
    """What became of its first runs: one was cancelled; the other one was paused, failed, was redriven, and parked."""

    cancelled: dict[str, Any]
    failed: dict[str, Any]
    parked: dict[str, Any]
    broken: list[dict[str, Any]]
    """The credentials that were refused when it was parked."""


@pytest.fixture(scope="module")
def adweir(target: Deployment, sandbox: River) -> Iterator[Run]:
    """The command line in this process, where each command would take a second to start; it looks more often than a
    person needs. The credential of Mori's ad account is in its environment."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("watching", "commands", "quarantine"):
            patch.setattr(f"ops.{module}._POLL_SECONDS", 0.1)
        patch.setattr("ops.watching._SHARE", 1)
        for name, value in sandbox.clients["mori"].description["credentials"][TIKTOK].items():
            patch.setenv(f"{TIKTOK}_{name}".upper(), value)
        yield commands_on(target, patch)


@pytest.fixture(scope="module")
def newcomer(sandbox: River, adweir: Run, tmp_path_factory: pytest.TempPathFactory) -> Newcomer:
    """A client whose ad account nobody has listed when a file of it comes."""
    account_id = adweir("accounts", "create", "Newcomer", "ads@newcomer.example").stdout.strip()
    profile_id = sandbox.clients["mori"].description["profile_ids"][TIKTOK][0]
    file, days = tmp_path_factory.mktemp("drops") / "early0.csv", (sandbox.day(200), sandbox.day(199))
    first, second = (_EARLY.format(profile_id=profile_id, day=day) for day in days)
    file.write_text(first)
    sandbox.drop(f"{account_id}/early1.csv", second.encode())
    adweir("drop", str(file), "--account", account_id, expect=1)
    adweir("connect", "tiktok", "--account", account_id)
    return Newcomer(account_id, profile_id, days)


@pytest.fixture(scope="module")
def brought(sandbox: River, adweir: Run, newcomer: Newcomer) -> Brought:
    """The newcomer's days, after its platform asked for a pause of five minutes and refused a request and a token."""
    misbehaviour = {"kind": "throttle", "platform": TIKTOK, "times": 1}
    sandbox.world.post("switches", misbehaviour)
    unwanted = adweir("sync", newcomer.account_id).stdout.strip()
    brake = until(lambda: _brakes(adweir), "the brake")[0]["key"]
    adweir("cancel", unwanted, "--yes")
    cancelled = sandbox.ended(unwanted, "cancelled")

    adweir("jobs", "create", "newcomer", "sync", "daily 04:30", f"account={newcomer.account_id}")
    run_id = adweir("jobs", "run", "newcomer").stdout.strip()
    until(lambda: _brakes(adweir)[0]["waiting"], "a task that waits for the brake")
    sandbox.world.post("switches", misbehaviour | {"code": 40002, "message": "fields: Invalid values"})
    adweir("brakes", "release", brake)
    adweir("watch", run_id, expect=1)
    failed = sandbox.run(run_id)
    with sandbox.misbehaving("expired_token", platform=TIKTOK, profile_id=newcomer.profile_id):
        adweir("redrive", run_id, "--watch", expect=1)
    parked, (health,) = sandbox.run(run_id), lines(adweir("health", "--json", expect=1))
    adweir("connect", "tiktok", "--account", newcomer.account_id)
    until(lambda: sandbox.state(run_id) == "succeeded", "the parked task's return")
    assert sandbox.run(run_id)["state"] == "succeeded"
    return Brought(cancelled, failed, parked, health["parts"]["credentials"]["broken"])


def test_given_a_platform_that_pauses_and_refuses_when_a_person_mends_it_then_the_numbers_are_the_platforms_own(
    sandbox: River, adweir: Run, newcomer: Newcomer, brought: Brought
) -> None:
    start, end, profile_id = sandbox.day(14), sandbox.day(1), newcomer.profile_id
    run, scope = sandbox.run(brought.parked["run_id"]), {"accounts": [newcomer.account_id]}
    (failed,), (parked,) = brought.failed["failed_tasks"], brought.parked["failed_tasks"]

    assert (run["state"], run["trigger"], run["scope"]) == ("succeeded", "job:newcomer", scope)
    assert (failed["state"], failed["error"]["code"]) == ("failed", "request_rejected")
    assert (parked["state"], parked["error"]["code"]) == ("parked", "auth_expired")
    assert parked["task_id"] == failed["task_id"]
    assert newcomer.account_id in [each["account_id"] for each in brought.broken]
    assert sandbox.holds(profile_id, start, end)
    assert _spend(adweir, f"{start}..{end}", f"account_id={profile_id}") == _spent(sandbox, newcomer, start, end)
    cancelled = brought.cancelled
    assert (cancelled["workflow"], cancelled["scope"]) == ("sync", scope)
    assert sandbox.run(cancelled["run_id"])["state"] == "cancelled"
    tasks = sandbox.api.get(f"/api/v1/runs/{cancelled['run_id']}/tasks")["tasks"]
    assert {task["state"] for task in tasks} == {"cancelled"}
    assert _brakes(adweir) == []
    assert lines(adweir("logs", "--task", failed["task_id"], "--json"))


def test_given_stored_days_when_sql_is_asked_of_them_then_it_answers_what_a_report_does(
    sandbox: River, adweir: Run, newcomer: Newcomer, brought: Brought
) -> None:
    start, end, names = sandbox.day(14), sandbox.day(1), ("impressions", "clicks", "spend", "revenue")
    of_days = (f"{start}..{end}", f"account_id={newcomer.profile_id}", "--by", "date,campaign")
    told = json.loads(adweir("report", *of_days, f"metrics={','.join(names)}", "--json").stdout, parse_float=Decimal)

    sums = ", ".join(f"SUM({name}) AS {name}" for name in names)
    asked = (
        f"SELECT date, campaign_id, {sums} FROM metrics WHERE level = 'campaign' AND grain = 'day' "  # noqa: S608
        f"AND client_account_id = '{newcomer.account_id}' AND date BETWEEN DATE '{start}' AND DATE '{end}' "
        "GROUP BY 1, 2"
    )
    rows = [json.loads(line, parse_float=Decimal) for line in adweir("sql", asked, "--json").stdout.splitlines()]

    assert {(row["date"], row["campaign_id"]): [row[name] for name in names] for row in rows} == {
        (row["date"], None if row["campaign"] == UNATTRIBUTED else row["campaign"]): [row[name] for name in names]
        for row in told["data"]
    }
    assert sum(row["spend"] for row in rows) * MICRO == _spent(sandbox, newcomer, start, end) > 0
    assert "no column spnd in metrics. Near: spend" in adweir("sql", "SELECT spnd FROM metrics", expect=1).stderr


def test_given_rows_that_came_too_early_when_they_are_loaded_again_then_they_are_stored(
    sandbox: River, adweir: Run, newcomer: Newcomer, brought: Brought
) -> None:
    listed = lines(adweir("quarantine", "list", "--json"))
    held = {each["source_key"].rpartition("/")[2]: each for each in listed if each["account_id"] == newcomer.account_id}
    path = f"/api/v1/quarantine/{held['early0.csv']['id']}"
    assert sandbox.stored(newcomer.profile_id, *newcomer.early) == {}

    adweir("quarantine", "drop", held["early0.csv"]["id"], "--yes")
    assert sandbox.api.get(path)["state"] == "dropped"
    adweir("quarantine", "replay", held["early0.csv"]["id"])
    adweir("reload", held["early1.csv"]["source_key"])

    stored = {("90~9", day): (700, 21, 3 * MICRO, 5 * MICRO, 60 * MICRO) for day in newcomer.early}
    until(lambda: sandbox.stored(newcomer.profile_id, *newcomer.early) == stored, "the rows of both files")
    assert sandbox.api.get(path)["state"] == "cleared"


def test_given_older_days_when_they_are_backfilled_then_they_are_the_platforms_own(
    sandbox: River, adweir: Run, newcomer: Newcomer, brought: Brought
) -> None:
    start, end = sandbox.day(62), sandbox.day(61)
    assert sandbox.stored(newcomer.profile_id, start, end) == {}

    adweir("backfill", "--start", start, "--end", end, "--account", newcomer.profile_id)

    assert sandbox.holds(newcomer.profile_id, start, end)


def test_given_days_that_are_counted_otherwise_when_they_are_replayed_then_they_change_and_nothing_is_pulled(
    sandbox: River, adweir: Run, newcomer: Newcomer, brought: Brought
) -> None:
    profile_id, start, end = newcomer.profile_id, sandbox.day(6), sandbox.day(5)
    before, asked = sandbox.stored(profile_id, start, end), sandbox.requests()
    options = {"conversions": "purchases", "purchases": ["app"]}
    sandbox.api.patch(f"/api/v1/profiles/{TIKTOK}/{profile_id}", {"options": options})
    assert sandbox.stored(profile_id, start, end) == before != {}

    adweir("replay", "tiktok", profile_id, "--days", f"{start}..{end}", "--dataset", "ad_daily")

    after = sandbox.stored(profile_id, start, end)
    assert {key: row.spend for key, row in after.items()} == {key: row.spend for key, row in before.items()}
    assert sum(row.conversions for row in after.values()) < sum(row.conversions for row in before.values())
    assert sandbox.requests() == asked


def test_given_a_campaign_across_platforms_when_it_is_bound_then_it_has_the_numbers_of_what_it_is_bound_to(
    sandbox: River, adweir: Run, newcomer: Newcomer, brought: Brought
) -> None:
    start, end = sandbox.day(14), sandbox.day(1)
    bind, account = f"bind=tiktok/{newcomer.profile_id}", ("--account", newcomer.account_id)
    campaign_id = adweir("campaigns", "create", "Summer", "budget=12000.50", bind, *account).stdout.split()[0]
    path = f"/api/v1/campaigns/{campaign_id}"
    assert sandbox.api.get(path)["budget"] == 12000.5
    assert _spend(adweir, f"{start}..{end}", f"campaign_id={campaign_id}") == _spent(sandbox, newcomer, start, end)

    adweir("campaigns", "change", campaign_id, "name=Autumn", "bind=")
    adweir("campaigns", "add-arm", campaign_id, "radio", "name=Morning", "bid=0.5")
    changed, (arm,) = sandbox.api.get(path), sandbox.api.get(f"{path}/arms")["arms"]
    assert (changed["name"], changed["budget"], changed["bindings"]) == ("Autumn", 12000.5, [])
    assert (arm["platform"], arm["name"], arm["bid"]) == ("radio", "Morning", 0.5)
    adweir("campaigns", "change-arm", arm["arm_id"], "name=Evening")
    (arm,) = sandbox.api.get(f"{path}/arms")["arms"]
    assert (arm["name"], arm["bid"]) == ("Evening", 0.5)
    adweir("campaigns", "delete-arm", arm["arm_id"], "--yes")
    assert sandbox.api.get(f"{path}/arms")["arms"] == []
    adweir("campaigns", "delete", campaign_id, "--yes")
    assert sandbox.api.find(path) is None


def test_given_an_arm_when_it_is_learned_then_its_state_has_the_numbers_of_reports(
    sandbox: River, adweir: Run, newcomer: Newcomer, brought: Brought
) -> None:
    own = f"bind=tiktok/{newcomer.profile_id}"
    campaign_id = adweir("campaigns", "create", "Spring", "--account", newcomer.account_id).stdout.split()[0]
    adweir("campaigns", "add-arm", campaign_id, "tiktok", own)

    scope = {"scope": {"accounts": [newcomer.account_id]}}
    sandbox.succeeded(sandbox.api.post("/api/v1/workflows/refresh/runs", scope)["run_id"])

    (state,) = sandbox.api.get("/api/v1/agents", campaign_id=campaign_id)["agents"]
    span = {"start_date": state["first"], "end_date": state["last"]}
    asked: dict[str, Any] = {"name": "arms", "time_range": span}
    asked |= {"metrics": [{"name": name} for name in METRICS[:4]], "dimensions": [{"name": "arm"}]}
    segments = [{"name": "campaign", "values": [campaign_id]}]
    (row,) = sandbox.api.post("/api/v1/reports", asked | {"segments": segments})["data"]
    assert [state[name] for name in ("impressions", "trials", "rewards", "spending")] == [row[m] for m in METRICS[:4]]
    assert state["trials"] > 0
    assert (state["first"], state["p_best"], state["allocation"]) == (newcomer.early[0], 1, 1)
    assert state["arm_id"] in adweir("agents", campaign_id).stdout
    adweir("campaigns", "delete", campaign_id, "--yes")


def test_given_a_job_when_it_is_changed_paused_resumed_and_removed_then_so_is_its_schedule(
    sandbox: River, adweir: Run, brought: Brought
) -> None:
    job_id = sandbox.api.get("/api/v1/jobs/newcomer")["job_id"]
    assert _schedule(sandbox, job_id) == ("ENABLED", "cron(30 4 * * ? *)", "UTC")

    adweir("jobs", "change", "newcomer", "when=daily 06:15", "timezone=Europe/Berlin")
    assert _schedule(sandbox, job_id) == ("ENABLED", "cron(15 6 * * ? *)", "Europe/Berlin")
    adweir("jobs", "pause", "newcomer")
    assert _schedule(sandbox, job_id)[0] == "DISABLED"
    adweir("jobs", "resume", "newcomer")
    assert _schedule(sandbox, job_id)[0] == "ENABLED"
    adweir("jobs", "remove", "newcomer", "--yes")
    assert sandbox.api.find("/api/v1/jobs/newcomer") is None
    with pytest.raises(ClientError, match="ResourceNotFound"):
        _schedule(sandbox, job_id)


def test_given_a_file_of_the_deployment_when_it_is_applied_then_what_it_names_is_there_and_what_is_pruned_is_gone(
    sandbox: River, adweir: Run, tmp_path: Path
) -> None:
    # given
    stages = [{"name": "totals", "kind": "pull", "datasets": ["account_daily"]}]
    evening = {"workflow": "applied-totals", "schedule": {"type": "daily", "at": "19:30"}, "accounts": ["Applied"]}
    whole = {
        "version": 1,
        "accounts": [{"company_name": "Applied", "primary_contact_email": "ads@applied.example", "currency": "SEK"}],
        "workflows": [{"name": "applied-totals", "stages": stages}],
        "jobs": [{"name": "applied-evening", **evening}],
    }
    file = tmp_path / "adweir.json"
    # when it is applied
    file.write_text(json.dumps(whole))
    adweir("apply", str(file), "--yes")
    # then
    (account,) = [
        one for one in sandbox.api.get("/api/v1/accounts", limit=1000)["accounts"] if one["currency"] == "SEK"
    ]
    assert account["company_name"] == "Applied"
    assert sandbox.api.get("/api/v1/jobs/applied-evening")["accounts"] == [account["account_id"]]
    assert [each["name"] for each in sandbox.api.get("/api/v1/workflows/applied-totals")["stages"]] == ["totals"]
    # when what is described without the job replaces what there is
    described = adweir("describe").stdout
    file.write_text(json.dumps({"version": 1, "jobs": []}))
    adweir("apply", str(file), "--prune", "--yes")
    # then
    assert sandbox.api.find("/api/v1/jobs/applied-evening") is None
    # when the description is applied, then the job is as it was
    file.write_text(described)
    adweir("apply", str(file), "--yes")
    assert sandbox.api.get("/api/v1/jobs/applied-evening")["schedule"] == evening["schedule"]
    # and all of it is removed again
    adweir("jobs", "remove", "applied-evening", "--yes")
    adweir("workflows", "remove", "applied-totals", "--yes")
    adweir("accounts", "delete", account["account_id"], "--yes")
    assert sandbox.api.find("/api/v1/workflows/applied-totals") is None
    assert sandbox.api.find(f"/api/v1/accounts/{account['account_id']}") is None


def test_given_dead_letters_when_one_is_sent_again_and_the_other_dropped_then_one_is_done_and_the_other_kept(
    sandbox: River, adweir: Run, newcomer: Newcomer
) -> None:
    scopes = [Scope(accounts=(newcomer.account_id,), platforms=(name,)) for name in PLATFORMS]
    starts = [StartRun(workflow="hourly", scheduled_at=sandbox.now, scope=scope) for scope in scopes]
    url, bodies = sandbox.queue("dead-letters-runs"), [start.model_dump_json() for start in starts]
    sent, dropped = map(run_id_of, starts)
    wanted, unwanted = (sandbox.sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"] for body in bodies)
    assert {wanted, unwanted} <= {
        one["id"] for one in lines(adweir("dead-letters", "list", "--queue", "runs", "--json"))
    }

    adweir("dead-letters", "send", wanted)
    adweir("dead-letters", "drop", unwanted, "--yes", "--reason", "nobody needs it")

    assert until(lambda: sandbox.run(sent), "the run that was sent again")["workflow"] == "hourly"
    kept = {one["id"]: one["reason"] for one in sandbox.api.get("/api/v1/quarantine")["messages"]}
    assert kept[f"adweir-runs:{unwanted}"].startswith("dropped by hand: nobody needs it")
    assert sandbox.depth("dead-letters-runs") == 0
    assert sandbox.run(dropped) == {}
    adweir("quarantine", "replay", f"adweir-runs:{unwanted}")
    until(lambda: sandbox.run(dropped), "the run that was dropped, and sent again after all")


def test_given_keys_when_they_are_limited_rotated_and_revoked_then_the_gateway_heeds_it(
    sandbox: River, adweir: Run, newcomer: Newcomer
) -> None:
    """The gateway remembers an answer for a minute: each value is used once."""
    limit = ("--account", newcomer.account_id)
    first, second = (adweir("keys", "create", "--name", name, *limit).stdout.strip() for name in ("rotated", "revoked"))
    ids = {key["name"]: key["key_id"] for key in lines(adweir("keys", "list", "--json"))}

    fresh = adweir("keys", "rotate", ids["rotated"], "--overlap", "0").stdout.strip()
    adweir("keys", "revoke", ids["revoked"], "--yes")

    assert [asked(sandbox, key).status_code for key in (first, second)] == [403, 403]
    seen = asked(sandbox, fresh).json()["accounts"]
    assert [account["account_id"] for account in seen] == [newcomer.account_id]


def test_given_a_client_that_leaves_when_it_is_disconnected_and_deleted_then_nothing_of_it_is_pulled_or_listed(
    sandbox: River, adweir: Run, newcomer: Newcomer, brought: Brought
) -> None:
    path = f"/api/v1/accounts/{newcomer.account_id}"
    adweir("disconnect", "tiktok", "--account", newcomer.account_id, "--yes")
    assert sandbox.api.get(f"{path}/credentials")["credentials"] == []
    assert sandbox.api.get(f"/api/v1/profiles/{TIKTOK}/{newcomer.profile_id}")["status"] == "removed"

    adweir("accounts", "delete", newcomer.account_id, "--yes")
    assert sandbox.api.find(path) is None
    assert sandbox.holds(newcomer.profile_id, sandbox.day(62), sandbox.day(61)), "what was measured stays"


def lines(done: Result) -> list[dict[str, Any]]:
    """The JSON that a command printed, an object per line."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def asked(sandbox: River, key: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return requests.get(f"{sandbox.description['api_url']}/api/v1/accounts", headers=headers, timeout=30)


def _brakes(adweir: Run) -> list[dict[str, Any]]:
    return [brake for brake in lines(adweir("brakes", "list", "--json")) if brake["platform"] == TIKTOK]


def _schedule(sandbox: River, job_id: str) -> tuple[str, str, str]:
    """State, expression and time zone of a job's schedule, as EventBridge Scheduler has it."""
    group = json.loads(sandbox.description["stack"]["JobSchedules"])["group"]
    with closing(sandbox.aws("scheduler")) as schedules:
        found = schedules.get_schedule(GroupName=group, Name=job_id)
    return found["State"], found["ScheduleExpression"], found["ScheduleExpressionTimezone"]


def _spend(adweir: Run, days: str, given: str) -> int:
    """The spend of a report in millionths."""
    made = json.loads(adweir("report", days, given, "metrics=spend", "--json").stdout, parse_float=Decimal)
    return sum(int(row["spend"] * MICRO) for row in made["data"])


def _spent(sandbox: River, newcomer: Newcomer, start: str, end: str) -> int:
    """What the platform says of it."""
    return sum(day.spend for day in sandbox.totals(newcomer.profile_id, start, end).values())
