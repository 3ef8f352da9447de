"""The webhooks' door and the authorizer through their handlers, on moto's AWS."""

from __future__ import annotations

import base64
import hmac
import io
import json
import logging
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from adweir.intake.doors.webhook_secrets import revoke_webhook_secrets, set_webhook_secret
from adweir.model import limits
from adweir.model.entities import Ad, AdCampaign, Profile
from adweir.model.platforms import Platform
from adweir.runtime.app import App
from adweir.runtime.settings import Settings
from adweir.store.catalog.store import Catalog
from support.clock import FrozenClock
from support.empty_aws import make_bucket
from support.functions import loaded

EVENTS = Path(__file__).resolve().parents[2] / "events"
SECRET = "whsec_" + base64.b64encode(b"the key").decode()
T1 = "2026-11-20T00:00:00.000000Z"
META = Platform("meta_ads")
METRIC = {
    "campaign_id": "c1",
    "timestamp": "2026-11-20T11:30:00Z",
    "impressions": 10,
    "cost": "1.25",
    "currency": "EUR",
}
Post = Callable[..., dict[str, Any]]


@pytest.fixture
def webhooks(
    tables: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
) -> Iterator[ModuleType]:
    make_bucket(settings.bucket)
    environment = {"CATALOG_TABLE": settings.catalog_table, "BUCKET": settings.bucket, "SECRET_PREFIX": "adweir"}
    with loaded("webhooks", environment, monkeypatch) as module:
        module.app.clock = clock
        catalog = module.app.catalog
        catalog.create_account("acc", "Company", "a@example.com")
        profile = Profile(
            account_id="acc", platform=META, profile_id="111", name="Main", currency="EUR", timezone="Europe/Berlin"
        )
        ad = Ad(platform=META, profile_id="111", id="a1", ad_group_id="g1", campaign_id="c1")
        catalog.put_objects([profile, AdCampaign(platform=META, profile_id="111", id="c1"), ad], T1)
        module.app.secrets.put("adweir/webhook/meta/acc", {"secret": SECRET, "app_secret": "app", "verify_token": "v"})
        module.app.secrets.put("adweir/webhook/meta", {"app_secret": "deployment", "verify_token": "dv"})
        yield module


def objects() -> list[str]:
    return [item["Key"] for item in boto3.client("s3").list_objects_v2(Bucket="adweir-data").get("Contents", [])]


def an_event(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, **more: Any) -> Any:
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": headers or {},
        "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
        "body": body.decode(),
        "isBase64Encoded": False,
    } | more


def push_headers(body: bytes, at: float, id_: str = "msg_1", key: bytes = b"the key") -> dict[str, str]:
    digest = hmac.new(key, f"{id_}.{int(at)}.".encode() + body, sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": id_, "webhook-timestamp": str(int(at)), "webhook-signature": signature}


@pytest.fixture
def push(webhooks: ModuleType, clock: FrozenClock) -> Post:
    def post(metrics: Any, path: str = "/webhook/meta/acc", *, body: bytes | None = None, **how: Any) -> dict[str, Any]:
        raw = json.dumps({"metrics": metrics}).encode() if body is None else body
        headers = push_headers(raw, clock.now().timestamp() + how.pop("late", 0), **how)
        answer: dict[str, Any] = webhooks.handler(an_event("POST", path, raw, headers), SimpleNamespace())
        return answer

    return post


def test_a_push_is_stored_once(push: Post, webhooks: ModuleType) -> None:
    first, again = push([METRIC]), push([METRIC])

    assert [(a["statusCode"], json.loads(a["body"])["status"]) for a in (first, again)] == [
        (200, "stored"),
        (200, "known"),
    ]
    (key,) = objects()
    assert key == f"webhooks/meta_ads/acc/{sha256(b'msg_1').hexdigest()}"
    stored = json.loads(webhooks.app.raw.get_bytes(key))
    assert (stored["kind"], stored["account_id"], stored["as_of"]) == ("push", "acc", "2026-11-20T12:00:00Z")
    assert stored["series"][0]["hours"][0]["spend"] == 1_250_000


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"late": -301}, "webhook-timestamp is 301 s behind this clock, more than 300"),
        ({"late": 900}, "webhook-timestamp is 900 s ahead of this clock, more than 300"),
        ({"id_": ""}, "webhook-id is not 1 to 256 printable characters of ASCII"),
        ({"key": b"another"}, "no secret of this address fits the signature, or there is none"),
    ],
)
def test_why_a_push_is_refused_is_in_the_log_and_not_in_the_answer(
    push: Post, caplog: pytest.LogCaptureFixture, how: dict[str, Any], why: str
) -> None:
    caplog.set_level(logging.INFO)
    answer = push([METRIC], **how)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["message"]) == (401, "no valid signature")
    (line,) = [record for record in caplog.records if record.message == "a push is refused"]
    assert vars(line).items() >= {"reason": why, "account_id": "acc", "platform": "meta_ads"}.items()


