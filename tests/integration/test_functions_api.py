"""The API through its handler: accounts, credentials, runs, keys, and its own description."""

from __future__ import annotations

import json
from types import ModuleType, SimpleNamespace

from adweir.model.datasets import Dataset
from adweir.model.messages import RedriveCredential, Scope, StartRun
from adweir.model.platforms import Platform
from adweir.model.runs import CurrentStage, Run
from adweir.model.tasks import Task, TaskState
from support.api import DAYS, META, T1, Call, an_event, fill, sent
from support.pipeline import a_task

# -- accounts and credentials ------------------------------------------------------------------------------------------


def test_an_account_is_created_read_changed_listed_and_deleted(call: Call, account_id: str) -> None:
    one = f"/api/v1/accounts/{account_id}"
    assert call("GET", one)["company_name"] == "Company"
    assert call("PATCH", one, {"company_name": "Renamed"})["company_name"] == "Renamed"
    assert [a["account_id"] for a in call("GET", "/api/v1/accounts")["accounts"]] == [account_id]
    assert call("DELETE", one)["status"] == "deleted"
    assert call("GET", one, expect=404)["error"]["code"] == "not_found"
    assert call("GET", "/api/v1/accounts") == {"accounts": [], "next_token": None}


def test_a_second_account_of_one_name_is_created_with_a_warning(call: Call, account_id: str) -> None:
    body = {"company_name": "COMPANY", "primary_contact_email": "b@example.com"}

    second = call("POST", "/api/v1/accounts", body, expect=201)

    assert second["account_id"] != account_id
    assert second["warnings"] == [f"another account has this name: {account_id}"]
    other = call("POST", "/api/v1/accounts", body | {"company_name": "Other"}, expect=201)
    assert other["warnings"] == []


def test_a_page_token_of_another_list_is_refused(call: Call, account_id: str) -> None:
    call("POST", "/api/v1/accounts", {"company_name": "B", "primary_contact_email": "b@example.com"}, expect=201)
    token = call("GET", "/api/v1/accounts", limit="1")["next_token"]

    for path in ("/api/v1/keys", "/api/v1/profiles", "/api/v1/runs"):
        error = call("GET", path, expect=400, next_token=token)["error"]
        assert error["details"] == [{"field": "next_token", "message": "is not a token of this list"}]


def test_a_backfill_needs_no_account_where_there_is_only_one(call: Call, api: ModuleType, account_id: str) -> None:
    asked = {"start": "2026-10-01", "end": "2026-10-02"}

    call("POST", "/api/v1/ingestion/backfill", asked, expect=202)
    assert sent(api)[0].scope.accounts == (account_id,)

    call("POST", "/api/v1/accounts", {"company_name": "B", "primary_contact_email": "b@example.com"}, expect=201)
    error = call("POST", "/api/v1/ingestion/backfill", asked, expect=422)["error"]
    assert error["details"] == [{"field": "account_id", "message": "is required"}]


def test_lists_page(call: Call, account_id: str) -> None:
    call("POST", "/api/v1/accounts", {"company_name": "B", "primary_contact_email": "b@example.com"}, expect=201)
    first = call("GET", "/api/v1/accounts", limit="1")
    second = call("GET", "/api/v1/accounts", limit="1", next_token=first["next_token"])

    assert len({a["account_id"] for a in first["accounts"] + second["accounts"]}) == 2
    assert second["next_token"] is None


def test_a_credential_is_stored_and_never_echoed(call: Call, api: ModuleType, account_id: str) -> None:
    # when: the contract's example, without a platform
    secret = {
        "client_id": "amzn1.application-oa2-client.x",
        "client_secret": "hush-hush",
        "refresh_token": "Atzr|refresh",
    }
    answer = call("POST", f"/api/v1/accounts/{account_id}/credentials", secret, expect=201)

    # then
    assert (answer["platform"], answer["state"], answer["version"]) == ("amazon_ads", "active", 1)
    shown = json.dumps([answer, call("GET", f"/api/v1/accounts/{account_id}/credentials")])
    assert "hush-hush" not in shown
    assert "Atzr" not in shown
    assert api.app.secrets.get(answer["secret_id"]) == secret
    assert sent(api) == []


