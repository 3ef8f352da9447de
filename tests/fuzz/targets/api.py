"""Requests to the API: paths, queries and bodies of every route, with keys of all accounts and of one.

No request is answered 5xx, none that is refused leaves anything behind, and a key that is limited to one client sees
nothing of another.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any
from urllib.parse import quote

from adweir.model.calls import ApiCall
from adweir.runtime.routes import Operation
from adweir.store.ledger.key_uses import Uses
from fuzz import awkward, damage, pulls
from fuzz.cloud import ENVIRONMENT, Cloud
from fuzz.documents import Document, mutated
from fuzz.functions import Function
from fuzz.running import Broken, Case
from fuzz.transport import Wire, http_answer
from support.api import an_event, fill
from support.clock import FrozenClock
from support.described_api import example

_MARK = "Company of acc"
_RANGE = {"start": "2026-11-01", "end": "2026-11-02"}
_DAYS = {"start_date": "2026-11-01", "end_date": "2026-11-02"}
_RULES = {
    "ad_id": {"type": "string", "required": True, "regex": "[a-z0-9]+", "min_length": 1, "max_length": 9},
    "clicks": {"type": "integer", "min": 0, "max": 100, "severity": "warn", "mostly": 0.9, "nullable": True},
    "spend": {"type": "number", "min": 0.01}, "platform": {"allowed": ["meta", "amazon"], "empty": False},
    "day": {"type": "date", "min": "2026-01-01"}, "tags": {"type": "list", "forbidden": ["x"]},
    "rules": ["end_before_start", "currency", {"rule": "ctr_differs", "tolerance": 0.01, "severity": "warn"}],
}  # fmt: skip
_RECORDS = [
    {"ad_id": "a1", "clicks": 5, "spend": 1.25, "platform": "facebook", "day": "2026-11-01", "tags": ["y"]},
    {
        "account_id": "1",
        "currency": "USD",
        "ctr": 0.5,
        "clicks": 1,
        "impressions": 2,
        "start_date": "2026-11-01",
        "end_date": "2026-10-01",
    },
    {"ad_id": "", "clicks": None, "spend": "1", "platform": "", "day": "yesterday", "tags": ["x"], "more": {}},
]
_ASK = "/mcp"
_CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
_RETRIEVE = "/api/v1/data_pipeline/retrieve"
_CREDENTIALS = "/api/v1/accounts/{account_id}/credentials"
BODIES: dict[tuple[str, str], tuple[Any, ...]] = {
    ("POST", "/api/v1/accounts"): ({"company_name": "x", "primary_contact_email": "a@example.com"},),
    ("PATCH", "/api/v1/accounts/{account_id}"): ({"company_name": "y"},),
    ("POST", _CREDENTIALS): (
        {"platform": "meta", "access_token": "EAAG12345678", "app_secret": "s3cret-value", "app_id": "1"},
        {"client_id": "amzn1.x", "client_secret": "s3cret-value", "refresh_token": "Atzr|12345678", "region": "eu"},
    ),
    ("PUT", "/api/v1/accounts/{account_id}/webhook-secrets/{platform}"): (
        {"secret": "whsec_" + "QUJD" * 8, "app_secret": "x" * 16, "verify_token": "x" * 8, "revoke_previous": True},
    ),
    ("PUT", "/api/v1/webhook-secrets/{platform}"): ({"secret": "x" * 16},),
    ("PATCH", "/api/v1/profiles/{platform}/{profile_id}"): (
        {"options": {"conversions": ["leads", "purchase"], "basis": "click", "windows": ["7d_click"]}},
        {"options": {"datasets": ["ad_by_country_daily"], "clock": None}, "replay": True},
    ),
    ("POST", "/api/v1/ingestion/backfill"): (_RANGE | {"account_id": "acc", "platforms": ["meta"]},),
    ("POST", "/api/v1/workflows/{name}/runs"): (
        {"scope": {"accounts": ["acc"], "platforms": ["meta_ads"], "profiles": ["111"], "datasets": ["ad_daily"],
                   "slice": "campaign=c1", "start": "2026-11-01", "end": "2026-11-02"}},
    ),
    ("POST", "/api/v1/runs/{run_id}/redrive"): ({"task_ids": ["t"], "accept_vanish": True},),
    ("POST", "/api/v1/replay"): (
        _RANGE | {"platform": "meta", "profile_id": "111", "datasets": ["ad_daily"]},
    ),
    ("POST", "/api/v1/anomalies/check"): (
        {"platform": "meta", "profile_id": "111", "metrics": {"spend": 12.5, "clicks": 9}, "threshold": 3.0},
        {"platform": "amazon", "profile_id": "222", "level": "campaign", "entity_id": "c1", "date": "2026-11-20",
         "metrics": {"impressions": 0, "conversions": 1.5, "revenue": "99.99"}},
        {"arm_id": "arm_5f0c1d2e", "lookback_days": 60, "metrics": {"spend": 1}},
    ),
    ("POST", "/api/v1/anomalies/{anomaly_id}/feedback"): ({"expected": True, "note": "a sale"},),
    ("POST", _RETRIEVE): (
        {"data_type": "ads", "filters": {"campaign_id": ["c1"], "date_range": _RANGE}, "limit": 5, "offset": 1},
        {"data_type": "campaign_performance", "filters": {"platform": "meta"}, "include_live": True},
        {"data_type": "account_stats", "filters": {"currency": "EUR", "source": "pull", "date_range": _RANGE}},
        {"data_type": "ads", "as_known_at": "2026-11-20T00:00:00Z", "changed_since": "2026-11-19T00:00:00+01:00"},
    ),
    ("POST", "/api/v1/data_pipeline/validate"): (
        {"data_type": "ads", "data": {"records": _RECORDS}, "schema": _RULES},
        {"data_type": "ads", "data": {"records": _RECORDS},
         "validation_rules": {"required_fields": ["ad_id", "x"], "numeric_fields": ["spend"]}},
    ),
    ("POST", "/api/v1/reports"): (
        {"name": "r", "time_range": _DAYS, "metrics": [{"name": "spend"}, {"name": "roas"}],
         "dimensions": [{"name": "date"}, {"name": "campaign"}], "segments": [{"name": "currency", "values": ["EUR"]}]},
        {"time_range": _DAYS, "metrics": [{"name": "clicks"}], "dimensions": [{"name": "platform"}], "format": "csv"},
        {"time_range": {"start_date": "2026-11-01T00:00:00+01:00", "end_date": "2026-11-02T09:30:00Z"},
         "metrics": [{"name": "impressions"}], "format": "html", "include_live": True},
    ),
    ("PUT", "/api/v1/mappings/{source}"): (
        {"data_type": "campaign_performance",
         "columns": [{"field": "date", "names": ["Tag", "Day"]},
                     {"field": "spend", "names": ["Kosten ({currency})"], "required": True}],
         "constants": {"platform": "meta_ads"}},
    ),
    ("PUT", "/api/v1/specs/{name}"): (example("own-columns"), example("pinterest")),
    ("POST", _ASK): (
        _CALL | {"params": {"name": "query", "arguments": _DAYS | {
            "metrics": ["spend", "roas"], "dimensions": ["date", "campaign"], "order": ["-spend"], "limit": 3,
            "names": True, "filters": {"platform": ["meta"], "campaign_name": ["x"]}, "currency": "EUR"}}},
        _CALL | {"params": {"name": "compare", "arguments": _DAYS | {
            "metrics": ["clicks"], "dimensions": ["account"], "compare_start_date": "2026-10-01",
            "compare_end_date": "2026-10-02", "convert_to": "EUR"}}},
        _CALL | {"params": {"name": "explain", "arguments": _DAYS | {"metrics": ["cpc"], "dimensions": ["ad"]}}},
        _CALL | {"params": {"name": "quality", "arguments": _DAYS | {"account_id": "111", "platform": "meta"}}},
        _CALL | {"params": {"name": "accounts", "arguments": {"account_id": "acc", "time_range": "last_30_days"}}},
        {"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": {"protocolVersion": "2025-11-25"}},
    ),
    ("POST", "/api/v1/keys"): (
        {"name": "k", "scopes": ["read"], "accounts": ["acc"], "expires_at": "2027-01-01T00:00:00Z"},
    ),
}  # fmt: skip
_QUERY = {
    "limit": ("1", "1000", "0", "10"), "next_token": ("", "abc"), "platform": ("meta", "amazon"),
    "profile_id": ("111",), "account_id": ("acc",), "start": ("2026-11-01",), "end": ("2026-11-02",),
    "data_type": ("ads",), "label": ("eu",), "date": ("2026-11-01",),
}  # fmt: skip
_IN_PATH = {
    "account_id": ("acc", "other", "111"), "platform": ("meta", "amazon_ads"), "profile_id": ("111", "222"),
    "name": ("daily", "sync"), "run_id": ("r",), "replay_id": ("p",), "key_id": ("k",),
    "source": ("shop", "shopify"),
}  # fmt: skip


class Api:
    """The function `api` on an AWS in memory, with two clients."""

    name = "api"
    most_memory = 48 << 20

    def __init__(self) -> None:
        self._cloud = Cloud()
        self._function = Function("api", ENVIRONMENT)
        app = self._function.module.app
        app.clock = FrozenClock(pulls.NOW)
        for account in ("acc", "other"):
            app.catalog.create_account(account, f"Company of {account}", "a@example.com")
        fill(self._function.module)
        app.ledger.api_log = app.ledger.key_uses = _NoLog()
        self._wire = Wire()
        app.__dict__["http"] = self._wire.reset(_agreeable)
        self._cloud.keep()
        self._seeds = {key: tuple(map(Document.of, bodies)) for key, bodies in BODIES.items()}
        resources = (*self._function.module.RESOURCES, self._function.module.assistants)
        self._operations = [each for resource in resources for each in resource.operations]
        self._operations = [each for each in self._operations if each.scope]
        self._with_body = [each for each in self._operations if (each.method, each.path) in BODIES]

    def make(self, rng: Random) -> Case:
        operation = rng.choice(self._with_body if rng.random() < 0.75 else self._operations)
        path = operation.path
        for name in _names(path):
            known = rng.random() < 0.9
            value = rng.choice(_IN_PATH.get(name, ("x",))) if known else quote(awkward.plain(rng), errors="replace")
            path = path.replace("{" + name + "}", value)
        event = an_event(operation.method, path, None, rng.choice(("admin", "admin", "admin", "read")))
        if path == _ASK:
            event["headers"]["mcp-protocol-version"] = "2025-11-25"
        # A call with a body takes no query: with one, few bodies would be read.
        event["queryStringParameters"] = _query(rng) if operation.method == "GET" or rng.random() < 0.2 else {}
        if rng.random() < 0.3:
            event["requestContext"]["authorizer"]["lambda"]["accounts"] = rng.choice(("acc", "other", "acc other"))
        body = self._body(operation, rng)
        try:
            event["body"], event["isBase64Encoded"] = body.decode(), False
        except UnicodeDecodeError:
            event["body"], event["isBase64Encoded"] = base64.b64encode(body).decode(), True
        return {"event": json.dumps(event).encode()}

    def check(self, case: Case) -> str:
        event = json.loads(case["event"])
        self._cloud.answer()
        try:
            status, body = self._function.ask(event)
        finally:
            written = self._cloud.restore()
        if status >= 400 and written:
            raise Broken(f"answers {status} and wrote {written[:3]}")
        if _accounts(event) == "other" and _MARK in body:
            raise Broken("shows a client to the key of another")
        return str(status)

    def close(self) -> None:
        self._wire.close()
        self._function.close()
        self._cloud.close()

    def _body(self, operation: Operation, rng: Random) -> bytes:
        seeds = self._seeds.get((operation.method, operation.path))
        if not seeds:
            return awkward.value(rng) if rng.random() < 0.1 else b""
        seed, kind = rng.choice(seeds), rng.random()
        return mutated(seed, rng) if kind < 0.85 else damage.damaged(seed.text, rng) if kind < 0.95 else seed.text


TARGET = Api


def _agreeable(request: bytes) -> bytes:
    """A platform that takes every credential and lists nothing."""
    _, _, rest = request.partition(b" ")
    if rest.startswith(b"/t "):
        return http_answer(200, b'{"access_token":"Atza|x","expires_in":3600}')
    return http_answer(200, b"[]" if rest.startswith(b"/v2/") else b'{"data":[]}')


class _NoLog:
    """The API log and the uses of keys, which keep refused requests, too."""

    def add(self, *_: Any, **__: Any) -> None:
        """Keep nothing."""

    def used(self, *_: Any, **__: Any) -> None:
        """Keep nothing."""

    def of(self, keys: Iterable[str]) -> dict[str, Uses]:
        return {key: Uses() for key in keys}

    def page(self, *_: Any) -> tuple[list[ApiCall], str]:
        return [], ""


def _names(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


def _query(rng: Random) -> dict[str, str]:
    found = {name: rng.choice(values) for name, values in _QUERY.items() if rng.random() < 0.15}
    if rng.random() < 0.3:
        found[rng.choice(sorted(_QUERY))] = awkward.plain(rng)
    if "next_token" in found and rng.random() < 0.5:
        made = base64.urlsafe_b64encode(damage.damaged(b'{"pk":{"S":"accounts"},"sk":{"S":"acc"}}', rng)).decode()
        found["next_token"] = made.rstrip("=")
    return found


def _accounts(event: Mapping[str, Any]) -> str:
    return str(event["requestContext"]["authorizer"]["lambda"].get("accounts", ""))
