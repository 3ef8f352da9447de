"""Verbs of `adweir` beside the API: what one changes the other shows, and both answer the same."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from adweir.model.entities import Profile
from adweir.model.errors import Unavailable
from adweir.model.messages import Sweep
from adweir.model.platforms import Platform
from adweir.store.findings.day_scores import DayScore
from adweir.store.findings.held_rows import HeldObject
from adweir.store.raw.refused import RefusedMessage, RefusedMessages
from ops import output
from support.api import Call, fill
from support.command_line import Run, commands_on

META = Platform("meta_ads")
DAYS = "2026-11-01..2026-11-02"


@pytest.fixture
def adweir(api: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_on(SimpleNamespace(app=lambda: api.app, app_of_api=lambda: api.app), monkeypatch)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_client_is_registered_shown_and_deleted(adweir: Run, call: Call) -> None:
    account = adweir("accounts", "create", "Halden", "ads@halden.example").stdout.strip()

    assert call("GET", f"/api/v1/accounts/{account}")["company_name"] == "Halden"
    assert account in adweir("accounts", "list").stdout
    assert "another account has this name" in adweir("accounts", "create", "HALDEN", "a@halden.example").stderr
    adweir("accounts", "delete", account, "--yes")
    call("GET", f"/api/v1/accounts/{account}", expect=404)
    assert "the e-mail address cannot be" in adweir("accounts", "create", "Halden", "halden", expect=1).stderr


def test_a_credential_comes_from_the_environment_and_is_tried_out(
    adweir: Run, call: Call, account_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_ADS_ACCESS_TOKEN", "a-token-of-meta")

    done = adweir("connect", "meta", "app_id=12345", "--label", "eu", "--no-input")

    (stored,) = call("GET", f"/api/v1/accounts/{account_id}/credentials")["credentials"]
    assert (stored["platform"], stored["label"], stored["state"]) == ("meta_ads", "eu", "active")
    assert "a-token-of-meta" not in done.output
    adweir("disconnect", "meta", "--label", "eu", "--yes")
    assert call("GET", f"/api/v1/accounts/{account_id}/credentials")["credentials"] == []


def test_a_described_platform_takes_what_its_spec_names_from_the_environment(
    adweir: Run, account_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, str]] = []

    def register(_self: object, _account: str, _platform: str, values: dict[str, str], _label: str) -> None:
        given.append(values)
        raise Unavailable("that is all")

    monkeypatch.setenv("GENERIC_TOKEN", "a-token-of-a-shop")
    monkeypatch.setenv("GENERIC_SHOP_KEY", "a-key-of-a-shop")
    monkeypatch.setattr("adweir.intake.doors.registration.Registration.register", register)

    adweir("connect", "generic", "spec=shop", "agency_id=7", expect=1)

    assert given == [{"token": "a-token-of-a-shop", "shop_key": "a-key-of-a-shop", "spec": "shop", "agency_id": "7"}]


def test_a_field_that_nobody_gave_is_asked_for_without_an_echo(
    adweir: Run, call: Call, account_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, bool]] = []

    def prompt(question: str, *, hide_input: bool, err: bool) -> str:
        asked.append((question, hide_input))
        return "a-token-of-meta"

    monkeypatch.setattr("ops.output.can_ask", lambda _context, _instead: True)
    monkeypatch.setattr("typer.prompt", prompt)

    adweir("connect", "meta")

    assert asked == [("Meta Ads, access token", True)]
    assert call("GET", f"/api/v1/accounts/{account_id}/credentials")["credentials"][0]["state"] == "active"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("meta", "--no-input"), "there is nobody to ask: set META_ADS_ACCESS_TOKEN"),
        (("meta", "access_token=x"), "access_token is a secret, and a command line can be seen by others"),
        (("meta", "token=x"), "'token' is not FIELD=VALUE; fields of meta_ads: app_id"),
        (("myspace",), "myspace"),
    ],
)
def test_what_cannot_be_a_credential_is_not_stored(
    adweir: Run, call: Call, account_id: str, arguments: tuple[str, ...], said: str
) -> None:
    assert said in adweir("connect", *arguments, expect=1).stderr
    assert call("GET", f"/api/v1/accounts/{account_id}/credentials")["credentials"] == []


def test_a_key_is_created_rotated_and_revoked(adweir: Run, call: Call, api: ModuleType) -> None:
    first = adweir("keys", "create", "--name", "dash", "--scopes", "read,write").stdout.strip()
    (key,) = call("GET", "/api/v1/keys")["keys"]
    second = adweir("keys", "rotate", key["key_id"], "--overlap", "0").stdout.strip()

    assert (key["name"], key["scopes"]) == ("dash", ["read", "write"])
    assert (api.app.catalog.find_key(first), api.app.catalog.find_key(second) is None) == (None, False)
    assert lines(adweir("keys", "list", "--json").stdout)[0]["status"] == "active"
    third = json.loads(adweir("keys", "rotate", key["key_id"], "--json").stdout)
    assert (third["key_id"], third["previous_ends_at"] is None) == (key["key_id"], False)
    assert api.app.catalog.find_key(third["key"]) is not None
    adweir("keys", "revoke", key["key_id"], "--yes")
    assert api.app.catalog.find_key(second) is None
    listed = adweir("keys", "list").stdout
    assert " revoked " in listed
    assert not any(secret in listed for secret in (first, second, third["key"]))


def test_a_report_is_that_of_the_api(adweir: Run, call: Call, api: ModuleType) -> None:
    fill(api)
    ask = {"start_date": "2026-11-01", "end_date": "2026-11-02", "metrics": "spend,clicks", "order": "-clicks"}

    printed = json.loads(
        adweir("report", DAYS, "metrics=spend,clicks", "order=-clicks", "--by", "date,currency", "--json").stdout
    )

    assert printed["data"] == call("GET", "/api/v1/reports", dimensions="date,currency", **ask)["data"]
    assert printed["data"]


def test_a_report_is_a_table_for_people_and_a_csv_for_programs(adweir: Run, api: ModuleType) -> None:
    fill(api)

    table = adweir("report", DAYS, "--by", "platform,currency")
    written = adweir("report", DAYS, "--by", "platform,currency", "--format", "csv").stdout
    wide = adweir("report", DAYS, "names=yes", "--by", "date,account,campaign,ad,platform").stdout

    head, row = table.stdout.splitlines()[:2]
    assert head.split() == ["platform", "currency", "impressions", "clicks", "conversions", "spend"]
    assert row.startswith("meta_ads  EUR ")
    assert "days are settled" in table.stderr
    (first, *_) = csv.DictReader(io.StringIO(written))
    assert first["platform"] == "meta_ads"
    assert all(len(line) <= output.WIDTH for line in (*table.stdout.splitlines(), *wide.splitlines()))
    assert "account_name  Main" in wide


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("soon",), "soon"),
        ((DAYS, "colour=red"), "'colour=red' is not NAME=VALUE; names: metrics"),
        ((DAYS, "limit=0"), "limit is 1 to"),
        ((DAYS, "names=perhaps"), "names is yes or no"),
        ((DAYS, "metrics=luck"), "luck"),
    ],
)
def test_a_report_that_cannot_be_made_says_why(adweir: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in adweir("report", *arguments, expect=1).stderr


def test_the_quality_of_days_is_that_of_the_api(adweir: Run, call: Call, api: ModuleType) -> None:
    profile = Profile(account_id="acc_1", platform=META, profile_id="111", name="Main", currency="EUR", timezone="UTC")
    api.app.catalog.create_account("acc_1", "Halden", "a@halden.example")
    api.app.catalog.put_objects([profile], "2026-11-20T00:00:00.000000Z")
    worst = [{"rule": "number", "field": "ad.spend", "rows": 3}]
    scored = {"date": "2026-11-18", "score": 0.84, "dimensions": {}, "gates": [], "worst": worst, "reconciliation": []}
    score = DayScore("2026-11-18", "", scored | {"missing": ["ad"], "scored_at": "x"})
    api.app.findings.scores.put(profile.key, [score])

    (printed,) = lines(adweir("quality", "meta", "111", "--json").stdout)
    answered = call("GET", "/api/v1/quality", platform="meta", profile_id="111")
    table = adweir("quality").stdout

    assert {name: answered[name] for name in printed} == printed
    assert "0.840" in table
    assert "ad.spend number 3 times; ad was not pulled" in " ".join(table.split())
    assert "there is no ad account 7 of meta_ads: there is 111" in adweir("quality", "meta", "7", expect=1).stderr


def test_refused_rows_of_persons_are_shown_by_their_faults_alone(adweir: Run, api: ModuleType) -> None:
    first = ({"line": 3, "field": "email", "rule": "format", "message": "email must be an address"},)
    held = HeldObject("drops/a/crm/leads/l.csv", "a", META, "", "leads", "", ("none",), 1, {"format": 1}, first)
    personal = HeldObject(**{**{name: getattr(held, name) for name in held.__slots__}, "personal": True})
    api.app.findings.held.hold(personal)
    ((entry,), _) = api.app.findings.held.page(1)

    shown = adweir("quarantine", "show", entry.id)
    said = shown.stdout
    plain = json.loads(adweir("quarantine", "show", entry.id, "--json").stdout)

    assert "  line 3: email must be an address" in said
    assert (plain["id"], plain["refused"]) == (entry.id, list(first))
    assert f"adweir quarantine replay {entry.id}" in shown.stderr


def test_what_is_in_quarantine_is_listed_in_lines_that_fit(adweir: Run, api: ModuleType) -> None:
    reasons = {f"a_rule_with_a_long_name_{number}": 1_000 for number in range(6)}
    key = "drops/acc_5f0c1d2e3b4a59687786/crm/campaign_performance/a.csv"
    api.app.findings.held.hold(HeldObject(key, "a", META, "1042017731", "campaign_daily", "", ("k",), 6_000, reasons))

    listed = adweir("quarantine", "list").stdout.splitlines()

    assert max(map(len, listed)) <= output.WIDTH
    assert lines(adweir("quarantine", "list", "--json").stdout)[0]["rows"] == 6_000
    assert " ".join(" ".join(listed).split()).endswith("a_rule_with_a_long_name_5 1,000")


def test_refused_rows_that_a_corrected_file_brought_are_dropped(adweir: Run, call: Call, api: ModuleType) -> None:
    key, held = "drops/a/crm/campaign_performance/a.csv", api.app.findings.held
    refused = HeldObject(key, "a", META, "111", "campaign_daily", "", ("k",), 2, {"number": 2}, load=1)
    held.hold(refused)
    ((entry,), _) = held.page(1)

    assert "there is nobody to ask" in adweir("quarantine", "drop", entry.id, expect=1).stderr
    assert adweir("quarantine", "drop", entry.id, "--yes").stdout == f"dropped 2 rows of {key}\n"

    assert "no row is in quarantine" in adweir("quarantine", "list").stderr
    assert " dropped " in adweir("quarantine", "list", "--all").stdout
    (listed,) = call("GET", "/api/v1/quarantine", state="dropped")["objects"]
    assert listed["id"] == entry.id
    assert "is dropped" in adweir("quarantine", "drop", entry.id, "--yes", expect=1).stderr
    held.hold(refused)  # the message that the object arrived comes once more
    assert held.get(entry.id).state == "dropped"
    held.hold(replace(refused, rows=3, load=2))
    assert held.get(entry.id).state == "held"


def test_a_dead_letter_is_explained_sent_again_or_dropped_with_a_reason(
    adweir: Run, call: Call, environment: dict[str, str]
) -> None:
    sqs, dead = boto3.client("sqs"), environment["DEAD_LETTER_QUEUES"].replace("{queue}", "runs")
    ids = [sqs.send_message(QueueUrl=dead, MessageBody=Sweep().model_dump_json())["MessageId"] for _ in range(2)]

    listed = lines(adweir("dead-letters", "list", "--queue", "runs", "--json").stdout)
    sent = adweir("dead-letters", "send", ids[0], "--queue", "runs")
    dropped = adweir("dead-letters", "drop", ids[1], "--queue", "runs", "--reason", "it is old", "--yes")
    again = adweir("dead-letters", "send", ids[0], "--queue", "runs", expect=1)

    assert {each["id"] for each in listed} == set(ids)
    assert (sent.stdout, dropped.stdout) == ("1 done, 0 left\n", "1 done, 0 left\n")
    arrived = sqs.receive_message(QueueUrl=environment["RUNS_QUEUE_URL"], MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(each["Body"])["kind"] for each in arrived] == ["sweep"]
    (kept,) = call("GET", "/api/v1/quarantine")["messages"]
    assert "dropped by hand: it is old" in kept["reason"]
    assert f"{ids[0]} stays: not in a dead-letter queue" in again.stderr
    assert "no such queue" in adweir("dead-letters", "list", "--queue", "rums", expect=1).stderr


def test_a_message_that_no_function_could_work_on_is_listed_and_sent_again(
    adweir: Run, api: ModuleType, environment: dict[str, str]
) -> None:
    assert "no message is in quarantine" in adweir("quarantine", "messages").stderr
    assert "messages" not in adweir("quarantine", "list").output
    url, body = environment["RUNS_QUEUE_URL"], f'{{"kind": "sweeep", "sent": "{"by a script " * 40}"}}'
    kept = RefusedMessage(url.rpartition("/")[2], "m-1", body, "kind: is unknown", "2026-11-20T05:30:00.000000Z")
    RefusedMessages(api.app.raw).put(kept)

    listed = adweir("quarantine", "messages").stdout
    (found,) = lines(adweir("quarantine", "messages", "--json").stdout)

    assert "adweir quarantine messages" in adweir("quarantine", "list").stderr
    assert (found["id"], found["queue"], found["body"]) == (kept.name, "runs", body)
    assert all(part in listed for part in (f"{kept.name}  runs  2026-11-20 05:30", kept.reason, '"kind": "sweeep"'))
    assert max(map(len, listed.splitlines())) <= output.WIDTH
    assert adweir("quarantine", "replay", kept.name).stdout == f"sent to {kept.queue}\n"
    (sent,) = boto3.client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert sent["Body"] == body
    assert "adweir quarantine messages" in adweir("quarantine", "replay", f"{kept.queue}:m-2", expect=1).stderr
    assert "adweir quarantine list" in adweir("quarantine", "replay", "m-1", expect=1).stderr


def test_receipts_are_those_of_the_api(adweir: Run, call: Call, api: ModuleType, account_id: str) -> None:
    refused = {"line": 3, "field": "spend", "rule": "number", "message": "spend must be a number"}
    wordy = refused | {"line": 4, "message": "word " * 40}
    receipt = {
        "key": f"drops/{account_id}/a.csv", "version": "1", "account_id": account_id, "state": "loaded", "size": 9,
        "last_modified": "2026-11-20T05:30:00.000000Z", "rows_read": 2, "rows_stored": 1, "duplicates": 0,
        "rows_quarantined": 2, "first_quarantined": [refused, wordy], "quarantine_key": "quarantine/x",
    }  # fmt: skip
    api.app.ledger.receipts.put_listed(f"{receipt['key']}.1", receipt)
    rejected = receipt | {"key": "drops/b.csv", "state": "rejected", "reason": "the file has no header line"}
    api.app.ledger.receipts.put_listed("drops/b.csv.1", rejected)

    said = adweir("receipts").stdout
    keys = [each["key"] for each in call("GET", "/api/v1/receipts")["receipts"]]

    assert [each["key"] for each in lines(adweir("receipts", "--json").stdout)] == keys
    assert f"2026-11-20 05:30  loaded  drops/{account_id}/a.csv" in said
    assert "line 3: spend must be a number" in said
    assert "  the file has no header line" in said
    assert max(map(len, said.splitlines())) <= output.WIDTH
