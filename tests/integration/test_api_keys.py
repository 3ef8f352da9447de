"""API keys end, are limited to accounts, and say when they were last used; webhook secrets can be revoked."""

from __future__ import annotations

import inspect
import json
from dataclasses import asdict
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.insight.anomalies.incidents import Incident
from adweir.model import limits
from adweir.model.entities import AdCampaign, Credential, Profile, Status
from adweir.model.errors import Forbidden
from adweir.model.invoices import Invoice, InvoiceLine, InvoiceLineKind
from adweir.model.messages import Replay, Scope
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.runs import CurrentStage, Run
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import iso
from adweir.runtime.app import App
from adweir.store.catalog.limited import LimitedCatalog
from adweir.store.catalog.store import Catalog
from adweir.store.findings.held_rows import HeldObject
from adweir.store.ledger.key_uses import KeyUses
from adweir.store.metrics.store import PullRows
from support.api import DAYS, META, T1, Call, an_event, fill
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.mix_versions import put_version

OWN, RIVAL = "acc_own", "acc_rival"
SECRETS = ("Rival Company", "999", "Rival's shop", "Rival's campaign", "Rival's bill", "rival-label", RIVAL)
"""What a key of OWN must not see."""
ANOMALY = f"ano_20261102{'0' * 16}"
RANGE = {"start": "2026-11-01", "end": "2026-11-02"}

FIRST = (CurrentStage("profiles"),)


@pytest.fixture
def world(api: ModuleType) -> ModuleType:
    """Two client companies, each with a credential, ad accounts, a campaign and numbers."""
    catalog = api.app.catalog
    catalog.create_account(OWN, "Own Company", "a@own.example")
    catalog.create_account(RIVAL, "Rival Company", "a@rival.example")
    fill(api, OWN)
    rival = Profile(
        account_id=RIVAL, platform=META, profile_id="999", name="Rival's shop", currency="EUR", timezone="UTC"
    )
    campaign = AdCampaign(
        platform=META, profile_id="999", id="c9", campaign_id="c9", name="Rival's campaign", status=Status.ACTIVE
    )
    catalog.put_objects([rival, campaign], T1)
    line = InvoiceLine(line="1", kind=InvoiceLineKind.SPEND, amount=999, campaign="Rival's bill")
    bill = Invoice(platform=META, profile_id="999", invoice_id="b9", month="2026-10", currency="EUR", lines=(line,))
    catalog.put_invoices([bill], T1)
    rows = PullRows()
    rows.offer(MetricRow("c9", "2026-11-01", 1000, 10, 2_500_000, 999_000_000, 3_000_000, "c9", "", -1, "EUR"))
    of, day = (RIVAL, "meta_ads", "999", "campaign", "c9", "EUR"), "2026-11-02"
    finding = {"metric": "spend", "date": day, "value": "1", "expected": "9", "z": "-9", "severity": "critical"}
    told = Incident(ANOMALY, *of, day, day, [day], T1, name="Rival's campaign", metrics=[finding], version=1)
    assert api.app.findings.anomalies.put(asdict(told))
    stamp = Stamp(T1, "t9")
    api.app.metrics.load(Pull(META, "999", Level.CAMPAIGN, Grain.DAY, Source.PULL, "all", DAYS, stamp, True), rows)
    for account, label in ((OWN, "default"), (RIVAL, "rival-label")):
        catalog.put_credential(Credential(account_id=account, platform=META, label=label, secret_id=f"s/{account}"))
    api.app.findings.put_quality("meta_ads#999", T1, "x", {"profile_id": "999", "score": 1.0})
    for account in (OWN, RIVAL):
        api.app.ledger.create_run(Run(f"run_{account}", "sync", T1, Scope(accounts=(account,)), current=FIRST))
    api.app.ledger.create_run(Run("run_all", "daily", T1, Scope(), current=FIRST))
    return api


def asked(api: ModuleType, method: str, path: str, body: Any = None, *, accounts: str = OWN, **query: str) -> Any:
    """Ask with a key that may write in these accounts."""
    event = an_event(method, path, body, "read write", **query)
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = accounts
    return api.handler(event, SimpleNamespace())