def test_after_a_rotation_both_secrets_are_taken(push: Post, webhooks: ModuleType) -> None:
    webhooks.app.secrets.put("adweir/webhook/meta/acc", {"secret": "new key"})
    assert push([METRIC], id_="a")["statusCode"] == 200
    assert push([METRIC], id_="b", key=b"new key")["statusCode"] == 200


def test_a_secret_that_was_just_set_is_taken_after_ten_seconds(
    push: Post, webhooks: ModuleType, clock: FrozenClock
) -> None:
    assert push([METRIC], "/webhook/meta/acc", key=b"of the deployment")["statusCode"] == 401
    assert push([METRIC | {"profile_id": "111"}], "/webhook/amazon")["statusCode"] == 401
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="adweir/webhook/amazon", SecretString=json.dumps({"secret": "the key"}))
    secrets.put_secret_value(
        SecretId="adweir/webhook/meta/acc", SecretString=json.dumps({"secret": "of the deployment"})
    )
    clock.advance(10)
    assert push([METRIC], "/webhook/meta/acc", key=b"of the deployment")["statusCode"] == 200
    assert push([METRIC], "/webhook/amazon")["statusCode"] == 422


def test_a_secret_that_the_api_sets_or_revokes_is_known_at_once(push: Post, webhooks: ModuleType) -> None:
    """Given a warm container that knows an account's secret and that another door has none."""
    assert push([METRIC], id_="a")["statusCode"] == 200
    assert push([METRIC], "/webhook/amazon", id_="b", key=b"of the deployment")["statusCode"] == 401
    other = App(webhooks.app.settings, webhooks.app.clock)
    meta, amazon = Platform("meta_ads"), Platform("amazon_ads")

    set_webhook_secret(other.secrets, amazon, {"secret": "of the deployment"})
    other.catalog.stamp_webhooks(amazon, "", "1")
    set_webhook_secret(other.secrets, meta, {"secret": "a new one"}, "acc", revoke_previous=True)
    other.catalog.stamp_webhooks(meta, "acc", "2")

    assert push([METRIC], "/webhook/amazon", id_="c", key=b"of the deployment")["statusCode"] == 422
    assert push([METRIC], id_="d")["statusCode"] == 401
    assert push([METRIC], id_="e", key=b"a new one")["statusCode"] == 200

    revoke_webhook_secrets(other.secrets, meta, "acc")
    other.catalog.stamp_webhooks(meta, "acc", "3")
    assert push([METRIC], id_="f", key=b"a new one")["statusCode"] == 401


def test_a_caller_without_a_valid_signature_learns_nothing(push: Post, webhooks: ModuleType) -> None:
    answers = [
        push([METRIC], key=b"wrong"),
        push([METRIC], late=-301),
        push([METRIC], late=301),
        push([METRIC], "/webhook/meta/nobody"),
        push([METRIC], "/webhook/amazon/acc"),
        push([METRIC], "/webhook/amazon"),
        push(None, body=b"{", key=b"wrong"),
        webhooks.handler(an_event("POST", "/webhook/meta/acc", b"{}"), SimpleNamespace()),
        webhooks.handler(an_event("POST", "/webhook/amazon", b"{}", {"webhook-signature": "ä"}), SimpleNamespace()),
    ]
    assert {answer["statusCode"] for answer in answers} == {401}
    assert len({answer["body"] for answer in answers}) == 1
    assert objects() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"campaign_id": "unknown"}, "campaign_id"),
        ({"campaign_id": ""}, "campaign_id"),
        ({"arm_id": "1"}, "arm_id"),
        ({"ad_id": "a1", "campaign_id": "other"}, "ad_id"),
        ({"profile_id": "222"}, "campaign_id"),
        ({"platform": "tiktok_ads"}, "platform"),
        ({"currency": "USD"}, "currency"),
        ({"impressions": -1}, "impressions"),
        ({"impressions": 10**12}, "impressions"),
        ({"impressions": "10"}, "impressions"),
        ({"impressions": 1.5}, "impressions"),
        ({"impressions": True}, "impressions"),
        ({"cost": "NaN"}, "cost"),
        ({"cost": "0.0000001"}, "cost"),
        ({"cost": 2 * 10**9}, "cost"),
        ({"cost": -0.01}, "cost"),
        ({"spend": 1}, "spend"),
        ({"clicks": None}, "clicks"),
        ({"timestamp": "2026-11-20T11:30:00"}, "timestamp"),
        ({"timestamp": "2026-11-20T12:05:01Z"}, "timestamp"),
        ({"timestamp": "2026-10-20T12:00:00Z"}, "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+23:59"}, "timestamp"),
        ({"timestamp": 10**30}, "timestamp"),
        ({"impresions": 1}, ""),
    ],
)
def test_a_push_with_an_impossible_value_is_refused_as_a_whole(push: Post, change: dict[str, Any], field: str) -> None:
    answer = push([METRIC, METRIC | change])
    assert answer["statusCode"] == 422, answer["body"]
    assert "metrics[1]" in answer["body"]
    assert field in answer["body"]
    assert objects() == []


