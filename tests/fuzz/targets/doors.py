"""The webhooks' doors: deliveries of platforms and metric pushes, signed, and changed before or after that.

A delivery is accepted only when one of the door's secrets signs exactly its bytes; that is worked out here again, from
the documents of Standard Webhooks and of Meta. What is refused leaves nothing behind.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from hashlib import sha256
from random import Random
from typing import Any

from adweir.intake.doors.receiver import Receiver
from adweir.model.datasets import Dataset
from adweir.model.deliveries import read_delivery
from adweir.model.entities import Ad, AdCampaign, PlatformObject, Profile
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.store.catalog.store import Catalog
from adweir.store.raw.store import RawStore
from adweir.store.secrets import SecretStore
from fuzz import awkward, damage
from fuzz.documents import Document, mutated
from fuzz.functions import Function
from fuzz.running import Broken, Case
from support.clock import FrozenClock

META = Platform("meta_ads")
NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
PUSH_KEYS = (b"the current key of a partner", b"the key before the rotation")
APP_SECRETS = ("the app's secret", "the app's older secret")
TOKENS = ("a verify token", "an older token")
DOORS = ("", "acc")
"""The deployment's door and a client's; both have these secrets, the current and the previous version."""
Objects = Mapping[str, PlatformObject]
"""By the id that they are asked for."""

_METRIC = {
    "platform": "meta_ads", "profile_id": "111", "campaign_id": "c1", "ad_group_id": "g1", "ad_id": "a1",
    "timestamp": "2026-11-20T11:30:00Z", "impressions": 1200, "clicks": 31, "conversions": 2, "revenue": "84.50",
    "cost": 12.75, "currency": "EUR",
}  # fmt: skip
_CHANGE = {"field": "field_changed", "value": {"object_type": "CAMPAIGN", "object_id": "c1", "level": "AD"}}
PUSHES = tuple(
    Document.of({"metrics": metrics})
    for metrics in (
        [_METRIC],
        [{"campaign_id": "c1", "timestamp": NOW - 60, "impressions": 5}, _METRIC | {"ctr": 0.1, "clicks": 1}],
    )
)
NOTIFICATIONS = tuple(
    Document.of({"object": "ad_account", "entry": [{"id": owner, "time": NOW, "changes": changes}]})
    for owner, changes in (
        ("111", [_CHANGE, {"field": "creative_fatigue", "value": {"adgroup_id": "5"}}]),
        (111, [{"field": "with_issues_ad_objects", "value": {"id": 7, "level": "AD_SET"}}]),
        ("act_999", [{"field": "subscriptions", "value": {}}]),
    )
)


class KnownCatalog(Catalog):
    """One client with ad accounts, and by platform what is known of them."""

    def __init__(self, clock: FrozenClock, profiles: Sequence[Profile], objects: Mapping[Dataset, Objects]) -> None:
        super().__init__(clock)
        self._of = {profile.platform: profile for profile in profiles}
        self._objects = objects

    def door(self, platform: Platform, account_id: str) -> str | None:
        return "" if account_id in DOORS else None

    def profiles(self, account_id: str | None = None, platform: Platform | None = None) -> list[Profile]:
        found = self._of.get(platform) if platform else None
        return [found] if found and account_id in {None, found.account_id} else []

    def find_objects(
        self, platform: Platform, profile_ids: Sequence[str], dataset: Dataset, ids: Sequence[str]
    ) -> dict[str, list[PlatformObject]]:
        found = self._of.get(platform)
        known = self._objects.get(dataset, {}) if found and found.profile_id in profile_ids else {}
        return {each: [known[each]] for each in ids if each in known}


def _known(clock: FrozenClock) -> KnownCatalog:
    """A client with one ad account, a campaign and an ad."""
    named: dict[str, Any] = {"platform": META, "profile_id": "111"}
    profile = Profile(**named, account_id="acc", name="n", currency="EUR", timezone="Europe/Berlin")
    ad = Ad(**named, id="a1", ad_group_id="g1", campaign_id="c1")
    campaigns: Objects = {"c1": AdCampaign(**named, id="c1")}
    return KnownCatalog(clock, [profile], {Dataset.CAMPAIGNS: campaigns, Dataset.ADS: {"g1~a1": ad, "a1": ad}})


class MemoryRaw(RawStore):
    """What the doors store, by key."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}

    def put_once(self, key: str, body: Any, *_: Any, **__: Any) -> bool:
        return self.stored.setdefault(key, body) is body

    def exists(self, key: str) -> bool:
        return key in self.stored