HELD = HeldObject(
    source_key="drops/acc_rival/a.csv", account_id=RIVAL, platform="adweir", profile_id="", dataset="metrics",
    task_id="t9", keys=("quarantine/t9.0.jsonl.gz",), rows=1, reasons={"id": 1},
)  # fmt: skip
ALLOWED: list[tuple[str, str, Any, dict[str, str], int]] = [
    ("GET", "/api/v1/accounts", None, {}, 200),
    ("GET", f"/api/v1/accounts/{OWN}", None, {}, 200),
    ("GET", f"/api/v1/accounts/{RIVAL}", None, {}, 404),
    ("PATCH", f"/api/v1/accounts/{RIVAL}", {"company_name": "Mine"}, {}, 404),
    ("GET", f"/api/v1/accounts/{OWN}/credentials", None, {}, 200),
    ("GET", f"/api/v1/accounts/{RIVAL}/credentials", None, {}, 404),
    ("POST", f"/api/v1/accounts/{OWN}/credentials", {"platform": "meta", "access_token": "a-token-of-own"}, {}, 201),
    ("POST", f"/api/v1/accounts/{RIVAL}/credentials", {"platform": "meta", "access_token": "a-token-of-own"}, {}, 404),
    ("PUT", f"/api/v1/accounts/{RIVAL}/webhook-secrets/meta", {"secret": "x" * 16}, {}, 404),
    ("DELETE", f"/api/v1/accounts/{RIVAL}/webhook-secrets/meta", None, {}, 404),
    ("GET", "/api/v1/anomalies", None, {"start": "2026-11-01", "end": "2026-11-20"}, 200),
    ("GET", f"/api/v1/anomalies/{ANOMALY}", None, {}, 404),
    ("POST", f"/api/v1/anomalies/{ANOMALY}/feedback", {"expected": True}, {}, 404),
    ("POST", "/api/v1/anomalies/check", {"platform": "meta", "profile_id": "999", "metrics": {"spend": 9}}, {}, 404),
    ("GET", "/api/v1/profiles", None, {}, 200),
    ("GET", "/api/v1/profiles", None, {"platform": "meta"}, 200),
    ("GET", "/api/v1/profiles", None, {"account_id": "999"}, 200),
    ("GET", "/api/v1/profiles/meta/111", None, {}, 200),
    ("GET", "/api/v1/profiles/meta/999", None, {}, 404),
    ("PATCH", "/api/v1/profiles/meta/999", {"options": {"view_window": "none"}}, {}, 404),
    ("POST", f"/api/v1/ingestion/sync-account/{OWN}", None, {}, 202),
    ("POST", "/api/v1/ingestion/sync-account/999", None, {}, 404),
    ("POST", f"/api/v1/ingestion/sync-account/{RIVAL}", None, {}, 404),
    ("POST", "/api/v1/ingestion/backfill", {"account_id": RIVAL, **RANGE}, {}, 404),
    ("POST", "/api/v1/ingestion/backfill", RANGE, {}, 202),
    ("GET", "/api/v1/workflows", None, {}, 200),
    ("GET", f"/api/v1/runs/run_{OWN}", None, {}, 200),
    ("GET", f"/api/v1/runs/run_{RIVAL}", None, {}, 404),
    ("GET", "/api/v1/runs/run_all", None, {}, 404),
    ("POST", "/api/v1/replay", {"platform": "meta", "profile_id": "999", **RANGE}, {}, 404),
    ("GET", "/api/v1/replays/rpl_rival", None, {}, 404),
    ("POST", "/api/v1/data_pipeline/retrieve", {"data_type": "campaign_performance"}, {}, 200),
    ("POST", "/api/v1/data_pipeline/retrieve", {"data_type": "campaigns"}, {}, 200),
    ("POST", "/api/v1/data_pipeline/validate", {"data_type": "ads", "data": {"records": [{}]}}, {}, 200),
    (
        "POST",
        "/api/v1/reports",
        {
            "time_range": {"start_date": "2026-11-01", "end_date": "2026-11-02"},
            "metrics": [{"name": "spend"}],
            "dimensions": [{"name": "campaign"}, {"name": "account"}],
        },
        {},
        200,
    ),
    (
        "GET",
        "/api/v1/reports",
        None,
        {"start_date": "2026-11-01", "end_date": "2026-11-02", "metrics": "spend", "dimensions": "campaign,account"},
        200,
    ),
    ("GET", "/api/v1/ads", None, RANGE, 200),
    ("GET", "/api/v1/ads", None, {"account_id": RIVAL}, 200),
    ("GET", "/api/v1/account-days", None, RANGE, 200),
    ("GET", "/api/v1/platform-campaigns", None, {"profile_id": "999"}, 200),
    ("GET", "/api/v1/keywords", None, {}, 200),
    ("GET", "/api/v1/invoices", None, {}, 200),
    ("GET", "/api/v1/invoices", None, {"profile_id": "999"}, 200),
    ("GET", "/api/v1/coverage", None, RANGE, 200),
    ("GET", "/api/v1/restatement", None, {}, 200),
    ("GET", "/api/v1/quality/naming", None, {}, 200),
    ("GET", "/api/v1/quality", None, {"platform": "meta", "profile_id": "999"}, 200),
    ("GET", "/api/v1/exports/exp_rival", None, {}, 404),
    ("GET", "/api/v1/brakes", None, {}, 200),
    ("GET", "/api/v1/quarantine", None, {}, 200),
    ("GET", "/api/v1/quarantine", None, {"account_id": RIVAL}, 200),
    ("GET", f"/api/v1/quarantine/{HELD.name}", None, {}, 404),
    ("POST", f"/api/v1/quarantine/{HELD.name}/replay", None, {}, 404),
    ("POST", "/api/v1/quarantine/adweir-runs:1/replay", None, {}, 404),
    ("GET", "/api/v1/receipts", None, {}, 200),
    ("GET", "/api/v1/receipts", None, {"account_id": RIVAL}, 404),
    ("GET", "/api/v1/campaigns", None, {}, 200),
    ("POST", "/api/v1/campaigns", {"name": "Ours"}, {}, 201),
    ("POST", "/api/v1/campaigns", {"name": "Ours", "account_id": RIVAL}, {}, 422),
    ("GET", "/api/v1/campaigns/cmp_rival", None, {}, 404),
    ("PATCH", "/api/v1/campaigns/cmp_rival", {"name": "Mine"}, {}, 404),
    ("DELETE", "/api/v1/campaigns/cmp_rival/arms/arm_rival", None, {}, 404),
    ("GET", "/api/v1/agents", None, {}, 200),
    ("GET", "/api/v1/features", None, {}, 200),
    ("GET", "/api/v1/agents", None, {"campaign_id": "cmp_rival"}, 422),
    ("GET", f"/api/v1/accounts/{OWN}/mmm", None, {}, 200),
    ("GET", f"/api/v1/accounts/{RIVAL}/mmm", None, {}, 404),
    ("GET", f"/api/v1/accounts/{RIVAL}/mmm/features", None, {}, 404),
    ("GET", "/api/v1/campaigns/cmp_rival/mmm/features", None, {}, 404),
    ("GET", f"/api/v1/accounts/{OWN}/mmm/versions", None, {}, 200),
    ("GET", f"/api/v1/accounts/{RIVAL}/mmm/versions", None, {}, 404),
    ("GET", f"/api/v1/accounts/{RIVAL}/mmm/versions/1", None, {}, 404),
    ("POST", f"/api/v1/accounts/{OWN}/mmm/reallocation", {}, {}, 200),
    ("POST", f"/api/v1/accounts/{RIVAL}/mmm/reallocation", {}, {}, 404),
    ("GET", "/api/v1/campaigns/cmp_rival/mmm", None, {}, 404),
    ("GET", "/api/v1/campaigns/cmp_rival/mmm/versions", None, {}, 404),
    ("GET", "/api/v1/campaigns/cmp_rival/mmm/versions/1", None, {}, 404),
    ("POST", "/api/v1/campaigns/cmp_rival/mmm/reallocation", {}, {}, 404),
    ("GET", f"/api/v1/accounts/{OWN}/aggregates", None, {}, 200),
    ("GET", f"/api/v1/accounts/{RIVAL}/aggregates", None, {}, 404),
]


