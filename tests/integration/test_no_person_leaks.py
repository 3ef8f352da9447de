"""A person whose lead arrives is in the body that is kept for the client, and nowhere else, whatever goes wrong."""

from __future__ import annotations

import hmac
import io
import json
import logging
from collections.abc import Iterator
from hashlib import sha256
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from adweir.model.entities import Ad, AdCampaign, Profile
from adweir.model.errors import Unavailable
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.runtime.settings import Settings
from adweir.store.raw.store import RawStore
from support.clock import FrozenClock
from support.functions import loaded
from support.left_behind import left_behind
from support.machine import Machine

PERSON = ("Ada Example", "ada@example.com", "+49 30 901820")
KEY, TOKEN, APP_SECRET = "the key of the lead forms", "the-token-of-the-callback", "the app's secret"
COMPANY = "acc_1"
T1 = "2026-11-20T00:00:00.000000Z"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> io.StringIO:
    caplog.set_level(logging.INFO)
    return io.StringIO()


@pytest.fixture
def machine(tables: None, settings: Settings, log: io.StringIO) -> Machine:
    made = Machine(settings, FrozenClock(), REGISTRY)
    made.app.logger.handlers[0].setStream(log)  # type: ignore[attr-defined]
    made.app.logger.setLevel(logging.DEBUG)
    catalog = made.app.catalog
    catalog.create_account(COMPANY, "Company", "a@company.example")
    for name in ("google_ads", "tiktok_ads", "meta_ads"):
        named: dict[str, Any] = {"platform": Platform(name), "profile_id": "5"}
        profile = Profile(**named, account_id=COMPANY, name="n", currency="EUR", timezone="Europe/Berlin")
        ad = Ad(**named, id="700", ad_group_id="8", campaign_id="70")
        catalog.put_objects([profile, AdCampaign(**named, id="70"), ad], T1)
    return made


@pytest.fixture
def webhooks(
    machine: Machine, settings: Settings, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    names = ("catalog_table", "ledger_table", "metrics_table", "findings_table", "bucket", "secret_prefix")
    environment = {name.upper(): str(getattr(settings, name)) for name in names}
    with loaded("webhooks", environment, monkeypatch) as module:
        module.app.clock = machine.clock
        module.app.logger.handlers[0].setStream(log)
        module.app.logger.setLevel(logging.DEBUG)
        secrets = {"google_key": KEY, "callback_token": TOKEN, "app_secret": APP_SECRET}
        for platform, fields in (("google", ["google_key"]), ("tiktok", ["callback_token"]), ("meta", ["app_secret"])):
            for account in ("", f"/{COMPANY}"):
                values = {field: secrets[field] for field in fields}
                module.app.secrets.put(f"{settings.secret_prefix}/webhook/{platform}{account}", values)
        yield module


def google(**changes: Any) -> bytes:
    answers = [{"column_id": name, "string_value": value} for name, value in zip("NEP", PERSON, strict=True)]
    lead = {"lead_id": "L1", "campaign_id": 70, "google_key": KEY, "user_column_data": answers}
    return json.dumps(lead | changes).encode()


def tiktok(**changes: Any) -> bytes:
    answers = [{"field": name, "value": value} for name, value in zip("nep", PERSON, strict=True)]
    lead = {"id": "T1", "advertiser_id": "5", "campaign_id": "70", "create_time": 1795176000, "changes": answers}
    return json.dumps({"request_id": "1", "object": 1, "time": 1, "entry": [lead | changes]}).encode()


def meta(**changes: Any) -> bytes:
    """Meta's leads name nobody; should they ever."""
    value = {"leadgen_id": 1, "ad_id": 700, "full_name": PERSON[0], "email": PERSON[1], "phone": PERSON[2]}
    entry = {"id": "2", "time": 1795176000, "changes": [{"field": "leadgen", "value": value | changes}]}
    return json.dumps({"object": "page", "entry": [entry]}).encode()


def post(webhooks: ModuleType, name: str, body: bytes, account: str = COMPANY, token: str = TOKEN) -> dict[str, Any]:
    path = f"/webhook/{name}/{account}" if account else f"/webhook/{name}"
    signature = "sha256=" + hmac.new(APP_SECRET.encode(), body, sha256).hexdigest()
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": f"token={token}",
        "queryStringParameters": {"token": token},
        "headers": {"content-type": "application/json"}
        | ({"x-hub-signature-256": signature} if name == "meta" else {}),
        "requestContext": {"http": {"method": "POST", "path": path}, "stage": "$default"},
        "body": body.decode(),
        "isBase64Encoded": False,
    }
    answer: dict[str, Any] = webhooks.handler(event, SimpleNamespace(aws_request_id="r"))
    return answer