def test_a_body_that_is_not_a_push_is_refused(push: Post) -> None:
    expected = {
        b"{": 400,
        b"": 400,
        b"x": 400,
        b"[]": 422,
        b'{"metrics": 1}': 422,
        b'{"metrics": []}': 422,
        b'{"metrics": [{}]}': 422,
        b'{"metrics":' + b"[" * 5000: 422,
        b'{"metrics": [{"campaign_id": "c1", "timestamp": 1, "cost": ' + b"[" * 100_000: 400,
        b'{"metrics": [{"campaign_id": "\\ud800", "timestamp": 1, "cost": 1}]}': 400,
        b'{"metrics": [{"campaign_id": "c1", "timestamp": 1, "cost": 1E99999999999}]}': 422,
        b'{"metrics": [{"campaign_id": "c1", "timestamp": 1, "cost": 1E99999999999999999999}]}': 422,
        json.dumps({"metrics": [METRIC] * (limits.MAX_PUSHED_METRICS + 1)}).encode(): 413,
        b" " * ((1 << 20) + 1): 413,
    }
    for body, status in expected.items():
        assert push(None, body=body)["statusCode"] == status, body[:50]
    assert objects() == []


def test_the_sender_of_the_documentation_works_as_pasted(
    webhooks: ModuleType, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def urlopen(request: urllib.request.Request) -> io.BytesIO:
        assert isinstance(request.data, bytes)
        headers = {name.lower(): value for name, value in request.header_items()}
        answer = webhooks.handler(
            an_event("POST", request.full_url.removeprefix("https://api.example"), request.data, headers),
            SimpleNamespace(),
        )
        return io.BytesIO(answer["body"].encode())

    text = (EVENTS.parent / "docs" / "webhooks.md").read_text()
    (sender,) = re.findall(r"cat > push.py <<'END'\n(.*?)END\n", text, re.DOTALL)
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    monkeypatch.setattr(time, "time", clock.now().timestamp)
    for name, value in {
        "CAMPAIGN_ID": "c1",
        "PUSH_SECRET": SECRET,
        "PUSH_URL": "https://api.example/webhook/meta/acc",
    }.items():
        monkeypatch.setenv(name, value)
    exec(compile(sender, "docs/webhooks.md", "exec"), {})  # noqa: S102  the example is what is tested
    assert json.loads(capsys.readouterr().out) == {"status": "stored"}
    (key,) = objects()
    assert json.loads(webhooks.app.raw.get_bytes(key))["series"][0]["hours"][0]["spend"] == 12_750_000


# -- Meta --------------------------------------------------------------------------------------------------------------


def notification(*accounts: str) -> bytes:
    value = {"object_id": "a1", "object_type": "ad", "changed_fields": ["effective_status"]}
    entries = [
        {"id": account, "time": 1_795_000_000, "changes": [{"field": "field_changed", "value": value}]}
        for account in accounts
    ]
    return json.dumps({"object": "ad_account", "entry": entries}).encode()


def meta(webhooks: ModuleType, body: bytes, path: str = "/webhook/meta", secret: bytes = b"deployment") -> Any:
    headers = {"x-hub-signature-256": "sha256=" + hmac.new(secret, body, sha256).hexdigest()}
    coded = {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return webhooks.handler(an_event("POST", path, b"", headers) | coded, SimpleNamespace())


def test_a_notification_of_a_known_ad_account_is_stored_once(webhooks: ModuleType) -> None:
    body = notification("111")
    assert [json.loads(meta(webhooks, body)["body"])["status"] for _ in range(2)] == ["stored", "known"]
    (key,) = objects()
    assert key == f"webhooks/meta_ads/deployment/{sha256(body).hexdigest()}"
    stored = json.loads(webhooks.app.raw.get_bytes(key))
    assert (stored["kind"], stored["account_id"], stored["body_sha256"]) == (
        "notification",
        "",
        sha256(body).hexdigest(),
    )
    assert stored["repulls"] == [
        {"account_id": "acc", "profile_id": "111", "level": "account", "object_id": "", "slice": "all"}
    ]
    assert meta(webhooks, body, "/webhook/facebook/acc", b"app")["statusCode"] == 200


def test_a_notification_of_unknown_ad_accounts_is_acknowledged_and_counted(
    webhooks: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = meta(webhooks, notification("999", "998"))
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ignored"})
    assert objects() == []
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "ObjectsUnknown" in line]
    assert json.loads(line)["ObjectsUnknown"] == [2.0]


def test_bad_notifications_are_refused(webhooks: ModuleType) -> None:
    assert meta(webhooks, notification("111"), secret=b"wrong")["statusCode"] == 401
    assert meta(webhooks, b"{}")["statusCode"] == 400
    assert meta(webhooks, b'{"object": "ad_account", "entry": ' + b"[" * 100_000)["statusCode"] == 400
    bad = an_event("POST", "/webhook/meta") | {"body": "?", "isBase64Encoded": True}
    assert webhooks.handler(bad, SimpleNamespace())["statusCode"] == 400
    assert objects() == []


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/webhook/meta", {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": "dv"}, 200),
        ("/webhook/meta/acc", {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": "v"}, 200),
        ("/webhook/meta", {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": "x"}, 403),
        ("/webhook/meta", {"hub.mode": "other", "hub.challenge": "42", "hub.verify_token": "dv"}, 403),
        ("/webhook/meta", None, 403),
        ("/webhook/meta/nobody", {"hub.mode": "subscribe", "hub.verify_token": "v"}, 403),
        ("/webhook/amazon", {}, 404),
        ("/webhook/tiktok", {}, 404),
        ("/webhook/myspace", {}, 404),
    ],
)
def test_the_handshake(webhooks: ModuleType, path: str, query: Any, status: int) -> None:
    answer = webhooks.handler(an_event("GET", path, queryStringParameters=query), SimpleNamespace())
    assert answer["statusCode"] == status
    assert status != 200 or answer["body"] == "42"


def test_an_answer_has_the_id_of_its_request(webhooks: ModuleType) -> None:
    for path, status in (("/webhook/health", 200), ("/webhook/nothing", 404)):
        event = an_event("GET", path)
        event["requestContext"]["requestId"] = "JKJaXmPLvHcESHA="
        answer = webhooks.handler(event, SimpleNamespace())
        assert (answer["statusCode"], answer["headers"]["X-Request-Id"]) == (status, "JKJaXmPLvHcESHA=")


def test_health_and_storage_down(webhooks: ModuleType, push: Post) -> None:
    health = json.loads(webhooks.handler(an_event("GET", "/webhook/health"), SimpleNamespace())["body"])
    assert health["status"] == "healthy"
    assert set(health["dependencies"].values()) == {"ok"}
    # when
    boto3.client("s3").delete_bucket(Bucket="adweir-data")
    webhooks.app.raw.bucket = "not a bucket"
    # then
    assert push([METRIC])["statusCode"] == 503
    health = json.loads(webhooks.handler(an_event("GET", "/webhook/health"), SimpleNamespace())["body"])
    assert (health["status"], health["dependencies"]["storage"]) == ("degraded", "unavailable")


@pytest.mark.parametrize("path", sorted((EVENTS / "webhooks").glob("*.json")), ids=lambda path: path.stem)
def test_the_example_deliveries_are_answered(webhooks: ModuleType, path: Path) -> None:
    answer = webhooks.handler(json.loads(path.read_text()), SimpleNamespace())
    assert answer["statusCode"] in {200, 401, 403}


# -- the authorizer ----------------------------------------------------------------------------------------------------


def test_the_authorizer_knows_active_keys_only(
    tables: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
) -> None:
    catalog = Catalog(clock)
    key, plain = catalog.create_key("key_1", "k", ["read", "write"])
    with loaded("authorize", {"CATALOG_TABLE": settings.catalog_table}, monkeypatch) as module:

        def ask(header: str | None) -> Any:
            event = json.loads((EVENTS / "authorize" / "key.json").read_text())
            event["headers"] = {} if header is None else {"authorization": header}
            return module.handler(event, SimpleNamespace())

        assert ask(f"Bearer {plain}") == {
            "isAuthorized": True,
            "context": {
                "key_id": key.key_id,
                "scopes": "read write",
                "accounts": "",
                "ends_at": "",
                "value": "current",
            },
        }
        for wrong in (None, "", "Bearer", plain, f"Bearer {plain}x", "Basic eDp5", "Bearer adw_x_y", "Bearer ä_b_c"):
            assert ask(wrong) == {"isAuthorized": False}
        catalog.revoke_key(key.key_id)
        assert ask(f"bearer {plain}") == {"isAuthorized": False}