@pytest.mark.parametrize(("method", "path", "body", "query", "status"), ALLOWED)
def test_a_limited_key_sees_its_accounts_and_nothing_of_others(
    world: ModuleType, method: str, path: str, body: Any, query: dict[str, str], status: int
) -> None:
    world.app.ledger.replays.begin(
        Replay(
            replay_id="rpl_rival", account_id=RIVAL, platform="meta_ads", profile_id="999", datasets=(),
            start=DAYS.start, end=DAYS.end, load=1, cause="replay",
        )
    )  # fmt: skip
    world.app.findings.held.hold(HELD)
    for subject in (OWN, RIVAL, "cmp_rival"):
        put_version(world.app.findings.mix, subject)
    world.app.ledger.exports.begin("exp_rival", {"format": "csv"}, frozenset({RIVAL}))
    answer = asked(world, method, path, body, **query)
    assert answer["statusCode"] == status, answer["body"]
    told = str(path) + json.dumps(body) + json.dumps(query)
    assert [secret for secret in SECRETS if secret in answer["body"] and secret not in told] == []
    if status == 200 and "reports" in path:
        assert '"spend":4.938268' in answer["body"] or "1.234567" in answer["body"]


def test_a_key_of_all_accounts_sees_what_the_limited_one_does_not(world: ModuleType, call: Call) -> None:
    """The story above would show another client's data, if there were no limit."""
    reads: list[tuple[str, str, Any]] = [("GET", "/api/v1/accounts", None), ("GET", "/api/v1/profiles", None)]
    reads += [("GET", f"/api/v1/accounts/{RIVAL}/credentials", None)]
    reads += [("POST", "/api/v1/data_pipeline/retrieve", {"data_type": "campaigns"})]
    reads += [("GET", "/api/v1/invoices", None)]
    told = "".join(json.dumps(call(method, path, body)) for method, path, body in reads)
    assert [secret for secret in SECRETS if secret not in told] == []