def deliver(webhooks: ModuleType, name: str, body: bytes, account: str = COMPANY, token: str = TOKEN) -> int:
    """The status of the answer, which names nobody."""
    answer = post(webhooks, name, body, account, token)
    assert not [word for word in (*PERSON, KEY) if word in str(answer["body"])]
    return int(answer["statusCode"])


def test_nobody_is_in_what_leads_leave_behind_but_in_their_bodies(
    machine: Machine, webhooks: ModuleType, log: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    """Given leads that are taken, repeated, forged, malformed, of nobody, and that meet a fault of storage or ours."""
    senders = {"google": google, "tiktok": tiktok, "meta": meta}
    for name, body in senders.items():
        for account in (COMPANY, "", COMPANY):
            assert deliver(webhooks, name, body(), account) == 200
        assert deliver(webhooks, name, body()[:-9], account) in {400, 401}
        assert deliver(webhooks, name, body() + b" " * (1 << 20)) == 413
        assert deliver(webhooks, name, body(), "acc_nobody") == 401
    assert deliver(webhooks, "google", google(google_key="wrong")) == 401
    assert deliver(webhooks, "google", google(lead_id="L2", campaign_id=PERSON[1])) == 200
    assert deliver(webhooks, "tiktok", tiktok(), token="wrong") == 401
    assert deliver(webhooks, "tiktok", tiktok(id=PERSON[1], campaign_id=PERSON[0])) == 200
    for fault, status in ((Unavailable("S3 is down"), 503), (RuntimeError("a fault of ours"), 500)):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(RawStore, "put_once", _raising(fault))
            for name, body in senders.items():
                assert deliver(webhooks, name, body(lead_id=9, id=9, leadgen_id=9)) == status
    sent: list[str] = []
    machine.run()
    sent += [message.model_dump_json() for queue in machine.queues.every() for message in queue.messages]

    left = dict(left_behind(machine, sent)) | {"log": log.getvalue().encode(), "other logs": caplog.text.encode()}
    bodies = {where for where in left if where.startswith("leads/") and not where.endswith("metadata")}
    for word in (*PERSON, KEY, TOKEN, APP_SECRET):
        knows = {where for where, body in left.items() for form in _spelled(word) if form in body}
        assert knows <= (bodies if word in PERSON else set()), word
    assert len(bodies) == 6
    assert all(any(word.encode() in left[body] for word in PERSON) for body in bodies)
    assert b"a fault of ours" in left["log"] + left["other logs"]
    assert any("lead#day#push" in where for where in left)


def test_google_is_answered_with_an_empty_object_and_the_others_with_what_became_of_it(webhooks: ModuleType) -> None:
    bodies = [("google", google()), ("google", google(is_test=True)), ("tiktok", tiktok()), ("meta", meta())]
    answers = [(name, json.loads(post(webhooks, name, body)["body"])) for name, body in [*bodies, *bodies]]
    assert [answer for name, answer in answers if name == "google"] == [{}] * 4
    for other in ("tiktok", "meta"):
        assert [answer for name, answer in answers if name == other] == [{"status": "stored"}, {"status": "known"}]


def _raising(fault: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> bool:
        raise fault

    return fail


def _spelled(word: str) -> set[bytes]:
    return {form.encode() for form in (word, quote(word, safe=""), json.dumps(word)[1:-1])}