def test_a_replaced_credential_has_its_parked_tasks_redriven(call: Call, api: ModuleType, account_id: str) -> None:
    path = f"/api/v1/accounts/{account_id}/credentials"
    call("POST", path, {"platform": "meta", "access_token": "old-token"}, expect=201)

    answer = call("POST", path, {"platform": "facebook", "access_token": "new-token"}, expect=201)

    assert answer["version"] == 2
    assert sent(api) == [RedriveCredential(account_id=account_id, platform="meta_ads")]
    call("DELETE", f"{path}/meta")
    assert call("GET", path) == {"credentials": [], "next_token": None}
    call("DELETE", f"{path}/meta", expect=404)


def test_credentials_of_one_platform_are_told_apart_by_their_label(call: Call, account_id: str) -> None:
    path = f"/api/v1/accounts/{account_id}/credentials"
    amazon = {"client_id": "amzn1.x", "client_secret": "hush-hush", "refresh_token": "Atzr|refresh"}
    for label, region in (("us", "NA"), ("eu", "eu")):
        answer = call("POST", path, amazon | {"label": label, "region": region}, expect=201)
        assert (answer["label"], answer["route"], answer["version"]) == (label, region.lower(), 1)

    assert [each["label"] for each in call("GET", path)["credentials"]] == ["eu", "us"]
    assert call("DELETE", f"{path}/amazon", label="us")["label"] == "us"
    call("DELETE", f"{path}/amazon", expect=404)
    assert [each["label"] for each in call("GET", path)["credentials"]] == ["eu"]
    call("POST", path, amazon | {"label": "no spaces"}, expect=422)


def test_a_credential_says_which_ad_accounts_it_reaches_or_why_none(
    call: Call, api: ModuleType, account_id: str
) -> None:
    # given a credential whose listing was loaded and brought nothing, and one that reaches an ad account
    path = f"/api/v1/accounts/{account_id}/credentials"
    amazon = {"client_id": "amzn1.x", "client_secret": "hush-hush", "refresh_token": "Atzr|refresh"}
    assert "eu or fe" in call("POST", path, amazon, expect=201)["note"]
    call("POST", path, {"platform": "meta", "access_token": "a-token-of-meta"}, expect=201)
    fill(api, account_id)
    task = a_task(account_id=account_id, platform=Platform("amazon_ads"), profile_id="", dataset=Dataset.PROFILES)
    api.app.ledger.plan(task)
    api.app.ledger.finish(task.run_id, task.id, 0, TaskState.LOADED)

    # when they are listed
    empty, other = call("GET", path)["credentials"]

    # then
    assert (empty["profiles"], other["profiles"], other["note"]) == ([], ["111", "222"], None)
    assert empty["listed_at"]
    assert "eu or fe" in empty["note"]


def test_webhook_secrets_rotate_and_keep_the_previous(call: Call, api: ModuleType, account_id: str) -> None:
    path = f"/api/v1/accounts/{account_id}/webhook-secrets/meta"
    assert call("PUT", path, {"secret": "one" * 8, "verify_token": "v" * 8})["fields"] == ["secret", "verify_token"]
    call("PUT", path, {"secret": "two" * 8})

    versions = api.app.secrets.versions(f"adweir/webhook/meta/{account_id}")
    assert versions == [
        {"secret": "two" * 8, "verify_token": "v" * 8},
        {"secret": "one" * 8, "verify_token": "v" * 8},
    ]
    call("PUT", "/api/v1/webhook-secrets/amazon", {"secret": "d" * 16})
    assert api.app.secrets.get("adweir/webhook/amazon") == {"secret": "d" * 16}
    call("PUT", "/api/v1/webhook-secrets/amazon", {"secret": "d" * 16}, scopes="write", expect=403)


# -- runs --------------------------------------------------------------------------------------------------------------


def test_syncs_and_backfills_become_messages(call: Call, api: ModuleType, account_id: str) -> None:
    ids = [
        call("POST", "/api/v1/ingestion/sync-all", expect=202)["run_id"],
        call("POST", f"/api/v1/ingestion/sync-account/{account_id}", expect=202)["run_id"],
        call(
            "POST",
            "/api/v1/ingestion/backfill",
            {"account_id": account_id, "platforms": ["meta"], "start": "2026-10-01", "end": "2026-10-31"},
            expect=202,
        )["run_id"],
        call("POST", "/api/v1/workflows/daily/runs", {"scope": {"platforms": ["meta_ads"]}}, expect=202)["run_id"],
    ]
    messages = {message.run_id: message for message in sent(api)}

    assert all(run_id.startswith("run_") for run_id in ids)
    assert all(isinstance(messages[run_id], StartRun) for run_id in ids)
    assert [messages[run_id].workflow for run_id in ids] == ["sync", "sync", "backfill", "daily"]
    assert [messages[run_id].scope for run_id in ids] == [
        Scope(),
        Scope(accounts=(account_id,)),
        Scope(accounts=(account_id,), platforms=("meta_ads",), start="2026-10-01", end="2026-10-31"),
        Scope(platforms=("meta_ads",)),
    ]