def test_every_other_route_is_refused_to_a_limited_key(api: ModuleType) -> None:
    """Given each route, a limited key gets a 403 from those that are not in the story above."""
    secured = [each for resource in api.RESOURCES for each in resource.operations if each.scope]
    for operation in secured:
        path = operation.path.replace("{", "").replace("}", "")
        answer = asked(api, operation.method, path, {} if operation.method != "GET" else None)
        assert (answer["statusCode"] == 403) == (not operation.limited), (operation.path, answer["body"])
    told = {(method, path.split("/")[3]) for method, path, *_ in ALLOWED}
    limited = {(each.method, each.path.split("/")[3]) for each in secured if each.limited}
    assert limited - told == set()


def test_every_method_of_the_catalog_is_limited_or_refused(tables: None, clock: FrozenClock) -> None:
    public = {name for name, _ in inspect.getmembers(Catalog, inspect.isfunction) if not name.startswith("_")}
    own = {name for name in vars(LimitedCatalog) if not name.startswith("_")}
    assert public - own == set()
    with pytest.raises(Forbidden):
        LimitedCatalog(clock, ["acc_1"]).delete_account("acc_1")


@at_the_bound("MAX_KEY_ACCOUNTS")
def test_the_accounts_of_a_key(size: int, fits: bool, world: ModuleType, call: Call) -> None:
    body = {"name": "k", "scopes": ["read"], "accounts": [OWN] * size}
    answer = call("POST", "/api/v1/keys", body, expect=201 if fits else 422)
    if fits:
        assert world.app.catalog.find_key(answer["key"]).key.accounts == (OWN,) * size


def test_a_key_is_limited_to_accounts_that_exist_and_never_admin(world: ModuleType, call: Call) -> None:
    key = {"name": "k", "scopes": ["read"], "accounts": [OWN]}
    assert call("POST", "/api/v1/keys", key, expect=201)["accounts"] == [OWN]
    call("POST", "/api/v1/keys", key | {"accounts": ["acc_nobody"]}, expect=422)
    call("POST", "/api/v1/keys", key | {"scopes": ["admin"]}, expect=422)


