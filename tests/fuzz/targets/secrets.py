"""Secrets as they lie in Secrets Manager, and profile options: changed, read, and used for a request.

Whoever may edit a secret by hand may leave anything there: it becomes a credential that is refused, and never shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from adweir.model.entities import Credential
from adweir.model.errors import AdweirError
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY, guarded, options
from adweir.platforms.connector import Connector
from adweir.store.secrets import SecretStore
from fuzz import awkward, damage, pulls
from fuzz.documents import Document, mutated
from fuzz.running import Broken, Case
from fuzz.transport import Wire, http_answer
from support.amazon_stub import MemoryTokens
from support.clock import FrozenClock
from support.platforms import wiring

_SECRETS = {
    "meta_ads": Document.of({"access_token": pulls.SECRETS[0], "app_id": "123", "app_secret": pulls.SECRETS[1]}),
    "amazon_ads": Document.of(
        {"client_id": "amzn1.x", "client_secret": pulls.SECRETS[1], "refresh_token": pulls.SECRETS[2], "region": "eu"}
    ),
}
_OPTIONS = {
    "meta_ads": Document.of(
        {"conversions": ["leads", "omni_purchase"], "basis": "click_or_view", "windows": ["7d_click", "1d_view"],
         "clock": "mixed", "datasets": ["ad_by_country_daily"]}
    ),
    "amazon_ads": Document.of(
        {"window": "14d", "basis": "click", "products": "promoted", "clock": "interaction",
         "datasets": ["campaign_by_placement_daily"]}
    ),
}  # fmt: skip
_URLS = {"api": "http://a.test", "token": "http://a.test/t"}


class _Manager:
    """Secrets Manager with one secret."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._answer = answer

    def get_secret_value(self, **_: str) -> Mapping[str, Any]:
        return self._answer


class Credentials:
    """The secret of one credential, or the options of one profile."""

    name = "secrets"
    most_memory = 16 << 20

    def __init__(self) -> None:
        self._wire = Wire()
        self._clock = FrozenClock(pulls.NOW)

    def make(self, rng: Random) -> Case:
        platform = rng.choice(sorted(_SECRETS))
        about = {"platform": platform, "binary": rng.random() < 0.01}
        if rng.random() < 0.4:
            stored, change = (_changed(_OPTIONS[platform], rng) for _ in range(2))
            return {"about": json.dumps(about).encode(), "stored": stored, "change": change}
        kind = rng.random()
        if kind < 0.4:  # one value replaced by a text that could be one
            values = json.loads(_SECRETS[platform].text)
            values[rng.choice(sorted(values))] = awkward.plain(rng)
            return {"about": json.dumps(about).encode(), "secret": json.dumps(values).encode()}
        return {"about": json.dumps(about).encode(), "secret": _changed(_SECRETS[platform], rng)}

    def check(self, case: Case) -> str:
        about = json.loads(case["about"])
        platform = Platform(about["platform"])
        try:
            if "secret" in case:
                return self._connect(platform, case["secret"], binary=about["binary"])
            return _change_options(platform, case["stored"], case["change"])
        except AdweirError as error:
            if any(secret in f"{error.message} {error.context}" for secret in pulls.SECRETS):
                raise Broken(f"shows a secret: {error.message[:200]}") from error
            return error.code

    def close(self) -> None:
        self._wire.close()

    def _connect(self, platform: Platform, text: bytes, *, binary: bool) -> str:
        """Read the secret, connect, and list the ad accounts."""
        answer = {"SecretBinary": text} if binary else {"SecretString": text.decode("utf-8", "surrogateescape")}
        store = SecretStore(_Manager(answer), "adweir", self._clock)  # type: ignore[arg-type]  # the one call it makes
        values = store.get("adweir/credential/acc/x/default")
        credential = Credential(account_id="acc", platform=platform, secret_id="s")
        session = self._wire.reset(_answers)
        wired = wiring(platform, session, self._clock, urls=_URLS, tokens=MemoryTokens())
        spec = REGISTRY.spec(platform)
        connect: Callable[..., Connector] = REGISTRY._part(platform, "client").connect
        connector = guarded.connect(connect, spec.credential, credential, values, wired)
        return f"{sum(1 for _ in connector.profiles())} page"


TARGET = Credentials


def _answers(request: bytes) -> bytes:
    """The platform takes whatever is sent."""
    if request.startswith(b"POST /t "):
        return http_answer(200, b'{"access_token":"Atza|x","expires_in":3600}')
    return http_answer(200, b"[]" if b" /v2/" in request[:20] else b'{"data":[]}')


def _change_options(platform: Platform, stored: bytes, change: bytes) -> str:
    """Change options that are stored already, as the API does, and read what is stored then."""
    spec = REGISTRY.spec(platform)
    before, wanted = _object(stored), _object(change)
    after = options.changed(spec, before, wanted)
    json.dumps(after).encode()
    read = options.read(spec.options, after)
    read.definition.encode()
    return "changed"


def _object(text: bytes) -> dict[str, Any]:
    """The object in a text as the API's decoder hands it on; {} where there is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _changed(seed: Document, rng: Random) -> bytes:
    return mutated(seed, rng) if rng.random() < 0.85 else damage.damaged(seed.text, rng)