def _whsec(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


class SecretsManager:
    """Every door's secrets, in two versions."""

    values: Sequence[Mapping[str, str]] = tuple(
        {"secret": _whsec(key), "app_secret": app_secret, "verify_token": token}
        for key, app_secret, token in zip(PUSH_KEYS, APP_SECRETS, TOKENS, strict=True)
    )

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, str]:  # noqa: N803  AWS's names
        at = ("AWSCURRENT", "AWSPREVIOUS").index(VersionStage)
        return {"SecretString": json.dumps(self.values[at])}


class Doors:
    """HTTP API events for the function `webhooks`."""

    name = "doors"
    most_memory = 24 << 20

    def __init__(self) -> None:
        self._function = Function("webhooks", {})
        clock, self._raw = FrozenClock(datetime.fromtimestamp(NOW, UTC)), MemoryRaw()
        secrets = SecretStore(SecretsManager(), "adweir", clock)  # type: ignore[arg-type]  # the one call that it makes
        app = self._function.module.app
        app.clock = clock
        app.__dict__["receiver"] = Receiver(REGISTRY, _known(clock), secrets, self._raw, clock)

    def make(self, rng: Random) -> Case:
        kind = rng.random()
        event = _handshake(rng) if kind < 0.1 else _delivery(rng, pushed=kind < 0.6)
        return {"event": json.dumps(event).encode()}

    def check(self, case: Case) -> str:
        event = json.loads(case["event"])
        untouched = event.pop("untouched", False)
        self._raw.stored.clear()
        status, body = self._function.ask(event)
        if event["requestContext"]["http"]["method"] == "GET":
            return _judge_handshake(event, status, body)
        accepted, signed = status == 200, _is_signed(event)
        if accepted and not signed:
            raise Broken("a delivery that no secret signs is accepted")
        if untouched and status in {401, 403}:
            raise Broken("a delivery that was signed well is refused as not signed")
        if not accepted and self._raw.stored:
            raise Broken(f"what was answered {status} is stored")
        for stored in self._raw.stored.values():
            if read_delivery(stored).body_sha256 != sha256(_sent(event)).hexdigest():
                raise Broken("other bytes are stored than were signed")
        return str(json.loads(body)["status"]) if accepted else str(status)

    def close(self) -> None:
        self._function.close()


TARGET = Doors


def _delivery(rng: Random, *, pushed: bool) -> dict[str, Any]:
    """A delivery: its body changed or not, then signed, then perhaps something of it changed."""
    seeds = PUSHES if pushed else NOTIFICATIONS
    seed, change = rng.choice(seeds), rng.random()
    body = seed.text
    if change < 0.5:
        body = mutated(seed, rng)
    elif change < 0.65:
        body = damage.damaged(body, rng, [each.text for each in (*PUSHES, *NOTIFICATIONS)])
    headers = _push_headers(body, rng) if pushed else _meta_headers(body, rng)
    account, name = (
        rng.choice(DOORS),
        rng.choice(("meta", "meta_ads", "facebook") if not pushed else ("meta", "amazon")),
    )
    path = f"/webhook/{name}/{account}" if account else f"/webhook/{name}"
    untouched = rng.random() < 0.5
    if not untouched:
        body, headers, path = _tampered(body, headers, path, rng)
    return http_event("POST", path, headers, body, rng) | {"untouched": untouched}


def _push_headers(body: bytes, rng: Random) -> dict[str, str]:
    key, id_, stamp = rng.choice(PUSH_KEYS), f"msg_{rng.randrange(9)}", str(NOW + rng.choice((-300, -1, 0, 300)))
    digest = hmac.digest(key, f"{id_}.{stamp}.".encode() + body, "sha256")
    signature = f"v1,{base64.b64encode(digest).decode()}"
    if rng.random() < 0.3:  # as while a secret is rotated
        signature = f"v1,{base64.b64encode(bytes(32)).decode()} v1a,xyz {signature}"
    return {"webhook-id": id_, "webhook-timestamp": stamp, "webhook-signature": signature}