def test_a_key_ends(world: ModuleType, call: Call, clock: FrozenClock) -> None:
    end = clock.now() + timedelta(days=7)
    made = call("POST", "/api/v1/keys", {"name": "k", "scopes": ["read"], "expires_at": end.isoformat()}, expect=201)
    catalog = world.app.catalog
    assert (made["status"], made["expires_at"]) == ("active", iso(end))

    clock.advance(timedelta(days=7).total_seconds() - 1)
    assert catalog.find_key(made["key"]) is not None
    clock.advance(1)
    assert catalog.find_key(made["key"]) is None
    (listed,) = call("GET", "/api/v1/keys")["keys"]
    assert listed["status"] == "expired"
    for wrong in ("tomorrow-or-so", "2026-11-27T00:00:00", "0001-01-01T00:00:00+14:00", iso(clock.now())):
        call("POST", "/api/v1/keys", {"name": "k", "scopes": ["read"], "expires_at": wrong}, expect=422)


def test_a_key_says_when_it_was_last_used(world: ModuleType, call: Call, clock: FrozenClock) -> None:
    keys = [world.app.catalog.create_key(f"key_{n}", "k", ["read"])[0] for n in (1, 2)]
    event = an_event("GET", "/api/v1/accounts")
    event["requestContext"]["authorizer"]["lambda"]["key_id"] = keys[0].key_id
    first = iso(clock.now())
    for seconds in (0, 599, 1):
        clock.advance(seconds)
        world.handler(event, SimpleNamespace())
        used = {key["key_id"]: key["last_used_at"] for key in call("GET", "/api/v1/keys")["keys"]}
        assert used == {"key_1": iso(clock.now()) if seconds == 1 else first, "key_2": None}


@at_the_bound("MAX_NOTED_KEYS", as_if=3)
def test_the_keys_whose_last_use_is_remembered(size: int, fits: bool, tables: None, clock: FrozenClock) -> None:
    uses = KeyUses(clock)
    for number in range(size):
        uses.used(f"key_{number}")
    clock.advance(1)
    uses.used("key_0")
    assert (uses.of(["key_0"])["key_0"].last == iso(clock.now())) is not fits
    assert limits.MAX_NOTED_KEYS == 3


def test_only_an_admin_deletes_an_account(world: ModuleType, call: Call) -> None:
    call("DELETE", f"/api/v1/accounts/{RIVAL}", scopes="read write", expect=403)
    call("DELETE", f"/api/v1/accounts/{RIVAL}", scopes="admin")


# -- webhook secrets that leaked


def test_a_leaked_webhook_secret_is_replaced_at_once(world: ModuleType, call: Call) -> None:
    path, secrets = f"/api/v1/accounts/{OWN}/webhook-secrets/meta", world.app.secrets
    for secret in ("first-secret-of-all", "the-one-that-leaked"):
        call("PUT", path, {"secret": secret})
    call("PUT", path, {"secret": "a-new-one-for-us", "revoke_previous": True})

    assert secrets.versions(f"adweir/webhook/meta/{OWN}") == [{"secret": "a-new-one-for-us"}] * 2
    call("PUT", path, {"revoke_previous": True}, expect=422)


def test_what_another_container_revoked_does_not_come_back(world: ModuleType, call: Call) -> None:
    """Given a container that remembers a secret which another one has revoked since, when it sets another field."""
    path, secrets = f"/api/v1/accounts/{OWN}/webhook-secrets/meta", world.app.secrets
    call("PUT", path, {"secret": "the-one-that-leaked"})
    assert secrets.get(f"adweir/webhook/meta/{OWN}")
    App(world.app.settings, world.app.clock).secrets.delete(f"adweir/webhook/meta/{OWN}")

    assert call("PUT", path, {"verify_token": "v" * 8})["fields"] == ["verify_token"]
    assert world.app.catalog.door(META, OWN)


@pytest.mark.parametrize("path", [f"/api/v1/accounts/{OWN}/webhook-secrets/meta", "/api/v1/webhook-secrets/meta"])
def test_revoked_webhook_secrets_stay_invalid_when_others_are_set(world: ModuleType, call: Call, path: str) -> None:
    secrets, name = world.app.secrets, "adweir/webhook/meta" + (f"/{OWN}" if OWN in path else "")
    call("PUT", path, {"secret": "the-one-that-leaked", "verify_token": "v" * 8})
    assert call("DELETE", path)["fields"] == []
    assert call("DELETE", path)["fields"] == []
    assert call("PUT", path, {"secret": "a-new-one-for-us"})["fields"] == ["secret"]

    assert secrets.versions(name) == [{"secret": "a-new-one-for-us"}] * 2