def test_an_ad_account_is_synced_by_its_own_id(call: Call, api: ModuleType, account_id: str) -> None:
    fill(api, account_id)
    week = {"start": "2026-11-01", "end": "2026-11-07"}
    synced = call("POST", "/api/v1/ingestion/sync-account/222", expect=202)["run_id"]
    filled = call("POST", "/api/v1/ingestion/backfill", {"account_id": "222"} | week, expect=202)["run_id"]
    call("POST", "/api/v1/ingestion/sync-account/333", expect=404)
    call("POST", "/api/v1/ingestion/sync-account/acc_333", expect=404)

    scopes = {message.run_id: message.scope for message in sent(api)}
    only = Scope(accounts=(account_id,), platforms=("meta_ads",), profiles=("meta_ads#222",))
    assert scopes == {synced: only, filled: only.model_copy(update=week)}


def test_a_run_shows_its_stages_and_failed_tasks(call: Call, api: ModuleType) -> None:
    # given
    ledger = api.app.ledger
    ledger.create_run(Run("run-1", "daily", T1, Scope(), current=(CurrentStage("metrics"),)))
    for profile_id in ("111", "222"):
        ledger.plan(Task("run-1", "metrics", "acc", META, profile_id, Dataset.AD_DAILY, "all", DAYS, 2_000_000_000))
    failing = next(iter(ledger.tasks("run-1")))
    ledger.finish("run-1", failing.id, 0, TaskState.FAILED, error={"code": "deadline", "message": "late"})

    # when
    run = call("GET", "/api/v1/runs/run-1")

    # then
    assert [(s["name"], s["total"], s["done"], s["failed"], s["state"]) for s in run["stages"]] == [
        ("metrics", 2, 0, 1, "running")
    ]
    assert [(t["task_id"], t["error"]["code"]) for t in run["failed_tasks"]] == [(failing.id, "deadline")]
    assert [r["run_id"] for r in call("GET", "/api/v1/runs")["runs"]] == ["run-1"]
    call("POST", "/api/v1/runs/run-1/redrive", {"task_ids": [failing.id]}, expect=202)
    call("POST", "/api/v1/runs/run-1/redrive", {"task_ids": ["no"]}, expect=404)
    call("POST", "/api/v1/runs/run-1/cancel", expect=202)
    call("GET", "/api/v1/runs/nobody", expect=404)
    assert sorted(message.kind for message in sent(api)) == ["cancel", "redrive"]


# -- keys, scopes, the log ---------------------------------------------------------------------------------------------


def test_keys_are_made_listed_and_revoked_by_admins_only(call: Call, api: ModuleType) -> None:
    made = call("POST", "/api/v1/keys", {"name": "ci", "scopes": ["read"]}, expect=201)
    assert api.app.catalog.find_key(made["key"]).key.scopes == ("read",)
    listed = call("GET", "/api/v1/keys")
    assert [key["key_id"] for key in listed["keys"]] == [made["key_id"]]
    assert made["key"] not in json.dumps(listed)
    assert "hash" not in made
    assert call("DELETE", f"/api/v1/keys/{made['key_id']}")["status"] == "revoked"
    assert api.app.catalog.find_key(made["key"]) is None
    for method, path in (("GET", "/api/v1/keys"), ("POST", "/api/v1/keys"), ("DELETE", "/api/v1/keys/x")):
        assert call(method, path, {}, scopes="write", expect=403)["error"]["code"] == "forbidden"


def test_every_route_checks_its_scope(api: ModuleType) -> None:
    below = {"read": "", "write": "read", "admin": "write read"}
    secured = [each for resource in api.RESOURCES for each in resource.operations if each.scope]
    assert len(secured) > 20
    for operation in secured:
        path = operation.path.replace("{", "").replace("}", "")
        answer = api.handler(an_event(operation.method, path, {}, below[operation.scope]), SimpleNamespace())
        assert answer["statusCode"] == 403, operation.path
