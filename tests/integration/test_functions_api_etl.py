"""Media-mix datasets are asked for through the API and the command line: of a campaign, an account or all."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest
from pydantic import ValidationError

from adweir.model import limits
from adweir.model.messages import RUN_MESSAGE, Scope, StartRun
from support.api import Call
from support.bounds import at_the_bound, refuses
from support.command_line import Run, commands_on

CAMPAIGN = {"name": "Spring"}


def sent(api: ModuleType) -> list[StartRun]:
    queue = api.app.settings.runs_queue_url
    found = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    messages = [RUN_MESSAGE.validate_json(message["Body"]) for message in found]
    return [message for message in messages if isinstance(message, StartRun)]


def test_one_run_makes_the_datasets_of_a_campaign_an_account_or_all(
    api: ModuleType, call: Call, account_id: str
) -> None:
    campaign_id = call("POST", "/api/v1/campaigns", CAMPAIGN | {"account_id": account_id}, expect=201)["campaign_id"]
    days: dict[str, Any] = {"lookback_days": 90}

    asked = [
        call("POST", f"/api/v1/campaigns/{campaign_id}/etl", days, expect=202),
        call("POST", f"/api/v1/accounts/{account_id}/etl", days, expect=202),
        call("POST", f"/api/v1/accounts/{account_id}/mmm", expect=202),
        call("POST", "/api/v1/etl", days, expect=202),
        call("POST", "/api/v1/etl", expect=202),
    ]

    begun = {message.run_id: message for message in sent(api)}
    assert [begun[one["run_id"]].scope for one in asked] == [
        Scope(accounts=(account_id,), campaign=campaign_id, mix_days=90),
        Scope(accounts=(account_id,), mix_days=90),
        Scope(accounts=(account_id,)),
        Scope(mix_days=90),
        Scope(),
    ]
    assert {message.workflow for message in begun.values()} == {"refresh"}
    noted = call("GET", "/api/v1/audit", account_id=account_id)["deeds"]
    subjects = sorted(one["subject"] for one in noted if one["action"] == "build datasets")
    assert subjects == sorted([account_id, account_id, campaign_id])


def test_who_asks_for_the_same_again_follows_the_run_that_is_open(call: Call, account_id: str) -> None:
    first, again = (call("POST", f"/api/v1/accounts/{account_id}/etl", expect=202) for _ in range(2))

    assert first == again


def test_what_there_is_not_cannot_be_asked_for(call: Call, account_id: str) -> None:
    call("POST", "/api/v1/campaigns/cmp_00000000000000000000/etl", expect=404)
    call("POST", "/api/v1/accounts/acc_00000000000000000000/etl", expect=404)
    call("POST", f"/api/v1/accounts/{account_id}/etl", {"lookback_days": -1}, expect=422)


@at_the_bound("MAX_MIX_DAYS")
def test_a_run_for_datasets_goes_back_three_years(*, size: int, fits: bool) -> None:
    with refuses(ValidationError, fits=fits):
        assert Scope(mix_days=size).mix_days == limits.MAX_MIX_DAYS


@pytest.fixture
def adweir(api: ModuleType, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_on(SimpleNamespace(app=lambda: api.app), monkeypatch, group="etl")


def test_the_command_line_asks_for_the_same(adweir: Run, api: ModuleType, call: Call, account_id: str) -> None:
    campaign_id = call("POST", "/api/v1/campaigns", CAMPAIGN | {"account_id": account_id}, expect=201)["campaign_id"]

    adweir("--campaign", campaign_id, "--lookback-days", "90")
    adweir("--account", account_id)
    adweir()

    asked = [message.scope for message in sent(api)]
    assert len(asked) == 3
    for scope in (
        Scope(accounts=(account_id,), campaign=campaign_id, mix_days=90),
        Scope(accounts=(account_id,)),
        Scope(),
    ):
        assert scope in asked


def test_the_command_line_shows_and_replaces_what_a_media_mix_is_made_of(
    api: ModuleType, call: Call, account_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    accounts = commands_on(SimpleNamespace(app=lambda: api.app), monkeypatch, group="accounts")
    file, wrong = tmp_path / "mix.json", tmp_path / "wrong.json"
    file.write_text(json.dumps({"controls": ["price"], "kpi": {"revenue": "sales"}}))
    wrong.write_text(json.dumps({"channels": [{"channel": "Brand"}]}))

    accounts("media-mix", account_id, str(file))
    shown = accounts("media-mix", account_id)
    refused = accounts("media-mix", account_id, str(wrong), expect=1)

    assert json.loads(shown.stdout)["kpi"] == {"conversions": "", "revenue": "sales"}
    assert call("GET", f"/api/v1/accounts/{account_id}")["media_mix"]["controls"] == ["price"]
    assert "wrong.json: channels.0.channel: " in refused.output


def test_a_campaign_of_another_client_is_refused(adweir: Run, call: Call, account_id: str) -> None:
    campaign_id = call("POST", "/api/v1/campaigns", CAMPAIGN | {"account_id": account_id}, expect=201)["campaign_id"]

    refused = adweir("--campaign", campaign_id, "--account", "acc_other", expect=1)

    assert f"{campaign_id} is a campaign of {account_id}" in refused.output