def _meta_headers(body: bytes, rng: Random) -> dict[str, str]:
    signature = hmac.new(rng.choice(APP_SECRETS).encode(), body, sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={rng.choice((signature, signature.upper()))}"}


def _tampered(body: bytes, headers: dict[str, str], path: str, rng: Random) -> tuple[bytes, dict[str, str], str]:
    """One thing changed after signing."""
    name = rng.choice(sorted(headers))
    value = headers[name]
    match rng.randrange(9):
        case 0 | 1:
            body = damage.damaged(body, rng)
        case 2:
            headers[name] = damage.damaged(value.encode(), rng).decode("latin-1")
        case 3:
            headers[name] = awkward.plain(rng)
        case 4:
            headers[name] = rng.choice((value[:-1], value + "=", value + ",", f" {value}", f"{value} ", value * 2))
        case 5:
            headers.pop(name)
        case 6:  # signed with what is not a key
            headers |= rng.choice((_foreign_push(body, rng), _foreign_meta(body, rng)))
        case 7:
            path = f"/webhook/{rng.choice(('meta', 'nothing', awkward.plain(rng)))}/{awkward.plain(rng)}"
        case _:
            headers[name.upper()] = headers.pop(name)
    return body, headers, path


def _foreign_push(body: bytes, rng: Random) -> dict[str, str]:
    key, stamp = rng.choice((b"", b"\0", b"another key", b"whsec_")), str(NOW + rng.choice((0, -301, 301, 10**9)))
    digest = base64.b64encode(hmac.digest(key, f"m.{stamp}.".encode() + body, "sha256")).decode()
    return {"webhook-id": "m", "webhook-timestamp": stamp, "webhook-signature": f"v1,{digest}"}


def _foreign_meta(body: bytes, rng: Random) -> dict[str, str]:
    key = rng.choice((b"", b"\0", b"another key", b"None"))
    return {"x-hub-signature-256": f"sha256={hmac.new(key, body, sha256).hexdigest()}"}


def _handshake(rng: Random) -> dict[str, Any]:
    query = {"hub.mode": "subscribe", "hub.verify_token": rng.choice(TOKENS), "hub.challenge": "1158201444"}
    for name in rng.sample(sorted(query), rng.choice((0, 1, 1, 2))):
        query[name] = awkward.plain(rng)
    if rng.random() < 0.1:
        query.pop(rng.choice(sorted(query)))
    path = rng.choice(("/webhook/meta", "/webhook/meta/acc", "/webhook/amazon", "/webhook/meta/nobody"))
    return http_event("GET", path, {}, b"", rng) | {"queryStringParameters": query}


def http_event(method: str, path: str, headers: dict[str, str], body: bytes, rng: Random) -> dict[str, Any]:
    """As API Gateway writes it: a body that is not UTF-8 as base64, any other so or as text."""
    try:
        text, packed = body.decode(), rng.random() < 0.3
    except UnicodeDecodeError:
        text, packed = "", True
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"requestId": "r", "stage": "$default", "http": {"method": method, "path": path}},
        "body": base64.b64encode(body).decode() if packed else text,
        "isBase64Encoded": packed,
    }


def _sent(event: Mapping[str, Any]) -> bytes:
    body = str(event["body"])
    return base64.b64decode(body) if event["isBase64Encoded"] else body.encode()


def _is_signed(event: Mapping[str, Any]) -> bool:
    headers = {name.lower(): value for name, value in event["headers"].items()}
    body = _sent(event)
    if "webhook-signature" in headers:
        return _is_standard(headers, body)
    return any(map(partial(_is_metas, headers.get("x-hub-signature-256", ""), body), APP_SECRETS))


def _is_standard(headers: Mapping[str, str], body: bytes) -> bool:
    """Standard Webhooks: a v1 signature of `id.timestamp.body`, signed within five minutes of now."""
    id_, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or not id_.isascii() or not stamp.isdecimal() or abs(Decimal(stamp) - NOW) > 300:
        return False
    given = [part.removeprefix("v1,") for part in headers["webhook-signature"].split(" ") if part.startswith("v1,")]
    expected = [hmac.digest(key, f"{id_}.{stamp}.".encode() + body, "sha256") for key in PUSH_KEYS]
    return any(_base64(text) in expected for text in given)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _is_metas(header: str, body: bytes, secret: str) -> bool:
    """Meta: `sha256=` and the HMAC of the payload in hexadecimal digits; capital letters say the same."""
    scheme, _, given = header.strip().partition("=")
    return scheme.lower() == "sha256" and given.lower() == hmac.new(secret.encode(), body, sha256).hexdigest()


def _judge_handshake(event: Mapping[str, Any], status: int, body: str) -> str:
    query = event["queryStringParameters"]
    knows = query.get("hub.verify_token") in TOKENS and query.get("hub.mode") == "subscribe"
    if status == 200 and not (knows and body == query.get("hub.challenge")):
        raise Broken("a subscription without the token is confirmed")
    return f"handshake {status}"
